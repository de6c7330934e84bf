"""A client for a batch of requests keeps its connection for all of them; one for each request keeps none."""

import http.client
import http.server
import threading

import requests


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


SERVER = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
SERVER.daemon_threads = True
threading.Thread(target=SERVER.serve_forever, daemon=True).start()
URL = f"http://127.0.0.1:{SERVER.server_port}"


def batch(paths):
    with requests.Session() as session:  # harmless: http-client-per-call
        for path in paths:
            session.get(URL + path)


def batch_by_hand(paths):
    connection = http.client.HTTPConnection("127.0.0.1", SERVER.server_port)  # harmless: http-client-per-call
    for path in paths:
        connection.request("GET", path)
        connection.getresponse().read()
    connection.close()


def few(paths):
    with requests.Session() as session:  # open: http-client-per-call
        for path in paths:
            session.get(URL + path)


def one(path):
    with requests.Session() as session:  # costly: http-client-per-call
        return session.get(URL + path)


for number in range(12):
    batch([f"/{number}/{part}" for part in range(15)])
    batch_by_hand([f"/{number}/{part}" for part in range(15)])
    few([f"/{number}/{part}" for part in range(4)])
    one(f"/{number}")
