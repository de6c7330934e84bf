"""Repetition: every line of its table, told as a measurement and what is said of it."""

from __future__ import annotations

import pytest

from auditor.model import (
    Evidence,
    Repetition,
    VerdictKind,
)
from tests.judge.telling import (
    CONFIRMED,
    INCONCLUSIVE,
    KILLED,
    NOT_MEASURABLE,
    REJECTED,
    Range,
    ends,
    row,
    said,
    seen,
    time,
)


def repeated(repeats: Range, spent: Range, spy: Range | None = None, wall_s: float = 10.0) -> list[Evidence]:
    low, high = ends(spent)
    rows = [row("repeats", repeats), row("repeat_seconds", (low, high), unit="s")]
    rows.append(row("repeat_share", (low / wall_s, high / wall_s)))
    return [*rows, *time(None, spy, wall_s)]


@pytest.mark.parametrize(
    ("repeats", "spent", "spy", "kind", "why"),
    [
        (900, 2.0, 2.2, CONFIRMED, "2 s of 10 s (20 %) in what was done before, 900 of 1,000 executions"),
        (500, 2.0, 2.2, CONFIRMED, "500 of 1,000"),
        (499, 2.0, 2.2, INCONCLUSIVE, "run it at least 2,000 times with inputs as they come in real use"),
        (99, 2.0, 2.2, REJECTED, "its input is hardly ever the same"),
        ((0, 700), (0.0, 2.0), 2.2, INCONCLUSIVE, "the inputs of 700 more cannot be compared without running code"),
        ((0, 400), (0.0, 2.0), 2.2, INCONCLUSIVE, "with inputs as they come in real use"),
        (900, 2.0, (0.0, 5.0), INCONCLUSIVE, "anything from 0 % to 50 % of the run fits what py-spy saw"),
        (900, 0.001, 2.2, REJECTED, "at most 1 ms"),
        (900, 2.0, 0.002, INCONCLUSIVE, "the probes timed 2 s"),
        (
            900,
            2.0,
            (0.1, 0.5),
            INCONCLUSIVE,
            "from 1 % to 5 % of the run fits what py-spy saw; run it for at least 82 s",
        ),
        (900, (0.1, 0.5), 2.0, INCONCLUSIVE, "run it for at least 20 s"),
        (900, 2.0, None, CONFIRMED, "by the probes alone"),
    ],
)
def test_repeating_counts_if_it_is_often_and_costs(
    repeats: Range, spent: Range, spy: Range | None, kind: VerdictKind, why: str
) -> None:
    verdict = said(Repetition(), seen(*repeated(repeats, spent, spy)))
    assert verdict.kind is kind
    assert why.lower() in verdict.reason.lower()


def test_nine_repeats_may_belong_to_starting_up() -> None:
    verdict = said(Repetition(), seen(*repeated(9, 2.0, 2.0), hits=10))
    assert verdict.kind is INCONCLUSIVE
    assert "run it at least 100 times" in verdict.reason


def test_few_new_inputs_refute_no_repetition() -> None:
    assert said(Repetition(), seen(*repeated(0, 2.0, 2.0), hits=99)).kind is INCONCLUSIVE
    assert said(Repetition(), seen(*repeated(0, 2.0, 2.0), hits=100)).kind is REJECTED


def test_repeats_that_may_cost_no_more_than_the_probe_are_not_measurable() -> None:
    verdict = said(Repetition(), seen(*repeated(900_000, 0.3), hits=1_000_000))
    assert verdict.kind is NOT_MEASURABLE
    assert "may be the probe's own cost" in verdict.reason


def test_of_a_call_that_is_awaited_the_sampler_sees_nothing() -> None:
    verdict = said(Repetition(), seen(*repeated(900, 2.0, 0.0), row("waited", 2.5)))
    assert verdict.kind is CONFIRMED
    assert "2 s of 10 s" in verdict.reason
    assert "py-spy does not see what is awaited" in verdict.reason


def test_repetition_needs_its_own_counts() -> None:
    assert said(Repetition(), seen(*time(2.0, 2.0))).kind is NOT_MEASURABLE
    later = said(Repetition(), seen(row("repeats", 99, unit="executions"), hits=100))
    assert later.kind is NOT_MEASURABLE
    assert "99 of 100 executions had an input seen before, but their items are made or read later" in later.reason
    partly = seen(*repeated(99, 2.0, 2.0), gaps=KILLED)
    assert said(Repetition(), partly).kind is NOT_MEASURABLE
    cheap = seen(*repeated(99, 0.0, (0.1, 0.5)), gaps=KILLED)
    assert said(Repetition(), cheap).kind is NOT_MEASURABLE
