"""A call inside a coroutine: for how long the event loop stands still in it.

What travels on the interpreter's stack while the call runs is a token; the clock stops when it goes, which is also
when the call raises. So recursion, threads and exceptions cannot be mistaken for one another. It starts when all that
the call is given is there: what that costs to evaluate is not the call's doing.
"""

from __future__ import annotations

import ast
import os
import sys
from _weakref import ref
from importlib.util import module_from_spec, spec_from_file_location
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Dict, List

    from auditor.evidence.probes import _census
    from auditor.evidence.probes._census import Row
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_census", os.path.join(os.path.dirname(__file__), "_census.py"))
    _census = module_from_spec(_spec)
    _spec.loader.exec_module(_census)

NAME = "blocking"
NODES = (ast.Call,)

MOST = 4_096
"""Executions under way whose call has not begun."""
LONGEST = 3
"""Stand-stills that are kept: what all but the last of them leave is the rest."""
_GIVES_WAY = (ast.Await, ast.Yield, ast.YieldFrom)


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Any) -> Dict[ast.AST, Any]:
    """`X.f(A, k=B)` becomes `ended(started(), X.f(A, k=last(B)))`; of a spread argument the clock starts before it."""
    assert isinstance(node, ast.Call)
    spread = any(isinstance(each, ast.Starred) for each in node.args) or any(each.arg is None for each in node.keywords)
    if spread and any(isinstance(part, _GIVES_WAY) or getattr(part, "is_async", 0) for part in ast.walk(node)):
        return {node: lambda made: call("counted", made)}

    def change(made: Any) -> Any:
        call.wrap_last(made, "last")
        return call("ended", call("started", ast.Constant(value=spread)), made)

    return {node: change}


class _Token:
    """Stops its clock when nobody has it any more."""

    __slots__ = ("__weakref__", "on_loop", "recorder", "start")

    def __init__(self, recorder: Recorder, on_loop: bool, starts: bool) -> None:
        self.recorder = recorder
        self.on_loop = on_loop
        self.start = perf_counter_ns() if starts else 0

    def __del__(self, now: Callable[[], int] = perf_counter_ns) -> None:
        if self.start:
            _census.attempt(self.recorder.took, now() - self.start, self.on_loop)


class Recorder:
    """Executions of one site, and the seconds in them."""

    _ns: int
    _stall_ns: int
    _longest_ns: List[int]

    def __init__(self, runtime: Any, site: Mapping[str, Any]) -> None:
        self._runtime = runtime
        self.reset()

    def functions(self) -> Dict[str, Callable[..., Any]]:
        """What the planted code calls."""
        return {"started": self.started, "last": self.last, "ended": self.ended, "counted": self.counted}

    def started(self, starts: bool) -> Any:
        """What the call is given begins to be evaluated."""
        try:
            token = _Token(self, self._hit(), starts)
            if not starts:
                if len(self._tokens) >= MOST:
                    self._tokens.clear()
                self._tokens[id(sys._getframe(1))] = ref(token)
            return token
        except Exception:
            return None

    def last(self, value: Any) -> Any:
        """All is there, and the call begins."""
        known = self._tokens.pop(id(sys._getframe(1)), None)
        token = known() if known is not None else None
        if token is not None:
            token.start = perf_counter_ns()
        return value

    def ended(self, token: Any, value: Any) -> Any:
        """The call returned; the token goes with this frame."""
        return value

    def counted(self, value: Any) -> Any:
        """The call returned, and may have waited for the loop in between."""
        _census.attempt(self._count)
        return value

    def _count(self) -> None:
        self._untimed += self._hit()

    def _hit(self) -> bool:
        on_loop = _is_on_loop()
        self._hits += 1
        self._loop_hits += on_loop
        self._runtime.tick()
        return on_loop

    def took(self, ns: int, on_loop: bool) -> None:
        """A call was over after so long."""
        self._ns += ns
        if on_loop:
            self._stall_ns += ns
            if ns > self._longest_ns[-1]:
                # the old list stays as it is for whoever reads it in another thread
                self._longest_ns = sorted((*self._longest_ns, ns), reverse=True)[:LONGEST]

    def hits(self) -> int:
        """Executions so far."""
        return self._hits

    def record(self, final: bool) -> Dict[str, Any]:
        """What was counted so far."""
        return {
            "hits": self._hits,
            "loop_hits": self._loop_hits,
            "untimed": self._untimed,
            "seconds": self._ns / 1e9,
            "stall": self._stall_ns / 1e9,
            "longest": [ns / 1e9 for ns in self._longest_ns],
        }

    def reset(self) -> None:
        """Begin anew."""
        self._tokens: Dict[int, Any] = {}
        self._hits = self._loop_hits = self._untimed = 0
        self._ns = self._stall_ns = 0
        self._longest_ns = [0] * LONGEST


def rows(records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Processes add up; the longest are the longest of all."""
    seen = list(records)
    hits, on_loop = _census.total(seen, "hits"), _census.total(seen, "loop_hits")
    yield _census.exact("hits", hits, "executions", hits)
    yield _census.exact("loop_hits", on_loop, "executions", hits)
    if _census.total(seen, "untimed"):
        return
    yield _census.exact("seconds", sum(record["seconds"] for record in seen), "s", hits)
    yield _census.exact("stall_total", sum(record["stall"] for record in seen), "s", on_loop)
    longest = sorted((seconds for record in seen for seconds in record["longest"]), reverse=True) or [0.0]
    yield _census.exact("stall_longest", longest[0], "s", on_loop)
    rest = sum(record["stall"] for record in seen) - sum(longest[: LONGEST - 1])
    yield _census.exact("stall_rest", max(0.0, rest), "s", on_loop)
    yield _census.exact("stall_rest_longest", max(longest[LONGEST - 1 :], default=0.0), "s", on_loop)


def _is_on_loop() -> bool:
    """Whether an event loop runs in this thread: asyncio's (or one that tells asyncio), or trio's by way of sniffio."""
    asyncio = sys.modules.get("asyncio.events")
    if asyncio is not None and asyncio._get_running_loop() is not None:
        return True
    sniffio = sys.modules.get("sniffio")
    return sniffio is not None and getattr(sniffio.thread_local, "name", None) is not None
