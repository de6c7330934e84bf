"""Reading a file as Python would, or saying why not."""

from __future__ import annotations

import ast
import hashlib
import io
import os
import re
import sys
import tokenize
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from auditor.model import Span, Suspect
from auditor.scan.notebook import SUFFIX, Cell, NotebookError, place, read_notebook
from auditor.scan.record import Reading

MAX_BYTES = 4 * 1024 * 1024
"""Larger files are generated data: the biggest hand-written module of CPython's library has 0.3 MB."""

MAX_NOTEBOOK_BYTES = 64 * 1024 * 1024
"""A notebook holds the pictures it drew as well."""


_PYTHON_2 = re.compile(
    r"""^\s*(?:print\s+[\w"'%>`]|exec\s+[\w"']|raise\s+[\w.]+\s*,|def\s.*\(\s*\()"""
    r"""|<>|\bur["']|\b0\d+\b|\b(?:0[xX][\da-fA-F]+|\d+)[lL]\b|`"""
)
"""Statements and literals that Python 3 refuses."""


class UnreadableError(Exception):
    """The file cannot be audited; the message is the reason for its skip."""


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file. `lines` keep their line ends and are split as the parser splits them.

    Of a notebook, they are those of its `cells`; `left_out` says which cells are missing, and why.
    """

    path: str
    lines: tuple[str, ...]
    tree: ast.Module
    cells: tuple[Cell, ...] = ()
    left_out: tuple[str, ...] = ()

    def place(self, first: int, last: int | None = None) -> str:
        """Where these lines are, in words."""
        cell = ""
        if self.cells:
            number, start = place(self.cells, first)
            first, last = start, None if last is None else last - first + start
            cell = f"cell {number}, "
        return f"{cell}line {first}" if last in (None, first) else f"{cell}lines {first}-{last}"

    def located(self, suspect: Suspect) -> Suspect:
        """The suspect with its spans as the author counts lines: in a notebook, from the start of the cell."""
        if not self.cells:
            return suspect
        number, line = place(self.cells, suspect.span.line)
        above = suspect.span.line - line
        function = suspect.function
        return replace(
            suspect,
            cell=number,
            span=_raised(suspect.span, above),
            sites=tuple(replace(site, span=_raised(site.span, above)) for site in suspect.sites),
            function=None if function is None else _raised(function, above),
        )

    def column(self, line: int, byte_offset: int) -> int:
        """Character column, from 1, of a 0-based UTF-8 byte offset on a 1-based line."""
        text = self.lines[line - 1]
        if text.isascii():
            return byte_offset + 1
        return len(text.encode("utf-8", "surrogatepass")[:byte_offset].decode("utf-8", "replace")) + 1

    def span(self, node: ast.expr | ast.stmt) -> Span:
        """Where a node stands."""
        end_line = node.end_lineno or node.lineno
        return Span(
            line=node.lineno,
            column=self.column(node.lineno, node.col_offset),
            end_line=end_line,
            end_column=self.column(end_line, node.end_col_offset or 0),
        )


def _raised(span: Span, lines: int) -> Span:
    return replace(span, line=span.line - lines, end_line=span.end_line - lines)


def read_bytes(file: Path) -> tuple[bytes, Reading]:
    """What the file holds, and the state in which it was found.

    Raises:
        UnreadableError: it cannot be read, or is larger than such a file may be; the message says why.
    """
    limit = MAX_NOTEBOOK_BYTES if file.suffix == SUFFIX else MAX_BYTES
    try:
        with file.open("rb") as opened:
            found = os.fstat(opened.fileno())
            if found.st_size > limit:
                raise _too_large(found.st_size, limit)
            # a file may grow while it is read
            data = opened.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise UnreadableError(f"cannot be read: {reason or error}") from error
    if len(data) > limit:
        raise _too_large(len(data), limit)
    return data, Reading(found.st_mtime_ns, found.st_size, found.st_ino, hashlib.sha256(data).hexdigest())


def _too_large(size: int, limit: int) -> UnreadableError:
    return UnreadableError(f"too large: {size / 2**20:.1f} MB, the limit is {limit // 2**20} MB")


def parse_source(data: bytes, path: str) -> Source:
    """The parsed text; that of a notebook's cells if `path` is one's.

    Raises:
        UnreadableError: it cannot be decoded or parsed.
    """
    if path.endswith(SUFFIX):
        try:
            notebook = read_notebook(data)
        except NotebookError as error:
            raise UnreadableError(str(error)) from error
        text, cells, left_out = notebook.text, notebook.cells, notebook.left_out
    else:
        text, cells, left_out = _decode(data), (), ()
    if "\0" in text:
        raise UnreadableError("contains null bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        raise UnreadableError(_syntax_reason(error)) from error
    except (RecursionError, MemoryError) as error:
        raise UnreadableError("nested too deeply for Python's own parser") from error
    except ValueError as error:
        raise UnreadableError(f"cannot be parsed: {error}") from error
    return Source(path, tuple(io.StringIO(text, newline=None)), tree, cells, left_out)


def parsed_expression(code: str) -> ast.expr | None:
    """The `ast` of an expression's text, None if it is none."""
    try:
        # parentheses let an expression span lines
        return ast.parse(f"({code.strip()})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _decode(data: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except SyntaxError as error:
        raise UnreadableError(f"wrong encoding: {error.msg}") from error
    except (UnicodeDecodeError, LookupError) as error:
        raise UnreadableError(f"wrong encoding: {error}") from error
    return text.removeprefix("\ufeff")


def _syntax_reason(error: SyntaxError) -> str:
    reason = f"syntax error at line {error.lineno}: {error.msg}"
    own = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    if "multiple exception types" in (error.msg or ""):
        return f"{reason} (Python 2, or later than the {own} that reads it?)"
    if "call to 'print'" in (error.msg or "") or _PYTHON_2.search(error.text or ""):
        return f"{reason} (Python 2?)"
    # what a later Python added is refused as well
    return f"{reason} (as {own} reads it)"
