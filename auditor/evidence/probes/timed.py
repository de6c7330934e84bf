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


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Any) -> dict[ast.AST, Any]:
    """`EXPR` becomes `EXPR if skip() else fin(start(), EXPR)`, where that is too long `fin(perhaps(), EXPR)`.

    The start travels on the evaluation stack, so nothing can mis-pair.
    """
    if any(isinstance(inner, _SUSPENDING) for inner in ast.walk(node)):
        return {node: lambda made: call("fin", call("count"), made)}

    def change(made: Any) -> Any:
        either = call.unless_skipped(made, lambda copy: call("fin", call("start"), copy))
        return either or call("fin", call("perhaps"), made)

    return {node: change}


class Recorder:
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._runtime = runtime
        self._samples = runtime.timing.Samples()
        self._skips = runtime.timing.Skips(self._samples)

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        samples, skips, tick = self._samples, self._skips, self._runtime.tick
        skip = skips.skip

        def start() -> tuple[int, int]:
            return skips.hit(), perf_counter_ns()

        def perhaps() -> tuple[int, int] | None:
            return None if skip() else start()

        def count() -> None:
            samples.hits += 1

        def fin(begun: tuple[int, int] | None, value: Any) -> Any:
            if begun:
                now = perf_counter_ns()
                samples.add(begun[0], begun[1], now)
                skips.plan()
                tick()
            return value

        return {"skip": skip, "start": start, "perhaps": perhaps, "count": count, "fin": fin}

    def hits(self) -> int:
        """Executions so far."""
        self._skips.settle()
        return self._samples.hits  # type: ignore[no-any-return]

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        self._skips.settle()
        return self._samples.record()  # type: ignore[no-any-return]

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._skips.reset()


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, and seconds where the expression could be timed."""
    from auditor.evidence.timing import time_rows

    return time_rows(records)
