"""What makes a suspect the same suspect, and its code the same code, from one audit to the next.

Neither depends on where audit was started, on lines above, on formatting, comments or docstrings, or on the version of
Python that runs audit.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import hashlib
import io
import os
import token
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from auditor.model import Span, Suspect

# Since Python 3.12 (3.14) a formatted (template) string is many tokens, which are put together again here.
_OPENING = {getattr(token, name, -1) for name in ("FSTRING_START", "TSTRING_START")} - {-1}
_CLOSING = {getattr(token, name, -1) for name in ("FSTRING_END", "TSTRING_END")} - {-1}
_LAYOUT = {token.INDENT: "<indent>", token.DEDENT: "<dedent>"}
_UNPARSED = (SyntaxError, ValueError, RecursionError, MemoryError)
_NO_CODE = frozenset((token.COMMENT, token.NL, token.ENDMARKER))


class Home(NamedTuple):
    """Which suspect it is.

    `place` is a hash of its rule, file, symbol and flagged text with white space folded, and of which of its equals in
    the file it is; `alike` one of rule, symbol and text alone. `file` is relative to the project, in POSIX form.
    """

    place: str
    alike: str
    file: str


class Code(NamedTuple):
    """The code around a suspect: its hash, and which of its equals in that code the suspect is, counted from 0."""

    hash: str
    nth: int


def homes(suspects: Sequence[Suspect], target: Path, project: Path) -> dict[str, Home]:
    """Which suspect each one is, by fingerprint; those whose file cannot be read are left out.

    `suspects` must be all of a file. Their paths are relative to `target`.
    """
    found: dict[str, Home] = {}
    for path, group, module in _modules(suspects, target):
        seen: dict[tuple[str, ...], int] = {}
        file = Path(os.path.relpath(target / path, project)).as_posix()
        for suspect in sorted(group, key=lambda one: (one.span, one.rule)):
            key = (suspect.symbol, module.folded(suspect.span))
            seen[suspect.rule, *key] = seen.get((suspect.rule, *key), 0) + 1
            place = _digest(suspect.rule, file, *key, str(seen[suspect.rule, *key]))
            found[suspect.fingerprint] = Home(place, _digest(suspect.rule, *key), file)
    return found


def codes(suspects: Sequence[Suspect], target: Path) -> dict[str, Code]:
    """The code around each suspect, by fingerprint; those whose file cannot be parsed are left out.

    Of suspects that are alike, `suspects` must be all of a file.
    """
    found: dict[str, Code] = {}
    for _path, group, module in _modules(suspects, target):
        seen: dict[tuple[object, ...], int] = {}
        with contextlib.suppress(*_UNPARSED):
            for suspect in sorted(group, key=lambda one: (one.span, one.rule)):
                key = (suspect.rule, module.folded(suspect.span), module.stretch(suspect.span.line))
                seen[key] = seen.get(key, -1) + 1
                found[suspect.fingerprint] = Code(module.code(suspect.span.line), seen[key])
    return found


def hashes(file: Path) -> frozenset[str]:
    """Those of all code in a file; none if it cannot be read or parsed."""
    try:
        with tokenize.open(file) as opened:
            return _Module(opened.read()).hashes()
    except (OSError, *_UNPARSED):
        return frozenset()


def _modules(suspects: Sequence[Suspect], target: Path) -> Iterator[tuple[str, list[Suspect], _Module]]:
    by_path: dict[str, list[Suspect]] = {}
    for suspect in suspects:
        by_path.setdefault(suspect.path, []).append(suspect)
    for path, group in by_path.items():
        try:
            with tokenize.open(target / path) as opened:
                module = _Module(opened.read())
        except (OSError, SyntaxError, ValueError):
            continue  # it changed or went since it was scanned
        yield path, group, module


class _Module:
    """The text of one file, and the statements in which its code is compared."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.split("\n")
        self._codes: dict[tuple[int, int], str] = {}

    def folded(self, span: Span) -> str:
        """The text of a span, every white space one blank."""
        return " ".join(_cut(self._lines, span).split())

    def stretch(self, line: int) -> tuple[int, int]:
        """First and last line of the function around a line, the outermost if several, or of the statement.

        Raises:
            SyntaxError, ValueError, RecursionError, MemoryError: Python cannot parse the file.
        """
        return next(((first, last) for first, last in self._stretches if first <= line <= last), (line, line))

    def hashes(self) -> frozenset[str]:
        """Those of all stretches."""
        return frozenset(self.code(first) for first, _last in self._stretches)

    def code(self, line: int) -> str:
        """A hash of the `stretch` around a line, which raises the same."""
        stretch = self.stretch(line)
        if stretch not in self._codes:
            first, last = stretch
            self._codes[stretch] = _digest(normalised("\n".join(self._lines[first - 1 : last]) + "\n"))
        return self._codes[stretch]

    @functools.cached_property
    def _stretches(self) -> tuple[tuple[int, int], ...]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tuple(sorted(_stretches(ast.parse(self._text).body)))


def _stretches(body: Sequence[ast.stmt]) -> Iterator[tuple[int, int]]:
    """First and last line of each statement; of a class, those of its body."""
    for statement in body:
        decorators: Sequence[ast.expr] = getattr(statement, "decorator_list", ())
        first = min([statement.lineno, *(one.lineno for one in decorators)])
        if isinstance(statement, ast.ClassDef):
            yield from _stretches(statement.body)
            yield first, statement.body[0].lineno - 1
        else:
            yield first, statement.end_lineno or first


def normalised(text: str) -> str:
    """Whole lines of source without what does not change what they do: comments, blank lines, layout, docstrings."""
    try:
        return "\n".join(_statements(text))
    except (tokenize.TokenError, SyntaxError):
        return " ".join(text.split())


def _statements(text: str) -> Iterator[str]:
    statement: list[str] = []
    kinds: set[int] = set()
    for kind, string in _tokens(text):
        if kind == token.NEWLINE:
            if kinds != {token.STRING}:
                yield "\0".join(statement)
            statement, kinds = [], set()
        elif kind in _LAYOUT:
            yield _LAYOUT[kind]
        elif kind not in _NO_CODE:
            statement.append(string)
            kinds.add(kind)


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    lines = text.split("\n")
    depth, start = 0, (1, 0)
    for one in tokenize.generate_tokens(io.StringIO(text).readline):
        if one.type in _OPENING:
            start = start if depth else one.start
            depth += 1
        elif one.type in _CLOSING:
            depth -= 1
            if not depth:
                span = Span(start[0], start[1] + 1, one.end[0], one.end[1] + 1)
                yield token.NAME, _cut(lines, span)
        elif not depth:
            yield one.type, one.string


def _cut(lines: Sequence[str], span: Span) -> str:
    # a file may have been cut short since it was scanned
    cut = list(lines[span.line - 1 : span.end_line]) or [""]
    cut[-1] = cut[-1][: span.end_column - 1]
    cut[0] = cut[0][span.column - 1 :]
    return "\n".join(cut)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
