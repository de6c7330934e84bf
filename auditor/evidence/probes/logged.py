"""Probe `logged`: how long a logging call's arguments take to evaluate while its level is off.

The clock starts when the logger is there and stops when the last argument is. Whether the level is on is asked of
`logging.Logger`, `LoggerAdapter`, classes derived from them that leave this as it is, and the module `logging` itself;
other loggers (loguru, structlog) have their own rules, so nothing is said of them.
"""

from __future__ import annotations

import ast
import sys
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NAME = "logged"
NODES = (ast.Call,)

_LEVELS = {
    "debug": 10,
    "info": 20,
    "warning": 30,
    "warn": 30,
    "error": 40,
    "exception": 40,
    "critical": 50,
    "fatal": 50,
}
_SUSPENDING = (ast.Await, ast.Yield, ast.YieldFrom)
FORGOTTEN = 4_096
"""Executions that raised leave an entry; so many are kept, until an entry of the same address takes their place."""


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any] | str:
    """`LOGGER.debug(A, k=B)` becomes `receiver(LOGGER, "debug").debug(A, k=last(B))`."""
    assert isinstance(node, ast.Call)
    if not isinstance(node.func, ast.Attribute) or not (node.args or node.keywords):
        return "only a method of a logger, with arguments, can be asked whether its level is on"
    if any(isinstance(inner, _SUSPENDING) for inner in ast.walk(node)):
        return "its arguments suspend the function (await or yield), so their time is not their own"

    def change(made: Any) -> ast.expr:
        func: Any = node.func
        func.value = call("receiver", func.value, ast.Constant(value=func.attr))
        if func.attr == "log" and node.args and not isinstance(node.args[0], ast.Starred):
            node.args[0] = call("level", node.args[0])
        operand: Any = (node.keywords or node.args)[-1]
        if isinstance(operand, (ast.keyword, ast.Starred)):
            operand.value = call("last", operand.value)
        else:
            node.args[-1] = call("last", operand)
        return made  # type: ignore[no-any-return]

    return {node: change}


class _Open:
    """One execution while its arguments are evaluated."""

    __slots__ = ("begun", "level", "logger")

    def __init__(self, logger: Any, level: int) -> None:
        self.logger = logger
        self.level = level
        self.begun = 0


class Recorder:
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._runtime = runtime
        self._hits = self._unknown = 0
        self._off = runtime.timing.Samples()
        self._opened: dict[int, _Open] = {}
        self._instrument: list[int] = []

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        return _functions(self._opened, self._ended)

    def _ended(self, entry: _Open | None, now: int) -> None:
        self._hits += 1
        is_on = None if entry is None else _is_on(entry.logger, entry.level)
        if entry is None or is_on is None:
            self._unknown += 1
        elif not is_on:
            off = self._off
            off.hits += 1
            if off.hits >= off.next:
                off.add(off.stands_for(), entry.begun, now)
        self._runtime.tick()

    def hits(self) -> int:
        """Executions so far."""
        return self._hits

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        if not self._instrument:
            self._instrument = _instrument_ns()
        off = {**self._off.record(), "instrument": self._instrument}
        return {"hits": self._hits, "unknown": self._unknown, "off": off}

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._hits = self._unknown = 0
        self._off.reset()
        self._opened.clear()


def _functions(opened: dict[int, _Open], ended: Callable[[_Open | None, int], None]) -> dict[str, Callable[..., Any]]:
    frame = sys._getframe

    def receiver(value: Any, name: str) -> Any:
        entry = _Open(_logger(value), _LEVELS.get(name, 0))
        if len(opened) >= FORGOTTEN:
            opened.clear()
        opened[id(frame(1))] = entry
        entry.begun = perf_counter_ns()
        return value

    def level(value: Any) -> Any:
        entry = opened.get(id(frame(1)))
        if entry is not None and type(value) is int:
            entry.level = value
        return value

    def last(value: Any) -> Any:
        now = perf_counter_ns()
        ended(opened.pop(id(frame(1)), None), now)
        return value

    return {"receiver": receiver, "level": level, "last": last}


_measured: list[list[int]] = []


def _instrument_ns() -> list[int]:
    """Cost of timing an empty argument in ns (5th, 50th, 95th percentile), measured once a process."""
    if not _measured:
        costs: list[int] = []

        def ended(entry: _Open | None, now: int) -> None:
            costs.append(now - entry.begun if entry is not None else 0)

        functions = _functions({}, ended)
        receiver, last = functions["receiver"], functions["last"]
        for _ in range(400):
            receiver(None, "debug")
            last(None)
        costs.sort()
        _measured.append([costs[20], costs[200], costs[380]])
    return _measured[0]


def _logger(value: Any) -> Any:
    """The logger that decides, which lives as long as the program; None if only code of others could tell."""
    logging = sys.modules.get("logging")
    if logging is None:
        return None
    while _asks_as(value, logging.LoggerAdapter):
        value = value.logger
    if value is logging:
        return logging.root
    return value if _asks_as(value, logging.Logger) else None


def _asks_as(value: Any, kind: type) -> bool:
    """Whether it is of that kind, and its class has no answer of its own to what is enabled."""
    own = type(value)
    names = ("isEnabledFor", "getEffectiveLevel", "debug", "info", "log")
    return issubclass(own, kind) and all(getattr(own, name, None) is getattr(kind, name, None) for name in names)


def _is_on(logger: Any, level: int) -> bool | None:
    if logger is None or not level:
        return None
    try:
        return bool(logger.isEnabledFor(level))
    except Exception:
        return None


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, executions with the level off, the seconds in their arguments; hits only, if a level is unknown."""
    from auditor.evidence.timing import time_rows

    hits = sum(record["hits"] for record in records)
    yield "hits", hits, hits, hits, "executions", hits
    if not hits or any(record["unknown"] for record in records):
        return
    timed = time_rows([record["off"] for record in records])
    off = timed[0]
    yield ("off", *off[1:])
    yield next((row for row in timed if row[0] == "seconds"), ("seconds", 0.0, 0.0, 0.0, "s", hits))
