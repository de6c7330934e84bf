"""The command line with real workloads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.test_static import audit

LIBRARY = """\
def growing(n):
    seen = []
    found = 0
    for i in range(n):
        if i in seen:
            found += 1
        seen.append(i)
    return found


def small(n):
    names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
    return sum(1 for i in range(n) if i in names)


def never():
    text = ""
    for i in range(1000):
        text += str(i)
    return text
"""
BENCH = "import lib\n\nprint(lib.growing(9000), lib.small(4000))\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "lib.py").write_text(LIBRARY)
    (tmp_path / "bench.py").write_text(BENCH)
    return tmp_path


def findings(result: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {finding["symbol"]: finding for finding in json.loads(result.stdout)["findings"]}


def test_the_growing_list_is_confirmed_the_small_one_rejected_the_unrun_one_left_open(project: Path) -> None:
    result = audit(".", "--run", "python bench.py", "--format", "json", cwd=project)

    found = findings(result)
    assert result.returncode == 1
    assert found["growing"]["verdict"] == "confirmed", found["growing"]
    assert found["growing"]["priority"] in ("P0", "P1")
    assert found["growing"]["gain"]["high"] > 1.5
    assert found["small"]["verdict"] == "rejected", found["small"]
    assert found["never"]["verdict"] == "not-exercised", found["never"]
    hits = [row for row in found["growing"]["evidence"] if row["metric"] == "hits"]
    assert not hits or hits[0]["value"] == 9000


def test_a_failing_workload_judges_nothing_unless_allowed(project: Path) -> None:
    (project / "bench.py").write_text(BENCH + "print('about to fail')\nraise SystemExit(3)\n")

    refused = audit(".", "--run", "python bench.py", "--format", "json", cwd=project)
    allowed = audit(".", "--run", "python bench.py", "--format", "json", "--allow-failure", cwd=project)

    assert refused.returncode == 2
    assert {finding["verdict"] for finding in findings(refused).values()} == {"not-measurable"}
    assert "about to fail" in "\n".join(json.loads(refused.stdout)["workloads"][0]["last_lines"])
    assert allowed.returncode == 1
    assert findings(allowed)["growing"]["verdict"] == "confirmed"


def test_what_is_piped_in_reaches_every_run(project: Path) -> None:
    (project / "bench.py").write_text("import sys, lib\nassert sys.stdin.read() == 'data'\nlib.growing(6000)\n")

    result = audit(".", "--run", "python bench.py", "--format", "json", cwd=project, stdin="data")

    passes = json.loads(result.stdout)["workloads"][0]["passes"]
    assert {run["exit_code"] for run in passes} == {0}
    assert len(passes) >= 3


def test_a_workload_that_never_ends_is_ended(project: Path) -> None:
    (project / "bench.py").write_text("import lib, time\nlib.growing(100)\ntime.sleep(600)\n")

    result = audit(".", "--run", "python bench.py", "--timeout", "2", cwd=project)

    assert result.returncode == 2
    assert "timeout" in result.stdout
    assert "Traceback" not in result.stderr


def test_a_killed_workload_is_reported_as_such(project: Path) -> None:
    (project / "bench.py").write_text(
        "import lib, os, signal\nlib.growing(100)\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )

    result = audit(".", "--run", "python bench.py", "--format", "json", cwd=project)

    assert result.returncode == 2
    assert json.loads(result.stdout)["workloads"][0]["exit_code"] == -9


def test_configured_workloads_run_without_any_option(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.audit.workloads]\nbench = 'python bench.py'\n")

    result = audit(".", "--format", "json", cwd=project)

    assert findings(result)["growing"]["verdict"] == "confirmed"


def test_an_interrupt_ends_every_child_and_keeps_what_is_known(project: Path) -> None:
    (project / "bench.py").write_text(
        "import lib, time\nlib.growing(100)\nopen('started', 'w').close()\ntime.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "auditor", ".", "--run", "python bench.py", "--format", "json"],
        cwd=project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    deadline = time.monotonic() + 60
    while not (project / "started").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)

    assert process.returncode == 2
    assert json.loads(output)["interrupted"] is True
    assert "Traceback" not in errors
    assert children
    assert not psutil.wait_procs(children, timeout=10)[1]


def test_a_plain_run_sees_nothing_of_audit(project: Path) -> None:
    (project / "bench.py").write_text(
        "import os, sys, lib\n"
        "with open('seen.txt', 'a') as file:\n"
        "    print(os.environ.get('PYTHONPATH'), sys.flags.dont_write_bytecode, sys.gettrace(), file=file)\n"
        "lib.growing(100)\n"
    )

    audit(".", "--run", "python bench.py", cwd=project)

    first = (project / "seen.txt").read_text().splitlines()[0]
    own = subprocess.run(
        [sys.executable, "-c", "import sys; print(sys.flags.dont_write_bytecode)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert first == f"{Path(__file__).parents[2]} {own.stdout.strip()} None"


def test_a_workload_that_ran_out_of_time_is_said_to_have_and_once(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text("import queue\n\njobs = queue.Queue()\n")
    sleeping = "python -c 'import time; time.sleep(60)'"
    result = audit(".", "--run", sleeping, "--timeout", "0.5", cwd=tmp_path)
    said = " ".join(result.stdout.split())

    assert result.returncode == 2
    assert "ended by SIGTERM" in said
    assert "the workload failed: audit ended this run after" in said.replace("The workload", "the workload")
    assert said.count("warning: audit ended this run") == 1
