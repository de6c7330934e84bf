"""Probe `called`: how often a call is made, and how long it takes from when all that it is given is there.

What the arguments cost to evaluate is not the call's doing: `copy.deepcopy(load(key))` is as dear as the copy. In
between, the frame in which the call stands cannot run on, so one execution is told by the frame's address. One that
raises took until the exception leaves its statement; where that is not seen, what it leaves behind is overwritten by
the next one of its frame.

Of a `with` statement, entering and leaving it is what takes the time, and its body is not.
"""

from __future__ import annotations

import ast
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from auditor.evidence.probes import _raised
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_raised", os.path.join(os.path.dirname(__file__), "_raised.py"))
    _raised = module_from_spec(_spec)
    _spec.loader.exec_module(_raised)

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
        if not call.wrap_last(made, prefix + "last"):
            # the clock starts in an empty operand put behind what is spread
            made.keywords.append(ast.keyword(arg=None, value=call(prefix + "nothing")))
        return call("fin", made)

    def change(made: Any) -> Any:
        return call.unless_skipped(made, measured) or measured(made, "perhaps_")

    return {node: change, **_raised.plant_raised(node, parents, call)}


def _surrounded(statement: Any, call: Callable[..., ast.expr]) -> list[ast.stmt]:
    """`with X: BODY` becomes `start(); with X: entered(); BODY; start()` and, behind it, `left()`, however it ends."""

    def told(role: str) -> ast.stmt:
        return ast.copy_location(ast.Expr(value=call(role)), statement)

    def closed(body: list[ast.stmt], role: str) -> ast.stmt:
        return ast.copy_location(ast.Try(body=body, handlers=[], orelse=[], finalbody=[told(role)]), statement)

    statement.body = [told("entered"), closed(statement.body, "start")]
    return [told("start"), closed([statement], "left")]


class Recorder:
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._samples = runtime.timing.Samples()
        self._skips = runtime.timing.Skips(self._samples)
        self._clock = _Clock(self._samples, self._skips, runtime.tick)
        self._timing = runtime.timing
        self._instrument: list[int] = []

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        return {**_of_a_call(self._clock), **_of_a_with(self._clock)}

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


class _Clock:
    """The executions under way, by the address of the frame in which they are."""

    def __init__(self, samples: Any, skips: Any, tick: Callable[[], None]) -> None:
        self.samples = samples
        self.skips = skips
        self.tick = tick
        self.begun: dict[int, tuple[int, int]] = {}

    def begin(self, frame: int, gap: int) -> None:
        """The last operand is there, of an execution that stands for so many."""
        if len(self.begun) >= FORGOTTEN:
            self.begun.clear()
        self.begun[frame] = gap, perf_counter_ns()

    def end(self, frame: int, now: int) -> None:
        """The call returned."""
        start = self.begun.pop(frame, None)
        if start:
            self.add(start[0], start[1], now)

    def add(self, gap: int, begun: int, now: int) -> None:
        """An execution that stands for so many took from then to now."""
        self.samples.add(gap, begun, now)
        self.skips.plan()
        self.tick()


def _of_a_call(clock: _Clock) -> dict[str, Callable[..., Any]]:
    frame, skips, skip, begun = sys._getframe, clock.skips, clock.skips.skip, clock.begun

    def last(value: Any) -> Any:
        clock.begin(id(frame(1)), skips.hit())
        return value

    def nothing() -> dict[str, Any]:
        clock.begin(id(frame(1)), skips.hit())
        return {}

    def perhaps(place: int) -> None:
        if not skip():
            clock.begin(place, skips.hit())
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
            clock.end(id(frame(1)), now)
        return value

    def raised() -> None:
        if begun:
            now = perf_counter_ns()
            clock.end(id(frame(1)), now)

    roles = (last, nothing, perhaps_last, perhaps_nothing, fin, raised)
    return {"skip": skip, **{role.__name__: role for role in roles}}


def _of_a_with(clock: _Clock) -> dict[str, Callable[..., Any]]:
    frame = sys._getframe

    def start() -> None:
        clock.begin(id(frame(1)), 1)

    def entered() -> None:
        now = perf_counter_ns()
        clock.samples.hits += 1
        clock.end(id(frame(1)), now)

    def left() -> None:
        now = perf_counter_ns()
        begun = clock.begun.pop(id(frame(1)), None)
        if begun:
            clock.samples.more(begun[0], begun[1], now)

    return {"start": start, "entered": entered, "left": left}


_measured: list[list[int]] = []


def _instrument_ns(timing: Any) -> list[int]:
    """Cost of timing an empty call in ns (5th, 50th, 95th percentile), measured once a process."""
    if not _measured:
        samples = timing.Samples()
        functions = _of_a_call(_Clock(samples, timing.Skips(samples), lambda: None))
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
