"""A test that picks out one item, or those of one kind, by something that the item has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.rule import Context

SAME = (cst.Equal, cst.Is)


def looks_up(test: cst.BaseExpression, names: set[str], ctx: Context) -> bool:
    """Whether the test asks for equality of something of the item with something that is not constant."""
    return any(compares_key(part, names, ctx) for part in conjuncts(test))


def conjuncts(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The conditions that `and` joins."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        yield from conjuncts(test.left)
        yield from conjuncts(test.right)
    else:
        yield test


def compares_key(
    test: cst.BaseExpression, names: set[str], ctx: Context, operators: tuple[type[cst.BaseCompOp], ...] = SAME
) -> bool:
    """Whether the test compares a part of the item, which has one of the names, with something that is not constant."""
    match test:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=right)]):
            return isinstance(operator, operators) and any(
                _is_key(one, names, ctx) and not _mentions(other, names, ctx) and not ctx.is_fixed(other)
                for one, other in ((left, right), (right, left))
            )
    return False


def _is_key(value: cst.BaseExpression, names: set[str], ctx: Context) -> bool:
    """Whether the value is a part of the item: `x`, `x.id`, `x["id"]`, `x.id.lower()`, `key(x)`."""
    return not isinstance(value, cst.BinaryOperation) and _mentions(value, names, ctx)


def _mentions(value: cst.BaseExpression, names: set[str], ctx: Context) -> bool:
    return any(ctx.uses(name, value) for name in names)
