"""Shadows of literals: numbers, strings, strings side by side, f-strings."""

from __future__ import annotations

import ast
import re
from typing import Any

from auditor import cst
from auditor.scan.shadow.kinds import NAME, name_of, shadow
from auditor.scan.shadow.node import Maker, NotShadowedError, made, shadow_class
from auditor.scan.shadow.text import Fragment, text_of

_LITERAL = re.compile(
    r"""[a-zA-Z]{0,2}(?:'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'(?!'')(?:[^'\\]|\\.)*'|"(?!"")(?:[^"\\]|\\.)*")""",
    re.DOTALL,
)
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
    """One literal, or several in a row, which `ast` joins; if there is an f-string among these, LibCST parses them."""
    text = text_of(up._tree.source, value)
    literal = _LITERAL.match(text)
    if literal is not None and literal.end() == len(text):
        return made(kind, value, up, up._tree)
    if kind is _SIMPLE_STRING and _fragments(text):
        return made(_CONCATENATED, value, up, up._tree)
    return up._tree.embed(value, text, up)


def _fragments(text: str) -> tuple[Fragment, ...]:
    """The literals that stand there side by side, none if anything else does."""
    found: list[Fragment] = []
    at = 0
    while at < len(text):
        literal = _LITERAL.match(text, at)
        if literal is None:
            return ()
        found.append(Fragment(literal[0]))
        between = _BETWEEN.match(text, literal.end())
        at = literal.end() if between is None else between.end()
    return tuple(found)


def _side_by_side(node: Any) -> tuple[Fragment, ...]:
    at = node._at
    return at if type(at) is tuple else _fragments(text_of(node._tree.source, at))


def _left(node: Any) -> Any:
    return made(_FRAGMENT, _side_by_side(node)[0], node, node._tree)


def _right(node: Any) -> Any:
    rest = _side_by_side(node)[1:]
    return made(_FRAGMENT if len(rest) == 1 else _CONCATENATED, rest[0] if len(rest) == 1 else rest, node, node._tree)


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


def _parts(string: ast.JoinedStr, up: Any) -> tuple[Any, ...]:
    found = []
    for one in string.values:
        if isinstance(one, ast.FormattedValue):
            found.append(made(_FORMATTED, (one,), up, up._tree))
        elif not str(getattr(one, "value", "=")).rstrip().endswith(("=", "!r", "!s", "!a")):
            found.append(made(_FORMATTED_TEXT, (one,), up, up._tree))
        else:
            raise NotShadowedError("f-string that may show its own code")
    return tuple(found)


def _format_spec(node: Any) -> tuple[Any, ...] | None:
    spec = node._at[0].format_spec
    return None if spec is None else _parts(spec, node)


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
_FORMATTED_STRING = shadow_class(cst.FormattedString, "parts", parts=lambda node: _parts(node._at, node))
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
    evaluated_value=lambda node: node.left.evaluated_value + node.right.evaluated_value,
)
_CONSTANTS: dict[type, type[Any]] = {
    bool: NAME,
    type(None): NAME,
    int: shadow_class(cst.Integer, "", value=_text, evaluated_value=_evaluated),
    float: shadow_class(cst.Float, "", value=_text, evaluated_value=_evaluated),
    complex: shadow_class(cst.Imaginary, "", value=_text, evaluated_value=_evaluated),
    type(Ellipsis): shadow_class(cst.Ellipsis, ""),
}
