"""Hits that are passed over without being timed are counted all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import Probed, probe

OPERATIONS = {
    "timed": "twice(i)",
    "called": "twice(i)",
    "operator": "i in few",
    "sized-call": "few.count(i)",
    "matched": "re.match('a', 'b')",
}
PROGRAM = """\
import os, re, threading
few = [1, 2, 3]

def twice(x):
    return x + x

def work(n):
    for i in range(n):
        {operation}

{then}
"""
LONG = "twice(" + " + ".join(["i"] * 300) + ")"
"""Too long to stand in the program twice."""


def counted(directory: Path, name: str, then: str, operation: str = "") -> Probed:
    operation = operation or OPERATIONS[name]
    return probe(directory, PROGRAM.format(operation=operation, then=then), (name, operation))


@pytest.mark.parametrize("name", OPERATIONS)
def test_all_are_counted_though_few_are_timed(tmp_path: Path, name: str) -> None:
    seen = counted(tmp_path, name, "work(300_000)")
    assert seen.value("hits") == 300_000
    assert seen.row("seconds").n < 200_000


@pytest.mark.parametrize("name", ["timed", "called", "sized-call"])
def test_a_long_expression_is_counted_as_well(tmp_path: Path, name: str) -> None:
    assert counted(tmp_path, name, "work(100_000)", LONG).value("hits") == 100_000


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_forked_process_counts_from_its_own_beginning(tmp_path: Path, name: str) -> None:
    then = "work(100_000)\npid = os.fork()\nwork(1_000 if pid else 30_000)\nif pid:\n    os.waitpid(pid, 0)"
    assert counted(tmp_path, name, then).value("hits") == 131_000


@pytest.mark.parametrize("name", OPERATIONS)
def test_threads_side_by_side_lose_next_to_nothing(tmp_path: Path, name: str) -> None:
    then = (
        "threads = [threading.Thread(target=work, args=(50_000,)) for _ in range(4)]\n"
        "for one in threads: one.start()\nfor one in threads: one.join()"
    )
    assert counted(tmp_path, name, then).value("hits") == pytest.approx(200_000, rel=0.01)


def test_an_operator_that_raises_does_not_lend_its_start_to_the_next(tmp_path: Path) -> None:
    program = (
        "import time\nfew = {1}\n\ndef known(x):\n    try:\n        return x in few\n    except TypeError:\n"
        "        time.sleep(0.5)\n\nfor i in range(60_000):\n    known([] if i % 20_000 == 0 else i)\n"
    )
    assert probe(tmp_path, program, ("operator", "x in few")).value("seconds") < 0.4
