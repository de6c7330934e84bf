"""One file with its references resolved: what of it counts when the files of a project are joined."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from auditor.scan.outline import LOOP, STEADY, Key

Place = tuple[str, str]
"""A function or class: the path of its file, its dotted name there."""
Way = tuple[tuple[str, str, int], ...]
"""Steps of a way as (name, path, line): the functions called one after the other, and the call at the end."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a trigger asks for: calls with all the bits of `around` that lead to its ends.

    made: the ends make something, and the way leads by functions that hand it back. often: no way is asked for, but
    which functions of files with such ends are called in loops of others.
    """

    trigger: str
    around: int = 0
    made: frozenset[str] = frozenset()
    often: bool = False


class Calling(NamedTuple):
    """A call that leads to a function of the project. `around` are the bits of an outline."""

    at: Key
    around: int
    target: Place


@dataclass(slots=True)
class Joined:
    """A function that calls others, or makes a call of interest itself, or hands back what is made anew.

    `ends` and `made` are by trigger: the name and line of the call, the way to where it is made.
    """

    line: int
    runs: bool
    calls: list[Calling]
    ends: dict[str, tuple[str, int]]
    made: dict[str, Way]


@dataclass(slots=True)
class Joint:
    """What is known of one file once its references are resolved.

    asked: the other files whose outlines say so. meanings and ancestors: as in `auditor.scan.links.Outlook`. imports:
    the files of the project that it knows. taken, grown, guarded, awaited: as in its outline. handed: calls
    by which other files run functions for every item, and which of their arguments these are.
    """

    asked: list[str] = field(default_factory=list)
    meanings: dict[str, tuple[str, bool]] = field(default_factory=dict)
    ancestors: dict[str, list[str]] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)
    guarded: list[str] = field(default_factory=list)
    awaited: list[str] = field(default_factory=list)
    handed: list[tuple[Key, list[int | str]]] = field(default_factory=list)
    routines: dict[str, Joined] = field(default_factory=dict)

    def asks_who_loops(self, wanted: Iterable[Wanted]) -> bool:
        """Whether a rule would hear of loops in other files, or it has an end of a trigger that asks for them."""
        if self.awaited:
            return True
        triggers = {one.trigger for one in wanted if one.often}
        return any(not triggers.isdisjoint(routine.ends) for routine in self.routines.values())

    def looped(self, path: str) -> set[str]:
        """Names of the functions of another file that this one calls in a loop.

        Behind a slash, bits for the arguments that are the same at every turn, the lowest for the first.
        """
        return {
            f"{call.target[1]}/{steady}" if (steady := call.around // STEADY) else call.target[1]
            for routine in self.routines.values()
            for call in routine.calls
            if call.around & LOOP and call.target[0] == path
        }

    def dump(self) -> str:
        """One line of text."""
        routines = [
            [
                name,
                one.line,
                one.runs,
                [[*call.at, call.around, *call.target] for call in one.calls],
                one.ends,
                one.made,
            ]
            for name, one in self.routines.items()
        ]
        parts = [
            self.asked,
            self.meanings,
            self.ancestors,
            self.imports,
            self.taken,
            self.grown,
            self.guarded,
            self.awaited,
            [[*at, given] for at, given in self.handed],
            routines,
        ]
        return json.dumps(parts, separators=(",", ":"))

    @classmethod
    def load(cls, text: str) -> Joint:
        """What `dump` wrote.

        Raises:
            ValueError: the text is none of `dump`'s.
        """
        try:
            asked, meanings, ancestors, imports, taken, grown, guarded, awaited, handed, routines = json.loads(text)
            meant = {name: (meaning, bool(made)) for name, (meaning, made) in meanings.items()}
            joined = {name: _joined(*rest) for name, *rest in routines}
            given = [((a, b, c, d), which) for a, b, c, d, which in handed]
            return cls(asked, meant, ancestors, imports, taken, grown, guarded, awaited, given, joined)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"not a joint: {error}") from error


def _joined(line: int, runs: bool, calls: Any, ends: Any, made: Any) -> Joined:
    found = [Calling((a, b, c, d), around, (path, name)) for a, b, c, d, around, path, name in calls]
    known = {trigger: (what, at) for trigger, (what, at) in ends.items()}
    return Joined(line, runs, found, known, {trigger: way_of(steps) for trigger, steps in made.items()})


def way_of(steps: Any) -> Way:
    """A way as JSON gives it back."""
    return tuple((name, path, line) for name, path, line in steps)
