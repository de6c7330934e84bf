"""Which suspects a change introduced, which it fixed, and which were there before. Pure functions over both sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass

from auditor.model import Suspect

MAX_LINES = 20_000
"""A stretch that is longer on both sides together is taken for rewritten: to match its lines would take seconds."""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines `first` up to and without `end` of the old side became those of the new side. Either may be empty."""

    old_first: int
    old_end: int
    new_first: int
    new_end: int


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file on both sides; None where it does not exist. Between its blocks, lines are the same."""

    old: str | None
    new: str | None
    blocks: tuple[Block, ...] = ()

    def new_line(self, line: int) -> int | None:
        """Where a line of the old side is now, None if it was changed or removed."""
        shift = 0
        for block in self.blocks:
            if line < block.old_first:
                break
            if line < block.old_end:
                return None
            shift = block.new_end - block.old_end
        return line + shift

    def touches(self, suspect: Suspect) -> bool:
        """Whether the suspect stands on lines that were added or changed."""
        if suspect.cell is not None:
            return False
        span = suspect.span
        return any(block.new_first <= span.end_line and span.line < block.new_end for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Fingerprints of the new side's suspects: the introduced, of the others those on changed lines; and the fixed.

    `pairs` are those of both sides that are one and the same, the old one first.
    """

    introduced: frozenset[str]
    touched: frozenset[str]
    fixed: tuple[Suspect, ...]
    pairs: tuple[tuple[Suspect, Suspect], ...] = ()


def blocks(old: Sequence[bytes], new: Sequence[bytes]) -> tuple[Block, ...]:
    """What differs between the lines of two texts, in order."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    tail = 0
    while tail < min(len(old), len(new)) - start and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middle_old, middle_new = old[start : len(old) - tail], new[start : len(new) - tail]
    if not middle_old and not middle_new:
        return ()
    if len(middle_old) + len(middle_new) > MAX_LINES:
        return (Block(start + 1, start + 1 + len(middle_old), start + 1, start + 1 + len(middle_new)),)
    from difflib import SequenceMatcher

    matcher = SequenceMatcher(None, middle_old, middle_new, autojunk=False)
    return tuple(
        Block(start + 1 + i1, start + 1 + i2, start + 1 + j1, start + 1 + j2)
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    )


Code = Callable[[Suspect], str]


def _no_code(_suspect: Suspect) -> str:
    return ""


def compare(
    old: Sequence[Suspect],
    new: Sequence[Suspect],
    changes: Sequence[FileChange],
    unknown: Collection[str] = (),
    code: tuple[Code, Code] = (_no_code, _no_code),
) -> Comparison:
    """Match the suspects of both sides; what has no partner was introduced or fixed.

    Partners are, in this order: the same rule and symbol at the same place of unchanged lines; the same rule, symbol
    and text in the same file or what it was renamed to; the same place by another symbol; the same text anywhere, as
    code was moved; the same rule and text in the same file, as it went into another function; the same rule and symbol
    in lines that were rewritten as one, as the change left the trouble in.
    `unknown` are files of the new side whose old side could not be read: there, only what stands on changed lines
    counts as introduced. `code` gives the flagged text of suspects of the old and of the new side, "" if unknown.
    """
    by_old = {change.old: change for change in changes if change.old is not None}
    by_new = {change.new: change for change in changes if change.new is not None}
    pairs = _Pairs(old, new)
    # of functions with equal lines, a diff may take either for the new one
    pairs.match(lambda one: _named(one, _old_place(one, by_old)), lambda one: _named(one, _place(one)))
    pairs.match(lambda one: _context(one, _renamed(one, by_old)), lambda one: _context(one, one.path))
    pairs.match(lambda one: _old_place(one, by_old), _place)
    pairs.match(lambda one: _context(one, ""), lambda one: _context(one, ""))
    pairs.match(lambda one: _text(one, _renamed(one, by_old), code[0]), lambda one: _text(one, one.path, code[1]))
    pairs.match(lambda one: _old_block(one, by_old), lambda one: _new_block(one, by_new))
    touched = {one.fingerprint for one in new if one.path in by_new and by_new[one.path].touches(one)}
    introduced = {one.fingerprint for one in pairs.new if one.path not in unknown or one.fingerprint in touched}
    return Comparison(frozenset(introduced), frozenset(touched - introduced), tuple(pairs.old), tuple(pairs.found))


class _Pairs:
    """The suspects of both sides that have no partner yet."""

    def __init__(self, old: Sequence[Suspect], new: Sequence[Suspect]) -> None:
        self.old = list(old)
        self.new = list(new)
        self.found: list[tuple[Suspect, Suspect]] = []

    def match(
        self, old_key: Callable[[Suspect], Hashable | None], new_key: Callable[[Suspect], Hashable | None]
    ) -> None:
        """Pair those of equal keys, in the order in which they stand; None is equal to nothing."""
        waiting: dict[Hashable, list[Suspect]] = defaultdict(list)
        for one in self.old:
            key = old_key(one)
            if key is not None:
                waiting[key].append(one)
        left, taken = [], set()
        for one in self.new:
            key = new_key(one)
            partners = waiting.get(key) if key is not None else None
            if partners:
                partner = partners.pop(0)
                taken.add(id(partner))
                self.found.append((partner, one))
            else:
                left.append(one)
        self.new = left
        self.old = [one for one in self.old if id(one) not in taken]


def _place(one: Suspect) -> Hashable:
    return one.rule, one.path, one.cell, one.span.line, one.span.column


def _named(one: Suspect, place: Hashable | None) -> Hashable | None:
    return None if place is None else (place, one.symbol)


def _old_place(one: Suspect, by_old: dict[str, FileChange]) -> Hashable | None:
    change = by_old.get(one.path)
    if change is None or change.new is None or one.cell is not None:
        return None
    line = change.new_line(one.span.line)
    return None if line is None else (one.rule, change.new, None, line, one.span.column)


def _renamed(one: Suspect, by_old: dict[str, FileChange]) -> str:
    change = by_old.get(one.path)
    return one.path if change is None or change.new is None else change.new


def _context(one: Suspect, path: str) -> Hashable | None:
    name = one.context.partition(":")[0]
    return (one.rule, path, name) if name else None


def _text(one: Suspect, path: str, code: Code) -> Hashable | None:
    text = " ".join(code(one).split())
    return (one.rule, path, text) if text else None


def _old_block(one: Suspect, by_old: dict[str, FileChange]) -> Hashable | None:
    change = by_old.get(one.path)
    if change is None or change.new is None or one.cell is not None:
        return None
    for block in change.blocks:
        if block.old_first <= one.span.line < block.old_end:
            return one.rule, one.symbol, change.new, block
    return None


def _new_block(one: Suspect, by_new: dict[str, FileChange]) -> Hashable | None:
    change = by_new.get(one.path)
    if change is None or one.cell is not None:
        return None
    for block in change.blocks:
        if block.new_first <= one.span.line < block.new_end:
            return one.rule, one.symbol, change.new, block
    return None
