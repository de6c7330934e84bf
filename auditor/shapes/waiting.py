"""Which call takes the time of others, and which is awaited later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor import cst

if TYPE_CHECKING:
    from auditor.rule import Context

_LAZY = frozenset(f"builtins.{name}" for name in ("map", "filter", "zip", "enumerate", "reversed", "iter"))
_LAZY_METHODS = frozenset(("map", "imap", "imap_unordered", "map_async", "starmap_async"))


def runner(call: cst.Call, ctx: Context) -> cst.Call | None:
    """The call that takes the time of what `call` runs for every item: itself, or the one that goes through a lazy one.

    None if a loop goes through it, whose own work cannot be told from it, or if it is handed on.
    """
    name = ctx.qualified(call.func) or ""
    method = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    if name not in _LAZY and not name.startswith("itertools.") and method not in _LAZY_METHODS:
        return call
    child: cst.CSTNode = call
    for parent in ctx.ancestors(call):
        match parent:
            case cst.Call(func=function) if function is not child and ctx.qualified(function) not in _LAZY:
                return parent
            case cst.Call() | cst.Arg():
                child = parent
            case _:
                return None
    return None


_TOGETHER = re.compile(
    r"gather|^wait(?:_for)?$|as_completed|create_task|ensure_future|start_soon|run_coroutine_threadsafe|run_until_complete"
)


def is_awaited_later(call: cst.Call, ctx: Context) -> bool:
    """Whether what the call gives, itself or kept under a name, is handed to what awaits it, as `gather`."""
    name: str | None = None
    for parent in ctx.ancestors(call):
        if _awaits(parent):
            return True
        match parent:
            case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="append" | "add"))):
                name = ctx.code(owner).strip()
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=bound))]):
                name = bound
            case cst.BaseStatement() | cst.Lambda():
                break
            case _:
                pass
    function = ctx.function(call)
    if name is None or not isinstance(function, cst.FunctionDef) or function.asynchronous is None:
        return False
    return any(_is_awaited_there(use, ctx) for use in ctx.uses(name, function))


def _awaits(node: cst.CSTNode) -> bool:
    match node:
        case cst.Await():
            return True
        case cst.Call(func=cst.Name(value=called) | cst.Attribute(attr=cst.Name(value=called))):
            return _TOGETHER.search(called) is not None
    return False


def _is_awaited_there(use: cst.CSTNode, ctx: Context) -> bool:
    for parent in ctx.ancestors(use):
        if _awaits(parent):
            return True
        match parent:
            case cst.For(asynchronous=None, target=cst.Name(value=turned), iter=iterable) if iterable is use:
                # `for task in tasks: await task`
                return any(isinstance(ctx.parent(one), cst.Await) for one in ctx.uses(turned, parent.body))
            case cst.BaseStatement():
                return False
            case _:
                pass
    return False
