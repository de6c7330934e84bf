"""Where a value goes once an expression has made it: dropped, kept in the frame, or kept beyond it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from auditor import cst
from auditor.scan.once import STARTUP, is_test

if TYPE_CHECKING:
    from auditor.rule import Context

_INERT = frozenset(
    (
        *("add_done_callback", "remove_done_callback", "set_name", "get_name", "get_coro", "get_loop", "get_stack"),
        *("append", "appendleft", "add", "discard", "remove", "extend", "clear", "insert", "update"),
    )
)
"""Methods whose call leaves the value where it was: it is kept no longer for having been asked."""
_GAINS = frozenset(("append", "appendleft", "add", "extend", "insert", "update"))
_LOOKS_ONLY = frozenset(
    f"builtins.{name}" for name in ("print", "len", "str", "repr", "id", "type", "isinstance", "bool")
)
_CALLBACKS = frozenset(
    (
        *("call_soon", "call_soon_threadsafe", "call_later", "call_at", "add_signal_handler", "add_reader"),
        *("add_writer", "add_done_callback"),
    )
)
_CONTAINERS = frozenset(("list", "set", "dict", "tuple", "collections.deque", "weakref.WeakSet"))
_TRANSPARENT = (
    cst.Element,
    cst.StarredElement,
    cst.DictElement,
    cst.BaseList,
    cst.BaseSet,
    cst.BaseDict,
    cst.Tuple,
    cst.BaseComp,
    cst.BooleanOperation,
    cst.Arg,
)
_ASKED = (cst.Comparison, cst.UnaryOperation, cst.If, cst.While, cst.Assert, cst.CompIf, cst.Del, cst.Global)
_BOUND = (cst.AssignTarget, cst.AsName, cst.Param, cst.NameItem, cst.FormattedStringExpression)
_GIVE_SELF = frozenset(("__enter__", "__aenter__", "start", "open", "connect"))
"""Methods that hand back their own object, or stand for it."""
_CACHED = re.compile(r"cache|memo|singleton|fixture|on_event|lazy|run_once|model_validator|root_validator|pre_init")
_ONCE_WORDS = frozenset(
    """init initialize initialise setup set open connect reconnect start startup restart create make build reset
    login configure enter aenter prepare launch serve install bind attach begin ensure""".split()  # noqa: SIM905
)
_PER_CALL_OWNERS = frozenset(("g", "request", "req", "ctx", "context", "event", "msg", "message"))

_TEST = re.compile(r"test(?:_|[A-Z0-9])")


def outlives(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether the value is awaited, returned, handed on, or kept by something that outlives the frame."""
    return _outlives(node, ctx, set())


def _outlives(node: cst.CSTNode, ctx: Context, seen: set[str]) -> bool:
    child = node
    for parent in ctx.ancestors(node):
        known = _settled(child, parent, ctx, seen)
        if known is not None:
            return known
        child = parent
    return True


def _settled(child: cst.CSTNode, parent: cst.CSTNode, ctx: Context, seen: set[str]) -> bool | None:
    """What the node around the value says of it, None if the value passes through."""
    match parent:
        case cst.Expr() | cst.FormattedStringExpression():
            return False
        case cst.Lambda():
            return not (child is parent.body and _is_callback(parent, ctx))
        case cst.Assign() | cst.AnnAssign() | cst.AugAssign():
            return child is parent.value and any(_keeps(target, ctx, seen) for target in _targets(parent))
        case cst.NamedExpr():
            if child is not parent.value:
                return False
            return True if _keeps(parent.target, ctx, seen) else None
        case cst.Attribute():
            return parent.attr.value not in _INERT
        case cst.Call():
            return _handed_on(child, parent, ctx, seen)
        case cst.IfExp():
            return False if child is parent.test else None
        case cst.For() | cst.CompFor():
            return child is parent.iter
        case _ if isinstance(parent, (*_ASKED, *_BOUND)):
            return False
        case _ if isinstance(parent, _TRANSPARENT):
            return None
    return True


def _targets(statement: cst.Assign | cst.AnnAssign | cst.AugAssign) -> list[cst.BaseExpression]:
    if isinstance(statement, cst.Assign):
        return [target.target for target in statement.targets]
    return [statement.target]


def _handed_on(child: cst.CSTNode, call: cst.Call, ctx: Context, seen: set[str]) -> bool | None:
    if child is call.func:
        return True
    if isinstance(call.func, cst.Attribute) and call.func.attr.value in _GAINS:
        container = call.func.value
        return not isinstance(container, cst.Name) or _name_keeps(container, ctx, seen, container=True)
    name = ctx.qualified(call.func)
    if name in _LOOKS_ONLY:
        return False
    if name is not None and name.removeprefix("builtins.") in _CONTAINERS:
        return None
    return True


def _is_callback(function: cst.Lambda, ctx: Context) -> bool:
    """Whether the lambda is handed to something that drops what it returns."""
    argument = ctx.parent(function)
    call = None if argument is None else ctx.parent(argument)
    return isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value in _CALLBACKS


def _keeps(target: cst.BaseExpression, ctx: Context, seen: set[str]) -> bool:
    match target:
        case cst.Name():
            return _name_keeps(target, ctx, seen)
        case cst.Tuple() | cst.List():
            return any(_keeps(element.value, ctx, seen) for element in target.elements)
        case cst.Subscript(value=cst.Name() as container):
            return _name_keeps(container, ctx, seen, container=True)
    return True


def _name_keeps(name: cst.Name, ctx: Context, seen: set[str], container: bool = False) -> bool:
    """Whether what the name is bound to is used so that it outlives the frame."""
    function = ctx.function(name)
    if function is None or _declared_outer(name.value, function, ctx):
        return True
    if container and not _made_here(name.value, function, ctx):
        return True
    if name.value in seen:
        return False
    seen.add(name.value)
    return any(_outlives(use, ctx, seen) for use in ctx.uses(name.value, function) if use is not name)


def _declared_outer(name: str, function: cst.CSTNode, ctx: Context) -> bool:
    declared: Sequence[cst.Global | cst.Nonlocal] = ctx.inside(function, cst.Global, cst.Nonlocal)
    return any(item.name.value == name for node in declared for item in node.names)


def _made_here(name: str, function: cst.CSTNode, ctx: Context) -> bool:
    """Whether every binding of the name in the function is a fresh container."""
    stores = ctx.stores(name, function)
    return bool(stores) and all(_is_fresh(store, ctx) for store in stores)


def _is_fresh(store: cst.CSTNode, ctx: Context) -> bool:
    if isinstance(store, cst.AugAssign):
        return True
    if not isinstance(store, cst.Assign | cst.AnnAssign | cst.NamedExpr):
        return False
    match store.value:
        case cst.Call(func=func):
            return (ctx.qualified(func) or "").removeprefix("builtins.") in _CONTAINERS
        case value:
            return isinstance(value, cst.BaseList | cst.BaseSet | cst.BaseDict | cst.Tuple | cst.BaseComp)


# ------------------------------------------------------------------------------------------------
# Made once, or for the caller


def returned(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether the value itself is what its function returns, directly or by way of a local name."""
    for holder in _passed_through(node, ctx):
        match ctx.parent(holder):
            case cst.Return():
                return True
            case cst.Lambda(body=body) if body is holder:
                return True
            case cst.AssignTarget() | cst.Assign() | cst.AnnAssign() as bound:
                for name in _local_names(bound):
                    function = ctx.function(node)
                    if function is not None and _returns_name(name, function, ctx):
                        return True
            case _:
                pass
    return False


def kept_once(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether the value is made once and kept: by a start-up method, behind a guard, or in a cached function."""
    function = _enclosing(node, ctx)
    if function is None:
        return False
    if any(_CACHED.search(ctx.code(decorator.decorator)) for decorator in function.decorators):
        return True
    slots = list(_slots(node, function, ctx))
    # `pool = self.pool; if pool is None: pool = self.pool = Pool()` looks at the local name
    names = [slot.value for slot in slots if isinstance(slot, cst.Name)]
    return any(_keeps_once(slot, names, function, ctx) for slot in slots)


def _enclosing(node: cst.CSTNode, ctx: Context) -> cst.FunctionDef | None:
    return next((parent for parent in ctx.ancestors(node) if isinstance(parent, cst.FunctionDef)), None)


def _passed_through(node: cst.CSTNode, ctx: Context) -> Iterator[cst.CSTNode]:
    """The node and the expressions around it that have the same value (`x or NODE`, `await s.enter_context(NODE)`)."""
    yield node
    child = node
    for parent in ctx.ancestors(node):
        match parent:
            case cst.BooleanOperation() | cst.IfExp() | cst.Await() | cst.NamedExpr():
                yield parent
            case cst.Arg():
                pass
            case cst.Call(func=cst.Attribute(attr=attr)) if child is not parent.func:
                if attr.value not in ("enter_context", "enter_async_context"):
                    return
                yield parent
            case cst.Attribute(attr=attr) if attr.value in _GIVE_SELF:
                pass
            case cst.Call() if child is parent.func and isinstance(child, cst.Attribute):
                yield parent
            case _:
                return
        child = parent


def _local_names(statement: cst.CSTNode) -> list[str]:
    if not isinstance(statement, cst.Assign | cst.AnnAssign):
        return []
    return [target.value for target in _targets(statement) if isinstance(target, cst.Name)]


def _returns_name(name: str, function: cst.CSTNode, ctx: Context) -> bool:
    return any(isinstance(ctx.parent(use), cst.Return) for use in ctx.uses(name, function))


def _slots(node: cst.CSTNode, function: cst.FunctionDef, ctx: Context) -> Iterator[cst.BaseExpression]:
    """What the value is assigned to, also by way of a local name."""
    pending: list[cst.CSTNode] = [node]
    seen: set[str] = set()
    while pending:
        for holder in _passed_through(pending.pop(), ctx):
            statement = ctx.parent(holder)
            if isinstance(holder, cst.NamedExpr):
                yield holder.target
            if not isinstance(statement, cst.Assign | cst.AnnAssign) or statement.value is not holder:
                continue
            targets = _targets(statement)
            yield from targets
            for target in targets:
                if isinstance(target, cst.Name) and target.value not in seen:
                    seen.add(target.value)
                    pending.extend(ctx.uses(target.value, function))


def _keeps_once(slot: cst.BaseExpression, names: Sequence[str], function: cst.FunctionDef, ctx: Context) -> bool:
    match slot:
        case cst.Name(value=name):
            return _declared_outer(name, function, ctx)
        case cst.Subscript(value=cst.Name() as base):
            return not ctx.stores(base.value, function)
        case cst.Subscript():
            return True
        case cst.Attribute(value=owner):
            text = ctx.code(owner).strip()
            if text in _PER_CALL_OWNERS:
                return False
            return text not in ("self", "cls") or _starts_up(function) or _is_guarded(slot, names, function, ctx)
    return False


def runs_once(node: cst.CSTNode, ctx: Context, script: Collection[str]) -> bool:
    """Whether nothing in sight repeats the node. `script` are functions that their file, a script, runs once."""
    if ctx.loops(node):
        return False
    functions = [parent for parent in ctx.ancestors(node) if isinstance(parent, cst.FunctionDef)]
    if not functions:
        return ctx.function(node) is None
    names = [function.name.value for function in functions]
    if is_test(ctx.path) or any(_TEST.match(name) for name in names):
        return True
    # a handler defined inside `main` runs more often than `main`
    if ctx.function(node) is not functions[0]:
        return False
    return names[0] in STARTUP or (len(names) == 1 and names[0] in script)


def starts_up(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether the node stands in a function whose name speaks of setting something up."""
    function = _enclosing(node, ctx)
    return function is not None and _starts_up(function)


def _starts_up(function: cst.FunctionDef) -> bool:
    """Whether the method's name speaks of setting its object up."""
    return not _ONCE_WORDS.isdisjoint(function.name.value.lower().strip("_").split("_"))


def _is_guarded(slot: cst.Attribute, names: Sequence[str], function: cst.FunctionDef, ctx: Context) -> bool:
    """Whether the function looks whether the attribute, or the local name that is stored in it, is there already."""
    wanted = [re.escape(text) for text in (ctx.code(slot).strip(), *names)]
    wanted.append(f"[\"']{re.escape(slot.attr.value)}[\"']")
    pattern = re.compile(rf"(?<![\w.])(?:{'|'.join(wanted)})(?!\w)")
    return any(pattern.search(code) for code in _tests(function, ctx))


def _tests(function: cst.FunctionDef, ctx: Context) -> Sequence[str]:
    found: list[str] = []
    for node in ctx.descendants(function):
        match node:
            case cst.If(test=test) | cst.IfExp(test=test):
                found.append(ctx.code(test))
            case cst.BooleanOperation(left=left):
                found.append(ctx.code(left))
            case cst.Try(body=body):
                found.append(ctx.code(body).split("=", 1)[0])
            case _:
                pass
    return found
