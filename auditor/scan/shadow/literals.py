"""Shadows of literals: numbers, strings, strings side by side, f-strings."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable
from typing import Any

from auditor import cst
from auditor.scan.shadow.kinds import NAME, name_of, shadow
from auditor.scan.shadow.node import Maker, NotShadowedError, made, shadow_class
from auditor.scan.shadow.text import LITERAL, Formatted, Fragment, text_of
from auditor.scan.source import parsed_expression

_LITERAL = re.compile(LITERAL, re.DOTALL)
_FORMATTED_PREFIX = re.compile(r"[a-zA-Z]?[fF]")
_BETWEEN = re.compile(r"(?:[ \t\f\r\n]|\\\r?\n|#[^\n]*)*")
"""What may stand between literals side by side."""


def constant(value: ast.Constant, up: Any) -> Any:
    """The shadow of a constant."""
    kind = _CONSTANTS.get(type(value.value))
    if kind is not None:
        return made(kind, value, up, up._tree)
    return _string(_SIMPLE_STRING, value, up)


def joined(value: ast.JoinedStr, up: Any) -> Any:
    """The shadow of an f-string."""
    return _string(_FORMATTED_STRING, value, up)


def _string(kind: type[Any], value: ast.expr, up: Any) -> Any:
    """One literal, or several in a row, which `ast` joins; what these cannot be told apart in, LibCST parses."""
    text = text_of(up._tree.source, value)
    literal = _LITERAL.match(text)
    if literal is not None and literal.end() == len(text):
        return made(kind, value, up, up._tree)
    if _fragments(text, value):
        return made(_CONCATENATED, value, up, up._tree)
    return up._tree.embed(value, text, up)


def _fragments(text: str, value: ast.expr) -> tuple[Fragment, ...]:
    """The literals that stand there side by side, and are `value` together; none if anything else stands there."""
    found: list[Fragment] = []
    parts = value.values if isinstance(value, ast.JoinedStr) else ()
    braces = [part for part in parts if isinstance(part, ast.FormattedValue)]
    at = 0
    while at < len(text):
        literal = _LITERAL.match(text, at)
        if literal is None:
            return ()
        fragment = _formatted(literal[0], braces) if _FORMATTED_PREFIX.match(literal[0]) else Fragment(literal[0])
        if fragment is None:
            return ()
        found.append(fragment)
        between = _BETWEEN.match(text, literal.end())
        at = literal.end() if between is None else between.end()
    return () if braces else tuple(found)


def _formatted(text: str, braces: list[ast.FormattedValue]) -> Formatted | None:
    """The f-string, which takes what it has in braces from the first of those given; None if it is none."""
    parsed = parsed_expression(text)
    if not isinstance(parsed, ast.JoinedStr):
        return None
    values = []
    for part in parsed.values:
        if isinstance(part, ast.FormattedValue) and not braces:
            return None
        values.append(braces.pop(0) if isinstance(part, ast.FormattedValue) else part)
    found = Formatted(text)
    found.values = tuple(values)
    return found


def _side_by_side(node: Any) -> tuple[Fragment, ...]:
    at = node._at
    return at if type(at) is tuple else _fragments(text_of(node._tree.source, at), at)


def _fragment(at: Fragment, up: Any) -> Any:
    return made(_FORMATTED_STRING if isinstance(at, Formatted) else _FRAGMENT, at, up, up._tree)


def _left(node: Any) -> Any:
    return _fragment(_side_by_side(node)[0], node)


def _right(node: Any) -> Any:
    rest = _side_by_side(node)[1:]
    return _fragment(rest[0], node) if len(rest) == 1 else made(_CONCATENATED, rest, node, node._tree)


def _evaluated_together(node: Any) -> str | bytes | None:
    """What the literals are together, None if one is an f-string."""
    parts = _side_by_side(node)
    if any(isinstance(part, Formatted) for part in parts):
        return None
    whole: str | bytes = ast.literal_eval(" ".join(parts))
    return whole


def _text(node: Any) -> str:
    return str(text_of(node._tree.source, node._at))


def _evaluated(node: Any) -> Any:
    return node._at.value


def _literal_parts(node: Any) -> tuple[str, str, str]:
    """Prefix, quotes and what stands between them."""
    text: str = node.value
    prefix = text[: min(text.index(quote) for quote in "'\"" if quote in text)]
    rest = text[len(prefix) :]
    quote = rest[:3] if len(rest) >= 6 and rest[:3] in ("'''", '"""') else rest[:1]
    return prefix.lower(), quote, rest[len(quote) : -len(quote)]


def _parts(values: Iterable[ast.expr], up: Any) -> tuple[Any, ...]:
    found = []
    listed = list(values)
    for one, after in itertools.zip_longest(listed, listed[1:]):
        if isinstance(one, ast.FormattedValue):
            found.append(made(_FORMATTED, (one,), up, up._tree))
        elif not (_is_shown(after) and str(getattr(one, "value", "=")).rstrip().endswith(("=", "!r", "!s", "!a"))):
            found.append(made(_FORMATTED_TEXT, (one,), up, up._tree))
        else:
            raise NotShadowedError("f-string that may show its own code")
    return tuple(found)


def _is_shown(value: ast.expr | None) -> bool:
    """Whether it may be that of `{value=}`, whose code is in the text before it; `=` alone stands for `=!r`."""
    return isinstance(value, ast.FormattedValue) and (value.conversion >= 0 or value.format_spec is not None)


def _format_spec(node: Any) -> tuple[Any, ...] | None:
    spec = node._at[0].format_spec
    return None if spec is None else _parts(spec.values, node)


def _conversion(node: Any) -> str | None:
    at = node._at[0]
    return None if at.conversion < 0 else chr(at.conversion)


_FORMATTED = shadow_class(
    cst.FormattedStringExpression,
    "expression format_spec",
    expression=lambda node: shadow(node._at[0].value, node),
    format_spec=_format_spec,
    conversion=_conversion,
)
_FORMATTED_TEXT = shadow_class(cst.FormattedStringText, "")
_FORMATTED_STRING = shadow_class(cst.FormattedString, "parts", parts=lambda node: _parts(node._at.values, node))
_LITERAL_FIELDS: dict[str, Maker] = {
    "value": _text,
    "evaluated_value": _evaluated,
    "prefix": lambda node: _literal_parts(node)[0],
    "quote": lambda node: _literal_parts(node)[1],
    "raw_value": lambda node: _literal_parts(node)[2],
}
_SIMPLE_STRING = shadow_class(cst.SimpleString, "", **_LITERAL_FIELDS)
_FRAGMENT = shadow_class(
    cst.SimpleString,
    "",
    **(_LITERAL_FIELDS | {"value": name_of, "evaluated_value": lambda node: ast.literal_eval(str(node._at))}),
)
_CONCATENATED = shadow_class(
    cst.ConcatenatedString,
    "left right",
    left=_left,
    right=_right,
    evaluated_value=_evaluated_together,
)
_CONSTANTS: dict[type, type[Any]] = {
    bool: NAME,
    type(None): NAME,
    int: shadow_class(cst.Integer, "", value=_text, evaluated_value=_evaluated),
    float: shadow_class(cst.Float, "", value=_text, evaluated_value=_evaluated),
    complex: shadow_class(cst.Imaginary, "", value=_text, evaluated_value=_evaluated),
    type(Ellipsis): shadow_class(cst.Ellipsis, ""),
}
