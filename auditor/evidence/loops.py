"""How long the event loops of a run stood still, and on which lines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor.evidence.speedscope import Recording
from auditor.evidence.stacks import loop_frames
from auditor.model import Standstill

SHOWN = 3


def standstill_of(states: Sequence[Mapping[str, Any]]) -> Standstill | None:
    """What the processes counted; None if no turn of a loop was long, and all were timed."""
    turns = sum(state["loops"]["turns"] for state in states)
    hidden = any(state["loops"]["hidden"] for state in states)
    if not turns and not hidden:
        return None
    return Standstill(
        turns=turns,
        total_s=sum(state["loops"]["total"] for state in states),
        longest_s=max(state["loops"]["longest"] for state in states),
        hidden=hidden,
    )


def busiest_lines(
    recordings: Iterable[tuple[Recording, float]], cwd: str, target: Path
) -> tuple[tuple[str, float], ...]:
    """The innermost lines of what is audited below event loops, with seconds; the greatest first.

    Recordings come with the seconds that they were watched for.
    """
    spent: dict[str, float] = {}
    for recording, watched_s in recordings:
        places = places_of(recording, cwd, target)
        loops = loop_frames(recording.frames)
        for stack, times in (item for lane in recording.lanes for item in lane.stacks.items()):
            if loops.isdisjoint(stack):
                continue
            below = stack[max(depth for depth, number in enumerate(stack) if number in loops) :]
            inner = next((places[number] for number in reversed(below) if number in places), None)
            if inner is not None:
                spent[inner] = spent.get(inner, 0.0) + times / recording.ticks * watched_s
    ordered = sorted(spent.items(), key=lambda item: (-item[1], item[0]))
    return tuple(ordered[:SHOWN])


def places_of(recording: Recording, cwd: str, target: Path) -> dict[int, str]:
    """Frames in files below the target, as "path:line"."""
    root = os.path.realpath(target)
    found = {}
    for number, frame in enumerate(recording.frames):
        real = os.path.realpath(os.path.join(cwd, frame.file))  # noqa: PTH118 - frames are compared as strings
        if real.startswith(root + os.sep):
            found[number] = f"{os.path.relpath(real, root)}:{frame.line}"
    return found
