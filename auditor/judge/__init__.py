"""Verdicts: what the evidence says of a suspicion. Pure functions over data.

Every workload is judged by itself, by the one function for what the rule expects. The strongest word then holds: a cost
that one workload shows is there, however many others miss it. Disagreement is said, never averaged.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, assert_never

from auditor.judge import backlog, repetition, reuse, scaling, steep, survivors, wait
from auditor.judge.backlog import judge_backlog
from auditor.judge.capture import is_captured, judge_capture
from auditor.judge.cost import judge_cost
from auditor.judge.repetition import judge_repetition
from auditor.judge.reuse import judge_reuse
from auditor.judge.scaling import judge_scaling
from auditor.judge.seen import PROBES, Opinion, Seen, see
from auditor.judge.stall import judge_stall
from auditor.judge.survivors import judge_survivors
from auditor.judge.wait import judge_wait
from auditor.model import (
    UNMEASURED,
    Backlog,
    Cost,
    Repetition,
    Reuse,
    Scaling,
    Stall,
    Survivors,
    Verdict,
    VerdictKind,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.config import Thresholds
    from auditor.model import Evidence, Expectation, Observation

__all__ = ["judge"]

_STRENGTH = (
    VerdictKind.CONFIRMED,
    VerdictKind.INCONCLUSIVE,
    VerdictKind.REJECTED,
    VerdictKind.NOT_MEASURABLE,
    VerdictKind.NOT_EXERCISED,
)


class _Judged(NamedTuple):
    """One workload's verdict; `seconds` is the greatest time among its evidence."""

    rank: int
    seconds: float
    workload: str
    opinion: Opinion
    evidence: tuple[Evidence, ...]


def judge(expects: Expectation, observations: Sequence[Observation], thresholds: Thresholds) -> Verdict:
    """The verdict over all workloads; `observations` has at most one per workload.

    The evidence is that of the workloads which say so themselves, each row with the threshold it was held against.
    """
    if not observations:
        return UNMEASURED
    judged = sorted((_judge_workload(expects, one, thresholds) for one in observations), key=_place)
    decisive = judged[0]
    agreeing = [one for one in judged if one.rank == decisive.rank]
    return Verdict(
        kind=decisive.opinion.kind,
        reason=_sentence(decisive.opinion.reason + _elsewhere(judged)),
        evidence=tuple(row for one in agreeing for row in one.evidence),
    )


def _judge_workload(expects: Expectation, observation: Observation, thresholds: Thresholds) -> _Judged:
    seen = see(observation, thresholds)
    opinion = judge_capture(expects, seen) if is_captured(seen) else _exercised(seen) or _opinion(expects, seen)
    held = _held_against(expects, seen)
    rows = sorted(
        observation.evidence, key=lambda row: (row.metric, row.collector, row.value, row.low, row.high, row.n)
    )
    return _Judged(
        rank=_STRENGTH.index(opinion.kind),
        seconds=max((row.value for row in rows if row.unit == "s"), default=0.0),
        workload=observation.workload,
        opinion=opinion,
        evidence=tuple(replace(row, threshold=held.get(row.metric)) for row in rows),
    )


def _place(one: _Judged) -> tuple[int, float, str, Opinion]:
    """What decides comes first: the strongest word, then the dearest, then by name."""
    return one.rank, -one.seconds, one.workload, one.opinion


def _exercised(seen: Seen) -> Opinion | None:
    """What is to be said before any rule is asked: whether the flagged operation ran at all."""
    if seen.row("hits") is None:
        gaps = [seen.gap()] if PROBES in seen.gaps else [seen.gaps[name] for name in sorted(seen.gaps)]
        reason = gaps[0] if gaps else "its executions were not counted"
        return Opinion(VerdictKind.NOT_MEASURABLE, reason)
    if seen.hits > 0:
        return None
    if not seen.complete(PROBES):
        return Opinion(VerdictKind.NOT_MEASURABLE, f"no execution was counted, but not all was seen: {seen.gap()}")
    return Opinion(VerdictKind.NOT_EXERCISED, "the workload never ran it")


def _opinion(expects: Expectation, seen: Seen) -> Opinion:
    match expects:
        case Cost():
            return judge_cost(expects, seen)
        case Scaling():
            return judge_scaling(expects, seen)
        case Backlog():
            return judge_backlog(seen)
        case Survivors():
            return judge_survivors(expects, seen)
        case Reuse():
            return judge_reuse(expects, seen)
        case Stall():
            return judge_stall(seen)
        case Repetition():
            return judge_repetition(seen)
        case Wait():
            return judge_wait(seen)
        case _:
            assert_never(expects)


def _held_against(expects: Expectation, seen: Seen) -> Mapping[str, float]:
    """The threshold of every metric that the expectation's judge holds against one."""
    limits = seen.limits
    time = {"seconds": limits.seconds, "share": limits.share}
    match expects:
        case Cost(time=False):
            return {"peak_bytes": limits.bytes, "peak_share": limits.share}
        case Cost():
            time |= {"end_seconds": limits.seconds, "end_share": limits.share}
            return time | ({"peak_bytes": limits.bytes, "peak_share": limits.share} if expects.memory else {})
        case Scaling(steep=True):
            return time | {
                "beyond": limits.seconds,
                "beyond_share": limits.share,
                "growth": steep.PASS + limits.growth,
                "hit_exponent": steep.PASS + limits.growth,
                "size_max": steep.LONG,
            }
        case Scaling():
            return time | {
                "growth": limits.growth,
                "hit_exponent": limits.growth,
                "cost_ratio": scaling.DEARER,
                "size_max": scaling.LARGE,
            }
        case Backlog():
            return {"depth_max": limits.length, "depth_slope": backlog.FILLING, "kept_bytes": limits.bytes}
        case Survivors():
            held = dict.fromkeys(("alive_end", "left_most", "destroyed_pending"), limits.survivors)
            held |= {"kept": 2 * limits.survivors, "lasting": survivors.LASTING}
            crowd = survivors.crowd_of(seen)
            held |= {"alive_peak": crowd} if math.isfinite(crowd) else {}
            return held | ({"churn": max(limits.seconds, limits.share * seen.wall_s)} if expects.churn else {})
        case Reuse(pooled=True):
            return {"connections": reuse.ENOUGH, "pool_waited": limits.seconds, "pool_waited_share": limits.share}
        case Reuse():
            return {"hits": reuse.ENOUGH, "connections": reuse.ENOUGH, "per_hit": limits.reuse}
        case Stall():
            total = max(limits.seconds, limits.share * seen.wall_s)
            return {"stall_longest": limits.stall, "stall_total": total, "stall": min(limits.stall, limits.seconds)}
        case Repetition():
            often = max(repetition.ENOUGH, repetition.OFTEN * seen.hits)
            return {"repeats": often, "repeat_seconds": limits.seconds, "repeat_share": limits.share}
        case Wait():
            return {"hits": wait.ENOUGH, "waited": limits.seconds, "waited_share": limits.share}
        case _:
            assert_never(expects)


def _elsewhere(judged: Sequence[_Judged]) -> str:
    """Which workload decided and what the others say, where there are several."""
    if len(judged) == 1:
        return ""
    others = [f"{one.workload!r}: {one.opinion.kind.value}" for one in judged[1:]]
    return f" (workload {judged[0].workload!r}; {', '.join(others)})"


def _sentence(clause: str) -> str:
    text = clause.rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."
