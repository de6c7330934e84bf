"""Wait: every line of its table, told as a measurement and what is said of it."""

from __future__ import annotations

import pytest

from auditor.model import (
    Evidence,
    VerdictKind,
    Wait,
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
)


def waiting(waited: Range, wall_s: float = 10.0) -> list[Evidence]:
    low, high = ends(waited)
    return [row("waited", (low, high), unit="s"), row("waited_share", (low / wall_s, high / wall_s))]


@pytest.mark.parametrize(
    ("waited", "hits", "wall_s", "kind", "why"),
    [
        (4.0, 5, 10.0, CONFIRMED, "it waited for 4 s of 10 s (40 %)"),
        (4.0, 4, 10.0, INCONCLUSIVE, "run it at least 5 times"),
        (0.001, 5, 10.0, REJECTED, "1 ms"),
        (0.1, 5, 10.0, REJECTED, "(1 %)"),
        (0.04, 5, 0.1, INCONCLUSIVE, "run it for at least 0.13 s"),
        ((0.1, 3.0), 5, 10.0, INCONCLUSIVE, "run it for at least"),
    ],
)
def test_waiting_counts_if_it_is_long_and_not_once(
    waited: Range, hits: float, wall_s: float, kind: VerdictKind, why: str
) -> None:
    verdict = said(Wait(), seen(*waiting(waited, wall_s), hits=hits, wall_s=wall_s))
    assert verdict.kind is kind
    assert why.lower() in verdict.reason.lower()


def test_waiting_in_part_unseen_confirms_but_rejects_nothing() -> None:
    gap = KILLED
    assert said(Wait(), seen(*waiting(4.0), gaps=gap)).kind is CONFIRMED
    assert said(Wait(), seen(*waiting(0.0), gaps=gap)).kind is NOT_MEASURABLE
