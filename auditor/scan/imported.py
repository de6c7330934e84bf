"""What the project's files import from one another, looked up where not all of the project is scanned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from auditor.scan.dotted import components
from auditor.scan.links import MAX_CALLS
from auditor.scan.outline import COROUTINE, LOOP, Outline

MAX_BYTES = 100_000
"""Of what is imported, so much is read: enough for the modules near by, little enough for a hook."""

_SOURCES = ("", "src", "lib")


def follow(files: Iterable[Path], root: Path, outline_of: Callable[[Path], Outline | None]) -> None:
    """Ask for the outlines of `files` and of what they import below `root`, nearest first, as far as a way may lead.

    `outline_of` answers None for a file that cannot be read. Of what is imported, `MAX_BYTES` are asked for.
    """
    near = list(files)
    known = set(near)
    room = MAX_BYTES
    for _ in range(MAX_CALLS):
        further: list[Path] = []
        for file in near:
            outline = outline_of(file)
            for one in () if outline is None else imported(outline, file, root):
                size = _size(one)
                if one not in known and size <= room:
                    known.add(one)
                    room -= size
                    further.append(one)
        near = further
    for file in near:
        outline_of(file)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return MAX_BYTES + 1


def imported(outline: Outline, file: Path, root: Path) -> Iterator[Path]:
    """Files below `root` that `file` imports, each once; first those that it calls in loops and coroutines."""
    bases = list(_bases(outline, file, root))
    seen: set[Path] = set()
    for ref in _refs(outline):
        found = _file_of(ref, bases)
        if found is not None and found not in seen and found.is_relative_to(root):
            seen.add(found)
            yield found


def _refs(outline: Outline) -> Iterable[str]:
    calls = [call for routine in outline.routines.values() for call in routine.calls]
    urgent = [call.ref for call in calls if call.around & (LOOP | COROUTINE)]
    bases = [base for own, _attributes in outline.classes.values() for base in own]
    others = [*(call.ref for call in calls), *bases, *outline.stars, *outline.names.values()]
    return dict.fromkeys(ref for ref in (*urgent, *others) if not ref.startswith(":"))


def _bases(outline: Outline, file: Path, root: Path) -> Iterable[Path]:
    """Directories that a dotted name may lead from: that above the file's package, the project's, the file's own."""
    depth = outline.package.count(".") + 1 if outline.package else 0
    above = (file.parent, *file.parent.parents)[depth]
    return dict.fromkeys((above, *(root / name for name in _SOURCES), file.parent))


def _file_of(ref: str, bases: Iterable[Path]) -> Path | None:
    """The file of the longest module that the dotted name begins with."""
    names: list[str] = []
    for part in components(ref):
        if part == "()":
            break
        names.append(part.removeprefix("."))
    for base in bases:
        for count in range(len(names), 0, -1):
            inner = base.joinpath(*names[:count])
            for file in (inner.with_name(f"{inner.name}.py"), inner / "__init__.py"):
                if file.is_file():
                    return file
    return None
