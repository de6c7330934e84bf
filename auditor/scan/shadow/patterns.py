"""Shadows of the cases of a `match` statement. Patterns of sequences and mappings have none: their text decides."""

from __future__ import annotations

import ast
from typing import Any

from auditor import cst
from auditor.scan.shadow.kinds import named, shadow
from auditor.scan.shadow.node import Maker, NotShadowedError, made, shadow_class


def pattern(at: ast.pattern, up: Any) -> Any:
    """The shadow of a pattern."""
    kind = _KINDS.get(type(at))
    if kind is None:
        raise NotShadowedError(type(at).__name__)
    return made(kind, (at,), up, up._tree)


def _inner(node: Any) -> Any:
    inner = node._at[0].pattern
    return None if inner is None else pattern(inner, node)


def _name(node: Any) -> Any:
    name = node._at[0].name
    return None if name is None else named(name, node)


def _each(kind: type[Any], name: str) -> Maker:
    return lambda node: tuple(made(kind, (one,), node, node._tree) for one in getattr(node._at[0], name))


def _keywords(node: Any) -> tuple[Any, ...]:
    at = node._at[0]
    pairs = zip(at.kwd_attrs, at.kwd_patterns, strict=True)
    return tuple(made(_KEYWORD, (one, key), node, node._tree) for key, one in pairs)


def _singleton(node: Any) -> Any:
    at = node._at[0]
    return shadow(ast.copy_location(ast.Constant(at.value), at), node)


def _of_first(node: Any) -> Any:
    return pattern(node._at[0], node)


_ALTERNATIVE = shadow_class(cst.MatchOrElement, "pattern", pattern=_of_first)
_POSITIONAL = shadow_class(cst.MatchSequenceElement, "value", value=_of_first)
_KEYWORD = shadow_class(
    cst.MatchKeywordElement, "key pattern", key=lambda node: named(node._at[1], node), pattern=_of_first
)
_KINDS: dict[type[ast.pattern], type[Any]] = {
    ast.MatchValue: shadow_class(cst.MatchValue, "value", value=lambda node: shadow(node._at[0].value, node)),
    ast.MatchSingleton: shadow_class(cst.MatchSingleton, "value", value=_singleton),
    ast.MatchAs: shadow_class(cst.MatchAs, "pattern name", pattern=_inner, name=_name),
    ast.MatchOr: shadow_class(cst.MatchOr, "patterns", patterns=_each(_ALTERNATIVE, "patterns")),
    ast.MatchClass: shadow_class(
        cst.MatchClass,
        "cls patterns kwds",
        cls=lambda node: shadow(node._at[0].cls, node),
        patterns=_each(_POSITIONAL, "patterns"),
        kwds=_keywords,
    ),
}
