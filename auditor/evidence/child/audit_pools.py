"""Workers of a `multiprocessing.Pool`: they are killed while they wait for a task, and write their records down before.

`with Pool() as pool` ends in `terminate()`, which no handler of the interpreter's end survives. What a worker did is
known in full if it is written down whenever there is nothing for it to do.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import functools
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PAUSE_NS = 20_000_000
"""Writing records down takes about a millisecond. A worker does so no more often than this, unless it is idle."""


def hook(pool: Any, rest: Callable[[bool], None]) -> None:
    """Have `rest(True)` called by a worker with nothing to do, and `rest(False)` when it goes on."""
    original = pool.worker

    @functools.wraps(original)
    def worker(inqueue: Any, outqueue: Any, *arguments: Any, **options: Any) -> Any:
        # a pool of threads has other queues
        if hasattr(inqueue, "_reader"):
            between = _Between(inqueue, rest)
            inqueue, outqueue = _Queue(inqueue, between.get), _Queue(outqueue, None, between.giving(outqueue.put))
        return original(inqueue, outqueue, *arguments, **options)

    pool.worker = worker


class _Between:
    """What a worker does between two tasks."""

    def __init__(self, tasks: Any, rest: Callable[[bool], None]) -> None:
        self._tasks = tasks
        self._rest = rest
        self._rested_ns = 0
        self._is_at_rest = False

    def giving(self, put: Callable[[Any], None]) -> Callable[[Any], None]:
        """Who gets the last result may end the pool at once, so that records are written down before."""

        def give(result: Any) -> None:
            if perf_counter_ns() - self._rested_ns > PAUSE_NS:
                self._settle(0.0)
            put(result)

        return give

    def get(self) -> Any:
        """As the queue's own; what is there soon is waited for."""
        if not self._is_at_rest:
            self._settle(PAUSE_NS / 1e9)
        try:
            return self._tasks.get()
        finally:
            if self._is_at_rest:
                self._is_at_rest = False
                self._rest(False)

    def _settle(self, timeout_s: float) -> None:
        try:
            if not self._tasks._reader.poll(timeout_s):
                self._rest(True)
                self._is_at_rest = True
                self._rested_ns = perf_counter_ns()
        except Exception:
            pass


class _Queue:
    """A queue, of which some methods are others."""

    def __init__(self, queue: Any, get: Any = None, put: Any = None) -> None:
        self._queue = queue
        self.get = get or queue.get
        self.put = put or queue.put

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_queue"), name)
