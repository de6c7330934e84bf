"""Keeping verdicts on one suspect, and recalling them."""

from __future__ import annotations

from pathlib import Path

from auditor.model import Evidence, Priority, Remembered, Span, Suspect, Verdict, VerdictKind, Workload
from auditor.store import KINDS as STORED
from auditor.store import Location, Measured, Store, codes

SOURCE = "def f(rows):\n    return sorted(rows)[0]\n"
SUSPECT = Suspect("sort-for-extreme", "m.py", Span(2, 12, 2, 24), "f", "message", "print", ())
BENCH = Workload("bench", "python bench.py", "/x")
ROW = Evidence("seconds", 0.0002, 0.0001, float("inf"), "s", 3, "probes", "bench", 0.05)
LIMITS = {"seconds": 0.05, "share": 0.02}
KINDS = (*STORED, VerdictKind.NOT_MEASURABLE)
MONDAY, TUESDAY = "2026-11-02T10:00:00+00:00", "2026-11-03T10:00:00+00:00"


def a_store(project: Path, **limits: float) -> Store:
    return Store(Location(project / ".audit" / "evidence.db", project), [SUSPECT], project, {**LIMITS, **limits})


def keep(
    project: Path,
    kind: VerdictKind = VerdictKind.REJECTED,
    when: str = MONDAY,
    workload: Workload = BENCH,
    priority: Priority | None = None,
    python: str = "3.11",
) -> None:
    verdict = Verdict(kind, "0.2 ms of 41 s.", (ROW,))
    code = codes([SUSPECT], project)["print"]
    a_store(project).remember([Measured(SUSPECT, code, workload, python, verdict, priority)], when, "1")


def recalled(project: Path, *workloads: Workload, **limits: float) -> tuple[Remembered, ...]:
    return a_store(project, **limits).recall(workloads).get("print", ())
