"""What is known of a value by how it is made and used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor import cst

if TYPE_CHECKING:
    from auditor.rule import Context

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


def makes_default(store: cst.CSTNode, name: str, ctx: Context) -> bool:
    """Whether it binds the name only where none was given: `if seen is None: seen = []`, `seen = seen or []`."""
    if not isinstance(store, cst.Assign):
        return False
    match store.value:
        case (
            cst.BooleanOperation(left=cst.Name(value=kept), operator=cst.Or()) | cst.IfExp(orelse=cst.Name(value=kept))
        ):
            return kept == name
    line = ctx.parent(store)
    block = None if line is None else ctx.parent(line)
    around = None if block is None else ctx.parent(block)
    match around:
        case cst.If(
            test=cst.Comparison(
                left=cst.Name(value=asked),
                comparisons=[cst.ComparisonTarget(operator=cst.Is(), comparator=cst.Name(value="None"))],
            ),
            body=body,
        ):
            return asked == name and body is block
        case cst.If(test=cst.UnaryOperation(operator=cst.Not(), expression=cst.Name(value=asked)), body=body):
            return asked == name and body is block
    return False


def sought_in(test: cst.Comparison) -> cst.BaseExpression:
    """What `x in y` or `(x := ...) in y` looks for."""
    return test.left.target if isinstance(test.left, cst.NamedExpr) else test.left


def is_appended(test: cst.Comparison, around: cst.CSTNode, ctx: Context) -> bool:
    """Whether the very item that `x in y` looks for is put into `y` in the loop or function around.

    A comprehension may do so on the way: `[x for x in xs if x not in out and not out.append(x)]`.
    """
    while isinstance(around, cst.CompFor):
        around = ctx.parent(around) or ctx.root
    item, target = ctx.code(sought_in(test)).strip(), ctx.code(test.comparisons[0].comparator).strip()
    return any(ctx.code(added).strip() == item for added in ctx.appended(target, around))
