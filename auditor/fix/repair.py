"""One fix as it is put together by a rule (`auditor.rule.Edits`), and several of them as edits of a file."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import libcst as cst
from libcst._nodes.internal import CodegenState

from auditor.fix import shapes
from auditor.fix.header import Constant, constant, constant_edits, import_edits, insert_lines
from auditor.fix.names import Names
from auditor.fix.text import overlap
from auditor.model import Edit, Span, Suspect
from auditor.rule import Addition, CannotFix, Safety
from auditor.scan.engine import Found
from auditor.scan.source import Source


@dataclass(frozen=True, slots=True)
class Repair:
    """A fix of one suspect: edits of its own, modules to import and constants to add."""

    suspect: Suspect
    safe: bool
    edits: tuple[Edit, ...]
    modules: frozenset[str] = frozenset()
    constants: tuple[Constant, ...] = ()

    def clashes(self, other: Repair) -> bool:
        """Whether both cannot be made at once."""
        if any(overlap(one.span, two.span) and one != two for one in self.edits for two in other.edits):
            return True
        return any(one.name == two.name and one != two for one in self.constants for two in other.constants)


def combined(source: Source, repairs: Iterable[Repair]) -> tuple[Edit, ...]:
    """All edits of repairs of which none clashes with another, in source order.

    Raises:
        CannotFix: the module has no place for an import.
    """
    edits: dict[Edit, None] = {}
    modules: set[str] = set()
    constants: dict[str, Constant] = {}
    for repair in repairs:
        # fixes of one thing in two places have edits in common
        edits.update(dict.fromkeys(repair.edits))
        modules |= repair.modules
        constants.update((one.name, one) for one in repair.constants)
    ahead = constant_edits(source, list(constants.values()))
    if modules:
        # an import stands above a constant that goes to the same place
        ahead = _merged([*import_edits(source, modules), *ahead])
    return tuple(sorted([*ahead, *edits], key=lambda edit: edit.span))


def _merged(edits: Sequence[Edit]) -> list[Edit]:
    by_span: dict[Span, Edit] = {}
    for edit in edits:
        known = by_span.get(edit.span)
        by_span[edit.span] = edit if known is None else replace(known, text=known.text + edit.text)
    return list(by_span.values())


class Draft:
    """A fix while its rule puts it together. `taken` holds names that other fixes have claimed, and their code."""

    def __init__(self, source: Source, names: Names, found: Found, taken: dict[str, str]) -> None:
        self._source = source
        self._names = names
        self._found = found
        self._taken = taken
        self._edits: list[Edit] = []
        self._modules: set[str] = set()
        self._constants: list[Constant] = []

    def repair(self, suspect: Suspect, safety: Safety) -> Repair | None:
        """What was put together, None if it changes nothing or overlaps itself."""
        edits = sorted(self._edits, key=lambda edit: edit.span)
        if not edits or any(overlap(one.span, two.span) for one, two in itertools.pairwise(edits)):
            return None
        modules, constants = frozenset(self._modules), tuple(self._constants)
        return Repair(suspect, safety is Safety.SAFE, tuple(edits), modules, constants)

    def replace(self, node: cst.CSTNode, code: str | cst.CSTNode) -> None:
        """Put `code` where the node stands."""
        if isinstance(code, cst.CSTNode):
            if isinstance(code, cst.BaseExpression):
                code = code.with_changes(lpar=(), rpar=())
            code = self.code(code)
        self._edits.append(Edit(self._found.piece.span(node), code))

    def code(self, node: cst.CSTNode) -> str:
        """Source text of the node, as indented as its block is."""
        module = self._found.piece.module
        state = CodegenState(default_indent=module.default_indent, default_newline=module.default_newline)
        state.increase_indent(self._margin(node))
        node._codegen(state)
        return "".join(state.tokens)

    def _margin(self, made: cst.CSTNode) -> str:
        """The indentation of the statement that the node stands in; for one that was made up, of the flagged one."""
        node = self._found.node if self._found.context.parent(made) is None else made
        for around in (node, *self._found.context.ancestors(node)):
            if isinstance(around, cst.BaseStatement):
                line = self._source.lines[self._found.piece.span(around).line - 1]
                return line[: len(line) - len(line.lstrip())]
        return ""

    def drop(self, statement: cst.CSTNode) -> None:
        """Remove the lines of a statement that has them for itself."""
        span = self._lines_of(statement)
        if span.end_line == len(self._source.lines):
            raise CannotFix
        self._edits.append(Edit(Span(span.line, 1, span.end_line + 1, 1), ""))

    def before(self, statement: cst.CSTNode, code: str) -> None:
        """Put lines above the statement and its comments."""
        span = self._begins_line(statement)
        indent = self._source.lines[span.line - 1][: span.column - 1]
        line = span.line
        while line > 1 and self._source.lines[line - 2].startswith(f"{indent}#"):
            line -= 1
        self._edits.append(insert_lines(self._source, line, _indented(code, indent)))

    def after(self, statement: cst.CSTNode, code: str) -> None:
        """Put lines below the statement."""
        span = self._lines_of(statement)
        indent = self._source.lines[span.line - 1][: span.column - 1]
        self._edits.append(insert_lines(self._source, span.end_line + 1, _indented(code, indent)))

    def builtin(self, name: str) -> str:
        """The name of a builtin that nothing in the file hides."""
        if self._names.bound[name] or self._names.has_star:
            raise CannotFix
        return name

    def imported(self, name: str) -> str:
        """How to write the qualified name here."""
        known = self._names.imported_as(name)
        if known is not None:
            return known
        module = name.rpartition(".")[0]
        if module.split(".")[0] in self._names.used:
            raise CannotFix
        self._modules.add(module)
        return name

    def free(self, hint: str) -> str:
        """A name like `hint` that the file does not use."""
        return self._claimed(hint, "")

    def constant(self, hint: str, code: str) -> str:
        """The name of a new constant of the module."""
        code = _dedented(code, self._margin(self._found.node))
        alike = [name for name, known in self._taken.items() if known == code and name.startswith(hint)]
        if alike:
            name = alike[0]
        elif self._is_there(hint, code):
            return hint
        else:
            name = self._claimed(hint, code)
        line = self._found.suspect.span.line
        self._constants.append(constant(self._source, self._names, name, code, line, self._modules))
        return name

    def _claimed(self, hint: str, code: str) -> str:
        name = self._names.free(hint, self._taken)
        self._taken[name] = code
        return name

    def _is_there(self, name: str, code: str) -> bool:
        """Whether the module binds the name once, to the same code, above the place of the fix."""
        wanted = ast.dump(ast.parse(f"({code})", mode="eval").body)
        for index, statement in enumerate(self._names.tree.body):
            match statement:
                case ast.Assign(targets=[ast.Name(id=bound)], value=value) if bound == name:
                    same = ast.dump(value) == wanted and statement.lineno < self._found.suspect.span.line
                    return same and self._names.bound[name] == 1 and self._names.bound_before(name, index + 1)
        return False

    def enclose(self, first: cst.CSTNode, last: cst.CSTNode, header: str) -> None:
        """Put statements below a header."""
        span = self._begins_line(first)
        indent = self._source.lines[span.line - 1][: span.column - 1]
        self._indent(first, last, f"{indent}{header}\n")

    def indent(self, first: cst.CSTNode, last: cst.CSTNode) -> None:
        """Push statements one level to the right."""
        self._indent(first, last, "")

    def _indent(self, first: cst.CSTNode, last: cst.CSTNode, header: str) -> None:
        start, end = self._begins_line(first).line, self._lines_of(last).end_line
        while not header and start > 1 and self._source.lines[start - 2].lstrip().startswith("#"):
            # comments above the first statement go with it
            start -= 1
        for node in self._found.context.descendants(self._found.context.root):
            if isinstance(node, cst.SimpleString | cst.FormattedString):
                span = self._found.piece.span(node)
                # the text of a string is no indentation
                if start <= span.line <= end and span.line != span.end_line:
                    raise CannotFix
        unit = self._found.piece.module.default_indent
        for line in range(start, end + 1):
            if self._source.lines[line - 1].strip():
                self._edits.append(Edit(Span(line, 1, line, 1), (header if line == start else "") + unit))

    def hoist(self, node: cst.BaseExpression, loop: cst.CSTNode, hint: str, code: str) -> str:
        """A new local name, bound to `code` ahead of the loop."""
        statement = shapes.statement_ahead(loop, self._found.context)
        shapes.refuse_conditions(node, statement, code, self._found.context)
        # what is moved to the same place twice is moved once
        place = f"{self._found.piece.span(statement).line}: {code}"
        alike = [name for name, known in self._taken.items() if known == place]
        name = alike[0] if alike else self._claimed(hint, place)
        self.before(statement, f"{name} = {code}")
        return name

    def gather(self, name: str, loop: cst.CSTNode, additions: Sequence[Addition], start: str, end: str) -> None:
        """Collect in a list what a loop adds to a local name."""
        context = self._found.context
        returns = shapes.returns_in(loop, name, additions, context)
        parts = self.free(f"{name}_parts")
        above = shapes.empty_start(name, loop, context)
        if above is not None:
            self.replace(above, f"{parts} = []")
        else:
            self.before(loop, f"{parts} = {start.format(name)}")
        for addition in additions:
            self.replace(addition.statement, f"{parts}.{addition.code}")
        for value in returns:
            self.replace(value, end.format(parts))
        if not shapes.never_ends(loop, context):
            self.after(loop, f"{name} = {end.format(parts)}")

    def _begins_line(self, statement: cst.CSTNode) -> Span:
        span = self._found.piece.span(statement)
        if self._source.lines[span.line - 1][: span.column - 1].strip():
            raise CannotFix
        return span

    def _lines_of(self, statement: cst.CSTNode) -> Span:
        span = self._begins_line(statement)
        rest = self._source.lines[span.end_line - 1][span.end_column - 1 :].strip()
        if rest and not rest.startswith("#"):
            raise CannotFix
        return span


def _indented(code: str, indent: str) -> str:
    return "".join(f"{indent}{line}\n" if line else "\n" for line in code.removesuffix("\n").split("\n"))


def _dedented(code: str, margin: str) -> str:
    """The code with the margin taken off its further lines, unless one has less, or they may belong to a string."""
    first, *rest = code.split("\n")
    if any(quotes in code for quotes in ("'''", '"""', "\\\n")):
        return code
    if any(line.strip() and not line.startswith(margin) for line in rest):
        return code
    return "\n".join([first, *(line.removeprefix(margin) for line in rest)])
