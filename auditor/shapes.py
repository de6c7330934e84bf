"""Shapes of code that several rules look at, so that no rule needs another. Each takes the context of its node."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor import cst
from auditor.rule import CannotFix

if TYPE_CHECKING:
    from auditor.rule import Context, Edits, Loop

Concat = cst.AugAssign | cst.Assign

CREW = 16
"""Loops that turn at most so often altogether make a crew, not one thing for every item."""

_STARTERS = frozenset(
    (
        *("__init__", "__new__", "__post_init__", "__enter__", "__aenter__", "init", "initialize", "initialise"),
        *("start", "startup", "run", "serve", "serve_forever", "run_forever", "open", "connect", "launch", "begin"),
        *("listen", "activate", "enable", "install", "bootstrap", "start_workers", "start_threads"),
    )
)


@dataclass(frozen=True, slots=True)
class Accumulation:
    """What a loop builds by adding to it: its dotted name, the loop, and all statements of the loop that add."""

    name: str
    loop: cst.For | cst.While | cst.FunctionDef
    statements: tuple[Concat, ...]

    def is_all(self, ctx: Context) -> bool:
        """Whether nothing else in the loop binds the name."""
        return len(self.statements) == len(ctx.stores(self.name, self.loop))


def accumulation(node: cst.CSTNode, ctx: Context, adds: Callable[[Concat], bool]) -> Accumulation | None:
    """What the statement adds to from turn to turn, if `adds` says of it that it adds; the outermost loop counts."""
    loop = _carrying_loop(node, ctx, adds)
    if loop is None or not isinstance(node, Concat):
        return None
    name = ctx.code(concat_target(node)).strip()
    together = (other for other in ctx.stores(name, loop) if _carrying_loop(other, ctx, adds) is loop)
    return Accumulation(name, loop, tuple(other for other in together if isinstance(other, Concat)))


def concat_target(node: Concat) -> cst.BaseExpression:
    """What the statement assigns to, first."""
    return node.target if isinstance(node, cst.AugAssign) else node.targets[0].target


def added_behind(node: Concat, name: str, ctx: Context, edits: Edits) -> str:
    """Code of what the statement puts behind the name.

    Raises:
        CannotFix: it puts it elsewhere, or what is added depends on what is there.
    """
    if isinstance(node, cst.AugAssign):
        if ctx.uses(name, node.value):
            raise CannotFix
        return edits.code(node.value).strip()
    if len(node.targets) != 1:
        raise CannotFix
    parts: list[str] = []
    value = node.value
    while isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Add):
        if ctx.uses(name, value.right) or value.lpar:
            raise CannotFix
        parts.insert(0, edits.code(value.right).strip())
        value = value.left
    if not isinstance(value, cst.Name) or value.value != name or not parts:
        raise CannotFix
    return " + ".join(parts)


_MUTABLE = ("list", "set", "dict", "bytearray")
_MUTATING = ("append", "extend", "insert", "add", "update", "setdefault", "sort", "discard")


def cannot_be_hashed(expression: cst.BaseExpression, ctx: Context) -> bool:
    """Whether it is proven to be, or its function treats it as, a list, set or dict."""
    if ctx.type_of(expression) in _MUTABLE:
        return True
    if not isinstance(expression, cst.Name):
        return False
    for use in ctx.uses(expression.value, ctx.function(expression)):
        match ctx.parent(use):
            case cst.Subscript() as around if isinstance(ctx.parent(around), cst.AssignTarget | cst.AugAssign):
                if around.value is use:
                    return True
            case cst.Attribute(attr=cst.Name(value=method)) if method in _MUTATING:
                return True
            case _:
                pass
    return False


def cached_by_call(node: cst.CSTNode, ctx: Context) -> tuple[cst.Call, cst.BaseExpression] | None:
    """`lru_cache(None)(f)` or `cache(f)` that keeps every result, and `f`; `node` is the call of `functools` in it."""
    if not isinstance(node, cst.Call):
        return None
    around = ctx.parent(node)
    made, maker = (around, node) if isinstance(around, cst.Call) and around.func is node else (node, node.func)
    match made:
        case cst.Call(args=[cst.Arg(keyword=None, star="", value=function)]) if ctx.keeps_all(maker):
            return made, function
    return None


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
        match parent:
            case cst.Await():
                return True
            case cst.Call(func=cst.Name(value=called) | cst.Attribute(attr=cst.Name(value=called))):
                if _TOGETHER.search(called):
                    return True
                if called in ("append", "add") and isinstance(parent.func, cst.Attribute):
                    name = ctx.code(parent.func.value).strip()
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


def _is_awaited_there(use: cst.CSTNode, ctx: Context) -> bool:
    for parent in ctx.ancestors(use):
        match parent:
            case cst.Await():
                return True
            case cst.Call(func=cst.Name(value=called) | cst.Attribute(attr=cst.Name(value=called))):
                if _TOGETHER.search(called):
                    return True
            case cst.For(asynchronous=None, target=cst.Name(value=turned), iter=iterable) if iterable is use:
                # `for task in tasks: await task`
                return any(isinstance(ctx.parent(one), cst.Await) for one in ctx.uses(turned, parent.body))
            case cst.BaseStatement():
                return False
            case _:
                pass
    return False


def makes_a_crew(loops: Sequence[Loop], ctx: Context) -> bool:
    """Whether these nested loops turn at most `CREW` times altogether."""
    total = 1
    for loop in loops:
        turns = ctx.turns_of(loop)
        if turns is None:
            return False
        total *= turns
    return total <= CREW


def is_starter(name: str) -> bool:
    """Whether a function of that name starts something, so that it runs once for each object, start or connection."""
    return name in _STARTERS or name.lstrip("_") in _STARTERS


def _carrying_loop(
    node: cst.CSTNode, ctx: Context, adds: Callable[[Concat], bool]
) -> cst.For | cst.While | cst.FunctionDef | None:
    if not isinstance(node, Concat) or not adds(node):
        return None
    return ctx.carrier(node, ctx.code(concat_target(node)).strip())
