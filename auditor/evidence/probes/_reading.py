"""What is read later from a file, an answer or an iterator that a flagged call made: its time belongs to that call.

Sites at the names by which the program reads on. Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import ast
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

MOST = 4_096
"""Open files and answers that are remembered."""

_opened_by: dict[int, Any] = {}
"""By address: the execution that opened each."""

_read_here: list[ast.Name] = []
"""Names that have a probe."""


def plant(node: ast.Name, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any]:
    """`for x in NAME` becomes `for x in lines(NAME)`, `NAME.read()` and `load(NAME)` `read(begins(NAME), ...)`."""
    _read_here.append(node)
    around: Any = _reader(node, parents)
    if around is None:
        return {node: lambda made: call("lines", made)}
    name = ast.copy_location(ast.Name(id=node.id, ctx=ast.Load()), node)
    return {around: lambda made: call("read", call("begins", name), made)}


def _reader(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> ast.AST | None:
    """The call that a method of the node or the node itself goes into, with its `await`; None in the head of a loop."""
    child, parent = node, parents.get(node)
    while isinstance(parent, ast.Attribute):
        child, parent = parent, parents.get(parent)
    if not isinstance(parent, ast.Call) or (child is node and child not in parent.args):
        return None
    outer = parents.get(parent)
    return outer if isinstance(outer, ast.Await) else parent


def is_timed(name: ast.expr) -> bool:
    """Whether a probe stands at that name."""
    return any(name is known for known in _read_here)


def remember(opened: Any, execution: Any) -> None:
    """That execution opened it."""
    if len(_opened_by) >= MOST:
        _opened_by.clear()
    _opened_by[id(opened)] = execution


def functions() -> dict[str, Callable[..., Any]]:
    """What the planted code calls."""
    return {"lines": _lines, "begins": _begins, "read": _read}


def _begins(opened: Any) -> Any:
    return _opened_by.get(id(opened)), perf_counter_ns()


def _read(token: Any, value: Any) -> Any:
    execution, begun = token
    if execution is not None:
        execution.samples.more(execution.gap, begun, perf_counter_ns())
    return value


def _lines(opened: Any) -> Any:
    execution = _opened_by.get(id(opened))
    return opened if execution is None else _stepped(opened, execution)


def _stepped(opened: Any, execution: Any) -> Iterator[Any]:
    spent_ns, step = 0, iter(opened).__next__
    try:
        while True:
            begun = perf_counter_ns()
            try:
                line = step()
            except StopIteration:
                return
            finally:
                spent_ns += perf_counter_ns() - begun
            yield line
    finally:
        now = perf_counter_ns()
        execution.samples.more(execution.gap, now - spent_ns, now)


_LATER = frozenset(id(kind) for kind in (type(_ for _ in ()), map, filter, enumerate, zip))
_LATER_NAMES = ("ScandirIterator", "reader", "DictReader")
_name_of = type.__dict__["__name__"].__get__


def works_later(value: Any) -> bool:
    """Whether it is an iterator that makes its items when they are asked for; runs no code of the program."""
    return id(type(value)) in _LATER or _name_of(type(value)) in _LATER_NAMES


def passed_on(items: Any, execution: Any, spent_ns: int) -> Iterator[Any]:
    """The items; what it took to make them is noted when the loop is over."""
    step = iter(items).__next__
    try:
        while True:
            begun = perf_counter_ns()
            try:
                item = step()
            except StopIteration:
                return
            finally:
                spent_ns += perf_counter_ns() - begun
            yield item
    finally:
        execution.samples.add(execution.gap, execution.begun, execution.begun + spent_ns)
