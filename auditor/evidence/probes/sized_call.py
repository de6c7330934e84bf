"""Probe `sized-call`: how long a call takes once its operands are there, at which size; or a subscript or unpacking.

The clock starts as the last operand has been evaluated and stops when the call returns. In between, the frame in which
the site stands cannot run on, so what belongs to one execution is told by the frame's address: recursion, threads and
coroutines cannot mix it up. An execution that raises took until the exception leaves its statement.
"""

from __future__ import annotations

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from auditor.evidence.probes import _sized_operands
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location(
        "audit_sized_operands", os.path.join(os.path.dirname(__file__), "_sized_operands.py")
    )
    _sized_operands = module_from_spec(_spec)
    _spec.loader.exec_module(_sized_operands)

NAME = "sized-call"
NODES = _sized_operands.NODES
plant = _sized_operands.plant

_VIEWS: tuple[type, ...] = (type({}.keys()), type({}.values()), type({}.items()))
_SIZED = (list, str, bytes, tuple, dict, set, frozenset, bytearray, range, *_VIEWS)
_TABLES = ("numpy", "pandas", "polars")
"""Packages whose objects know their length without running anything of the program's."""
_INDEXERS = ("_LocIndexer", "_AtIndexer")
_PATTERNS = ("re", "_sre", "regex", "_regex", "re2")
_REPLACING = ("sub", "subn")
_CONSTANT_ELSEWHERE = ("pop", "insert", "index", "count", "remove")
"""Methods of a list for which another container has one of constant time."""
MANY = 64
"""Up to so many items, what is done with each may be dearer than going through them."""
_MODULE = type(sys)
_HEAP_TYPE = 1 << 9
FORGOTTEN = 4_096
"""Executions that raised leave an entry; so many are kept, until an entry of the same address takes their place."""


class _Open:
    """One execution between its first operand and its end."""

    __slots__ = ("begun", "gap", "size", "skip")

    def __init__(self, size: int, skip: int = 0) -> None:
        self.size = size
        self.skip = skip
        self.begun = self.gap = 0


class Recorder:
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._runtime = runtime
        self._samples = runtime.timing.Samples()
        self._lookup_ns = 0.0
        self._skips = runtime.timing.Skips(self._samples)
        self._clock = Clock(self._samples, runtime.tick, self._skips.plan)
        self._instrument: list[int] = []

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        return {"skip": self._skips.skip, **_first_functions(self._clock), **_last_functions(self._clock)}

    def hits(self) -> int:
        """Executions so far."""
        self._skips.settle()
        return self._samples.hits  # type: ignore[no-any-return]

    def _alternative_ns(self) -> float:
        """What the same takes in the alternative that does not grow with size, or grows by a look-up for each part."""
        clock, samples = self._clock, self._samples
        is_long = samples.size_min > MANY
        if not (clock.comparable or (is_long and (clock.scans or clock.joins))):
            return 0.0
        self._lookup_ns = self._lookup_ns or self._runtime.timing.set_lookup_ns()
        return self._lookup_ns * (samples.size_max if clock.joins else 1)

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        if not self._instrument:
            self._instrument = _instrument_ns()
        self._skips.settle()
        return {**self._samples.record(), "instrument": self._instrument, "lookup_ns": self._alternative_ns()}

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._skips.reset()
        self._clock.opened.clear()


class Clock:
    """The executions under way, by the address of the frame in which they are."""

    def __init__(self, samples: Any, tick: Callable[[], None], plan: Callable[[], None]) -> None:
        self.samples = samples
        self.tick = tick
        self.plan = plan
        self.comparable = self.scans = self.joins = False
        self.opened: dict[int, _Open] = {}

    def open(self, key: int, entry: _Open) -> None:
        """The first operand is there."""
        if len(self.opened) >= FORGOTTEN:
            self.opened.clear()
        self.opened[key] = entry

    def begin(self, key: int, argument: Any = None, is_asked: bool = False) -> None:
        """The last operand is there."""
        entry = self.opened.get(key)
        if entry is None or entry.begun:
            # one that has begun is left over from an execution that raised
            entry = _Open(-1)
            self.open(key, entry)
        if is_asked:
            _look(entry, argument)
        entry.gap = self.samples.stands_for()
        entry.begun = perf_counter_ns()

    def end(self, now: int, key: int) -> None:
        """The call returned."""
        entry = self.opened.pop(key, None)
        if entry is not None and entry.begun:
            self.samples.add(entry.gap, entry.begun, now, entry.size)
            self.plan()
            self.tick()

    def receive(self, value: Any, name: str) -> _Open:
        """What the receiver says of the size."""
        kind = type(value)
        if kind is list and name in _CONSTANT_ELSEWHERE:
            self.comparable = True
        self.note(name)
        return _received(value, name)

    def note(self, name: str) -> None:
        """What the name of the function says of what it does with its items."""
        if name == _sized_operands.SCAN:
            self.scans = True
        elif name == _sized_operands.JOIN:
            self.joins = True


def _first_functions(clock: Clock) -> dict[str, Callable[..., Any]]:
    """For all operands but the last; the hit to come is counted by the last one."""
    samples, frame, opened = clock.samples, sys._getframe, clock.opened

    def receiver(value: Any, name: str) -> Any:
        if samples.hits + 1 >= samples.next:
            clock.open(id(frame(1)), clock.receive(value, name))
        return value

    def function(value: Any, name: str) -> Any:
        if samples.hits + 1 >= samples.next:
            clock.note(name)
            clock.open(id(frame(1)), _Open(-1))
        return value

    def operand(value: Any) -> Any:
        if opened:
            _look(opened.get(id(frame(1))), value)
        return value

    def text(value: Any) -> Any:
        entry = opened.get(id(frame(1))) if opened else None
        if entry is not None:
            entry.size = _size(value)
        return value

    return {"receiver": receiver, "function": function, "operand": operand, "text": text}


def _last_functions(clock: Clock) -> dict[str, Callable[..., Any]]:
    """For the last operand and the result; a hit that is not timed clears what an exception left in its place."""
    samples, frame, opened = clock.samples, sys._getframe, clock.opened

    def last(value: Any) -> Any:
        samples.hits += 1
        if samples.hits >= samples.next:
            clock.begin(id(frame(1)), value, True)
        elif opened:
            opened.pop(id(frame(1)), None)
        return value

    def keyword(value: Any) -> Any:
        samples.hits += 1
        if samples.hits >= samples.next:
            clock.begin(id(frame(1)))
        elif opened:
            opened.pop(id(frame(1)), None)
        return value

    def nothing() -> dict[str, Any]:
        samples.hits += 1
        if samples.hits >= samples.next:
            clock.begin(id(frame(1)))
        elif opened:
            opened.pop(id(frame(1)), None)
        return {}

    def alone(value: Any, name: str) -> Any:
        samples.hits += 1
        if samples.hits >= samples.next:
            key = id(frame(1))
            clock.open(key, clock.receive(value, name))
            clock.begin(key)
        elif opened:
            opened.pop(id(frame(1)), None)
        return value

    def fin(value: Any) -> Any:
        if opened:
            clock.end(perf_counter_ns(), id(frame(1)))
        return value

    def raised() -> None:
        if opened:
            clock.end(perf_counter_ns(), id(frame(1)))

    return {"last": last, "keyword": keyword, "nothing": nothing, "alone": alone, "fin": fin, "raised": raised}


def _received(value: Any, name: str) -> _Open:
    """What the receiver says of the size: its own, or which of the arguments to ask."""
    kind = type(value)
    if kind in _SIZED:
        return _Open(len(value))
    if kind is _MODULE:
        # re.search(pattern, text), re.sub(pattern, new, text)
        return _Open(-1, (2 if name in _REPLACING else 1) if _matches(value) else 0)
    package = _package(kind)
    if package in _TABLES:
        # `df.loc` is asked for its frame
        return _Open(_length(getattr(value, "obj", value) if kind.__name__ in _INDEXERS else value))
    # PATTERN.sub(new, text)
    return _Open(-1, 1 if name in _REPLACING and package in _PATTERNS else 0)


def _matches(value: Any) -> bool:
    """Whether it is a pattern, or a module of such."""
    if type(value) is _MODULE:
        return value.__dict__.get("__name__") in _PATTERNS
    return True


def _package(kind: type) -> str:
    """The package that a type is from, "" if it is hard to tell."""
    module = kind.__dict__.get("__module__")
    if module is None and not kind.__flags__ & _HEAP_TYPE:
        module = kind.__module__
    return module.partition(".")[0] if type(module) is str else ""


def _look(entry: _Open | None, value: Any) -> None:
    """Take an argument's size, if none is known yet and this argument is to be asked."""
    if entry is None or entry.size >= 0:
        return
    if entry.skip:
        entry.skip -= 1
        return
    entry.size = _size(value)


def _size(value: Any) -> int:
    """Its length; of a short list or tuple, that of the longest thing in it; -1 if asking could run code."""
    kind = type(value)
    if kind in (list, tuple) and 0 < len(value) <= 8:
        within = max([_length(each) for each in value])
        return max(within, len(value))
    return _length(value)


def _length(value: Any) -> int:
    kind = type(value)
    if kind in _SIZED:
        return len(value)
    if _package(kind) in _TABLES:
        try:
            return len(value)
        except Exception:
            return -1
    return -1


class _Costs:
    """Takes the place of the samples while the instrument itself is measured."""

    hits = 0
    next = 0

    def __init__(self) -> None:
        self.costs: list[int] = []

    def stands_for(self) -> int:
        return 1

    def add(self, gap: int, begun: int, ended: int, size: int) -> None:
        self.costs.append(ended - begun)


_measured: list[list[int]] = []


def _instrument_ns() -> list[int]:
    """Cost of timing an empty call in ns (5th, 50th, 95th percentile), measured once a process."""
    if not _measured:
        costs = _Costs()
        functions = _last_functions(Clock(costs, lambda: None, lambda: None))
        keyword, fin = functions["keyword"], functions["fin"]
        for _ in range(400):
            fin(keyword(None))
        ordered = sorted(costs.costs)
        _measured.append([ordered[20], ordered[200], ordered[380]])
    return _measured[0]


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, seconds, sizes, growth; for a list or a scan also the cost against a set look-up."""
    from auditor.evidence.timing import growth_rows, ratio_rows, size_rows, time_rows

    timed = time_rows(records)
    compared = records and all(record["lookup_ns"] for record in records)
    ratios = ratio_rows(records, timed) if compared else []
    return [*timed, *size_rows(records), *growth_rows(records), *ratios]
