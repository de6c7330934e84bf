"""Time during which at least one of several executions is under way, whatever tasks and threads they are in.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

from _thread import RLock, get_native_id
from time import get_clock_info, perf_counter_ns, thread_time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, Dict, List, Optional, Set, Tuple

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

    `idle_ns` tells for how long it had nothing to do so far. Where it says None, time counts in which the loop's thread
    uses no processor; for how long it wanted one is taken off the lower end.
    """

    def __init__(self, idle_ns: Callable[[], Optional[int]]) -> None:
        self._idle_ns = idle_ns
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.all = Meter()
        self._idle = Meter()
        # by which clocks idle time was told
        self._clocks: Set[str] = set()
        self._threads: Set[int] = set()

    def begin(self, gives_way: bool = True) -> Tuple[int, int, str]:
        """One waits from now on; hand what is returned to `end`. What does not give way holds up the loop itself."""
        known = self._idle_ns() if gives_way else None
        clock = "wall" if not gives_way or not _EXACT else "thread" if known is None else "loop"
        self._clocks.add(clock)
        if clock == "thread":
            self._threads.add(get_native_id())
        since = self.all.begin()
        idle = since if clock == "wall" else known if known is not None else _unused_ns()
        if clock != "wall":
            self._idle.begin(idle)
        return since, idle, clock

    def end(self, begun: Tuple[int, int, str]) -> None:
        """The one that began then goes on."""
        now = perf_counter_ns()
        since, idle, clock = begun
        self.all.end(since, now)
        if clock != "wall":
            until = self._idle_ns() if clock == "loop" else _unused_ns()
            self._idle.end(idle, idle if until is None else until)

    def record(self, instrument: List[int]) -> Dict[str, Any]:
        """As of all, with "idle", None where it is not known, and whether the loop itself told it."""
        told = len(self._clocks) == 1 and "wall" not in self._clocks
        idle = self._idle.any_ns if told else None
        queued = sum(map(_queued_ns, self._threads))
        own = {"idle": idle, "is_told": told and "loop" in self._clocks, "queued": queued}
        return {**self.all.record(instrument), **own}


_EXACT = get_clock_info("thread_time").resolution < 1e-6
_open = open  # the program may put another in its place


def _unused_ns() -> int:
    return perf_counter_ns() - thread_time_ns()


def _queued_ns(thread: int) -> int:
    """For how long a thread waited for a processor so far, where the kernel says so."""
    try:
        with _open("/proc/self/task/%d/schedstat" % thread, "rb") as file:
            return int(file.read().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def waited_rows(records: Sequence[Dict[str, Any]]) -> Iterator[Row]:
    """`waited`, and `suspended`, of which it is the part without work, where loops told when they had none."""
    if all(record["is_told"] for record in records):
        yield from meter_rows(records, "suspended")
    queued = max((record["queued"] for record in records), default=0) / 1e9
    for metric, value, low, high, unit, n in meter_rows([{**one, "any": idle_part(one)} for one in records], "waited"):
        yield metric, value, max(0.0, low - queued), high, unit, n


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
