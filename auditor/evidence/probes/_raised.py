"""Executions that raise end where the exception leaves their statement: `STATEMENT` becomes `try: STATEMENT` and
`except: raised(); raise`, which costs nothing where none does and leaves tracebacks as they are.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_SIMPLE = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Assert, ast.Raise)
_FRAMES = (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)


def plant_raised(
    node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]
) -> dict[ast.AST, Any]:
    """Call `raised` when an exception leaves the statement of an expression that runs in the statement's own frame.

    What stands in the head of a compound statement has none that ends with it: of those, nothing is told.
    """
    statement: Any = parents.get(node)
    while isinstance(statement, (ast.expr, ast.keyword)) and not isinstance(statement, _FRAMES):
        statement = parents.get(statement)
    if not isinstance(statement, _SIMPLE):
        return {}

    def surround(made: Any) -> ast.stmt:
        told: Any = [ast.Expr(value=call("raised")), ast.Raise(exc=None, cause=None)]
        handler = ast.ExceptHandler(type=None, name=None, body=[ast.copy_location(one, statement) for one in told])
        guarded = ast.Try(body=[made], handlers=[ast.copy_location(handler, statement)], orelse=[], finalbody=[])
        return ast.copy_location(guarded, statement)

    return {statement: surround}
