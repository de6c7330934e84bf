"""How much work a change is: the cyclomatic complexity of the function that holds a suspect, as radon counts it."""

from __future__ import annotations

import ast
import io
import tokenize
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
    """Looks complexities up in the files below `root`, each read once and each function counted once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._texts: dict[str, tuple[str, ...]] = {}
        self._functions: dict[tuple[str, int, int], tuple[_Function, ...]] = {}
        self._counted: dict[tuple[str, int], int] = {}

    def of(self, suspect: Suspect) -> tuple[int | None, Effort | None]:
        """Complexity and effort of the innermost function around the suspect.

        Both are None outside of any function, and where the file cannot be read or parsed.
        """
        around = suspect.function
        # the whole file only if the scan names no function: parsing one takes as long as scanning it
        functions = () if around is None else self._within(suspect.path, around.line, around.end_line)
        function = _innermost(functions or self._within(suspect.path, 1, 0), suspect.span)
        if function is None:
            return None, None
        key = suspect.path, function.lineno
        if key not in self._counted:
            # radon on the one function, closures not included: on a whole file it is slow.
            self._counted[key] = cc_visit_ast(function)[0].complexity
        complexity = self._counted[key]
        return complexity, _EFFORTS.get(cc_rank(complexity), Effort.HIGH)

    def _within(self, path: str, first: int, last: int) -> tuple[_Function, ...]:
        """The functions on these lines of the file; `last` is 0 for all of it."""
        key = path, first, last
        if key not in self._functions:
            if path not in self._texts:
                self._texts[path] = _lines(self._root / path)
            self._functions[key] = _functions(self._texts[path], first, last)
        return self._functions[key]


def _lines(file: Path) -> tuple[str, ...]:
    """The lines as the parser counts them, none if the file cannot be read."""
    try:
        data = file.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return tuple(io.StringIO(data.decode(encoding), newline=None))
    except (OSError, SyntaxError, ValueError, LookupError):
        return ()


def _functions(lines: tuple[str, ...], first: int, last: int) -> tuple[_Function, ...]:
    chosen = lines[first - 1 : last or None]
    # an indented function keeps its indent below a header of ours
    nested = bool(chosen) and chosen[0][:1] in " \t"
    try:
        module = ast.parse("".join(("if 1:\n", *chosen) if nested else chosen))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    ast.increment_lineno(module, first - 1 - nested)
    return tuple(node for node in ast.walk(module) if isinstance(node, _Function))


def _innermost(functions: tuple[_Function, ...], span: Span) -> _Function | None:
    around = (one for one in functions if one.lineno <= span.line and span.end_line <= (one.end_lineno or one.lineno))
    return max(around, key=lambda one: one.lineno, default=None)
