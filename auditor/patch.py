"""Both sides of a change, from a unified diff whose new side is what lies in the work tree."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import HistoryError
from auditor.history import Side

if TYPE_CHECKING:
    from unidiff.patch import PatchedFile

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


def sides(data: bytes, root: Path, wanted: Sequence[str]) -> list[Side]:
    """The files that the diff changes, by their paths from `root` on; the old side is the new one with it undone.

    Raises:
        HistoryError: it is no unified diff, or does not fit the files.
    """
    from unidiff.errors import UnidiffParseError
    from unidiff.patch import PatchSet

    # each byte one character, so that nothing is lost; line ends are part of the lines
    text = data.decode("latin-1")
    try:
        patch = PatchSet(io.StringIO(text, newline="\n"))
    except (UnidiffParseError, ValueError) as error:
        raise HistoryError(f"--diff -: standard input is not a unified diff: {error}") from error
    if text.strip() and not patch:
        raise HistoryError("--diff -: standard input is not a unified diff: it names no file; pipe in `git diff`")
    found = []
    for file in patch:
        old, new = _path(file.source_file, "a/"), _path(file.target_file, "b/")
        for path in (old, new):
            if path is not None and (path.startswith("/") or ".." in path.split("/")):
                raise HistoryError(f"--diff -: {path} lies outside {root}; {_FIT}")
        if any(path is not None and path.endswith(tuple(wanted)) for path in (old, new)):
            found.append(Side(old, new, b"" if old is None else _undone(file, new, root)))
    return found


def _path(name: str, prefix: str) -> str | None:
    """The path that a header means: git quotes what is not plain ASCII, and prefixes the sides."""
    if name == "/dev/null":
        return None
    data = name.encode("latin-1")
    if data.startswith(b'"') and data.endswith(b'"'):
        data = re.sub(rb"\\([0-7]{3}|.)", _unquoted, data[1:-1])
    return data.decode("utf-8", "surrogateescape").removeprefix(prefix)


def _unquoted(match: re.Match[bytes]) -> bytes:
    escape = match[1]
    return bytes((int(escape, 8),)) if len(escape) == 3 else _ESCAPES.get(escape, escape)


def _undone(file: PatchedFile, new: str | None, root: Path) -> bytes:
    lines: list[str] = []
    if new is not None:
        try:
            lines = _lines(root / new)
        except OSError as error:
            raise HistoryError(f"--diff -: {new} cannot be read: {error.strerror}; {_FIT}") from error
    kept: list[str] = []
    position = 0
    for hunk in file:
        # with no line on that side, git names the line before the hunk
        start = hunk.target_start - 1 if hunk.target_length else hunk.target_start
        after = [line.value for line in hunk if line.is_added or line.is_context]
        if [_bare(line) for line in lines[start : start + len(after)]] != [_bare(line) for line in after]:
            raise HistoryError(f"--diff -: it does not fit {new}, line {start + 1}; {_FIT}")
        kept += lines[position:start]
        kept += [line.value for line in hunk if line.is_removed or line.is_context]
        position = start + len(after)
    return "".join([*kept, *lines[position:]]).encode("latin-1")


_FIT = "the diff has to end at what lies in the work tree: pipe in `git diff REV`, from the repository's root"


def _lines(file: Path) -> list[str]:
    with file.open(encoding="latin-1", newline="\n") as text:
        return list(text)


def _bare(line: str) -> str:
    return line.rstrip("\r\n")
