"""The table of verdicts by rule counts what reports say, and marks a rule that measurements rarely bear out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "verdicts.py"


def rows(*options: str) -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, SCRIPT, *options], check=True, capture_output=True, text=True, encoding="utf-8"
    )
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in done.stdout.splitlines()[2:]]


def report(path: Path, *verdicts: tuple[str, str]) -> str:
    findings = [{"rule": rule, "verdict": verdict} for rule, verdict in verdicts]
    path.write_text(json.dumps({"findings": findings}), encoding="utf-8")
    return str(path)


def test_verdicts_of_several_reports_are_added_up_by_rule(tmp_path: Path) -> None:
    first = report(tmp_path / "a.json", ("slow", "confirmed"), ("slow", "rejected"), ("odd", "not-exercised"))
    second = report(tmp_path / "b.json", ("slow", "rejected"), ("odd", "inconclusive"))

    assert rows(first, second) == [
        ["`slow`", "1", "2", "0", "0", "0", ""],
        ["`odd`", "0", "0", "1", "1", "0", ""],
        ["all", "1", "2", "1", "1", "0", ""],
    ]


def test_a_rule_rejected_more_than_nine_times_in_ten_is_marked_if_enough_was_decided(tmp_path: Path) -> None:
    blunt = report(tmp_path / "a.json", ("blunt", "confirmed"), *[("blunt", "rejected")] * 10)
    fair = report(tmp_path / "b.json", ("fair", "confirmed"), *[("fair", "rejected")] * 9)
    few = report(tmp_path / "c.json", *[("few", "rejected")] * 3)

    marked = {row[0] for row in rows(blunt, fair, few) if row[-1] and row[0] != "all"}

    assert marked == {"`blunt`"}
    assert {row[0] for row in rows(few, "--least", "3") if row[-1]} == {"`few`", "all"}
