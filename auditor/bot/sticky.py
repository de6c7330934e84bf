"""The one comment on a pull request, kept right by runs that know nothing of one another.

No forge writes on condition that nothing has changed since, so an earlier run may write over a later one. What is
guaranteed rests on the order of steps: a run announces its text where nobody writes over it, then writes the comment,
then looks again. Whoever wrote last sees by that look what later runs have announced, and writes the latest in place of
its own: so the last writing is the latest run's text, whoever did it. Where nothing can be announced, a run looks again
after a pause instead, and what an earlier run writes later than that stays until the next run.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Posted:
    """A comment of audit's own. `number` grows with each that is posted; `order` is that of the run that wrote it."""

    number: int
    order: int
    body: str


@dataclass(frozen=True, slots=True)
class Text:
    """What a run has to say."""

    order: int
    body: str


class Board(Protocol):
    """Where the comment stands. Methods raise BotError."""

    def posted(self) -> Sequence[Posted]:
        """Audit's own comments, oldest first."""

    def announced(self) -> Text | None:
        """The latest of what other runs have announced, if it is later than this one's."""

    def post(self, body: str) -> None:
        """Add a comment."""

    def edit(self, number: int, body: str) -> bool:
        """Replace a comment's text. False if a human deleted it meanwhile."""

    def remove(self, number: int) -> None:
        """Take a comment away, if it is still there."""


def keep(board: Board, own: Text, *, create: bool, pause_s: float) -> str:
    """Edit the comment that is there, else post one if `create`, until it says what the latest run has to say.

    It is the oldest of audit's own: of several that runs posted at the same moment, the others are taken away, but only
    once that one says as much. Returns what was done. `pause_s` is waited before looking again.
    """
    done = ""
    for _ in range(_ROUNDS):
        wanted = max((board.announced() if done else None) or own, own, key=lambda text: text.order)
        there = board.posted()
        if any(one.order > wanted.order for one in there):
            done = done or "left alone: a later run has commented already"
            break
        if done and there and same(there[0].body, wanted.body):
            break
        written = _write(board, there, wanted.body, create=create)
        if not written:
            return done or "not written: nothing to say"
        done = done or written
        if wanted is not own:
            done = f"{done.partition(',')[0]}, then given the text of a later run"
        time.sleep(pause_s)
    _remove_doubles(board)
    return done


def same(one: str, other: str) -> bool:
    """Whether two texts differ in nothing but white space, of which forges keep no account."""
    return one.split() == other.split()


def _write(board: Board, there: Sequence[Posted], body: str, *, create: bool) -> str:
    if any(same(one.body, body) or board.edit(one.number, body) for one in there):
        return "updated"
    if create:
        board.post(body)
        return "posted"
    return ""


def _remove_doubles(board: Board) -> None:
    oldest, *others = board.posted() or (None,)
    for one in others:
        if oldest is not None and one.order <= oldest.order:
            board.remove(one.number)
