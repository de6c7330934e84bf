"""What is taken for a list though nothing proves it, and what loops do with lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor import cst

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
