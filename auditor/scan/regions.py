"""Which of the nodes directly inside another have surroundings of their own: what a function or loop runs, say."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

Border = tuple[int, ast.AST, ast.stmt | None]
"""The region around, the node that makes the difference, and, of a module or class, the statement inside."""


def _of_function(node: Any, _around: Any) -> list[bool]:
    rest = len(node.decorator_list) + (node.returns is not None) + len(getattr(node, "type_params", ()))
    return [False, *[True] * len(node.body), *[False] * rest]


def _of_loop(node: Any, _around: Any) -> list[bool]:
    return [True, False, *[True] * len(node.body), *[False] * len(node.orelse)]


def _of_while(node: Any, _around: Any) -> list[bool]:
    return [True, *[True] * len(node.body), *[False] * len(node.orelse)]


def _of_handler(node: Any, _around: Any) -> list[bool]:
    return [True] * (len(node.body) + (node.type is not None))


def _of_comprehension(node: Any, _around: Any) -> list[bool]:
    return [*[True] * (2 if type(node) is ast.DictComp else 1), *[False] * len(node.generators)]


def _of_generator(node: Any, around: Any) -> list[bool]:
    # what the first one goes through is worked out once
    return [True, node is not around.generators[0], *[True] * len(node.ifs)]


_REPEATED: dict[type[ast.AST], Callable[[Any, Any], Sequence[bool]]] = {
    **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef), _of_function),
    ast.Lambda: lambda _node, _around: (False, True),
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
        inner = len(borders) - 1
        return [inner if one else here for one in which(node, around)]
    found = []
    for one in inside:
        if isinstance(one, ast.stmt):
            borders.append((here, node, one))
        found.append(len(borders) - 1 if isinstance(one, ast.stmt) else here)
    return found
