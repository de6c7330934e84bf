"""What a file says to the rest of its project: its names, classes and functions, whom these call, where they end.

Drawn (`auditor.scan.drawing`) from the one walk over the module's `ast`, and written down as text, which is kept with
the file's scan. Names are references: "pkg.mod.name" as imported, ":Class.method" for the file's own, and "()" after a
component for what a call of it gives (":Client().fetch").
"""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

LOOP, COROUTINE, FUNCTION, HELD = 1, 2, 4, 8
"""Surroundings of a call, as bits: in a loop, directly in a coroutine, in a function, under a lock."""

STEADY = 16
"""The bit for a first argument that is the same at every turn of the loop around; those that follow are above."""
MAX_STEADY = 8

SHAPE = 16
"""Characters of a mark that stand for an outline without its places."""

Key = tuple[int, int, int, int]
"""Where a call stands: line, column, last line, last column, as `ast` counts them."""


@dataclass(slots=True)
class Called:
    """One call that may lead into the project. `around` are the bits above.

    hands: what of its arguments may be functions: position or keyword, and a reference, empty for a lambda.
    """

    ref: str
    at: Key
    around: int
    hands: list[tuple[int | str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Routine:
    """One function. `ends` are calls of interest that it makes itself: by trigger, what is called and on which line.

    runs: whether a call of it runs its body at once, in the same thread. gives: references to what it returns.
    makes: those of `gives` that it makes anew. each: parameters that it calls for each of several items, by position
    and name.
    """

    line: int
    runs: bool
    calls: list[Called] = field(default_factory=list)
    ends: dict[str, tuple[str, int]] = field(default_factory=dict)
    gives: list[str] = field(default_factory=list)
    makes: list[str] = field(default_factory=list)
    each: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Places:
    """Where in its file an outline's functions and ends stand (line), and its calls."""

    lines: list[int]
    calls: list[Key]

    @classmethod
    def load(cls, text: str) -> Places:
        """Those in what `Outline.dump` wrote.

        Raises:
            ValueError: the text is none of `dump`'s.
        """
        if not text:
            return cls([], [])
        try:
            lines, calls = json.loads(text.partition("\n")[2])
            return cls(lines, [(a, b, c, d) for a, b, c, d in calls])
        except TypeError as error:
            raise ValueError(f"not an outline: {error}") from error


@dataclass(slots=True)
class Outline:
    """One file, in a dotted package if any.

    names: what the module's names stand for. stars: modules whose names are all taken over. classes: (bases,
    attributes and what they stand for) by dotted name within the file. routines: the functions likewise, and "" for
    what the module itself runs. taken: names of attributes from which something is taken here. grown: names of
    attributes to which something is added here. guarded: functions that this file, a script, runs once. awaited: names
    of functions for which it matters whether loops of other files call them.
    """

    package: str = ""
    names: dict[str, str] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    classes: dict[str, tuple[list[str], dict[str, str]]] = field(default_factory=dict)
    routines: dict[str, Routine] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)
    guarded: list[str] = field(default_factory=list)
    awaited: list[str] = field(default_factory=list)

    def dump(self) -> str:
        """A line of text without places, equal however lines move, and one with these; empty if nothing is to be said.

        The places are in the order in which the functions, their ends and their calls stand in the first.
        """
        lines: list[int] = []
        calls: list[Key] = []
        routines = {}
        for name, one in self.routines.items():
            lines.append(one.line)
            lines += [line for _what, line in one.ends.values()]
            calls += [call.at for call in one.calls]
            called = [(call.ref, call.around, *([call.hands] if call.hands else ())) for call in one.calls]
            ends = {trigger: what for trigger, (what, _line) in one.ends.items()}
            each = [one.each] if one.each else []
            routines[name] = (int(one.runs), called, ends, one.gives, one.makes, *each)
        parts = (
            *(self.package, self.names, self.stars, self.classes, routines),
            *(self.taken, self.grown, self.guarded, self.awaited),
        )
        return f"{_encoded(parts)}\n{_encoded((lines, calls))}" if any(parts) else ""

    @classmethod
    def load(cls, text: str) -> Outline:
        """What `dump` wrote.

        Raises:
            ValueError: the text is none of `dump`'s.
        """
        return _restored(text, Places.load(text))

    @classmethod
    def shape(cls, text: str) -> Outline:
        """The same without places, each of them an index into those that `Places.load` gives.

        Raises:
            ValueError: the text is none of `dump`'s.
        """
        return _restored(text, None)


def mark_of(text: str) -> str:
    """What stands for an outline, dumped as `text`; the first `SHAPE` characters do without its places."""
    return _mark(text.partition("\n")[0]) + _mark(text)


def _restored(text: str, places: Places | None) -> Outline:
    if not text:
        return Outline()
    try:
        package, names, stars, classes, routines, *listed = json.loads(text.partition("\n")[0])
        taken, grown, guarded, awaited = listed
        kept = {name: (bases, attributes) for name, (bases, attributes) in classes.items()}
        made = _routines(routines, places)
    except (TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"not an outline: {error}") from error
    return Outline(package, names, stars, kept, made, taken, grown, guarded, awaited)


def _routines(rows: Any, places: Places | None) -> dict[str, Routine]:
    made = {}
    line, at = 0, 0
    for name, (runs, rows_of_calls, rows_of_ends, gives, makes, *each) in rows.items():
        calls = []
        for ref, around, *hands in rows_of_calls:
            calls.append(Called(ref, (at, 0, 0, 0) if places is None else places.calls[at], around, _pairs(hands)))
            at += 1
        first = line
        ends = {}
        for trigger, what in rows_of_ends.items():
            line += 1
            ends[trigger] = (what, line if places is None else places.lines[line])
        begin = first if places is None else places.lines[first]
        made[name] = Routine(begin, bool(runs), calls, ends, gives, makes, _pairs(each))
        line += 1
    return made


def _pairs(rows: Any) -> list[tuple[Any, str]]:
    """Those in the one list that there may be."""
    return [(first, second) for listed in rows for first, second in listed]


_encoded = json.JSONEncoder(separators=(",", ":")).encode


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:SHAPE]


def position(node: ast.expr | ast.stmt) -> Key:
    """Where a node stands."""
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0
