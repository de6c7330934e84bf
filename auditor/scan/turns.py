"""What the turns of a loop share, and what one turn hands on to the next."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from auditor import cst

if TYPE_CHECKING:
    from auditor.rule import Context, Loop

_Items = cst.For | cst.CompFor | cst.FunctionDef | cst.Lambda
_IMMUTABLE = frozenset(("str", "bytes", "int", "float", "bool", "tuple", "frozenset", "range", "pathlib.Path"))
_BATCHES = re.compile(r"batch|chunk|pagin|page|shard", re.IGNORECASE)
_PACING = re.compile(r"sleep|throttle|rate_?limit|limiter|backoff", re.IGNORECASE)
_RECEIVERS = {"self", "cls"}
_PURE = re.compile(r"builtins\.(?!setattr$|delattr$|next$|exec$|eval$)[a-z]+")
_READING = frozenset(
    """get items keys values copy index count union intersection difference issubset issuperset isdisjoint
    startswith endswith lower upper strip lstrip rstrip split rsplit splitlines join format encode decode find replace
    exists is_file is_dir stat resolve with_suffix with_name joinpath relative_to match search fullmatch
    findall""".split()  # noqa: SIM905
)
_LEAVING_ALONE = _READING | frozenset(
    """append add extend update insert put put_nowait appendleft write print debug info warning error exception
    warn""".split()  # noqa: SIM905
)
_MUTATING = frozenset(("random", "heapq", "bisect", "operator", "struct", "functools", "itertools", "collections"))
_OPAQUE = (cst.Call, cst.Await, cst.Yield, cst.Lambda, cst.BaseComp, cst.NamedExpr)


# ------------------------------------------------------------------------------------------------
# Loops over data


def item_loops(node: cst.CSTNode, ctx: Context) -> Sequence[_Items]:
    """Those of the repeating loops that take one item of some data at a time."""
    return [loop for loop in ctx.repeating(node) if not isinstance(loop, cst.While) and not _is_batched(loop, ctx)]


def _is_batched(loop: _Items, ctx: Context) -> bool:
    """Whether the loop goes by batches: `range(0, n, size)`, `for chunk in ...`, `for row in pages(...)`."""
    if isinstance(loop, cst.FunctionDef | cst.Lambda):
        return False
    iterable = loop.iter
    if isinstance(iterable, cst.Call):
        if ctx.qualified(iterable.func) == "builtins.range":
            return len(iterable.args) == 3
        # `zip(*[iter(items)] * 100)` goes by hundreds
        if _BATCHES.search(ctx.code(iterable.func)) or any(argument.star == "*" for argument in iterable.args):
            return True
    return bool(_BATCHES.search(ctx.code(loop.target)))


def _is_of(jump: cst.CSTNode, loop: Loop, ctx: Context) -> bool:
    """Whether the loop is the innermost around the jump."""
    return next((parent for parent in ctx.ancestors(jump) if isinstance(parent, cst.For | cst.While)), None) is loop


def is_paced(loop: Loop, ctx: Context) -> bool:
    """Whether the loop sleeps, or waits for a limiter, in its own turns."""
    return any(_PACING.search(ctx.code(node.func)) is not None for node in ctx.inside(_repeating(loop, ctx), cst.Call))


def _repeated(loop: Loop, ctx: Context) -> Iterator[cst.CSTNode]:
    """What stands in the loop, or in the comprehension that it belongs to."""
    return ctx.descendants(_repeating(loop, ctx))


def _repeating(loop: Loop, ctx: Context) -> cst.CSTNode:
    """The loop, or the comprehension that it belongs to."""
    around: cst.CSTNode = loop
    while isinstance(around, cst.CompFor):
        around = ctx.parent(around) or ctx.root
    return around


# ------------------------------------------------------------------------------------------------
# What no turn changes


def is_unchanged(expression: cst.BaseExpression, loop: Loop, ctx: Context, immutable: bool = False) -> bool:
    """Whether no turn of the loop changes what the expression yields; it calls nothing."""
    if any(isinstance(part, _OPAQUE) for part in ctx.descendants(expression)):
        return False
    return not any(_is_changed(chain, loop, ctx, immutable) for chain in _chains(expression, ctx))


def is_same_call(call: cst.Call, loop: Loop, ctx: Context) -> bool:
    """Whether no turn binds what the call is made on or with."""
    parts = [argument.value for argument in call.args]
    if isinstance(call.func, cst.Attribute):
        parts.append(call.func.value)
    return all(is_unchanged(part, loop, ctx, immutable=True) for part in parts)


def _chains(expression: cst.CSTNode, ctx: Context) -> Iterator[cst.Name | cst.Attribute]:
    """The variables in the expression, each with all the attributes that are asked of it there."""
    for node in ctx.descendants(expression):
        parent = ctx.parent(node)
        inner = node is not expression and (
            isinstance(parent, cst.Attribute) or (isinstance(parent, cst.Arg) and parent.keyword is node)
        )
        if isinstance(node, cst.Name | cst.Attribute) and not inner and isinstance(_first(node), cst.Name):
            yield node


def _first(node: cst.CSTNode) -> cst.CSTNode:
    while isinstance(node, cst.Attribute):
        node = node.value
    return node


def _is_changed(chain: cst.Name | cst.Attribute, loop: Loop, ctx: Context, immutable: bool) -> bool:
    text = ctx.code(chain).strip()
    prefixes = _prefixes(text)
    if isinstance(chain, cst.Name) and ctx.qualified(chain) is not None:
        # a module, class or function
        immutable = True
    immutable = immutable or ctx.type_of(chain) in _IMMUTABLE
    kept = ctx.steady(loop)
    repeated = _repeating(loop, ctx)
    stores = (store for prefix in prefixes for store in ctx.stores(prefix, repeated))
    if any(not isinstance(store, cst.Param) or store.name.value not in kept for store in stores):
        return True
    return not immutable and any(
        not _is_call_of(loop, node) and _mutates(node, text, prefixes, ctx)
        for node in ctx.inside(repeated, cst.Call, cst.Assign, cst.AugAssign, cst.Del, cst.Await)
    )


def _is_call_of(loop: Loop, node: cst.CSTNode) -> bool:
    """Whether the function that is repeated calls itself there: what it does is all seen."""
    if not isinstance(loop, cst.FunctionDef) or not isinstance(node, cst.Call):
        return False
    called = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
    return isinstance(called, cst.Name) and called.value == loop.name.value


def _mutates(node: cst.CSTNode, text: str, prefixes: set[str], ctx: Context) -> bool:
    match node:
        case cst.Call(func=cst.Attribute(value=owner, attr=method)) if ctx.code(owner).strip() in prefixes:
            return ctx.code(owner).strip() != text or method.value not in _READING
        case cst.Call():
            handed = {ctx.code(argument.value).strip() for argument in node.args}
            return _reaches(node, prefixes, ctx) or (not handed.isdisjoint(prefixes) and not _is_pure(node, ctx))
        case cst.Assign(targets=targets):
            return any(_is_part(target.target, text, prefixes, ctx) for target in targets)
        case cst.AugAssign(target=target) | cst.Del(target=target):
            return _is_part(target, text, prefixes, ctx)
        case cst.Await():
            # meanwhile others may change what an attribute holds
            return "." in text
    return False


def _is_part(target: cst.CSTNode, text: str, prefixes: set[str], ctx: Context) -> bool:
    code = ctx.code(target).strip()
    return code.startswith((f"{text}[", f"{text}.")) or code in prefixes


def _reaches(call: cst.Call, prefixes: set[str], ctx: Context) -> bool:
    """Whether it calls a function of this slice that has the value from around it."""
    return isinstance(call.func, cst.Name) and any(
        node.name.value == call.func.value and any(ctx.uses(name, node.body) for name in prefixes)
        for node in ctx.inside(ctx.root, cst.FunctionDef)
    )


def _is_pure(call: cst.Call, ctx: Context) -> bool:
    """Whether the call leaves its arguments as they are."""
    if isinstance(call.func, cst.Attribute) and call.func.attr.value in _LEAVING_ALONE:
        return True
    name = ctx.qualified(call.func) or ""
    module = name.partition(".")[0]
    return _PURE.fullmatch(name) is not None or (module in sys.stdlib_module_names and module not in _MUTATING)


# ------------------------------------------------------------------------------------------------
# What one turn hands on to the next


def carries(node: cst.Call | cst.Await, loop: Loop, ctx: Context) -> bool:
    """Whether a later turn depends on what the node yields in this one, by what it is given or by running at all."""
    if isinstance(loop, cst.FunctionDef | cst.Lambda):
        return False
    call = node.expression if isinstance(node, cst.Await) else node
    flows = list(_flows(loop, call, ctx))
    made = _made_from(node, flows, ctx)
    wanted = _wanted_by(call, flows, ctx)
    if isinstance(loop, cst.For | cst.CompFor):
        wanted -= {*ctx.binds(loop)}
    return not made.isdisjoint(wanted) or _decides(node, made, loop, ctx)


def _flows(loop: Loop, call: cst.CSTNode, ctx: Context) -> Iterator[tuple[set[str], cst.CSTNode]]:
    """What gets its value, or some of its content, from which expression, anywhere in the loop but by `call`."""
    for node in _repeated(loop, ctx):
        match node:
            case cst.Assign(value=value) | cst.AnnAssign(value=cst.BaseExpression() as value):
                yield {*ctx.binds(node)} | _filled(node, ctx), value
            case cst.AugAssign():
                yield {*ctx.binds(node)} | _filled(node, ctx), node.value
            case cst.NamedExpr(value=value) | cst.For(iter=value) | cst.CompFor(iter=value):
                yield {*ctx.binds(node)}, value
            case cst.WithItem(item=value, asname=cst.AsName() as name):
                yield {*ctx.binds(name)}, value
            case cst.Call(func=cst.Attribute(value=owner), args=[_, *_]) if node is not call:
                yield {ctx.code(owner).strip()} - _RECEIVERS, node
            case _:
                pass


def _filled(statement: cst.CSTNode, ctx: Context) -> set[str]:
    """The containers into whose items the statement stores."""
    return {
        ctx.code(target.value).strip()
        for target in ctx.descendants(statement)
        if isinstance(target, cst.Subscript) and isinstance(ctx.parent(target), cst.AssignTarget | cst.AugAssign)
    }


def _mentioned(expression: cst.CSTNode, ctx: Context) -> set[str]:
    found: set[str] = set()
    for chain in _chains(expression, ctx):
        found |= _prefixes(ctx.code(chain).strip())
    return found


def _prefixes(chain: str) -> set[str]:
    """`a`, `a.b` and `a.b.c` for `a.b.c`."""
    parts = chain.split(".")
    return {".".join(parts[:count]) for count in range(1, len(parts) + 1)}


def _made_from(node: cst.CSTNode, flows: Sequence[tuple[set[str], cst.CSTNode]], ctx: Context) -> set[str]:
    made: set[str] = set()
    grown = True
    while grown:
        before = len(made)
        for targets, source in flows:
            if _involves(source, node, made, ctx):
                made |= targets
        grown = len(made) > before
    return made


def _wanted_by(call: cst.CSTNode, flows: Sequence[tuple[set[str], cst.CSTNode]], ctx: Context) -> set[str]:
    given = call.args if isinstance(call, cst.Call) else [call]
    wanted: set[str] = set().union(*(_mentioned(argument, ctx) for argument in given))
    grown = True
    while grown:
        before = len(wanted)
        for targets, source in flows:
            if not targets.isdisjoint(wanted):
                wanted |= _mentioned(source, ctx)
        grown = len(wanted) > before
    return wanted


def _involves(expression: cst.CSTNode, node: cst.CSTNode, made: set[str], ctx: Context) -> bool:
    return any(part is node for part in ctx.descendants(expression)) or not made.isdisjoint(_mentioned(expression, ctx))


def _decides(node: cst.CSTNode, made: set[str], loop: Loop, ctx: Context) -> bool:
    """Whether the loop goes on or ends according to what the node yields."""
    if isinstance(loop, cst.CompFor):
        return False
    if isinstance(loop, cst.While) and _involves(loop.test, node, made, ctx):
        return True
    return any(
        _depends(jump, node, made, loop, ctx)
        for jump in ctx.descendants(loop.body)
        if isinstance(jump, cst.Return) or (isinstance(jump, cst.Break) and _is_of(jump, loop, ctx))
    )


def _depends(jump: cst.Return | cst.Break, node: cst.CSTNode, made: set[str], loop: Loop, ctx: Context) -> bool:
    if isinstance(jump, cst.Return) and jump.value is not None and _involves(jump.value, node, made, ctx):
        return True
    for parent in ctx.ancestors(jump):
        if parent is loop:
            return False
        if isinstance(parent, cst.If) and _involves(parent.test, node, made, ctx):
            return True
        if isinstance(parent, cst.Try) and any(part is node for part in ctx.descendants(parent)):
            return True
    return False
