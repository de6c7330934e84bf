"""Files and connections that a program keeps: growth per execution after warming up, in real programs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from auditor.model import Survivors, VerdictKind
from tests.evidence.probing import plainly, probe
from tests.evidence.test_growth_per_unit import verdict

CONFIRMED, REJECTED, INCONCLUSIVE = VerdictKind.CONFIRMED, VerdictKind.REJECTED, VerdictKind.INCONCLUSIVE

FRAME = """\
import itertools, random, socket, time
chance = random.Random(7)
KEPT, FREE = [], []
BODY
for n in range(CALLS):
    handle(n)
END
"""
# what a call does with what it opens, how often it is called, what is done at the end, and what is to be said
HANDLERS: dict[str, tuple[str, int, str, VerdictKind | tuple[VerdictKind, ...]]] = {
    "one in fifty is kept": (
        "def handle(n):\n    one = FLAGGED\n    KEPT.append(one) if n % 50 == 0 else one.close()",
        8_000,
        "",
        CONFIRMED,
    ),
    "one in fifty is kept, at random": (
        "def handle(n):\n    one = FLAGGED\n    KEPT.append(one) if chance.random() < 0.02 else one.close()",
        9_000,
        "",
        CONFIRMED,
    ),
    "one in fifty is kept, of few": (
        "def handle(n):\n    one = FLAGGED\n    KEPT.append(one) if n % 50 == 0 else one.close()",
        200,
        "",
        INCONCLUSIVE,
    ),
    "all are closed": ("def handle(n):\n    FLAGGED.close()", 2_000, "", REJECTED),
    "a pool of twenty, each used for a while": (
        "def handle(n):\n    KEPT.append(FLAGGED)\n    if len(KEPT) > 20:\n        KEPT.pop(0).close()",
        2_000,
        "",
        REJECTED,
    ),
    "a pool of twenty that gives up any": (
        "def handle(n):\n    KEPT.append(FLAGGED)\n    if len(KEPT) > 20:\n"
        "        KEPT.pop(chance.randrange(len(KEPT))).close()",
        2_000,
        "",
        REJECTED,
    ),
    "a large pool that is still filling": (
        "def handle(n):\n    KEPT.append(FLAGGED)\n    if chance.random() < len(KEPT) / 200:\n"
        "        KEPT.pop(chance.randrange(len(KEPT))).close()",
        300,
        "",
        INCONCLUSIVE,
    ),
    "the first hundred are kept": (
        "def handle(n):\n    one = FLAGGED\n    KEPT.append(one) if n < 100 else one.close()",
        2_000,
        "",
        REJECTED,
    ),
    "kept to the end, and closed": (
        "def handle(n):\n    one = FLAGGED\n    KEPT.append(one) if n % 20 == 0 else one.close()",
        4_000,
        "for one in KEPT:\n    one.close()",
        CONFIRMED,
    ),
    "some under way at the end": (
        "def handle(n):\n    KEPT.append(FLAGGED)\n    if n % 7 == 6:\n"
        "        for one in KEPT:\n            one.close()\n        KEPT.clear()",
        2_000,
        "",
        REJECTED,
    ),
    "left to the collector in cycles": (
        "class Holder:\n    def __init__(self):\n        self.one, self.me = FLAGGED, self\n"
        "def handle(n):\n    Holder()",
        6_000,
        "",
        # the collector comes now and then: by chance, more may stand before it does
        (REJECTED, INCONCLUSIVE),
    ),
}
OPENED = {"file": "open(__file__, 'rb')", "client": "socket.socket()"}


CASES = [*((how, "file") for how in HANDLERS), ("one in fifty is kept", "client"), ("all are closed", "client")]


@pytest.mark.parametrize(("how", "kind"), CASES)
def test_a_slow_leak_is_told_from_a_pool(tmp_path: Path, how: str, kind: str) -> None:
    body, calls, end, said = HANDLERS[how]
    program = FRAME.replace("BODY", body).replace("CALLS", str(calls)).replace("END", end)
    probed = probe(tmp_path, program.replace("FLAGGED", OPENED[kind]), (kind, OPENED[kind]))

    found = verdict(probed, Survivors(f"{kind}s"))
    assert found in (said if isinstance(said, tuple) else (said,)), probed.rows
    assert (probed.outcome.run.exit_code, "".join(probed.outcome.last_lines)) == plainly(tmp_path)


IN_CHILDREN = {
    "each of many processes keeps one to its end": ("40", "1", "1", INCONCLUSIVE),
    "one process keeps one per call": ("1", "40", "1", CONFIRMED),
    "one process keeps one in fifty": ("1", "8_000", "50", CONFIRMED),
    "one of several processes keeps one per call": ("3", "40 if which == '1' else 1", "1", CONFIRMED),
}
PARENT = """\
import subprocess, sys
KEPT = []
def handle(n, every):
    one = open(__file__, 'rb')
    KEPT.append(one) if n % every == 0 else one.close()
if len(sys.argv) > 1:
    which = sys.argv[1]
    for n in range(CALLS):
        handle(n, EVERY)
else:
    for which in range(PROCESSES):
        subprocess.run([sys.executable, __file__, str(which)], check=True)
"""


@pytest.mark.parametrize("how", IN_CHILDREN)
def test_what_leaks_does_so_in_one_process(tmp_path: Path, how: str) -> None:
    processes, calls, every, said = IN_CHILDREN[how]
    program = PARENT.replace("PROCESSES", processes).replace("CALLS", calls).replace("EVERY", every)
    probed = probe(tmp_path, program, ("file", "open(__file__, 'rb')"))

    assert verdict(probed, Survivors("files")) is said, probed.rows


POOLS = {
    # by a function that does nothing but make one, whose executions tell nothing of those that need none
    "it fills and stops": ("FREE.extend(TAKEN)\n    TAKEN.clear()", INCONCLUSIVE),
    "what is taken is never given back": ("KEPT = TAKEN", CONFIRMED),
}
POOL = """\
import socket, time
FREE, TAKEN = [], []
def connect():
    return socket.socket()
def acquire():
    TAKEN.append(FREE.pop() if FREE else connect())
for n in range(1_000):
    for _ in range(min(20, 1 + n // 10) if FREE else n % 40 == 0):
        acquire()
    time.sleep(0.0002)
    GIVE
"""


@pytest.mark.parametrize("how", POOLS)
def test_a_pool_that_is_filled_as_needed_is_no_leak_that_is_proven(tmp_path: Path, how: str) -> None:
    give, said = POOLS[how]
    probed = probe(tmp_path, POOL.replace("GIVE", give), ("client", "socket.socket()"))

    assert 20 <= probed.value("alive_end") < 32
    assert verdict(probed, Survivors("clients")) is said, probed.rows


def test_what_one_call_leaves_early_stays_left_when_the_program_goes_on(tmp_path: Path) -> None:
    program = (
        "import asyncio, time\nasync def main():\n    for n in range(66):\n        asyncio.ensure_future(wait(n))\n"
        "        await asyncio.sleep(0.001)\nasync def wait(n):\n    n % 33 and await asyncio.sleep(600)\n"
        "async def work():\n    await main()\n    time.sleep(0.5)\nasyncio.run(work())\n"
    )
    probed = probe(tmp_path, program, ("task", "asyncio.ensure_future(wait(n))"))

    assert (probed.value("created"), probed.value("alive_end")) == (66, 64)
    assert verdict(probed, Survivors("tasks")) is CONFIRMED, probed.rows


ACROSS_TESTS = {
    "each test leaves one": ("KEPT.append(connect())", 40, CONFIRMED),
    "one in ten leaves one": (
        "one = connect()\n    KEPT.append(one) if n % 10 == 0 else one.close()",
        1_400,
        CONFIRMED,
    ),
    "the first ones leave one each": (
        "one = connect()\n    KEPT.append(one) if n < 12 else one.close()",
        400,
        REJECTED,
    ),
    "none leaves any": ("connect().close()", 200, REJECTED),
}


@pytest.mark.parametrize("how", ACROSS_TESTS)
def test_growth_across_the_tests_of_a_session(tmp_path: Path, how: str) -> None:
    body, tests, said = ACROSS_TESTS[how]
    (tmp_path / "test_it.py").write_text(
        "import pytest\nfrom helper import connect\nKEPT = []\n"
        f"@pytest.mark.parametrize('n', range({tests}))\ndef test_one(n):\n    {body}\n"
    )
    program = "import socket\ndef connect():\n    return socket.socket()\n"
    command = f"{sys.executable} -m pytest -q -p no:cacheprovider -p no:randomly test_it.py"
    probed = probe(tmp_path, program, ("client", "socket.socket()"), name="helper.py", command=command)

    assert probed.outcome.run.exit_code == 0
    assert verdict(probed, Survivors("clients")) is said, probed.rows


SQLITE = {
    "each call leaves one": ("KEPT.append(connect())", CONFIRMED),
    "one in ten stays": ("connect().close() if n % 10 else KEPT.append(connect())", CONFIRMED),
    "a few are there for good": ("connect().close() if n > 20 else KEPT.append(connect())", REJECTED),
    "each is closed": ("connect().close()", REJECTED),
}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="what refers to such a connection is not known before")
@pytest.mark.parametrize("how", SQLITE)
def test_connections_of_sqlite_grow_as_others_do(tmp_path: Path, how: str) -> None:
    body, said = SQLITE[how]
    program = (
        "import sqlite3\nKEPT = []\ndef connect():\n    return sqlite3.connect(':memory:')\n"
        f"for n in range(2000):\n    {body}\n"
    )
    probed = probe(tmp_path, program, ("client", "sqlite3.connect(':memory:')"))

    assert verdict(probed, Survivors("clients")) is said, probed.rows
