"""Two items of one collection set against each other in nested loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor import cst

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.rule import Context
    from auditor.shapes.passing import Pass


class Side:
    """Recognises what stems from the item that one of the two loops is at."""

    def __init__(self, collection: str, at: Pass, loop: cst.For, other: cst.For | None, ctx: Context) -> None:
        self._collection = collection
        self._indices = at.indices
        self._ctx = ctx
        self._items = set(at.items)
        own = (
            node for node in ctx.descendants(loop.body) if other is None or other not in (node, *ctx.ancestors(node))
        )
        for node in own:
            match node:
                case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
                    if self.mentioned(value):
                        self._items.add(name)

    def mentioned(self, expression: cst.CSTNode) -> bool:
        """Whether the expression contains the item, or something made from it."""
        return any(self._is_item(node) for node in self._ctx.descendants(expression))

    def is_plain(self, expression: cst.CSTNode) -> bool:
        """Whether the expression is the item itself."""
        return self._is_item(expression)

    def _is_item(self, node: cst.CSTNode) -> bool:
        match node:
            case cst.Name(value=name):
                return name in self._items and not self._is_label(node)
            case cst.Subscript(value=value, slice=[cst.SubscriptElement(slice=cst.Index(value=cst.Name(value=index)))]):
                return index in self._indices and self._ctx.code(value).strip() == self._collection
        return False

    def _is_label(self, node: cst.Name) -> bool:
        """Whether the name is that of an attribute or of a keyword."""
        parent = self._ctx.parent(node)
        if isinstance(parent, cst.Attribute):
            return parent.attr is node
        return isinstance(parent, cst.Arg) and parent.keyword is node


def any_pair(value: cst.BaseExpression, sides: tuple[Side, Side], ctx: Context) -> bool:
    """Whether something in the expression sets the two items against each other."""
    return any(pairs(part, sides, ctx) for part in ctx.descendants(value))


def pairs(node: cst.CSTNode, sides: tuple[Side, Side], ctx: Context) -> bool:
    """Whether the node sets the two items against each other."""
    match node:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=right)]):
            if not isinstance(operator, cst.Equal | cst.NotEqual):
                return False
            # `a + b == total` as well as `a == b`
            return _are_apart(left, right, sides) or any(_are_added(part, sides, ctx) for part in (left, right))
        case cst.Call(func=cst.Attribute(value=receiver), args=arguments):
            parts: list[cst.BaseExpression] = [receiver, *(argument.value for argument in arguments)]
        case cst.Call(args=arguments):
            parts = [argument.value for argument in arguments]
        case _:
            return False
    if any(_are_apart(left, right, sides) for left in parts for right in parts if left is not right):
        return True
    return any(_are_joined(part, sides, ctx) for part in parts)


def _are_added(expression: cst.CSTNode, sides: tuple[Side, Side], ctx: Context) -> bool:
    """Whether the expression is the sum or difference of something of either item: what is missing can be looked up."""
    match expression:
        case cst.BinaryOperation(left=left, operator=cst.Add() | cst.Subtract(), right=right):
            return _are_apart(left, right, sides)
    return False


def _are_joined(expression: cst.CSTNode, sides: tuple[Side, Side], ctx: Context) -> bool:
    """Whether some operation in the expression has one item on either side."""
    operations: Sequence[cst.BinaryOperation] = ctx.inside(expression, cst.BinaryOperation)
    return any(_are_apart(part.left, part.right, sides) for part in operations)


def _are_apart(left: cst.CSTNode, right: cst.CSTNode, sides: tuple[Side, Side]) -> bool:
    """Whether one part stems from the outer item alone and the other from the inner item alone."""
    seen = [tuple(side.mentioned(part) for side in sides) for part in (left, right)]
    return seen in ([(True, False), (False, True)], [(False, True), (True, False)])
