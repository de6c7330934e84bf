"""Lengths of containers over the items put into them, at a bounded number of points. Containers are known by address.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Dict, List, Tuple

    Row = Tuple[str, float, float, float, str, int]
    # puts, greatest length so far, units, milliseconds since the first put; the length then
    Point = Tuple[int, int, int, int, int]

MOST_POINTS = 128
MOST_LINES = 64
NEARLY = 0.9
QUIET_MS = 500
"""A shorter time without growth is no more than the program's end takes."""
"""Containers followed at once; beyond, the shorter half of them is let go."""


class Line:
    """The length of one container over the items put into it."""

    __slots__ = ("depth", "points", "puts", "stride")

    def __init__(self) -> None:
        self.puts = self.depth = 0
        self.points: List[Point] = []
        self.stride = 1

    def add(self, length: int, puts: int, units: Any, begun_ns: int) -> bool:
        """The container is that long after so many more items were put in. Whether it never was as long before."""
        before = self.puts
        self.puts += puts
        grew = length > self.depth
        if grew:
            self.depth = length
        if self.puts // self.stride > before // self.stride:
            passed = (perf_counter_ns() - begun_ns) // 1_000_000
            self.points.append((self.puts, self.depth, units.now(), passed, length))
            if len(self.points) > MOST_POINTS:
                self.stride *= 2
                self.points = self.points[1::2]
        return grew


class Series:
    """The containers of one site; the longest of them speaks for the site.

    `units` counts how often the code around the site is executed: `now()`, `calls()` and `asks`. A container that died
    cannot be told from one that was emptied if another takes its address. It then counts as emptied, which is the more
    harmless of the two.
    """

    def __init__(self, units: Any) -> None:
        self._units = units
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.puts = 0
        self._lines: Dict[Any, Line] = {}
        self._begun_ns = 0
        # units and puts when any of the containers was last longer than ever before
        self._grew = (0, 0)

    def add(self, key: Any, length: int, puts: int = 1, is_counted: bool = True) -> None:
        """A container is that long after so many more items were put into it.

        Not counted are those into a container around the one that an item was put into.
        """
        if is_counted:
            self.puts += puts
        self._begun_ns = self._begun_ns or perf_counter_ns()
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) >= MOST_LINES:
                kept = sorted(self._lines.copy().items(), key=lambda item: item[1].depth)[MOST_LINES // 2 :]
                self._lines = dict(kept)
            line = self._lines.setdefault(key, Line())
        if line.add(length, puts, self._units, self._begun_ns):
            self._grew = self._units.now(), self.puts

    def record(self) -> Dict[str, Any]:
        """As JSON-able data."""
        longest = max(self._lines.copy().values(), key=lambda line: line.depth, default=None)
        units, puts = self._units.now(), self.puts
        return {
            "puts": puts,
            "depth": longest.depth if longest else 0,
            "points": list(longest.points) if longest else [],
            "line_puts": longest.puts if longest else 0,
            "units": units,
            "calls": self._units.calls(),
            "recurs": getattr(self._units, "recurs", False),
            "passed": (perf_counter_ns() - self._begun_ns) // 1_000_000 if self._begun_ns else 0,
            # only what looks for an entry first shows by executing that it has enough of them
            "quiet": units - self._grew[0] if self._units.asks else puts - self._grew[1],
            "rounds": units if self._units.asks else puts,
        }


def length_rows(records: Sequence[Dict[str, Any]]) -> Iterator[Row]:
    """Puts of all containers; greatest length and slope of the longest one of all processes, and whether it goes on."""
    from auditor.evidence.probes._units import lasting_row
    from auditor.evidence.probes.queue import course_rows, slope_of

    puts = sum(record["puts"] for record in records)
    yield "puts", puts, puts, puts, "puts", puts
    longest = max(records, key=lambda record: int(record["depth"]), default=None)
    if longest is None or not puts:
        return
    yield "depth_max", longest["depth"], longest["depth"], longest["depth"], "items", puts
    yield from course_rows([(point[0], point[4]) for point in longest["points"]])
    slope = slope_of([(point[0], point[4]) for point in longest["points"]])
    if slope is not None:
        yield ("depth_slope", *slope, "items per put", longest["line_puts"])
    # another process may have gone on for as long as this one was quiet
    quietest = min((record for record in records if record["puts"]), key=lambda record: int(record["quiet"]))
    quiet, rounds = quietest["quiet"], quietest["rounds"]
    yield "quiet", quiet, quiet, quiet, "executions", rounds
    yield "rounds", rounds, rounds, rounds, "executions", rounds
    passed = longest["passed"]
    full = next((point[3] for point in longest["points"] if point[1] >= NEARLY * longest["depth"]), passed)
    if passed - full >= QUIET_MS:
        spread = full / passed
        yield "spread", spread, spread, spread, "ratio", puts
    if longest["units"]:
        course = [point[1:4] for point in longest["points"]]
        begin, end = (0, 0, 0), (longest["depth"], longest["units"], longest["passed"])
        yield from lasting_row([begin, *course, end], longest["calls"], longest["recurs"])
