"""Where a suspect's chain of calls ends: the lines of the statement there."""

from __future__ import annotations

import ast
import os
import re
import tokenize
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLACE = re.compile(r" \((?P<path>.+):(?P<line>\d+)\)\Z", re.DOTALL)
"""As `auditor.rule.Step` puts it behind the name."""

_READS = frozenset(
    ("all", "first", "one", "one_or_none", "scalar", "scalars", "mappings", "partitions", "keys", "read")
)

Place = tuple[str, tuple[tuple[int, int], ...]]
"""A real path, and lines in it as (first, last)."""


def end_of(chain: Sequence[str], target: os.PathLike[str]) -> Place | None:
    """Where the last call of the chain does its work, None if there is no chain or its file cannot be read.

    That is the statement in which it stands, and those of the same function that take what it found: a cursor may do
    its work only as rows are fetched from it.
    """
    place = _PLACE.search(chain[-1]) if chain else None
    if place is None:
        return None
    file = os.path.realpath(os.path.join(target, place["path"]))  # noqa: PTH118 - frames are compared as strings
    try:
        with tokenize.open(file) as source, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return file, _lines(tree, int(place["line"]))


def _lines(tree: ast.Module, line: int) -> tuple[tuple[int, int], ...]:
    end: tuple[int, int] = (line, line)
    function: ast.AST = tree
    for node in ast.walk(tree):
        # what is walked later is never around what was walked before
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.lineno <= line <= (
            node.end_lineno or line
        ):
            function = node
        if isinstance(node, ast.stmt) and node.lineno <= line <= _last_line(node):
            end = node.lineno, _last_line(node)
    later = (node for node in ast.walk(function) if isinstance(node, ast.stmt) and node.lineno >= line)
    return end, *sorted((node.lineno, _last_line(node)) for node in later if _fetches(node))


def _fetches(statement: ast.stmt) -> bool:
    """Whether it takes rows from what may be a cursor."""
    if isinstance(statement, ast.For) and isinstance(statement.iter, ast.Name | ast.Attribute):
        return True
    last = _last_line(statement)
    calls = (node for node in ast.walk(statement) if isinstance(node, ast.Call) and node.lineno <= last)
    methods = (call.func.attr for call in calls if isinstance(call.func, ast.Attribute))
    return any(method.startswith("fetch") or method in _READS for method in methods)


def _last_line(statement: ast.stmt) -> int:
    """Its last line; of one with a body, the last before the body."""
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body:
        return max(statement.lineno, int(body[0].lineno) - 1)
    return statement.end_lineno or statement.lineno
