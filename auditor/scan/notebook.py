"""Jupyter notebooks as source text: their code cells one below the other, and the way back to cell and line.

Nothing is executed. What is not Python (magics, shell commands, help) is masked without moving a line; a cell that is
written in something else, as `%%bash` says, is left out.
"""

from __future__ import annotations

import ast
import bisect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SUFFIX = ".ipynb"

_PYTHON_CELLS = frozenset(("capture", "debug", "prun", "python", "python3", "time", "timeit"))
"""Cell magics whose cell is Python all the same."""
_CELL_MAGIC = re.compile(r"%%(\w+)")
_COMMAND = re.compile(r"(\s*)(?:[!%?]|[,;/]\w)")
_ASSIGNED = re.compile(r"(\s*[\w.,\s\[\]'\"]+=\s*)[!%]")
_HELP = re.compile(r"(\s*)[\w.*%]+\?{1,2}\s*$")
_ONE_BY_ONE = 30


class NotebookError(Exception):
    """The file is no notebook of Python; the message says why."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell: its place among all cells of the notebook, from 1, and its first line in the joined text."""

    number: int
    first: int


@dataclass(frozen=True, slots=True)
class Notebook:
    """The joined text, the cells in it, and why others were left out."""

    text: str
    cells: tuple[Cell, ...]
    left_out: tuple[str, ...]


def read_notebook(data: bytes) -> Notebook:
    """The Python in a notebook of format 4.

    Raises:
        NotebookError: the file is damaged, of another format, or in another language.
    """
    pieces: list[str] = []
    cells: list[Cell] = []
    left_out: list[str] = []
    first = 1
    for number, lines in code_cells(data):
        try:
            python = _python(list(lines))
        except SyntaxError as error:
            left_out.append(f"cell {number} left out: syntax error at line {error.lineno}: {error.msg}")
            continue
        except (RecursionError, MemoryError, ValueError) as error:
            left_out.append(f"cell {number} left out: it cannot be parsed: {error or type(error).__name__}")
            continue
        cells.append(Cell(number, first))
        pieces += python
        first += len(python)
    return Notebook("\n".join((*pieces, "")), tuple(cells), tuple(left_out))


def code_cells(data: bytes) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Number and lines, as the author wrote them, of every code cell.

    Raises:
        NotebookError: as `read_notebook`.
    """
    try:
        document = json.loads(data)
    except RecursionError as error:
        raise NotebookError("a damaged notebook: nested too deeply") from error
    except ValueError as error:
        raise NotebookError(f"a damaged notebook: {error}") from error
    if isinstance(document, dict) and "worksheets" in document:
        raise NotebookError("a notebook of an old format; convert it with `jupyter nbconvert --to notebook`")
    if not isinstance(document, dict) or not isinstance(document.get("cells"), list):
        raise NotebookError("a damaged notebook: it has no list of cells")
    language = _language(document.get("metadata"))
    if language not in ("", "python", "ipython"):
        raise NotebookError(f"a notebook in {language}, not in Python")
    for number, cell in enumerate(document["cells"], 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        text = "".join(source) if isinstance(source, list) and all(isinstance(one, str) for one in source) else source
        if not isinstance(text, str):
            raise NotebookError(f"a damaged notebook: the source of cell {number} is no text")
        yield number, tuple(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def place(cells: tuple[Cell, ...], line: int) -> tuple[int, int]:
    """Number of the cell, and line in it, of a line of the joined text."""
    cell = cells[bisect.bisect_right(cells, line, key=lambda one: one.first) - 1]
    return cell.number, line - cell.first + 1


def _language(metadata: Any) -> str:
    if isinstance(metadata, dict):
        for part, key in (("language_info", "name"), ("kernelspec", "language")):
            described = metadata.get(part)
            if isinstance(described, dict) and isinstance(described.get(key), str):
                return str(described[key]).lower()
    return ""


def _python(lines: list[str]) -> list[str]:
    """The lines with all that is not Python masked; none of a cell in another language.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: what remains cannot be parsed.
    """
    start = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if magic := _CELL_MAGIC.match(lines[start]):
        if magic.group(1) not in _PYTHON_CELLS:
            return []
        lines[start] = ""
    # only what Python refuses is masked: `%` at the start of a line may well continue an expression
    for _ in range(_ONE_BY_ONE):
        try:
            ast.parse("\n".join(lines))
        except SyntaxError as error:
            if not _mask(lines, (error.lineno or 0) - 1):
                break
        else:
            return lines
    for at in range(len(lines)):
        _mask(lines, at)
    ast.parse("\n".join(lines))
    return lines


def _mask(lines: list[str], at: int) -> bool:
    """Put a statement of Python in place of the command at that line, if there is one; a command may go on below."""
    if not 0 <= at < len(lines):
        return False
    if found := _ASSIGNED.match(lines[at]):
        statement = f"{found.group(1)}None"
    elif found := _COMMAND.match(lines[at]) or _HELP.match(lines[at]):
        statement = f"{found.group(1)}pass"
    else:
        return False
    while lines[at].endswith("\\") and at + 1 < len(lines):
        lines[at], statement = statement, ""
        at += 1
    lines[at] = statement
    return True
