"""Suppressed findings are set aside and counted; a suppression that does nothing is reported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auditor.model import Suppression
from auditor.suppress import Suppressed, suppress

from .report.factory import a_suspect

SUSPECT = a_suspect(path="m.py", line=5, rule="a", fingerprint="f")
HERE = Suppression("m.py", 5, 20, ("a",), "why", None, 5, 5)


def held(one: Suppression, **options: Any) -> Suppressed:
    return suppress([SUSPECT], [one], {"a", "b"}, lambda: {"a", "b", "other"}, **options)


def test_a_suppression_sets_aside_what_its_rule_finds_on_its_lines() -> None:
    assert held(HERE) == Suppressed({"f": "why"}, ())


@pytest.mark.parametrize(
    "change",
    [{"path": "n.py"}, {"first": 6, "last": 9}, {"first": 1, "last": 4}, {"cell": 2}, {"first": 0, "last": 0}],
)
def test_it_reaches_nothing_else_and_is_reported_as_unused(change: dict[str, Any]) -> None:
    said = held(replace(HERE, **change))

    assert said.reasons == {}
    assert [remark.message for remark in said.remarks] == ["suppression: a finds nothing here; remove it"]


def test_of_several_rules_each_that_finds_nothing_is_named() -> None:
    said = held(replace(HERE, rules=("a", "b")))

    assert said.reasons == {"f": "why"}
    assert [remark.message for remark in said.remarks] == ["suppression: b finds nothing here; remove it"]


def test_without_rules_it_suppresses_nothing() -> None:
    said = held(replace(HERE, rules=()))

    assert said.reasons == {}
    assert "names no rule" in said.remarks[0].message


def test_an_unknown_rule_is_named_with_the_nearest() -> None:
    assert "did you mean 'other'?" in held(replace(HERE, rules=("othr",))).remarks[0].message


def test_a_rule_that_did_not_run_is_not_called_unused() -> None:
    assert held(replace(HERE, rules=("other",))) == Suppressed({}, ())


def test_in_a_file_that_was_read_in_part_nothing_is_called_unused() -> None:
    assert held(replace(HERE, first=9, last=9), incomplete={"m.py"}) == Suppressed({}, ())


def test_a_required_reason_that_is_missing_costs_the_suppression() -> None:
    said = held(replace(HERE, reason=""), require_reason=True)

    assert said.reasons == {}
    assert "gives no reason" in said.remarks[0].message
    assert held(replace(HERE, reason="")).reasons == {"f": ""}


def audit(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "auditor", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "COLUMNS": "120"},
    )


SOURCE = """\
import queue

# audit: ignore[unbounded-queue] -- its producer is a person
first = queue.Queue()
second = queue.Queue()
third = 3  # audit: ignore[unbounded-queue]
"""


def test_suppressed_findings_are_counted_kept_for_machines_and_pass_the_gate(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(SOURCE)

    for _with_and_without_cache in range(2):
        result = audit(".", "--fail-on", "suspected", "--output", "r.json", "--output", "r.sarif", cwd=tmp_path)

        assert result.returncode == 1
        assert "m.py:5:10" in result.stdout
        assert "m.py:4:" not in result.stdout
        assert "1 suppressed" in result.stdout
        assert "m.py:6:12  unbounded-queue finds nothing here; remove it" in result.stdout
    saved = json.loads((tmp_path / "r.json").read_text())
    assert [one["line"] for one in saved["findings"]] == [5]
    assert [(one["line"], one["suppressed"]) for one in saved["set_aside"]] == [(4, "its producer is a person")]
    (run,) = json.loads((tmp_path / "r.sarif").read_text())["runs"]
    assert [one.get("suppressions") for one in run["results"]] == [
        None,
        [{"kind": "inSource", "status": "accepted", "justification": "its producer is a person"}],
    ]
    (tmp_path / "m.py").write_text(SOURCE.replace("second = queue.Queue()\n", ""))
    assert audit(".", "--fail-on", "suspected", cwd=tmp_path).returncode == 0


def test_the_reason_can_be_required(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("import queue\n\nq = queue.Queue()  # audit: ignore[unbounded-queue]\n")
    assert audit(".", "--fail-on", "suspected", cwd=tmp_path).returncode == 0

    (tmp_path / "pyproject.toml").write_text("[tool.audit]\nrequire-reason = true\n")
    result = audit(".", "--fail-on", "suspected", cwd=tmp_path)

    assert result.returncode == 1
    assert "m.py:3:20  it gives no reason, which the settings require" in result.stdout
