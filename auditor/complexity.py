"""How much work a change is: the cyclomatic complexity of the function that holds a suspect, as radon counts it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from radon.complexity import cc_rank, cc_visit_ast

from auditor.model import Effort

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.model import Span, Suspect

_Function = ast.FunctionDef | ast.AsyncFunctionDef

# radon's ranks: A and B up to 10, C up to 20 ("moderate risk"), D and worse above.
_EFFORTS = {"A": Effort.LOW, "B": Effort.LOW, "C": Effort.MEDIUM}


class Complexities:
    """Looks complexities up in the files below `root`, each parsed once and each function counted once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._functions: dict[str, tuple[_Function, ...]] = {}
        self._counted: dict[tuple[str, int], int] = {}

    def of(self, suspect: Suspect) -> tuple[int | None, Effort | None]:
        """Complexity and effort of the innermost function around the suspect.

        Both are None outside of any function, and where the file cannot be read or parsed.
        """
        if suspect.path not in self._functions:
            self._functions[suspect.path] = _functions(self._root / suspect.path)
        function = _innermost(self._functions[suspect.path], suspect.span)
        if function is None:
            return None, None
        key = suspect.path, function.lineno
        if key not in self._counted:
            # radon on the one function, closures not included: on a whole file it is slow.
            self._counted[key] = cc_visit_ast(function)[0].complexity
        complexity = self._counted[key]
        return complexity, _EFFORTS.get(cc_rank(complexity), Effort.HIGH)


def _functions(file: Path) -> tuple[_Function, ...]:
    try:
        # Bytes, so that the file's own coding line holds.
        module = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _innermost(functions: tuple[_Function, ...], span: Span) -> _Function | None:
    around = (one for one in functions if one.lineno <= span.line and span.end_line <= (one.end_lineno or one.lineno))
    return max(around, key=lambda one: one.lineno, default=None)
