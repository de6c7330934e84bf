"""The files of a project joined, and joined anew where some of them changed.

What a file draws from others depends on the outlines asked when its references were resolved, on the ways that
lead on from the functions it calls, and on who calls and imports it. A change is followed along these, and no further
than it makes a difference.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from auditor.scan.joint import Joint, Place, Wanted, Way, way_of
from auditor.scan.links import Outlook, callers_in, looped_by, outlooks, ways
from auditor.scan.resolve import MAX_CALLS

Ways = dict[Place, Way]


class Network:
    """The joined files. `load` gives the joint of a file that is not at hand.

    takers: of files that take something from attributes, what they know, and the names of these. ways: by trigger,
    those that lead on from functions. Who asked the outline of a file is kept in numbers: few are looked at.
    """

    def __init__(self, wanted: Iterable[Wanted], load: Callable[[str], Joint]) -> None:
        self.wanted = tuple(wanted)
        self.takers: dict[str, tuple[list[str], list[str]]] = {}
        self.ways: dict[str, Ways] = {one.trigger: {} for one in self.wanted}
        self._load = load
        self._joints: dict[str, Joint] = {}
        self._paths: list[str] = []
        self._numbers: dict[str, int] = {}
        self._askers: list[list[int]] = []

    def asking(self, paths: Iterable[str]) -> set[str]:
        """The files for which the outline of one of these was asked."""
        return {asker for path in paths for asker in self._askers_of(path)}

    def fill(self, joints: Mapping[str, Joint]) -> dict[str, Outlook]:
        """Take in the joints of all files, and return the outlooks of those that draw something from others."""
        self._joints = dict(joints)
        self._number(list(joints))
        self._askers = [[] for _ in joints]
        for path, joint in joints.items():
            self._ask(path, joint)
        self.takers = {path: (joint.imports, joint.taken) for path, joint in joints.items() if joint.taken}
        callers = callers_in(joints)
        self.ways = ways(joints, self.wanted, callers)
        return outlooks(joints, self.wanted, self.ways, callers)

    def change(self, joints: Mapping[str, Joint]) -> dict[str, Outlook]:
        """Take in new joints, and return the outlooks that may be others than before.

        Raises:
            LookupError: a joint is not at hand, so all have to be given anew.
        """
        before = {path: self._joint(path) for path in joints if path in self._numbers}
        stale = {*joints, *self._known_otherwise(before), *self._known_otherwise(joints)}
        called = self._called_by(before) | self._called_by(joints)
        self._joints |= joints
        for path, joint in joints.items():
            for asked in before[path].asked:
                self._askers[self._numbers[asked]].remove(self._numbers[path])
            self._ask(path, joint)
            self.takers.pop(path, None)
            if joint.taken:
                self.takers[path] = (joint.imports, joint.taken)
        for one in self.wanted:
            if one.often:
                continue
            moved = self._remade(one, joints, before) if one.made else self._rerouted(one, joints, before)
            stale.update(path for place in moved for path, _name in self._callers(place))
        stale.update(path for path in called if path in self._numbers and self._asks_who_calls(self._joint(path)))
        return {path: self._outlook(path) for path in sorted(stale) if path in self._numbers}

    def _asks_who_calls(self, joint: Joint) -> bool:
        return bool(joint.guarded) or joint.asks_who_loops(self.wanted)

    # what is at hand

    def _joint(self, path: str) -> Joint:
        if path not in self._joints:
            self._joints[path] = self._load(path)
        return self._joints[path]

    def _number(self, paths: list[str]) -> None:
        self._paths = paths
        self._numbers = {path: number for number, path in enumerate(paths)}

    def _ask(self, path: str, joint: Joint) -> None:
        for one in joint.asked:
            self._askers[self._numbers[one]].append(self._numbers[path])

    def _askers_of(self, path: str) -> list[str]:
        number = self._numbers.get(path)
        return [] if number is None else [self._paths[one] for one in self._askers[number]]

    def _callers(self, place: Place) -> Iterator[Place]:
        """The functions that call the one there."""
        for path in (place[0], *self._askers_of(place[0])):
            for name, routine in self._joint(path).routines.items():
                if any(call.target == place for call in routine.calls):
                    yield path, name

    @staticmethod
    def _known_otherwise(joints: Mapping[str, Joint]) -> set[str]:
        """The files that those know which take something."""
        return {path for joint in joints.values() if joint.taken for path in joint.imports}

    @staticmethod
    def _called_by(joints: Mapping[str, Joint]) -> set[str]:
        return {call.target[0] for joint in joints.values() for one in joint.routines.values() for call in one.calls}

    # ways

    def _remade(self, wanted: Wanted, joints: Mapping[str, Joint], before: Mapping[str, Joint]) -> set[Place]:
        """Bring the ways up to date that each file knows by itself; return the functions whose way is another."""
        fresh: Ways = {
            (path, name): routine.made[wanted.trigger]
            for path, joint in joints.items()
            for name, routine in joint.routines.items()
            if wanted.trigger in routine.made
        }
        return self._replaced(wanted, fresh, {*fresh, *_places(before)})

    def _rerouted(self, wanted: Wanted, joints: Mapping[str, Joint], before: Mapping[str, Joint]) -> set[Place]:
        """Bring the ways up to date that lead over several files, level by level; return whose way is another."""
        known = self.ways[wanted.trigger]
        looked_at = {*_places(joints), *_places(before)}
        fresh: Ways = {}
        for level in range(1, MAX_CALLS + 1):
            for place in sorted(looked_at - fresh.keys()):
                way = self._way(wanted, place, level, lambda one: (fresh if one in looked_at else known).get(one))
                if way is not None:
                    fresh[place] = way
            moved = [one for one in looked_at if _at_level(known.get(one), level) != _at_level(fresh.get(one), level)]
            for place in moved:
                for caller in self._callers(place):
                    if caller not in looked_at:
                        looked_at.add(caller)
                        # a way that is not longer than this does not lead there
                        if caller in known and len(known[caller]) - 1 <= level:
                            fresh[caller] = known[caller]
        return self._replaced(wanted, fresh, looked_at)

    def _way(self, wanted: Wanted, place: Place, level: int, known: Callable[[Place], Way | None]) -> Way | None:
        """The way from the function if it leads through so many, itself included."""
        path, name = place
        routine = self._joint(path).routines.get(name) if path in self._numbers else None
        if routine is None or not routine.runs or not name:
            return None
        here = (name, path, routine.line)
        if level == 1:
            end = routine.ends.get(wanted.trigger)
            return None if end is None else (here, (end[0], path, end[1]))
        further = [(call.target, way) for call in routine.calls if (way := _at_level(known(call.target), level - 1))]
        return (here, *min(further)[1]) if further else None

    def _replaced(self, wanted: Wanted, fresh: Ways, looked_at: set[Place]) -> set[Place]:
        known = self.ways[wanted.trigger]
        moved = {place for place in looked_at if known.get(place) != fresh.get(place)}
        for place in moved:
            known.pop(place, None)
            if place in fresh:
                known[place] = fresh[place]
        return moved

    # outlooks

    def _outlook(self, path: str) -> Outlook:
        joint = self._joint(path)
        made = Outlook(meanings=joint.meanings, ancestors=joint.ancestors, taken=self._taken(path, joint))
        made.handed = dict(joint.handed)
        made.called = [
            name for name in joint.guarded if any(caller[0] != path for caller in self._callers((path, name)))
        ]
        if joint.asks_who_loops(self.wanted):
            others = (self._joint(one) for one in sorted(self._askers_of(path)) if one != path)
            made.looped = looped_by(others, path)
        for routine in joint.routines.values():
            for at, around, target in routine.calls:
                for one in self.wanted:
                    way = self.ways[one.trigger].get(target) if around & one.around == one.around else None
                    if way is not None:
                        made.ways.setdefault(at, {})[one.trigger] = way
        made.forget_loops(joint.awaited)
        return made

    def _taken(self, path: str, joint: Joint) -> list[str]:
        """Files that import one another, or a name by way of a third, know each other."""
        grown = set(joint.grown)
        taking = (taken for taker, (knows, taken) in self.takers.items() if taker != path and path in knows)
        return sorted(grown.intersection(name for taken in taking for name in taken)) if grown else []

    # written down

    def dump(self) -> str:
        """What `restore` takes, without the joints."""
        ways = {trigger: [[*place, way] for place, way in known.items()] for trigger, known in self.ways.items()}
        return json.dumps([self._paths, self._askers, self.takers, ways], separators=(",", ":"))

    def restore(self, text: str) -> None:
        """Take over what `dump` wrote.

        Raises:
            ValueError: the text is none of `dump`'s, or of other rules.
        """
        try:
            paths, self._askers, takers, ways = json.loads(text)
            self._number(paths)
            self.takers = {path: (knows, taken) for path, (knows, taken) in takers.items()}
            self.ways = {one.trigger: _ways(ways[one.trigger]) for one in self.wanted}
        except (TypeError, AttributeError, LookupError) as error:
            raise ValueError(f"not a network: {error}") from error


def _ways(rows: Any) -> Ways:
    return {(path, name): way_of(steps) for path, name, steps in rows}


def _places(joints: Mapping[str, Joint]) -> Iterator[Place]:
    return ((path, name) for path, joint in joints.items() for name in joint.routines)


def _at_level(way: Way | None, level: int) -> Way | None:
    """The way, if it leads through so many functions."""
    return way if way is not None and len(way) - 1 == level else None
