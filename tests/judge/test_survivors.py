"""Survivors: every line of its table, told as a measurement and what is said of it."""

from __future__ import annotations

import pytest

from auditor.model import (
    Evidence,
    Survivors,
    VerdictKind,
)
from tests.judge.telling import (
    CONFIRMED,
    INCONCLUSIVE,
    KILLED,
    NOT_MEASURABLE,
    REJECTED,
    Range,
    census,
    row,
    said,
    seen,
)


@pytest.mark.parametrize(
    ("rows", "kind", "why"),
    [
        (census(300, 300, 300), CONFIRMED, "300 of 300 tasks created were alive at the end"),
        (census(300, 0, 300, pending=253), CONFIRMED, "253 destroyed while pending"),
        (census(5, 5, 5), CONFIRMED, "5 of 5"),
        (census(300, 0, 300), REJECTED, "0 of 300"),
        (census(100, 4, 4), REJECTED, "4 of 100"),
        (census(1, 0), REJECTED, "0 of 1 task created"),
        (census(1, 1), INCONCLUSIVE, "run its unit of work at least 5 times"),
        (census(10, 3, 3), INCONCLUSIVE, "run its unit of work at least 20 times"),
        (census(100, 20, 20), INCONCLUSIVE, "run its unit of work 200 times"),
        (census(0, 0, 0), INCONCLUSIVE, "no tasks were created"),
        ([row("created", 100)], NOT_MEASURABLE, "was not counted"),
    ],
)
def test_what_is_left_at_the_end(rows: list[Evidence], kind: VerdictKind, why: str) -> None:
    verdict = said(Survivors("tasks"), seen(*rows, hits=300))
    assert verdict.kind is kind
    assert why.lower() in verdict.reason.lower()


@pytest.mark.parametrize(
    ("left", "spread", "kind"),
    [
        (8, 0.001, INCONCLUSIVE),
        (8, 0.049, INCONCLUSIVE),
        (8, 0.05, CONFIRMED),
        (8, 0.9, CONFIRMED),
        (32, 0.001, CONFIRMED),
    ],
)
def test_a_crew_made_at_once_is_no_leak_that_is_proven(left: int, spread: float, kind: VerdictKind) -> None:
    verdict = said(Survivors("tasks"), seen(*census(left, left, left), row("spread", spread), hits=left))
    assert verdict.kind is kind
    assert (kind is INCONCLUSIVE) == ("run its unit of work several times over" in verdict.reason)


@pytest.mark.parametrize(
    ("quiet", "rounds", "looks", "kind"),
    [
        (500, 1_000, False, INCONCLUSIVE),
        (499, 1_000, False, CONFIRMED),
        (500, 1_000, True, REJECTED),
        (499, 1_000, True, CONFIRMED),
        (60, 80, True, INCONCLUSIVE),
        (0, 20, False, CONFIRMED),
    ],
)
def test_what_is_made_when_it_is_needed_stops_being_made(
    quiet: int, rounds: int, looks: bool, kind: VerdictKind
) -> None:
    rows = [*census(20, 20, 20, unit="clients"), row("spread", 0.3), row("quiet", quiet), row("rounds", rounds)]
    verdict = said(Survivors("clients"), seen(*rows, *([row("found", rounds - 20)] if looks else []), hits=20))
    assert verdict.kind is kind
    assert (kind is CONFIRMED) != (f"none was created in the last {quiet} of" in verdict.reason)


def test_tasks_destroyed_while_pending_are_none_that_are_kept() -> None:
    rows = *census(20, 0, 20, pending=20), row("quiet", 900), row("rounds", 1_000), row("found", 980)
    assert said(Survivors("tasks"), seen(*rows, hits=20)).kind is CONFIRMED


@pytest.mark.parametrize(
    ("created", "peak", "unit", "kind"),
    [
        (60, 60, "threads", CONFIRMED),
        (1000, 32, "threads", CONFIRMED),
        (60, 60, "tasks", REJECTED),
        (20, 20, "threads", INCONCLUSIVE),
        (4, 4, "threads", REJECTED),
        (100, 8, "threads", REJECTED),
    ],
)
def test_threads_crowd_and_tasks_do_not(created: float, peak: float, unit: str, kind: VerdictKind) -> None:
    assert said(Survivors("threads"), seen(*census(created, 0, peak, unit=unit))).kind is kind


@pytest.mark.parametrize(
    ("churn", "created", "kind"),
    [
        ((2.0, 2.4), 300, CONFIRMED),
        ((2.0, 2.4), 1, REJECTED),
        ((0.0, 0.01), 300, REJECTED),
        ((0.1, 0.5), 300, INCONCLUSIVE),
        (None, 300, NOT_MEASURABLE),
    ],
)
def test_making_them_anew_may_be_the_cost(churn: Range | None, created: float, kind: VerdictKind) -> None:
    rows = census(created, 0, unit="executors") + ([row("churn", churn, "py-spy", "s")] if churn is not None else [])
    expects = Survivors("executors", churn=("threading.py:start",))
    assert said(expects, seen(*rows)).kind is kind


def test_a_census_with_a_hole_confirms_but_never_rejects() -> None:
    hole = KILLED
    assert said(Survivors("tasks"), seen(*census(300, 300), gaps=hole)).kind is CONFIRMED
    assert said(Survivors("tasks"), seen(*census(300, 0), gaps=hole)).kind is NOT_MEASURABLE


@pytest.mark.parametrize("unit", ["clients", "files", "timers"])
@pytest.mark.parametrize(
    ("created", "end", "peak", "kind"),
    [
        (40, 40, 40, CONFIRMED),
        (40, 0, 32, CONFIRMED),
        (400, 0, 40, REJECTED),
        (400, 0, 200, CONFIRMED),
        (40, 0, 31, INCONCLUSIVE),
        (40, 0, 4, REJECTED),
    ],
)
def test_what_holds_descriptors_crowds_if_most_of_it_was_open_at_once(
    unit: str, created: float, end: float, peak: float, kind: VerdictKind
) -> None:
    assert said(Survivors(unit), seen(*census(created, end, peak, unit=unit))).kind is kind
