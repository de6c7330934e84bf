"""Probe `polling`: how often a loop that waits asks, and the time that its asking takes.

A loop that never sleeps takes all the time from its first question to its end, one that sleeps what its thread computes
meanwhile. The wait takes as long as it takes, so what the probe adds to a turn leaves fewer turns, and nothing is taken
off.

In a coroutine other tasks run between two questions. There a turn is taken to cost what the cheaper turns cost: the
event loop's own work, which is no more than OWN_NS, as others may work in every turn. `polled` then says the same as
`seconds`, as a sign that a sampler of stacks cannot see it.
"""

from __future__ import annotations

import ast
import sys
from time import perf_counter_ns, thread_time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NAME = "polling"
NODES = (ast.While,)

_SUSPENDING = (ast.Await, ast.Yield, ast.YieldFrom, ast.AsyncFor, ast.AsyncWith)
_SLEEPS = ("sleep", "wait", "join", "acquire", "get", "select", "poll", "result")
TURNS = 1_000
"""Turns of a site whose cost is kept: the first ones, then every second, fourth, eighth..."""
OFTEN = 64
"""Questions after which the time so far is added up."""
FORGOTTEN = 4_096
"""Loops under way that are known; those of generators that were dropped leave an entry."""
LOW, LIKELY, HIGH = 0.1, 0.25, 0.75
OWN_NS = 50_000
"""What a turn of an event loop takes by itself at most: asyncio's take 10 to 30 us, on a slow or busy machine more."""
SLOW = 4


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any]:
    """`begin(); try: while asked(TEST): <body> finally: end()`, by other names where the loop gives way."""
    assert isinstance(node, ast.While)
    gives_way = any(isinstance(inner, _SUSPENDING) for inner in ast.walk(node))
    first, each, last = ("begin_turns", "turned", "left") if gives_way else ("begin", "asked", "end")

    def change(loop: Any) -> list[ast.stmt]:
        loop.test = call(each, loop.test)
        sleeps = ast.Constant(value=any(_is_sleep(inner) for inner in ast.walk(loop)))
        begin = ast.copy_location(ast.Expr(value=call(first, sleeps)), loop)
        end = ast.copy_location(ast.Expr(value=call(last)), loop)
        guarded = ast.copy_location(ast.Try(body=[loop], handlers=[], orelse=[], finalbody=[end]), loop)
        return [begin, guarded]

    return {node: change}


def _is_sleep(node: ast.AST) -> bool:
    """Whether it waits; `sleep(0)` does not."""
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    given = node.args[0] if node.args else None
    return name in _SLEEPS and not (isinstance(given, ast.Constant) and not given.value)


class Recorder:
    """Counts one site. A loop under way is known by the address of its frame."""

    _clock: Callable[[], int]
    _turns: list[int]
    _since: dict[int, int | None]

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._runtime = runtime
        self.reset()

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        frame, tick = sys._getframe, self._runtime.tick

        def begin(sleeps: bool) -> None:
            self._clock = thread_time_ns if sleeps else perf_counter_ns
            self._since[id(frame(1))] = self._clock()

        def begin_turns(sleeps: bool) -> None:
            self._clock = thread_time_ns if sleeps else perf_counter_ns
            if len(self._since) >= FORGOTTEN:
                self._since.clear()
            # an entry that a dropped coroutine left is not this one's
            self._since.pop(id(frame(1)), None)

        def asked(value: Any) -> Any:
            self._hits += 1
            if not self._hits % OFTEN:
                # a loop may be under way when the program ends
                bank(id(frame(1)), False)
            return value

        def bank(key: int, ends: bool) -> None:
            now = self._clock()
            since = self._since.pop(key, None)
            if since is not None:
                self._ns += max(0, now - since)
            tick()
            if since is not None and not ends:
                # what the instrument took is not the loop's
                self._since[key] = self._clock()

        def turned(value: Any) -> Any:
            now = self._clock()
            key = id(frame(1))
            self._hits += 1
            since = self._since.get(key)
            if since is not None:
                self._turn(now - since)
            tick()
            self._since[key] = self._clock()
            return value

        def end() -> None:
            bank(id(frame(1)), True)

        def left() -> None:
            self._since.pop(id(frame(1)), None)
            tick()

        return {"begin": begin, "asked": asked, "end": end, "begin_turns": begin_turns, "turned": turned, "left": left}

    def _turn(self, ns: int) -> None:
        self._turned += 1
        if ns < 0 or self._turned % self._every:
            return
        self._turns.append(ns)
        if len(self._turns) >= TURNS:
            self._turns = self._turns[::2]
            self._every *= 2

    def hits(self) -> int:
        """Questions so far."""
        return self._hits

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far; a loop under way counts when it ends."""
        return {"hits": self._hits, "ns": self._ns, "turned": self._turned, "turns": list(self._turns)}

    def reset(self) -> None:
        """Begin anew."""
        self._hits = self._ns = self._turned = 0
        self._every = 1
        self._turns = []
        self._since = {}


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Questions, and the time they take; processes add up."""
    hits = sum(record["hits"] for record in records)
    yield "hits", hits, hits, hits, "executions", hits
    if not hits:
        return
    low, likely, high = (
        sum(record["ns"] + record["turned"] * min(most, _at(sorted(record["turns"]), part)) for record in records) / 1e9
        for part, most in ((LOW, OWN_NS), (LIKELY, OWN_NS), (HIGH, SLOW * OWN_NS))
    )
    yield "seconds", likely, low, high, "s", hits
    if any(record["turned"] for record in records):
        yield "polled", likely, low, high, "s", hits


def _at(ordered: Sequence[int], part: float) -> float:
    return ordered[int(part * len(ordered))] if ordered else 0.0
