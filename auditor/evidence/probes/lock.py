"""Probe `lock`: how long a `with` statement, or a call of `acquire`, waits for its lock, and how long it is held.

The clock starts when the lock's expression has been evaluated, and stops as the first thing in the body, where the
next item of the statement begins, or as `acquire` returns; then it is held until the body ends, or `release` returns.
`waited` is wall time in which at least one execution was waiting, `held` in which at least one held. The lock passes
through unchanged. An execution is known by the address of its frame.
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

    from auditor.evidence.probes import _meter
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_meter", os.path.join(os.path.dirname(__file__), "_meter.py"))
    _meter = module_from_spec(_spec)
    _spec.loader.exec_module(_meter)

NAME = "lock"
NODES = (ast.With, ast.AsyncWith, ast.Call)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any]:
    """`try: with entering(LOCK): acquired(); <body>` and `finally: left()`.

    The statement is surrounded when all else that is planted in it is in its place: with its parent.
    """
    if isinstance(node, ast.Call):
        return _plant_acquire(node, parents, call)

    def surround(made: Any) -> Any:
        statement: Any = node
        items = statement.items
        at = next((index for index, item in enumerate(items) if _is_lock(item.context_expr)), 0)
        entering = "entering_later" if isinstance(statement, ast.AsyncWith) else "entering"
        items[at].context_expr = call(entering, items[at].context_expr)
        if at + 1 < len(items):
            items[at + 1].context_expr = call("then", call("acquired"), items[at + 1].context_expr)
        else:
            acquired = ast.Expr(value=call("acquired"))
            statement.body.insert(0, ast.copy_location(acquired, statement.body[0]))
        left = ast.copy_location(ast.Expr(value=call("left")), statement)
        guarded = ast.copy_location(ast.Try(body=[statement], handlers=[], orelse=[], finalbody=[left]), statement)
        _replace(parents[node], statement, guarded)
        return made

    return {parents[node]: surround}


def _plant_acquire(
    node: ast.Call, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]
) -> dict[ast.AST, Any]:
    """`got(entering(LOCK).acquire())`, and `gone(LOCK.release())` wherever the function has it."""
    func: Any = node.func
    lock = ast.dump(func.value)
    function: Any = parents[node]
    while function in parents and not isinstance(function, _FUNCTIONS):
        function = parents[function]

    def enter(made: Any) -> Any:
        made.func.value = call("entering_later" if awaited else "entering", made.func.value)
        return made if awaited else call("got", made)

    awaited = isinstance(parents[node], ast.Await)
    planted: dict[ast.AST, Any] = {node: enter}
    if awaited:
        planted[parents[node]] = lambda made: call("got", made)
    calls: Any = (each for each in ast.walk(function) if isinstance(each, ast.Call))
    for each in calls:
        if getattr(each.func, "attr", "") == "release" and ast.dump(each.func.value) == lock:
            planted[each] = lambda made: call("gone", made)
    return planted


def _is_lock(expression: Any) -> bool:
    """By its name; of several items, that is the one meant."""
    if isinstance(expression, ast.Call):
        expression = expression.func
    name = str(getattr(expression, "attr", getattr(expression, "id", ""))).lower()
    return any(part in name for part in ("lock", "mutex", "semaphore", "condition"))


def _replace(root: ast.AST, node: ast.AST, replacement: ast.AST) -> None:
    for part in list(ast.walk(root)):
        for _, value in ast.iter_fields(part):
            if isinstance(value, list):
                for index, statement in enumerate(value):
                    if statement is node:
                        value[index] = replacement
                        return


class _Site:
    """Executions of one site, by address of their frame: when each began to wait, and when to hold."""

    def __init__(self, tick: Callable[[], None], idle_ns: Callable[[], int | None]) -> None:
        self.tick = tick
        self.waiting = _meter.Waits(idle_ns)
        self.holding = _meter.Meter()
        self.waits: dict[int, tuple[int, int, str]] = {}
        self.holds: dict[int, int] = {}

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        frame, waits, holds = sys._getframe, self.waits, self.holds
        waiting, holding, tick = self.waiting, self.holding, self.tick

        def entering(lock: Any) -> Any:
            key = id(frame(1))
            waits[key] = waiting.begin(gives_way=False)
            return lock

        def entering_later(lock: Any) -> Any:
            key = id(frame(1))
            waits[key] = waiting.begin()
            return lock

        def acquired() -> None:
            key = id(frame(1))
            begun = waits.pop(key, None)
            if begun:
                waiting.end(begun)
                holds[key] = holding.begin()

        def then(nothing: None, value: Any) -> Any:
            return value

        def left() -> None:
            now = perf_counter_ns()
            key = id(frame(1))
            begun = waits.pop(key, None)
            if begun:
                # it was never acquired
                waiting.end(begun)
            held = holds.pop(key, 0)
            if held:
                holding.end(held, now)
            # neither while others wait for the lock, nor while the lock that is waited for may become free
            tick()

        def got(value: Any) -> Any:
            key = id(frame(1))
            begun = waits.pop(key, None)
            if begun:
                waiting.end(begun)
                # in vain, if it was told to wait no longer
                if value is not False:
                    holds[key] = holding.begin()
            return value

        def gone(value: Any) -> Any:
            begun = holds.pop(id(frame(1)), 0)
            if begun:
                holding.end(begun, perf_counter_ns())
            tick()
            return value

        functions = (entering, entering_later, acquired, then, left, got, gone)
        return {each.__name__: each for each in functions}


class Recorder:
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._site = _Site(runtime.tick, runtime.idle_ns)

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        return self._site.functions()

    def hits(self) -> int:
        """Executions so far."""
        return self._site.waiting.all.hits

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        instrument = _instrument_ns()
        return {
            "waiting": self._site.waiting.record(instrument),
            "holding": self._site.holding.record(instrument),
        }

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._site.waiting.reset()
        self._site.holding.reset()
        self._site.waits.clear()
        self._site.holds.clear()


_measured: list[list[int]] = []


def _instrument_ns() -> list[int]:
    """Cost of an empty wait, measured once a process."""
    if not _measured:
        site = _Site(lambda: None, lambda: None)
        functions = site.functions()
        entering, acquired, left = functions["entering"], functions["acquired"], functions["left"]

        def once(meter: Any) -> None:
            entering(None)
            acquired()
            left()
            meter.any_ns = site.waiting.all.any_ns

        _measured.append(_meter.instrument_ns(once))
    return _measured[0]


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, the time any was waiting, the longest wait, and the time any held."""
    from auditor.evidence.probes import _meter as meter

    waiting = [record["waiting"] for record in records]
    hits = sum(record["hits"] for record in waiting)
    yield "hits", hits, hits, hits, "executions", hits
    if hits:
        yield from meter.waited_rows(waiting)
        yield meter.largest(waiting, "longest", "waited_longest")
        yield from meter.meter_rows([record["holding"] for record in records], "held")
