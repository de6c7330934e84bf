"""What a loop builds by adding to it."""

from __future__ import annotations

from collections.abc import Callable
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
