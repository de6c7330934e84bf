"""What the references of a file lead to, asked of the outlines of the project's files.

Whose outlines were asked is noted: as long as these stay as they are, so does the answer. For that to hold, none may
depend on what was asked before, so an answer that was cut short, because it came back to itself, is not kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from auditor.scan.dotted import Modules, components
from auditor.scan.joint import Calling, Joined, Joint, Place, Wanted, Way
from auditor.scan.outline import LOOP, Outline, Routine

MAX_CALLS = 4
"""Functions that a way may lead through."""

MAX_STEPS = 24
MAX_BASES = 8
MAX_DEEP = 60
"""References that lead to references."""

MAX_ASKED = 500
"""Answers cut short for one reference: that many come from names that go round in many circles."""


class Thing(NamedTuple):
    """What a reference leads to: a "module" or "class" or "routine" of the project, or a name "outside" it.

    `made` is whether it is what a call gives: an object of the class.
    """

    kind: str
    path: str
    name: str
    made: bool = False


def _directory(path: str) -> str:
    return path.rpartition("/")[0]


class Resolver:
    """The answers for the files of `packages`, by path the dotted package that each is in.

    `outlines` are asked for one by one. `words` are the names outside the project that matter.
    """

    def __init__(self, outlines: Mapping[str, Outline], packages: Mapping[str, str], words: Collection[str]) -> None:
        self._outlines = outlines
        self._packages = packages
        self._words = words
        self._modules = Modules(packages)
        self._files: dict[tuple[str, str], str | None] = {}
        self._known: dict[tuple[str, str], tuple[Thing | None, frozenset[str]]] = {}
        self._derived: dict[Place, tuple[list[str], frozenset[str]]] = {}
        self._open: dict[tuple[str, str], int] = {}
        self._cut = MAX_DEEP
        self._short = 0
        self._asked: set[str] = set()

    def joint(self, path: str, wanted: Iterable[Wanted]) -> Joint:
        """The file with its references resolved."""
        self._asked = set()
        outline = self._outline(path)
        made = Joint(taken=outline.taken, grown=outline.grown, guarded=outline.guarded, awaited=outline.awaited)
        self._name(path, outline, made)
        made.imports = sorted(self._imported(path, outline))
        makers = [one for one in wanted if one.made]
        for name, routine in outline.routines.items():
            calls = [
                Calling(call.at, call.around, target)
                for call in routine.calls
                if (target := self._target(path, call.ref)) is not None and target != (path, name)
            ]
            calls += self._handed_by(path, routine, made)
            own = {}
            for one in makers if routine.makes else ():
                if (way := self._made_by((path, name), routine, one.made, MAX_CALLS)) is not None:
                    own[one.trigger] = way
            if calls or routine.ends or own:
                made.routines[name] = Joined(routine.line, routine.runs, calls, routine.ends, own)
        made.asked = sorted(self._asked - {path})
        return made

    def _handed_by(self, path: str, routine: Routine, made: Joint) -> list[Calling]:
        """The functions that calls hand to what another file runs for every item: as good as called in a loop."""
        found: list[Calling] = []
        for call in routine.calls:
            runner = self._target(path, call.ref) if call.hands else None
            if runner is None or runner[0] == path:
                continue
            wanted = {key for pair in self._outline(runner[0]).routines[runner[1]].each for key in pair}
            hands = [(where, ref) for where, ref in call.hands if where in wanted]
            if hands:
                made.handed.append((call.at, [where for where, _ref in hands]))
            for _where, ref in hands:
                target = self._target(path, ref) if ref else None
                if target is not None:
                    found.append(Calling(call.at, call.around | LOOP, target))
        return found

    def _outline(self, path: str) -> Outline:
        self._asked.add(path)
        return self._outlines[path]

    # names

    def _name(self, path: str, outline: Outline, made: Joint) -> None:
        """What the names of the file stand for, where another file has to be asked."""
        imported = {ref for ref in outline.names.values() if not ref.endswith("()")}
        imported.update(call.ref for routine in outline.routines.values() for call in routine.calls)
        own = {*outline.names, *outline.classes, *outline.routines}
        for ref in sorted(imported):
            # with `from x import *`, what the file does not define itself may be of `x`
            loose = outline.stars and components(ref)[0].lstrip(":") not in own
            if not ref.startswith(":") or loose:
                self._mean(path, ref, made)
        for name, (bases, _attributes) in sorted(outline.classes.items()):
            own = {base.split(".")[0] for base in bases}
            if own and (ancestors := self.ancestors((path, name))):
                known = [base for base in ancestors if base not in bases]
                if known:
                    made.ancestors[f":{name}"] = known

    def _mean(self, path: str, ref: str, made: Joint) -> None:
        """Note the first part of a reference that another file explains by something outside the project."""
        parts = components(ref)
        first = 0
        if not ref.startswith(":"):
            first = self._modules_in(path, parts)
            if not first:
                return
        for count in range(first + 1, len(parts) + 1):
            name = "".join(parts[:count])
            thing = self._resolve(path, name)
            if thing is None:
                return
            if thing.kind == "outside":
                if thing.name != name and thing.name in self._words and "()" not in name:
                    made.meanings[name] = (thing.name, thing.made)
                return
            if thing.kind == "class" and thing.path != path and "()" not in name:
                if ancestors := self.ancestors((thing.path, thing.name)):
                    made.ancestors[name] = ancestors
                return

    def _modules_in(self, path: str, parts: Sequence[str]) -> int:
        """With how many of the parts of a dotted name, and with all that are fewer, it is that of a module."""
        name = ""
        for count, part in enumerate(parts):
            name += part
            if self._file(path, name) is None:
                return count
        return len(parts)

    def ancestors(self, place: Place) -> list[str]:
        """Names outside the project that the class is derived from, where they matter."""
        if place not in self._derived:
            around, self._asked = self._asked, set()
            self._derived[place] = self._ancestors(place, set()), frozenset(self._asked)
            self._asked = around
        names, asked = self._derived[place]
        self._asked |= asked
        return names

    def _ancestors(self, place: Place, seen: set[Place]) -> list[str]:
        if place in seen or len(seen) > MAX_BASES:
            return []
        seen.add(place)
        found: list[str] = []
        for base in self._outline(place[0]).classes[place[1]][0]:
            thing = self._resolve(place[0], base)
            if thing is None:
                continue
            if thing.kind == "class":
                found += self._ancestors((thing.path, thing.name), seen)
            elif thing.kind == "outside" and thing.name in self._words:
                found.append(thing.name)
        return list(dict.fromkeys(found))

    def _imported(self, path: str, outline: Outline) -> set[str]:
        found: set[str] = set()
        for ref in (*outline.names.values(), *outline.stars):
            thing = self._resolve(path, ref.removesuffix("()"))
            if thing is not None and thing.kind != "outside":
                found.add(thing.path)
        return found

    def _resolve(self, path: str, ref: str) -> Thing | None:
        # names of modules mean the same to all files of a directory
        key = (path if ref.startswith(":") else _directory(path), ref)
        known = self._known.get(key)
        if known is not None:
            self._asked |= known[1]
            return known[0]
        depth = len(self._open)
        if key in self._open or depth >= MAX_DEEP:
            # a name that is explained by itself stands for nothing
            self._cut = min(self._cut, self._open.get(key, -1))
            self._short += 1
            return None
        around, self._asked = self._asked, set()
        cut, self._cut = self._cut, MAX_DEEP
        self._short = self._short if depth else 0
        self._open[key] = depth
        thing = self._follow(path, ref, MAX_STEPS)
        del self._open[key]
        if self._cut >= depth or self._short > MAX_ASKED:
            self._known[key] = (thing, frozenset(self._asked))
            self._cut = cut
        else:
            self._cut = min(cut, self._cut)
        self._asked |= around
        return thing

    def _follow(self, path: str, ref: str, steps: int) -> Thing | None:
        parts: Sequence[str] = components(ref)
        if ref.startswith(":"):
            thing: Thing | None = Thing("module", path, "")
            parts = (f".{parts[0][1:]}", *parts[1:])
        else:
            thing, parts = self._module(path, parts)
        for part in parts:
            if thing is None or steps <= 0:
                return None
            steps -= 1
            thing = self._called(thing) if part == "()" else self._member(thing, part[1:])
        return thing

    def _module(self, path: str, parts: Sequence[str]) -> tuple[Thing | None, Sequence[str]]:
        """The module of the project that a dotted name begins with, and the rest; else a name outside."""
        if parts[0] not in self._modules.names:
            return Thing("outside", "", parts[0]), parts[1:]
        parts = [parts[0] if parts[0].startswith(".") else f".{parts[0]}", *parts[1:]]
        names = [part for part in parts if part != "()"]
        for count in range(len(names), 0, -1):
            if "()" in parts[:count]:
                continue
            dotted = "".join(names[:count])[1:]
            found = self._file(path, dotted)
            if found is not None:
                return Thing("module", found, dotted), parts[count:]
        return Thing("outside", "", parts[0][1:]), parts[1:]

    def _file(self, importer: str, dotted: str) -> str | None:
        """The file that a file means by the name of a module; what is ambiguous means none."""
        directory = _directory(importer)
        key = (directory, dotted)
        if key not in self._files:
            self._files[key] = self._chosen(directory, dotted)
        return self._files[key]

    def _chosen(self, directory: str, dotted: str) -> str | None:
        found = self._modules.named(dotted)
        beside = [path for path in found if _directory(path) == directory]
        if len(beside) == 1:
            return beside[0]
        if len(found) != 1:
            return None
        return found[0] if "." in dotted or self._is_importable(found[0]) else None

    def _is_importable(self, path: str) -> bool:
        """Whether a top-level module can be meant from anywhere, and not a library of the same name."""
        return bool(self._packages[path]) or _directory(path) in ("", "src", "lib")

    def _member(self, thing: Thing, name: str) -> Thing | None:
        if thing.kind == "outside":
            return Thing("outside", "", f"{thing.name}.{name}")
        if thing.kind == "module":
            return self._of_module(thing, name)
        if thing.kind == "class":
            return self._of_class((thing.path, thing.name), name, set())
        return self._nested(thing, name)

    def _nested(self, thing: Thing, name: str) -> Thing | None:
        dotted = f"{thing.name}.{name}"
        return Thing("routine", thing.path, dotted) if dotted in self._outline(thing.path).routines else None

    def _of_module(self, module: Thing, name: str) -> Thing | None:
        own, found = self._own(module, name)
        return found if own else self._by_stars(module.path, name, {module.path})

    def _own(self, module: Thing, name: str) -> tuple[bool, Thing | None]:
        """Whether the module has the name without looking at those whose names it takes over, and what it is."""
        outline = self._outline(module.path)
        if name in outline.classes:
            return True, Thing("class", module.path, name)
        if name in outline.routines:
            return True, Thing("routine", module.path, name)
        if name in outline.names:
            return True, self._resolve(module.path, outline.names[name])
        submodule = self._file(module.path, f"{module.name}.{name}") if module.name else None
        if submodule is not None:
            return True, Thing("module", submodule, f"{module.name}.{name}")
        return False, None

    def _by_stars(self, path: str, name: str, seen: set[str]) -> Thing | None:
        """What modules whose names are all taken over have under that name, each looked at once."""
        for star in self._outline(path).stars[:MAX_BASES]:
            module, rest = self._module(path, components(f"{star}.{name}"))
            if module is not None and module.kind == "outside" and f"{star}.{name}" in self._words:
                return Thing("outside", "", f"{star}.{name}")
            if module is None or module.kind == "outside":
                continue
            if not rest:
                return module
            if rest != [f".{name}"] or module.path in seen:
                continue
            seen.add(module.path)
            own, found = self._own(module, name)
            if not own:
                found = self._by_stars(module.path, name, seen)
            if found is not None:
                return found
        return None

    def _of_class(self, place: Place, name: str, seen: set[Place]) -> Thing | None:
        if place in seen or len(seen) > MAX_BASES:
            return None
        seen.add(place)
        path, klass = place
        outline = self._outline(path)
        dotted = f"{klass}.{name}"
        if dotted in outline.routines:
            return Thing("routine", path, dotted)
        if dotted in outline.classes:
            return Thing("class", path, dotted)
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

    def _called(self, thing: Thing) -> Thing | None:
        """What a call gives."""
        if thing.kind == "class":
            return Thing("class", thing.path, thing.name, made=True)
        if thing.kind == "outside":
            last = thing.name.rpartition(".")[2]
            # a capitalised callee is taken for a constructor, as PEP 8 has it
            return Thing("outside", "", thing.name, made=True) if last[:1].isupper() else None
        if thing.kind == "routine":
            for ref in self._outline(thing.path).routines[thing.name].gives:
                if (found := self._resolve(thing.path, ref)) is not None:
                    return found
        return None

    # calls

    def _target(self, path: str, ref: str) -> Place | None:
        """The function that a call of the reference runs, `__init__` for a class."""
        thing = self._resolve(path, ref)
        if thing is not None and thing.kind == "class" and not thing.made:
            thing = self._of_class((thing.path, thing.name), "__init__", set())
        return (thing.path, thing.name) if thing is not None and thing.kind == "routine" else None

    def _made_by(self, place: Place, routine: Routine, names: Collection[str], calls: int) -> Way | None:
        """The way to where the function makes anew, by a call of one of these names, what it hands back."""
        if not routine.runs or calls <= 0:
            return None
        here = (place[1], place[0], routine.line)
        for ref in routine.makes:
            thing = self._resolve(place[0], ref.removesuffix("()"))
            if thing is None:
                continue
            if (name := self._is_one_of(thing, names)) is not None:
                return (here, (name, place[0], routine.line))
            if thing.kind == "routine" and (thing.path, thing.name) != place:
                target = self._outline(thing.path).routines[thing.name]
                if (way := self._made_by((thing.path, thing.name), target, names, calls - 1)) is not None:
                    return (here, *way)
        return None

    def _is_one_of(self, thing: Thing, names: Collection[str]) -> str | None:
        """The one of the names that a call of the thing makes an object of, or of a class derived from it."""
        if thing.made or thing.kind not in ("outside", "class"):
            return None
        known = [thing.name] if thing.kind == "outside" else self.ancestors((thing.path, thing.name))
        return next((name for name in known if name in names), None)
