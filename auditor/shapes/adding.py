"""What a loop builds by adding to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor import cst
from auditor.rule import CannotFix

if TYPE_CHECKING:
    from auditor.rule import Context, Edits

Concat = cst.AugAssign | cst.Assign


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


_FED = ("feed", "data_received", "handle_data", "characters", "dataReceived", "on_data", "on_message", "write", "emit")
"""Methods that are called for each part of a stream, by the names that parsers and event loops know."""


def added_at_each_call(node: Concat, ctx: Context) -> tuple[str, str, tuple[Concat, ...]] | None:
    """What each call of a function that loops or streams call adds to, and does not start afresh.

    Its dotted name, the name of the function, and all statements of it that add, of which `node` is the first.
    """
    function, target = ctx.function(node), concat_target(node)
    name = ctx.code(target).strip()
    if not isinstance(function, cst.FunctionDef) or not _is_of_outside(target, function, ctx):
        return None
    if not (ctx.runs_often(node) or function.name.value in _FED):
        return None
    stores = ctx.stores(name, function)
    # what the function starts afresh grows by what it adds itself
    statements = tuple(store for store in stores if isinstance(store, Concat) and ctx.additions(store))
    if stores[:1] != [node] or len(statements) != len(stores):
        return None
    return name, function.name.value, statements


def _is_of_outside(target: cst.BaseExpression, function: cst.FunctionDef, ctx: Context) -> bool:
    """Whether it is an attribute of the method's object, or a name that the function declares as another's."""
    match target:
        case cst.Attribute(value=cst.Name(value=owner)):
            return [parameter.name.value for parameter in function.params.params[:1]] == [owner]
        case cst.Name(value=name):
            declared: Sequence[cst.Global | cst.Nonlocal] = ctx.inside(function, cst.Global, cst.Nonlocal)
            return any(item.name.value == name for node in declared for item in node.names)
    return False


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


def _carrying_loop(
    node: cst.CSTNode, ctx: Context, adds: Callable[[Concat], bool]
) -> cst.For | cst.While | cst.FunctionDef | None:
    if not isinstance(node, Concat) or not adds(node):
        return None
    return ctx.carrier(node, ctx.code(concat_target(node)).strip())
