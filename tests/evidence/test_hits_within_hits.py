"""Executions within one another, or side by side: what each of them took counts, and time that they share counts once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.evidence.probing import probe

INNER_S = 0.002
REST_S = 0.3

CALLS = (
    "import time\ndef work(depth):\n    if depth:\n        for i in range(20):\n            again(depth - 1)\n"
    f"    time.sleep({REST_S} if depth else {INNER_S})\ndef again(left):\n    FLAGGED\nagain(1)\n"
)
LISTS = (
    "import time\ndef walk(items):\n    if type(items) is not list:\n        time.sleep(items)\n        return [items]\n"
    f"    FLAGGED\nwalk([[{INNER_S}] for i in range(20)] + [{REST_S}])\n"
)
RECURSION = {
    "timed": (CALLS, "work(left)"),
    "called": (CALLS, "work(left)"),
    "repeated": (CALLS, "work(left)"),
    "sized-call": (LISTS, "return sum((walk(each) for each in items), [])"),
    "nested-loop": (LISTS, "for each in items:\n        walk(each)"),
    "operator": (LISTS, 'text = f"{text}{[walk(each) for each in items]}"'),
}


@pytest.mark.parametrize("probe_name", RECURSION)
def test_recursion_takes_as_long_as_its_outermost_execution(tmp_path: Path, probe_name: str) -> None:
    program, flagged = RECURSION[probe_name]
    program = program.replace("FLAGGED", f"text = ''\n    {flagged}" if probe_name == "operator" else flagged)
    probed = probe(tmp_path, program, (probe_name, flagged.removeprefix("return ")))
    spent = probed.row("seconds")

    assert probed.value("hits") == 21
    # sleeping may take longer on a busy machine, and never takes less
    assert REST_S + 20 * INNER_S <= spent.value < 1.6 * (REST_S + 20 * INNER_S)
    assert spent.high >= REST_S + 2 * 20 * INNER_S


def test_a_long_call_in_one_thread_is_not_lost_beside_short_ones_in_another(tmp_path: Path) -> None:
    program = (
        "import threading, time\ndef nap(seconds):\n    time.sleep(seconds)\n"
        "def naps():\n    for i in range(50):\n        nap(0.001)\n"
        "long, short = threading.Thread(target=nap, args=(0.4,)), threading.Thread(target=naps)\n"
        "long.start(); short.start(); long.join(); short.join()\n"
    )
    spent = probe(tmp_path, program, ("called", "time.sleep(seconds)")).row("seconds")

    assert 0.4 <= spent.value < 0.6
    assert spent.high >= 0.45


def test_of_recursion_too_frequent_to_be_timed_whole_the_outermost_executions_count(tmp_path: Path) -> None:
    program = (
        "import time\ndef deep(left):\n    if left:\n        step(left - 1)\ndef step(depth):\n    deep(depth)\n"
        "begun = time.perf_counter()\nwhile time.perf_counter() - begun < 1.5:\n    step(50)\n"
    )
    spent = probe(tmp_path, program, ("called", "deep(depth)")).row("seconds")

    assert spent.low < 2.0
    assert 0.7 < spent.value < 3.0
    assert spent.high > 5.0


def test_equality_of_the_program_s_own_may_come_by_the_same_place_again(tmp_path: Path) -> None:
    """GIVEN items whose comparison takes 2 ms, of which one looks for another by the same code, in two threads at once."""
    program = (
        "import threading, time\nclass Item:\n    def __init__(self, inner=None):\n        self.inner = inner\n"
        "    def __eq__(self, other):\n        time.sleep(0.002)\n"
        "        return self.inner is not None and holds([Item()], self.inner)\n"
        "def holds(items, item):\n    return item in items\n"
        "def look():\n    for i in range(10):\n        holds([Item(Item()) for i in range(10)], Item())\n"
        "crew = [threading.Thread(target=look) for _ in range(2)]\n"
        "for one in crew: one.start()\nfor one in crew: one.join()\n"
    )
    seen = probe(tmp_path, program, ("operator", "item in items"))

    assert seen.value("hits") == 2 * 10 * (1 + 10)
    assert seen.value("seconds") == pytest.approx(10 * 10 * 2 * 0.002, rel=0.4)
    assert seen.row("seconds").high > 1.5 * seen.value("seconds")


WORKERS = """\
import multiprocessing, time

def step():
    time.sleep(0.01)

def work(number):
    START
    for _ in range(10):
        step()

if __name__ == "__main__":
    crew = [multiprocessing.Process(target=work, args=(number,)) for number in range(4)]
    for one in crew: one.start()
    for one in crew: one.join()
    step()
"""


def test_what_processes_do_at_the_same_time_takes_the_time_of_one(tmp_path: Path) -> None:
    start = "time.sleep(max(0.0, BEGIN - time.monotonic()))".replace("BEGIN", repr(time.monotonic() + 4))
    spent = probe(tmp_path, WORKERS.replace("START", start), ("called", "time.sleep(0.01)")).row("seconds")

    assert 0.11 <= spent.low <= spent.value < 0.3
    assert spent.high >= 0.41


def test_what_processes_do_one_after_the_other_adds_up(tmp_path: Path) -> None:
    program = WORKERS.replace("START", "").replace("one.start()", "one.start(); one.join()")
    spent = probe(tmp_path, program, ("called", "time.sleep(0.01)")).row("seconds")

    assert spent.low >= 0.4
