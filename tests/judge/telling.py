"""Measurements told in few words, and what the judge says of them."""

from __future__ import annotations

from auditor.config import Thresholds
from auditor.judge import judge
from auditor.model import (
    Evidence,
    Expectation,
    Gap,
    Observation,
    Verdict,
    VerdictKind,
)

CONFIRMED, REJECTED = VerdictKind.CONFIRMED, VerdictKind.REJECTED
INCONCLUSIVE, NOT_MEASURABLE = VerdictKind.INCONCLUSIVE, VerdictKind.NOT_MEASURABLE
Range = float | tuple[float, float]

KILLED = {"probes": "one process was killed before it reported"}
"""The gap that a killed process leaves."""


def ends(value: Range) -> tuple[float, float]:
    """Both ends of an interval; those of an exact number are the number."""
    return value if isinstance(value, tuple) else (value, value)


def row(metric: str, value: Range, collector: str = "probes", unit: str = "", n: int = 1000) -> Evidence:
    """An exact number, or an interval with its value in the middle."""
    low, high = ends(value)
    return Evidence(metric, (low + high) / 2, low, high, unit, n, collector, "bench")


def seen(*rows: Evidence, wall_s: float = 10.0, hits: float = 1000, gaps: dict[str, str] | None = None) -> Observation:
    missing = tuple(Gap(collector, "bench", reason) for collector, reason in (gaps or {}).items())
    return Observation("bench", wall_s, (row("hits", hits, unit="executions"), *rows), missing)


def time(probes: Range | None = None, spy: Range | None = None, wall_s: float = 10.0) -> tuple[Evidence, ...]:
    """Seconds and shares of a run of `wall_s`, as both collectors give them."""
    rows: list[Evidence] = []
    for collector, amount in (("probes", probes), ("py-spy", spy)):
        if amount is not None:
            low, high = ends(amount)
            rows.append(row("seconds", (low, high), collector, "s"))
            rows.append(row("share", (low / wall_s, high / wall_s), collector, "ratio"))
    return tuple(rows)


def census(created: float, end: float, peak: float = 1, pending: float = 0, unit: str = "tasks") -> list[Evidence]:
    numbers = {"created": created, "alive_end": end, "alive_peak": peak, "destroyed_pending": pending}
    return [row(metric, value, unit=unit) for metric, value in numbers.items()]


def said(expects: Expectation, *observations: Observation) -> Verdict:
    return judge(expects, observations, Thresholds())


def sizes(least: float, most: float) -> tuple[Evidence, Evidence]:
    return row("size_min", least, unit="items"), row("size_max", most, unit="items")
