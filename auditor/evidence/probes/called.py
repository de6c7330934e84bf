"""Probe `called`: how often a call is made, and how long it takes from when all that it is given is there.

What the arguments cost to evaluate is not the call's doing: `copy.deepcopy(load(key))` is as dear as the copy. In
between, the frame in which the call stands cannot run on, so one execution is told by the frame's address; what an
execution that raised leaves behind is overwritten by the next one of its frame.

Of a `with` statement, entering and leaving it is what takes the time, and its body is not.
"""

from __future__ import annotations

import ast
import sys
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NAME = "called"
NODES = (ast.Call, ast.With)

FORGOTTEN = 4_096
"""Executions that raised leave an entry; so many are kept."""


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Any) -> dict[ast.AST, Any]:
    """`X.f(A, k=B)` becomes `X.f(A, k=B) if skip() else fin(X.f(A, k=last(B)))`; of `X.f()`, X is the last operand.

    Where that is too long, it becomes `fin(X.f(A, k=perhaps_last(B)))`.
    """
    if isinstance(node, ast.With):
        return {node: lambda made: _surrounded(made, call)}

    def measured(made: Any, prefix: str = "") -> Any:
        _wrap_last(made, lambda role, *given: call(prefix + role, *given))
        return call("fin", made)

    def change(made: Any) -> Any:
        return call.unless_skipped(made, measured) or measured(made, "perhaps_")

    return {node: change}


def _surrounded(statement: Any, call: Callable[..., ast.expr]) -> list[ast.stmt]:
    """`with X: BODY` becomes `start(); with X: entered(); BODY; start()` and, behind it, `left()`, however it ends."""

    def told(role: str) -> ast.stmt:
        return ast.copy_location(ast.Expr(value=call(role)), statement)

    def closed(body: list[ast.stmt], role: str) -> ast.stmt:
        return ast.copy_location(ast.Try(body=body, handlers=[], orelse=[], finalbody=[told(role)]), statement)

    statement.body = [told("entered"), closed(statement.body, "start")]
    return [told("start"), closed([statement], "left")]


def _wrap_last(node: Any, call: Callable[..., ast.expr]) -> None:
    spread = any(keyword.arg is None for keyword in node.keywords)
    if spread or any(isinstance(argument, ast.Starred) for argument in node.args):
        # what is spread is not one operand, so the clock starts in an empty one put behind it
        node.keywords.append(ast.keyword(arg=None, value=call("nothing")))
    elif node.keywords:
        node.keywords[-1].value = call("last", node.keywords[-1].value)
    elif node.args:
        node.args[-1] = call("last", node.args[-1])
    elif isinstance(node.func, ast.Attribute):
        node.func.value = call("last", node.func.value)
    else:
        node.func = call("last", node.func)


class Recorder:
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._samples = runtime.timing.Samples()
        self._skips = runtime.timing.Skips(self._samples)
        self._tick = runtime.tick
        self._timing = runtime.timing
        self._instrument: list[int] = []

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        return _functions(self._samples, self._skips, self._tick)

    def hits(self) -> int:
        """Executions so far."""
        self._skips.settle()
        return self._samples.hits  # type: ignore[no-any-return]

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        if not self._instrument:
            self._instrument = _instrument_ns(self._timing)
        self._skips.settle()
        return {**self._samples.record(), "instrument": self._instrument}

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._skips.reset()


def _functions(samples: Any, skips: Any, tick: Callable[[], None]) -> dict[str, Callable[..., Any]]:
    frame, skip = sys._getframe, skips.skip
    begun: dict[int, int] = {}

    def begin(place: int) -> None:
        skips.hit()
        if len(begun) >= FORGOTTEN:
            begun.clear()
        begun[place] = perf_counter_ns()

    def last(value: Any) -> Any:
        begin(id(frame(1)))
        return value

    def nothing() -> dict[str, Any]:
        begin(id(frame(1)))
        return {}

    def perhaps(place: int) -> None:
        if not skip():
            begin(place)
        elif begun:
            begun.pop(place, None)

    def perhaps_last(value: Any) -> Any:
        perhaps(id(frame(1)))
        return value

    def perhaps_nothing() -> dict[str, Any]:
        perhaps(id(frame(1)))
        return {}

    def fin(value: Any) -> Any:
        if begun:
            now = perf_counter_ns()
            start = begun.pop(id(frame(1)), 0)
            if start:
                samples.add(start, now)
                skips.plan()
                tick()
        return value

    def start() -> None:
        if len(begun) >= FORGOTTEN:
            begun.clear()
        begun[id(frame(1))] = perf_counter_ns()

    def entered() -> None:
        now = perf_counter_ns()
        samples.hits += 1
        start = begun.pop(id(frame(1)), 0)
        if start:
            samples.add(start, now)
            tick()

    def left() -> None:
        now = perf_counter_ns()
        start = begun.pop(id(frame(1)), 0)
        if start:
            samples.more(start, now)

    return {
        "skip": skip,
        "last": last,
        "nothing": nothing,
        "perhaps_last": perhaps_last,
        "perhaps_nothing": perhaps_nothing,
        "fin": fin,
        "start": start,
        "entered": entered,
        "left": left,
    }


_measured: list[list[int]] = []


def _instrument_ns(timing: Any) -> list[int]:
    """Cost of timing an empty call in ns (5th, 50th, 95th percentile), measured once a process."""
    if not _measured:
        samples = timing.Samples()
        functions = _functions(samples, timing.Skips(samples), lambda: None)
        last, fin = functions["last"], functions["fin"]
        costs: list[int] = []
        for _ in range(400):
            before = samples.full_ns
            last(None)
            fin(None)
            costs.append(samples.full_ns - before)
        ordered = sorted(costs)
        _measured.append([ordered[20], ordered[200], ordered[380]])
    return _measured[0]


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits and seconds."""
    from auditor.evidence.timing import time_rows

    return time_rows(records)
