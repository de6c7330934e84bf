"""What runs at several sizes say of growth."""

from __future__ import annotations

import pytest

from auditor.judge import words
from auditor.model import (
    Cost,
    Evidence,
    Scaling,
    VerdictKind,
)
from tests.judge.telling import (
    CONFIRMED,
    INCONCLUSIVE,
    KILLED,
    REJECTED,
    Range,
    row,
    said,
    seen,
    time,
)


def over_n(metric: str, value: Range, collector: str = "probes") -> Evidence:
    return row(metric, value, collector, "exponent", 3)


def test_one_execution_that_grows_over_sizes_is_confirmed() -> None:
    verdict = said(
        Scaling(),
        seen(*time(2, 2), over_n("hit_exponent", (0.9, 1.3)), over_n("size_exponent", (0.9, 1.3)), hits=1),
    )
    assert verdict.kind is CONFIRMED
    assert verdict.reason == (
        "2 s of 10 s (20 %) in 1 execution, cost per execution grows with n (exponent 1.10);"
        " over n its seconds grow as n^1.10 (linear)."
    )


def test_growth_over_sizes_in_doubt_confirms_nothing() -> None:
    assert said(Scaling(), seen(*time(2, 2), over_n("hit_exponent", (0.3, 1.3)), hits=1)).kind is INCONCLUSIVE


def test_a_cost_that_follows_n_in_step_is_rejected_if_n_drives_the_operation() -> None:
    constant = over_n("hit_exponent", (-0.2, 0.2))
    driven, idle = over_n("input_exponent", (0.8, 1.2)), over_n("input_exponent", (-0.2, 0.2))
    assert said(Scaling(), seen(*time(2, 2), constant, driven)).kind is REJECTED
    assert said(Scaling(), seen(*time(2, 2), constant)).kind is REJECTED
    assert said(Scaling(), seen(*time(2, 2), constant, idle)).kind is INCONCLUSIVE
    assert said(Scaling(), seen(*time(2, 2), constant, driven, gaps=KILLED)).kind is INCONCLUSIVE


@pytest.mark.parametrize(("growth", "kind"), [((0.9, 1.1), INCONCLUSIVE), ((0.1, 0.3), REJECTED)])
def test_what_grows_and_is_hot_in_the_plain_program_is_not_cheap_for_being_so_under_probes(
    growth: Range, kind: VerdictKind
) -> None:
    rows = *time(0.02, 2.0), row("growth", growth, unit="exponent"), row("size_max", 300_000, unit="items")
    assert said(Scaling(), seen(*rows)).kind is kind


def test_growth_in_one_run_is_not_outvoted_by_sizes_that_do_not_drive_it() -> None:
    rows = (*time(2, 2), row("growth", (0.9, 1.1)), over_n("hit_exponent", (-0.2, 0.2)))
    assert said(Scaling(), seen(*rows)).kind is CONFIRMED


def test_a_run_and_the_sizes_that_contradict_one_another_are_doubt_and_both_are_said() -> None:
    verdict = said(Scaling(), seen(*time(2, 2), row("growth", (-0.1, 0.1)), over_n("hit_exponent", (0.8, 1.2))))
    assert verdict.kind is INCONCLUSIVE
    assert "stays constant (exponent 0)" in verdict.reason
    assert "over n it grows (exponent 1.00)" in verdict.reason


def test_a_small_cost_that_would_soon_be_large_is_in_doubt() -> None:
    growing = over_n("size_exponent", (1.8, 2.2)), over_n("share_exponent", (0.8, 1.2))
    verdict = said(Cost(), seen(*time(0.04, 0.04), *growing))
    assert verdict.kind is INCONCLUSIVE
    assert "n^2.00 (quadratic); run it with n 5 times as large" in verdict.reason
    far = said(Cost(), seen(*time(0.004, 0.004), *growing))
    assert far.kind is REJECTED
    steady = said(Cost(), seen(*time(0.04, 0.04), growing[0], over_n("share_exponent", (-0.1, 0.1))))
    assert steady.kind is REJECTED


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.1, 0.1, "constant"),
        (0.9, 1.3, "linear"),
        (1.6, 2.4, "quadratic"),
        (2.7, 3.1, "cubic"),
        (3.8, 4.2, "n^4"),
        (0.8, 2.1, "between linear and quadratic"),
    ],
)
def test_an_exponent_has_a_plain_word(low: float, high: float, word: str) -> None:
    assert words.power(low, high) == word
