"""What a loop draws from the result of a call belongs to the call; what it does with it does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import PYTHONS, plainly, probe

SPIN = """
import time


SPENT = {True: 0.0, False: 0.0}


def spin(seconds, own=False):
    begun = time.perf_counter()
    while time.perf_counter() < begun + seconds:
        pass
    SPENT[own] += time.perf_counter() - begun


"""
ROWS = """
class Cursor:
    def __init__(self, rows):
        self.left = rows

    def __iter__(self):
        spin(0.01, True)
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        self.left -= 1
        spin(0.01, True)
        return self.left


def execute(rows):
    spin(0.02, True)
    return Cursor(rows)


for n in range(5):
"""
TOLD = "print(SPENT[True])\n"
FLAGGED = "execute(4)"
LOOPS = {
    "for": "    for row in execute(4):\n        spin(0.03)\n",
    "break": "    for row in execute(4):\n        spin(0.03)\n        if row == 0:\n            break\n",
    "comprehension": "    [spin(0.03) for row in execute(4)]\n",
    "generator": "    sum(1 for row in execute(4) if not spin(0.03))\n",
}


@pytest.mark.parametrize("loop", LOOPS)
def test_what_a_loop_draws_belongs_to_the_call_and_its_body_does_not(tmp_path: Path, loop: str) -> None:
    probed = probe(tmp_path, SPIN + ROWS + LOOPS[loop] + TOLD, ("drawn", FLAGGED))

    # 5 times 0.02 s for the call, 0.01 s for its iterator and 4 times 0.01 s for its items; 0.6 s in the body
    spent = float(probed.outcome.last_lines[-1])
    assert probed.value("hits") == 5
    assert spent <= probed.value("seconds") < 1.3 * spent


def test_items_that_are_there_already_are_the_loops(tmp_path: Path) -> None:
    program = SPIN + "def rows(n):\n    spin(0.02, True)\n    return [1] * n\n\n\nfor row in rows(3):\n    spin(0.1)\n"

    probed = probe(tmp_path, program + TOLD, ("drawn", "rows(3)"))

    spent = float(probed.outcome.last_lines[-1])
    assert probed.value("hits") == 1
    assert spent <= probed.value("seconds") < 1.5 * spent


RAISING = """
import sys, traceback


class Broken:
    def __iter__(self):
        yield 1
        raise KeyError("broken")


def made(it):
    return it


def gone():
    try:
        for row in made(KEPT):
            print(row)
            break
    finally:
        print("left")


class Rows(list):
    def __del__(self):
        print("rows gone")


KEPT = Rows([1, 2])
for what in (Broken(), 5, None, {3: 4}, iter([6])):
    try:
        for row in made(what):
            print(row)
    except Exception:
        print([line.name for line in traceback.extract_tb(sys.exc_info()[2])], sys.exc_info()[1])
KEPT = (one for one in Rows([7, 8]))
gone()
KEPT = None
print("end")
"""


def test_the_program_is_the_same_with_the_probe_also_where_it_fails(tmp_path: Path) -> None:
    probed = probe(tmp_path, RAISING, ("drawn", "made(what)"), ("drawn", "made(KEPT)"))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert [probed.value("hits", index) for index in (0, 1)] == [5, 1]


@pytest.mark.parametrize("python", PYTHONS)
def test_it_works_in_every_interpreter_that_is_here(tmp_path: Path, python: str) -> None:
    probed = probe(tmp_path, SPIN + ROWS + LOOPS["for"] + TOLD, ("drawn", FLAGGED), python=python)

    spent = float(probed.outcome.last_lines[-1])
    assert probed.value("hits") == 5
    assert spent <= probed.value("seconds") < 1.3 * spent


def test_rows_of_sqlite_are_found_as_the_loop_asks_for_them(tmp_path: Path) -> None:
    program = (
        "import sqlite3, time\ndb = sqlite3.connect(':memory:')\n"
        "db.execute('create table t (a int, b int)')\n"
        "db.executemany('insert into t values (?, ?)', [(i % 2000, i) for i in range(40000)])\n"
        "begun = time.perf_counter()\n"
        "for n in range(60):\n    for row in db.execute('select b from t where a = ?', (n,)):\n        pass\n"
        "print(time.perf_counter() - begun)\n"
    )

    probed = probe(tmp_path, program, ("drawn", "db.execute('select b from t where a = ?', (n,))"))

    (taken,) = probed.outcome.last_lines
    assert probed.value("hits") == 60
    assert probed.value("seconds") > 0.7 * float(taken)


BOTH = """
import asyncio


class Rows:
    def __iter__(self):
        print("sent")
        return iter((1, 2))

    async def __aiter__(self):
        print("sent")
        yield 3


async def later():
    async for row in Rows():
        print(row)
    print([row async for row in Rows()])


"""


def test_a_generator_over_rows_sends_the_query_when_it_is_made(tmp_path: Path) -> None:
    program = (
        BOTH.replace("Rows()", "make()") + "make = Rows\nrows = (row for row in Rows())\nprint('made')\nprint(*rows)\n"
    )

    probed = probe(tmp_path, program, ("drawn", "Rows()"))

    assert probed.outcome.last_lines == ("sent", "made", "1 2")
    assert plainly(tmp_path) == (0, "sent\nmade\n1 2\n")


@pytest.mark.parametrize("flagged", ["Rows():\n", "Rows()])"])
def test_what_an_asynchronous_loop_draws_is_left_alone(tmp_path: Path, flagged: str) -> None:
    program = BOTH.replace(flagged, flagged.replace("Rows", "Own")) + "Own = Rows\nasyncio.run(later())\n"

    probed = probe(tmp_path, program, ("drawn", "Own()"))

    assert probed.outcome.last_lines == ("sent", "3", "sent", "[3]")
    assert "waits for nothing" in probed.gaps()[0]
