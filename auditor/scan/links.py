"""The files of a project joined: which call leads where over a few functions, and what imported names stand for.

Made from the outlines of all files (`auditor.scan.outline`) alone. What comes of it for one file is its `Outlook`. All
is bounded: calls are followed over `MAX_CALLS` functions, and of the ways from a
function to an end only the shortest is kept.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from auditor.scan.joint import Joint, Place, Wanted, Way
from auditor.scan.outline import Key, Outline, Places
from auditor.scan.resolve import MAX_CALLS, Resolver

__all__ = ["MAX_CALLS", "Outlook", "Wanted", "link", "outlooks", "ways"]


@dataclass(slots=True)
class Outlook:
    """What one file draws from the others.

    ways: for calls in it, by trigger, the way to an end. meanings: what imported names stand for outside the project,
    and whether it is an object of that class. ancestors: names outside the project of classes that its classes and
    imports are derived from. taken: names of attributes from which files that know this one take something. called:
    functions that this file, a script, runs once, and that others call too. looped: those that loops of others call.
    handed: calls of it by which others run a function for every item, and which arguments these are.
    """

    ways: dict[Key, dict[str, Way]] = field(default_factory=dict)
    meanings: dict[str, tuple[str, bool]] = field(default_factory=dict)
    ancestors: dict[str, list[str]] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    looped: list[str] = field(default_factory=list)
    handed: dict[Key, list[int | str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self._draws() or bool(self.looped)

    def _draws(self) -> bool:
        return bool(self.ways or self.meanings or self.ancestors or self.taken or self.called or self.handed)

    def forget_loops(self, awaited: Collection[str]) -> None:
        """Leave `looped` out where it is all that the file draws, but for functions of these names."""
        if not self._draws():
            self.looped = [name for name in self.looped if _last(name) in awaited]

    def dump(self) -> str:
        """One line of text, empty if the file draws nothing."""
        ways = [[*key, by] for key, by in sorted(self.ways.items())]
        handed = [[*key, given] for key, given in sorted(self.handed.items())]
        parts = [ways, self.meanings, self.ancestors, self.taken, self.called, self.looped, handed]
        return json.dumps(parts, separators=(",", ":"), sort_keys=True) if self else ""

    def files(self) -> set[str]:
        """The files in which its ways lead."""
        return {path for by in self.ways.values() for way in by.values() for _name, path, _line in way}

    def placed(self, own: Places, places: Mapping[str, Places]) -> Outlook:
        """The same with places, where it was linked from outlines without them. `own` are those of its file.

        Raises:
            IndexError: the places are not those of these outlines.
            KeyError: those of one of `files` are missing.
        """
        ways: dict[Key, dict[str, Way]] = {}
        for (index, *_), by in self.ways.items():
            found = ways.setdefault(own.calls[index], {})
            for trigger, way in by.items():
                found[trigger] = tuple((name, path, places[path].lines[line]) for name, path, line in way)
        handed = {own.calls[index]: given for (index, *_), given in self.handed.items()}
        return replace(self, ways=ways, handed=handed)

    @classmethod
    def load(cls, text: str) -> Outlook:
        """What `dump` wrote."""
        if not text:
            return cls()
        ways, meanings, ancestors, taken, called, looped, handed = json.loads(text)
        return cls(
            {(a, b, c, d): {name: _way(steps) for name, steps in by.items()} for a, b, c, d, by in ways},
            {name: (meant, bool(made)) for name, (meant, made) in meanings.items()},
            ancestors,
            taken,
            called,
            looped,
            {(a, b, c, d): given for a, b, c, d, given in handed},
        )


def _last(name: str) -> str:
    """The last component of the name of a function that loops call, without what stands behind the slash."""
    return name.partition("/")[0].rpartition(".")[2]


def _way(steps: Iterable[Any]) -> Way:
    return tuple((name, path, line) for name, path, line in steps)


def link(outlines: Mapping[str, Outline], wanted: Iterable[Wanted], words: Collection[str]) -> dict[str, Outlook]:
    """The outlook of every file that draws something from others. `words` are the names outside that matter."""
    wanted = tuple(wanted)
    packages = {path: outline.package for path, outline in outlines.items()}
    resolver = Resolver(outlines, packages, words)
    joints = {path: resolver.joint(path, wanted) for path in sorted(outlines)}
    callers = callers_in(joints)
    return outlooks(joints, wanted, ways(joints, wanted, callers), callers)


def outlooks(
    joints: Mapping[str, Joint],
    wanted: Iterable[Wanted],
    found: Mapping[str, dict[Place, Way]],
    callers: Mapping[Place, list[Place]],
) -> dict[str, Outlook]:
    """The outlook of every file that draws something from others. All files have a joint; `found` are its `ways`."""
    made = {
        path: Outlook(meanings=one.meanings, ancestors=one.ancestors, handed=dict(one.handed))
        for path, one in sorted(joints.items())
    }
    _take(joints, made)
    for path, outlook in made.items():
        for name in joints[path].guarded:
            if any(caller[0] != path for caller in callers.get((path, name), ())):
                outlook.called.append(name)
    wanted = tuple(wanted)
    asking = {path for path in made if joints[path].asks_who_loops(wanted)}
    others: dict[str, set[str]] = {}
    for (path, _name), who in callers.items():
        others.setdefault(path, set()).update(caller for caller, _ in who if path in asking and caller != path)
    for path in asking:
        made[path].looped = looped_by([joints[one] for one in others.get(path, ())], path)
    _lead(joints, made, [(one, found[one.trigger]) for one in wanted])
    for path in asking:
        made[path].forget_loops(joints[path].awaited)
    return {path: outlook for path, outlook in made.items() if outlook}


def ways(
    joints: Mapping[str, Joint], wanted: Iterable[Wanted], callers: Mapping[Place, list[Place]]
) -> dict[str, dict[Place, Way]]:
    """By trigger, the functions from which a way leads to an end, each with the shortest."""
    return {one.trigger: _ways(one, joints, callers) for one in wanted}


def looped_by(others: Iterable[Joint], path: str) -> list[str]:
    """The functions of the file that loops of these others call."""
    return sorted({name for joint in others for name in joint.looped(path)})


def callers_in(joints: Mapping[str, Joint]) -> dict[Place, list[Place]]:
    """Who calls each function, in order."""
    found: dict[Place, list[Place]] = {}
    for path, joint in sorted(joints.items()):
        for name, routine in joint.routines.items():
            for _at, _around, target in routine.calls:
                found.setdefault(target, []).append((path, name))
    return found


def _take(joints: Mapping[str, Joint], made: Mapping[str, Outlook]) -> None:
    """Files that import one another, or a name by way of a third, know each other."""
    for path in made:
        joint = joints[path]
        for known in joint.imports if joint.taken else ():
            taken = set(joint.taken) & set(joints[known].grown)
            if taken and known != path:
                made[known].taken = sorted({*made[known].taken, *taken})


def _ways(wanted: Wanted, joints: Mapping[str, Joint], callers: Mapping[Place, list[Place]]) -> dict[Place, Way]:
    """The functions that run an end of the trigger when they are called, each with the shortest way."""
    found: dict[Place, Way] = {}
    for path, joint in joints.items() if not wanted.often else ():
        for name, routine in joint.routines.items():
            if wanted.made:
                if wanted.trigger in routine.made:
                    found[path, name] = routine.made[wanted.trigger]
            elif wanted.trigger in routine.ends and routine.runs and name:
                what, line = routine.ends[wanted.trigger]
                found[path, name] = ((name, path, routine.line), (what, path, line))
    newest = [] if wanted.made else sorted(found)
    for _ in range(MAX_CALLS - 1):
        reached: dict[Place, Way] = {}
        for place in newest:
            for caller in callers.get(place, ()):
                path, name = caller
                routine = joints[path].routines[name]
                if routine.runs and name and caller not in found and caller not in reached:
                    reached[caller] = ((name, path, routine.line), *found[place])
        found.update(reached)
        newest = sorted(reached)
    return found


def _lead(
    joints: Mapping[str, Joint], made: Mapping[str, Outlook], ways: list[tuple[Wanted, dict[Place, Way]]]
) -> None:
    """Note the calls in the wanted surroundings that lead to an end."""
    reached = set().union(*(found for _wanted, found in ways))
    for path, outlook in made.items():
        for routine in joints[path].routines.values():
            for at, around, target in routine.calls:
                if target not in reached:
                    continue
                for wanted, found in ways:
                    if around & wanted.around == wanted.around and target in found:
                        outlook.ways.setdefault(at, {})[wanted.trigger] = found[target]
