"""A connection counts for the site on whose behalf it is opened, and only once it is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import PYTHONS, Probed, plainly, probe

SERVER = """
import asyncio, http.client, http.server, os, socket, threading, urllib.request
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *arguments):
        pass
def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
PORT = serve()
def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
"""
CLIENT = 'http.client.HTTPConnection("localhost", PORT)'


def run(directory: Path, program: str, text: str) -> Probed:
    return probe(directory, SERVER + program, ("connection", text))


def counts(seen: Probed, index: int = 0) -> tuple[float, float, float]:
    return seen.value("hits", index), seen.value("connections", index), seen.value("peers", index)


PER_CALL = f"""
def fetch():
    client = {CLIENT}
    client.request("GET", "/")
    return client.getresponse().read()
for turn in range(15):
    print(fetch())
"""


def test_a_client_per_call_opens_a_connection_per_call(tmp_path: Path) -> None:
    seen = run(tmp_path, PER_CALL, CLIENT)
    per_hit = seen.row("per_hit")

    # "localhost" may be tried as ::1 first, where nobody answers
    assert counts(seen) == (15, 15, 1)
    assert (per_hit.low, per_hit.value, per_hit.high) == (1, 1, 1)


def test_the_program_says_the_same_without(tmp_path: Path) -> None:
    seen = run(tmp_path, PER_CALL, CLIENT)

    code, output = plainly(tmp_path)
    assert code == seen.outcome.run.exit_code == 0
    assert output.splitlines() == ["b'ok'"] * 15


def test_a_shared_client_opens_one(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
kept = http.client.HTTPConnection("127.0.0.1", PORT)
def fetch(path):
    kept.request("GET", path)
    return kept.getresponse().read()
for turn in range(15):
    fetch("/")
""",
        'fetch("/")',
    )

    assert counts(seen) == (15, 1, 1)
    assert seen.value("per_hit") < 0.1


def test_a_single_request_opens_a_connection_each_time(tmp_path: Path) -> None:
    text = 'urllib.request.urlopen(f"http://127.0.0.1:{PORT}/")'
    seen = run(tmp_path, f"def fetch():\n    return {text}.read()\nfor turn in range(15):\n    fetch()\n", text)

    assert counts(seen) == (15, 15, 1)


def test_a_request_that_is_refused_is_an_execution_and_no_connection(tmp_path: Path) -> None:
    text = 'urllib.request.urlopen(f"http://127.0.0.1:{free}/")'
    seen = run(
        tmp_path,
        f"""
free = closed_port()
for turn in range(3):
    try:
        {text}
    except OSError as error:
        print(error)
""",
        text,
    )

    assert counts(seen) == (3, 0, 0)


def test_what_the_function_opens_besides_does_not_count(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        f"""
def fetch():
    socket.create_connection(("127.0.0.1", PORT)).close()
    client = {CLIENT}
    socket.create_connection(("127.0.0.1", PORT)).close()
    client.request("GET", "/")
    return client.getresponse().read()
for turn in range(10):
    fetch()
""",
        CLIENT,
    )

    assert counts(seen) == (10, 10, 1)


def test_each_peer_counts_once(tmp_path: Path) -> None:
    text = 'socket.create_connection(("127.0.0.1", port))'
    seen = run(
        tmp_path,
        f"""
ports = [PORT, serve(), serve()]
for turn in range(4):
    for port in ports:
        {text}.close()
""",
        text,
    )

    assert counts(seen) == (12, 12, 3)


def test_a_client_that_is_used_in_a_thread_counts(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        f"""
def fetch():
    client = {CLIENT}
    thread = threading.Thread(target=client.request, args=("GET", "/"))
    thread.start()
    thread.join()
for turn in range(5):
    fetch()
""",
        CLIENT,
    )

    assert counts(seen) == (5, 5, 1)


ASYNC_CLIENT = """
class Client:
    async def get(self):
        # as clients do that race several addresses
        opening = asyncio.create_task(asyncio.open_connection("127.0.0.1", port))
        reader, writer = await opening
        writer.close()
async def fetch():
    client = Client()
    await client.get()
async def main():
    await asyncio.gather(*[asyncio.open_connection("127.0.0.1", PORT) for turn in range(3)])
    results = await asyncio.gather(*[fetch() for turn in range(10)], return_exceptions=True)
    print({type(result).__name__ for result in results})
"""


def test_a_connection_that_a_task_of_the_client_opens_counts(tmp_path: Path) -> None:
    seen = run(tmp_path, f"{ASYNC_CLIENT}\nport = PORT\nasyncio.run(main())\n", "Client()")

    assert seen.outcome.last_lines == ("{'NoneType'}",)
    assert counts(seen) == (10, 10, 1)


def test_one_that_fails_on_its_way_does_not(tmp_path: Path) -> None:
    seen = run(tmp_path, f"{ASYNC_CLIENT}\nport = closed_port()\nasyncio.run(main())\n", "Client()")

    assert seen.outcome.last_lines == ("{'ConnectionRefusedError'}",)
    assert counts(seen) == (10, 0, 0)


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_local_sockets_count_and_datagrams_do_not(tmp_path: Path, method: str) -> None:
    seen = run(
        tmp_path,
        f"""
listener = socket.socket(socket.AF_UNIX)
listener.bind("s")
listener.listen(9)
def dial(place):
    with socket.socket(socket.AF_UNIX) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        one.{method}(place)
        other.{method}(("127.0.0.1", PORT))
        try:
            one.connect(place)
        except OSError:
            pass
for turn in range(4):
    dial("s")
""",
        'dial("s")',
    )

    assert counts(seen) == (4, 4, 1)


def test_forked_processes_share_a_client_made_before(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        f"""
import multiprocessing
def fetch():
    client.request("GET", "/")
    client.getresponse().read()
if __name__ == "__main__":
    client = {CLIENT}
    crew = [multiprocessing.get_context("fork").Process(target=fetch) for turn in range(3)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
""",
        CLIENT,
    )

    assert counts(seen) == (1, 3, 1)


def test_the_probe_keeps_no_client_alive(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        f"""
import weakref
def fetch():
    client = {CLIENT}
    client.request("GET", "/")
    client.getresponse().read()
    return weakref.ref(client), weakref.ref(client.sock)
print([known() for known in fetch()])
""",
        CLIENT,
    )

    assert seen.outcome.last_lines == ("[None, None]",)


def test_a_failing_connect_fails_as_it_does_without(tmp_path: Path) -> None:
    text = 'socket.create_connection(("127.0.0.1", free))'
    seen = run(
        tmp_path,
        f"""
import traceback
free = closed_port()
try:
    {text}
except OSError as error:
    print(error, [frame.name for frame in traceback.extract_tb(error.__traceback__)])
""",
        text,
    )

    assert plainly(tmp_path)[1] == "".join(f"{x}\n" for x in seen.outcome.last_lines)


SMALL = "requests.adapters.HTTPAdapter(pool_maxsize=1)"


def test_a_pool_without_room_opens_more_than_are_ever_open(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        f"""
import concurrent.futures, requests
session = requests.Session()
session.trust_env = False
session.mount("http://", {SMALL})
together = threading.Barrier(4)
def fetch(n):
    together.wait()
    return session.get(f"http://127.0.0.1:{{PORT}}/").text
with concurrent.futures.ThreadPoolExecutor(4) as workers:
    print(list(workers.map(fetch, range(80))))
""",
        SMALL,
    )

    assert seen.value("hits") == 1
    assert 1 <= seen.value("open_peak") <= 5
    assert seen.value("connections") >= 2 * seen.value("open_peak")
    assert seen.value("pool_waited") == 0


def test_waiting_for_a_connection_counts_for_who_made_the_pool(tmp_path: Path) -> None:
    (tmp_path / "aiohttp").mkdir()
    (tmp_path / "aiohttp" / "__init__.py").write_text("from aiohttp.connector import TCPConnector\n")
    (tmp_path / "aiohttp" / "connector.py").write_text(
        "import asyncio\nclass BaseConnector:\n    async def _wait_for_available_connection(self, key):\n"
        "        await asyncio.sleep(0.05)\n    async def connect(self):\n"
        "        await self._wait_for_available_connection(1)\nclass TCPConnector(BaseConnector):\n"
        "    def __init__(self, limit):\n        self.limit = limit\n"
    )
    made = "aiohttp.TCPConnector(limit=1)"
    seen = run(
        tmp_path,
        f"import aiohttp\nasync def main():\n    pool = {made}\n    other = aiohttp.TCPConnector(2)\n"
        "    await other.connect()\n    await asyncio.gather(*(pool.connect() for n in range(3)))\nasyncio.run(main())\n",
        made,
    )

    assert seen.value("pool_waited") >= 0.05
    assert seen.row("pool_waited").n == 3


def test_waiting_out_of_sight_is_no_waiting_of_zero(tmp_path: Path) -> None:
    blocking = "requests.adapters.HTTPAdapter(pool_maxsize=1, pool_block=True)"
    seen = run(tmp_path, f"import requests\nkept = {blocking}\n", blocking)

    assert seen.value("hits") == 1
    assert not seen.has("pool_waited")


def test_what_connects_to_nobody_is_timed(tmp_path: Path) -> None:
    made = "connect(0.02)"
    program = "import time\ndef connect(seconds):\n    time.sleep(seconds)\n    return object()\nfor n in range(5):\n"
    seen = run(tmp_path, f"{program}    {made}\n", made)

    assert (seen.value("hits"), seen.value("connections")) == (5, 0)
    assert seen.value("making") >= 0.1


def test_making_is_between_the_processor_time_and_the_whole(tmp_path: Path) -> None:
    program = (
        "import socket, time\ndef make():\n    time.sleep(0.1)\n    return object()\n"
        "for _ in range(3):\n    engine = make()\n"
    )
    found = probe(tmp_path, program.replace("= make()", "= make( )"), ("connection", "make( )")).row("making")

    assert found.low < 0.2
    assert 0.3 <= found.value == found.high


NAMES = """
import _socket, ssl
HOSTS = {"one.test": ["127.0.0.2"], "two.test": ["127.0.0.2"], "many.test": ["127.0.0.2", "127.0.0.3", "127.0.0.4"]}
def serve_at(address, port):
    server = http.server.ThreadingHTTPServer((address, port), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]
PORT = serve_at("127.0.0.2", 0)
serve_at("127.0.0.3", PORT), serve_at("127.0.0.4", PORT)
turns = iter(range(10**6))
def resolve(host, port, *rest, real=_socket.getaddrinfo):
    addresses = HOSTS.get(host, [host])
    first = next(turns) % len(addresses)
    return [one for address in addresses[first:] + addresses[:first] for one in real(address, port, *rest)]
_socket.getaddrinfo = resolve
async def get(host, kept={}):
    if host not in kept:
        info = await asyncio.get_running_loop().getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
        kept[host] = info[0][4]
    sock = socket.socket()
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, kept[host])
    sock.close()
"""
HOSTS = {
    "several addresses of one host are one": ('urllib.request.urlopen(f"http://many.test:{PORT}/")', 1),
    "hosts at one address are several": (
        "urllib.request.urlopen(f\"http://{['one.test', 'two.test'][turn % 2]}:{PORT}/\")",
        2,
    ),
    "an address is known by itself": ('urllib.request.urlopen(f"http://127.0.0.{2 + turn % 2}:{PORT}/")', 2),
    "a name told by who connects": (
        'asyncio.run(asyncio.open_connection(["one.test", "two.test"][turn % 2], PORT))',
        2,
    ),
    # by the address alone, it may be either
    "names that nobody tells are all counted": ('asyncio.run(get(["one.test", "two.test"][turn % 2]))', 2),
}


@pytest.mark.parametrize("how", HOSTS)
def test_connections_are_told_apart_by_host_where_its_name_is_known(tmp_path: Path, how: str) -> None:
    text, peers = HOSTS[how]
    seen = run(tmp_path, f"{NAMES}for turn in range(12):\n    {text}\n", text)

    assert seen.outcome.run.exit_code == 0, seen.outcome.last_lines
    assert counts(seen) == (12, 12, peers)


def test_uvloop_says_the_host_itself(tmp_path: Path) -> None:
    pytest.importorskip("uvloop")
    text = 'asyncio.open_connection(["localhost", "127.0.0.1"][turn % 2], PORT)'
    program = (
        f"import uvloop\nasync def main():\n    for turn in range(12):\n        await {text}\nuvloop.run(main())\n"
    )
    assert counts(run(tmp_path, program, text)) == (12, 12, 2)


def test_a_host_that_is_not_known_fails_as_it_does_without(tmp_path: Path) -> None:
    text = 'socket.create_connection(("nobody.invalid", 1))'
    program = f"import _socket, traceback\n_socket.getaddrinfo = lambda *_: 1 / 0\ntry:\n    {text}\nexcept ZeroDivisionError:\n    print(traceback.format_exc())\n"
    seen = run(tmp_path, program, text)
    assert seen.outcome.last_lines == tuple(plainly(tmp_path)[1].splitlines())[-len(seen.outcome.last_lines) :]


HOLDER = f"""
import functools, weakref
# a client that goes away without a request may be worth a traceback to the server
http.server.ThreadingHTTPServer.handle_error = lambda *_: None
class Big:
    pass
class Fetching(http.client.HTTPConnection):
    @property
    def answer(self):
        self.request("GET", "/")
        return self.getresponse()
def logged(method):
    @functools.wraps(method)
    def logging(*arguments):
        return method(*arguments)
    return logging
class Logged(Fetching):
    @logged
    def read(this):
        return this.answer.read()
class Job:
    def run(self):
        big = Big()
        seen = weakref.ref(big)
        print(Logged("127.0.0.1", PORT).read())
        print({CLIENT}.connect())
        big = None
        print("let go" if seen() is None else "held")
for turn in range(3):
    Job().run()
"""


@pytest.mark.parametrize("python", PYTHONS)
def test_what_a_caller_lets_go_is_gone_and_methods_of_any_form_connect_on_behalf_of_their_client(
    tmp_path: Path, python: str
) -> None:
    flagged = (("connection", 'Logged("127.0.0.1", PORT)'), ("connection", CLIENT))
    seen = probe(tmp_path, SERVER + HOLDER, *flagged, python=python)

    assert seen.outcome.last_lines == ("b'ok'", "None", "let go") * 3
    assert [counts(seen, index)[:2] for index in (0, 1)] == [(3, 3), (3, 3)]
