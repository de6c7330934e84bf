"""A file's text under change: what is not edited stays byte for byte, line ends, BOM and encoding included."""

from __future__ import annotations

import bisect
import io
import itertools
import re
import tokenize
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.model import Edit, Span


@dataclass(frozen=True, slots=True)
class Text:
    """The lines of a file with their own ends, split as `auditor.scan.source` splits them."""

    lines: tuple[str, ...]
    encoding: str
    mark: str = ""

    @classmethod
    def decode(cls, data: bytes) -> Text | None:
        """The text of a file, None unless encoding it again gives the same bytes, or if lines end in CR alone."""
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
            text = data.decode(encoding)
            mark = "\ufeff" if text.startswith("\ufeff") else ""
            decoded = cls(tuple(io.StringIO(text.removeprefix(mark), newline="")), encoding, mark)
            bare = any(line.endswith("\r") for line in decoded.lines)
            return decoded if decoded.encode() == data and not bare else None
        except (SyntaxError, UnicodeError, LookupError):
            return None

    def encode(self) -> bytes:
        """The bytes of the file.

        Raises:
            UnicodeError: the encoding lacks a character.
        """
        return (self.mark + "".join(self.lines)).encode(self.encoding)

    def edited(self, edits: Iterable[Edit]) -> Text:
        """The text with the edits made. They must not overlap."""
        whole = "".join(self.lines)
        starts = _starts(self.lines)
        for edit in sorted(edits, key=lambda edit: edit.span, reverse=True):
            first = _offset(edit.span.line, edit.span.column, starts)
            last = _offset(edit.span.end_line, edit.span.end_column, starts)
            whole = whole[:first] + edit.text.replace("\n", self._line_end(edit.span)) + whole[last:]
        return Text(tuple(io.StringIO(whole, newline="")), self.encoding, self.mark)

    def _line_end(self, span: Span) -> str:
        """How the line ends at which the edit starts, or the one above if it does not end."""
        for line in reversed(self.lines[: span.line]):
            found = re.search(r"\r\n|\n|\r", line)
            if found is not None:
                return found.group()
        return "\n"


def comments(lines: Sequence[str]) -> Counter[str]:
    """The comments of a source text, and how often each stands there.

    Raises:
        SyntaxError: the text is not Python; so does `tokenize.TokenError`.
    """
    tokens = tokenize.generate_tokens(iter(lines).__next__)
    return Counter(token.string.rstrip() for token in tokens if token.type == tokenize.COMMENT)


def overlap(one: Span, other: Span) -> bool:
    """Whether two edits cannot both be made: they share text, insert at the same place, or one inside the other."""
    first, second = sorted(((_start(one), _end(one)), (_start(other), _end(other))))
    return second[0] < first[1] or first == second


def moved(span: Span, edits: Iterable[Edit], before: Sequence[str], after: Sequence[str]) -> Span | None:
    """Where what stood at `span` stands after the edits, None if one of them changed it.

    `before` and `after` are the lines of the text, ending in LF.
    """
    old, new = _starts(before), _starts(after)
    first, last = _offset(span.line, span.column, old), _offset(span.end_line, span.end_column, old)
    shift = 0
    for edit in edits:
        start = _offset(edit.span.line, edit.span.column, old)
        end = _offset(edit.span.end_line, edit.span.end_column, old)
        if end <= first:
            shift += len(edit.text) - (end - start)
        elif start < last:
            return None
    return Span(*_place(first + shift, new), *_place(last + shift, new))


def _starts(lines: Sequence[str]) -> list[int]:
    return [0, *itertools.accumulate(map(len, lines))]


def _offset(line: int, column: int, starts: Sequence[int]) -> int:
    return starts[line - 1] + column - 1


def _place(offset: int, starts: Sequence[int]) -> tuple[int, int]:
    line = bisect.bisect_right(starts, offset)
    return line, offset - starts[line - 1] + 1


def _start(span: Span) -> tuple[int, int]:
    return span.line, span.column


def _end(span: Span) -> tuple[int, int]:
    return span.end_line, span.end_column
