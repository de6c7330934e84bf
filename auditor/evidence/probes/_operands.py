"""Planting around what a call is given: `X.f(A, k=B)` becomes `fin(receiver(X).f(operand(A), k=last(B)))`.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_READERS = (
    "open",
    "read_text",
    "read_bytes",
    "listdir",
    "scandir",
    "iterdir",
    "glob",
    "rglob",
    "walk",
    "stat",
    "loadtxt",
)
"""Functions that read the file they are given by name."""


def plant(
    node: ast.AST,
    parents: Mapping[ast.AST, ast.AST],
    call: Callable[..., ast.expr],
    is_timed: Callable[[ast.expr], bool],
) -> dict[ast.AST, Any]:
    """`X.f(A, k=B)` becomes `fin(receiver(X).f(operand(A), k=last(B)))`; `is_timed` tells which loops have a probe."""
    assert isinstance(node, ast.Call)
    around = parents.get(node)

    def wrap(made: Any) -> Any:
        _wrap(node, call)
        return made

    if around is not None and isinstance(around, ast.Await):
        return {node: wrap, around: lambda made: call("fin_awaited", made)}
    if isinstance(around, ast.withitem) and isinstance(parents.get(around), ast.AsyncWith):
        return {node: wrap, parents[around]: lambda made: _ends_in_body(made, around.optional_vars, call)}
    if around is not None and _is_looped(node, parents):
        return {node: wrap, around: _looped(call)}
    read = _loops_over(node, parents)

    def finish(made: Any) -> Any:
        # changes are made when all sites are known
        return call("fin" if all(is_timed(each) for each in read) else "fin_opened", wrap(made))

    return {node: finish}


def _looped(call: Callable[..., ast.expr]) -> Callable[[Any], Any]:
    def change(loop: Any) -> Any:
        # around all that is planted at the call, which is to see what it returned
        loop.iter = call("fin_looped", loop.iter)
        return loop

    return change


def _is_looped(node: ast.Call, parents: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether a loop that begins on the call's line takes the items: where a sampler sees them being made, too."""
    loop: Any = parents.get(node)
    if isinstance(loop, ast.For):
        begins: Any = loop
    elif isinstance(loop, ast.comprehension) and not loop.is_async:
        begins = parents[loop]
    else:
        return False
    return loop.iter is node and bool(begins.lineno == node.lineno)


def _ends_in_body(statement: Any, named: Any, call: Callable[..., ast.expr]) -> Any:
    entered = ast.Name(id=named.id, ctx=ast.Load()) if isinstance(named, ast.Name) else ast.Constant(value=None)
    ended = ast.Expr(value=call("fin_awaited", entered))
    statement.body.insert(0, ast.copy_location(ended, statement.body[0]))
    return statement


def _loops_over(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> list[ast.expr]:
    """Where a loop goes over the name that what the call returns gets: if it is a file, the loop reads it."""
    around: Any = parents.get(node)
    scope: Any = parents.get(around) if around is not None else None
    named = getattr(around, "optional_vars", None) or next(iter(getattr(around, "targets", ())), None)
    if not isinstance(around, (ast.withitem, ast.Assign)) or not isinstance(named, ast.Name):
        return []
    taken = [each.iter for each in ast.walk(scope) if isinstance(each, (ast.For, ast.comprehension))]
    return [each for each in taken if getattr(each, "id", None) == named.id]


def _wrap(node: ast.Call, call: Callable[..., ast.expr]) -> None:
    func: Any = node.func
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    reads = ast.Constant(value=name in _READERS or name.startswith("read_"))
    slots: list[Any] = [argument if isinstance(argument, ast.Starred) else None for argument in node.args]
    for index, starred in enumerate(slots):
        role = "last" if index == len(slots) - 1 and not node.keywords else "operand"
        if starred is not None:
            starred.value = call(role, starred.value, reads)
        else:
            node.args[index] = call(role, node.args[index], reads)
    for index, keyword in enumerate(node.keywords):
        keyword.value = call("last" if index == len(node.keywords) - 1 else "operand", keyword.value, reads)
    alone = not (node.args or node.keywords)
    if isinstance(func, ast.Attribute):
        func.value = call("alone" if alone else "receiver", func.value, reads)
    else:
        node.func = call("alone_function" if alone else "function", func)
