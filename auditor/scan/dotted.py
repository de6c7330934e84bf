"""Dotted names: their parts, and the files that can be imported under them."""

from __future__ import annotations

import os
from collections.abc import Mapping


def components(ref: str) -> list[str]:
    """`a.b().c` as ["a", ".b", "()", ".c"]."""
    found: list[str] = []
    for index, part in enumerate(ref.split(".")):
        name, mark, _ = part.partition("()")
        found.append(f".{name}" if index else name)
        if mark:
            found.append("()")
    return found


def modules(packages: Mapping[str, str]) -> dict[str, list[str]]:
    """Dotted names under which files can be imported, as their directories and packages (by path) allow."""
    found: dict[str, list[str]] = {}
    for path, dotted in sorted(packages.items()):
        *directories, name = path.split("/")
        stem = os.path.splitext(name)[0]  # noqa: PTH122 - many times as fast
        package = dotted.split(".") if dotted else []
        above = directories[: max(0, len(directories) - len(package))]
        own = [*package, *([] if stem == "__init__" else [stem])]
        for start in range(len(above) + 1):
            found.setdefault(".".join((*above[start:], *own)), []).append(path)
    return found
