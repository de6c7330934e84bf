"""Probe `awaited`: for how long an `await` is waited for, or what an `async with` enters.

`suspended` is wall time in which at least one execution of the site stood suspended, so that executions side by side
count once, and `waited` the part of it in which the event loop had nothing to do, where that is known: while it works
for other tasks, the program does not stand still. `alone` is time in which exactly one stood suspended. While what is
awaited runs, it computes or holds up the loop, and nobody waits: doing several of it at once would save nothing. So the
steps of what is awaited are passed on one by one, and the clock runs between them.
"""

from __future__ import annotations

import ast
import os
import types
from importlib.util import module_from_spec, spec_from_file_location
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
    from typing import Any

    from auditor.evidence.probes import _census, _meter
else:
    # found by their paths: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_meter", os.path.join(os.path.dirname(__file__), "_meter.py"))
    _meter = module_from_spec(_spec)
    _spec.loader.exec_module(_meter)
    _spec = spec_from_file_location("audit_census", os.path.join(os.path.dirname(__file__), "_census.py"))
    _census = module_from_spec(_spec)
    _spec.loader.exec_module(_census)

NAME = "awaited"
NODES = (ast.Await, ast.Call)


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any]:
    """`await X` becomes `await passed(X)`, `async with f(X)` becomes `async with entered(f(X))`."""
    if isinstance(node, ast.Call):
        return {node: lambda made: call("entered", made)}

    def change(made: Any) -> Any:
        made.value = call("passed", made.value)
        return made

    return {node: change}


def _steps(awaitable: Any) -> Any:
    """The iterator by which it is awaited, None for what cannot be."""
    kind = type(awaitable)
    if kind is types.CoroutineType:
        # of itself it can be told where it stands, of the iterator over it not
        return awaitable
    if hasattr(kind, "__await__"):
        return kind.__await__(awaitable)
    return awaitable if kind is types.GeneratorType and awaitable.gi_code.co_flags & _ITERABLE else None


class _Entered:
    """Stands for what an `async with` enters, and meters what entering it waits for."""

    __slots__ = ("_manager", "_passed")

    def __init__(self, manager: Any, passed: Callable[[Any], Any]) -> None:
        self._manager = manager
        self._passed = passed

    async def __aenter__(self) -> Any:
        return await self._passed(type(self._manager).__aenter__(self._manager))

    async def __aexit__(self, *raised: object) -> Any:
        return await type(self._manager).__aexit__(self._manager, *raised)


_ITERABLE = 0x100
"""CO_ITERABLE_COROUTINE: a generator that `types.coroutine` made awaitable."""


@types.coroutine
def _passed(steps: Any, waits: Any) -> Generator[Any, Any, Any]:
    """Await it, and meter the time between its steps."""
    try:
        send = steps.send if hasattr(steps, "send") else lambda _: next(steps)
        step = send(None)
        while True:
            begun = waits.begin()
            try:
                sent = yield step
            except GeneratorExit:
                waits.end(begun)
                if hasattr(steps, "close"):
                    steps.close()
                raise
            except BaseException as error:
                waits.end(begun)
                if not hasattr(steps, "throw"):
                    raise
                step = steps.throw(error)
            else:
                waits.end(begun)
                step = send(sent)
    except StopIteration as end:
        return end.value
    except BaseException as error:
        _census.hide_frame(error)
        raise


_measured: list[list[int]] = []


class Recorder:
    """Executions of one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._runtime = runtime
        self.reset()

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        tick = self._runtime.tick

        def passed(awaitable: Any) -> Any:
            self._hits += 1
            tick()
            try:
                steps = _steps(awaitable)
            except Exception:
                # the program hears of it as it awaits that itself
                return awaitable
            return awaitable if steps is None else _passed(steps, self._waits)

        return {"passed": passed, "entered": lambda manager: _Entered(manager, passed)}

    def hits(self) -> int:
        """Executions so far."""
        return self._hits

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        if not _measured:
            _measured.append(_meter.instrument_ns(lambda meter: meter.end(meter.begin(), perf_counter_ns())))
        return {**self._waits.record(_measured[0]), "suspended": self._waits.all.hits, "hits": self._hits}

    def reset(self) -> None:
        """Forget everything, after a fork; what the parent's executions wait for ends in its own meter."""
        self._hits = 0
        self._waits = _meter.Waits(self._runtime.idle_ns)


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, the time any was pending, the longest, and the time exactly one was."""
    from auditor.evidence.probes import _meter as meter

    hits = sum(record["hits"] for record in records)
    yield "hits", hits, hits, hits, "executions", hits
    if hits:
        suspended = [{**record, "hits": record["suspended"]} for record in records]
        yield from ((*row[:5], hits) for row in meter.waited_rows(suspended))
        yield meter.largest(records, "longest", "waited_longest")
        yield meter.largest(records, "alone", "alone")
