"""Dotted names: their parts, and the files that can be imported under them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple


@functools.lru_cache(maxsize=1024)
def components(ref: str) -> tuple[str, ...]:
    """`a.b().c` as ("a", ".b", "()", ".c")."""
    first, *others = ref.split(".")
    parts = (first, *[f".{other}" for other in others])
    if "()" not in ref:
        return parts
    found: list[str] = []
    for part in parts:
        name, mark, _ = part.partition("()")
        found += (name, mark) if mark else (name,)
    return tuple(found)


class Modules:
    """The files that can be imported under a dotted name, as their directories and packages (by path) allow.

    `names` are those that such a dotted name may begin with.
    """

    def __init__(self, packages: Mapping[str, str]) -> None:
        self._found: dict[str, tuple[str, ...]] = {}
        self._by_last: dict[str, list[tuple[str, _Around, str]]] = {}
        self.names = {""}
        arounds: dict[tuple[str, str], _Around] = {}
        for path, dotted in sorted(packages.items()):
            directory, _, name = path.rpartition("/")
            around = arounds.get((directory, dotted))
            if around is None:
                around = arounds[directory, dotted] = _around(directory, dotted)
                self.names.update(name.partition(".")[0] for name in around.names)
            stem = name.rpartition(".")[0] or name
            own = "" if stem == "__init__" else stem
            if own:
                self.names.add(own.partition(".")[0])
            for last in (own.rpartition(".")[2],) if own else around.lasts:
                self._by_last.setdefault(last, []).append((path, around, own))

    def named(self, dotted: str) -> tuple[str, ...]:
        """Their paths, in order."""
        if dotted not in self._found:
            known = self._by_last.get(dotted.rpartition(".")[2], ())
            self._found[dotted] = tuple(path for path, around, stem in known if _is_named(around, stem, dotted))
        return self._found[dotted]


class _Around(NamedTuple):
    """A directory: its names from the top, the last so many of its package, and by which last parts it is found."""

    names: tuple[str, ...]
    package: int
    lasts: frozenset[str]


def _around(directory: str, dotted: str) -> _Around:
    directories = directory.split("/") if directory else []
    package = dotted.split(".") if dotted else []
    names = (*directories[: max(0, len(directories) - len(package))], *package)
    last = names[-1].rpartition(".")[2] if names else ""
    return _Around(names, len(package), frozenset((last,) if package else (last, "")))


def _is_named(around: _Around, stem: str, dotted: str) -> bool:
    if not stem:
        return _end_in(around.names, around.package, dotted)
    return _end_in((*around.names, stem), around.package + 1, dotted)


def _end_in(names: tuple[str, ...], least: int, dotted: str) -> bool:
    """Whether so many of the names, or more, are the dotted one. A name may have dots of its own."""
    return any(".".join(names[start:]) == dotted for start in range(len(names) - least + 1))
