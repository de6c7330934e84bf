"""How long the event loops of real programs stood still, and on which lines."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from auditor.evidence.passes.pyspy import PASS as PY_SPY
from auditor.model import Cost, Standstill
from tests.evidence.asking import measure, question
from tests.evidence.probing import probe

FLAGGED = "sorted([2, 1])"


def standstill(directory: Path, program: str) -> Standstill | None:
    probed = probe(directory, f"{FLAGGED}\n{program}", ("timed", FLAGGED))
    assert probed.outcome.run.exit_code == 0, probed.outcome.last_lines
    return probed.outcome.standstill


STILL = """\
import asyncio, time
async def main():
    for _ in range(4):
        time.sleep(0.1)
        await asyncio.sleep(0.01)
    time.sleep(0.3)
asyncio.run(main())
"""


def test_long_turns_are_counted_the_last_one_too(tmp_path: Path) -> None:
    found = standstill(tmp_path, STILL)
    assert found is not None
    assert found.turns == 5
    assert found.total_s >= 0.7
    assert 0.3 <= found.longest_s <= found.total_s - 0.4


NOT_STILL = {
    "waiting": "async def main():\n    await asyncio.sleep(0.3)\nasyncio.run(main())",
    "in another thread": "async def main():\n    await asyncio.to_thread(time.sleep, 0.3)\nasyncio.run(main())",
    "between two runs": (
        "loop = asyncio.new_event_loop()\nloop.run_until_complete(asyncio.sleep(0.01))\ntime.sleep(0.3)\n"
        "loop.run_until_complete(asyncio.sleep(0.01))\nloop.close()"
    ),
    "another selector": (
        "import selectors, socket\nasync def main():\n    return 1\nasyncio.run(main())\n"
        "one = selectors.DefaultSelector()\none.select(0)\ntime.sleep(0.3)\none.select(0)"
    ),
    "a subprocess": "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(0.2)'])",
}


@pytest.mark.parametrize("how", NOT_STILL)
def test_a_loop_that_waits_or_does_not_run_does_not_stand_still(tmp_path: Path, how: str) -> None:
    assert standstill(tmp_path, f"import asyncio, time\n{NOT_STILL[how]}\n") is None


def test_an_error_in_a_selector_passes_as_it_would_without(tmp_path: Path) -> None:
    program = (
        "import selectors, traceback\none = selectors.SelectSelector()\n"
        "try:\n    one.select('never')\nexcept TypeError:\n    assert 'audit' not in traceback.format_exc()\n"
        "else:\n    raise SystemExit(5)\n"
    )
    assert standstill(tmp_path, program) is None


def test_py_spy_names_the_lines_on_which_a_loop_is_busy(tmp_path: Path) -> None:
    source = """\
import asyncio, time
def deep():
    time.sleep(0.8)
async def main():
    deep()
    time.sleep(0.3)
time.sleep(0.9)
asyncio.run(main())
"""
    outcome = measure(PY_SPY, tmp_path, source, question(source, "time.sleep(0.9)", Cost()))
    assert [place for place, _ in outcome.busiest] == ["work.py:3", "work.py:6"]


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_what_a_parent_did_is_not_counted_for_its_child_again(tmp_path: Path) -> None:
    found = standstill(tmp_path, STILL + "import os\nif os.fork() == 0:\n    raise SystemExit\nos.wait()\n")
    assert found is not None
    assert found.turns == 5


UVLOOP = """\
import asyncio, time, uvloop
async def main():
    for _ in range(4):
        time.sleep(0.1)  # blocks
        await asyncio.sleep(0.1)
uvloop.run(main())  # runs
"""


def test_of_uvloop_the_lines_are_known_and_that_its_turns_are_not(tmp_path: Path) -> None:
    pytest.importorskip("uvloop")
    assert standstill(tmp_path, UVLOOP) == Standstill(0, 0.0, 0.0, hidden=True)
    (tmp_path / "sampled").mkdir()
    ((place, seconds),) = measure(PY_SPY, tmp_path / "sampled", UVLOOP, question(UVLOOP, "# blocks", Cost())).busiest
    assert place == "work.py:4"
    assert 0.25 < seconds < 0.6
