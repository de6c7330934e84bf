"""Types that follow from operators, methods and literals alone, without asking what names mean."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from auditor.scan.signatures import BY_METHOD, CODING, COLUMNS, RECEIVING

JOINED = ("dict", "set", "frozenset")
"""Types that `|` joins, with their own kind or, of the sets, with one another."""


def of_operation(kinds: tuple[str | None, str | None], op: ast.operator) -> str | None:
    """The type of what an operator makes of operands of these types, None if unknown."""
    if isinstance(op, ast.Mod) and kinds[0] in ("str", "bytes"):
        return kinds[0]
    if isinstance(op, ast.Add):
        # str, bytes, list and tuple add only to their own kind
        return next((kind for kind in kinds if kind in ("str", "bytes", "list", "tuple")), None)
    if isinstance(op, ast.BitOr):
        return next((kind for kind in kinds if kind in JOINED), None)
    if isinstance(op, ast.Div) and kinds[0] == "pathlib.Path":
        return kinds[0]
    if isinstance(op, ast.Mult):
        return next((kind for kind in kinds if kind in ("str", "bytes", "list", "tuple")), None)
    return None


def by_method(call: ast.Call) -> str | None:
    """What a method of that name gives, whoever has it."""
    callee = call.func
    if not isinstance(callee, ast.Attribute) or (
        isinstance(callee.value, ast.Attribute) and callee.value.attr in COLUMNS
    ):
        return None
    if callee.attr in CODING:
        # to or from a text: what codes other things is given these
        return CODING[callee.attr] if all(isinstance(given, ast.Constant) for given in call.args) else None
    if callee.attr in RECEIVING:
        return "bytes" if len(call.args) == 1 else None
    return BY_METHOD.get(callee.attr)


def is_property(decorator: ast.expr) -> bool:
    """Whether the decorator makes a property of a method."""
    name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
    return name in ("property", "cached_property")


def is_empty(value: ast.expr) -> bool:
    """Whether it is an empty display or text."""
    if isinstance(value, ast.Constant):
        return value.value in ("", b"")
    return (
        isinstance(value, ast.List | ast.Dict | ast.Tuple)
        and not getattr(value, "elts", None)
        and not getattr(value, "keys", None)
    )


def is_none(value: ast.expr | None) -> bool:
    """Whether it is the literal `None`."""
    return isinstance(value, ast.Constant) and value.value is None


def agreed(kinds: Sequence[str | None]) -> str | None:
    """The type if all are the same, else None."""
    first = kinds[0] if kinds else None
    return first if all(kind == first for kind in kinds) else None
