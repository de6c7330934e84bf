"""Time during which at least one of several executions is under way, whatever tasks and threads they are in.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

from _thread import RLock
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Dict, List, Optional, Tuple

    Row = Tuple[str, float, float, float, str, int]


class Meter:
    """Adds up the time with one or more under way, and with exactly one."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew; of a lock that another thread held at a fork there is no end to be seen."""
        # a finaliser may call from within a call
        self._lock = RLock()
        self._under_way = 0
        self._since = 0
        self.hits = self.any_ns = self.alone_ns = self.longest_ns = 0

    def begin(self, at: Optional[int] = None) -> int:
        """One more is under way from now on, or `at` by a clock of the caller's own; hand what is returned to `end`."""
        with self._lock:
            self.hits += 1
            now = perf_counter_ns() if at is None else at
            self._advance(now)
            self._under_way += 1
            return now

    def end(self, begun: int, now: int) -> None:
        """The one that began then ended now."""
        with self._lock:
            self._advance(now)
            self._under_way = max(0, self._under_way - 1)
            if now - begun > self.longest_ns:
                self.longest_ns = now - begun

    def _advance(self, now: int) -> None:
        passed = now - self._since
        if self._under_way and passed > 0:
            self.any_ns += passed
            if self._under_way == 1:
                self.alone_ns += passed
        self._since = max(now, self._since)

    def record(self, instrument: List[int]) -> Dict[str, Any]:
        """As JSON-able data; what is still under way counts up to now. `instrument` is as `instrument_ns` gives it."""
        with self._lock:
            self._advance(perf_counter_ns())
            return {
                "hits": self.hits,
                "any": self.any_ns,
                "alone": self.alone_ns,
                "longest": self.longest_ns,
                "instrument": instrument,
            }


class Waits:
    """Time in which any execution waits, and the part of it in which the event loop has nothing to do.

    `idle_ns` tells for how long it had nothing to do so far, None if that is not known.
    """

    def __init__(self, idle_ns: Callable[[], Optional[int]]) -> None:
        self._idle_ns = idle_ns
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.all = Meter()
        self._idle = Meter()
        self._is_known = True

    def begin(self, gives_way: bool = True) -> Tuple[int, Optional[int]]:
        """One waits from now on; hand what is returned to `end`. What does not give way holds up the loop itself."""
        idle = self._idle_ns() if gives_way else None
        if idle is None:
            self._is_known = False
        else:
            self._idle.begin(idle)
        return self.all.begin(), idle

    def end(self, begun: Tuple[int, Optional[int]]) -> None:
        """The one that began then goes on."""
        now = perf_counter_ns()
        since, idle = begun
        self.all.end(since, now)
        if idle is not None:
            until = self._idle_ns()
            self._idle.end(idle, idle if until is None else until)

    def record(self, instrument: List[int]) -> Dict[str, Any]:
        """As of all, with "idle", which is None where it is not known."""
        return {**self.all.record(instrument), "idle": self._idle.any_ns if self._is_known else None}


def idle_part(record: Dict[str, Any]) -> int:
    """Time in which any waited and the loop had nothing to do; all of it where that is not known.

    Of several loops in several threads, the times without work may add up to more than there is.
    """
    everything: int = record["any"]
    return everything if record["idle"] is None else min(everything, record["idle"])


def instrument_ns(once: Callable[[Meter], Any]) -> List[int]:
    """Cost of metering nothing in ns (5th, 50th, 95th percentile), where `once` begins and ends one execution."""
    meter = Meter()
    costs = []
    for _ in range(400):
        before = meter.any_ns
        once(meter)
        costs.append(meter.any_ns - before)
    costs.sort()
    return [costs[20], costs[200], costs[380]]


def meter_rows(records: Sequence[Dict[str, Any]], metric: str) -> Iterator[Row]:
    """The time with any under way: between the most and the sum, as processes and sites may overlap or not."""
    hits = sum(record["hits"] for record in records)
    spans = [_span(record) for record in records]
    value = max((span[1] for span in spans), default=0.0)
    low = max((span[0] for span in spans), default=0.0)
    yield metric, value, low, sum(span[2] for span in spans), "s", hits


def _span(record: Dict[str, Any]) -> Tuple[float, float, float]:
    """Seconds (least, likely, most) with the instrument's cost taken off."""
    cheap, typical, dear = record["instrument"]
    least, likely, most = (max(0, record["any"] - record["hits"] * cost) / 1e9 for cost in (dear, typical, cheap))
    return least, likely, most


def largest(records: Sequence[Dict[str, Any]], key: str, metric: str) -> Row:
    """The greatest of a number of nanoseconds over all records."""
    value = max((record[key] for record in records), default=0) / 1e9
    return metric, value, value, value, "s", sum(record["hits"] for record in records)
