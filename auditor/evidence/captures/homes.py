"""Bringing the files of a profile, which may come from another machine, home to the files audited."""

from __future__ import annotations

import ast
import tokenize
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from auditor.evidence.speedscope import Frame

# Names that the interpreter makes up, which no source shows.
_NAMELESS = ("<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_FOREIGN = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True)
class Homes:
    """Which audited file each file of a profile is, and why some are not used.

    of: files of the profile, each with the audited file that it is. unused: audited files, each with the reason why
    what the profile says of it is not used.
    """

    of: Mapping[str, Path]
    unused: Mapping[Path, str] = field(default_factory=dict)

    def warnings(self, taken: float) -> list[str]:
        """What a reader must know; `taken` is when the profile was, in seconds since the epoch."""
        said = []
        changed = sorted(file.name for file in self.of.values() if file.stat().st_mtime > taken)
        if changed:
            names = ", ".join(changed[:3]) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")
            said.append(
                f"changed after the profile was taken or the process started, so that lines may have moved: {names}"
            )
        if not self.of:
            said.append("none of its files is one of those audited; give the paths whose code it ran")
        return said + [f"{file.name} is not judged from it: {why}" for file, why in sorted(self.unused.items())]


def find_homes(frames: Iterable[Frame], audited: Sequence[Path], by_line: bool = True) -> Homes:
    """Match files by their longest common end, in whole path components, where that is unique.

    A file is used only if every function that the profile names on a line of it is still there on that line, and, if
    the profile is to tell lines (`by_line`), if any line is not the first of its function.
    """
    frames = list(frames)
    by_name: dict[str, list[Path]] = {}
    for file in audited:
        by_name.setdefault(file.name, []).append(file)
    claims: dict[Path, list[tuple[int, str]]] = {}
    unused: dict[Path, str] = {}
    for name in sorted({frame.file for frame in frames if frame.file}):
        scored = [
            (_common(name, file), file) for file in by_name.get(_parts(name)[-1], ()) if not _of_another(name, file)
        ]
        best = max((score for score, _ in scored), default=0)
        nearest = [file for score, file in scored if score == best]
        if len(nearest) == 1 and best == 1 and _foreign(name, nearest[0]):
            # a module of its library, or the very file installed
            unused[nearest[0]] = f"{name} of the profile may be it, or a library's file of the same name"
        elif len(nearest) == 1:
            claims.setdefault(nearest[0], []).append((best, name))
        for file in nearest if len(nearest) > 1 else ():
            unused[file] = f"{name} of the profile may be any of {len(nearest)} files audited"
    homes: dict[str, Path] = {}
    for file, claimed in claims.items():
        best = max(score for score, _ in claimed)
        names = [name for score, name in claimed if score == best]
        if len(names) > 1:
            unused[file] = f"it may be any of {', '.join(names)} of the profile"
        elif doubt := _doubt(file, [frame for frame in frames if frame.file == names[0]], by_line):
            unused[file] = doubt
        else:
            homes[names[0]] = file
            unused.pop(file, None)
    return Homes(homes, unused)


def _parts(file: str) -> list[str]:
    return [part for part in file.replace("\\", "/").split("/") if part not in ("", ".")] or [file]


def _common(name: str, file: Path) -> int:
    """Path components that both end in; more than any path has if they are the same."""
    if Path(name) == file:
        return 1 << 16
    common = 0
    for one, other in zip(reversed(_parts(name)), reversed(file.parts), strict=False):
        if one != other:
            break
        common += 1
    return common


def _of_another(name: str, file: Path) -> bool:
    """Whether it lies in another package than the audited file, which keeps its package wherever it is installed."""
    parts = _parts(name)
    return len(parts) > 1 and parts[-2] != file.parent.name and (file.parent / "__init__.py").is_file()


def _foreign(name: str, file: Path) -> bool:
    """Whether it belongs to an installed package or to Python itself, and the audited file does not."""
    parts = _parts(name)
    library = [part for part in parts if part.startswith("python3.") or part in _FOREIGN]
    return bool(library) and "lib" in (part.lower() for part in parts) and not set(library) & set(file.parts)


class _Scope(NamedTuple):
    first: int
    body: int
    last: int
    name: str


def _doubt(file: Path, frames: Sequence[Frame], by_line: bool) -> str:
    """Why the lines of the profile are not those of the file; "" if nothing speaks against it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with tokenize.open(file) as opened:
                text = opened.read()
            scopes = [_Scope(1, 1, text.count("\n") + 1, "<module>"), *_scopes(ast.parse(text).body)]
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return "it cannot be read"
    at_head: list[bool] = []
    for frame in sorted(frames):
        name = frame.name.rpartition(".")[2]
        if not frame.line or name in _NAMELESS or (name.startswith("<") and name != "<module>"):
            continue
        around = [scope for scope in scopes if scope.first <= frame.line <= scope.last]
        # the line of a `def` runs in the scope around it as well
        inner = [scope for scope in around if scope.body <= frame.line][-1:]
        names = {scope.name for scope in (*inner, *(one for one in around if frame.line <= one.body))}
        if name not in names:
            here = inner[0].name if inner else "nothing"
            return f"the code has changed since: line {frame.line} was in {name}, and is in {here} now"
        if name != "<module>":
            at_head.append(not any(scope.name == name and scope.body <= frame.line for scope in around))
    if by_line and at_head and all(at_head):
        return "the profile tells functions, not lines (py-spy --function, pyinstrument); take one with lines"
    return ""


def _scopes(body: Sequence[ast.AST]) -> Iterator[_Scope]:
    """Functions and classes, the outer ones first."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            yield _Scope(first, node.body[0].lineno, node.end_lineno or node.lineno, node.name)
        yield from _scopes(list(ast.iter_child_nodes(node)))
