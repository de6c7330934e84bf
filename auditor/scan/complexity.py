"""How much work a change is: the cyclomatic complexity of the function that holds a suspect, as radon counts it."""

from __future__ import annotations

import ast

from auditor.model import Suspect
from auditor.scan.facts import Function
from auditor.scan.syntax import Flat


class Complexities:
    """Looks complexities up in one module, each function counted once."""

    def __init__(self, flat: Flat) -> None:
        self._flat = flat
        self._counted: dict[Function, int | None] = {}

    def around(self, suspect: Suspect) -> int | None:
        """That of the innermost function around the suspect, None outside of any and where nesting is too deep."""
        known = suspect.function
        found: Function | None = None
        for index in self._flat.of(ast.FunctionDef, ast.AsyncFunctionDef):
            function: Function = self._flat.nodes[index]
            last = function.end_lineno or function.lineno
            if known is not None and not (known.line <= function.lineno and last <= known.end_line):
                continue
            if not (function.lineno <= suspect.span.line and suspect.span.end_line <= last):
                continue
            if found is None or function.lineno > found.lineno:
                found = function
        return None if found is None else self._count(found)

    def _count(self, function: Function) -> int | None:
        if function not in self._counted:
            from radon.complexity import cc_visit_ast

            try:
                # radon on the one function, closures not included: on a whole file it is slow
                self._counted[function] = int(cc_visit_ast(function)[0].complexity)
            except RecursionError:
                self._counted[function] = None
        return self._counted[function]
