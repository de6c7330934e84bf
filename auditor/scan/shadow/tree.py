"""One slice of a file as shadow nodes, with the source text and the place of each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from auditor import cst
from auditor.model import Span
from auditor.scan.shadow.expressions import shadow
from auditor.scan.shadow.node import NotShadowedError, is_shadow, made
from auditor.scan.shadow.statements import MODULE
from auditor.scan.shadow.text import code_of, in_formatted_string
from auditor.scan.source import Source, UnreadableError, parse_source, parsed_expression
from auditor.scan.syntax import children as inside

_LOAD = ast.Load()


class Shadow:
    """The nodes of one statement. `known` has those that stand for an `ast` node of their own."""

    def __init__(self, source: Source, statement: ast.stmt) -> None:
        self.source = source
        self.known: dict[ast.AST, Any] = {}
        self.indices: dict[Any, Any] = {}
        self._statement = statement
        self._embedded: dict[cst.CSTNode, Any] = {}
        self._joined: dict[cst.CSTNode, ast.expr] = {}
        self.module: Any = made(MODULE, [statement], None, self)

    def parent(self, node: Any) -> Any:
        """The node around `node`, None at the top and for nodes that a rule made up itself."""
        return node._up if is_shadow(node) else self._embedded.get(node)

    def descendants(self, node: Any) -> Iterator[Any]:
        """`node` and all inside it, in source order."""
        stack = [node]
        while stack:
            current = stack.pop()
            yield current
            inside = current._inside if is_shadow(current) else _children(current)
            if inside:
                stack.extend(reversed(inside))

    def find(self, wanted: ast.expr | ast.stmt) -> Any:
        """The shadow of an `ast` node of this slice.

        Raises:
            NotShadowedError: it stands where the shadow is blind.
        """
        if wanted not in self.known:
            trail: set[ast.AST] = {self._statement}
            _trail(self._statement, wanted, (wanted.lineno, wanted.col_offset), trail)
            pending = [self.module]
            while pending and wanted not in self.known:
                pending += (one for one in pending.pop()._inside if is_shadow(one) and _holds(one._at, trail))
        if wanted not in self.known:
            raise NotShadowedError(type(wanted).__name__)
        return self.known[wanted]

    def code(self, node: Any) -> str:
        """Source text of the node, as LibCST would write it.

        Raises:
            NotShadowedError: the shadow does not know it exactly.
        """
        if not is_shadow(node):
            code = cst.Module([]).code_for_node(node)
            if node in self._joined or (node in self._embedded and "\n" in code):
                raise NotShadowedError("code of joined literals")
            return code
        return code_of(node)

    def expression(self, node: Any) -> ast.expr | None:
        """The `ast` of an expression, None if `node` is none."""
        if not is_shadow(node):
            return self._joined[node] if node in self._joined else parsed_expression(self.code(node))
        at = node._at
        if isinstance(at, ast.expr):
            return at
        if isinstance(at, str):
            return ast.Name(id=at, ctx=_LOAD)
        raise NotShadowedError(f"{type(node).__name__} as an expression")

    def span(self, node: Any) -> Span:
        """Where the node stands in the file.

        Raises:
            NotShadowedError: the shadow does not know it exactly.
        """
        at = node._at if is_shadow(node) and node._tree is self else None
        # the `ast` counts the parentheses of these two as theirs, LibCST does not
        if not isinstance(at, ast.expr | ast.stmt) or isinstance(at, ast.Tuple | ast.GeneratorExp):
            raise NotShadowedError(f"place of {type(node).__name__}")
        if in_formatted_string(node):
            raise NotShadowedError("place in an f-string")
        return self.source.span(at)

    def embed(self, value: ast.expr, text: str, up: Any) -> cst.BaseExpression:
        """LibCST's own nodes for an expression of which the `ast` tells too little."""
        try:
            node = cst.parse_expression(f"({text})" if "\n" in text else text)
        except (cst.ParserSyntaxError, cst.CSTValidationError, RecursionError) as error:
            raise NotShadowedError("not taken by LibCST") from error
        self._joined[node] = value
        self._embedded[node] = up
        pending: list[cst.CSTNode] = [node]
        while pending:
            around = pending.pop()
            for child in _children(around):
                self._embedded[child] = around
                pending.append(child)
        return node

    def elsewhere(self, value: ast.expr) -> Any:
        """The node of an expression that stands outside the slice; its places are not known.

        Raises:
            NotShadowedError: it cannot be written down.
        """
        try:
            source = parse_source(f"({ast.unparse(value)})\n".encode("utf-8", "surrogatepass"), "elsewhere.py")
        except (UnreadableError, RecursionError) as error:
            raise NotShadowedError("not taken by Python's own parser") from error
        statement: Any = source.tree.body[0]
        return shadow(statement.value, Shadow(source, statement).module)


def _children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Those of a node of LibCST's own."""
    from auditor.scan.nodes import children

    return children(node)


def _trail(node: ast.AST, wanted: ast.AST, at: tuple[int, int], found: set[ast.AST]) -> bool:
    """Put the nodes from below `node` down to `wanted` into `found`."""
    for child in inside(node):
        if child is wanted or (_may_hold(child, at) and _trail(child, wanted, at, found)):
            found.add(child)
            return True
    return False


def _may_hold(node: Any, at: tuple[int, int]) -> bool:
    if isinstance(node, ast.JoinedStr):
        # places inside f-strings cannot be relied upon before Python 3.12
        return False
    line = getattr(node, "lineno", None)
    if line is None:
        return True
    decorators = getattr(node, "decorator_list", None)
    start = (decorators[0].lineno, 0) if decorators else (line, node.col_offset)
    return start <= at < (node.end_lineno, node.end_col_offset)


def _holds(at: Any, trail: set[ast.AST]) -> bool:
    if isinstance(at, list | tuple):
        return any(_holds(one, trail) for one in at)
    return isinstance(at, ast.AST) and at in trail
