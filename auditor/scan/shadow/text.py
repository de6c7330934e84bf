"""The source text of shadow nodes as LibCST would write it: with parentheses around, without the block's indent."""

from __future__ import annotations

import ast
import re
import sys
from typing import Any

from auditor import cst
from auditor.scan.shadow.node import PLACED, NotShadowedError
from auditor.scan.source import Source
from auditor.scan.syntax import walk

Place = tuple[int, int]
"""Line from 1 and character column from 0."""


LITERAL = (
    r"[a-zA-Z]{0,2}(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\""
    r"|'(?!'')(?:[^'\\]|\\.)*'|\"(?!\"\")(?:[^\"\\]|\\.)*\")"
)
"""What matches the literal of a string, before Python 3.12 any."""
_KEEPING = re.compile(rf"#[^\n]*|{LITERAL}|\\\r?\n", re.DOTALL)
"""Comments, for what they may look like, and what goes over the ends of lines."""


class Fragment(str):
    """The text of one of several literals side by side, for which the `ast` has one node together."""

    __slots__ = ()


class Formatted(Fragment):
    """The text of an f-string among them; `values` are its parts, those in braces as the `ast` of the file has them."""

    values: tuple[ast.expr, ...]


_STATEMENTS = (cst.BaseSmallStatement, cst.BaseCompoundStatement)
_INERT: set[type] = set()
"""Kinds of nodes that are neither statements nor f-strings."""


def text_of(source: Source, at: ast.expr | ast.stmt) -> str:
    """The source text of an `ast` node, as it stands."""
    return text_between(source, *places(source, at))


def places(source: Source, at: ast.expr | ast.stmt) -> tuple[Place, Place]:
    """Where an `ast` node begins and ends."""
    last = at.end_lineno or at.lineno
    begin = (at.lineno, source.column(at.lineno, at.col_offset) - 1)
    return begin, (last, source.column(last, at.end_col_offset or 0) - 1)


def text_between(source: Source, begin: Place, end: Place) -> str:
    """The source text between two places."""
    (first, left), (last, right) = begin, end
    if first == last:
        return source.lines[first - 1][left:right]
    inner = source.lines[first : last - 1]
    return "".join((source.lines[first - 1][left:], *inner, source.lines[last - 1][:right]))


def starts_line(source: Source, at: ast.stmt) -> bool:
    """Whether nothing stands before the statement on its line, nor on one that continues into it."""
    (line, column), _ = places(source, at)
    if source.lines[line - 1][:column].strip():
        return False
    before = source.lines[line - 2].strip() if line > 1 else ""
    return before.startswith("#") or not before.endswith("\\")


def is_enclosed(source: Source, at: ast.Tuple) -> bool:
    """Whether a tuple that is not empty has parentheses of its own.

    Raises:
        NotShadowedError: this cannot be told.
    """
    first = at.elts[0]
    begin, end = places(source, first)
    return (first.lineno, first.col_offset) != (at.lineno, at.col_offset) and len(_opening(source, begin)) > len(
        _closing(source, end)
    )


def code_of(node: Any) -> str:
    """Source text of a shadow node.

    Raises:
        NotShadowedError: white space or comments of LibCST's own would be part of it.
    """
    at = node._at
    if isinstance(at, str):
        return at
    tree = node._tree
    if isinstance(node, cst.Index) and type(at[0]) is not ast.Starred:
        # there is no more to it than its value
        return str(tree.code(node.value))
    if in_formatted_string(node):
        return _chain(at)
    source: Source = tree.source
    begin, end = _extent(node, source)
    text = text_between(source, begin, end)
    return _dedented(text, node, source) if begin[0] != end[0] else text


def in_formatted_string(node: Any) -> bool:
    """Whether an f-string is around the node, in which places cannot be relied upon before Python 3.12."""
    if isinstance(node, _STATEMENTS):
        return False
    node = node._up
    while node is not None:
        kind = type(node)
        if kind not in _INERT:
            if issubclass(kind, cst.FormattedString):
                return True
            if issubclass(kind, _STATEMENTS):
                return False
            _INERT.add(kind)
        node = node._up
    return False


def _chain(at: Any) -> str:
    """The text of a dotted name, which is the same wherever it stands."""
    if isinstance(at, ast.Name):
        return at.id
    if isinstance(at, ast.Attribute):
        return f"{_chain(at.value)}.{at.attr}"
    raise NotShadowedError("code in an f-string")


def _extent(node: Any, source: Source) -> tuple[Place, Place]:
    at = node._at
    if not isinstance(at, PLACED) or isinstance(node, cst.BaseCompoundStatement):
        # its code has white space or comments around it
        raise NotShadowedError(f"code of {type(node).__name__}")
    begin, end = places(source, at)
    if isinstance(at, ast.stmt):
        if source.lines[end[0] - 1][end[1] :].lstrip().startswith((";", "\\")):
            raise NotShadowedError("code with a semicolon")
        return begin, end
    if isinstance(at, ast.GeneratorExp):
        # those of a call, if the generator is its only argument
        begin, end = (begin[0], begin[1] + 1), (end[0], end[1] - 1)
        begin, end = _shrunk(source, begin, end)
    closing = _closing(source, end)
    if not closing:
        return begin, end
    opening = _opening(source, begin)
    pairs = min(len(opening) - _is_first_argument(node), len(closing))
    if pairs <= 0:
        return begin, end
    if isinstance(node._up, cst.WithItem):
        raise NotShadowedError("parentheses of an item or of all")
    return opening[pairs - 1], closing[pairs - 1]


def _shrunk(source: Source, begin: Place, end: Place) -> tuple[Place, Place]:
    """Without white space at both ends."""
    text = text_between(source, begin, end)
    inner = text.strip()
    if inner == text:
        return begin, end
    if inner.startswith(("#", "\\")) or inner.endswith("\\") or "#" in inner.rpartition("\n")[2]:
        raise NotShadowedError("comment or continued line inside the parentheses of a generator")
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return _moved(begin, before), _moved_back(source, end, after)


def _moved(begin: Place, over: str) -> Place:
    """The place behind this text."""
    rows = over.split("\n")
    return (begin[0] + len(rows) - 1, len(rows[-1]) + (begin[1] if len(rows) == 1 else 0))


def _moved_back(source: Source, end: Place, over: str) -> Place:
    """The place before this text."""
    line = end[0] - over.count("\n")
    return (line, end[1] - len(over)) if line == end[0] else (line, len(source.lines[line - 1].rstrip()))


def _closing(source: Source, end: Place) -> list[Place]:
    """The places after the closing parentheses that follow, innermost first."""
    found: list[Place] = []
    line, column = end
    text = source.lines[line - 1]
    while True:
        mark = text[column : column + 1]
        if mark == ")":
            found.append((line, column + 1))
        elif mark in ("", "#", "\n", "\r"):
            line, column = line + 1, -1
            if line > len(source.lines):
                return found
            text = source.lines[line - 1]
        elif mark == "\\":
            raise NotShadowedError("continued line")
        elif not mark.isspace():
            return found
        column += 1


def _opening(source: Source, begin: Place) -> list[Place]:
    """The places of the opening parentheses before, innermost first."""
    found: list[Place] = []
    line, column = begin
    text = source.lines[line - 1]
    while True:
        column -= 1
        if column < 0:
            line -= 1
            if line < 1:
                return found
            text = source.lines[line - 1]
            column = len(text)
            if "#" in text or text.rstrip().endswith("\\"):
                raise NotShadowedError("comment or continued line between parentheses")
        elif text[column] == "(":
            found.append((line, column))
        elif not text[column].isspace():
            return found


def _is_first_argument(node: Any) -> bool:
    """Whether an opening parenthesis before the node is that of the call around it."""
    around: Any = node._up
    if type(around).__name__ != "Arg" or around.star or around.keyword is not None:
        return False
    at = around._up._at
    listed = at.args if isinstance(at, ast.Call) else at.bases
    return bool(listed) and listed[0] is around._at[0]


def _dedented(text: str, node: Any, source: Source) -> str:
    """LibCST leaves the indent of the block around to that block, except inside literals and behind a backslash."""
    kept: set[int] = set()
    if "\\" in text or '"""' in text or "'''" in text:
        if sys.version_info >= (3, 12) and any(isinstance(one, ast.JoinedStr) for one in walk(node._at)):
            raise NotShadowedError("quotes inside an f-string")
        kept = _kept(text)
    statement = node
    while not isinstance(statement, _STATEMENTS):
        statement = statement._up
        if statement is None:
            raise NotShadowedError("lines of what stands elsewhere")
    at: ast.stmt = getattr(statement, "_at")  # noqa: B009
    line = source.lines[at.lineno - 1]
    indent = line[: len(line) - len(line.lstrip())]
    rows = text.split("\n")
    kept.add(0)
    return "\n".join(one if number in kept else one.removeprefix(indent) for number, one in enumerate(rows))


def _kept(text: str) -> set[int]:
    """Numbers of the lines that begin inside a literal, or behind a backslash."""
    found: set[int] = set()
    for match in _KEEPING.finditer(text):
        if not match[0].startswith("#"):
            line = text.count("\n", 0, match.start())
            found.update(range(line + 1, line + 1 + match[0].count("\n")))
    return found
