"""Both sides of a change, from a unified diff whose new side is what lies in the work tree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from auditor.errors import HistoryError
from auditor.history import Side
from auditor.unified import FileDiff, NoDiffError, parse, without_prefixes

_FIT = "the diff has to end at what lies in the work tree: pipe in `git diff REV`, from the repository's root"


def sides(data: bytes, root: Path, wanted: Sequence[str]) -> list[Side]:
    """The files that the diff changes, by their paths from `root` on; the old side is the new one with it undone.

    Raises:
        HistoryError: it is no unified diff, or does not fit the files.
    """
    text = data.decode("latin-1")
    try:
        files = without_prefixes(parse(text), lambda name: (root / name).is_file())
    except NoDiffError as error:
        raise HistoryError(f"--diff -: standard input is not a unified diff: {error}") from error
    if text.strip() and not files:
        raise HistoryError("--diff -: standard input is not a unified diff: it names no file; pipe in `git diff`")
    found = []
    for file in files:
        for path in (file.old, file.new):
            if path is not None and (path.startswith("/") or ".." in path.split("/")):
                raise HistoryError(f"--diff -: {path} lies outside {root}; {_FIT}")
        if any(path is not None and path.endswith(tuple(wanted)) for path in (file.old, file.new)):
            # what was copied stands where it stood, too: here it is new
            old = None if file.copied else file.old
            found.append(Side(old, file.new, b"" if old is None else _undone(file, root)))
    return found


def _undone(file: FileDiff, root: Path) -> bytes:
    lines: list[str] = []
    if file.new is not None:
        try:
            lines = _lines(root / file.new)
        except OSError as error:
            raise HistoryError(f"--diff -: {file.new} cannot be read: {error.strerror}; {_FIT}") from error
    found: list[str] = []
    position = 0
    for hunk in file.hunks:
        there = lines[hunk.start : hunk.start + len(hunk.after)]
        if [_bare(line) for line in there] != [_bare(line) for line in hunk.after]:
            raise HistoryError(f"--diff -: it does not fit {file.new}, line {hunk.start + 1}; {_FIT}")
        before = list(hunk.before)
        for old, new in hunk.kept:
            before[old] = there[new]
        found += [*lines[position : hunk.start], *before]
        position = hunk.start + len(hunk.after)
    return "".join([*found, *lines[position:]]).encode("latin-1")


def _lines(file: Path) -> list[str]:
    with file.open(encoding="latin-1", newline="\n") as text:
        return list(text)


def _bare(line: str) -> str:
    return line.rstrip("\r\n")
