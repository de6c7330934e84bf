"""The disk is full, or files may not grow: what was not written down is a gap, never a zero."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.evidence.passes.memory import PASS as MEMRAY
from auditor.evidence.passes.probes import PASS as PROBES
from auditor.model import Cost, Site, Span
from benchmarks.faults import finish, make_project, start_audit
from tests.evidence.asking import gaps, measure, question

# RLIMIT_FSIZE is a full disk for whoever runs under it; Python turns its signal into an error
FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no limits for files")


@pytest.mark.parametrize("room", [0, 100])
def test_probes_that_cannot_be_written_down_are_a_gap(tmp_path: Path, room: int) -> None:
    source = FULL.format(room=room) + "sorted([3, 2, 1])  # here\n"
    asked = question(source, "# here", Cost())
    asked = replace(asked, suspect=replace(asked.suspect, sites=(Site("timed", Span(2, 1, 2, 18)),)))
    outcome = measure(PROBES, tmp_path, source, asked)
    assert outcome.run.exit_code == 0
    assert any("could not write down" in reason for reason in gaps(outcome, "# here")), outcome


def test_memray_that_ran_out_of_room_is_a_gap(tmp_path: Path) -> None:
    source = FULL.format(room=100_000) + (
        "kept = []\nfor i in range(300):\n    kept.append(bytearray(100_000 + i))  # here\n"
        "    [bytearray(600 + j) for j in range(500)]\n"
    )
    outcome = measure(MEMRAY, tmp_path, source, question(source, "# here", Cost(memory=True)))
    said = [outcome.run.gap or "", *gaps(outcome, "# here")]
    assert any("memray ran out of room" in reason for reason in said), outcome


@pytest.mark.parametrize("room", [0, 20_000])
def test_an_audit_whose_files_may_not_grow_gives_no_traceback_and_no_wrong_verdict(tmp_path: Path, room: int) -> None:
    project, scratch = make_project(tmp_path / "project"), tmp_path / "tmp"
    code = f"{FULL.format(room=room)}import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
    done = finish(
        start_audit(project, scratch, "--run", "python bench.py", before=(sys.executable, "-c", code)),
        project,
        scratch,
    )
    assert not done.problems
    assert done.verdicts or "it cannot go on" in done.err


def test_a_report_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    project, scratch = make_project(tmp_path / "project"), tmp_path / "tmp"
    code = "import os, sys; os.dup2(os.open('/dev/full', os.O_WRONLY), 1); os.execv(sys.argv[1], sys.argv[1:])"
    process = start_audit(project, scratch, "--static", before=(sys.executable, "-c", code))
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2
    assert len(err.splitlines()) == 1
    assert "No space left on device" in err
