"""A leak goes on for as long as its code is executed, a cache fills: real programs, the costly one beside its twins."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.config import Thresholds
from auditor.judge import judge
from auditor.model import Backlog, Evidence, Expectation, Gap, Observation, Survivors, VerdictKind
from tests.evidence.probing import Probed, plainly, probe

CONFIRMED, REJECTED, INCONCLUSIVE = VerdictKind.CONFIRMED, VerdictKind.REJECTED, VerdictKind.INCONCLUSIVE


def verdict(probed: Probed, expects: Expectation | None = None) -> VerdictKind:
    """What the judge says by the probes alone, of a container or cache unless told."""
    rows = probed.rows[0]
    evidence = tuple(row for row in rows if isinstance(row, Evidence))
    gaps = tuple(row for row in rows if isinstance(row, Gap))
    return judge(
        expects or Backlog(), [Observation("test", probed.outcome.run.wall_s, evidence, gaps)], Thresholds()
    ).kind


MODULE = """\
_cache = {}
def get(key):
    "Documented."
    if key not in _cache:
        _cache[key] = str(key)
    return _cache[key]
"""
ATTRIBUTE = """\
class Store:
    def __init__(self):
        self._cache = {}
    def get(self, key):
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = str(key)
        return found
get = Store().get
"""
LRU = """\
import functools
@functools.lru_cache(maxsize=None)
def get(key):
    return str(key)
"""
SPLIT = """\
_cache = {}
def get(key):
    try:
        return _cache[key]
    except KeyError:
        return fill(key)
def fill(key):
    _cache[key] = value = str(key)
    return value
"""
SPLIT_METHOD = """\
class Store:
    _cache = {}
    def get(self, key):
        return self._cache[key] if key in self._cache else self.fill(key)
    def fill(self, key):
        self._cache[key] = value = str(key)
        return value
get = Store().get
"""
CACHES = {
    "a dict of the module": (MODULE, ("container", "_cache[key] = str(key)")),
    "a dict of an object": (ATTRIBUTE, ("container", "found = self._cache[key] = str(key)")),
    "a dict that another function fills": (SPLIT, ("container", "_cache[key] = value = str(key)")),
    "a dict that another method fills": (SPLIT_METHOD, ("container", "self._cache[key] = value = str(key)")),
    "a cached function": (LRU, ("cache", "def get(key):\n    return str(key)")),
}
# what the program asks for, and what is to be said of its cache
ASKED = {
    "never twice the same": ("range(4_000)", CONFIRMED),
    "new ones among old ones": ("(n // 3 for n in range(9_000))", CONFIRMED),
    "it fills and stops": ("(n % 1_500 for n in range(8_000))", REJECTED),
    "it fills slowly and stops": ("(min(n, n * 7919 % 1_201) for n in range(9_000))", REJECTED),
    "it has just filled": ("(n % 1_500 for n in range(2_500))", INCONCLUSIVE),
    "it fills ever more slowly": (
        "(random.randrange(1_500) for random in [__import__('random').Random(1)] for _ in range(4_500))",
        INCONCLUSIVE,
    ),
    "it stopped, and one more came at the end": ("[*(n % 1_500 for n in range(9_000)), 'last']", INCONCLUSIVE),
}


@pytest.mark.parametrize("cache", CACHES)
@pytest.mark.parametrize("asked", ASKED)
def test_a_cache_that_fills_is_told_from_one_that_grows(tmp_path: Path, cache: str, asked: str) -> None:
    setting, flagged = CACHES[cache]
    keys, kind = ASKED[asked]
    program = f"{setting}print(sum(len(get(key)) for key in {keys}))\nprint(get.__doc__)\n"
    probed = probe(tmp_path, program, flagged)

    assert verdict(probed) is kind, probed.rows
    assert (probed.outcome.run.exit_code, "\n".join(probed.outcome.last_lines) + "\n") == plainly(tmp_path)


HOLDERS = {
    # what a call leaves, it leaves every time
    "each call adds": (
        "LOG = []\ndef handle(n):\n    LOG.append(n)\nfor n in range(3_000):\n    handle(n)\n",
        CONFIRMED,
    ),
    # one call may fill a table for good
    "one call fills it, and the program goes on": (
        "LOG = []\ndef load(rows):\n    for row in rows:\n        LOG.append(row)\n"
        "load(range(3_000))\nimport time\ntime.sleep(0.3)\n",
        INCONCLUSIVE,
    ),
    "one call fills it to the end": (
        "import time\nLOG = []\ndef consume(rows):\n    while rows:\n        LOG.append(rows.pop())\n"
        "        time.sleep(0.0001)\nconsume(list(range(2_000)))\n",
        CONFIRMED,
    ),
    "several calls fill it alike": (
        "LOG = []\ndef load(rows):\n    for row in rows:\n        LOG.append(row)\n"
        "for n in range(20):\n    load(range(300))\n",
        CONFIRMED,
    ),
    "the same keys are stored again": (
        "TABLE = {}\ndef store(n):\n    TABLE[n % 1_100] = n\nfor n in range(9_000):\n    store(n)\n",
        REJECTED,
    ),
    "kept by one function, looked for by another": (
        "LOG = {}\ndef keep(n):\n    LOG[n] = n\ndef look(n):\n    return n in LOG\n"
        "for n in range(3_000):\n    keep(n)\nfor n in range(9_000):\n    look(n)\n",
        CONFIRMED,
    ),
    # that a branch was not taken any more says nothing of what it does
    "a branch that was taken early only": (
        "ERRORS = []\ndef handle(n):\n    if n < 1_500:\n        ERRORS.append(n)\n"
        "for n in range(30_000):\n    handle(n)\n",
        INCONCLUSIVE,
    ),
    "the same of a dict": (
        "ERRORS = {}\ndef handle(n):\n    if n < 50:\n        ERRORS[n] = n\nfor n in range(30_000):\n    handle(n)\n",
        INCONCLUSIVE,
    ),
}
STATEMENTS = (
    "LOG.append(n)",
    "LOG[n] = n",
    "LOG.append(rows.pop())",
    "LOG.append(row)",
    "TABLE[n % 1_100] = n",
    "ERRORS.append(n)",
    "ERRORS[n] = n",
)


@pytest.mark.parametrize("holder", HOLDERS)
def test_growth_is_held_against_the_executions_of_the_code_around_it(tmp_path: Path, holder: str) -> None:
    program, kind = HOLDERS[holder]
    (flagged,) = (statement for statement in STATEMENTS if statement in program)
    assert verdict(probe(tmp_path, program, ("container", flagged))) is kind


AROUND = {
    "a loop in a function": ("def f():\n    for n in range(7):\n        K.add(n)\nf(); f()", 14),
    "the else of a loop is no part of it": (
        "def f():\n    for n in range(7): pass\n    else:\n        K.add(1)\nf(); f()",
        2,
    ),
    "a generator": ("def f():\n    yield K.add(1)\n[*f(), *f(), *f()]", 3),
    "a coroutine": (
        "async def f():\n    K.add(1)\nfor _ in range(4):\n    try: f().send(None)\n    except StopIteration: pass",
        4,
    ),
    "a function in a function": ("def f():\n    def g():\n        K.add(1)\n    g(); g()\nf(); f()", 4),
    "a method": ("class A:\n    def __f(self):\n        K.add(1)\n    def g(self): self.__f()\nA().g(); A().g()", 2),
}


@pytest.mark.parametrize("around", AROUND)
def test_what_counts_as_an_execution(tmp_path: Path, around: str) -> None:
    source, units = AROUND[around]
    (added,) = (text for text in ("K.add(n)", "K.add(1)") if text in source)
    # looking first makes every execution count
    program = "K = set()\n" + source.replace(added, f"1 in K or {added}") + "\n"
    probed = probe(tmp_path, program, ("container", added))

    assert probed.outcome.run.exit_code == 0, probed.outcome.last_lines
    assert probed.value("rounds") == units


def test_each_forked_process_counts_its_own(tmp_path: Path) -> None:
    program = (
        "import os\nK = {}\ndef get(n):\n    if n not in K:\n        K[n] = n\nfor n in range(50):\n    get(n)\n"
        "if os.fork() == 0:\n    for n in range(90):\n        get(n)\n    raise SystemExit\nos.wait()\n"
    )
    probed = probe(tmp_path, program, ("container", "K[n] = n"))

    assert probed.value("puts") == 90
    # the child looked 90 times, and the last time it had grown
    assert probed.value("quiet") == 0


KEPT = {
    "one for each key": ("if key not in KEPT:\n        KEPT[key] = MADE\n    return KEPT[key]", REJECTED),
    "the same by a name": (
        "if key not in KEPT:\n        one = MADE\n        KEPT[key] = one\n    return KEPT[key]",
        REJECTED,
    ),
    "the same in a function of its own": (
        "if key not in KEPT:\n        KEPT[key] = make(key)\n    return KEPT[key]\ndef make(key):\n    return MADE",
        REJECTED,
    ),
    "one for each call": ("KEPT[n] = MADE", CONFIRMED),
    "one for each call in a function of its own": ("KEPT[n] = make(n)\ndef make(key):\n    return MADE", CONFIRMED),
    # by what it looks is not known
    "one for each key, by a branch": ("if n < 24:\n        KEPT[n] = MADE", INCONCLUSIVE),
}
# what the flagged expression is, and how it comes alive
OBJECTS = {
    "file": ("open(__file__)", "FLAGGED", "files"),
    "client": ("http.client.HTTPConnection(*server.getsockname())", "connected(FLAGGED)", "clients"),
    "thread": ("threading.Thread(target=time.sleep, args=(600,), daemon=True)", "started(FLAGGED)", "threads"),
    "task": ("asyncio.ensure_future(asyncio.sleep(600))", "FLAGGED", "tasks"),
    "timer": ("loop.call_later(600, print)", "FLAGGED", "timers"),
}
FRAME = """\
import asyncio, http.client, socket, threading, time
KEPT = {}
server = socket.create_server(("127.0.0.1", 0), backlog=99)
def started(thread):
    thread.start()
    return thread
def connected(client):
    client.connect()
    return client
def get(n, key):
    BODY
async def main():
    global loop
    loop = asyncio.get_running_loop()
    for n in range(CALLS):
        get(n, min(n, n * 7919 % 24))
        await asyncio.sleep(0.001)
asyncio.run(main())
"""


@pytest.mark.parametrize("how", KEPT)
@pytest.mark.parametrize("kind", OBJECTS)
def test_objects_kept_for_a_few_keys_are_told_from_those_that_each_call_leaves(
    tmp_path: Path, kind: str, how: str
) -> None:
    (flagged, made, noun), (body, said) = OBJECTS[kind], KEPT[how]
    calls = 24 if said is CONFIRMED else 400
    program = FRAME.replace("BODY", body).replace("MADE", made).replace("FLAGGED", flagged)
    seen = probe(tmp_path, program.replace("CALLS", str(calls)), (kind, flagged))

    assert (seen.outcome.run.exit_code, seen.value("created"), seen.value("alive_end")) == (0, 24, 24)
    assert verdict(seen, Survivors(noun)) is said, seen.rows


LOADED = """\
import time
TABLE = {}
def add(key):
    TABLE[key] = key
for key in range(3000):
    add(key)
time.sleep(PAUSE)
for key in range(3000, MORE):
    add(key)
"""


@pytest.mark.parametrize(
    ("pause", "more", "said"), [(1.5, 0, INCONCLUSIVE), (1.5, 6000, CONFIRMED), (0, 0, CONFIRMED)], ids=str
)
def test_a_table_that_a_function_loads_is_no_leak_while_it_is_used(
    tmp_path: Path, pause: float, more: int, said: VerdictKind
) -> None:
    program = LOADED.replace("PAUSE", str(pause)).replace("MORE", str(more))
    assert verdict(probe(tmp_path, program, ("container", "TABLE[key] = key"))) is said


PATHS = """\
import sys, time
sys.setrecursionlimit(9000)
class Grid:
    def __init__(self):
        self.memo = {}
    def paths(self, x, y):
        if (x, y) not in self.memo:
            self.memo[x, y] = 1 if not x or not y else sum(self.paths(*way) for way in [(x - 1, y), (x, y - 1)])
        return self.memo[x, y]
grid = Grid()
"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("grid.paths(60, 60)", INCONCLUSIVE),
        ("for _ in range(20):\n    grid.paths(60, 60)", INCONCLUSIVE),
        ("for n in range(400):\n    grid.paths(60 * n, 10)\n    if n > 20: break", CONFIRMED),
    ],
    ids=["once", "again and again", "more each time"],
)
def test_the_steps_of_a_recursion_are_parts_of_one_execution(tmp_path: Path, body: str, said: VerdictKind) -> None:
    """GIVEN a memo that a function fills by calling itself THEN it leaks if each call from outside leaves more."""
    stored = "self.memo[x, y] = 1 if not x or not y else sum(self.paths(*way) for way in [(x - 1, y), (x, y - 1)])"
    probed = probe(tmp_path, PATHS + body + "\n", ("container", stored))

    assert probed.value("depth_max") >= 3720
    assert verdict(probed) is said, probed.rows
