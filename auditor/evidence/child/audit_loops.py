"""How often and for how long asyncio's event loops stood still: turns that took LONG_NS or more.

For how long they had nothing to do is told to those who ask. A turn lasts from the moment at which a loop has been
told what is ready until it asks again, or stops. Turns of loops that ask by other means than `selectors` (uvloop)
cannot be timed; that there were such loops is recorded. Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import sys
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Dict, Optional

LONG_NS = 50_000_000
"""Half of asyncio's own `slow_callback_duration`."""

_SELECTORS = (
    "SelectSelector",
    "PollSelector",
    "EpollSelector",
    "DevpollSelector",
    "KqueueSelector",
    "_PollLikeSelector",
)


class Loops:
    """One per process."""

    def __init__(self, runtime: Any, tools: Any) -> None:
        self._tools = tools
        # by identity of a selector: when it last told what is ready
        self._told: Dict[int, int] = {}
        self.reset()
        runtime.when_imported("uvloop", self._watch_uvloop)
        runtime.when_imported("selectors", self._watch_selectors)
        runtime.when_imported("asyncio.events", self._watch_running)

    def reset(self) -> None:
        """A forked process runs none of its parent's loops."""
        self._told.clear()
        self._hidden = False
        self._turns = self._total_ns = self._longest_ns = 0
        self._idle_ns = 0

    def idle_ns(self) -> Optional[int]:
        """For how long event loops had nothing to do so far; None where that of the running one is not known."""
        running = sys.modules["asyncio.events"]._get_running_loop() if "asyncio.events" in sys.modules else None
        is_known = running is not None and id(getattr(running, "_selector", None)) in self._told
        return self._idle_ns if is_known else None

    def record(self) -> Dict[str, Any]:
        """As JSON-able data."""
        total, longest = self._total_ns / 1e9, self._longest_ns / 1e9
        return {"turns": self._turns, "total": total, "longest": longest, "hidden": self._hidden}

    def _watch_uvloop(self, uvloop: Any) -> None:
        def runs(*arguments: Any) -> None:
            self._hidden = True

        for name in ("run_until_complete", "run_forever"):
            self._tools.replace(uvloop.Loop, name, self._tools.before(runs))

    def _watch_selectors(self, selectors: Any) -> None:
        for name in _SELECTORS:
            kind = getattr(selectors, name, None)
            if kind is not None and "select" in vars(kind):
                self._tools.replace(kind, "select", self._asking)

    def _asking(self, original: Callable[..., Any]) -> Callable[..., Any]:
        told, ended, hide_frame, is_of_a_loop = self._told, self._ended, self._tools.hide_frame, self._is_of_a_loop

        def select(selector: Any, *arguments: Any, **options: Any) -> Any:
            key = id(selector)
            since = told.get(key)
            asked = perf_counter_ns()
            if since is not None and asked - since >= LONG_NS:
                ended(selector, since)
            try:
                result = original(selector, *arguments, **options)
            except BaseException as error:
                hide_frame(error)
                raise
            told[key] = now = perf_counter_ns()
            if is_of_a_loop(selector):
                self._idle_ns += now - asked
            return result

        return select

    def _watch_running(self, events: Any) -> None:
        def running(loop: Any) -> None:
            """None: the loop that ran stops, and its last turn ends."""
            selector = getattr(loop or events._get_running_loop(), "_selector", None)
            since = self._told.pop(id(selector), None)
            if loop is None and since is not None and perf_counter_ns() - since >= LONG_NS:
                self._ended(selector, since)

        self._tools.replace(events, "_set_running_loop", self._tools.before(running))

    @staticmethod
    def _is_of_a_loop(selector: Any) -> bool:
        """Others use selectors, too."""
        loop = sys.modules["asyncio.events"]._get_running_loop() if "asyncio.events" in sys.modules else None
        return loop is not None and getattr(loop, "_selector", None) is selector

    def _ended(self, selector: Any, since: int) -> None:
        if self._is_of_a_loop(selector):
            spent = perf_counter_ns() - since
            self._turns += 1
            self._total_ns += spent
            self._longest_ns = max(self._longest_ns, spent)
