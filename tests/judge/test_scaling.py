"""Scaling: every line of its table, told as a measurement and what is said of it."""

from __future__ import annotations

import pytest

from auditor.model import (
    Evidence,
    Scaling,
    VerdictKind,
)
from tests.judge.telling import (
    CONFIRMED,
    INCONCLUSIVE,
    NOT_MEASURABLE,
    REJECTED,
    row,
    said,
    seen,
    sizes,
    time,
)

HOT, COLD, DOUBT = time(5, 5), time(0.001, 0.001), time((0.1, 0.5), (0.1, 0.5))


@pytest.mark.parametrize(
    ("rows", "hits", "kind", "why"),
    [
        ((*HOT, row("growth", (0.9, 1.1))), 1000, CONFIRMED, "grows with size (exponent 1)"),
        ((*HOT, row("growth", (-0.1, 0.1))), 1000, REJECTED, "cost per execution stays constant"),
        ((*HOT, row("growth", (0.3, 0.7))), 1000, INCONCLUSIVE, "run it at least 4,000 times"),
        # whatever the exponent is, it grows, and is far dearer than it need be
        ((*HOT, row("growth", (0.2, 1.2)), row("cost_ratio", (10, 14))), 1000, CONFIRMED, "and is 12 times that of"),
        ((*HOT, row("growth", (0.1, 1.2)), row("cost_ratio", (10, 14))), 1000, INCONCLUSIVE, "lies between 0.10 and"),
        ((*HOT, row("growth", (0.2, 1.2)), row("cost_ratio", (3, 14))), 1000, INCONCLUSIVE, "lies between 0.20 and"),
        (
            (*HOT, *sizes(900, 1000), row("cost_ratio", (10, 14))),
            1000,
            CONFIRMED,
            "12 times that of the cheap alternative",
        ),
        ((*HOT, *sizes(900, 1000), row("cost_ratio", (3, 9))), 1000, INCONCLUSIVE, "8 to 8,000 items"),
        ((*HOT, *sizes(10, 1000), row("cost_ratio", 12)), 1000, INCONCLUSIVE, "do not tell whether cost per execution"),
        (
            (*HOT, *sizes(5, 5), row("cost_ratio", (2, 3))),
            1000,
            REJECTED,
            "2.5 times the cost of the cheap alternative",
        ),
        ((*DOUBT, *sizes(1, 64), row("cost_ratio", (2, 3))), 1000, REJECTED, "with up to 64 items"),
        ((*HOT, *sizes(5, 5), row("cost_ratio", (2, 5))), 1000, INCONCLUSIVE, "from 5 to 5"),
        ((*HOT, *sizes(5, 5), row("cost_ratio", (2, 3))), 999, INCONCLUSIVE, "from 5 to 5"),
        (HOT, 1000, INCONCLUSIVE, "no size was seen"),
        ((*COLD, *sizes(1, 1000)), 1000, REJECTED, "with up to 1,000 items"),
        ((*COLD, *sizes(1, 8)), 20, INCONCLUSIVE, "the largest size seen was 8 items; run it with at least 1,000"),
        ((*COLD, *sizes(1, 64)), 1000, REJECTED, "with up to 64 items"),
        ((*COLD, *sizes(200, 200)), 1000, REJECTED, "with up to 200 items"),
        ((*COLD, *sizes(100, 200)), 1000, INCONCLUSIVE, "the largest size seen was 200 items"),
        ((*COLD, row("growth", (-0.1, 0.1))), 20, REJECTED, "stays constant"),
        (COLD, 1000, INCONCLUSIVE, "no size was seen"),
        ((*DOUBT, row("growth", (0.9, 1.1))), 1000, INCONCLUSIVE, "run it for at least"),
        ((row("growth", (0.9, 1.1)),), 1000, NOT_MEASURABLE, "not timed"),
    ],
)
def test_growth_and_time_together(rows: tuple[Evidence, ...], hits: float, kind: VerdictKind, why: str) -> None:
    verdict = said(Scaling(), seen(*rows, hits=hits))
    assert verdict.kind is kind
    assert why.lower() in verdict.reason.lower()


def test_where_one_execution_in_all_would_do_a_constant_cost_counts() -> None:
    constant = row("growth", (-0.1, 0.1)), row("size_max", 5000)
    assert said(Scaling(avoidable=True), seen(*time(2, 2), *constant)).kind is CONFIRMED
    assert said(Scaling(), seen(*time(2, 2), *constant)).kind is REJECTED
    assert said(Scaling(avoidable=True), seen(*time(0.001, 0.001), *constant)).kind is REJECTED


def test_a_copy_of_a_few_items_is_not_what_is_looked_for_however_hot_it_is() -> None:
    # what else an addition takes is many look-ups, the more so on a busy machine
    hot = (*HOT, row("cost_ratio", (33, 65)))
    verdict = said(Scaling(copies=True), seen(*hot, *sizes(1, 64), hits=960_000))
    assert verdict.kind is REJECTED
    assert "Copies of up to 64 items" in verdict.reason
    assert said(Scaling(), seen(*hot, *sizes(32, 64), hits=960_000)).kind is CONFIRMED
    assert said(Scaling(copies=True), seen(*hot, *sizes(32, 65), hits=960_000)).kind is CONFIRMED
    assert said(Scaling(copies=True), seen(*hot, *sizes(32, 64), hits=999)).kind is CONFIRMED


def test_a_growth_that_is_known_is_no_false_alarm_where_a_few_times_the_size_make_it_costly() -> None:
    growing = row("growth", (0.9, 1.1)), row("size_max", 8000)
    near = said(Scaling(), seen(*time(0.1, 0.1), *growing))
    assert near.kind is INCONCLUSIVE
    assert "times as many items" in near.reason
    assert said(Scaling(), seen(*time(0.01, 0.01), *growing)).kind is REJECTED
