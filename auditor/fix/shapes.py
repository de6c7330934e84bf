"""What fixes must know of the code around a loop before they move anything out of it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import libcst as cst

from auditor.fix.names import loaded
from auditor.rule import Addition, CannotFix, Context

_Loop = cst.For | cst.While


def statement_ahead(loop: cst.CSTNode, ctx: Context) -> cst.CSTNode:
    """The statement of a block ahead of which something is evaluated once for all turns of the loop.

    Raises:
        CannotFix: it may not be evaluated at all, or more than once.
    """
    node = loop
    for parent in (loop, *ctx.ancestors(loop)):
        above = ctx.parent(parent)
        match parent:
            case cst.Lambda() | cst.BooleanOperation() | cst.IfExp() | cst.Decorator() | cst.Param():
                raise CannotFix
            case cst.While() if parent is not loop:
                raise CannotFix
            case cst.If() if not isinstance(above, cst.IndentedBlock | cst.Module):
                # an `elif` is looked at only after the tests above it
                raise CannotFix
            case cst.BaseStatement() if isinstance(above, cst.IndentedBlock | cst.Module):
                node = parent
                break
            case _:
                pass
    if ctx.function(node) is None or ctx.function(node) is not ctx.function(loop):
        raise CannotFix
    return node


def refuse_conditions(node: cst.CSTNode, around: cst.CSTNode, code: str, ctx: Context) -> None:
    """Decline if a condition in `around` looks at a name that `code` takes, other than in the node itself.

    Raises:
        CannotFix: it does; the code could fail where the condition is there to prevent it.
    """
    names = loaded(ast.parse(f"({code})", mode="eval").body)
    own = set(ctx.descendants(node))
    for test in ctx.descendants(around):
        looked: cst.CSTNode
        match test:
            case cst.If(test=looked) | cst.IfExp(test=looked) | cst.While(test=looked) | cst.CompIf(test=looked):
                pass
            case cst.BooleanOperation() | cst.Assert():
                looked = test
            case _:
                continue
        mentioned = (part for part in ctx.descendants(looked) if isinstance(part, cst.Name) and part not in own)
        if any(part.value in names and not _is_searched(part, ctx) for part in mentioned):
            raise CannotFix


def _is_searched(name: cst.Name, ctx: Context) -> bool:
    """Whether it stands behind `in`, which needs a container there as much as what is moved does."""
    target = ctx.parent(name)
    return isinstance(target, cst.ComparisonTarget) and isinstance(target.operator, cst.In | cst.NotIn)


def returns_in(
    loop: cst.CSTNode, name: str, additions: Sequence[Addition], ctx: Context
) -> Sequence[cst.BaseExpression]:
    """Where the loop returns the name. It must be local, and the loop must do nothing else with it but add.

    Raises:
        CannotFix: it does, or code that handles an error could see what was added until then.
    """
    function = ctx.function(loop)
    if not isinstance(function, cst.FunctionDef) or not isinstance(ctx.parent(loop), cst.IndentedBlock):
        raise CannotFix
    uses = ctx.uses(name, function)
    if any(ctx.function(use) is not function for use in uses) or _is_declared(name, function, ctx):
        raise CannotFix
    if any(isinstance(parent, cst.Try | cst.TryStar) for parent in _within(loop, function, ctx)):
        raise CannotFix
    adding = {part for addition in additions for part in ctx.descendants(addition.statement)}
    returns: list[cst.BaseExpression] = []
    for use in ctx.uses(name, loop):
        if use in adding:
            continue
        if not isinstance(ctx.parent(use), cst.Return):
            raise CannotFix
        returns.append(use)
    return returns


def empty_start(name: str, loop: cst.CSTNode, ctx: Context) -> cst.Assign | None:
    """The statement right above the loop that binds the name to nothing: `''`, `b''`, `()`."""
    block = ctx.parent(loop)
    assert isinstance(block, cst.IndentedBlock)
    index = next(place for place, statement in enumerate(block.body) if statement is loop)
    match block.body[index - 1] if index else None:
        case cst.SimpleStatementLine(body=[cst.Assign(targets=[cst.AssignTarget(target=target)]) as start]):
            empty = ctx.code(start.value).strip() in ("''", '""', "b''", 'b""', "()")
            if empty and isinstance(target, cst.Name) and target.value == name:
                return start
    return None


def never_ends(loop: cst.CSTNode, ctx: Context) -> bool:
    """Whether what stands below the loop is never reached."""
    if not isinstance(loop, cst.While) or ctx.code(loop.test).strip() not in ("True", "1"):
        return False
    breaks = (part for part in ctx.descendants(loop.body) if isinstance(part, cst.Break))
    return not any(next(parent for parent in ctx.ancestors(one) if isinstance(parent, _Loop)) is loop for one in breaks)


def _within(node: cst.CSTNode, function: cst.FunctionDef, ctx: Context) -> Sequence[cst.CSTNode]:
    found = []
    for parent in ctx.ancestors(node):
        if parent is function:
            break
        found.append(parent)
    return found


def _is_declared(name: str, function: cst.FunctionDef, ctx: Context) -> bool:
    return any(
        item.name.value == name
        for part in ctx.descendants(function)
        if isinstance(part, cst.Global | cst.Nonlocal)
        for item in part.names
    )
