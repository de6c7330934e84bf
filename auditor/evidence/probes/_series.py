"""Lengths of containers over the items put into them, at a bounded number of points. Containers are known by address.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, Dict, List, Tuple

    Row = Tuple[str, float, float, float, str, int]

MOST_POINTS = 256
MOST_LINES = 64
"""Containers followed at once; beyond, the shorter half of them is let go."""


class Line:
    """The length of one container over the items put into it."""

    __slots__ = ("depth", "points", "puts", "stride")

    def __init__(self) -> None:
        self.puts = self.depth = 0
        self.points: List[Tuple[int, int]] = []
        self.stride = 1

    def add(self, length: int, puts: int = 1) -> None:
        """The container is that long after so many more items were put in."""
        before = self.puts
        self.puts += puts
        if length > self.depth:
            self.depth = length
        if self.puts // self.stride > before // self.stride:
            self.points.append((self.puts, length))
            if len(self.points) > MOST_POINTS:
                self.stride *= 2
                self.points = self.points[1::2]


class Series:
    """The containers of one site; the longest of them speaks for the site.

    A container that died cannot be told from one that was emptied if another takes its address. It then counts as
    emptied, which is the more harmless of the two.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.puts = 0
        self._lines: Dict[Any, Line] = {}

    def add(self, key: Any, length: int, puts: int = 1, is_counted: bool = True) -> None:
        """A container is that long after so many more items were put into it.

        Not counted are those into a container around the one that an item was put into.
        """
        if is_counted:
            self.puts += puts
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) >= MOST_LINES:
                kept = sorted(self._lines.copy().items(), key=lambda item: item[1].depth)[MOST_LINES // 2 :]
                self._lines = dict(kept)
            line = self._lines.setdefault(key, Line())
        line.add(length, puts)

    def record(self) -> Dict[str, Any]:
        """As JSON-able data."""
        longest = max(self._lines.copy().values(), key=lambda line: line.depth, default=None)
        return {
            "puts": self.puts,
            "depth": longest.depth if longest else 0,
            "points": list(longest.points) if longest else [],
            "line_puts": longest.puts if longest else 0,
        }


def length_rows(records: Sequence[Dict[str, Any]]) -> Iterator[Row]:
    """Puts of all containers; greatest length and slope of the longest one of all processes."""
    from auditor.evidence.probes.queue import slope_of

    puts = sum(record["puts"] for record in records)
    yield "puts", puts, puts, puts, "puts", puts
    longest = max(records, key=lambda record: int(record["depth"]), default=None)
    if longest is None or not puts:
        return
    yield "depth_max", longest["depth"], longest["depth"], longest["depth"], "items", puts
    slope = slope_of(longest["points"])
    if slope is not None:
        yield ("depth_slope", *slope, "items per put", longest["line_puts"])
