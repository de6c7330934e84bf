"""Priorities and gains, told as a verdict and what follows from it."""

from __future__ import annotations

import math

import pytest

from auditor.config import Thresholds
from auditor.model import (
    Backlog,
    Cost,
    Evidence,
    Expectation,
    Priority,
    Repetition,
    Reuse,
    Scaling,
    Stall,
    Survivors,
    Verdict,
    VerdictKind,
    Wait,
)
from auditor.triage import gain, triage


def row(
    metric: str,
    value: float,
    low: float | None = None,
    high: float | None = None,
    collector: str = "probes",
    workload: str = "bench",
    threshold: float | None = None,
) -> Evidence:
    least, most = value if low is None else low, value if high is None else high
    return Evidence(metric, value, least, most, "", 100, collector, workload, threshold)


def confirmed(*rows: Evidence) -> Verdict:
    return Verdict(VerdictKind.CONFIRMED, "It is so.", rows)


CROWD = row("alive_peak", 40, threshold=32)
GROWING = row("kept", 80, threshold=10), row("lasting", 0.9, threshold=0.5)


@pytest.mark.parametrize(
    ("expects", "rows", "priority"),
    [
        (Backlog(), (), Priority.P0),
        (Survivors("tasks"), (row("created", 300), row("alive_end", 300)), Priority.P0),
        (Survivors("tasks"), (row("created", 300), row("alive_end", 0), row("destroyed_pending", 253)), Priority.P0),
        (Survivors("threads"), (row("created", 300), row("alive_end", 0), CROWD), Priority.P1),
        (Survivors("executors"), (row("created", 300), row("alive_end", 0), row("churn", 4.0)), Priority.P2),
        (Survivors("files"), (row("created", 8000), row("alive_end", 160), *GROWING), Priority.P0),
        (Survivors("files"), (row("created", 8000), row("alive_end", 0), *GROWING), Priority.P1),
        (Scaling(), (row("share", 0.25),), Priority.P0),
        (Scaling(), (row("share", 0.24),), Priority.P1),
        (Stall(), (row("stall_longest", 1.0),), Priority.P0),
        (Stall(), (row("stall_longest", 0.9),), Priority.P1),
        (Reuse(), (row("connections", 100), row("peers", 2)), Priority.P1),
        (Reuse(), (row("connections", 98), row("peers", 2)), Priority.P2),
        (Cost(), (row("share", 0.25),), Priority.P1),
        (Cost(), (row("share", 0.10),), Priority.P2),
        (Cost(), (row("share", 0.02),), Priority.P3),
        (Cost(), (row("share", 0.02), row("share", 0.9, collector="py-spy")), Priority.P3),
        (Cost(), (row("share", 0.02), row("share", 0.3, workload="other")), Priority.P1),
        (Cost(), (row("share", 0.02), row("peak_share", 0.9)), Priority.P3),
        (Repetition(), (row("share", 0.9), row("repeat_share", 0.25)), Priority.P1),
        (Repetition(), (row("repeat_share", 0.9), row("share", 0.24, collector="py-spy")), Priority.P2),
        (
            Repetition(),
            (row("repeat_share", 0.3), row("waited_share", 0.4), row("share", 0.0, collector="py-spy")),
            Priority.P1,
        ),
        (Wait(), (row("waited_share", 0.25),), Priority.P1),
        (Wait(), (row("waited_share", 0.02),), Priority.P3),
        (Cost(memory=True), (row("share", 0.02), row("peak_share", 0.9)), Priority.P1),
        (Cost(memory=True, time=False), (row("share", 0.9), row("peak_share", 0.02)), Priority.P3),
    ],
)
def test_what_is_confirmed_has_a_priority(expects: Expectation, rows: tuple[Evidence, ...], priority: Priority) -> None:
    assert triage(expects, confirmed(*rows), Thresholds()) is priority


@pytest.mark.parametrize("kind", [kind for kind in VerdictKind if kind is not VerdictKind.CONFIRMED])
def test_what_is_not_confirmed_has_none_unless_it_may_grow(kind: VerdictKind) -> None:
    verdict = Verdict(kind, "It may be so.", (row("share", 0.5),))
    may_grow = Priority.P3 if kind is VerdictKind.INCONCLUSIVE else None
    for expects in (Backlog(), Survivors("tasks"), Scaling()):
        assert triage(expects, verdict, Thresholds()) is may_grow
    for other in (Cost(), Reuse(), Stall(), Repetition(), Wait()):
        assert triage(other, verdict, Thresholds()) is None
    assert gain(Cost(), verdict) is None


def test_the_gain_is_bounded_by_the_smaller_of_two_upper_bounds() -> None:
    rows = row("share", 0.2, 0.1, 0.25), row("share", 0.5, 0.4, 0.6, collector="py-spy")
    bound = gain(Cost(), confirmed(*rows))
    assert bound is not None
    assert (bound.low, bound.high) == pytest.approx((1 / 0.9, 1 / 0.75))


def test_the_gain_is_that_of_the_workload_with_most_to_gain() -> None:
    bound = gain(Scaling(), confirmed(row("share", 0.1), row("share", 0.5, workload="other")))
    assert bound is not None
    assert (bound.low, bound.high) == (2.0, 2.0)


def test_a_share_of_the_whole_run_has_no_upper_bound() -> None:
    bound = gain(Cost(), confirmed(row("share", 1.0, 0.9, 1.0)))
    assert bound is not None
    assert bound.high == math.inf


def test_leaks_and_what_has_no_share_have_no_gain() -> None:
    assert gain(Backlog(), confirmed(row("share", 0.5))) is None
    assert gain(Survivors("tasks"), confirmed(row("share", 0.5))) is None
    assert gain(Reuse(), confirmed(row("connections", 100))) is None


def test_the_gain_of_not_repeating_and_of_not_waiting_is_that_of_their_own_share() -> None:
    repeating = gain(Repetition(), confirmed(row("share", 0.9), row("repeat_share", 0.5)))
    assert repeating is not None
    assert (repeating.low, repeating.high) == (2.0, 2.0)
    waiting = gain(Wait(), confirmed(row("waited_share", 0.5)))
    assert waiting is not None
    assert (waiting.low, waiting.high) == (2.0, 2.0)
