"""What stands on the flagged lines: samples name lines, and a line may hold other work than the flagged."""

from __future__ import annotations

import ast
import tokenize
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from auditor.model import Span, Suspect

_WORK = (
    *(ast.Call, ast.Await, ast.BinOp, ast.AugAssign, ast.Compare, ast.Subscript, ast.JoinedStr, ast.Yield),
    *(ast.YieldFrom, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.With, ast.AsyncWith),
    *(ast.For, ast.AsyncFor, ast.Dict, ast.List, ast.Set, ast.Delete),
)
_COMPUTING = frozenset("re json copy math itertools functools operator collections".split())  # noqa: SIM905
_COMPUTING_BUILTINS = frozenset(
    """abs all any bool bytes bytearray dict divmod enumerate filter float format frozenset int isinstance len list map
    max min range repr reversed round set sorted str sum tuple zip""".split()  # noqa: SIM905
)


class Company(NamedTuple):
    """alone: whether nothing else than the flagged code works on its lines. computes: whether it surely never waits.

    awaits: whether something is awaited there, which waits without a stack.
    """

    alone: bool
    computes: bool
    awaits: bool


def company(suspect: Suspect, file: Path, loops: bool = True) -> Company:
    """What stands beside the suspect in `file`; the doubtful answer if the file cannot be parsed.

    `loops` says whether the head of a loop over the flagged code counts as work: it takes time, but no memory.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with tokenize.open(file) as opened:
                text = opened.read()
            tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return Company(alone=False, computes=False, awaits=True)
    lines = text.split("\n")
    flagged = (suspect.span, *(site.span for site in suspect.sites))
    alone = computes = True
    awaits = False
    for node in ast.walk(tree):
        if not isinstance(node, _WORK) or (not loops and isinstance(node, ast.For)):
            continue
        span = _span(node, lines)
        if _within(span, flagged):
            computes = computes and _computes(node)
        elif _meets(node, span, suspect.span):
            alone = False
        else:
            continue
        awaits = awaits or isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)
    return Company(alone, computes, awaits)


def _span(node: ast.expr | ast.stmt, lines: Sequence[str]) -> Span:
    def column(line: int, offset: int) -> int:
        return len(lines[line - 1].encode()[:offset].decode("utf-8", "replace")) + 1

    end_line = node.end_lineno or node.lineno
    return Span(node.lineno, column(node.lineno, node.col_offset), end_line, column(end_line, node.end_col_offset or 0))


def _within(span: Span, flagged: Sequence[Span]) -> bool:
    start, end = (span.line, span.column), (span.end_line, span.end_column)
    return any((one.line, one.column) <= start and end <= (one.end_line, one.end_column) for one in flagged)


def _meets(node: ast.AST, span: Span, flagged: Span) -> bool:
    """Whether it works on one of the flagged lines; of a loop or a `with`, only its head does."""
    last = span.end_line
    if isinstance(node, ast.For | ast.AsyncFor | ast.With | ast.AsyncWith):
        last = max(span.line, node.body[0].lineno - 1)
    return span.line <= flagged.end_line and flagged.line <= last


def _computes(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        callee = node.func
        if isinstance(callee, ast.Name):
            return callee.id in _COMPUTING_BUILTINS
        return (
            isinstance(callee, ast.Attribute) and isinstance(callee.value, ast.Name) and callee.value.id in _COMPUTING
        )
    return not isinstance(node, ast.Await | ast.Yield | ast.YieldFrom | ast.With | ast.AsyncWith | ast.AsyncFor)
