"""One observation made ready for judging, and what a judge of one expectation answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from auditor.config import Thresholds
from auditor.model import Evidence, Observation, VerdictKind

PROBES = "probes"
PY_SPY = "py-spy"
MEMRAY = "memray"
CHAIN = "chain"
"""Names the gap of what should have timed the end of a suspect's chain of calls."""


class Opinion(NamedTuple):
    """What one workload says of a suspect, and why, in one clause."""

    kind: VerdictKind
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """Rows by metric and collector, gaps by collector, and the thresholds.

    A collector with a gap saw at most a part. What it did see may confirm; that it saw nothing more refutes nothing.
    """

    wall_s: float
    limits: Thresholds
    rows: Mapping[tuple[str, str], Evidence]
    gaps: Mapping[str, str]

    def row(self, metric: str, collector: str = PROBES) -> Evidence | None:
        """The evidence of that metric and collector, or None."""
        return self.rows.get((metric, collector))

    def low(self, metric: str, collector: str = PROBES) -> float:
        """The lower end of a metric, zero if it is absent: for confirming."""
        row = self.row(metric, collector)
        return row.low if row else 0.0

    def value(self, metric: str, collector: str = PROBES, default: float = 0.0) -> float:
        """The measured value of a metric, `default` if it is absent: for sizes and counts, and for reasons."""
        row = self.row(metric, collector)
        return row.value if row else default

    def complete(self, collector: str = PROBES) -> bool:
        """Whether the collector saw everything, so that the upper ends of its rows hold."""
        return collector not in self.gaps

    def gap(self, collector: str = PROBES) -> str:
        """Why the collector's data are missing or in part missing."""
        return self.gaps.get(collector, f"no such number from {collector}")

    @property
    def hits(self) -> float:
        """How often the flagged operation ran."""
        return self.value("hits")


def see(observation: Observation, limits: Thresholds) -> Seen:
    """Index an observation; where one number was delivered twice, the greater one counts, whatever the order."""
    ordered = sorted(observation.evidence, key=lambda row: (row.value, row.low, row.high, row.n, row.unit))
    gaps = sorted(observation.gaps, key=lambda gap: gap.reason, reverse=True)
    return Seen(
        wall_s=observation.wall_s,
        limits=limits,
        rows={(row.metric, row.collector): row for row in ordered},
        gaps={gap.collector: gap.reason for gap in gaps},
    )
