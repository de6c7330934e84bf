"""Unified diffs as git, diff and people's tools write them: which files, which lines.

Read by the lengths that the hunks state, so that a changed line that looks like a header is none. Each byte is one
character (Latin-1), so that nothing is lost. unidiff, which reads the hunks of forges, refuses names with spaces as git
writes them (with a tab and no time behind), and splits git's header at any space.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

_HUNK = re.compile(r"@@ -(\d{1,18})(?:,(\d{1,18}))? \+(\d{1,18})(?:,(\d{1,18}))? @@")
_NOWHERE = "/dev/null"
_ESCAPES = {
    b"n": b"\n",
    b"t": b"\t",
    b"r": b"\r",
    b'"': b'"',
    b"\\": b"\\",
    b"a": b"\a",
    b"b": b"\b",
    b"f": b"\f",
    b"v": b"\v",
}


class NoDiffError(ValueError):
    """The text is no unified diff."""


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines with their ends: `after` are those of the new side from index `start` on, `before` was in their place.

    `kept` are the indices in `before` and `after` of lines that are on both sides.
    """

    start: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    kept: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class FileDiff:
    """One file. Names are as they stand, with a prefix or without, unless `exact`; None where there is no such side."""

    old: str | None = None
    new: str | None = None
    exact: bool = False
    copied: bool = False
    hunks: list[Hunk] = field(default_factory=list)


def parse(text: str) -> list[FileDiff]:
    """The files of a diff, in its order.

    Raises:
        NoDiffError: it is cut short, or something else.
    """
    lines = re.findall(r"[^\n]*\n|[^\n]+\Z", text)  # and at no other character that ends a line
    files: list[FileDiff] = []
    current: FileDiff | None = None
    position = 0
    while position < len(lines):
        line = lines[position].rstrip("\r\n")
        position += 1
        if line.startswith("diff --git "):
            current = FileDiff(*_of_git_header(line.removeprefix("diff --git ")))
            files.append(current)
        elif line.startswith("--- ") and position < len(lines) and lines[position].startswith("+++ "):
            if current is None or current.hunks:
                current = FileDiff()
                files.append(current)
            if not current.exact:
                current.old, current.new = _name(line), _name(lines[position].rstrip("\r\n"))
            position += 1
        elif match := _HUNK.match(line):
            if current is None:
                raise NoDiffError(f"line {position} is a hunk of no file")
            hunk, position = _hunk(match, lines, position)
            current.hunks.append(hunk)
        elif line.startswith("@@@ "):
            raise NoDiffError("it compares a merge with several commits; pipe in `git diff REV`")
        elif current is not None:
            _extend(current, line)
    return files


def _extend(current: FileDiff, line: str) -> None:
    """What git says of a file between its header and its hunks."""
    for words in ("rename", "copy"):
        if line.startswith(f"{words} from "):
            current.old, current.exact = _unquoted(line.removeprefix(f"{words} from ")), True
            current.copied = words == "copy"
        elif line.startswith(f"{words} to "):
            current.new, current.exact = _unquoted(line.removeprefix(f"{words} to ")), True
    if line.startswith("new file mode "):
        current.old = None
    elif line.startswith("deleted file mode "):
        current.new = None


def _of_git_header(names: str) -> tuple[str | None, str | None]:
    """Both names of a header, if they are the same but for their prefixes; those of a rename are given again below."""
    if quoted := re.fullmatch(r'("(?:\\.|[^"\\])*") ("(?:\\.|[^"\\])*")', names):
        return _unquoted(quoted[1]), _unquoted(quoted[2])
    half = len(names) // 2
    return _unquoted(names[:half]), _unquoted(names[half + 1 :])


def _name(line: str) -> str | None:
    """The name of a `---` or `+++` line, which may have a time behind it."""
    name = line[4:]
    if not name.startswith('"'):
        name = name.partition("\t")[0]
    return None if name == _NOWHERE else _unquoted(name)


def _unquoted(name: str) -> str:
    """The name that git means: it quotes what is not plain ASCII."""
    data = name.encode("latin-1")
    if len(data) > 1 and data.startswith(b'"') and data.endswith(b'"'):
        data = re.sub(rb"\\([0-7]{3}|.)", _escaped, data[1:-1])
    return data.decode("utf-8", "surrogateescape")


def _escaped(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    return bytes((int(escape, 8) & 0xFF,)) if len(escape) == 3 else _ESCAPES.get(escape, escape)


def _hunk(header: re.Match[str], lines: list[str], position: int) -> tuple[Hunk, int]:
    """The hunk below its header, and the position behind it."""
    first = position
    old_left, new_left = (1 if header[group] is None else int(header[group]) for group in (2, 4))
    # with no line on that side, the line before the hunk is named
    start = int(header[3]) - (1 if new_left else 0)
    before: list[str] = []
    after: list[str] = []
    kept: list[tuple[int, int]] = []
    while old_left > 0 or new_left > 0 or (position < len(lines) and lines[position].startswith("\\")):
        line = lines[position] if position < len(lines) else ""
        position += 1
        sign, rest = (" ", line) if line.strip("\r\n") == "" and line else (line[:1], line[1:])
        if sign == "\\":
            _end_without_newline(before, after, lines[position - 2][:1])
            continue
        if sign not in ("+", "-", " ") or not line:
            raise NoDiffError(f"line {position} is not what the hunk of line {first} states")
        if sign == " ":
            kept.append((len(before), len(after)))
        if sign != "+":
            before.append(rest)
            old_left -= 1
        if sign != "-":
            after.append(rest)
            new_left -= 1
    return Hunk(start, tuple(before), tuple(after), tuple(kept)), position


def _end_without_newline(before: list[str], after: list[str], sign: str) -> None:
    """What "No newline at end of file" says below a line with `sign`."""
    for side, other in ((before, "+"), (after, "-")):
        if side and sign != other:
            side[-1] = side[-1].rstrip("\r\n")


def without_prefixes(files: Iterable[FileDiff], is_there: Callable[[str], bool]) -> list[FileDiff]:
    """The files with names as they are below the root, in which `is_there` tells what the new side has.

    Git puts a prefix before each side (a/ and b/, i/ and w/, what its settings say), or none.
    """
    files = list(files)
    named = [one for one in files if not one.exact]
    if _is_prefixed(named, is_there):
        for one in named:
            one.old = None if one.old is None else one.old.partition("/")[2]
            one.new = None if one.new is None else one.new.partition("/")[2]
    return files


def _is_prefixed(files: list[FileDiff], is_there: Callable[[str], bool]) -> bool:
    old = {one.old.partition("/")[0] if "/" in one.old else "" for one in files if one.old is not None}
    new = {one.new.partition("/")[0] if "/" in one.new else "" for one in files if one.new is not None}
    if len(old) > 1 or len(new) > 1 or "" in old | new:
        return False
    if old and new:
        return old != new
    names = [one.new for one in files if one.new is not None]
    return not all(is_there(name) for name in names) if names else old <= {"a", "c", "i", "o", "1"}
