"""The sample projects, audited for real: costly and harmless twins are told apart by measuring."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_static import audit
from tests.samples.expected import EXPECTED

SAMPLES = Path(__file__).parents[2] / "sample_projects"


@pytest.fixture(scope="module", params=["workflow_engine", "intent_operator"])
def audited(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    saved = tmp_path_factory.mktemp("audit") / "report.json"
    result = audit(SAMPLES / request.param, "--output", saved, cwd=saved.parent)
    assert result.returncode == 1, result.stderr
    return request.param, json.loads(saved.read_text())


def test_every_twin_gets_its_verdict(audited: tuple[str, dict[str, Any]]) -> None:
    project, report = audited
    verdicts = {(f["path"], f["symbol"], f["rule"]): (f["verdict"], f["reason"]) for f in report["findings"]}

    wrong = [
        f"{row.file} {row.symbol} {row.rule}: expected {row.verdict}, got {verdicts.get(key)}"
        for row in EXPECTED
        if row.project == project
        and verdicts.get(key := (row.file, row.symbol, row.rule), ("not flagged", ""))[0] != row.verdict
    ]
    assert not wrong, "\n".join(wrong)


def test_every_verdict_by_measurement_carries_its_numbers(audited: tuple[str, dict[str, Any]]) -> None:
    _, report = audited
    for finding in report["findings"]:
        if finding["verdict"] in ("confirmed", "rejected"):
            rows = finding["evidence"]
            assert any(row["metric"] == "hits" and row["value"] > 0 for row in rows), finding
            assert any(row["threshold"] is not None for row in rows), finding
            assert all(row["low"] <= row["value"] <= row["high"] for row in rows if None not in row.values()), finding


def test_a_growing_trouble_outranks_a_constant_cost(audited: tuple[str, dict[str, Any]]) -> None:
    _, report = audited
    priorities = {f["rule"]: f["priority"] for f in report["findings"] if f["verdict"] == "confirmed"}
    growing = {"unbounded-queue", "leaked-task", "executor-per-call", "string-concat-in-loop", "quadratic-dedup"}

    for rule in growing & set(priorities):
        assert priorities[rule] in ("P0", "P1"), rule


def test_the_workload_is_the_same_under_every_pass(audited: tuple[str, dict[str, Any]]) -> None:
    name, report = audited
    (workload,) = report["workloads"]

    # of the workflow engine, no suspect asks about memory
    memory = ["memray"] if name == "intent_operator" else []
    assert [run["name"] for run in workload["passes"]] == ["plain", "probes", "py-spy", *memory]
    assert {run["exit_code"] for run in workload["passes"]} == {0}
    assert not [run["gap"] for run in workload["passes"] if run["gap"]]
