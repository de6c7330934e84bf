"""The files of a project joined: which call leads where over a few functions, and what imported names stand for.

Made from the outlines of all files (`auditor.scan.outline`) alone. What comes of it for one file is its `Outlook`. All
is bounded: names are followed `MAX_STEPS` components deep, calls over `MAX_CALLS` functions, and of the ways from a
function to an end only the shortest is kept.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from auditor.records import dataclass, field, replace
from auditor.scan.dotted import components, modules
from auditor.scan.outline import Called, Key, Outline, Places, Routine

MAX_CALLS = 4
"""Functions that a way may lead through."""

MAX_STEPS = 24
MAX_BASES = 8

Place = tuple[str, str]
"""A function or class: the path of its file, its dotted name there."""
Way = tuple[tuple[str, str, int], ...]
"""Steps of a way as (name, path, line): the functions called one after the other, and the call at the end."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a trigger asks for: calls with all the bits of `around` that lead to its ends.

    made: the ends make something, and the way leads by functions that hand it back.
    """

    trigger: str
    around: int = 0
    made: frozenset[str] = frozenset()


@dataclass(slots=True)
class Outlook:
    """What one file draws from the others.

    ways: for calls in it, by trigger, the way to an end. meanings: what imported names stand for outside the project,
    and whether it is an object of that class. ancestors: names outside the project of classes that its classes and
    imports are derived from. taken: names of attributes from which files that know this one take something. called:
    functions that this file, a script, runs once, and that others call too.
    """

    ways: dict[Key, dict[str, Way]] = field(default_factory=dict)
    meanings: dict[str, tuple[str, bool]] = field(default_factory=dict)
    ancestors: dict[str, list[str]] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    called: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.ways or self.meanings or self.ancestors or self.taken or self.called)

    def dump(self) -> str:
        """One line of text, empty if the file draws nothing."""
        ways = [[*key, by] for key, by in sorted(self.ways.items())]
        parts = [ways, self.meanings, self.ancestors, self.taken, self.called]
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
        return replace(self, ways=ways)

    @classmethod
    def load(cls, text: str) -> Outlook:
        """What `dump` wrote."""
        if not text:
            return cls()
        ways, meanings, ancestors, taken, called = json.loads(text)
        return cls(
            {(a, b, c, d): {name: _way(steps) for name, steps in by.items()} for a, b, c, d, by in ways},
            {name: (meant, bool(made)) for name, (meant, made) in meanings.items()},
            ancestors,
            taken,
            called,
        )


def _way(steps: Iterable[Any]) -> Way:
    return tuple((name, path, line) for name, path, line in steps)


@dataclass(frozen=True, slots=True)
class _Thing:
    """What a reference leads to: a "module" or "class" or "routine" of the project, or a name "outside" it.

    `made` is whether it is what a call gives: an object of the class.
    """

    kind: str
    path: str
    name: str
    made: bool = False


def link(outlines: Mapping[str, Outline], wanted: Iterable[Wanted], words: Collection[str]) -> dict[str, Outlook]:
    """The outlook of every file that draws something from others. `words` are the names outside that matter."""
    return _Linker(outlines, words).link(tuple(wanted))


class _Linker:
    def __init__(self, outlines: Mapping[str, Outline], words: Collection[str]) -> None:
        self._outlines = outlines
        self._words = words
        self._modules = modules(outlines)
        self._known: dict[tuple[str, str], _Thing | None] = {}
        self._depth = 0
        self._made: dict[str, Outlook] = {}

    def link(self, wanted: tuple[Wanted, ...]) -> dict[str, Outlook]:
        for path in sorted(self._outlines):
            self._name(path)
        self._take()
        graph = self._graph()
        self._call(graph)
        for one in wanted:
            ways = self._makers(one) if one.made else self._runners(one, graph)
            self._lead(one, ways)
        return {path: outlook for path, outlook in sorted(self._made.items()) if outlook}

    def _outlook(self, path: str) -> Outlook:
        return self._made.setdefault(path, Outlook())

    # names

    def _name(self, path: str) -> None:
        """What the names of the file stand for, where another file has to be asked."""
        outline = self._outlines[path]
        imported = {ref for ref in outline.names.values() if not ref.endswith("()")}
        imported.update(call.ref for routine in outline.routines.values() for call in routine.calls)
        for ref in sorted(imported):
            if not ref.startswith(":"):
                self._mean(path, ref)
        for name, (bases, _attributes) in sorted(outline.classes.items()):
            own = {base.split(".")[0] for base in bases}
            if own and (ancestors := self._ancestors((path, name), set())):
                known = [base for base in ancestors if base not in bases]
                if known:
                    self._outlook(path).ancestors[f":{name}"] = known

    def _mean(self, path: str, ref: str) -> None:
        """Note the first part of a reference that another file explains by something outside the project."""
        parts = components(ref)
        for count in range(1, len(parts) + 1):
            thing = self._resolve(path, "".join(parts[:count]))
            if thing is None:
                return
            name = "".join(parts[:count])
            if thing.kind == "outside":
                if thing.name != name and thing.name in self._words and "()" not in name:
                    self._outlook(path).meanings[name] = (thing.name, thing.made)
                return
            if thing.kind == "class" and thing.path != path and "()" not in name:
                ancestors = self._ancestors((thing.path, thing.name), set())
                if ancestors:
                    self._outlook(path).ancestors[name] = ancestors
                return

    def _ancestors(self, place: Place, seen: set[Place]) -> list[str]:
        """Names outside the project that the class is derived from, where they matter."""
        if place in seen or len(seen) > MAX_BASES:
            return []
        seen.add(place)
        found: list[str] = []
        for base in self._outlines[place[0]].classes[place[1]][0]:
            thing = self._resolve(place[0], base)
            if thing is None:
                continue
            if thing.kind == "class":
                found += self._ancestors((thing.path, thing.name), seen)
            elif thing.kind == "outside" and thing.name in self._words:
                found.append(thing.name)
        return list(dict.fromkeys(found))

    def _resolve(self, path: str, ref: str) -> _Thing | None:
        key = (path, ref)
        if key not in self._known:
            self._known[key] = None  # a name that is explained by itself stands for nothing
            if self._depth < MAX_STEPS:
                self._depth += 1
                self._known[key] = self._follow(path, ref, MAX_STEPS)
                self._depth -= 1
        return self._known[key]

    def _follow(self, path: str, ref: str, steps: int) -> _Thing | None:
        parts = components(ref)
        if ref.startswith(":"):
            thing: _Thing | None = _Thing("module", path, "")
            parts[0] = parts[0][1:]
            parts[0] = f".{parts[0]}"
        else:
            thing, parts = self._module(path, parts)
        for part in parts:
            if thing is None or steps <= 0:
                return None
            steps -= 1
            thing = self._called(thing) if part == "()" else self._member(thing, part[1:])
        return thing

    def _module(self, path: str, parts: list[str]) -> tuple[_Thing | None, list[str]]:
        """The module of the project that a dotted name begins with, and the rest; else a name outside."""
        parts = [parts[0] if parts[0].startswith(".") else f".{parts[0]}", *parts[1:]]
        names = [part for part in parts if part != "()"]
        for count in range(len(names), 0, -1):
            if "()" in parts[:count]:
                continue
            dotted = "".join(names[:count])[1:]
            found = self._file(path, dotted)
            if found is not None:
                return _Thing("module", found, dotted), parts[count:]
        return _Thing("outside", "", parts[0][1:]), parts[1:]

    def _file(self, importer: str, dotted: str) -> str | None:
        """The file that a file means by the name of a module; what is ambiguous means none."""
        found = self._modules.get(dotted, ())
        beside = [path for path in found if PurePosixPath(path).parent == PurePosixPath(importer).parent]
        if len(beside) == 1:
            return beside[0]
        if len(found) != 1:
            return None
        return found[0] if "." in dotted or self._is_importable(found[0]) else None

    def _is_importable(self, path: str) -> bool:
        """Whether a top-level module can be meant from anywhere, and not a library of the same name."""
        return bool(self._outlines[path].package) or str(PurePosixPath(path).parent) in (".", "src", "lib")

    def _member(self, thing: _Thing, name: str) -> _Thing | None:
        if thing.kind == "outside":
            return _Thing("outside", "", f"{thing.name}.{name}")
        if thing.kind == "module":
            return self._of_module(thing, name)
        if thing.kind == "class":
            return self._of_class((thing.path, thing.name), name, set())
        return self._nested(thing, name)

    def _nested(self, thing: _Thing, name: str) -> _Thing | None:
        dotted = f"{thing.name}.{name}"
        return _Thing("routine", thing.path, dotted) if dotted in self._outlines[thing.path].routines else None

    def _of_module(self, module: _Thing, name: str) -> _Thing | None:
        outline = self._outlines[module.path]
        if name in outline.classes:
            return _Thing("class", module.path, name)
        if name in outline.routines:
            return _Thing("routine", module.path, name)
        if name in outline.names:
            return self._resolve(module.path, outline.names[name])
        submodule = self._file(module.path, f"{module.name}.{name}") if module.name else None
        if submodule is not None:
            return _Thing("module", submodule, f"{module.name}.{name}")
        for star in outline.stars[:MAX_BASES]:
            if (found := self._resolve(module.path, f"{star}.{name}")) is not None and found.kind != "outside":
                return found
        return None

    def _of_class(self, place: Place, name: str, seen: set[Place]) -> _Thing | None:
        if place in seen or len(seen) > MAX_BASES:
            return None
        seen.add(place)
        path, klass = place
        outline = self._outlines[path]
        dotted = f"{klass}.{name}"
        if dotted in outline.routines:
            return _Thing("routine", path, dotted)
        if dotted in outline.classes:
            return _Thing("class", path, dotted)
        bases, attributes = outline.classes[klass]
        if name in attributes:
            return self._resolve(path, attributes[name])
        for base in bases[:MAX_BASES]:
            thing = self._resolve(path, base)
            if thing is not None and thing.kind == "class":
                found = self._of_class((thing.path, thing.name), name, seen)
                if found is not None:
                    return found
        return None

    def _called(self, thing: _Thing) -> _Thing | None:
        """What a call gives."""
        if thing.kind == "class":
            return _Thing("class", thing.path, thing.name, made=True)
        if thing.kind == "outside":
            last = thing.name.rpartition(".")[2]
            # a capitalised callee is taken for a constructor, as PEP 8 has it
            return _Thing("outside", "", thing.name, made=True) if last[:1].isupper() else None
        if thing.kind == "routine":
            routine = self._outlines[thing.path].routines[thing.name]
            for ref in routine.gives:
                if (found := self._resolve(thing.path, ref)) is not None:
                    return found
        return None

    # calls

    def _graph(self) -> dict[Place, list[tuple[Place, Called]]]:
        """For every function, the calls that lead into it, with the functions that make them."""
        found: dict[Place, list[tuple[Place, Called]]] = {}
        for path, outline in sorted(self._outlines.items()):
            for name, routine in outline.routines.items():
                for call in routine.calls:
                    target = self._target(path, call.ref)
                    if target is not None and target != (path, name):
                        found.setdefault(target, []).append(((path, name), call))
        return found

    def _target(self, path: str, ref: str) -> Place | None:
        """The function that a call of the reference runs, `__init__` for a class."""
        thing = self._resolve(path, ref)
        if thing is not None and thing.kind == "class" and not thing.made:
            thing = self._of_class((thing.path, thing.name), "__init__", set())
        return (thing.path, thing.name) if thing is not None and thing.kind == "routine" else None

    def _routine(self, place: Place) -> Routine:
        return self._outlines[place[0]].routines[place[1]]

    def _runners(self, wanted: Wanted, graph: Mapping[Place, list[tuple[Place, Called]]]) -> dict[Place, Way]:
        """The functions that run an end of the trigger when they are called, each with the shortest way."""
        found: dict[Place, Way] = {}
        for path, outline in sorted(self._outlines.items()):
            for name, routine in outline.routines.items():
                end = routine.ends.get(wanted.trigger)
                if end is not None and routine.runs and name:
                    found[path, name] = ((name, path, routine.line), (end[0], path, end[1]))
        newest = sorted(found)
        for _ in range(MAX_CALLS - 1):
            reached: dict[Place, Way] = {}
            for place in newest:
                for caller, _call in graph.get(place, ()):
                    routine = self._routine(caller)
                    if routine.runs and caller[1] and caller not in found and caller not in reached:
                        reached[caller] = ((caller[1], caller[0], routine.line), *found[place])
            found.update(reached)
            newest = sorted(reached)
        return found

    def _makers(self, wanted: Wanted) -> dict[Place, Way]:
        """The functions that hand back what is made anew by a call of one of the trigger's names."""
        found: dict[Place, Way] = {}
        for path, outline in sorted(self._outlines.items()):
            for name, routine in outline.routines.items():
                way = self._made_by((path, name), routine, wanted.made, MAX_CALLS)
                if way is not None:
                    found[path, name] = way
        return found

    def _made_by(self, place: Place, routine: Routine, names: Collection[str], calls: int) -> Way | None:
        if not routine.runs or calls <= 0:
            return None
        here = (place[1], place[0], routine.line)
        for ref in routine.makes:
            bare = ref.removesuffix("()")
            thing = self._resolve(place[0], bare)
            if thing is None:
                continue
            if (name := self._is_one_of(thing, names)) is not None:
                return (here, (name, place[0], routine.line))
            if thing.kind == "routine" and (thing.path, thing.name) != place:
                target = (thing.path, thing.name)
                if (way := self._made_by(target, self._routine(target), names, calls - 1)) is not None:
                    return (here, *way)
        return None

    def _is_one_of(self, thing: _Thing, names: Collection[str]) -> str | None:
        """The one of the names that a call of the thing makes an object of, or of a class derived from it."""
        if thing.made or thing.kind not in ("outside", "class"):
            return None
        known = [thing.name] if thing.kind == "outside" else self._ancestors((thing.path, thing.name), set())
        return next((name for name in known if name in names), None)

    def _lead(self, wanted: Wanted, ways: Mapping[Place, Way]) -> None:
        """Note the calls in the wanted surroundings that lead to an end."""
        for path, outline in sorted(self._outlines.items()):
            for name, routine in outline.routines.items():
                for call in routine.calls:
                    if call.around & wanted.around != wanted.around:
                        continue
                    target = self._target(path, call.ref)
                    if target is not None and target != (path, name) and target in ways:
                        self._outlook(path).ways.setdefault(call.at, {})[wanted.trigger] = ways[target]

    # what is taken

    def _take(self) -> None:
        """Files that import one another, or a name by way of a third, know each other."""
        for path, outline in sorted(self._outlines.items()):
            if not outline.taken:
                continue
            for known in sorted(self._imported(path)):
                taken = set(outline.taken) & set(self._outlines[known].grown)
                if taken and known != path:
                    outlook = self._outlook(known)
                    outlook.taken = sorted({*outlook.taken, *taken})

    def _call(self, graph: Mapping[Place, list[tuple[Place, Called]]]) -> None:
        """Functions that their own file, a script, runs once."""
        for path, outline in sorted(self._outlines.items()):
            for name in outline.guarded:
                if any(caller[0] != path for caller, _call in graph.get((path, name), ())):
                    self._outlook(path).called.append(name)

    def _imported(self, path: str) -> set[str]:
        found: set[str] = set()
        outline = self._outlines[path]
        for ref in (*outline.names.values(), *outline.stars):
            thing = self._resolve(path, ref.removesuffix("()"))
            if thing is not None and thing.kind != "outside":
                found.add(thing.path)
        return found
