"""The census of all processes of a run: which tasks, threads and descriptors there were at the end."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from auditor.evidence.probes import _kept, _units
from auditor.model import Alive, Census, Gained

MANY = 10.0
LASTING, STEADY = 0.5, 0.8
"""What the judge asks of objects that are kept, see `auditor.judge.survivors`: this points, and decides nothing."""


def census_of(states: Sequence[Mapping[str, Any]], reached: int, target: Path) -> Census | None:
    """What the processes counted at their end; None if none of them came to one.

    `reached` is the number of Python processes that were started; forked ones are not among them.
    """
    found = [state["census"] for state in states if state["census"] is not None]
    if not found:
        return None
    counts: Counter[Alive] = Counter()
    most: Counter[Alive] = Counter()
    for process in found:
        for group, number in _groups(process["alive"], target):
            counts[group] += number
            most[group] = max(most[group], group.pools or number)
    groups = (replace(group, count=number, most=most[group]) for group, number in counts.items())
    return Census(
        tasks=sum(process["tasks"] for process in found),
        threads=sum(process["threads"] for process in found),
        unseen=max(0, len(states) - len(found), reached - len({state["pid"] for state in states})),
        alive=tuple(sorted(groups, key=lambda one: (-one.count, one.kind, one.runs, one.waits, one.made))),
        files=sum(process["files"] for process in found),
        sockets=sum(process["sockets"] for process in found),
        gained=_gained(states),
    )


def _gained(states: Sequence[Mapping[str, Any]]) -> Gained | None:
    """Of the process that gained most descriptors, if it went on gaining them."""
    found = [
        (*middle, state["growth"]["per"])
        for state in states
        if (middle := _kept.middle_of(state["growth"], _units)) is not None
    ]
    early, late, over, per = max(found, key=lambda one: one[0] + one[1], default=(0.0, 0.0, 0, ""))
    part, low, _ = _units.part_of(early, late)
    if early + late < MANY or early <= 0 or low < LASTING or part < STEADY:
        return None
    return Gained(early + late, over / 1000 if per == "ms" else over, "seconds" if per == "ms" else per)


def _groups(rows: Sequence[Sequence[Any]], target: Path) -> Iterator[tuple[Alive, int]]:
    for kind, made, runs, waits, count, pools in rows:
        (name, defined), (inner, line) = _split(runs, target), _split(waits, target)
        yield (
            Alive(
                kind=kind,
                count=0,
                runs=f"{name} ({defined})" if defined else name,
                made=_shown(made, target),
                waits=f"{inner} ({line})" if inner and line else inner,
                pools=pools,
            ),
            count,
        )


def _split(text: str, target: Path) -> tuple[str, str]:
    name, _, place = text.partition("\n")
    return name, _shown(place, target)


def _shown(place: str, target: Path) -> str:
    """A place relative to what is audited, where it lies below it."""
    file, _, line = place.rpartition(":")
    real, root = os.path.realpath(file), os.path.realpath(target)
    return f"{os.path.relpath(real, root)}:{line}" if file and real.startswith(root + os.sep) else place
