"""Queues made at an expression: items put in, greatest length, and how the length grows with the items put in.

The method that stores an item is replaced in the class that defines it, and counts for queues made at a site only: the
queue itself keeps its attributes, can be copied, and dies when it would have died.
"""

from __future__ import annotations

import ast
import copy
import math
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any, Dict, List, Optional, Set, Tuple

    from auditor.evidence.probes import _census
    from auditor.evidence.probes._census import Row
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_census", os.path.join(os.path.dirname(__file__), "_census.py"))
    _census = module_from_spec(_spec)
    _spec.loader.exec_module(_census)

NAME = "queue"
NODES = (ast.Call, ast.Name, ast.Attribute)

MOST_POINTS = 256
FEWEST_POINTS = 20
STRETCHES = 10
# Student's distribution for ten stretches, two-sided
T95 = 2.262


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> Dict[ast.AST, Any]:
    """Let the new queue pass through `made`; of a class that is handed over to be called, each that it makes."""
    if not isinstance(node, ast.Call):
        return {node: lambda kind: call("maker", kind)}
    return {node: lambda made: call("made", made)}


class _Line:
    """The length of one queue over the items put into it, at a bounded number of points.

    `owner` is the class whose method counts: one that it calls by `super()` does not count again.
    """

    def __init__(self, recorder: Recorder, owner: Any, measure: str) -> None:
        self.recorder = recorder
        self.owner = owner
        self.measure = measure
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.puts = self.depth = self.taken = self.filled = 0
        self.escaped = False
        self.points: List[Tuple[int, int]] = []
        self._stride = 1

    def put(self, queue: Any) -> None:
        """An item was put in."""
        self.puts += 1
        try:
            length = getattr(queue, self.measure)()
        except NotImplementedError:
            self.escaped = True  # semaphores cannot be read on this system
            return
        if length >= self.puts and not self.taken:
            self.filled = self.puts
        if length > self.depth:
            self.depth = length
        if self.puts % self._stride == 0:
            self.points.append((self.puts, length))
            if len(self.points) > MOST_POINTS:
                self._stride *= 2
                self.points = self.points[1::2]
        self.recorder.runtime.tick()

    def take(self) -> None:
        """An item was taken out."""
        self.taken += 1
        self.recorder.runtime.tick()


class Recorder:
    """All queues of one site."""

    def __init__(self, runtime: Any, site: Mapping[str, Any]) -> None:
        self.runtime = runtime
        self._lines: Dict[int, _Line] = {}
        self._begin()

    def _begin(self) -> None:
        self._hits = self._unmeasured = self._past_puts = self._past_taken = 0
        self._past: Optional[_Line] = None
        self._takes_seen = True

    def functions(self) -> Dict[str, Callable[..., Any]]:
        """What the planted code calls."""
        return {"made": self.made, "maker": self.maker}

    def maker(self, kind: Any) -> Any:
        """What makes queues of that class, each of which is counted."""
        return _Maker(kind, self.made)

    def made(self, queue: Any) -> Any:
        """A queue was made; the C type's is given back as one whose method can count."""
        self._hits += 1
        try:
            queue = _countable(queue)
            if not self._watch(queue):
                self._unmeasured += 1
            self.runtime.tick()
        except Exception:
            self._unmeasured += 1
        return queue

    def _watch(self, queue: Any) -> bool:
        method, measure = _how(queue)
        owner = _definer(type(queue), method)
        if owner is None:
            return False
        _replace(owner, method)
        self._takes_seen = _replace_taking(type(queue)) and self._takes_seen
        line = _Line(self, owner, measure)
        _known.add(queue, [*(_known.get(queue) or ()), line])
        self._lines[id(line)] = line
        return True

    def forget(self, line: _Line) -> None:
        """A queue is gone; the longest of those is remembered."""
        self._lines.pop(id(line), None)
        self._past_puts += line.puts
        self._past_taken += line.taken
        self._unmeasured += line.escaped
        if self._past is None or line.depth > self._past.depth:
            self._past = line

    def hits(self) -> int:
        """Executions so far."""
        return self._hits

    def record(self, final: bool) -> Dict[str, Any]:
        """What was counted so far."""
        lines = list(self._lines.copy().values())
        deepest = max([*lines, *([self._past] if self._past else [])], key=lambda line: line.depth, default=None)
        return {
            "hits": self._hits,
            "puts": self._past_puts + sum([line.puts for line in lines]),
            "unmeasured": self._unmeasured + sum([line.escaped for line in lines]),
            "depth": deepest.depth if deepest else 0,
            "deepest_puts": deepest.puts if deepest else 0,
            "points": list(deepest.points) if deepest else [],
            "taken": deepest.taken if deepest and self._takes_seen else None,
            "taken_here": self._past_taken + sum([line.taken for line in lines]),
            "filled": deepest.filled if deepest else 0,
            "between_processes": deepest is not None and _is_between(deepest.owner),
        }

    def reset(self) -> None:
        """A forked process has its own copies of the queues, or is one more that puts into them."""
        self._begin()
        for line in self._lines.copy().values():
            line.clear()


class _Maker:
    """Stands in for a class that is handed over to be called; a copy of it, pickled or not, is the class itself."""

    def __init__(self, kind: Any, made: Callable[..., Any]) -> None:
        self._kind = kind
        self._made = made

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._made(self._kind(*arguments, **options))

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_kind"), name)

    def __repr__(self) -> str:
        return repr(self._kind)

    def __eq__(self, other: object) -> bool:
        return bool(self._kind == other)

    def __hash__(self) -> int:
        return hash(self._kind)

    def __reduce__(self) -> Tuple[Any, Tuple[Any]]:
        return copy.copy, (self._kind,)


def rows(records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Puts add up; length and slope are those of the longest queue of all processes."""
    seen = list(records)
    hits, puts = _census.total(seen, "hits"), _census.total(seen, "puts")
    yield _census.exact("hits", hits, "executions", hits)
    yield _census.exact("puts", puts, "items", hits)
    if not seen or any(record["unmeasured"] for record in seen):
        return
    deepest = max(seen, key=lambda record: int(record["depth"]))
    yield _census.exact("depth_max", deepest["depth"], "items", puts)
    yield from course_rows([(point[0], point[1]) for point in deepest["points"]])
    # of several queues between processes it is not known which one an item was taken from
    if deepest["taken"] is not None and (not deepest["between_processes"] or hits == 1):
        left = deepest["deepest_puts"] - deepest["taken"]
        if deepest["between_processes"]:
            left = puts - _census.total(seen, "taken_here")
        left = max(0, left)
        yield _census.exact("depth_end", left, "items", puts)
        yield _census.exact("filled_first", deepest["filled"], "items", puts)
    slope = slope_of(deepest["points"])
    if slope is not None:
        # of a queue between processes each sees the whole length, but its own puts only
        part = deepest["deepest_puts"] / puts if deepest["between_processes"] and puts else 1.0
        value, low, high = (end * part for end in slope)
        yield "depth_slope", value, low, high, "items per put", deepest["deepest_puts"]


def course_rows(points: Sequence[Tuple[int, int]]) -> Iterator[Row]:
    """The greatest length in the latter half of the puts, as far as it was looked at often enough."""
    late = [length for puts, length in points if puts > points[-1][0] / 2]
    if len(late) >= FEWEST_POINTS:
        yield _census.exact("depth_late", max(late), "items", len(late))


def slope_of(points: Sequence[Sequence[float]]) -> Optional[Tuple[float, float, float]]:
    """Slope of the length over the puts by least squares, with its 95 % interval; None for too few points.

    A length is where the one before it was, give or take a step, so residuals of the line tell too little: taken as
    independent, or by Newey and West over a fifth of the series, the interval held the slope of a random walk 35 times
    in 100. What the length wanders by comes from its changes over ten stretches, which may resemble one another inside
    a stretch; the slope of a random walk of that variance per put has 6/5 of it over the number of puts (Durlauf and
    Phillips, "Trends versus random walks in time series analysis", Econometrica 56, 1988). That holds 92 to 100 times
    in 100, over consumers from half to ten times as slow as the producer and 200 to 20,000 puts.
    """
    from itertools import pairwise  # from Python 3.10 on, which is the auditor's own

    n = len(points)
    if n < FEWEST_POINTS:
        return None
    middle_x, middle_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    slope = sum((x - middle_x) * (y - middle_y) for x, y in points) / sum((x - middle_x) ** 2 for x, _ in points)
    ends = [points[round(number * (n - 1) / STRETCHES)] for number in range(STRETCHES + 1)]
    puts = ends[-1][0] - ends[0][0]
    drift = (ends[-1][1] - ends[0][1]) / puts
    steps = [(right[0] - left[0], right[1] - left[1]) for left, right in pairwise(ends)]
    per_put = sum((rise - drift * run) ** 2 / run for run, rise in steps) / (STRETCHES - 1)
    half = T95 * math.sqrt(6 / 5 * per_put / puts)
    return slope, slope - half, slope + half


def _say_farewell(lines: Sequence[_Line]) -> None:
    for line in lines:
        line.recorder.forget(line)


_known = _census.Known(_say_farewell)
_replaced: Set[Tuple[Any, str]] = set()
_countables: Dict[Any, Any] = {}


def _replace(owner: Any, method: str) -> None:
    if (owner, method) in _replaced:
        return
    _replaced.add((owner, method))

    def stored(queue: Any, *arguments: Any) -> None:
        for line in _known.get(queue) or ():
            if line.owner is owner:
                line.put(queue)

    _census.replace(owner, method, _census.after(stored))
    if _is_between(owner):
        _census.replace(owner, "__getstate__", _census.before(_escapes))


def _replace_taking(kind: Any) -> bool:
    """Have items that are taken counted, if queues of this class tell."""
    if kind in _countables.values():
        return True
    method = "get" if _is_between(kind) else "_get"
    owner = _definer(kind, method)
    if owner is None:
        return False
    if (owner, method) not in _replaced:
        _replaced.add((owner, method))
        _census.replace(owner, method, _census.after(_counting_taken(owner, method)))
    return True


def _counting_taken(owner: Any, method: str) -> Callable[..., None]:
    def taken(queue: Any, *arguments: Any) -> None:
        # a method that another one overrides and calls by `super()` does not count again
        if _definer(type(queue), method) is owner:
            for line in _known.get(queue) or ():
                line.take()

    return taken


def _escapes(queue: Any) -> None:
    """It goes to a process that was not forked, whose puts are not seen."""
    for line in _known.get(queue) or ():
        line.escaped = True


def _countable(queue: Any) -> Any:
    """A queue of the C type is new and empty here: one of a subclass stands in for it, under the same name."""
    simple = getattr(sys.modules.get("_queue"), "SimpleQueue", None)
    if simple is None or type(queue) is not simple:
        return queue
    if simple not in _countables:
        names = {"__slots__": (), "__module__": simple.__module__, "__doc__": simple.__doc__}
        kind = _countables[simple] = type(simple.__name__, (simple,), names)
        _replaced.add((kind, "put"))

        def stored(one: Any, *arguments: Any) -> None:
            for line in _known.get(one) or ():
                line.put(one)

        def taken(one: Any, *arguments: Any) -> None:
            for line in _known.get(one) or ():
                line.take()

        for method in ("put", "put_nowait"):
            _census.replace(kind, method, _census.after(stored))
        for method in ("get", "get_nowait"):
            _census.replace(kind, method, _census.after(taken))
    return _countables[simple]()


def _definer(kind: Any, method: str) -> Any:
    return next((base for base in kind.__mro__ if method in vars(base)), None)


def _how(queue: Any) -> Tuple[str, str]:
    """The method that stores an item, and one that tells the length and takes no lock: it is called under them."""
    kind = type(queue)
    if hasattr(kind, "_qsize"):
        return "_put", "_qsize"
    if issubclass(kind, getattr(sys.modules.get("asyncio.queues"), "Queue", ())):
        return "_put", "qsize"
    if kind in _countables.values() or _is_between(kind):
        return "put", "qsize"
    return "", ""


def _is_between(kind: Any) -> bool:
    """Whether it is a queue between processes, whose length is kept in a semaphore that all of them share."""
    shared = getattr(sys.modules.get("multiprocessing.queues"), "Queue", None)
    return shared is not None and issubclass(kind, shared)
