"""Profiles and running processes given on the command line; nothing is run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_static import audit
from tests.cli.test_workloads import findings

LIBRARY = """\
import json


def clone(item):
    return json.loads(json.dumps(item))


def never(item):
    return json.loads(json.dumps(item))
"""
BENCH = """\
import sys, time
import lib

item = {str(n): list(range(20)) for n in range(50)}
print("started", flush=True)
end = time.time() + float(sys.argv[1])
while time.time() < end:
    for _ in range(20):
        lib.clone(item)
print("ended well")
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    (tmp_path / "elsewhere" / "app").mkdir(parents=True)
    (tmp_path / "elsewhere" / "app" / "lib.py").write_text(LIBRARY)
    (tmp_path / "elsewhere" / "app" / "bench.py").write_text(BENCH)
    return tmp_path / "elsewhere"


@pytest.fixture
def project(elsewhere: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(elsewhere, tmp_path / "project"))


def test_a_profile_of_py_spy_from_elsewhere_is_judged(project: Path, elsewhere: Path) -> None:
    program = shutil.which("py-spy", path=str(Path(sys.executable).parent))
    assert program is not None
    subprocess.run(
        (
            *(program, "record", "--full-filenames", "--format", "speedscope", "--output", project / "cpu.json"),
            *("--", sys.executable, elsewhere / "app" / "bench.py", "3"),
        ),
        check=False,
        capture_output=True,
    )
    (project / "pyproject.toml").write_text("[tool.audit.workloads]\nw = 'touch was_run'\n")

    result = audit(".", "--cpu-profile", "cpu.json", "--format", "json", cwd=project)

    found = findings(result)
    assert found["clone"]["verdict"] == "confirmed", result.stdout
    assert found["never"]["verdict"] == "inconclusive"
    assert result.returncode == 1
    assert not (project / "was_run").exists()
    assert not (project / ".audit").exists()
    assert "which version" in result.stdout


def test_a_capture_of_memray_is_judged(project: Path, elsewhere: Path) -> None:
    (elsewhere / "app" / "lib.py").write_text(
        "def lines(path):\n    with open(path) as f:\n        for line in f.readlines():\n            yield line\n"
    )
    (elsewhere / "app" / "big.py").write_text(
        "import lib\nopen('big.txt', 'w').write('line\\n' * 400_000)\nprint(sum(map(len, lib.lines('big.txt'))))\n"
    )
    shutil.copy(elsewhere / "app" / "lib.py", project / "app" / "lib.py")
    capture = project / "memory.bin"
    subprocess.run(
        [sys.executable, "-m", "memray", "run", "-q", "-o", capture, "big.py"], cwd=elsewhere / "app", check=True
    )

    found = findings(audit("app", "--memory-profile", "memory.bin", "--format", "json", cwd=project))

    assert found["lines"]["verdict"] == "confirmed", found["lines"]


def test_a_file_that_is_no_profile_is_refused_in_a_sentence(project: Path) -> None:
    for option in ("--cpu-profile", "--memory-profile"):
        result = audit(".", option, "app/lib.py", cwd=project)
        assert result.returncode == 2
        assert result.stderr.startswith("audit: app/lib.py") or "lib.py" in result.stderr
        assert "Traceback" not in result.stderr


# ------------------------------------------------------------------------------------------------
# Running processes


@pytest.fixture
def running(project: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "bench.py", "600"], cwd=project / "app", stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    yield process
    process.kill()
    process.communicate()


def test_a_running_process_is_watched_and_goes_on(project: Path, running: subprocess.Popen[str]) -> None:
    result = audit(".", "--pid", str(running.pid), "--seconds", "3", "--format", "json", cwd=project)

    found = findings(result)
    assert found["clone"]["verdict"] == "confirmed", result.stdout + result.stderr
    assert found["never"]["verdict"] == "inconclusive"
    assert running.poll() is None


def test_an_interrupt_keeps_what_was_sampled_and_leaves_the_process(
    project: Path, running: subprocess.Popen[str]
) -> None:
    watching = subprocess.Popen(
        [sys.executable, "-m", "auditor", ".", "--pid", str(running.pid), "--seconds", "600", "--format", "json"],
        cwd=project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    time.sleep(5)
    watching.send_signal(signal.SIGINT)
    output, errors = watching.communicate(timeout=90)

    report = json.loads(output)
    assert watching.returncode == 2, errors
    assert report["interrupted"]
    assert {one["symbol"]: one["verdict"] for one in report["findings"]}["clone"] in ("confirmed", "inconclusive")
    assert running.poll() is None


def test_a_process_that_is_none_or_no_python_is_said(project: Path) -> None:
    sleeper = subprocess.Popen(["sleep", "600"])
    try:
        other = audit(".", "--pid", str(sleeper.pid), "--seconds", "1", cwd=project)
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()
    gone = audit(".", "--pid", str(sleeper.pid), "--seconds", "1", cwd=project)

    assert (other.returncode, gone.returncode) == (2, 2)
    assert "runs Python that py-spy can read" in other.stderr
    assert "there is no such process" in gone.stderr


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root to give up a capability")
def test_a_process_that_may_not_be_read_is_left_alone_and_said(project: Path, running: subprocess.Popen[str]) -> None:
    result = subprocess.run(
        (
            *("setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace"),
            *(sys.executable, "-m", "auditor", ".", "--pid", str(running.pid), "--seconds", "1"),
        ),
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )

    assert result.returncode == 2
    assert "py-spy may not read the process" in result.stderr
    assert running.poll() is None
