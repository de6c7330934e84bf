"""How many objects stay, over the executions of the code around them: a leak goes on, a pool and a cache fill.

What is alive now may be under way. What counts as kept at a moment is the least that was alive from then on, so that
objects that come and go, however many at once, are none of it. Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, Dict, List, Optional, Tuple

    Row = Tuple[str, float, float, float, str, int]

MOST_POINTS = 32
"""Looks at all that is alive; an object is looked at by no more than so many of them, however many there are."""
FEWEST_POINTS = 5
NONE_SEEN = 3.0
"""None of them seen may still have been up to so many by chance, once in twenty times."""


class Course:
    """How many objects of one site were standing as they were made, at a bounded number of points.

    `standing` counts those alive now and those left for good so far; None where that cannot be told.
    """

    def __init__(self, units: Any, standing: Callable[[], Optional[int]]) -> None:
        self._units = units
        self._standing = standing
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._stride = 1
        self._begun: Optional[int] = None
        # units, those that stood
        self._points: List[Tuple[int, int]] = []
        self._is_known = True

    def made(self, created: int) -> None:
        """Another one is there."""
        if created % self._stride or not self._is_known:
            return
        if self._begun is None:
            self._begun = self._now(created) - 1
        alive = self._standing()
        if alive is None:
            self._is_known = False
            return
        self._points.append((self._now(created), alive))
        if len(self._points) > MOST_POINTS:
            self._stride *= 2
            self._points = self._points[1::2]

    def record(self, created: int) -> Dict[str, Any]:
        """As JSON-able data; the last point says when it was taken, and what stood at the one before it."""
        points = list(self._points) if self._is_known else []
        if points:
            points = [(self._begun or 0, 0), *points, (self._now(created), points[-1][1])]
        return {"points": points}

    def _now(self, created: int) -> int:
        """Where executions are not counted, each object stands for one."""
        return self._units.now() or created


def kept_rows(records: Sequence[Mapping[str, Any]], unit: str, units: Any) -> Iterator[Row]:
    """What was kept in the second and third quarter of the executions, in the process that kept most then.

    The first quarter is warming up, and the last one shows what stays. `units` is the module `_units`.
    """
    told = [found for found in (middle_of(record, units) for record in records) if found is not None]
    if not told:
        return
    early, late, executions = max(told, key=lambda one: one[0] + one[1])
    kept = early + late
    half = 2 * kept**0.5
    low, high, per = max(0.0, kept - half), max(NONE_SEEN, kept + half), 2 / executions
    yield "kept", kept, low, high, unit, executions
    yield "kept_rate", kept * per, low * per, high * per, "per execution", executions
    if early > 0:
        yield ("lasting", *units.part_of(early, late), "ratio", executions)


def middle_of(record: Mapping[str, Any], units: Any) -> Optional[Tuple[float, float, int]]:
    """What was kept in the second quarter and in the third, and all executions."""
    if len(record["points"]) < FEWEST_POINTS:
        return None
    course = floor_of(record["points"])
    executions = course[-1][1] - course[0][1]
    if executions < FEWEST_POINTS:
        return None
    gained = units.gains(course, 1)
    return gained[1], gained[2], executions


def floor_of(points: Sequence[Sequence[int]]) -> List[Tuple[int, int]]:
    """(kept, units) from the first one on: the least that stood at each point and at any later one."""
    floor: List[Tuple[int, int]] = []
    least = points[-1][1]
    for units, alive in reversed(points):
        least = min(least, alive)
        floor.append((least, units))
    return floor[::-1]
