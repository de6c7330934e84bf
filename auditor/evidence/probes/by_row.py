"""Probe `by-row`: what it takes to hand out a frame's rows one by one, without what is done with them.

At `df.iloc[i]` and `df[df.id == key]` the time of the look-up, at `df.at[i, "c"] = x` that of storing what is there,
at `df.iterrows()` that to make each row; at `df.apply(f, axis=1)` that of the whole call, of which what `f` takes may
belong to `f` or to the rows it is given, and so is in the upper end alone.
"""

from __future__ import annotations

import ast
import os
import sys
from functools import wraps
from importlib.util import module_from_spec, spec_from_file_location
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from auditor.evidence.probes import _census
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_census", os.path.join(os.path.dirname(__file__), "_census.py"))
    _census = module_from_spec(_spec)
    _spec.loader.exec_module(_census)

NAME = "by-row"
NODES = (ast.Call, ast.Subscript, ast.Assign, ast.AugAssign)
MOST = 4_096
"""Stores that raised leave an entry; so many are kept."""
_FUNCTION = type(lambda: None)
_COMPILED = ("engine", "raw", "by_row")
"""Options under which `apply` may look into the function, or does not make rows."""


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any]:
    """`df.iterrows()` becomes `rows(df.iterrows())`, `df.apply(f)` becomes `fin(begin(), df.apply(done(f)))`."""
    if isinstance(node, (ast.Assign, ast.AugAssign)):
        return {node: lambda made: _stored(made, call)}
    if isinstance(node, ast.Subscript):
        return {node: lambda made: call("fin", call("begin"), made)}
    assert isinstance(node, ast.Call)
    if getattr(node.func, "attr", "") == "iterrows":
        return {node: lambda made: call("rows", made)}

    def change(made: Any) -> ast.expr:
        rowwise = getattr(node.func, "attr", "") == "apply"
        if rowwise and not any(keyword.arg in _COMPILED for keyword in made.keywords):
            _wrap_function(made, call)
        return call("fin", call("begin"), made)

    return {node: change}


def _stored(statement: Any, call: Callable[..., ast.expr]) -> list[ast.stmt]:
    statement.value = call("given", statement.value)
    return [statement, ast.copy_location(ast.Expr(value=call("stored")), statement)]


def _wrap_function(made: Any, call: Callable[..., ast.expr]) -> None:
    if made.args and not isinstance(made.args[0], ast.Starred):
        made.args[0] = call("done", made.args[0])
    for keyword in made.keywords:
        if keyword.arg == "func":
            keyword.value = call("done", keyword.value)


class Recorder:
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._tick = runtime.tick
        self.reset()

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        return {
            "rows": self._rows,
            "begin": self._begin,
            "done": self._done,
            "fin": self._fin,
            "given": self._given,
            "stored": self._stored,
        }

    def _rows(self, items: Any) -> Any:
        self._hits += 1
        return self._stepped(items) if hasattr(items, "__next__") else items

    def _stepped(self, items: Iterator[Any]) -> Iterator[Any]:
        while True:
            begun = perf_counter_ns()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self._ns += perf_counter_ns() - begun
            self._tick()
            yield item

    def _given(self, value: Any) -> Any:
        self._hits += 1
        if len(self._stores) >= MOST:
            self._stores.clear()
        self._stores[id(sys._getframe(1))] = perf_counter_ns()
        return value

    def _stored(self) -> None:
        now = perf_counter_ns()
        self._ns += now - self._stores.pop(id(sys._getframe(1)), now)
        self._tick()

    def _begin(self) -> int:
        self._hits += 1
        return perf_counter_ns()

    def _fin(self, begun: int, value: Any) -> Any:
        self._ns += perf_counter_ns() - begun
        self._tick()
        return value

    def _done(self, function: Any) -> Any:
        if type(function) is not _FUNCTION:
            self._opaque = True
            return function

        @wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:
            begun = perf_counter_ns()
            try:
                return function(*arguments, **options)
            except BaseException as error:
                _census.hide_frame(error)
                raise
            finally:
                self._given_ns += perf_counter_ns() - begun

        return timed

    def hits(self) -> int:
        """Executions so far."""
        return self._hits

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        return {"hits": self._hits, "ns": self._ns, "given_ns": self._given_ns, "opaque": self._opaque}

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._hits = self._ns = self._given_ns = 0
        self._opaque = False
        self._stores: dict[int, int] = {}


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, and seconds: from those in the rows alone to those with what the function did."""
    hits = sum(record["hits"] for record in records)
    yield "hits", hits, hits, hits, "executions", hits
    whole = sum(record["ns"] for record in records) / 1e9
    given = sum(record["given_ns"] for record in records) / 1e9
    alone = 0.0 if any(record["opaque"] for record in records) else max(0.0, whole - given)
    yield "seconds", alone, alone, whole, "s", hits
