"""What a loop goes through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from auditor import cst

if TYPE_CHECKING:
    from auditor.rule import Context, Loop

_VIEWS = ("items", "keys", "values", "copy")
_WRAPPERS = tuple(f"builtins.{name}" for name in ("list", "sorted", "reversed", "tuple", "set"))


class Pass(NamedTuple):
    """What a loop runs over: the collection (None if `range` hides it), its items and its indices by name.

    bound: the code of what ends a `range`.
    """

    collection: cst.BaseExpression | None
    items: frozenset[str]
    indices: frozenset[str]
    bound: str = ""


def pass_of(loop: cst.For | cst.CompFor, ctx: Context) -> Pass:
    """What the loop runs over."""
    iterable, names = loop.iter, frozenset(_names(loop.target, ctx))
    if not isinstance(iterable, cst.Call) or not iterable.args:
        return Pass(_behind(iterable, ctx), names, frozenset())
    name = ctx.qualified(iterable.func)
    if name == "builtins.enumerate" and isinstance(loop.target, cst.Tuple) and len(loop.target.elements) == 2:
        index, item = (frozenset(_names(element.value, ctx)) for element in loop.target.elements)
        return Pass(_behind(iterable.args[0].value, ctx), item, index)
    if name == "builtins.range":
        stop = iterable.args[min(1, len(iterable.args) - 1)].value
        bound = "" if ctx.is_constant(stop) else ctx.code(stop).strip()
        return Pass(_measured(stop, ctx), frozenset(), names, bound)
    return Pass(_behind(iterable, ctx), names, frozenset())


def only_continues(block: cst.BaseSuite) -> bool:
    """Whether all that the block does is to go on with the next item."""
    match block.body:
        case [cst.SimpleStatementLine(body=[cst.Continue()])] | [cst.Continue()]:
            return True
    return False


def _names(target: cst.CSTNode, ctx: Context) -> Iterator[str]:
    return (part.value for part in ctx.descendants(target) if isinstance(part, cst.Name))


def _behind(iterable: cst.BaseExpression, ctx: Context) -> cst.BaseExpression:
    """The collection behind slices, views and copies."""
    while True:
        match iterable:
            case cst.Subscript(value=value, slice=[cst.SubscriptElement(slice=cst.Slice())]):
                iterable = value
            case cst.Call(func=cst.Attribute(value=value, attr=cst.Name(value=method)), args=[]) if method in _VIEWS:
                iterable = value
            case cst.Call(func=function, args=[argument]) if ctx.qualified(function) in _WRAPPERS:
                iterable = argument.value
            case _:
                return iterable


def _measured(stop: cst.BaseExpression, ctx: Context) -> cst.BaseExpression | None:
    """The collection whose length ends a `range`, if the length is taken there or bound once to the name."""
    match stop:
        case cst.BinaryOperation(left=left, operator=cst.Subtract()):
            return _measured(left, ctx)
        case cst.Call(func=function, args=[argument]) if ctx.qualified(function) == "builtins.len":
            return argument.value
        case cst.Name(value=name):
            stores = ctx.stores(name)
            if len(stores) == 1 and isinstance(stores[0], cst.Assign) and isinstance(stores[0].value, cst.Call):
                return _measured(stores[0].value, ctx)
    return None


def is_stretch(container: cst.BaseExpression, loop: Loop, ctx: Context) -> bool:
    """Whether it is a stretch, up to the index at hand or from it on, of what the loop goes through: `rows[:i]`."""
    match container:
        case cst.Subscript(value=items, slice=[cst.SubscriptElement(slice=cst.Slice() as part)]):
            pass
        case _:
            return False
    if not isinstance(loop, cst.For | cst.CompFor):
        return False
    turned = ctx.binds(loop)
    code = ctx.code(items).strip()
    goes_through = {ctx.code(one).strip() for one in ctx.inside(loop.iter, cst.Name, cst.Attribute)}
    ends = [end for end in (part.lower, part.upper) if end is not None]
    moved = [end for end in ends if any(ctx.uses(name, end) for name in turned)]
    # a window of which both ends move stays as long as it is
    return code in goes_through and len(moved) == 1
