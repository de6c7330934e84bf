"""Probe `drawn`: how long a call takes, and what a loop over its result draws from it.

`for row in db.execute(QUERY):` may send the query as the loop begins, and find its rows as they are asked for: both
belong to the call, and what the loop does with the rows does not.
"""

from __future__ import annotations

import ast
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from auditor.evidence.probes import _census, called
else:
    # found by their paths: in the program's processes there is no package around this file
    def _load(name: str) -> Any:
        file = os.path.join(os.path.dirname(__file__), name + ".py")
        spec = spec_from_file_location("audit_drawn_" + name, file)
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    _census, called = _load("_census"), _load("called")

NAME = "drawn"
NODES = (ast.Call,)
_THERE = (list, tuple, dict, set, frozenset, str, bytes, range)
"""What a loop over them takes is the loop's."""


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Any) -> dict[ast.AST, Any] | str:
    """As `called`, where the call is what a loop goes through; `fin` gives an iterator that is timed as well."""
    loop = parents.get(node)
    if getattr(loop, "iter", None) is not node or isinstance(loop, ast.AsyncFor) or getattr(loop, "is_async", False):
        return "no loop that waits for nothing goes through what the call returns"
    return called.plant(node, parents, call)


class Recorder(called.Recorder):
    """Counts one site."""

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        frame, begun = sys._getframe, self._clock.begun

        def fin(value: Any) -> Any:
            if not begun:
                return value
            now = perf_counter_ns()
            place = id(frame(1))
            if place in begun and type(value) not in _THERE and hasattr(type(value), "__iter__"):
                try:
                    # at once, as the loop does: it may be that of a generator which begins much later
                    items = iter(value)
                except BaseException as error:
                    self._clock.end(place, perf_counter_ns())
                    _census.hide_frame(error)
                    raise
                gap, start = begun.pop(place)
                return self._steps(items.__next__, gap, start, perf_counter_ns() - start)
            self._clock.end(place, now)
            return value

        return {**super().functions(), "fin": fin}

    def _steps(self, step: Callable[[], Any], gap: int, begun: int, spent_ns: int) -> Iterator[Any]:
        """The items; what it took to make them is noted when the loop is over."""
        try:
            while True:
                since = perf_counter_ns()
                try:
                    item = step()
                except StopIteration:
                    return
                except BaseException as error:
                    _census.hide_frame(error)
                    raise
                finally:
                    spent_ns += perf_counter_ns() - since
                yield item
        finally:
            self._clock.add(gap, begun, begun + spent_ns)


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits and seconds."""
    return called.rows(records)
