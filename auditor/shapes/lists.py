"""What is taken for a list though nothing proves it, and what loops do with lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor import cst
from auditor.shapes.passing import pass_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.rule import Context, Loop

_OF_LISTS = ("append", "extend", "sort", "reverse")
_MANY = re.compile(
    r"(?:[^\W_][a-rt-z]s|[a-z]ies|(?:^|[._])xs|list|order|seq|sequence|array|arr|queue|stack|vocab|lst)$", re.IGNORECASE
)
_SINGLE = frozenset(("chars", "letters", "digits", "bytes", "args", "kwargs", "pos", "status", "this", "alphabets"))
"""Names that end as a plural does, and of texts."""
_EXTREMES = ("builtins.min", "builtins.max")
_REMOVING = ("remove", "discard", "pop")


def taken_for_list(items: cst.BaseExpression, ctx: Context, named: bool = False) -> bool:
    """Whether it is proven to be a list, or of no known type and its function treats it as one.

    With `named`, a name in the plural will do.
    """
    kind = ctx.type_of(items)
    if kind is not None or not isinstance(items, cst.Name | cst.Attribute):
        return kind == "list"
    name = ctx.code(items).strip()
    named = named and not (ctx.qualified(items) or "").startswith("string.")
    if named and _MANY.search(name) and name.rpartition(".")[2].lower() not in _SINGLE:
        return True
    calls: Sequence[cst.Call] = ctx.inside(ctx.function(items) or ctx.root, cst.Call)
    return any(_is_done_to(call, name, _OF_LISTS, ctx) for call in calls)


def _is_done_to(call: cst.Call, name: str, methods: Sequence[str], ctx: Context) -> bool:
    match call.func:
        case cst.Attribute(value=owner, attr=cst.Name(value=method)):
            return method in methods and ctx.code(owner).strip() == name
    return False


def taken_out(call: cst.Call, loop: Loop, ctx: Context) -> cst.BaseExpression | None:
    """What the loop takes its least or greatest out of at each turn: `m = min(xs)` and `xs.remove(m)`."""
    items = call.args[0].value if call.args else None
    if ctx.qualified(call.func) not in _EXTREMES or not isinstance(items, cst.Name | cst.Attribute):
        return None
    match ctx.parent(call):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=found))]):
            pass
        case _:
            return None
    name = ctx.code(items).strip()
    calls: Sequence[cst.Call] = ctx.inside(loop, cst.Call)
    deleted: Sequence[cst.Del] = ctx.inside(loop, cst.Del)
    is_taken = any(
        _is_done_to(one, name, _REMOVING, ctx) and bool(one.args) and ctx.uses(found, one.args[0]) for one in calls
    ) or any(ctx.code(one.target).strip() == f"{name}[{found}]" for one in deleted)
    return items if is_taken else None


def is_searched_as_list(call: cst.Call, items: cst.BaseExpression, ctx: Context) -> bool:
    """Whether `items.index(x)`, `count` or `remove` is called on a proven list, or on what is taken for one there."""
    method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    if ctx.type_of(items) is not None:
        return ctx.type_of(items) == "list"
    if method != "remove" and _asks_for_its_own(call, items, ctx):
        return True
    if method == "remove" and _goes_through_copy(call, items, ctx):
        return True
    if not _asks_for_another(call, ctx):
        return False
    return (method == "index" and _is_place(call, ctx)) or taken_for_list(items, ctx, named=method == "index")


def _is_place(call: cst.Call, ctx: Context) -> bool:
    """Whether the index leads to an item of something: `row[names.index(x)]`."""
    around = ctx.parent(call)
    return isinstance(around, cst.Index) and isinstance(ctx.parent(around), cst.SubscriptElement)


def _goes_through_copy(call: cst.Call, items: cst.BaseExpression, ctx: Context) -> bool:
    """Whether the loop goes through a slice of all items, as of a list from which its turns remove some."""
    loop = next(iter(ctx.repeating(call)), None)
    match loop:
        case cst.For(iter=cst.Subscript(value=whole, slice=[cst.SubscriptElement(slice=cst.Slice())])):
            return ctx.code(whole).strip() == ctx.code(items).strip()
    return False


def _asks_for_its_own(call: cst.Call, items: cst.BaseExpression, ctx: Context) -> bool:
    """Whether the loop around goes through the items themselves: `x.index(item) for item in x`."""
    loop = next(iter(ctx.repeating(call)), None)
    if not isinstance(loop, cst.For | cst.CompFor):
        return False
    gone_through = pass_of(loop, ctx).collection
    same = gone_through is not None and ctx.code(gone_through).strip() == ctx.code(items).strip()
    match call.args[0].value:
        case cst.Name(value=item):
            return same and item in ctx.binds(loop)
        case cst.Subscript(value=owner, slice=[cst.SubscriptElement(slice=cst.Index(value=cst.Name(value=index)))]):
            return same and index in ctx.binds(loop) and ctx.code(owner).strip() == ctx.code(items).strip()
    return False


def _asks_for_another(call: cst.Call, ctx: Context) -> bool:
    """Whether the loop around looks for something else at each turn."""
    loop, item = next(iter(ctx.repeating(call)), None), call.args[0].value
    return loop is not None and len(call.args) == 1 and not ctx.is_fixed(item) and ctx.renews(loop, item)
