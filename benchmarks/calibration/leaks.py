"""Parts that keep, crowd or open anew what they make, or do not: how much of it is known by construction."""

from __future__ import annotations

import math
import random

from benchmarks.calibration.part import Part, filled


def backlog(rng: random.Random, seconds: float) -> Part:
    """A queue of which a part is never taken."""
    kept = rng.choice([0.0, 0.0, 0.0, rng.uniform(0.3, 1.0), rng.uniform(0.6, 1.0)])
    puts = rng.randrange(4_000, 12_000)
    code = """
import queue

JOBS = queue.Queue()
rng = random.Random({seed})
held = deepest = 0
for item in range({puts}):
    JOBS.put(item)
    deepest = max(deepest, JOBS.qsize())
    if rng.random() >= {kept}:
        JOBS.get()
    if item % 100 == 0:
        fill({rest}, {idle})
Books.exact = {{"depth_max": deepest}}
"""
    values = {
        "seed": rng.randrange(1_000_000),
        "puts": puts,
        "kept": kept,
        "rest": seconds / puts * 100,
        "idle": rng.random() < 0.5,
    }
    code = filled(code, values)
    return Part("Backlog", ("unbounded-queue",), code, costly=kept > 0, exact={"puts": puts})


def tasks(rng: random.Random, seconds: float) -> Part:
    """Tasks of which some wait for ever, as many early as late."""
    created = rng.randrange(20, 200)
    left = rng.choice([0, 0, rng.randrange(0, 4), rng.randrange(math.ceil(max(5, created / 2)), created + 1)])
    code = """
import asyncio


async def work(number):
    if (number + 1) * {left} // {created} > number * {left} // {created}:
        never.append(asyncio.Event())
        await never[-1].wait()
    await asyncio.sleep(0.001)


never = []


async def main():
    for number in range({created}):
        asyncio.create_task(work(number))
        fill({rest}, False)
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)


asyncio.run(main())
"""
    code = filled(code, {"left": left, "created": created, "rest": seconds / created})
    exact = {"created": created, "alive_end": left}
    return Part("Survivors", ("leaked-task",), code, costly=left >= 5, exact=exact)


def threads(rng: random.Random, seconds: float) -> Part:
    """Threads of which some wait for ever, as many early as late."""
    created = rng.randrange(20, 60)
    left = rng.choice([0, 0, rng.randrange(0, 4), rng.randrange(math.ceil(created / 2), created + 1)])
    code = """
class Pump:
    def __init__(self, number):
        self.number = number

    def start(self):
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        if (self.number + 1) * {left} // {created} > self.number * {left} // {created}:
            threading.Event().wait()


for number in range({created}):
    Pump(number).start()
    fill({rest}, True)
fill(0.05, True)
"""
    code = filled(code, {"left": left, "created": created, "rest": seconds / created})
    exact = {"created": created, "alive_end": left}
    return Part("Survivors", ("unjoined-thread",), code, costly=left >= 5, exact=exact)


def reuse(rng: random.Random, seconds: float) -> Part:
    """Many requests to few servers, or one to each of many."""
    is_costly = rng.random() < 0.5
    peers, per_peer = (rng.randrange(1, 4), rng.randrange(10, 40)) if is_costly else (rng.randrange(10, 25), 1)
    code = """
import http.server
from urllib.request import urlopen


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args):
        pass


SERVERS = [http.server.HTTPServer(("127.0.0.1", 0), Handler) for _ in range({peers})]
for server in SERVERS:
    threading.Thread(target=server.serve_forever, daemon=True).start()


def fetch(url):
    return urlopen(url).read()


for _ in range({per_peer}):
    for server in SERVERS:
        fetch("http://127.0.0.1:%d/" % server.server_address[1])
        fill({rest}, True)
"""
    total = peers * per_peer
    code = filled(code, {"peers": peers, "per_peer": per_peer, "rest": seconds / total})
    exact = {"hits": total, "connections": total, "peers": peers}
    return Part("Reuse", ("http-client-per-call",), code, costly=is_costly, exact=exact)
