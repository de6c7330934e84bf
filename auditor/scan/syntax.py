"""Ways through an `ast`, several times as fast as those of the standard library, as everything here walks.

Contexts (`Load`, `Store`) and operators are left out: nobody looks for them.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from auditor.scan.regions import BORDERING, Border, divided

Children = Callable[[Any], Sequence[ast.AST]]


def _generic(node: ast.AST) -> list[ast.AST]:
    left_out = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
    return [child for child in ast.iter_child_nodes(node) if not isinstance(child, left_out)]


def _none(_node: Any) -> tuple[ast.AST, ...]:
    return ()


def _value(node: Any) -> tuple[ast.AST, ...]:
    return (node.value,)


def _optional_value(node: Any) -> tuple[ast.AST, ...]:
    return (node.value,) if node.value is not None else ()


def _elements(node: Any) -> Sequence[ast.AST]:
    elements: list[ast.AST] = node.elts
    return elements


def _comprehension(node: Any) -> list[ast.AST]:
    return [node.elt, *node.generators]


def _loop(node: Any) -> list[ast.AST]:
    return [node.target, node.iter, *node.body, *node.orelse]


def _branch(node: Any) -> list[ast.AST]:
    return [node.test, *node.body, *node.orelse]


def _with(node: Any) -> list[ast.AST]:
    return [*node.items, *node.body]


def _try(node: Any) -> list[ast.AST]:
    return [*node.body, *node.handlers, *node.orelse, *node.finalbody]


def _function(node: Any) -> list[ast.AST]:
    found = [node.args, *node.body, *node.decorator_list]
    if node.returns is not None:
        found.append(node.returns)
    # since Python 3.12
    found += getattr(node, "type_params", ())
    return found


def _class(node: Any) -> list[ast.AST]:
    return [
        *node.bases,
        *node.keywords,
        *node.body,
        *node.decorator_list,
        *getattr(node, "type_params", ()),
    ]


def _present(*names: str) -> Children:
    """For nodes all of whose parts may be missing."""
    return lambda node: [part for name in names if (part := getattr(node, name)) is not None]


_CHILDREN: dict[type[ast.AST], Children] = {
    ast.Name: _none,
    ast.Constant: _none,
    ast.Attribute: _value,
    ast.Call: lambda node: [node.func, *node.args, *node.keywords],
    ast.keyword: _value,
    ast.arg: _present("annotation"),
    ast.arguments: lambda node: [
        *node.posonlyargs,
        *node.args,
        *([node.vararg] if node.vararg is not None else ()),
        *node.kwonlyargs,
        *filter(None, node.kw_defaults),
        *([node.kwarg] if node.kwarg is not None else ()),
        *node.defaults,
    ],
    ast.Expr: _value,
    ast.Assign: lambda node: [*node.targets, node.value],
    ast.AugAssign: lambda node: (node.target, node.value),
    ast.AnnAssign: _present("target", "annotation", "value"),
    ast.Return: _optional_value,
    ast.Delete: lambda node: node.targets,
    ast.If: _branch,
    ast.While: _branch,
    ast.For: _loop,
    ast.AsyncFor: _loop,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.withitem: _present("context_expr", "optional_vars"),
    ast.Try: _try,
    ast.TryStar: _try,
    ast.ExceptHandler: lambda node: node.body if node.type is None else [node.type, *node.body],
    ast.Raise: _present("exc", "cause"),
    ast.Assert: _present("test", "msg"),
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Lambda: lambda node: (node.args, node.body),
    ast.Import: lambda node: node.names,
    ast.ImportFrom: lambda node: node.names,
    ast.alias: _none,
    ast.Global: _none,
    ast.Nonlocal: _none,
    ast.Pass: _none,
    ast.Break: _none,
    ast.Continue: _none,
    ast.BoolOp: lambda node: node.values,
    ast.BinOp: lambda node: (node.left, node.right),
    ast.UnaryOp: lambda node: (node.operand,),
    ast.Compare: lambda node: [node.left, *node.comparators],
    ast.IfExp: lambda node: (node.test, node.body, node.orelse),
    ast.NamedExpr: lambda node: (node.target, node.value),
    ast.Await: _value,
    ast.Yield: _optional_value,
    ast.YieldFrom: _value,
    ast.Starred: _value,
    ast.Subscript: lambda node: (node.value, node.slice),
    ast.Slice: _present("lower", "upper", "step"),
    ast.Tuple: _elements,
    ast.List: _elements,
    ast.Set: _elements,
    ast.Dict: lambda node: [*filter(None, node.keys), *node.values],
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: lambda node: [node.key, node.value, *node.generators],
    ast.comprehension: lambda node: [node.target, node.iter, *node.ifs],
    ast.JoinedStr: lambda node: node.values,
    ast.FormattedValue: _present("value", "format_spec"),
    ast.Module: lambda node: node.body,
}
_children = _CHILDREN.get
_LEAVES = frozenset((ast.Name, ast.Constant))
"""More than half of all nodes, and hardly ever asked for."""
_VALUED = frozenset((ast.Attribute, ast.keyword, ast.Expr, ast.Await, ast.Starred))
"""What has but a value inside."""

_BLOCKS: dict[type[ast.AST], Children] = {
    **dict.fromkeys(
        (ast.If, ast.While, ast.For, ast.AsyncFor), lambda node: node.body + node.orelse if node.orelse else node.body
    ),
    **dict.fromkeys((ast.With, ast.AsyncWith), _with),
    **dict.fromkeys((ast.Try, ast.TryStar), _try),
    **dict.fromkeys((ast.ExceptHandler, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef), lambda node: node.body),
    # patterns bind names, and may be inside one another
    **dict.fromkeys(
        (
            *(ast.Match, ast.match_case, ast.MatchAs, ast.MatchClass, ast.MatchMapping, ast.MatchOr, ast.MatchSequence),
            *(ast.MatchSingleton, ast.MatchStar, ast.MatchValue),
        ),
        _generic,
    ),
}
_blocks = _BLOCKS.get


def blocks(node: ast.AST) -> Sequence[ast.AST]:
    """Of the nodes directly inside, those that may be or hold statements or patterns: all but expressions."""
    return _blocks(type(node), _none)(node)


def walk_statements(node: ast.AST) -> list[ast.AST]:
    """What `walk` gives, without expressions."""
    found = [node]
    for one in found:
        found += _blocks(type(one), _none)(one)
    return found


def children(node: ast.AST) -> Sequence[ast.AST]:
    """The nodes directly inside, in the order of `ast.iter_child_nodes`."""
    return _children(type(node), _generic)(node)


def walk(node: ast.AST) -> list[ast.AST]:
    """`node` and all inside it, in the order of `ast.walk`."""
    found = [node]
    for one in found:
        found += _children(type(one), _generic)(one)
    return found


class Flat:
    """The nodes of a module in the order of `ast.walk`: with the index of each one's parent, and by kind.

    By index, `regions` says in which surroundings a node stands, as an index of
    `borders`.
    """

    def __init__(self, tree: ast.Module) -> None:
        nodes: list[Any] = [tree]
        parents = [0]
        regions = [0]
        borders: list[Border] = [(0, tree, None)]
        kinds: dict[type[ast.AST], list[int]] = defaultdict(list)
        add_node, add_parent, add_region = nodes.append, parents.append, regions.append
        for index, node in enumerate(nodes):
            kind = type(node)
            if kind in _LEAVES:
                continue
            kinds[kind].append(index)
            if kind in _VALUED:
                add_node(node.value)
                add_parent(index)
                add_region(regions[index])
                continue
            inside = _children(kind, _generic)(node)
            if inside:
                nodes += inside
                parents += [index] * len(inside)
                here = regions[index]
                if kind in BORDERING:
                    regions += divided(node, inside, here, nodes[parents[index]], borders)
                else:
                    regions += [here] * len(inside)
        self.nodes = nodes
        self.parents = parents
        self.regions = regions
        self.borders = borders
        self._kinds = kinds

    @property
    def depth(self) -> int:
        """The number of levels."""
        # the last node is on the last of them
        return 1 + sum(1 for _ in self.upwards(len(self.nodes) - 1))

    def upwards(self, index: int) -> Iterator[Any]:
        """The node at that index and those around it, without the module."""
        while index:
            yield self.nodes[index]
            index = self.parents[index]

    def of(self, *kinds: type[ast.AST]) -> list[int]:
        """Indices of the nodes of these kinds."""
        return [index for kind in kinds for index in self._of(kind)]

    def _of(self, kind: type[ast.AST]) -> Sequence[int]:
        if kind in _LEAVES and kind not in self._kinds:
            self._kinds[kind] = [index for index, node in enumerate(self.nodes) if type(node) is kind]
        return self._kinds.get(kind, ())
