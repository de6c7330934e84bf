"""One slice of a file as shadow nodes, with the source text and the place of each."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from typing import Any

from auditor import cst
from auditor.model import Span
from auditor.scan.shadow.kinds import shadow
from auditor.scan.shadow.node import PLACED, Node, NotShadowedError, is_shadow, made
from auditor.scan.shadow.occurrences import Occurrences
from auditor.scan.shadow.statements import MODULE
from auditor.scan.shadow.text import Fragment, code_of, in_formatted_string
from auditor.scan.source import Source, UnreadableError, parse_source, parsed_expression
from auditor.scan.syntax import walk

_LOAD = ast.Load()


class Shadow:
    """The nodes of one statement. `known` has those that stand for an `ast` node of their own."""

    def __init__(self, source: Source, statement: ast.stmt) -> None:
        self.source = source
        self.known: dict[ast.AST, Any] = {}
        self.nodes: list[Any] = []
        self.indices: dict[Any, Any] = {}
        self.statement = statement
        self._others: list[Shadow] = []
        self._occurrences: Occurrences | None = None
        self._embedded: dict[cst.CSTNode, Any] = {}
        self._joined: dict[cst.CSTNode, ast.expr] = {}
        self.module: Any = made(MODULE, [statement], None, self)

    def release(self) -> None:
        """Undo the cycles, so that nodes and what they stand for go at once, without the collector. Last of all."""
        for other in self._others:
            other.release()
        for node in self.nodes:
            node._up = None
        self.nodes.clear()
        self.known.clear()
        self.indices.clear()
        del self.module

    def parent(self, node: Any) -> Any:
        """The node around `node`, None at the top and for nodes that a rule made up itself."""
        try:
            return node._up
        except AttributeError:
            # one of LibCST's own
            return self._embedded.get(node)

    def descendants(self, node: Any) -> Iterator[Any]:
        """`node` and all inside it, in source order."""
        stack = [node]
        while stack:
            current = stack.pop()
            yield current
            inside = current._inside if isinstance(current, Node) else _children(current)
            if inside:
                stack.extend(reversed(inside))

    def find(self, wanted: ast.expr | ast.stmt, around: Iterable[ast.AST]) -> Any:
        """The shadow of an `ast` node of this slice. `around` are the node and those around it, innermost first.

        Raises:
            NotShadowedError: it stands where the shadow is blind.
        """
        return self._reach(wanted, around, self.module)

    def _reach(self, wanted: Any, around: Iterable[ast.AST], start: Any) -> Any:
        """The same, from a shadow on that is around it."""
        found = self.known.get(wanted)
        if found is not None:
            return found
        trail: set[ast.AST] = set()
        for one in around:
            if one in self.known:
                start = self.known[one]
                break
            trail.add(one)
        pending = [start]
        while pending and wanted not in self.known:
            pending += _towards(pending.pop(), trail)
        if wanted not in self.known:
            raise NotShadowedError(type(wanted).__name__)
        return self.known[wanted]

    def of_kinds(self, node: Any, kinds: tuple[type[Any], ...]) -> list[Any]:
        """Those of `descendants` that are of one of these kinds; nodes are made for no others if it can be helped."""
        wanted = _kinds_of_ast(kinds)
        at = _parts(node) if isinstance(node, Node) and node._tree is self else []
        if wanted is None or not at:
            return [one for one in self.descendants(node) if isinstance(one, kinds)]
        nodes = [one for part in at for one in walk(part)]
        found = [one for one in nodes if type(one) in wanted]
        if any(type(one) is ast.JoinedStr and any(type(part) in wanted for part in walk(one)) for one in nodes):
            return [part for part in self.descendants(node) if isinstance(part, kinds)]
        return [self._reach(one, self.occurrences.upwards(one), node) for one in sorted(found, key=_start)]

    def names(self, name: str, within: Any) -> list[Any] | None:
        """The nodes of that name inside a node, in source order; None if only all nodes inside can tell."""
        roots, known = _roots(within, self), self.occurrences
        if roots is None or known.has(known.odd.get(name), roots):
            return None
        found = sorted((one for one in known.names.get(name, ()) if known.is_within(one, roots)), key=_start)
        return [self._parameter(node).name if type(node) is ast.arg else self._reached(node) for node in found]

    def binding(self, name: str, within: Any) -> list[Any] | None:
        """The nodes inside that bind the name, or an attribute of that name, in source order; None as above."""
        roots, known = _roots(within, self), self.occurrences
        if roots is None or known.has(known.odd.get(name), roots) or known.has(known.odd_bound.get(name), roots):
            return None
        found = dict.fromkeys(node for node in known.bound.get(name, ()) if known.is_within(node, roots))
        return [
            self._parameter(node) if type(node) is ast.arg else self._reached(node)
            for node in sorted(found, key=_start)
        ]

    @property
    def occurrences(self) -> Occurrences:
        """Where names stand in the statement."""
        if self._occurrences is None:
            self._occurrences = Occurrences(self.statement)
        return self._occurrences

    def _reached(self, node: Any) -> Any:
        return self._reach(node, self.occurrences.upwards(node), self.module)

    def _parameter(self, at: ast.arg) -> Any:
        parents = self.occurrences.parents
        function = self._reached(parents[parents[at]])
        return next(one for one in function.params._inside if type(one._at) is tuple and one._at[0] is at)

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
        if isinstance(at, Fragment):
            return parsed_expression(at)
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
        if not isinstance(at, PLACED) or isinstance(at, (ast.Tuple, ast.GeneratorExp)):
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
            code = ast.unparse(value)
            text = f"({code})\n" if "\n" in code else f"{code}\n"
            source = parse_source(text.encode("utf-8", "surrogatepass"), "elsewhere.py")
        except (UnreadableError, RecursionError) as error:
            raise NotShadowedError("not taken by Python's own parser") from error
        statement: Any = source.tree.body[0]
        other = Shadow(source, statement)
        self._others.append(other)
        return shadow(statement.value, other.module)


def _children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Those of a node of LibCST's own."""
    from auditor.scan.nodes import children

    return children(node)


def _towards(node: Any, trail: set[ast.AST]) -> list[Any]:
    """Those of the nodes inside that are on the trail. Fields are filled until one is: what is asked stands last."""
    found: list[Any] = []
    for name in node._backwards:
        value = getattr(node, name)
        for one in value if type(value) is tuple else (value,):
            if isinstance(one, Node) and _holds(one._at, trail):
                # a tuple may stand for more than what is inside
                if type(one._at) is not tuple:
                    return [one]
                found.append(one)
    return found


def _holds(at: Any, trail: set[ast.AST]) -> bool:
    if type(at) is list:
        return not trail.isdisjoint(at)
    if type(at) is tuple:
        return any(_holds(one, trail) for one in at)
    return at in trail


def _parts(node: Any) -> list[Any]:
    """The `ast` nodes that a shadow stands for, none if there is more to it."""
    at = node._at
    if isinstance(at, PLACED):
        return [at]
    return at if isinstance(at, list) and all(isinstance(one, ast.stmt) for one in at) else []


def _roots(node: Any, tree: Shadow) -> set[ast.AST] | None:
    """What a shadow of the tree stands for, None if that is not all the same as what is inside it."""
    if not isinstance(node, Node) or node._tree is not tree:
        return None
    at = node._at
    listed = at if isinstance(at, list) else [at] if isinstance(at, PLACED) else at if len(at or ()) == 1 else ()
    # what stands inside an f-string is not among the parents
    known = tree.occurrences.parents
    return {*listed} if listed and all(one in known or one is tree.statement for one in listed) else None


def _start(node: Any) -> tuple[int, int, int, int]:
    """Sorts nodes as the source has them, those around before those inside."""
    decorators = getattr(node, "decorator_list", None)
    first = decorators[0] if decorators else node
    # the mark of a decorator stands before it
    return first.lineno, first.col_offset - bool(decorators), -node.end_lineno, -node.end_col_offset


_ONE_FOR_ONE: dict[str, tuple[str, ...]] = {
    **{
        name: (name,)
        for name in """Assign AugAssign AnnAssign Await Break Call Continue Dict DictComp GeneratorExp Global If IfExp
        Lambda ListComp NamedExpr Nonlocal Raise Return SetComp Subscript Try While""".split()  # noqa: SIM905
    },
    "Comparison": ("Compare",),
    "Del": ("Delete",),
    "For": ("For", "AsyncFor"),
    "FunctionDef": ("FunctionDef", "AsyncFunctionDef"),
    "With": ("With", "AsyncWith"),
    "Yield": ("Yield", "YieldFrom"),
}
"""LibCST's classes of which each node stands for one node of the `ast`, and what that is."""


@functools.cache
def _kinds_of_ast(kinds: tuple[type[Any], ...]) -> frozenset[type[ast.AST]] | None:
    """What these kinds of LibCST's nodes stand for, None if one is not among the above."""
    if not all(kind.__name__ in _ONE_FOR_ONE for kind in kinds):
        return None
    return frozenset(getattr(ast, name) for kind in kinds for name in _ONE_FOR_ONE[kind.__name__])
