"""Processes are killed while an audit runs: the workload, what it starts, py-spy, audit itself."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from benchmarks.faults import POSSIBLE, VICTIMS, family, finish, kill_when, make_project, remembered, start_audit

RUN = ("--run", "python bench.py")


@pytest.mark.parametrize("name", ["the workload", "its child", "py-spy"])
def test_who_is_killed_costs_no_traceback_no_wrong_verdict_and_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    project, scratch = make_project(tmp_path / "project"), tmp_path / "tmp"
    process = start_audit(project, scratch, *RUN)
    assert kill_when(project, scratch, VICTIMS[name], process)
    done = finish(process, project, scratch)
    assert not done.problems
    assert set(done.verdicts) == set(POSSIBLE)
    assert name != "py-spy" or "py-spy was ended by signal 9" in done.out


def test_a_killed_audit_leaves_nothing_running_and_loses_nothing_stored(tmp_path: Path) -> None:
    project, scratch = make_project(tmp_path / "project"), tmp_path / "tmp"
    first = finish(start_audit(project, scratch, *RUN), project, scratch)
    assert not first.problems
    stored = remembered(project, scratch)
    assert {"growing", "small"} <= stored
    (project / "child.py").write_text("import time\ntime.sleep(600)\n")
    process = start_audit(project, scratch, *RUN)
    while not any(map(VICTIMS["its child"], _readable(project, scratch))):
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    done = finish(process, project, scratch)
    assert done.exit_code is None
    assert not done.problems
    assert remembered(project, scratch) == stored


def test_a_guardian_ends_with_its_audit_and_holds_no_pipe_of_it() -> None:
    code = (
        "import os, sys, threading; from auditor.evidence.supervise import run_child; import psutil;"
        "run_child([sys.executable, '-c', '1'], cwd='.', env=os.environ, timeout_s=None, stdin=None,"
        " stop=threading.Event()); print(*[one.pid for one in psutil.Process().children()])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    (guardian,) = map(int, result.stdout.split())
    deadline = time.monotonic() + 30
    while psutil.pid_exists(guardian) and psutil.Process(guardian).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _readable(project: Path, scratch: Path) -> list[psutil.Process]:
    found = []
    for process in family(project, scratch):
        try:
            process.cmdline()
        except psutil.Error:
            continue
        found.append(process)
    return found


def test_two_audits_at_once_say_the_same_and_both_are_remembered(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    scratches = [tmp_path / "one", tmp_path / "two"]
    environment = os.environ.get("AUDIT_CACHE_DIR")
    assert environment  # the tests' own: both write to it from nothing
    processes = [start_audit(project, scratch, *RUN) for scratch in scratches]
    # communicate one after the other: neither writes more than a pipe holds before its end
    outputs = [process.communicate(timeout=300) for process in processes]
    for process, (_, err) in zip(processes, outputs, strict=True):
        assert process.returncode in (0, 1), err
        assert "Traceback" not in err
    assert {"growing", "small"} <= remembered(project, scratches[0])
    assert not list((project / ".audit").glob("*.broken*"))
