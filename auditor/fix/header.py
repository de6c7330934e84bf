"""Where in a module a new import and a new constant belong."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from auditor.fix.names import Names, loaded
from auditor.model import Edit, Span
from auditor.rule import CannotFix
from auditor.scan.source import Source

_CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*$")


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant to be added above line `line`; `lead` and `trail` are the blank lines that set it off."""

    name: str
    code: str
    line: int
    lead: str = ""
    trail: str = ""


def insert_lines(source: Source, line: int, text: str) -> Edit:
    """An edit that puts whole lines above the line of that number, which may be the one after the last."""
    if line <= len(source.lines):
        return Edit(Span(line, 1, line, 1), text)
    last = source.lines[-1] if source.lines else ""
    if last.endswith("\n") or not last:
        return Edit(Span(len(source.lines) + 1, 1, len(source.lines) + 1, 1), text)
    column = len(last) + 1
    return Edit(Span(len(source.lines), column, len(source.lines), column), "\n" + text.removesuffix("\n"))


def import_edits(source: Source, modules: Collection[str]) -> list[Edit]:
    """Edits that import the modules, in the first group of imports, in order."""
    body = source.tree.body
    group = _group(source, body)
    if not group:
        text = "".join(f"import {module}\n" for module in sorted(modules))
        line, ahead, behind = _start_of_code(source, body)
        return [insert_lines(source, line, f"{ahead}{text}{behind}")]
    first = group[0].names[0].name if isinstance(group[0], ast.Import) else group[0].module or ""
    if first.split(".")[0] not in sys.stdlib_module_names:
        text = "".join(f"import {module}\n" for module in sorted(modules))
        return [insert_lines(source, _attached(source, group[0].lineno), f"{text}\n")]
    by_line: dict[int, list[str]] = {}
    for module in sorted(modules):
        plain = [node for node in group if isinstance(node, ast.Import) and node.names[0].name < module]
        line = (plain[-1].end_lineno or plain[-1].lineno) + 1 if plain else _attached(source, group[0].lineno)
        by_line.setdefault(line, []).append(f"import {module}\n")
    return [insert_lines(source, line, "".join(lines)) for line, lines in by_line.items()]


def constant(source: Source, names: Names, name: str, code: str, line: int, modules: Collection[str]) -> Constant:
    """Where a constant of that code goes that is used on the given line: below the imports, else above its user.

    `modules` will be imported besides.

    Raises:
        CannotFix: what it is made of is bound too late, or more than once.
    """
    body = source.tree.body
    wanted = loaded(ast.parse(f"({code})", mode="eval").body) - {module.split(".")[0] for module in modules}
    end = _header_length(body)
    run = end
    while run < len(body) and _is_constant(body[run]) and _close(body, run):
        run += 1
    if end and all(names.bound_before(part, run) for part in wanted) and _ends_its_line(source, body[run - 1]):
        below = (body[run - 1].end_lineno or 0) + 1
        following = body[run] if run < len(body) else None
        crowded = following is not None and _attached(source, following.lineno) == below
        return Constant(name, code, below, "" if run > end else "\n", "\n" if crowded else "")
    index = next(place for place, node in enumerate(body) if _first_line(node) <= line <= (node.end_lineno or 0))
    if not all(names.bound_before(part, index) for part in wanted):
        raise CannotFix
    first = _first_line(body[index])
    if source.lines[first - 1][:1].isspace() or (index and (body[index - 1].end_lineno or 0) >= first):
        raise CannotFix
    return Constant(name, code, _attached(source, first), trail="\n\n")


def constant_edits(source: Source, constants: Sequence[Constant]) -> list[Edit]:
    """Edits that add the constants."""
    by_line: dict[int, list[Constant]] = {}
    for one in constants:
        by_line.setdefault(one.line, []).append(one)
    return [
        insert_lines(
            source,
            line,
            group[0].lead + "".join(f"{one.name} = {one.code}\n" for one in group) + group[0].trail,
        )
        for line, group in by_line.items()
    ]


def _attached(source: Source, line: int) -> int:
    """The first of the comment lines that stand right above the line, else the line."""
    while line > 1 and source.lines[line - 2].startswith("#") and not source.lines[line - 2].startswith("#!"):
        line -= 1
    return line


def _group(source: Source, body: Sequence[ast.stmt]) -> list[ast.Import | ast.ImportFrom]:
    """The first imports that stand line by line below one another, `__future__` left aside."""
    group: list[ast.Import | ast.ImportFrom] = []
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
                continue
            above = group[-1].end_lineno if group else None
            if above is not None and statement.lineno != above + 1:
                break
            if not _ends_its_line(source, statement):
                break
            group.append(statement)
        elif group or not _is_docstring(statement):
            break
    return group


def _start_of_code(source: Source, body: Sequence[ast.stmt]) -> tuple[int, str, str]:
    """The line above which the first import goes, and the blank lines around it."""
    index = 0
    while index < len(body) and (_is_docstring(body[index]) or _is_future(body[index])):
        index += 1
    if index:
        if not _ends_its_line(source, body[index - 1]):
            raise CannotFix
        line = (body[index - 1].end_lineno or 0) + 1
        crowded = index < len(body) and _first_line(body[index]) == line
        return line, "\n", "\n" if crowded else ""
    if not body:
        raise CannotFix
    first = _first_line(body[0])
    # what stands above code without a blank line between may be about the file or about the code
    return first if _attached(source, first) == first else _attached_or_top(source, first), "", "\n\n"


def _attached_or_top(source: Source, line: int) -> int:
    above = _attached(source, line)
    if above <= 2:
        raise CannotFix
    return above


def _header_length(body: Sequence[ast.stmt]) -> int:
    """How many statements there are up to the last import at the top, docstring included; 0 without imports."""
    length = 0
    for index, statement in enumerate(body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            length = index + 1
        elif not _is_docstring(statement):
            break
    return length


def _is_constant(statement: ast.stmt) -> bool:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return _CONSTANT.match(name) is not None
    return False


def _close(body: Sequence[ast.stmt], index: int) -> bool:
    """Whether at most one blank line parts the statement from the one before."""
    return body[index].lineno - (body[index - 1].end_lineno or 0) <= 2


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _first_line(statement: ast.stmt) -> int:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return min([statement.lineno, *(decorator.lineno for decorator in statement.decorator_list)])
    return statement.lineno


def _ends_its_line(source: Source, statement: ast.stmt) -> bool:
    line = source.lines[(statement.end_lineno or 1) - 1]
    rest = line[source.column(statement.end_lineno or 1, statement.end_col_offset or 0) - 1 :].strip()
    return not rest or rest.startswith("#")
