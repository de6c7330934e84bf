"""The sitecustomize put before a workload does its work unnoticed, on every interpreter that is at hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.evidence import passes
from auditor.evidence.launch import CHILD_DIRECTORY, child_environment, child_errors, reached
from tests.evidence.probing import PYTHONS


@pytest.fixture(autouse=True)
def no_pythonpath(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)


def run(env: dict[str, str], *arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, *arguments], env=env, capture_output=True, text=True, check=False)


def gate(scratch: Path) -> dict[str, str]:
    """An environment whose gate nobody keeps, so that nothing waits."""
    return child_environment("gate", scratch, {"gate": str(scratch / "nobody"), "patience_s": 5})


@pytest.mark.parametrize("python", PYTHONS)
def test_a_process_is_reached_and_notices_nothing(tmp_path: Path, python: str) -> None:
    code = "import os, sys; print(sys.path, os.environ.get('PYTHONPATH'), os.environ.get('AUDIT_CHILD'))"
    plain = run({**os.environ}, "-c", code, python=python)
    measured = run(gate(tmp_path), "-c", code, python=python)
    assert (measured.stdout, measured.stderr, measured.returncode) == (plain.stdout, plain.stderr, plain.returncode)
    (process,) = reached(tmp_path)
    version = run({**os.environ}, "-c", "import platform; print(platform.python_version())", python=python)
    assert process.version == version.stdout.strip()
    assert child_errors(tmp_path) == ()


def test_the_users_own_path_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.py").write_text("print('own')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    result = run(gate(tmp_path), "-c", "import own, os; print(os.environ['PYTHONPATH'])")
    assert result.stdout.splitlines() == ["own", str(tmp_path)]


def test_an_empty_path_does_not_become_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "")
    assert child_environment("memray", tmp_path)["PYTHONPATH"] == str(CHILD_DIRECTORY)


def test_an_existing_sitecustomize_runs_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('mine', __name__); value = 7")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    result = run(gate(tmp_path), "-c", "import sitecustomize; print(sitecustomize.value, sitecustomize.__file__)")
    assert result.stdout.splitlines() == ["mine sitecustomize", f"7 {tmp_path / 'sitecustomize.py'}"]
    assert len(reached(tmp_path)) == 1


def test_an_existing_sitecustomize_may_be_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize").mkdir()
    (tmp_path / "sitecustomize" / "__init__.py").write_text("from sitecustomize.part import value")
    (tmp_path / "sitecustomize" / "part.py").write_text("value = 7")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert run(gate(tmp_path), "-c", "import sitecustomize; print(sitecustomize.value)").stdout == "7\n"


def test_an_existing_sitecustomize_fails_as_it_would_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise ValueError('mine')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    alone = run({**os.environ}, "-c", "print(1)")
    assert "ValueError: mine" in alone.stderr
    measured = run(gate(tmp_path), "-c", "print(1)")
    assert (measured.stdout, measured.stderr) == (alone.stdout, alone.stderr)
    assert len(reached(tmp_path)) == 1


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_an_interpreter_that_ignores_the_path_leaves_no_mark(tmp_path: Path, option: str) -> None:
    assert run(gate(tmp_path), option, "-c", "print(1)").stdout == "1\n"
    assert reached(tmp_path) == ()


def test_every_process_of_a_tree_is_reached_where_each_is_needed(tmp_path: Path) -> None:
    env = child_environment("memray", tmp_path, {"memray_site": str(tmp_path), "memray_tag": "none"})
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'])"
    run(env, "-c", code)
    assert len(reached(tmp_path)) == 2


def test_only_the_first_process_of_a_tree_waits_at_the_gate(tmp_path: Path) -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'pass'])"
    run(gate(tmp_path), "-c", code)
    assert len(reached(tmp_path)) == 1


@pytest.mark.parametrize("config", ["{", '{"mode": "no such mode"}', "[]"])
def test_a_damaged_configuration_is_not_noticed_by_the_workload(tmp_path: Path, config: str) -> None:
    env = gate(tmp_path)
    Path(env["AUDIT_CHILD"]).write_text(config)
    result = run(env, "-c", "print(1)")
    assert (result.stdout, result.stderr) == ("1\n", "")


def test_a_scratch_directory_that_is_gone_is_not_noticed_by_the_workload(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    env = gate(scratch)
    config = tmp_path / "child.json"
    shutil.move(env["AUDIT_CHILD"], config)
    scratch.rmdir()
    result = run({**env, "AUDIT_CHILD": str(config)}, "-c", "print(1)")
    assert (result.stdout, result.stderr) == ("1\n", "")


def test_an_error_of_audits_own_is_written_down(tmp_path: Path) -> None:
    env = gate(tmp_path)
    config = json.loads(Path(env["AUDIT_CHILD"]).read_text())
    Path(env["AUDIT_CHILD"]).write_text(json.dumps({**config, "mode": "unheard-of"}))
    result = run(env, "-c", "print(1)")
    assert (result.stdout, result.stderr) == ("1\n", "")
    (warning,) = child_errors(tmp_path)
    assert "KeyError: 'unheard-of'" in warning


def test_a_marker_cut_off_by_a_kill_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "reached-1.json").write_text('{"pid": 1, "exec')
    assert reached(tmp_path) == ()


def test_the_passes_are_found_in_their_order() -> None:
    assert [one.name for one in passes()] == ["plain", "probes", "py-spy", "memray"]
