"""Survivors: every line of its table, told as a measurement and what is said of it."""

from __future__ import annotations

from dataclasses import replace

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


def test_what_a_killed_process_had_alive_is_neither_left_nor_a_pool_that_fills() -> None:
    alive = (replace(row(metric, (0, most)), value=most) for metric, most in (("alive_end", 449), ("left_most", 231)))
    steady = (row("kept", (94, 137), n=231), row("lasting", (0.63, 1.37), n=231), row("spread", 0.98))
    verdict = said(Survivors("tasks"), seen(row("created", 449), *alive, *steady, hits=449))
    assert verdict.kind is INCONCLUSIVE
    assert "449 of 449 tasks created were alive when last seen" in verdict.reason
    assert "came to no proper end" in verdict.reason


@pytest.mark.parametrize(
    ("left", "spread", "kind"),
    [
        (8, 0.001, INCONCLUSIVE),
        (8, 0.49, INCONCLUSIVE),
        (8, 0.5, CONFIRMED),
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
        (0, 21, False, CONFIRMED),
        # executions that all make one tell no more than time does, and that says early
        (0, 20, False, INCONCLUSIVE),
    ],
)
def test_what_is_made_when_it_is_needed_stops_being_made(
    quiet: int, rounds: int, looks: bool, kind: VerdictKind
) -> None:
    rows = [*census(20, 20, 20, unit="clients"), row("spread", 0.3), row("quiet", quiet), row("rounds", rounds)]
    verdict = said(Survivors("clients"), seen(*rows, *([row("found", rounds - 20)] if looks else []), hits=20))
    assert verdict.kind is kind
    said_so = f"none was created in the last {quiet} of" in verdict.reason
    assert said_so == (kind is REJECTED or (kind is INCONCLUSIVE and quiet > 0))


@pytest.mark.parametrize(
    ("spread", "rounds", "kind"), [(0.049, 200, INCONCLUSIVE), (0.05, 200, CONFIRMED), (0.05, 8, INCONCLUSIVE)]
)
def test_executions_that_go_on_tell_a_leak_from_a_crew_sooner(spread: float, rounds: int, kind: VerdictKind) -> None:
    rows = *census(8, 8, 8), row("spread", spread), row("quiet", 0), row("rounds", rounds)
    assert said(Survivors("tasks"), seen(*rows, hits=8)).kind is kind


def kept(value: float, lasting: Range | None = None, unit: str = "clients", n: int = 1_000) -> list[Evidence]:
    """How many were kept in the middle half of the executions, and what of that in its later part."""
    half = 2 * value**0.5
    low, high = max(0.0, value - half), max(3.0, value + half)
    rows = [Evidence("kept", value, low, high, unit, n, "probes", "bench"), row("kept_rate", 2 * value / n)]
    return [*rows, *([row("lasting", lasting)] if lasting is not None else [])]


@pytest.mark.parametrize(
    ("left", "rows", "kind", "why"),
    [
        (160, kept(80, (0.6, 1.4)), CONFIRMED, "one more was kept every 6 executions"),
        # an interval that holds less than half, or a pool that is more than half full
        (160, kept(80, (0.4, 1.6)), INCONCLUSIVE, "80 more of them stayed as it went on"),
        (160, kept(80, (0.6, 0.9)), INCONCLUSIVE, "run its unit of work"),
        (9, kept(20, (0.6, 1.4)), INCONCLUSIVE, "run its unit of work"),
        (20, kept(0), REJECTED, "became no more in the middle half of 1,000 executions"),
        (20, kept(0, n=100), INCONCLUSIVE, "run its unit of work"),
        (20, [], INCONCLUSIVE, "run its unit of work"),
        (4, kept(2, (0.0, 3.0)), INCONCLUSIVE, "2 more of them stayed"),
        (4, kept(0), REJECTED, "4 of 800"),
        (4, kept(1), REJECTED, "4 of 800"),
        (4, kept(1, (0.0, 4.0)), REJECTED, "4 of 800"),
        (0, kept(0), REJECTED, "0 of 800"),
    ],
)
def test_a_leak_is_what_goes_on_after_warming_up(left: int, rows: list[Evidence], kind: VerdictKind, why: str) -> None:
    verdict = said(Survivors("clients"), seen(*census(800, left, left, unit="clients"), *rows))
    assert verdict.kind is kind
    assert why in verdict.reason


@pytest.mark.parametrize(
    ("unit", "rows", "kind"),
    [
        ("files", kept(80, (0.6, 1.4)), CONFIRMED),
        ("files", kept(20, (0.6, 1.4)), REJECTED),
        ("files", kept(0), REJECTED),
        ("tasks", kept(80, (0.6, 1.4)), REJECTED),
    ],
)
def test_what_is_closed_at_the_end_alone_may_have_grown_until_then(
    unit: str, rows: list[Evidence], kind: VerdictKind
) -> None:
    assert said(Survivors(unit), seen(*census(800, 0, 160, unit=unit), *rows)).kind is kind


def test_a_pool_that_fills_gains_less_and_less() -> None:
    filling = [*census(300, 155, 155, unit="clients"), row("spread", 0.9), row("quiet", 0), row("rounds", 300)]
    assert said(Survivors("clients"), seen(*filling, *kept(70, (0.3, 0.9)), hits=300)).kind is INCONCLUSIVE
    assert said(Survivors("clients"), seen(*filling, *kept(70, (0.6, 1.4)), hits=300)).kind is CONFIRMED


@pytest.mark.parametrize(("most", "kind"), [(1, INCONCLUSIVE), (4, INCONCLUSIVE), (5, CONFIRMED)])
def test_many_processes_that_leave_one_each_are_no_leak(most: int, kind: VerdictKind) -> None:
    rows = *census(40, 40, 1, unit="files"), row("left_most", most), row("spread", 0.9)
    assert said(Survivors("files"), seen(*rows, hits=40)).kind is kind


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
