"""From an expression to its shadow, by kind. `auditor.scan.shadow.expressions` says which kind has which."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from auditor import cst
from auditor.scan.shadow.node import Maker, NotShadowedError, made, shadow_class

KINDS: dict[type[ast.expr], type[Any]] = {}
SPECIAL: dict[type[ast.expr], Callable[[Any, Any], Any]] = {}
"""Makes the shadow where it takes a look at the text to know which it is."""


def part(name: str) -> Maker:
    """Fills a field with the shadow of the `ast` node's part of that name, None if there is none."""

    def make(node: Any) -> Any:
        value = getattr(node._at, name)
        return None if value is None else shadow(value, node)

    return make


def shadow(value: ast.expr, up: Any) -> Any:
    """The shadow of an expression."""
    kind = KINDS.get(type(value))
    if kind is not None:
        return made(kind, value, up, up._tree)
    special = SPECIAL.get(type(value))
    if special is None:
        raise NotShadowedError(type(value).__name__)
    return special(value, up)


def first(node: Any) -> Any:
    """Fills a field with the shadow of the first, or only, expression that the node stands for."""
    return shadow(node._at[0], node)


def named(text: str, up: Any) -> Any:
    """The shadow of a name that is no node of its own in the `ast`: of an attribute, keyword, function, parameter."""
    return made(NAME, text, up, up._tree)


def name_of(node: Any) -> str:
    """The text of a name, whether it has an `ast` node or not; `True` and `None` are constants there."""
    at = node._at
    return str(at) if isinstance(at, str) else at.id if type(at) is ast.Name else str(at.value)


NAME = shadow_class(cst.Name, "", value=name_of)
