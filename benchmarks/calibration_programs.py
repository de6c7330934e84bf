"""Programs whose share of time, growth or leak is known by construction, for `benchmarks/calibration.py`.

Each has one suspect and keeps its own books, in every run: how long the flagged operation took, from inside (what it
spins or sleeps by the clock; of real work, what is left without 2 us a time and without outliers) and from outside
(clock readings around the whole statement, so that calls and instruments are in it). The truth lies between the two.
Counts (objects kept, items put in, connections) hold by construction.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

BOOKS = """\
import atexit
import json
import os
import random
import sys
import threading
from time import perf_counter as now

HERE = os.path.dirname(os.path.abspath(__file__))
AROUND = 2e-6


class Books:
    inside = outside = inside_again = again = 0.0
    exact = {}
    each = []
    each_again = []


def usual(each):
    # without what lies far above its neighbours, which an instrument's flush may have put there
    total = 0.0
    for first in range(0, len(each), 40):
        near = sorted(each[first : first + 40])
        total += sum(min(one, 2 * near[len(near) // 2]) for one in near)
    return max(0.0, total - AROUND * len(each))


def keep():
    if Books.each:
        Books.inside, Books.outside = usual(Books.each), sum(Books.each)
        Books.inside_again, Books.again = usual(Books.each_again), sum(Books.each_again)
    with open(os.path.join(HERE, "books.jsonl"), "a") as file:
        row = {"inside": Books.inside, "outside": Books.outside}
        row.update({"inside_again": Books.inside_again, "outside_again": Books.again})
        file.write(json.dumps({**row, "exact": Books.exact}) + "\\n")


atexit.register(keep)


def spin(seconds):
    begun = now()
    while now() - begun < seconds:
        pass
    return now() - begun


def fill(seconds, idle):
    begun = now()
    if idle:
        threading.Event().wait(seconds)
    else:
        while now() - begun < seconds:
            pass
"""


@dataclass(frozen=True)
class Program:
    """What is run and what is known of it.

    kind: of the expectation. costly: whether it is, by construction, where the books do not say (None: they do).
    seconds, share, again: metrics that the books hold against the seconds from inside to outside; `again` those of
    repeats. growth: the exponent of the cost per execution. exact: counts by metric, known beforehand.
    """

    number: int
    kind: str
    rules: tuple[str, ...]
    code: str
    costly: bool | None = None
    timed: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    growth: float | None = None
    exact: Mapping[str, float] = field(default_factory=dict)


def program(number: int, seed: int, seconds: float) -> Program:
    """The program of that number; the same for the same seed. It runs for about so many seconds."""
    rng = random.Random(f"{seed}/{number}")
    return MAKERS[number % len(MAKERS)](number, rng, seconds * rng.uniform(0.7, 1.3))


def _share(rng: random.Random) -> float:
    """Mostly well above or well below the threshold of 2 %; one in six near it."""
    low, high = rng.choices([(0.05, 0.7), (1e-4, 0.008), (0.01, 0.04)], [5, 5, 2])[0]
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _loop(rng: random.Random, seconds: float) -> dict[str, float | int | bool]:
    """How often, and how long the flagged operation and the rest take each time."""
    share = _share(rng)
    hits = round(math.exp(rng.uniform(math.log(20), math.log(400))))
    each = share * seconds / hits
    return {"hits": hits, "each": each, "rest": (1 - share) * seconds / hits, "idle": rng.random() < 0.3}


def cost(number: int, rng: random.Random, seconds: float) -> Program:
    """A list built to ask `any` of it, whose elements take time."""
    values = {**_loop(rng, seconds), "rows": rng.choice([1, 2, 5])}
    code = """
def check(row):
    spent = spin({each} / {rows})
    Books.inside += spent
    return False


def found(rows):
    begun = now()
    hit = any([check(row) for row in rows])
    Books.outside += now() - begun
    return hit


for _ in range({hits}):
    found(range({rows}))
    fill({rest}, {idle})
"""
    return Program(number, "Cost", ("list-for-any-all",), BOOKS + _filled(code, values), timed=("seconds",))


def cost_and_memory(number: int, rng: random.Random, seconds: float) -> Program:
    """Deep copies of something that takes its time."""
    code = """
import copy


class Thing:
    def __deepcopy__(self, memo):
        Books.inside += spin({each})
        return self


THING = Thing()


def snapshot(things):
    for thing in things:
        begun = now()
        copy.deepcopy(thing)
        Books.outside += now() - begun
        fill({rest}, {idle})


snapshot([THING] * {hits})
"""
    code = BOOKS + _filled(code, _loop(rng, seconds))
    return Program(number, "Cost", ("deepcopy-in-loop",), code, timed=("seconds",))


def scaling(number: int, rng: random.Random, seconds: float) -> Program:
    """Membership in a list that grows to a length that the rest of the time dwarfs, or does not."""
    length = rng.choice([1_500, 4_000, 9_000, 14_000])
    code = """
def distinct(rows):
    seen = []
    kept = 0
    for row in rows:
        begun = now()
        if row in seen:
            kept += 1
        Books.each.append(now() - begun)
        seen.append(row)
    return kept


class Key:
    # costs the same to compare with any other, so that the cost of a search is linear
    def __eq__(self, other):
        for _ in range(20):
            pass
        return False

    __hash__ = None


distinct([Key() for _ in range({length} // 10)] if {keyed} else range({length}))
fill({rest}, {idle})
"""
    keyed = rng.random() < 0.5
    rest = seconds * rng.choice([0.3, 1.0, 3.0])
    code = BOOKS + _filled(code, {"length": length, "keyed": keyed, "rest": rest, "idle": rng.random() < 0.3})
    searches = length // 10 if keyed else length
    exact = {"hits": searches, "size_max": searches - 1}
    rules = ("list-membership-in-loop", "quadratic-dedup")
    return Program(number, "Scaling", rules, code, timed=("seconds",), growth=1.0 if keyed else None, exact=exact)


def constant(number: int, rng: random.Random, seconds: float) -> Program:
    """Concatenation that CPython does in place: linear in all, however much of the run it takes."""
    code = """
def render(rows):
    text = ""
    for row in rows:
        text += row
    return text


for _ in range({times}):
    render(["abcdefgh"] * {length})
    fill({rest}, False)
"""
    values = {"times": rng.choice([3, 6]), "length": rng.choice([20_000, 60_000]), "rest": seconds / 6}
    code = BOOKS + _filled(code, values)
    exact = {"hits": values["times"] * values["length"]}
    return Program(number, "Scaling", ("string-concat-in-loop",), code, costly=False, growth=0.0, exact=exact)


def backlog(number: int, rng: random.Random, seconds: float) -> Program:
    """A queue of which a part is never taken."""
    kept = rng.choice([0.0, 0.0, 0.0, rng.uniform(0.3, 1.0), rng.uniform(0.6, 1.0)])
    puts = rng.randrange(4_000, 12_000)
    code = """
import queue

JOBS = queue.Queue()
rng = random.Random({number})
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
    values = {"number": number, "puts": puts, "kept": kept, "rest": seconds / puts * 100, "idle": rng.random() < 0.5}
    code = BOOKS + _filled(code, values)
    return Program(number, "Backlog", ("unbounded-queue",), code, costly=kept > 0, exact={"puts": puts})


def tasks(number: int, rng: random.Random, seconds: float) -> Program:
    """Tasks of which some wait for ever."""
    created = rng.randrange(20, 200)
    left = rng.choice([0, 0, rng.randrange(0, 4), rng.randrange(math.ceil(max(5, created / 2)), created + 1)])
    code = """
import asyncio


async def work(number):
    if number < {left}:
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
    code = BOOKS + _filled(code, {"left": left, "created": created, "rest": seconds / created})
    exact = {"created": created, "alive_end": left}
    return Program(number, "Survivors", ("leaked-task",), code, costly=left >= 5, exact=exact)


def threads(number: int, rng: random.Random, seconds: float) -> Program:
    """Threads of which some wait for ever."""
    created = rng.randrange(20, 60)
    left = rng.choice([0, 0, rng.randrange(0, 4), rng.randrange(math.ceil(created / 2), created + 1)])
    code = """
class Pump:
    def __init__(self, number):
        self.number = number

    def start(self):
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        if self.number < {left}:
            threading.Event().wait()


for number in range({created}):
    Pump(number).start()
    fill({rest}, True)
fill(0.05, True)
"""
    code = BOOKS + _filled(code, {"left": left, "created": created, "rest": seconds / created})
    exact = {"created": created, "alive_end": left}
    return Program(number, "Survivors", ("unjoined-thread",), code, costly=left >= 5, exact=exact)


def reuse(number: int, rng: random.Random, seconds: float) -> Program:
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
    code = BOOKS + _filled(code, {"peers": peers, "per_peer": per_peer, "rest": seconds / total})
    exact = {"hits": total, "connections": total, "peers": peers}
    return Program(number, "Reuse", ("http-client-per-call",), code, costly=is_costly, exact=exact)


def stall(number: int, rng: random.Random, seconds: float) -> Program:
    """A coroutine that sleeps without awaiting."""
    hits = rng.randrange(5, 40)
    share = rng.choice([rng.uniform(0.1, 0.6), rng.uniform(1e-4, 0.005)])
    code = """
import asyncio
import time


async def answer():
    begun = now()
    time.sleep({each})
    Books.inside += {each}
    Books.outside += now() - begun


async def main():
    for _ in range({hits}):
        await answer()
        await asyncio.sleep({rest})


asyncio.run(main())
"""
    values = {"each": share * seconds / hits, "rest": (1 - share) * seconds / hits, "hits": hits}
    code = BOOKS + _filled(code, values)
    timed = ("stall_total", "stall")
    return Program(number, "Stall", ("blocking-call-in-async",), code, timed=timed, exact={"loop_hits": hits})


def repetition(number: int, rng: random.Random, seconds: float) -> Program:
    """One text parsed often, or many texts once each."""
    distinct = rng.choice([1, 3, 200])
    hits = 200
    items = rng.choice([30, 300, 5_000])
    code = """
def join(rows, text):
    for row in rows:
        begun = now()
        row.update(json.loads(text))
        Books.each.append(now() - begun)
        if text in parsed:
            Books.each_again.append(Books.each[-1])
        parsed.add(text)


parsed = set()
texts = [json.dumps({{str(key): key * number for key in range({items})}}) for number in range({distinct})]
for turn in range({hits}):
    join([{{}}], texts[turn % {distinct}])
    fill({rest}, {idle})
"""
    values = {"distinct": distinct, "items": items, "hits": hits, "rest": seconds / hits, "idle": rng.random() < 0.3}
    code = BOOKS + _filled(code, values)
    exact = {"hits": hits, "repeats": hits - distinct}
    return Program(
        number, "Repetition", ("repeated-parse",), code, timed=("seconds",), again=("repeat_seconds",), exact=exact
    )


def wait(number: int, rng: random.Random, seconds: float) -> Program:
    """One thing awaited after the other."""
    hits = rng.randrange(8, 60)
    share = _share(rng)
    code = """
import asyncio


async def fetch(url):
    begun = now()
    await asyncio.sleep({each})
    Books.inside += now() - begun
    return url


async def pages(urls):
    found = []
    for url in urls:
        begun = now()
        found.append(await fetch(url))
        Books.outside += now() - begun
        fill({rest}, False)
    return found


asyncio.run(pages(range({hits})))
"""
    values = {"each": share * seconds / hits, "rest": (1 - share) * seconds / hits, "hits": hits}
    code = BOOKS + _filled(code, values)
    return Program(number, "Wait", ("sequential-await",), code, timed=("waited",), exact={"hits": hits})


MAKERS = (
    cost, scaling, stall, repetition, backlog, wait, tasks, cost_and_memory, constant, reuse, threads, cost
)  # fmt: skip


def _filled(code: str, values: dict[str, float | int | bool]) -> str:
    return code.format(**{name: repr(value) for name, value in values.items()})
