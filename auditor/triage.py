"""How soon a finding deserves attention, and what a repair could gain at most. Pure functions over verdicts.

    confirmed                             P0                        P1                     P2                 P3
    Backlog                               always
    Survivors, left behind                always
    Survivors, many alive at once                                   always
    Survivors, costly to make anew                                                         always
    Scaling                               share 25 % or more        otherwise
    Stall                                 1 s at once or more       otherwise
    Reuse                                                           50 or more per peer    otherwise
    Cost, Repetition, Wait                                          share 25 % or more     share 10 % or more otherwise

What grows with time ends in a crash and outranks what grows with input, which outranks a constant cost of the same
share. An inconclusive Backlog, Survivors or Scaling is P3, as what is small today may not stay so. Nothing else has a
priority.

"Share" is that of the run, of the collector that saw less, or of peak memory where the rule asks for memory; of several
workloads the one where it is greatest counts. For Repetition it is that of the time in repeats, for Wait that of
waiting.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

from auditor.model import (
    Backlog,
    Cost,
    Gain,
    Priority,
    Repetition,
    Reuse,
    Scaling,
    Stall,
    Survivors,
    VerdictKind,
    Wait,
)

if TYPE_CHECKING:
    from auditor.config import Thresholds
    from auditor.model import Evidence, Expectation, Verdict

# A quarter of the run: a repair may make it a third faster, which users notice.
DOMINATES = 0.25
# A tenth: a repair shows in a benchmark without many repetitions.
VISIBLE = 0.10
# A stand-still of a second is longer than clients take for a working service.
OUTAGE_S = 1.0
# Connections to one peer: five times the ten at which opening them anew is confirmed.
WASTEFUL = 50.0
# The time that a repair could save, over the run. Each is a bound, so the least counts.
SHARES = ("share", "repeat_share", "waited_share")


def triage(expects: Expectation, verdict: Verdict, thresholds: Thresholds) -> Priority | None:
    """The table above."""
    if verdict.kind is VerdictKind.INCONCLUSIVE and isinstance(expects, Backlog | Survivors | Scaling):
        return Priority.P3
    if verdict.kind is not VerdictKind.CONFIRMED:
        return None
    match expects:
        case Backlog():
            return Priority.P0
        case Survivors():
            return min((_survivors(rows, thresholds) for rows in _by_workload(verdict)), default=Priority.P2)
        case Scaling():
            return Priority.P0 if _share(verdict) >= DOMINATES else Priority.P1
        case Stall():
            longest = max((row.value for row in verdict.evidence if row.metric == "stall_longest"), default=0.0)
            return Priority.P0 if longest >= OUTAGE_S else Priority.P1
        case Reuse():
            return Priority.P1 if _connections_per_peer(verdict) >= WASTEFUL else Priority.P2
        case Cost() | Repetition() | Wait():
            cost = expects if isinstance(expects, Cost) else Cost()
            share = _share(verdict, memory=cost.memory, time=cost.time)
            return Priority.P1 if share >= DOMINATES else Priority.P2 if share >= VISIBLE else Priority.P3
        case _:
            assert_never(expects)


def gain(expects: Expectation, verdict: Verdict) -> Gain | None:
    """What removing the cost altogether would speed the workload up by: 1 / (1 - share), Amdahl's law.

    Each collector bounds the share from above, so the smaller bound counts; of several workloads, the one with most to
    gain. None unless confirmed with a share of the run's time, which a leak or a backlog has not.
    """
    if verdict.kind is not VerdictKind.CONFIRMED or isinstance(expects, Backlog | Survivors):
        return None
    if isinstance(expects, Cost) and not expects.time:
        return None
    bounds = []
    for rows in _by_workload(verdict):
        shares = _shares(rows)
        if shares:
            bounds.append((min(row.high for row in shares), min(row.low for row in shares)))
    if not bounds:
        return None
    high, low = max(bounds)
    return Gain(_amdahl(low), _amdahl(high))


def _amdahl(share: float) -> float:
    return 1 / (1 - share) if share < 1 else math.inf


def _survivors(rows: list[Evidence], thresholds: Thresholds) -> Priority:
    """What one workload that confirmed says, by what it must have been confirmed for."""
    lows = {row.metric: row.low for row in rows}
    values = {row.metric: row.value for row in rows}
    left = lows.get("alive_end", 0.0) + lows.get("destroyed_pending", 0.0)
    if left >= thresholds.survivors and left >= values.get("created", values.get("hits", 0.0)) / 2:
        return Priority.P0
    is_growing = all(
        any(row.metric == metric and row.low >= (row.threshold or math.inf) for row in rows)
        for metric in ("kept", "lasting")
    )
    if is_growing and left >= 2 * thresholds.survivors:
        return Priority.P0
    crowd = is_growing or any(row.metric == "alive_peak" and row.low >= (row.threshold or math.inf) for row in rows)
    return Priority.P1 if crowd else Priority.P2


def _connections_per_peer(verdict: Verdict) -> float:
    values = ({row.metric: row.value for row in rows} for rows in _by_workload(verdict))
    return max((each.get("connections", 0.0) / max(1.0, each.get("peers", 0.0)) for each in values), default=0.0)


def _share(verdict: Verdict, *, memory: bool = False, time: bool = True) -> float:
    greatest = 0.0
    for rows in _by_workload(verdict):
        if time:
            greatest = max(greatest, min((row.value for row in _shares(rows)), default=0.0))
        if memory:
            greatest = max(greatest, max((row.value for row in rows if row.metric == "peak_share"), default=0.0))
    return greatest


def _shares(rows: list[Evidence]) -> list[Evidence]:
    """The shares of one workload; a sampler says nothing of what is awaited, which is on no stack."""
    is_awaited = any(row.metric == "waited_share" for row in rows)
    return [row for row in rows if row.metric in SHARES and not (is_awaited and row.collector != "probes")]


def _by_workload(verdict: Verdict) -> list[list[Evidence]]:
    names = sorted({row.workload for row in verdict.evidence})
    return [[row for row in verdict.evidence if row.workload == name] for name in names]
