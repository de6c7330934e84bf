"""Workloads under an interpreter that is not the one of audit."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.cli.test_static import audit
from tests.cli.test_workloads import BENCH, LIBRARY, findings

READER = "def lines(path):\n    with open(path) as f:\n        for line in f.readlines():\n            yield line\n"
OLDEST = (3, 8)


def version_of(python: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in python.parents[1].name.split("."))


OTHERS = sorted(
    (
        python
        for python in Path.home().glob(".pyenv/versions/3.*[0-9]/bin/python")
        if version_of(python) >= OLDEST and version_of(python)[:2] != sys.version_info[:2]
    ),
    key=version_of,
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "lib.py").write_text(LIBRARY + "\n\n" + READER)
    (tmp_path / "app" / "bench.py").write_text(
        "import os, subprocess, sys\n"
        "with open('seen', 'a') as seen:\n"
        "    print(sys.prefix, os.environ.get('VIRTUAL_ENV'), file=seen)\n"
        "    seen.flush()\n"
        "    subprocess.check_call(['python', '-c', 'import sys; print(sys.prefix)'], stdout=seen)\n"
        "open('text', 'w').write('x\\n' * 1000)\nimport lib\nprint(sum(map(len, lib.lines('text'))))\n" + BENCH
    )
    return tmp_path / "app"


def files_of(directory: Path) -> set[str]:
    return {str(file) for file in directory.rglob("*")}


def test_a_virtual_environment_is_used_and_left_as_it_was(project: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "v", symlinks=True)
    before = files_of(tmp_path / "v")

    result = audit(
        ".", "--python", "../v/bin/python", "--run", "python bench.py", "--format", "json", "--no-store", cwd=project
    )

    found = findings(result)
    assert found["growing"]["verdict"] == "confirmed", result.stdout + result.stderr
    assert found["small"]["verdict"] == "rejected"
    own = str((tmp_path / "v").resolve())
    said = (project / "seen").read_text().split()
    assert {str(Path(word).resolve()) for word in said} == {own}
    assert files_of(tmp_path / "v") == before


def test_python_means_that_interpreter_whatever_its_name(project: Path, tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "my python").write_text(f'#!/bin/sh\nAUDITED_BY_NAME=1 exec {sys.executable} "$@"\n')
    (tmp_path / "odd" / "my python").chmod(0o755)
    (project / "bench.py").write_text(
        "import lib, os, subprocess, sys\nassert os.environ['AUDITED_BY_NAME']\nlib.growing(100)\n"
        "del os.environ['AUDITED_BY_NAME']\n"
        "subprocess.check_call(['python3', '-c', 'import os; os.environ[\"AUDITED_BY_NAME\"]'])\n"
    )

    result = audit(
        ".", "--python", tmp_path / "odd" / "my python", "--run", "python3 bench.py", "--no-store", cwd=project
    )

    assert result.returncode in (0, 1), result.stdout + result.stderr


@pytest.mark.parametrize("python", OTHERS[:1] + OTHERS[1:][-1:], ids=lambda python: str(python.parents[1].name))
def test_another_version_is_measured_and_lacks_of_tools_reject_nothing(project: Path, python: Path) -> None:
    result = audit(".", "--python", python, "--run", "python bench.py", "--format", "json", "--no-store", cwd=project)

    report = json.loads(result.stdout)
    found = findings(result)
    assert found["growing"]["verdict"] == "confirmed", result.stdout
    assert found["small"]["verdict"] == "rejected"
    has_memray = subprocess.run([python, "-c", "import memray"], capture_output=True, check=False).returncode == 0
    (memory,) = [one for one in report["findings"] if one["rule"] == "readlines-whole-file"]
    assert has_memray or memory["verdict"] in ("not-measurable", "confirmed"), memory
    assert has_memray or any(
        "memray is not installed in" in (one["gap"] or "") for one in report["workloads"][0]["passes"]
    )


@pytest.mark.parametrize("python", ["missing/python", ".", "bench.py", "/bin/true"])
def test_what_is_no_interpreter_is_refused_in_a_sentence(project: Path, python: str) -> None:
    result = audit(".", "--python", python, "--run", "python bench.py", cwd=project)

    assert result.returncode == 2
    assert result.stderr.startswith("audit: --python /")
    assert "Traceback" not in result.stderr
    assert not (project / "seen").exists()
