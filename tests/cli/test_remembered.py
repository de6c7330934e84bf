"""What one audit measured, a later one that runs nothing still knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_static import audit
from tests.cli.test_workloads import BENCH, LIBRARY

CONFIG = "[tool.audit.workloads]\nbench = 'python bench.py'\n"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was measured once."""
    directory = tmp_path_factory.mktemp("measured")
    (directory / "lib.py").write_text(LIBRARY)
    (directory / "bench.py").write_text(BENCH)
    (directory / "pyproject.toml").write_text(CONFIG)
    result = audit(".", "--format", "json", cwd=directory)
    assert result.returncode == 1, result.stderr
    assert json.loads(result.stdout)["notes"] == []
    return directory


@pytest.fixture
def project(measured: Path, tmp_path: Path) -> Path:
    """A copy of it, elsewhere, as another machine has it."""
    import shutil

    copy: Path = shutil.copytree(measured, tmp_path / "copy")
    return copy


def remembered(project: Path, *arguments: str) -> dict[str, list[dict[str, Any]]]:
    result = audit(*(arguments or (".",)), "--static", "--format", "json", cwd=project)
    return {one["symbol"]: one["remembered"] for one in json.loads(result.stdout)["findings"]}


def test_a_static_audit_shows_what_was_measured(project: Path) -> None:
    found = remembered(project)

    assert [(one["verdict"], one["workload"], one["stale"]) for one in found["growing"]] == [
        ("confirmed", "bench", None)
    ]
    assert [one["verdict"] for one in found["small"]] == ["rejected"]
    assert [one["verdict"] for one in found["never"]] == ["not-exercised"]
    assert {row["metric"] for row in found["growing"][0]["evidence"]} >= {"hits", "seconds", "growth"}
    assert remembered(project, "lib.py") == found


def test_the_terminal_says_it_in_one_sentence(project: Path) -> None:
    result = audit(".", "--static", "--fail-on", "never", cwd=project)

    text = " ".join(result.stdout.split())
    assert "remembered: Confirmed on" in text
    assert "code unchanged since" in text
    assert "earlier measurements on the same code confirm 1 and reject 1; 1 unproven" in text


def test_changed_code_is_shown_as_stale_and_fails_nothing(project: Path) -> None:
    (project / "lib.py").write_text("# a new line above\n" + LIBRARY.replace("found = 0", "found = 1 - 1"))

    found = remembered(project)

    assert [one["stale"] for one in found["growing"]] == ["the code has changed since"]
    assert [one["stale"] for one in found["small"]] == [None]
    assert audit(".", "--static", cwd=project).returncode == 0


def test_the_gate_counts_remembered_evidence_that_still_holds(project: Path) -> None:
    def code(gate: str) -> int:
        return audit(".", "--static", "--fail-on", gate, cwd=project).returncode

    assert [code(gate) for gate in ("confirmed", "P1", "suspected", "never")] == [1, 1, 1, 0]
    (project / "lib.py").write_text(LIBRARY[LIBRARY.index("def small") : LIBRARY.index("def never")])
    assert [code(gate) for gate in ("confirmed", "P3", "suspected")] == [0, 0, 0]


def test_no_store_neither_shows_nor_keeps(project: Path) -> None:
    assert not any(remembered(project, ".", "--no-store").values())
    (project / ".audit" / "evidence.db").unlink()
    audit("lib.py", "--no-store", cwd=project)
    assert not (project / ".audit" / "evidence.db").exists()


def test_a_store_elsewhere_is_configured(project: Path) -> None:
    (project / ".audit" / "evidence.db").rename(project / "kept.db")
    (project / "pyproject.toml").write_text("[tool.audit]\nstore = 'kept.db'\n" + CONFIG)

    assert remembered(project)["growing"]


def test_trouble_with_the_store_is_a_note_and_no_failure(project: Path) -> None:
    (project / ".audit" / "evidence.db").write_bytes(b"no database" * 1000)

    result = audit(".", "--static", "--format", "json", cwd=project)

    assert result.returncode == 0
    assert any("is damaged; it was set aside" in note for note in json.loads(result.stdout)["notes"])
    assert list((project / ".audit").glob("evidence.db.broken-*"))


def test_code_that_changed_while_it_was_measured_is_not_remembered(project: Path) -> None:
    (project / ".audit" / "evidence.db").unlink()
    (project / "bench.py").write_text(
        BENCH + "from pathlib import Path\np = Path('lib.py')\n"
        "p.write_text(p.read_text().replace('found = 0', 'found = 1 - 1'))\n"
    )

    audit(".", cwd=project)

    found = remembered(project)
    assert found["growing"] == []
    assert [one["verdict"] for one in found["small"]] == ["rejected"]
