"""Probe `awaited`: for how long an `await` is waited for, or what an `async with` enters.

`waited` is wall time in which at least one execution of the site was pending, so that executions side by side count
once; `alone` is the part of it in which there was exactly one. What travels on the interpreter's stack is a token,
whose end stops the clock: also when the await raises or its task is cancelled or dropped.
"""

from __future__ import annotations

import ast
import os
from importlib.util import module_from_spec, spec_from_file_location
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from auditor.evidence.probes import _meter
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_meter", os.path.join(os.path.dirname(__file__), "_meter.py"))
    _meter = module_from_spec(_spec)
    _spec.loader.exec_module(_meter)

NAME = "awaited"
NODES = (ast.Await, ast.Call)


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any]:
    """`await X` becomes `ended(started(), await X)`, `async with f(X)` becomes `async with entered(f(X))`."""
    if isinstance(node, ast.Call):
        return {node: lambda made: call("entered", made)}
    return {node: lambda made: call("ended", call("started"), made)}


class _Token:
    """Stops its clock when nobody has it any more."""

    __slots__ = ("begun", "meter")

    def __init__(self, meter: Any) -> None:
        self.meter = meter
        self.begun = meter.begin()

    def __del__(self, now: Callable[[], int] = perf_counter_ns) -> None:
        try:
            self.meter.end(self.begun, now())
        except Exception:
            pass  # the interpreter is being taken apart


class _Entered:
    """Stands for what an `async with` enters, and times that."""

    __slots__ = ("_manager", "_started")

    def __init__(self, manager: Any, started: Callable[[], Any]) -> None:
        self._manager = manager
        self._started = started

    async def __aenter__(self) -> Any:
        return _ended(self._started(), await type(self._manager).__aenter__(self._manager))

    async def __aexit__(self, *raised: object) -> Any:
        return await type(self._manager).__aexit__(self._manager, *raised)


def _ended(token: Any, value: Any) -> Any:
    """The token goes with this frame."""
    return value


_measured: list[list[int]] = []


class Recorder:
    """Executions of one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._runtime = runtime
        self._meter = _meter.Meter()

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        tick = self._runtime.tick

        def started() -> Any:
            tick()
            return _Token(self._meter)

        return {"started": started, "ended": _ended, "entered": lambda manager: _Entered(manager, started)}

    def hits(self) -> int:
        """Executions so far."""
        return self._meter.hits

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        if not _measured:
            _measured.append(_meter.instrument_ns(lambda meter: _ended(_Token(meter), None)))
        return self._meter.record(_measured[0])

    def reset(self) -> None:
        """Forget everything, after a fork; tokens of the parent's executions end in its own meter."""
        self._meter = _meter.Meter()


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, the time any was pending, the longest, and the time exactly one was."""
    from auditor.evidence.probes import _meter as meter

    hits = sum(record["hits"] for record in records)
    yield "hits", hits, hits, hits, "executions", hits
    if hits:
        yield from meter.meter_rows(records, "waited")
        yield meter.largest(records, "longest", "waited_longest")
        yield meter.largest(records, "alone", "alone")
