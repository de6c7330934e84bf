"""Probe `nested-loop`: how long one execution of an inner loop takes, and over how many items it ran."""

from __future__ import annotations

import ast
from _thread import get_ident
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NAME = "nested-loop"
NODES = (ast.For,)
_SIZED = (list, tuple, range, dict, set, str, bytes, frozenset)
_SUSPENDING = (ast.Await, ast.Yield, ast.YieldFrom, ast.AsyncFor, ast.AsyncWith)
_TRANSPARENT = ("enumerate", "reversed", "sorted", "iter", "zip")


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any] | str:
    """`begin(); try: <loop over over(ITERABLE)> finally: end()`."""
    if any(isinstance(inner, _SUSPENDING) for inner in ast.walk(node)):
        return "the loop suspends its function (await or yield), so its time is not its own"

    def change(loop: Any) -> list[ast.stmt]:
        iterable = loop.iter
        if isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name) and iterable.args:
            if iterable.func.id in _TRANSPARENT and not isinstance(iterable.args[0], ast.Starred):
                iterable.args[0] = call("over", iterable.args[0])
            else:
                loop.iter = call("over", iterable)
        else:
            loop.iter = call("over", iterable)
        begin = ast.copy_location(ast.Expr(value=call("begin")), loop)
        end = ast.copy_location(ast.Expr(value=call("end")), loop)
        guarded = ast.copy_location(ast.Try(body=[loop], handlers=[], orelse=[], finalbody=[end]), loop)
        return [begin, guarded]

    return {node: change}


class Recorder:
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._runtime = runtime
        self._samples = runtime.timing.Samples()
        self._lookup_ns = 0.0

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        samples, tick = self._samples, self._runtime.tick
        # one stack a thread, as the loop may be reached again from inside itself
        stacks: dict[int, list[list[int]]] = {}

        def begin() -> None:
            samples.hits += 1
            gap = samples.stands_for() if samples.hits >= samples.next else 0
            stacks.setdefault(get_ident(), []).append([perf_counter_ns() if gap else 0, -1, gap])

        def over(iterable: Any) -> Any:
            if type(iterable) in _SIZED:
                stacks[get_ident()][-1][1] = len(iterable)
            return iterable

        def end() -> None:
            now = perf_counter_ns()
            begun, size, gap = stacks[get_ident()].pop()
            if begun:
                samples.add(gap, begun, now, size)
                tick()

        return {"begin": begin, "over": over, "end": end}

    def hits(self) -> int:
        """Executions so far."""
        return self._samples.hits  # type: ignore[no-any-return]

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        if not self._lookup_ns:
            self._lookup_ns = self._runtime.timing.set_lookup_ns()
        return {**self._samples.record(), "lookup_ns": self._lookup_ns}

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._samples.reset()


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, seconds, sizes, growth with the number of items, and the cost against a set look-up."""
    from auditor.evidence.timing import growth_rows, ratio_rows, size_rows, time_rows

    timed = time_rows(records)
    return [*timed, *size_rows(records), *growth_rows(records), *ratio_rows(records, timed)]
