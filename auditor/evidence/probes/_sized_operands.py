"""Planting `sized-call`: each operand of a call, subscript, deletion or comprehension passes through a role.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import ast
import os
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from auditor.evidence.probes import _raised
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_raised", os.path.join(os.path.dirname(__file__), "_raised.py"))
    _raised = module_from_spec(_spec)
    _spec.loader.exec_module(_raised)

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)
NODES = (ast.Call, ast.Subscript, ast.Delete, ast.Assign, *COMPREHENSIONS)
SCAN = "scan"
JOIN = "join"
_TEXT = "string"
"""The name by which functions of `re` take the text."""
_CONSUMING = ("any", "all", "next", "sum", "min", "max")
"""Functions that are called with a comprehension for what it does: filling it belongs to the operation."""
_SCANNING = ("any", "next")
"""Functions that go through a comprehension to find one item, for which a dict has a look-up."""
_JOINING = ("sum", "reduce")
"""Functions that are called with parts and what to add them to: each part is added to a copy of those before."""


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Any) -> dict[ast.AST, Any] | str:
    """`X.f(A, B)` becomes `X.f(A, B) if skip() else fin(receiver(X, "f").f(operand(A), last(B)))`.

    What is too long to stand there twice is never skipped.
    """
    if isinstance(node, ast.Subscript):
        return _plant_subscript(node, call)
    if isinstance(node, ast.Delete):
        return _plant_deletion(node, call)
    if isinstance(node, ast.Assign):
        return _plant_assignment(node, call)
    if isinstance(node, COMPREHENSIONS):
        return _plant_comprehension(node, node, call)
    assert isinstance(node, ast.Call)
    name = getattr(node.func, "id", "")
    if name in _CONSUMING and len(node.args) == 1 and not node.keywords and isinstance(node.args[0], COMPREHENSIONS):
        return _plant_comprehension(node, node.args[0], call, name)

    def measured(made: Any) -> Any:
        _wrap_operands(made, call)
        return call("fin", made)

    return {node: _skipping(measured, call), **_raised.plant_raised(node, parents, call)}


def _skipping(measured: Callable[[Any], Any], call: Any) -> Callable[[Any], Any]:
    return lambda made: call.unless_skipped(made, measured) or measured(made)


def _plant_comprehension(
    node: ast.AST, made_in: Any, call: Callable[..., ast.expr], consumer: str = "next"
) -> dict[ast.AST, Any]:
    """`[... for x in ITEMS ...][0]` becomes `fin([... for x in alone(ITEMS) ...][0])`: filling is what takes time."""

    def change(made: Any) -> ast.expr:
        loop = made_in.generators[0]
        loop.iter = call("alone", loop.iter, ast.Constant(value=SCAN if consumer in _SCANNING else ""))
        return call("fin", made)

    return {node: change}


def _wrap_operands(node: ast.Call, call: Callable[..., ast.expr]) -> None:
    """Each operand passes through a function that returns it; `last` is evaluated last of all."""
    func: Any = node.func
    lazy: list[Any] = [each for each in node.args if isinstance(each, ast.GeneratorExp) or _is_filter(each)]
    scans = getattr(func, "id", "") in _SCANNING and bool(lazy)
    for argument in lazy:
        # all that it will go through is evaluated at once
        if isinstance(argument, ast.GeneratorExp):
            argument.generators[0].iter = call("operand", argument.generators[0].iter)
        else:
            argument.args[1] = call("operand", argument.args[1])
    spread = any(keyword.arg is None for keyword in node.keywords) or any(
        isinstance(argument, ast.Starred) for argument in node.args
    )
    rest = len(node.args) - (0 if node.keywords or spread else 1)
    for index, argument in enumerate(node.args[:rest]):
        if not isinstance(argument, ast.Starred):
            node.args[index] = call("operand", argument)
    if isinstance(func, ast.Attribute):
        # without arguments, the receiver is the last operand, and the look-up of a method is all that comes after it
        alone = not (node.args or node.keywords)
        method = ast.Constant(value=JOIN if func.attr == "reduce" else func.attr)
        func.value = call("alone" if alone else "receiver", func.value, method)
    else:
        joins = getattr(func, "id", "") in _JOINING and len(node.args) + len(node.keywords) > 1
        named = ast.Constant(value=SCAN if scans else JOIN if joins else "")
        node.func = call("function", func, named) if node.args or node.keywords else call("keyword", func)
    if spread:
        # what is spread is not one operand, so the clock starts in an empty one put behind it
        node.keywords.append(ast.keyword(arg=None, value=call("nothing")))
    elif node.keywords:
        for keyword in node.keywords:
            if keyword.arg == _TEXT:
                keyword.value = call("text", keyword.value)
        node.keywords[-1].value = call("keyword", node.keywords[-1].value)
    elif node.args:
        # what a sum starts with says nothing of what is summed up
        is_start = getattr(func, "id", "") == "sum" and len(node.args) > 1
        node.args[-1] = call("keyword" if is_start else "last", node.args[-1])


def _is_filter(value: ast.expr) -> bool:
    """Whether it is `filter(test, items)`, whose work is done by what takes its items."""
    return isinstance(value, ast.Call) and getattr(value.func, "id", "") == "filter" and len(value.args) == 2


def _plant_subscript(node: ast.Subscript, call: Any) -> dict[ast.AST, Any] | str:
    """`X[A:B]` becomes `X[A:B] if skip() else fin(receiver(X)[A:keyword(B)])`."""
    if not isinstance(node.ctx, ast.Load):
        return "a subscript that is assigned to or deleted cannot be timed"
    if isinstance(node.value, COMPREHENSIONS):
        return _plant_comprehension(node, node.value, call)

    def measured(made: Any) -> Any:
        index: Any = made.slice
        if isinstance(index, getattr(ast, "Index", ())) and hasattr(index, "value"):
            index = index.value  # Python 3.8
        if isinstance(index, ast.Slice):
            name = next((name for name in ("step", "upper", "lower") if getattr(index, name)), "")
            owner: Any = index
        elif isinstance(index, ast.expr) and not any(
            isinstance(part, ast.Slice) for part in ast.iter_child_nodes(index)
        ):
            owner, name = (made, "slice") if index is made.slice else (made.slice, "value")
        else:
            owner, name = made, ""
        made.value = call("receiver" if name else "alone", made.value, ast.Constant(value=""))
        if name:
            setattr(owner, name, call("keyword", getattr(owner, name)))
        return call("fin", made)

    return {node: _skipping(measured, call)}


def _plant_deletion(node: ast.Delete, call: Callable[..., ast.expr]) -> dict[ast.AST, Any] | str:
    """`del X[A]` becomes `del receiver(X, "pop")[keyword(A)]; fin(None)`."""
    if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Subscript):
        return "only the deletion of one item can be timed"

    def change(statement: Any) -> list[ast.stmt]:
        _mark_item(statement.targets[0], "pop", call)
        return [statement, _finished(statement, call)]

    return {node: change}


def _plant_assignment(node: ast.Assign, call: Callable[..., ast.expr]) -> dict[ast.AST, Any] | str:
    """`X[:A] = V` becomes `receiver(X, "insert")[:keyword(A)] = V; fin(None)`, and X in `a, *b = X` `alone(X, "")`."""
    target = node.targets[0]
    if len(node.targets) != 1 or not isinstance(target, (ast.Subscript, ast.Tuple, ast.List)):
        return "only an assignment to a stretch of a list, and one that unpacks, can be timed"

    def change(statement: Any) -> list[ast.stmt]:
        if isinstance(target, ast.Subscript):
            _mark_item(statement.targets[0], "insert", call)
        else:
            statement.value = call("alone", statement.value, ast.Constant(value=""))
        return [statement, _finished(statement, call)]

    return {node: change}


def _mark_item(target: Any, method: str, call: Callable[..., ast.expr]) -> None:
    """The clock starts in the last part of the index; what is done to the list is what that method does."""
    target.value = call("receiver", target.value, ast.Constant(value=method))
    owner, name = target, "slice"
    if isinstance(target.slice, ast.Slice):
        owner, name = target.slice, "upper" if target.slice.upper is not None else "lower"
        if getattr(owner, name) is None:
            setattr(owner, name, ast.Constant(value=None))
    elif isinstance(target.slice, getattr(ast, "Index", ())) and hasattr(target.slice, "value"):
        owner, name = target.slice, "value"  # Python 3.8
    setattr(owner, name, call("keyword", getattr(owner, name)))


def _finished(statement: ast.stmt, call: Callable[..., ast.expr]) -> ast.stmt:
    return ast.copy_location(ast.Expr(value=call("fin", ast.Constant(value=None))), statement)
