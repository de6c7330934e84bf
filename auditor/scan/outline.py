"""What a file says to the rest of its project: its names, classes and functions, whom these call, where they end.

Drawn (`auditor.scan.drawing`) from the one walk over the module's `ast`, and written down as text, which is kept with
the file's scan. Names are references: "pkg.mod.name" as imported, ":Class.method" for the file's own, and "()" after a
component for what a call of it gives (":Client().fetch").
"""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

LOOP, COROUTINE, FUNCTION = 1, 2, 4
"""Surroundings of a call, as bits: in a loop, directly in a coroutine, in a function."""

SHAPE = 16
"""Characters of a mark that stand for an outline without its places."""

Key = tuple[int, int, int, int]
"""Where a call stands: line, column, last line, last column, as `ast` counts them."""


@dataclass(slots=True)
class Called:
    """One call that may lead into the project. `around` are the bits above."""

    ref: str
    at: Key
    around: int


@dataclass(slots=True)
class Routine:
    """One function. `ends` are calls of interest that it makes itself: by trigger, what is called and on which line.

    runs: whether a call of it runs its body at once, in the same thread. gives: references to what it returns.
    makes: those of `gives` that it makes anew.
    """

    line: int
    runs: bool
    calls: list[Called] = field(default_factory=list)
    ends: dict[str, tuple[str, int]] = field(default_factory=dict)
    gives: list[str] = field(default_factory=list)
    makes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Places:
    """Where in its file an outline's functions and ends stand (line), and its calls."""

    lines: list[int]
    calls: list[Key]


@dataclass(slots=True)
class Outline:
    """One file, in a dotted package if any.

    names: what the module's names stand for. stars: modules whose names are all taken over. classes: (bases,
    attributes and what they stand for) by dotted name within the file. routines: the functions likewise, and "" for
    what the module itself runs. taken: names of attributes from which something is taken here. grown: names of
    attributes to which something is added here. guarded: functions that this file, a script, runs once.
    """

    package: str = ""
    names: dict[str, str] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    classes: dict[str, tuple[list[str], dict[str, str]]] = field(default_factory=dict)
    routines: dict[str, Routine] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)
    guarded: list[str] = field(default_factory=list)

    def dump(self) -> str:
        """One line of text, empty if there is nothing to say."""
        routines = {
            name: [r.line, int(r.runs), [[c.ref, *c.at, c.around] for c in r.calls], r.ends, r.gives, r.makes]
            for name, r in self.routines.items()
        }
        parts = [self.package, self.names, self.stars, self.classes, routines, self.taken, self.grown, self.guarded]
        return json.dumps(parts, separators=(",", ":")) if any(parts) else ""

    def apart(self) -> tuple[Outline, Places]:
        """The same without places, each of them an index into what comes with it: equal however its lines move."""
        places = Places([], [])
        routines = {}
        for name, one in self.routines.items():
            calls = []
            for call in one.calls:
                calls.append(Called(call.ref, (len(places.calls), 0, 0, 0), call.around))
                places.calls.append(call.at)
            line = len(places.lines)
            places.lines.append(one.line)
            ends = {}
            for trigger, (what, at) in one.ends.items():
                ends[trigger] = (what, len(places.lines))
                places.lines.append(at)
            routines[name] = Routine(line, one.runs, calls, ends, one.gives, one.makes)
        return replace(self, routines=routines), places

    def mark(self, text: str) -> str:
        """What stands for the outline, dumped as `text`; the first `SHAPE` characters do without its places."""
        if not text:
            return _mark("") * 2
        return _mark(self.apart()[0].dump()) + _mark(text)

    @classmethod
    def load(cls, text: str) -> Outline:
        """What `dump` wrote.

        Raises:
            ValueError: the text is none of `dump`'s.
        """
        if not text:
            return cls()
        try:
            package, names, stars, classes, routines, taken, grown, guarded = json.loads(text)
            made = {name: _routine(row) for name, row in routines.items()}
            return cls(
                package, names, stars, {k: (v[0], v[1]) for k, v in classes.items()}, made, taken, grown, guarded
            )
        except (TypeError, KeyError, IndexError, AttributeError) as error:
            raise ValueError(f"not an outline: {error}") from error


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:SHAPE]


def _routine(row: Any) -> Routine:
    line, runs, calls, ends, gives, makes = row
    made = [Called(ref, (a, b, c, d), around) for ref, a, b, c, d, around in calls]
    return Routine(line, bool(runs), made, {key: (what, at) for key, (what, at) in ends.items()}, gives, makes)


def position(node: ast.expr | ast.stmt) -> Key:
    """Where a node stands."""
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0
