"""A sampler that has to wait for a processor is known to have waited."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.evidence import stacks
from auditor.evidence.lateness import Lateness
from auditor.evidence.passes.pyspy import PASS
from auditor.evidence.speedscope import Recording
from auditor.model import Cost
from tests.evidence.asking import measure, question

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts how long a thread waits")

PINNED = """
import os, sys, threading, time
os.sched_setaffinity(0, {int(sys.argv[1])})

def spin():
    while True:
        pass

def rest():
    while True:
        time.sleep(0.01)

threading.Thread(target=spin if sys.argv[2] == "spin" else rest, daemon=True).start()
time.sleep(600)
"""
LOOKED_S = 1.0


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that are ended with the test."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for one in processes:
        one.kill()
        one.wait()


def looked_at(process: subprocess.Popen[bytes]) -> Lateness:
    lateness = Lateness()
    deadline = time.monotonic() + LOOKED_S
    while len(list(Path(f"/proc/{process.pid}/task").iterdir())) < 2:
        time.sleep(0.01)
    while time.monotonic() < deadline:
        lateness.look(process.pid)
        time.sleep(0.05)
    return lateness


def test_a_thread_that_shares_its_processor_waits_and_one_that_rests_does_not(
    started: list[subprocess.Popen[bytes]],
) -> None:
    processor = str(min(os.sched_getaffinity(0)))
    command = [sys.executable, "-c", PINNED, processor]
    resting = subprocess.Popen([*command, "rest"])
    started.append(resting)
    rested = looked_at(resting).share(LOOKED_S)
    started.extend(subprocess.Popen([*command, "spin"]) for _ in range(3))
    waited = looked_at(started[-1]).share(LOOKED_S)
    if waited is None:
        pytest.skip("this kernel keeps no count")
    assert rested is not None
    assert 0.3 < waited <= 1
    assert rested < waited


def test_what_was_looked_at_for_less_than_half_of_the_time_is_not_known(
    started: list[subprocess.Popen[bytes]],
) -> None:
    started.append(subprocess.Popen([sys.executable, "-c", PINNED, str(min(os.sched_getaffinity(0))), "rest"]))
    assert looked_at(started[0]).share(10 * LOOKED_S) is None
    assert Lateness().share(LOOKED_S) is None


def test_a_process_that_has_ended_leaves_what_is_known() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    lateness = Lateness()
    lateness.look(ended.pid)
    assert lateness.share(LOOKED_S) is None


def test_py_spy_is_asked_how_long_it_waited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float | None] = []
    add = stacks.Tallies.add

    def listen(tallies: stacks.Tallies, recording: Recording, watched_s: float, late: float | None = None) -> None:
        told.append(late)
        add(tallies, recording, watched_s, late)

    monkeypatch.setattr(stacks.Tallies, "add", listen)
    program = "import time\nend = time.time() + 2\nwhile time.time() < end:\n    sum(range(1000))  # hot\n"
    measure(PASS, tmp_path, program, question(program, "# hot", Cost()))
    (late,) = told
    assert late is not None
    assert 0 <= late <= 1
