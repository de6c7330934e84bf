"""Which of the nodes directly inside another have surroundings of their own: what a function or loop runs, say."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

Border = tuple[int, ast.AST, ast.stmt | None]
"""The region around, the node that makes the difference, and, of a module or class, the statement inside."""


def _of_function(node: Any, _around: Any, here: int, inner: int) -> list[int]:
    rest = len(node.decorator_list) + (node.returns is not None) + len(getattr(node, "type_params", ()))
    return [here, *[inner] * len(node.body), *[here] * rest]


def _of_loop(node: Any, _around: Any, here: int, inner: int) -> list[int]:
    return [inner, here, *[inner] * len(node.body), *[here] * len(node.orelse)]


def _of_while(node: Any, _around: Any, here: int, inner: int) -> list[int]:
    return [inner, *[inner] * len(node.body), *[here] * len(node.orelse)]


def _of_handler(node: Any, _around: Any, _here: int, inner: int) -> list[int]:
    return [inner] * (len(node.body) + (node.type is not None))


def _of_comprehension(node: Any, _around: Any, here: int, inner: int) -> list[int]:
    return [*[inner] * (2 if type(node) is ast.DictComp else 1), *[here] * len(node.generators)]


def _of_generator(node: Any, around: Any, here: int, inner: int) -> list[int]:
    # what the first one goes through is worked out once
    return [inner, here if node is around.generators[0] else inner, *[inner] * len(node.ifs)]


_REPEATED: dict[type[ast.AST], Callable[[Any, Any, int, int], list[int]]] = {
    **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef), _of_function),
    ast.Lambda: lambda _node, _around, here, inner: [here, inner],
    **dict.fromkeys((ast.For, ast.AsyncFor), _of_loop),
    ast.While: _of_while,
    ast.ExceptHandler: _of_handler,
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp), _of_comprehension),
    ast.comprehension: _of_generator,
}

BORDERING = frozenset((*_REPEATED, ast.Module, ast.ClassDef))
"""Kinds of nodes for which this is so."""


def divided(node: Any, inside: Sequence[ast.AST], here: int, around: Any, borders: list[Border]) -> list[int]:
    """The region of each of the nodes `inside` one that is in region `here`; those that are new are added."""
    which = _REPEATED.get(type(node))
    if which is not None:
        borders.append((here, node, None))
        return which(node, around, here, len(borders) - 1)
    found = []
    for one in inside:
        if isinstance(one, ast.stmt):
            borders.append((here, node, one))
        found.append(len(borders) - 1 if isinstance(one, ast.stmt) else here)
    return found
