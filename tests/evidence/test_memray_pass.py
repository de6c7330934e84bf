"""What memray says was alive at the peak of real programs, and what is said where it says nothing."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from auditor.evidence.passes.memory import PASS
from auditor.model import Backlog, Cost, Evidence, Expectation, Scaling
from tests.evidence.asking import gaps, measure, question, row

pytestmark = pytest.mark.skipif(importlib.util.find_spec("memray") is None, reason="memray is not available here")

MEGABYTE = 1_000_000

HOLD = """\
import os, sys

def hold(size):
    return bytearray(size)  # allocates

def keep():
    return hold(50_000_000)  # keeps

def drop():
    hold(20_000_000)  # drops
    return 1

drop()
kept = keep()
nothing = 1  # nothing
"""


def test_a_line_that_holds_fifty_megabytes_is_seen(tmp_path: Path) -> None:
    outcome = measure(PASS, tmp_path, HOLD, question(HOLD, "# keeps", Cost(memory=True)))
    assert outcome.run.gap is None
    held = row(outcome, "# keeps", "peak_bytes")
    assert held.value == pytest.approx(50 * MEGABYTE, rel=0.01)
    assert held.low == held.value == held.high
    assert row(outcome, "# keeps", "peak_share").value > 0.8


def test_a_line_counts_with_all_that_is_called_from_it(tmp_path: Path) -> None:
    asked = [question(HOLD, text, Cost(memory=True)) for text in ("# allocates", "# keeps", "# drops", "# nothing")]
    outcome = measure(PASS, tmp_path, HOLD, *asked)
    allocates, keeps, drops, nothing = (row(outcome, one.suspect.fingerprint, "peak_bytes").value for one in asked)
    assert allocates == keeps
    assert drops == nothing == 0, "what was freed before the peak is no part of it"


@pytest.mark.parametrize(
    ("end", "code"), [("sys.exit(3)", 3), ("os._exit(3)", 3), ("os.kill(os.getpid(), 9)", -9), ("sys.exit('x')", 1)]
)
def test_however_the_program_ends_what_it_held_is_known(tmp_path: Path, end: str, code: int) -> None:
    source = HOLD + end + "\n"
    outcome = measure(PASS, tmp_path, source, question(source, "# allocates", Cost(memory=True)))
    assert outcome.run.exit_code == code
    assert row(outcome, "# allocates", "peak_bytes").value == pytest.approx(50 * MEGABYTE, rel=0.01)


def test_forked_and_spawned_processes_are_tracked(tmp_path: Path) -> None:
    source = """\
import multiprocessing, sys

def hold():
    kept = bytearray(30_000_000)  # holds

if __name__ == "__main__":
    child = multiprocessing.get_context(sys.argv[1]).Process(target=hold)
    child.start()
    child.join()
"""
    for method in ("fork", "spawn"):
        (tmp_path / method).mkdir()
        command = f"{sys.executable} work.py {method}"
        asked = question(source, "# holds", Cost(memory=True))
        outcome = measure(PASS, tmp_path / method, source, asked, command=command)
        assert row(outcome, "# holds", "peak_bytes").value == pytest.approx(30 * MEGABYTE, rel=0.01), method


def test_a_process_that_goes_on_as_another_program_is_tracked_anew(tmp_path: Path) -> None:
    source = """\
import os, sys

if "again" not in sys.argv:
    first = bytearray(20_000_000)  # first
    os.execv(sys.executable, [sys.executable, "work.py", "again"])
second = bytearray(30_000_000)  # second
"""
    asked = [question(source, text, Cost(memory=True)) for text in ("# first", "# second")]
    outcome = measure(PASS, tmp_path, source, *asked)
    assert outcome.run.gap is None
    assert outcome.run.warnings == ()
    assert row(outcome, "# first", "peak_bytes").value == pytest.approx(20 * MEGABYTE, rel=0.01)
    assert row(outcome, "# second", "peak_bytes").value == pytest.approx(30 * MEGABYTE, rel=0.01)


def test_a_process_in_which_memray_fails_leaves_a_gap(tmp_path: Path) -> None:
    (tmp_path / "memray.py").write_text(
        "class Tracker:\n    def __init__(self, *_, **__):\n        raise OSError('broken')\n"
    )
    source = """\
import os, subprocess, sys

kept = bytearray(20_000_000)  # keeps
if "below" not in sys.argv:
    path = os.pathsep.join([os.environ["PYTHONPATH"], os.getcwd() + "/..", os.getcwd()])
    subprocess.run([sys.executable, "work.py", "below"], env={**os.environ, "PYTHONPATH": path})
"""
    outcome = measure(PASS, tmp_path, source, question(source, "# keeps", Cost(memory=True)))
    assert row(outcome, "# keeps", "peak_bytes").value == pytest.approx(20 * MEGABYTE, rel=0.01)
    assert any("broken" in gap for gap in gaps(outcome, "# keeps"))


def test_a_backlog_is_only_reported_where_the_line_itself_holds_something(tmp_path: Path) -> None:
    asked = question(HOLD, "# keeps", Backlog()), question(HOLD, "# nothing", Backlog())
    outcome = measure(PASS, tmp_path, HOLD, *asked)
    assert set(outcome.rows) <= {"# keeps"}


def test_output_is_untouched(tmp_path: Path) -> None:
    outcome = measure(PASS, tmp_path, "import sys; print(1); print(2, file=sys.stderr)")
    assert outcome.last_lines == ("1", "2")


def test_an_interpreter_that_cannot_be_reached_gives_a_gap(tmp_path: Path) -> None:
    outcome = measure(PASS, tmp_path, HOLD, command=f"{sys.executable} -I work.py")
    assert outcome.run.exit_code == 0
    assert outcome.run.gap is not None
    assert "no Python process" in outcome.run.gap


def test_a_capture_that_is_broken_gives_a_gap(tmp_path: Path) -> None:
    source = HOLD + (
        "import glob\nfor file in glob.glob('../scratch/*.bin'): open(file, 'r+b').write(bytes(100))\nos._exit(0)\n"
    )
    outcome = measure(PASS, tmp_path, source, question(source, "# keeps", Cost(memory=True)))
    assert outcome.run.exit_code == 0
    assert outcome.run.gap is not None
    assert "cannot be read" in outcome.run.gap


def other_python() -> str | None:
    """An interpreter of another version than the auditor's, without memray."""
    own = "{}.{}.".format(*sys.version_info)
    found = [python for python in Path.home().glob(".pyenv/versions/3.*/bin/python") if own not in str(python)]
    found += [Path(path) for name in ("python3.10", "python3.13", "python3.14") if (path := shutil.which(name))]
    for python in found:
        test = "import sys, importlib.util as u; print(sys.version_info[:2] >= (3, 8) and not u.find_spec('memray'))"
        if subprocess.run([str(python), "-c", test], capture_output=True, text=True, check=False).stdout == "True\n":
            return str(python)
    return None


def test_an_interpreter_without_memray_gives_a_gap_that_says_where_to_install_it(tmp_path: Path) -> None:
    python = other_python()
    if python is None:
        pytest.skip("no interpreter of another version is at hand")
    outcome = measure(PASS, tmp_path, HOLD, command=f"{python} work.py")
    assert outcome.run.exit_code == 0
    assert outcome.run.gap is not None
    assert "-m pip install memray" in outcome.run.gap


def test_where_only_a_part_was_tracked_each_row_is_accompanied_by_a_gap(tmp_path: Path) -> None:
    python = other_python()
    if python is None:
        pytest.skip("no interpreter of another version is at hand")
    asked = question(HOLD, "# keeps", Cost(memory=True))
    outcome = measure(PASS, tmp_path, HOLD, asked, command=f"sh -c '{sys.executable} work.py; {python} work.py'")
    assert outcome.run.gap is None
    assert "part of the processes" in gaps(outcome, "# keeps")[0]


def test_the_auditors_memray_serves_an_interpreter_of_the_same_version_without_changing_its_imports(
    tmp_path: Path,
) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    source = HOLD + (
        "modules = {name.partition('.')[0] for name in sys.modules}\n"
        "print('rich' in modules, [entry for entry in sys.path if 'site-packages' in entry and 'bare' not in entry])\n"
    )
    asked = question(source, "# allocates", Cost(memory=True))
    outcome = measure(PASS, tmp_path, source, asked, command=f"{tmp_path}/bare/bin/python work.py")
    assert outcome.last_lines == ("False []",)
    assert row(outcome, "# allocates", "peak_share").value > 0.8


@pytest.mark.parametrize(
    ("asked", "hits", "wanted"),
    [
        (Cost(memory=True), None, True),
        (Cost(memory=True), {"# x": 0}, False),
        (Cost(memory=True), {"# x": 2}, True),
        (Backlog(), None, True),
        (Cost(), None, False),
        (Scaling(), None, False),
    ],
)
def test_it_is_wanted_where_memory_is_in_question(
    asked: Expectation, hits: dict[str, int] | None, wanted: bool
) -> None:
    assert PASS.wanted([question("x = 1  # x", "# x", asked)], hits) is wanted


def test_rows_carry_their_units(tmp_path: Path) -> None:
    outcome = measure(PASS, tmp_path, HOLD, question(HOLD, "# keeps", Cost(memory=True)))
    rows = [one for one in outcome.rows["# keeps"] if isinstance(one, Evidence)]
    assert [(one.metric, one.unit, one.collector) for one in rows] == [
        ("peak_bytes", "B", "memray"),
        ("peak_share", "ratio", "memray"),
    ]
