"""Backlog: every line of its table, told as a measurement and what is said of it."""

from __future__ import annotations

import pytest

from auditor.model import (
    Backlog,
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


@pytest.mark.parametrize(
    ("depth", "slope", "puts", "kind"),
    [
        (20_000, (0.9, 1.0), 20_000, CONFIRMED),
        (1_000, (0.11, 0.2), 9_000, CONFIRMED),
        (20_000, (0.0, 0.01), 1_000_000, INCONCLUSIVE),
        (20_000, (0.05, 0.2), 200_000, INCONCLUSIVE),
        (1, (0.0, 0.0), 100, REJECTED),
        (1, (0.0, 0.0), 99, INCONCLUSIVE),
        (1, None, 100, REJECTED),
        (50, None, 100, INCONCLUSIVE),
        (99, (0.9, 1.0), 100, INCONCLUSIVE),
        (50, (0.9, 1.0), 50_000, INCONCLUSIVE),
        (500, (0.0, 0.01), 1_000, REJECTED),
        (500, (0.0, 0.01), 900, INCONCLUSIVE),
        (500, (0.0, 0.03), 5_000, INCONCLUSIVE),
        (50, (0.05, 0.3), 5_000, INCONCLUSIVE),
        ((500, 1_500), (0.0, 0.01), 50_000, INCONCLUSIVE),
    ],
)
def test_a_queue_fills_or_is_emptied(depth: Range, slope: Range | None, puts: int, kind: VerdictKind) -> None:
    rows = [row("depth_max", depth, n=puts)] + ([row("depth_slope", slope, n=puts)] if slope is not None else [])
    verdict = said(Backlog(), seen(*rows, hits=1))
    assert verdict.kind is kind
    assert (kind is INCONCLUSIVE) == ("run it with at least" in verdict.reason)


@pytest.mark.parametrize(
    ("filled", "left", "kind"),
    [
        (20_000, 0, INCONCLUSIVE),
        (20_000, 99, INCONCLUSIVE),
        (20_000, 100, CONFIRMED),
        (18_000, 0, INCONCLUSIVE),
        (17_999, 0, CONFIRMED),
    ],
)
def test_a_list_of_work_is_as_long_as_its_input(filled: int, left: int, kind: VerdictKind) -> None:
    rows = [row("depth_max", 20_000), row("depth_slope", (0.9, 1.0)), row("puts", 20_000)]
    verdict = said(Backlog(), seen(*rows, row("filled_first", filled), row("depth_end", left), hits=1))
    assert verdict.kind is kind
    assert ("list of work" in verdict.reason) == (kind is INCONCLUSIVE)


@pytest.mark.parametrize(
    ("puts", "late", "kind"),
    [(30_000, 99, REJECTED), (29_999, 99, INCONCLUSIVE), (30_000, 100, INCONCLUSIVE), (30_000, None, INCONCLUSIVE)],
)
def test_a_queue_that_was_long_while_its_consumer_started_is_not_filling(
    puts: int, late: int | None, kind: VerdictKind
) -> None:
    rows = [row("depth_max", 3_000), row("depth_slope", (-0.4, 0.4)), row("puts", puts)]
    rows += [row("depth_late", late)] if late is not None else []
    assert said(Backlog(), seen(*rows, hits=1)).kind is kind


@pytest.mark.parametrize(
    ("entries", "quiet", "calls", "kind"),
    [
        (20, 49_000, 50_000, REJECTED),
        (20, 999, 1_000, INCONCLUSIVE),
        (20, 1_000, 2_001, INCONCLUSIVE),
        (999, 1_000, 2_000, REJECTED),
        (1_000, 90_000, 100_000, REJECTED),
        (1_500, 4_500, 6_000, REJECTED),
        (1_500, 4_400, 5_900, INCONCLUSIVE),
        (20_000, 59_900, 90_000, INCONCLUSIVE),
        (20_000, 900, 21_000, CONFIRMED),
    ],
)
def test_a_cache_that_fills_and_stops_is_harmless(entries: int, quiet: int, calls: int, kind: VerdictKind) -> None:
    rows = row("depth_max", entries, n=entries), row("depth_slope", (0.9, 1.0)), row("quiet", quiet)
    verdict = said(Backlog(), seen(*rows, hits=calls))
    assert verdict.kind is kind
    assert (kind is REJECTED) <= ("it got no longer in the last" in verdict.reason)


@pytest.mark.parametrize(
    ("lasting", "calls", "kind", "why"),
    [
        ((0.8, 1.2), 5_000, CONFIRMED, "100 % of what is put in stays"),
        ((0.4, 0.8), 5_000, INCONCLUSIVE, "less and less with each execution"),
        ((0.0, 0.0), 5_000, INCONCLUSIVE, "run it with 10,000 executions"),
        ((0.0, 0.0), 1, INCONCLUSIVE, "in 1 call of the function around it, which may fill it for good"),
    ],
)
def test_what_leaks_does_so_to_the_end(lasting: Range, calls: int, kind: VerdictKind, why: str) -> None:
    rows = row("depth_max", 1_600), row("depth_slope", (0.99, 1.01)), row("lasting", lasting, n=calls)
    verdict = said(Backlog(), seen(*rows, hits=5_000))
    assert verdict.kind is kind
    assert why in verdict.reason


@pytest.mark.parametrize(
    ("kept", "entries", "lasting", "quiet", "kind"),
    [
        ((12e6, 15e6), 200, (0.6, 1.4), 0, CONFIRMED),
        ((9e6, 15e6), 200, (0.6, 1.4), 0, INCONCLUSIVE),
        ((12e6, 15e6), 19, (0.6, 1.4), 0, INCONCLUSIVE),
        ((12e6, 15e6), 20, (0.0, 2.0), 0, CONFIRMED),
        ((12e6, 15e6), 200, (0.4, 1.0), 0, INCONCLUSIVE),
        ((12e6, 15e6), 200, (0.6, 1.4), 1_500, REJECTED),
        (None, 200, (0.6, 1.4), 0, INCONCLUSIVE),
    ],
)
def test_few_entries_may_be_heavy(
    kept: Range | None, entries: int, lasting: Range, quiet: int, kind: VerdictKind
) -> None:
    rows = [row("depth_max", entries, n=entries), row("depth_slope", (0.99, 1.01)), row("lasting", lasting)]
    rows += [row("quiet", quiet), row("rounds", 2_000)]
    memory = [row("kept_bytes", kept, "memray", "B")] if kept is not None else []
    verdict = said(Backlog(), seen(*rows, *memory, hits=entries))
    assert verdict.kind is kind
    assert (kind is CONFIRMED) == ("stayed to the end" in verdict.reason)


def test_a_row_of_puts_counts_before_the_number_of_measurements() -> None:
    few = row("depth_max", 1, n=5)
    assert said(Backlog(), seen(few, row("puts", 500))).kind is REJECTED
    assert said(Backlog(), seen(few)).kind is INCONCLUSIVE


def test_a_queue_seen_in_part_is_not_innocent() -> None:
    rows = row("depth_max", 1), row("depth_slope", 0.0)
    assert said(Backlog(), seen(*rows, gaps=KILLED)).kind is NOT_MEASURABLE


@pytest.mark.parametrize(
    ("spread", "kind"), [(0.01, INCONCLUSIVE), (0.099, INCONCLUSIVE), (0.1, CONFIRMED), (None, CONFIRMED)]
)
def test_a_table_that_is_loaded_at_once_and_then_used_is_no_leak_for_sure(
    spread: float | None, kind: VerdictKind
) -> None:
    rows = [row("depth_max", 20_000), row("depth_slope", (0.99, 1.01)), row("lasting", (0.9, 1.1), n=20_000)]
    rows += [row("spread", spread, unit="ratio")] if spread is not None else []
    verdict = said(Backlog(), seen(*rows, hits=20_000))
    assert verdict.kind is kind
    assert ("as of what is filled once and then used" in verdict.reason) == (kind is INCONCLUSIVE)
