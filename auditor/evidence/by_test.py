"""Which tests of the workload ran each suspect, from what `child/audit_tests.py` wrote down."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor.model import Exercise

MOST_NAMED = 5
"""Tests named for each suspect; the others are counted."""


def exercises(
    scratch: Path, states: Sequence[Mapping[str, Any]], sites: Mapping[str, Sequence[int]], workload: str
) -> dict[str, Exercise]:
    """The tests that ran each suspect, by fingerprint; those that no test ran are left out.

    `states` are what the processes wrote down last, `sites` the numbers of the sites at which each suspect is counted.
    """
    suspects = {str(number): fingerprint for fingerprint, numbers in sites.items() for number in numbers}
    found: dict[str, Counter[str]] = {}
    for test, ran in (*_ended(scratch), *(state["test"] for state in states if state["test"])):
        for site, hits in ran.items():
            if site in suspects:
                found.setdefault(suspects[site], Counter())[test] += hits
    return {fingerprint: _exercise(counts, workload) for fingerprint, counts in found.items()}


def _exercise(counts: Counter[str], workload: str) -> Exercise:
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return Exercise(workload, len(ordered), tuple(ordered[:MOST_NAMED]))


def _ended(scratch: Path) -> Iterator[tuple[str, dict[str, int]]]:
    for file in sorted(scratch.glob("tests-*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    test, ran = json.loads(line)
                except ValueError:
                    continue  # its process was killed while writing it
                yield test, ran
