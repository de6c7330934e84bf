"""Dotted names: their parts, and the files that can be imported under them."""

from __future__ import annotations

import functools
from collections.abc import Mapping


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
        self._by_last: dict[str, list[tuple[str, tuple[str, ...], int]]] = {}
        self.names = {""}
        for path, dotted in sorted(packages.items()):
            *directories, name = path.split("/")
            package = dotted.split(".") if dotted else []
            stem = name.rpartition(".")[0] or name
            own = package if stem == "__init__" else [*package, stem]
            names = (*directories[: max(0, len(directories) - len(package))], *own)
            self.names.update(name.partition(".")[0] for name in names)
            for last in {names[-1].rpartition(".")[2] if names else "", *(() if own else ("",))}:
                self._by_last.setdefault(last, []).append((path, names, len(own)))

    def named(self, dotted: str) -> tuple[str, ...]:
        """Their paths, in order."""
        if dotted not in self._found:
            known = self._by_last.get(dotted.rpartition(".")[2], ())
            self._found[dotted] = tuple(path for path, names, least in known if _end_in(names, least, dotted))
        return self._found[dotted]


def _end_in(names: tuple[str, ...], least: int, dotted: str) -> bool:
    """Whether so many of the names, or more, are the dotted one. A name may have dots of its own."""
    return any(".".join(names[start:]) == dotted for start in range(len(names) - least + 1))
