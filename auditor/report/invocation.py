"""What was audited, and by which command, as a reader sees it: a hook is given hundreds of paths."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.model import Report

MOST_CHARACTERS = 300
"""What is shorter is shown whole."""

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Invocation:
    """The target and the command with at most a few of the paths; `left_out` is how many others there are.

    In the command, an ellipsis stands in their place.
    """

    target: str
    command: str
    left_out: int


def invocation(report: Report) -> Invocation:
    """The report's target and command, shortened if they are long for the number of paths."""
    whole = Invocation(report.target, report.command, 0)
    if len(report.command) <= MOST_CHARACTERS:
        return whole
    try:
        words = shlex.split(report.command)
    except ValueError:
        return whole
    start, end = _paths(words, report.target)
    if end - start <= _SHOWN:
        return whole
    shown, left_out = words[start : start + _SHOWN], end - start - _SHOWN
    parts = (shlex.join((*words[:start], *shown)), "\u2026", shlex.join(words[end:]))
    return Invocation(f"{' '.join(shown)} and {left_out:,} more", " ".join(part for part in parts if part), left_out)


def _paths(words: list[str], target: str) -> tuple[int, int]:
    """Which words of the command are the target's paths: from the first up to, not with, the second."""
    for start, word in enumerate(words):
        if not target.startswith(word):
            continue
        length = -1
        for end in range(start, len(words)):
            length += len(words[end]) + 1
            if length >= len(target):
                if " ".join(words[start : end + 1]) == target:
                    return start, end + 1
                break
    return 0, 0
