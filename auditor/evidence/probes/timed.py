"""Probe `timed`: how often an expression is evaluated, and how long that takes."""

from __future__ import annotations

import ast
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NAME = "timed"
NODES = (ast.expr,)
_SUSPENDING = (ast.Await, ast.Yield, ast.YieldFrom)


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any]:
    """`EXPR` becomes `fin(start(), EXPR)`: the start travels on the evaluation stack, so nothing can mis-pair."""
    if any(isinstance(inner, _SUSPENDING) for inner in ast.walk(node)):
        return {node: lambda n: call("fin", call("count"), n)}
    return {node: lambda n: call("fin", call("start"), n)}


class Recorder:
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._runtime = runtime
        self._samples = runtime.timing.Samples()

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        samples, tick = self._samples, self._runtime.tick

        def start() -> int:
            hits = samples.hits = samples.hits + 1
            return perf_counter_ns() if hits >= samples.next else 0

        def count() -> int:
            samples.hits += 1
            return 0

        def fin(begun: int, value: Any) -> Any:
            if begun:
                samples.add(begun, perf_counter_ns())
                tick()
            return value

        return {"start": start, "count": count, "fin": fin}

    def hits(self) -> int:
        """Executions so far."""
        return self._samples.hits  # type: ignore[no-any-return]

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        return self._samples.record()  # type: ignore[no-any-return]

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._samples.reset()


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, and seconds where the expression could be timed."""
    from auditor.evidence.timing import time_rows

    return time_rows(records)
