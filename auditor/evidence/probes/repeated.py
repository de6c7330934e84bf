"""Probe `repeated`: how often a call has an input that it had before, and how long those executions take.

The input are the arguments, and what stands before the dot. They are compared when the call is about to begin, so that
the clock runs for the call alone. A file named to a function that reads it (`open`, `read_text`, `read_csv` and the
like) belongs to the input with its time of change and length, for which it is looked up once an execution. So does the
file that an open file object reads when it is met for the first time; from then on it stands elsewhere in its file,
and what it gives is new.

A call that is awaited takes until its await ends, one that `async with` enters until the body begins. Then `waited`
says the same as `seconds`, as a sign that no sampler can see it.

What is read later from the file or answer that a call returns belongs to that call, where a probe stands at its name.

A call that returns an iterator which does its work later (`os.walk`) takes until the loop over it has its last item,
the loop's own turns left out. Where something else takes the items, its time is not known, and no row tells any.

An execution that raised gave nothing that could have been kept: the next one on that input is no repeat for it, nor is
it one itself.

What cannot be compared, and an object never met before that is given arguments met before, makes an execution unknown:
neither new nor repeated. All is by process.
"""

from __future__ import annotations

import ast
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from auditor.evidence.probes import _inputs, _operands, _raised, _reading
else:
    # found by their paths: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_operands", os.path.join(os.path.dirname(__file__), "_operands.py"))
    _operands = module_from_spec(_spec)
    _spec.loader.exec_module(_operands)
    _spec = spec_from_file_location("audit_inputs", os.path.join(os.path.dirname(__file__), "_inputs.py"))
    _inputs = module_from_spec(_spec)
    _spec.loader.exec_module(_inputs)
    _spec = spec_from_file_location("audit_reading", os.path.join(os.path.dirname(__file__), "_reading.py"))
    _reading = module_from_spec(_spec)
    _spec.loader.exec_module(_reading)
    _spec = spec_from_file_location("audit_raised", os.path.join(os.path.dirname(__file__), "_raised.py"))
    _raised = module_from_spec(_spec)
    _spec.loader.exec_module(_raised)

NAME = "repeated"
NODES = (ast.Call, ast.Name)

MOST_INPUTS = 200_000
"""Inputs remembered, as a hash each; later ones that are not among them are unknown."""
FORGOTTEN = 4_096
"""Executions that raised leave an entry; so many are kept, until an entry of the same address takes their place."""
_NEW, _AGAIN, _UNKNOWN = "new", "again", "unknown"


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any]:
    """A call as `_operands` has it, a name by which something that a call opened is read as `_reading` has it."""
    if isinstance(node, ast.Name):
        return _reading.plant(node, parents, call)
    changes = _operands.plant(node, parents, call, _reading.is_timed)
    # where the end of the call is planted at a statement, that is no simple one
    return {**_raised.plant_raised(node, parents, call), **changes}


class _Execution:
    """One execution between its first operand and its end."""

    __slots__ = ("begun", "gap", "input", "is_known", "parts", "receiver", "samples")

    def __init__(self, receiver: int | None, is_known: bool = True) -> None:
        # what stands before the dot, if it is an object that has an identity only
        self.receiver = receiver
        self.is_known = is_known
        self.parts: list[int] = []
        self.begun = self.gap = 0
        self.samples: Any = None
        self.input = 0


class Recorder:
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._runtime = runtime
        self._instrument: list[int] = []
        self._site = _Site({name: runtime.timing.Samples() for name in (_NEW, _AGAIN, _UNKNOWN)}, runtime.tick)

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        return _functions(self._site)

    def hits(self) -> int:
        """Executions so far."""
        return sum(samples.hits for samples in self._site.samples.values())

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        if not self._instrument:
            self._instrument = _instrument_ns(self._runtime.timing.Samples)
        instrument = {"instrument": self._instrument}
        parts = {name: {**samples.record(), **instrument} for name, samples in self._site.samples.items()}
        parts[_AGAIN]["hits"] -= self._site.raised
        parts[_NEW]["hits"] += self._site.raised
        return {**parts, "awaited": self._site.is_awaited, "untimed": self._site.is_untimed}

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._site.reset()


class _Site:
    """The inputs of one site, as hashes, and the executions under way by the address of their frame."""

    def __init__(self, samples: dict[str, Any], tick: Callable[[], None]) -> None:
        self.samples = samples
        self.tick = tick
        self.opened: dict[int, _Execution] = {}
        self.numbers = _inputs.Numbers()
        self.seen: set[int] = set()
        self.is_awaited = self.is_untimed = False
        self.unique = self.raised = 0

    def reset(self) -> None:
        """Forget everything."""
        for samples in self.samples.values():
            samples.reset()
        self.opened.clear()
        self.seen.clear()
        self.raised = 0

    def open(self, key: int, receiver: Any, reads: bool, is_function: bool = False) -> _Execution:
        """An execution begins with what is called, or with what stands before the dot."""
        mark = self._mark(receiver)
        if mark is not None:
            execution = _Execution(None)
            execution.parts.append(mark)
            if reads and not is_function:
                execution.parts.append(_inputs.state_of_file(receiver))
        else:
            number = self.numbers.of(receiver)
            execution = _Execution(number, number is not None)
        if len(self.opened) >= FORGOTTEN:
            self.opened.clear()
        self.opened[key] = execution
        return execution

    def take(self, execution: _Execution, value: Any, reads: bool) -> None:
        """One argument."""
        mark = self._mark(value)
        if mark is None:
            execution.is_known = False
            return
        execution.parts.append(mark)
        if reads:
            execution.parts.append(_inputs.state_of_file(value))

    def _mark(self, value: Any) -> int | None:
        if not _inputs.is_open_file(value):
            return _inputs.fingerprint(value)
        is_read_on = self.numbers.knows(value)
        number = self.numbers.of(value)
        if is_read_on:
            self.unique += 1
            return hash(("read on", self.unique))
        return _inputs.file_behind(value) if number is not None else None

    def begin(self, execution: _Execution) -> None:
        """All is there: is it new?"""
        samples = execution.samples = self.samples[self._sort(execution)]
        samples.hits += 1
        if samples.hits >= samples.next:
            execution.gap = samples.stands_for()
            execution.begun = perf_counter_ns()

    def end(self, key: int, now: int) -> _Execution | None:
        """An execution is over; it took until `now` (0: until nobody knows when). Given back is one that is timed."""
        execution = self.opened.pop(key, None)
        if execution is None or not execution.begun:
            return None
        if now:
            execution.samples.add(execution.gap, execution.begun, now)
            self.tick()
        return execution

    def fail(self, key: int) -> None:
        """An exception left the statement, while the execution was under way if it is known yet."""
        execution = self.opened.pop(key, None)
        if execution is None or execution.samples is None:
            return
        if execution.samples is self.samples[_AGAIN]:
            self.raised += 1
        else:
            self.seen.discard(execution.input)

    def _sort(self, execution: _Execution) -> str:
        if not execution.is_known:
            return _UNKNOWN
        arguments = hash(tuple(execution.parts))
        whole = arguments if execution.receiver is None else hash((arguments, execution.receiver))
        if whole in self.seen:
            return _AGAIN
        if len(self.seen) >= MOST_INPUTS:
            return _UNKNOWN
        is_unknown = execution.receiver is not None and arguments in self.seen
        execution.input = whole
        self.seen.add(whole)
        self.seen.add(arguments)
        return _UNKNOWN if is_unknown else _NEW


def _functions(site: _Site) -> dict[str, Callable[..., Any]]:
    return {**{each.__name__: each for each in (*_of_operands(site), *_of_ends(site))}, **_reading.functions()}


def _of_operands(site: _Site) -> tuple[Callable[..., Any], ...]:
    frame, opened, begin, take = sys._getframe, site.opened, site.begin, site.take

    def receiver(value: Any, reads: bool) -> Any:
        site.open(id(frame(1)), value, reads)
        return value

    def function(value: Any) -> Any:
        site.open(id(frame(1)), value, False, True)
        return value

    def alone(value: Any, reads: bool) -> Any:
        begin(site.open(id(frame(1)), value, reads))
        return value

    def alone_function(value: Any) -> Any:
        begin(site.open(id(frame(1)), value, False, True))
        return value

    def operand(value: Any, reads: bool) -> Any:
        execution = opened.get(id(frame(1)))
        if execution is not None:
            take(execution, value, reads)
        return value

    def last(value: Any, reads: bool) -> Any:
        execution = opened.get(id(frame(1)))
        if execution is not None:
            take(execution, value, reads)
            begin(execution)
        return value

    return receiver, function, alone, alone_function, operand, last


def _of_ends(site: _Site) -> tuple[Callable[..., Any], ...]:
    """Each takes the time first, and lets go of the execution in any case."""
    frame, end = sys._getframe, site.end

    def fin(value: Any) -> Any:
        now = perf_counter_ns()
        is_later = _reading.works_later(value)
        site.is_untimed = site.is_untimed or is_later
        _opened(value, end(id(frame(1)), 0 if is_later else now))
        return value

    def fin_looped(value: Any) -> Any:
        now = perf_counter_ns()
        is_later = _reading.works_later(value) or _inputs.is_open_file(value)
        execution = end(id(frame(1)), 0 if is_later else now)
        if is_later and execution is not None:
            return _reading.passed_on(value, execution, now - execution.begun)
        return value

    def fin_opened(value: Any) -> Any:
        now = perf_counter_ns()
        is_read_later = _inputs.is_open_file(value)
        site.is_untimed = site.is_untimed or is_read_later
        end(id(frame(1)), 0 if is_read_later else now)
        return value

    def fin_awaited(value: Any) -> Any:
        site.is_awaited = True
        _opened(value, end(id(frame(1)), perf_counter_ns()))
        return value

    def raised() -> None:
        if site.opened:
            site.fail(id(frame(1)))

    return fin, fin_looped, fin_opened, fin_awaited, raised


def _opened(value: Any, execution: _Execution | None) -> None:
    """What is read from it later belongs to that execution."""
    if execution is not None and value is not None:
        _reading.remember(value, execution)


_measured: list[list[int]] = []


def _instrument_ns(make_samples: Callable[[], Any]) -> list[int]:
    """Cost of timing an empty call in ns (5th, 50th, 95th percentile), measured once a process."""
    if not _measured:
        costs: list[int] = []
        samples = make_samples()
        site = _Site(dict.fromkeys((_NEW, _AGAIN, _UNKNOWN), samples), lambda: None)
        functions = _functions(site)
        function, last, fin = functions["function"], functions["last"], functions["fin"]
        before = 0
        for _ in range(400):
            function(len)
            last("", False)
            fin(None)
            costs.append(samples.full_ns - before)
            before = samples.full_ns
        ordered = sorted(costs)
        _measured.append([ordered[20], ordered[200], ordered[380]])
    return _measured[0]


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits and seconds of all; repeats and their seconds, of which the unknown ones widen the upper ends."""
    new, again, unknown = ([record[name] for record in records] for name in (_NEW, _AGAIN, _UNKNOWN))
    hits = _hits([*new, *again, *unknown])
    if any(record["untimed"] for record in records):
        yield "hits", hits, hits, hits, "executions", hits
    else:
        yield from _times(records)
    least, most = _hits(again), _hits([*again, *unknown])
    yield "repeats", least, least, most, "executions", hits
    if hits:
        share = (most - least) / hits
        yield "unknown", share, share, share, "ratio", hits


def _times(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    from auditor.evidence.timing import time_rows

    again, unknown = ([record[name] for record in records] for name in (_AGAIN, _UNKNOWN))
    timed = time_rows([*(record[_NEW] for record in records), *again, *unknown])
    yield from timed
    if any(record["awaited"] for record in records):
        yield from (("waited", *row[1:]) for row in timed if row[0] == "seconds")
    value, low, high = _seconds(time_rows(again))
    yield "repeat_seconds", value, low, high + _seconds(time_rows(unknown))[2], "s", _hits(again)


def _hits(records: Iterable[Mapping[str, Any]]) -> int:
    return sum(record["hits"] for record in records)


def _seconds(timed: Iterable[tuple[str, float, float, float, str, int]]) -> tuple[float, float, float]:
    return next(((row[1], row[2], row[3]) for row in timed if row[0] == "seconds"), (0.0, 0.0, 0.0))
