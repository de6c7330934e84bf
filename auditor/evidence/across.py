"""What several runs of one workload say together: of the same size, or over sizes. Pure functions over evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median_low

from auditor.model import Evidence, Gap, Observation
from auditor.stats import Estimate, over_runs, power_law

SAMPLED = ("py-spy",)
"""Collectors whose intervals are sampling errors, which are independent from run to run."""

EXPONENTS = {"seconds": "size_exponent", "share": "share_exponent"}
TIMED_BY = ("probes", "py-spy")


def same_size(runs: Sequence[Observation]) -> Observation:
    """Repeated runs as one observation, whatever their order.

    Estimates become a mean with the interval of `auditor.stats.over_runs`. Counts, which are exact in each run, become
    the middle run's, from the least to the greatest. A gap in one run is a gap of all: not everything was seen. Of the
    tests that ran the suspect, those of the run with most are named.

    Raises:
        ValueError: there are no runs.
    """
    if not runs:
        raise ValueError("no runs")
    if len(runs) == 1:
        return runs[0]
    rows: dict[tuple[str, str, str], list[Evidence]] = {}
    for run in runs:
        for row in run.evidence:
            rows.setdefault((row.metric, row.collector, row.unit), []).append(row)
    gaps: dict[Gap, None] = dict.fromkeys(sorted((gap for run in runs for gap in run.gaps), key=lambda gap: gap.reason))
    return Observation(
        workload=runs[0].workload,
        wall_s=sum(sorted(run.wall_s for run in runs)) / len(runs),
        evidence=tuple(_together(same) for _, same in sorted(rows.items())),
        gaps=tuple(gaps),
        tests=max((run.tests for run in runs if run.tests), key=lambda tests: (tests.total, tests.most), default=None),
    )


def _together(rows: Sequence[Evidence]) -> Evidence:
    n = sum(row.n for row in rows)
    if all(row.low == row.value == row.high for row in rows) and rows[0].unit != "s":
        values = sorted(row.value for row in rows)
        value, low, high = median_low(values), values[0], values[-1]
    else:
        runs = [Estimate(row.value, row.low, row.high) for row in rows]
        value, low, high = over_runs(runs, independent=rows[0].collector in SAMPLED)
    first = rows[0]
    return Evidence(first.metric, value, low, high, first.unit, n, first.collector, first.workload)


def over_sizes(runs: Sequence[tuple[int, Observation]]) -> tuple[Evidence, ...]:
    """How cost moves with the size of the workload, n: exponents of power laws, where the runs support a fit.

    size_exponent: of the seconds, by each collector. share_exponent: of their share of the run. hit_exponent: of the
    seconds per execution. input_exponent: of the greatest size that the operation itself met, which says whether n
    drives it.
    """
    found: list[Evidence] = []
    for collector in TIMED_BY:
        for metric, name in EXPONENTS.items():
            found += _fitted(name, collector, _points(runs, metric, collector))
        found += _fitted("hit_exponent", collector, _per_hit(runs, collector))
    found += _fitted("input_exponent", "probes", _points(runs, "size_max", "probes"))
    return tuple(found)


def _points(
    runs: Sequence[tuple[int, Observation]], metric: str, collector: str
) -> list[tuple[float, Estimate, Evidence]]:
    rows = [(size, run.get(metric, collector)) for size, run in runs]
    return [(size, Estimate(row.value, row.low, row.high), row) for size, row in rows if row is not None]


def _per_hit(runs: Sequence[tuple[int, Observation]], collector: str) -> list[tuple[float, Estimate, Evidence]]:
    found: list[tuple[float, Estimate, Evidence]] = []
    for size, run in runs:
        row, hits = run.get("seconds", collector), run.get("hits")
        if row is not None and hits is not None and hits.value > 0:
            found.append((size, Estimate(*(part / hits.value for part in (row.value, row.low, row.high))), row))
    return found


def _fitted(metric: str, collector: str, points: Sequence[tuple[float, Estimate, Evidence]]) -> tuple[Evidence, ...]:
    exponent = power_law([(size, estimate) for size, estimate, _ in points])
    if exponent is None:
        return ()
    return (Evidence(metric, *exponent, "exponent", len(points), collector, points[0][2].workload),)


def by_size(runs: Mapping[int, Sequence[Observation]]) -> Observation:
    """One observation of a workload with sizes: what its greatest size showed, and how cost moves over all of them.

    Of a suspect that ran at lesser sizes only, the greatest of those speaks.
    """
    joined = {size: same_size(runs[size]) for size in sorted(runs)}
    ran = [size for size, one in joined.items() if (hits := one.get("hits")) is not None and hits.value > 0]
    decisive = joined[max(ran or joined)]
    exponents = over_sizes([(size, one) for size in sorted(runs) for one in runs[size]])
    return replace(decisive, evidence=(*decisive.evidence, *exponents))
