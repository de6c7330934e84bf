"""What is true of a part, by its construction and by its books, against what the audit said of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.config import Thresholds

LIMITS = Thresholds()
SHARES = {"seconds": "share", "repeat_seconds": "repeat_share", "waited": "waited_share"}
VAGUE = 0.1
"""Books whose inside and outside lie further apart (over the outside) say too little about an interval."""
REPEATED_OFTEN = 0.5


def _spent(row: dict[str, Any], of: str, *, again: bool = False) -> tuple[float, float] | None:
    """Seconds of the flagged operation in the run of that pass, at least and at most; None if it kept no books."""
    book = row["books"].get(of)
    which = "_again" if again else ""
    return None if book is None else (book[f"inside{which}"], book[f"outside{which}"])


def is_costly(row: dict[str, Any]) -> bool | None:
    """By construction, or if its books say so in all runs; None if it is on the border."""
    if row["costly"] is not None:
        return bool(row["costly"])
    said = {_costly_run(row, of) for of in row["books"]}
    return said.pop() if len(said) == 1 else None


def _costly_run(row: dict[str, Any], of: str) -> bool | None:
    spent = _spent(row, of, again=row["kind"] == "Repetition")
    assert spent is not None
    wall_s = row["walls"][of]
    long = row["kind"] == "Stall" and spent[0] / row["exact"]["loop_hits"] >= LIMITS.stall
    if row["kind"] == "Repetition" and row["exact"]["repeats"] < REPEATED_OFTEN * row["exact"]["hits"]:
        return False
    if long or (spent[0] >= LIMITS.seconds and spent[0] / wall_s >= LIMITS.share):
        return True
    if spent[1] < LIMITS.seconds or spent[1] / wall_s < LIMITS.share:
        # a stand-still in doubt, between half of the threshold and all of it, is not harmless
        return None if row["kind"] == "Stall" and spent[1] / row["exact"]["loop_hits"] >= LIMITS.stall / 2 else False
    return None


def counted(row: dict[str, Any], metric: str) -> float | None:
    """What the program itself counted in the run with probes."""
    book = row["books"].get("probes")
    return None if book is None else book["exact"].get(metric)


def compared(row: dict[str, Any]) -> Iterator[tuple[dict[str, Any], float, float]]:
    """Each interval with the truth, at least and at most."""
    for evidence in row["evidence"]:
        metric, collector = evidence["metric"], evidence["collector"]
        if metric == "growth" and row["growth"] is not None:
            yield evidence, row["growth"], row["growth"]
        for timed, again in ((row["timed"], False), (row["again"], True)):
            for name in timed:
                spent = _spent(row, collector, again=again)
                if spent is None or spent[1] - spent[0] > VAGUE * spent[1]:
                    continue
                if metric == name:
                    yield evidence, *spent
                elif metric == SHARES.get(name):
                    wall_s = row["walls"][collector]
                    yield evidence, spent[0] / wall_s, spent[1] / wall_s
