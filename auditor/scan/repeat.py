"""What loops do over their turns: which values they carry along, which they make anew, what they run many times."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING

from auditor import cst

if TYPE_CHECKING:
    from auditor.rule import Context, Loop

_NAME = re.compile(r"(?<![\w.'\"])[^\W\d]\w*(?:\.\w+)*(?!['\"])")
"""A name with its attributes, in the code of a target, outside of quotes."""
SMALL = 16
"""Turns up to which a loop makes nothing costly that was not costly already."""

_MAPS = ("dict", "collections.defaultdict", "collections.OrderedDict", "collections.Counter")
_DISTINCT = ("items", "enumerate")
_EXITS = (cst.Return, cst.Raise)
_TARGETS = (cst.Name, cst.Attribute, cst.Subscript)
_TEXTS = ("str", "bytes")


class _Met(Enum):
    """How often the turns of a loop come to the same target."""

    NEVER = auto()
    ONCE = auto()
    AGAIN = auto()


def additions(statement: cst.CSTNode, ctx: Context) -> Sequence[cst.BaseExpression]:
    """The operands by which an assignment adds to its own target, none if it does not."""
    match statement:
        case cst.AugAssign(target=target, operator=cst.AddAssign() | cst.BitOrAssign(), value=value) if isinstance(
            target, _TARGETS
        ):
            return tuple(_parts(value, ctx))
        case cst.Assign(targets=[cst.AssignTarget(target=target)], value=value) if isinstance(target, _TARGETS):
            name = ctx.code(target).strip()
            parts = tuple(_parts(value, ctx))
            return parts if any(ctx.code(part).strip() == name or _is_got(part, target, ctx) for part in parts) else ()
    return ()


def _is_got(part: cst.BaseExpression, target: cst.BaseExpression, ctx: Context) -> bool:
    """Whether it is `x.get(key, default)` where `x[key]` is assigned."""
    match part, target:
        case (
            cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="get")), args=[asked, _]),
            cst.Subscript(value=container, slice=[cst.SubscriptElement(slice=cst.Index(value=key))]),
        ):
            same = ctx.code(owner).strip() == ctx.code(container).strip()
            return same and ctx.code(asked.value).strip() == ctx.code(key).strip()
    return False


def carrier(statement: cst.CSTNode, target: str, ctx: Context) -> cst.For | cst.While | cst.FunctionDef | None:
    """The outermost loop that carries what the statement leaves in `target` from turn to turn, if one does."""
    found: cst.For | cst.While | cst.FunctionDef | None = None
    grows = False
    for loop in ctx.loops(statement):
        if isinstance(loop, cst.CompFor | cst.Lambda) or _starts_afresh(target, statement, loop, ctx):
            break
        met = _met(statement, target, loop, ctx)
        if met is _Met.NEVER:
            break
        if met is _Met.ONCE:
            continue
        if isinstance(loop, cst.FunctionDef) and not _outlives(target, loop, ctx):
            break
        if _leaves(statement, loop, ctx):
            continue
        grows = grows or not _is_short(loop, ctx)
        found = loop
    return found if grows else None


def repeating(node: cst.CSTNode, ctx: Context) -> Sequence[Loop]:
    """The loops around the node without those that run it a few times at most."""
    return [loop for loop in ctx.loops(node) if not _is_short(loop, ctx) and not _leaves(node, loop, ctx)]


def renews(loop: Loop, expression: cst.BaseExpression, ctx: Context) -> bool:
    """Whether the turns of the loop give the expression new values: they bind or empty something it is made from."""
    repeated: cst.CSTNode = loop
    if isinstance(loop, cst.CompFor):
        repeated = next(parent for parent in ctx.ancestors(loop) if isinstance(parent, cst.BaseComp))
    names = {
        ctx.code(part).strip()
        for part in ctx.descendants(expression)
        if isinstance(part, cst.Name | cst.Attribute | cst.Subscript)
    }
    names = {name for name in names if not ctx.stores(name, expression)}
    whole, kept = ctx.code(expression).strip(), ctx.steady(loop)
    stores = [(name, store) for name in names for store in ctx.stores(name, repeated)]
    stores = [(name, store) for name, store in stores if not (isinstance(store, cst.Param) and name in kept)]
    return any(name != whole or not _grows(store, ctx) for name, store in stores) or any(
        isinstance(part.func, cst.Attribute)
        and part.func.attr.value == "clear"
        and ctx.code(part.func.value).strip() in names
        for part in ctx.inside(repeated, cst.Call)
    )


def met_again(node: cst.CSTNode, value: cst.BaseExpression, ctx: Context) -> bool:
    """Whether the node runs many times on one and the same value."""
    loops = repeating(node, ctx)
    if loops and not renews(loops[0], value, ctx):
        return True
    if loops and not isinstance(loops[0], cst.FunctionDef):
        return False
    function = ctx.function(node)
    if not isinstance(function, cst.FunctionDef) or ctx.runs_once(node):
        return False
    owner = value.value if isinstance(value, cst.Attribute) else value
    text = ctx.code(value).strip()
    if not isinstance(owner, cst.Name) or ctx.stores(text, function):
        return False
    receiver = function.params.params[:1]
    return owner is value or any(parameter.name.value == owner.value for parameter in receiver)


def asked_again(
    node: cst.CSTNode, value: cst.BaseExpression, ctx: Context, given_again: Callable[[], Mapping[str, Collection[str]]]
) -> bool:
    """Whether loops call the function around the node, each time with one and the same value for the expression."""
    function = ctx.function(node)
    if not isinstance(function, cst.FunctionDef) or not ctx.runs_often(node):
        return False
    name = ctx.code(value).strip()
    stores = ctx.stores(name, function)
    if len(stores) == 1 and isinstance(stores[0], cst.Param):
        return name in given_again().get(function.name.value, ())
    return met_again(node, value, ctx)


def _grows(store: cst.CSTNode, ctx: Context) -> bool:
    return isinstance(store, cst.AugAssign) or bool(additions(store, ctx))


def _is_short(loop: Loop, ctx: Context) -> bool:
    turns = ctx.turns_of(loop)
    return turns is not None and turns <= SMALL


def _parts(value: cst.BaseExpression, ctx: Context) -> Iterator[cst.BaseExpression]:
    """The operands of a chain of `+` or `|`, the branches of a conditional, what a text or display is filled with."""
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Add | cst.BitOr):
        yield from _parts(value.left, ctx)
        yield from _parts(value.right, ctx)
    elif isinstance(value, cst.IfExp):
        yield from _parts(value.body, ctx)
        yield from _parts(value.orelse, ctx)
    else:
        yield value
        yield from _filled_with(value, ctx)


def _filled_with(value: cst.BaseExpression, ctx: Context) -> Iterator[cst.BaseExpression]:
    """What goes into `f"{s}{x}"`, `"%s%s" % (s, x)`, `"{}{}".format(s, x)`, `"".join([s, x])` and `[*s, x]`.

    So do `{**s, x: 1}`, `dict(s, x=1)` and `s.union(x)`.
    """
    match value:
        case cst.FormattedString(parts=parts):
            yield from (part.expression for part in parts if isinstance(part, cst.FormattedStringExpression))
        case cst.BinaryOperation(left=text, operator=cst.Modulo(), right=right) if ctx.type_of(text) in _TEXTS:
            yield from _entries(right)
        case cst.Call(func=cst.Attribute(value=text, attr=cst.Name(value="format")), args=arguments):
            if ctx.type_of(text) == "str":
                yield from (argument.value for argument in arguments)
        case cst.Call(func=cst.Attribute(value=text, attr=cst.Name(value="join")), args=[cst.Arg(value=joined)]):
            if ctx.type_of(text) in _TEXTS and isinstance(joined, cst.List | cst.Tuple):
                yield from _entries(joined)
        case cst.Call(func=cst.Attribute(value=container, attr=cst.Name(value="union")), args=arguments):
            yield container
            yield from (argument.value for argument in arguments)
        case cst.Call(func=cst.Name(value="dict"), args=[cst.Arg(value=container, star=""), _, *_]):
            yield container
        case (
            cst.List(elements=elements)
            | cst.Tuple(elements=elements)
            | cst.Set(elements=elements)
            | cst.Dict(elements=elements)
        ):
            starred = (cst.StarredElement, cst.StarredDictElement)
            yield from (element.value for element in elements if isinstance(element, starred))


def _entries(value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    match value:
        case cst.List(elements=elements) | cst.Tuple(elements=elements):
            yield from (element.value for element in elements)
        case cst.Dict(elements=elements):
            yield from (element.value for element in elements)
        case _:
            yield value


def _outlives(target: str, function: cst.FunctionDef, ctx: Context) -> bool:
    """Whether what runs of the function leave in the target is there for the next: it is not one of its own names."""
    name, dot, _ = target.partition(".")
    if dot:
        return name in ctx.steady(function) or not ctx.stores(name, function)
    return any(
        isinstance(node, cst.Global | cst.Nonlocal) and any(item.name.value == name for item in node.names)
        for node in ctx.descendants(function)
    )


def _met(statement: cst.CSTNode, target: str, loop: cst.For | cst.While | cst.FunctionDef, ctx: Context) -> _Met:
    """How often the turns of the loop come to the same target."""
    entry = _entry(statement)
    if entry is None:
        return _Met.NEVER if _is_of_another(target, statement, loop, ctx) else _Met.AGAIN
    container, key = entry
    text = ctx.code(container).strip()
    if _renews_any({text, *_owners(text)}, statement, loop, ctx):
        return _Met.NEVER
    names = {name for part in _NAME.findall(ctx.code(key)) for name in (part, *_owners(part))}
    if not _renews_any(names, statement, loop, ctx):
        return _Met.AGAIN
    if ctx.type_of(container) in _MAPS and not _is_new_each_time(key, loop, ctx):
        return _Met.AGAIN
    return _Met.ONCE if any(loop in ctx.stores(name, loop) for name in names) else _Met.NEVER


def _entry(statement: cst.CSTNode) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """The container and the key, if an assignment is to an entry of one."""
    match statement:
        case (
            cst.AugAssign(
                target=cst.Subscript(value=container, slice=[cst.SubscriptElement(slice=cst.Index(value=key))])
            )
            | cst.Assign(
                targets=[
                    cst.AssignTarget(
                        target=cst.Subscript(value=container, slice=[cst.SubscriptElement(slice=cst.Index(value=key))])
                    )
                ]
            )
        ):
            return container, key
    return None


def _is_new_each_time(key: cst.BaseExpression, loop: cst.For | cst.While | cst.FunctionDef, ctx: Context) -> bool:
    """Whether no two turns of the loop have the same key: its item, or the key of a dict that it goes through."""
    match key, loop:
        case cst.Name(value=name), cst.For(target=cst.Name(value=item)) if name == item:
            return True
        case cst.Name() as name, cst.For(target=cst.Tuple(elements=[first, *_]), iter=items):
            is_first = ctx.code(first.value).strip() == name.value
            return is_first and isinstance(items, cst.Call) and ctx.code(items.func).rpartition(".")[2] in _DISTINCT
    return not isinstance(loop, cst.For)


def _is_of_another(target: str, node: cst.CSTNode, loop: cst.For | cst.While | cst.FunctionDef, ctx: Context) -> bool:
    """Whether each turn has another object whose attribute or item the target is: `row.text` of each row."""
    names = set(_NAME.findall(target))
    # of `x[key]`, the object and the key
    owners = {owner for one in names for owner in _owners(one)} | names - {target}
    return _renews_any(owners, node, loop, ctx)


def _owners(name: str) -> set[str]:
    return {".".join(name.split(".")[:count]) for count in range(1, name.count(".") + 1)}


def _renews_any(names: set[str], node: cst.CSTNode, loop: cst.For | cst.While | cst.FunctionDef, ctx: Context) -> bool:
    return any(
        any(store is loop or _is_on_every_way(store, loop, ctx) for store in ctx.stores(name, loop))
        or _starts_afresh(name, node, loop, ctx)
        for name in names
    )


def _is_on_every_way(store: cst.CSTNode, loop: Loop, ctx: Context) -> bool:
    """Whether each turn of the loop runs the statement, as it stands in no other block of it."""
    line = ctx.parent(store)
    block = None if line is None else ctx.parent(line)
    return isinstance(line, cst.SimpleStatementLine) and block is not None and ctx.parent(block) is loop


def _starts_afresh(name: str, node: cst.CSTNode, loop: cst.For | cst.While | cst.FunctionDef, ctx: Context) -> bool:
    """Whether each turn of the loop gives the name a new value, whatever path it takes to `node`."""
    if loop in ctx.stores(name, loop):
        return True
    child: cst.CSTNode = node
    for parent in ctx.ancestors(node):
        if isinstance(parent, cst.IndentedBlock | cst.SimpleStatementSuite | cst.SimpleStatementLine):
            inside = parent.body
            before = inside[: [statement is child for statement in inside].index(True)]
            whole = inside if ctx.parent(parent) is loop else before
            if any(statement is not child and _sets(name, statement, ctx) for statement in whole):
                return True
        if isinstance(parent, cst.With) and _binds_item(name, parent, ctx):
            return True
        if parent is loop:
            return False
        child = parent
    return False


def _binds_item(name: str, statement: cst.With, ctx: Context) -> bool:
    return any(item.asname is not None and ctx.code(item.asname.name).strip() == name for item in statement.items)


def _sets(name: str, statement: cst.CSTNode, ctx: Context) -> bool:
    """Whether the statement always gives the name a value that does not contain its old one."""
    match statement:
        case cst.SimpleStatementLine(body=parts):
            return any(_sets(name, part, ctx) for part in parts)
        case cst.Assign(value=value) | cst.AnnAssign(value=cst.BaseExpression() as value):
            return statement in ctx.stores(name, statement) and not _mentions(name, value, ctx)
        case cst.If(body=body, orelse=cst.Else(body=orelse)):
            return _sets_or_leaves(name, body, ctx) and _sets_or_leaves(name, orelse, ctx)
        case cst.If(body=body, orelse=cst.If() as orelse):
            return _sets_or_leaves(name, body, ctx) and _sets(name, orelse, ctx)
        case cst.Try(body=body, handlers=handlers):
            return _sets_or_leaves(name, body, ctx) and all(
                _sets_or_leaves(name, handler.body, ctx) for handler in handlers
            )
        case cst.With(body=body):
            return _binds_item(name, statement, ctx) or any(_sets(name, inner, ctx) for inner in body.body)
    return False


def _sets_or_leaves(name: str, block: cst.BaseSuite, ctx: Context) -> bool:
    return _ends_with(block, (*_EXITS, cst.Break, cst.Continue)) or any(
        _sets(name, statement, ctx) for statement in block.body
    )


def _mentions(name: str, value: cst.BaseExpression, ctx: Context) -> bool:
    if "." not in name:
        return bool(ctx.uses(name, value))
    return any(isinstance(part, cst.Attribute) and ctx.code(part).strip() == name for part in ctx.descendants(value))


def _leaves(node: cst.CSTNode, loop: Loop, ctx: Context) -> bool:
    """Whether the loop ends right after `node`, so that it runs it at most once."""
    if isinstance(loop, cst.CompFor | cst.FunctionDef | cst.Lambda):
        return False
    for parent in ctx.ancestors(node):
        if parent is loop:
            return False
        if isinstance(parent, cst.IndentedBlock | cst.SimpleStatementSuite):
            innermost = next(iter(ctx.loops(parent)), None) is loop
            if _ends_with(parent, (*_EXITS, cst.Break) if innermost else _EXITS):
                return True
    return False


def _ends_with(block: cst.BaseSuite, kinds: tuple[type[cst.CSTNode], ...]) -> bool:
    last: cst.CSTNode | None = block.body[-1] if block.body else None
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    return isinstance(last, kinds)
