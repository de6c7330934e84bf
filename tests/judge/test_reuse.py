"""Reuse: every line of its table, told as a measurement and what is said of it."""

from __future__ import annotations

import pytest

from auditor.model import (
    Reuse,
    Scaling,
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


@pytest.mark.parametrize(
    ("hits", "connections", "peers", "per_hit", "kind"),
    [
        (100, 100, 1, (0.96, 1.0), CONFIRMED),
        (10, 10, 2, (0.7, 1.0), CONFIRMED),
        (9, 9, 1, (0.7, 1.0), INCONCLUSIVE),
        (5, 10, 1, (1.5, 2.5), INCONCLUSIVE),
        (100, 100, 100, (0.96, 1.0), REJECTED),
        (100, 100, 40, (0.96, 1.0), INCONCLUSIVE),
        (100, 2, 1, (0.0, 0.07), REJECTED),
        (100, 50, 1, (0.4, 0.6), INCONCLUSIVE),
        (1, 1, 1, (0.2, 1.0), REJECTED),
        (100, 0, 0, (0.0, 0.04), INCONCLUSIVE),
    ],
)
def test_connections_are_reused_or_not(
    hits: float, connections: float, peers: float, per_hit: Range, kind: VerdictKind
) -> None:
    rows = row("connections", connections), row("peers", peers), row("per_hit", per_hit)
    verdict = said(Reuse(), seen(*rows, hits=hits))
    assert verdict.kind is kind
    assert (kind is INCONCLUSIVE) == ("run it" in verdict.reason)


@pytest.mark.parametrize(
    ("opened", "at_once", "waited", "kind"),
    [
        (20, 8, 0.0, CONFIRMED),
        (20, 11, 0.0, REJECTED),
        (9, 1, 0.0, INCONCLUSIVE),
        (1, 1, 0.0, REJECTED),
        (1, 1, 0.5, CONFIRMED),
        (1, 1, (0.01, 0.5), INCONCLUSIVE),
        (1, 1, None, NOT_MEASURABLE),
        (0, 0, 0.0, INCONCLUSIVE),
    ],
)
def test_a_pool_has_room_or_not(opened: float, at_once: float, waited: Range | None, kind: VerdictKind) -> None:
    rows = [row("connections", opened), row("peers", 1), row("per_hit", opened), row("open_peak", at_once)]
    if waited is not None:
        low, high = ends(waited)
        rows += [row("pool_waited", waited, unit="s"), row("pool_waited_share", (low / 10, high / 10))]
    assert said(Reuse(pooled=True), seen(*rows, hits=1)).kind is kind


@pytest.mark.parametrize(
    ("making", "hits", "kind"), [(0.5, 10, CONFIRMED), (0.5, 9, INCONCLUSIVE), (0.01, 100, INCONCLUSIVE)]
)
def test_what_connects_to_nobody_may_be_dear_to_make(making: float, hits: float, kind: VerdictKind) -> None:
    rows = row("connections", 0), row("peers", 0), row("per_hit", 0.0), row("making", making, unit="s")
    assert said(Reuse(making=True), seen(*rows, hits=hits)).kind is kind
    assert said(Reuse(), seen(*rows, hits=hits)).kind is INCONCLUSIVE


def test_sizes_that_were_seen_in_part_are_not_known_to_be_bounded() -> None:
    small = [*time(0.0, 0.0), row("size_min", 10), row("size_max", 10)]
    assert said(Scaling(), seen(*small)).kind is REJECTED
    assert said(Scaling(), seen(*small, gaps=KILLED)).kind is INCONCLUSIVE


def test_connections_that_were_counted_in_part_reject_nothing() -> None:
    rows = row("connections", 2), row("peers", 1), row("per_hit", (0.0, 0.07))
    assert said(Reuse(), seen(*rows, gaps=KILLED)).kind is NOT_MEASURABLE


def test_a_connection_that_serves_many_requests_is_reused_though_each_execution_opens_one() -> None:
    opened = row("connections", 20), row("peers", 1), row("per_hit", 1.0)
    for requests, kind in ((20, CONFIRMED), (40, CONFIRMED), (60, INCONCLUSIVE), (200, REJECTED)):
        assert said(Reuse(), seen(*opened, row("requests", requests), hits=20)).kind is kind, requests
    assert said(Reuse(), seen(*opened, hits=20)).kind is CONFIRMED
