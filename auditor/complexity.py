"""How much work a change is: the cyclomatic complexity of the function that holds a suspect, as radon counts it."""

from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from auditor.model import Effort

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.model import Span, Suspect

_Function = ast.FunctionDef | ast.AsyncFunctionDef

# radon's ranks: A and B up to 10, C up to 20 ("moderate risk"), D and worse above.
_LOW, _MEDIUM = 10, 20


class Notes(Protocol):
    """Texts kept under names from one audit to the next."""

    def note(self, name: str) -> str | None:
        """The text of that name, None if there is none."""
        ...

    def keep_note(self, name: str, note: str) -> None:
        """Keep a text."""
        ...


class Complexities:
    """Looks complexities up in the files below `root`, each read once and each function counted once.

    With `notes`, functions counted by an earlier audit are neither parsed nor counted again.
    """

    def __init__(self, root: Path, notes: Notes | None = None) -> None:
        self._root = root
        self._notes = notes
        self._texts: dict[str, tuple[str, ...]] = {}
        self._functions: dict[tuple[str, int, int], tuple[_Function, ...]] = {}
        self._counted: dict[tuple[str, int], int] = {}

    def of(self, suspect: Suspect) -> tuple[int | None, Effort | None]:
        """Complexity and effort of the innermost function around the suspect.

        Both are None outside of any function, and where the file cannot be read or parsed.
        """
        complexity = self._noted(suspect)
        return complexity, None if complexity is None else _effort(complexity)

    def _noted(self, suspect: Suspect) -> int | None:
        if self._notes is None:
            return self._count(suspect)
        name = self._name(suspect)
        noted = self._notes.note(name)
        if noted is not None and (noted.isdecimal() or not noted):
            return int(noted) if noted else None
        complexity = self._count(suspect)
        self._notes.keep_note(name, "" if complexity is None else str(complexity))
        return complexity

    def _name(self, suspect: Suspect) -> str:
        """What a complexity is kept under: the text of the function, or file, and where in it the suspect stands."""
        first, last = (1, 0) if suspect.function is None else (suspect.function.line, suspect.function.end_line)
        place = f"{suspect.span.line - first} {suspect.span.end_line - first}\n"
        text = "".join((place, *self._lines(suspect.path)[first - 1 : last or None]))
        return f"complexity {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"

    def _count(self, suspect: Suspect) -> int | None:
        around = suspect.function
        # the whole file only if the scan names no function: parsing one takes as long as scanning it
        functions = () if around is None else self._within(suspect.path, around.line, around.end_line)
        function = _innermost(functions or self._within(suspect.path, 1, 0), suspect.span)
        if function is None:
            return None
        key = suspect.path, function.lineno
        if key not in self._counted:
            from radon.complexity import cc_visit_ast

            # radon on the one function, closures not included: on a whole file it is slow.
            self._counted[key] = cc_visit_ast(function)[0].complexity
        return self._counted[key]

    def _within(self, path: str, first: int, last: int) -> tuple[_Function, ...]:
        """The functions on these lines of the file; `last` is 0 for all of it."""
        key = path, first, last
        if key not in self._functions:
            self._functions[key] = _functions(self._lines(path), first, last)
        return self._functions[key]

    def _lines(self, path: str) -> tuple[str, ...]:
        if path not in self._texts:
            self._texts[path] = _lines(self._root / path)
        return self._texts[path]


def _effort(complexity: int) -> Effort:
    if complexity <= _LOW:
        return Effort.LOW
    return Effort.MEDIUM if complexity <= _MEDIUM else Effort.HIGH


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
    above = "\n" * (first - 1)
    if chosen and chosen[0][:1] in " \t":
        # an indented function keeps its indent below a header of ours
        above = f"{above[1:]}if 1:\n"
    try:
        module = ast.parse("".join((above, *chosen)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(_inside(module))


def _inside(module: ast.Module) -> Iterator[_Function]:
    """The functions, wherever they stand."""
    pending: list[ast.AST] = [module]
    while pending:
        node = pending.pop()
        if isinstance(node, _Function):
            yield node
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            # the body of a lambda is no list, and holds no functions
            pending += listed if isinstance(listed := getattr(node, name, None), list) else ()


def _innermost(functions: tuple[_Function, ...], span: Span) -> _Function | None:
    around = (one for one in functions if one.lineno <= span.line and span.end_line <= (one.end_lineno or one.lineno))
    return max(around, key=lambda one: one.lineno, default=None)
