"""Where names stand in a statement and what binds them there, as far as its `ast` tells without any shadow."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from auditor.scan.syntax import children, walk

_SILENT = frozenset((ast.Attribute, ast.Call, ast.keyword, ast.Expr, ast.Return, ast.If, ast.Subscript, ast.Compare))
"""Frequent kinds of nodes that have or bind no name of their own."""
_ASSIGNING = (ast.AugAssign, ast.AnnAssign, ast.NamedExpr, ast.For, ast.AsyncFor)


class Occurrences:
    """Names of one statement.

    names: the nodes that are a name. bound: by last component, the nodes that bind it. parents: the node around each.
    Shadows alone tell what nodes do with the names in `odd`, and what those bind in `odd_bound`.
    """

    def __init__(self, statement: ast.stmt) -> None:
        self.names: dict[str, list[ast.Name | ast.arg]] = defaultdict(list)
        self.bound: dict[str, list[ast.AST]] = defaultdict(list)
        self.odd: dict[str, list[ast.AST]] = defaultdict(list)
        self.odd_bound: dict[str, list[ast.AST]] = defaultdict(list)
        self.parents: dict[ast.AST, ast.AST] = {}
        nodes: list[Any] = [statement]
        for node in nodes:
            kind = type(node)
            if kind is ast.Name:
                self.names[node.id].append(node)
                continue
            if kind is ast.JoinedStr:
                # places inside f-strings cannot be relied upon before Python 3.12
                self._keep_away(node)
                continue
            inside = children(node)
            if inside:
                self.parents.update(dict.fromkeys(inside, node))
                nodes += inside
            if kind not in _SILENT:
                self._note(node)

    def _note(self, node: Any) -> None:
        kind = type(node)
        if kind is ast.Assign:
            for target in node.targets:
                self._bind(target, node)
        elif kind in _ASSIGNING:
            self._bind(node.target, node)
        elif kind is ast.arg:
            self.names[node.arg].append(node)
            self.bound[node.arg].append(node)
        elif kind is ast.comprehension:
            self._bind(node.target, node, odd=True)
        elif kind is ast.withitem and node.optional_vars is not None:
            self._bind(node.optional_vars, node, odd=True)
        else:
            self._note_text(node, node)

    def _note_text(self, node: ast.AST, at: ast.AST) -> None:
        for name in names_of(node):
            for part in name.split("."):
                self.odd[part].append(at)

    def _keep_away(self, string: ast.JoinedStr) -> None:
        for node in walk(string):
            if isinstance(node, ast.Name | ast.arg):
                self.odd[node.id if isinstance(node, ast.Name) else node.arg].append(string)
            elif isinstance(node, ast.Attribute):
                self.odd[node.attr].append(string)
            else:
                self._note_text(node, string)

    def _bind(self, target: Any, node: ast.AST, odd: bool = False) -> None:
        pending = [target]
        while pending:
            one = pending.pop()
            if isinstance(one, ast.Tuple | ast.List):
                pending += one.elts
            elif isinstance(one, ast.Starred):
                pending.append(one.value)
            elif isinstance(one, ast.Name | ast.Attribute):
                name = one.id if isinstance(one, ast.Name) else one.attr
                (self.odd_bound if odd else self.bound)[name].append(node)

    def has(self, nodes: list[ast.AST] | None, roots: set[ast.AST]) -> bool:
        """Whether one of the nodes stands in one of the roots."""
        return nodes is not None and any(self.is_within(node, roots) for node in nodes)

    def is_within(self, node: ast.AST, roots: set[ast.AST]) -> bool:
        """Whether the node is one of these or inside one."""
        one: ast.AST | None = node
        while one is not None:
            if one in roots:
                return True
            one = self.parents.get(one)
        return False

    def upwards(self, node: ast.AST) -> Iterator[ast.AST]:
        """The node and those around it."""
        one: ast.AST | None = node
        while one is not None:
            yield one
            one = self.parents.get(one)


def names_of(node: Any) -> list[str]:
    """The names that a node has as plain text, of definitions, imports, declarations, handlers and patterns."""
    kind = type(node)
    if kind is ast.alias:
        return [node.name] if node.asname is None else [node.name, node.asname]
    if kind is ast.ImportFrom:
        return [] if node.module is None else [node.module]
    if kind in (ast.Global, ast.Nonlocal):
        return [*node.names]
    if kind in (ast.ExceptHandler, ast.MatchAs, ast.MatchStar):
        return [] if node.name is None else [node.name]
    if kind is ast.MatchMapping:
        return [] if node.rest is None else [node.rest]
    if kind is ast.MatchClass:
        return [*node.kwd_attrs]
    if kind in (ast.Constant, ast.MatchSingleton) and (node.value is None or isinstance(node.value, bool)):
        return [str(node.value)]
    return []
