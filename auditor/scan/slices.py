"""A stretch of a file as LibCST nodes, with their positions, parents and children."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, TypeVar

from auditor import cst
from auditor.model import Span
from auditor.scan.facts import Function
from auditor.scan.source import Source, parsed_expression

Node = TypeVar("Node", bound=cst.CSTNode)

_CST_OF: dict[str, tuple[type[cst.CSTNode], ...]] = {
    "Call": (cst.Call,),
    "Dict": (cst.Dict,),
    "List": (cst.List,),
    "Set": (cst.Set,),
    "Compare": (cst.Comparison,),
    "BinOp": (cst.BinaryOperation,),
    "AugAssign": (cst.AugAssign,),
    "Assign": (cst.Assign,),
    "For": (cst.For,),
    "AsyncFor": (cst.For,),
    "While": (cst.While,),
    "With": (cst.With,),
    "AsyncWith": (cst.With,),
    "Await": (cst.Await,),
    "Raise": (cst.Raise,),
    "Expr": (cst.Expr,),
    "FunctionDef": (cst.FunctionDef,),
    "AsyncFunctionDef": (cst.FunctionDef,),
    "ClassDef": (cst.ClassDef,),
    "Try": (cst.Try,),
    "Subscript": (cst.Subscript,),
    "Delete": (cst.Del,),
    "ListComp": (cst.ListComp,),
    "GeneratorExp": (cst.GeneratorExp,),
}


class SliceError(Exception):
    """LibCST does not take this slice; the message says why."""


class Slice:
    """A parsed stretch of whole lines: a function or statement, its positions, parents and nodes by span."""

    def __init__(self, source: Source, first: int, last: int) -> None:
        from auditor.scan.nodes import children, positions

        text = "".join(source.lines[first - 1 : last])
        # a nested suite keeps its own indentation below a header of ours, so columns stay as they are
        nested = text[:1] in " \t"
        try:
            module = cst.parse_module("if 1:\n" + text if nested else text)
        except (cst.ParserSyntaxError, cst.CSTValidationError, RecursionError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SliceError(f"LibCST cannot parse {source.place(first, last)}: {reason}") from error
        self.source = source
        self.module = module
        self.offset = first - 1 - (1 if nested else 0)
        self.positions = positions(module)
        self._children = children
        self.indices: dict[Any, Any] = {}
        self.parents: dict[cst.CSTNode, cst.CSTNode] = {}
        self.children: dict[cst.CSTNode, list[cst.CSTNode]] = {}
        self._by_start: dict[tuple[int, int], list[cst.CSTNode]] = {}
        self._index()

    def _index(self) -> None:
        stack: list[cst.CSTNode] = [self.module]
        while stack:
            node = stack.pop()
            at = self.positions.get(node)
            if at is not None:
                self._by_start.setdefault((at.start.line, at.start.column), []).append(node)
            inside = self.children[node] = self._children(node)
            for child in inside:
                self.parents[child] = node
            stack.extend(inside)

    def span(self, node: cst.CSTNode) -> Span:
        """Where the node stands in the file."""
        at = self.positions[node]
        return Span(
            line=at.start.line + self.offset,
            column=at.start.column + 1,
            end_line=at.end.line + self.offset,
            end_column=at.end.column + 1,
        )

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around `node`, None at the top and for nodes that a rule made up itself."""
        return self.parents.get(node)

    def descendants(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """`node` and all inside it, in source order."""
        stack = [node]
        while stack:
            current = stack.pop()
            yield current
            inside = self.children.get(current)
            stack.extend(reversed(self._children(current) if inside is None else inside))

    def of_kinds(self, node: cst.CSTNode, kinds: tuple[type[Node], ...]) -> list[Node]:
        """Those of `descendants` that are of one of these kinds."""
        return [one for one in self.descendants(node) if isinstance(one, kinds)]

    def code(self, node: cst.CSTNode) -> str:
        """Source text of the node."""
        return self.module.code_for_node(node)

    def expression(self, node: cst.CSTNode) -> ast.expr | None:
        """The `ast` of an expression, None if `node` is none."""
        return parsed_expression(self.code(node))

    def elsewhere(self, value: ast.expr) -> cst.BaseExpression:
        """The node of an expression that stands outside the slice; its places are not known."""
        return cst.parse_expression(ast.unparse(value))

    def find(self, node: ast.expr | ast.stmt) -> cst.CSTNode | None:
        """The LibCST node that stands for `node`."""
        span = self.source.span(node)
        kinds = _CST_OF.get(type(node).__name__, ())
        for found in self._by_start.get((span.line - self.offset, span.column - 1), ()):
            if isinstance(found, kinds) and self.span(found) == span:
                return found
        return None


def slice_lines(statement: ast.stmt) -> tuple[int, int]:
    """First and last line of a statement, its decorators included."""
    first = statement.lineno
    if isinstance(statement, Function | ast.ClassDef):
        first = min([first, *(decorator.lineno for decorator in statement.decorator_list)])
    return first, statement.end_lineno or statement.lineno
