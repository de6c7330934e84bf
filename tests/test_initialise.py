"""What `audit init` recognises, without running anything."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from auditor.config import parse_config
from auditor.initialise import is_configured, propose


def write(root: Path, name: str, text: str = "") -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def commands(root: Path) -> list[str]:
    table = tomllib.loads(propose(root))["tool"]["audit"]
    return [workload.command for workload in parse_config(table, root / "pyproject.toml").workloads]


@pytest.mark.parametrize("name", ["test_a.py", "tests/test_a.py", "tests/unit/test_a.py", "pack/tests/test_a.py"])
def test_tests_are_found_beside_the_package_and_inside_it(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)

    assert commands(tmp_path) == ["pytest -q"]


def test_benchmarks_come_before_tests_and_only_scripts_count(tmp_path: Path) -> None:
    write(tmp_path, "benchmarks/speed.py", "if __name__ == '__main__':\n    pass\n")
    write(tmp_path, "benchmarks/helpers.py", "x = 1\n")
    write(tmp_path, "tests/test_a.py")

    assert commands(tmp_path) == ["python benchmarks/speed.py", "pytest -q"]


def test_with_nothing_to_go_by_the_proposal_is_a_comment(tmp_path: Path) -> None:
    assert commands(tmp_path) == []
    assert "Name a command" in propose(tmp_path)


def test_an_existing_table_is_noticed(tmp_path: Path) -> None:
    assert not is_configured(tmp_path)
    write(tmp_path, "pyproject.toml", "[tool.audit]\n")
    assert is_configured(tmp_path)
