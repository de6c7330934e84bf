"""Stall: every line of its table, told as a measurement and what is said of it."""

from __future__ import annotations

import pytest

from auditor.model import (
    Evidence,
    Stall,
    VerdictKind,
)
from tests.judge.telling import (
    CONFIRMED,
    INCONCLUSIVE,
    KILLED,
    NOT_MEASURABLE,
    REJECTED,
    Range,
    row,
    said,
    seen,
)


def stall(longest: float, total: Range, spy: Range | None = None, on_loop: float = 100) -> list[Evidence]:
    rows = [row("loop_hits", on_loop), row("stall_longest", longest, unit="s"), row("stall_total", total, unit="s")]
    return rows + ([row("stall", spy, "py-spy", "s")] if spy is not None else [])


@pytest.mark.parametrize(
    ("rows", "kind", "why"),
    [
        (stall(0.051, 5.0, (4.0, 6.0)), CONFIRMED, "stood still for 5 s of 10 s, at most 0.051 s at once"),
        (stall(0.001, 2.0, (1.0, 3.0)), CONFIRMED, "100 executions"),
        (stall(0.06, 0.18, on_loop=4), CONFIRMED, "by the probes alone"),
        (stall(0.06, 0.18, (0.02, 0.2), on_loop=4), CONFIRMED, "at most 0.06 s at once"),
        (stall(0.06, 0.18, (0.0, 0.03), on_loop=4), INCONCLUSIVE, "at most 0.03 s in the unmodified program"),
        (stall(0.001, 2.0, (0.0, 0.03)), REJECTED, "at most 0.03 s in the unmodified program"),
        (stall(0.001, 2.0, (0.0, 3.0)), INCONCLUSIVE, "py-spy saw too little to tell; run it for at least 40 s"),
        (stall(0.06, 0.06, (0.02, 0.2), on_loop=1), INCONCLUSIVE, "run it for 10 executions"),
        (stall(0.06, 0.07), INCONCLUSIVE, "may be the machine's doing"),
        (stall(0.001, 0.01, (0.0, 0.03)), REJECTED, "stood still for 0.01 s"),
        (stall(0.02, 0.02), REJECTED, "stood still for 0.02 s"),
        (stall(0.04, 0.04), INCONCLUSIVE, "run it with inputs 1.3 times as large"),
        (stall(0.001, (0.1, 0.3)), INCONCLUSIVE, "run it for at least"),
        ([*stall(0.0, 0.0, on_loop=0), row("seconds", 0.02)], REJECTED, "1,000 executions, and they took 0.02 s"),
        ([*stall(0.0, 0.0, on_loop=0), row("seconds", 0.03)], INCONCLUSIVE, "of asyncio or trio"),
        (stall(0.0, 0.0, on_loop=0), INCONCLUSIVE, "run it on one"),
        ([row("loop_hits", 100)], NOT_MEASURABLE, "not every stand-still"),
        ([row("stall_longest", 1.0)], NOT_MEASURABLE, "were not counted"),
    ],
)
def test_an_event_loop_stands_still_or_not(rows: list[Evidence], kind: VerdictKind, why: str) -> None:
    verdict = said(Stall(), seen(*rows))
    assert verdict.kind is kind
    assert why.lower() in verdict.reason.lower()


@pytest.mark.parametrize(
    ("on_loop", "rest", "rest_longest", "kind"),
    [
        (100, 0.01, 0.001, REJECTED),
        (99, 0.01, 0.001, INCONCLUSIVE),
        (20, 0.01, 0.001, INCONCLUSIVE),
        (3, 0.01, 0.01, INCONCLUSIVE),
        (3, 0.06, 0.06, CONFIRMED),
        (100, 0.01, 0.03, CONFIRMED),
        (100, 0.3, 0.001, CONFIRMED),
    ],
)
def test_what_blocks_at_its_first_use_only(on_loop: float, rest: float, rest_longest: float, kind: VerdictKind) -> None:
    rows = [*stall(0.5, 0.5 + rest, on_loop=on_loop), row("stall_rest", rest), row("stall_rest_longest", rest_longest)]
    assert said(Stall(), seen(*rows)).kind is kind


def test_no_execution_on_a_loop_means_little_where_not_all_was_seen() -> None:
    partly = seen(*stall(0.0, 0.0, on_loop=0), gaps=KILLED)
    assert said(Stall(), partly).kind is NOT_MEASURABLE


def test_two_executions_of_which_one_is_short_may_be_the_first_use_alone() -> None:
    rest = row("stall_rest", 0.0), row("stall_rest_longest", 0.0)
    assert said(Stall(), seen(*stall(1.0, 1.001, on_loop=2), *rest)).kind is INCONCLUSIVE
    assert said(Stall(), seen(*stall(1.0, 1.9, on_loop=2), *rest)).kind is CONFIRMED
