"""What starts something once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.rule import Context, Loop

CREW = 16
"""Loops that turn at most so often altogether make a crew, not one thing for every item."""

_STARTERS = frozenset(
    (
        *("__init__", "__new__", "__post_init__", "__enter__", "__aenter__", "init", "initialize", "initialise"),
        *("start", "startup", "run", "serve", "serve_forever", "run_forever", "open", "connect", "launch", "begin"),
        *("listen", "activate", "enable", "install", "bootstrap", "start_workers", "start_threads"),
    )
)


def makes_a_crew(loops: Sequence[Loop], ctx: Context) -> bool:
    """Whether these nested loops turn at most `CREW` times altogether."""
    total = 1
    for loop in loops:
        turns = ctx.turns_of(loop)
        if turns is None:
            return False
        total *= turns
    return total <= CREW


def is_starter(name: str) -> bool:
    """Whether a function of that name starts something, so that it runs once for each object, start or connection."""
    return name in _STARTERS or name.lstrip("_") in _STARTERS
