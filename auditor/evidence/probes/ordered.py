"""Probe `ordered`: `sorted(X, key=K)` of which only an end is looked at, and the time that finding it would have saved.

`min` goes through X and asks K for each item as well; what it saves is putting in order, which costs hardly more than
a pass where the items are in order already. `sorted` asks for all items first, then for all keys, and compares last. So
the time from the last item or key to the end is that of comparing. Of that, what a pass over the same keys takes in the
same process is taken off. Where comparing keys would run code of the program, no pass is timed, and anything from none
of that time to all of it may be saved.
"""

from __future__ import annotations

import ast
import math
import os
import random
from heapq import nsmallest
from importlib.util import module_from_spec, spec_from_file_location
from itertools import chain
from sys import _getframe
from time import get_clock_info, perf_counter_ns, thread_time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from auditor.evidence.probes import _census
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_census", os.path.join(os.path.dirname(__file__), "_census.py"))
    _census = module_from_spec(_spec)
    _spec.loader.exec_module(_census)

NAME = "ordered"
NODES = (ast.Call,)
MOST = 4_096
"""Executions that raised leave an entry; so many are kept."""
_AT_ONCE = frozenset((list, tuple, dict, set, frozenset, range, str, bytes))
"""Types whose items are there already."""
_PLAIN = frozenset((bool, int, float, str, bytes))
"""Types that compare without running anything of the program's."""
FULL_HITS = 20_000
THINNED = 16
"""Executions from which on one in half so many is timed."""
_FREE_NS = 40_000_000
_SLOWED = 20
"""Passes, and asking for the time after each key, may take this long, and one in so many of the nanoseconds after."""
_ASKING_NS = 150
"""What asking for the time after one key costs."""
_now = thread_time_ns if get_clock_info("thread_time").resolution < 1e-6 else perf_counter_ns
"""Comparing does not wait: when the processor goes to others falls on one execution or another by chance. The time for
which it was gone is shared out among all."""
Z95 = 1.959964
CLOCK_NS = 20.0
"""By so much the two clocks of one execution may differ."""
FEW = 5
"""Below so many timed executions, what was not timed may be anything from nothing to twice what those say."""


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any] | str:
    """`sorted(X, key=K)` becomes `fin(sorted(items(X), key=key(K)), N)`, N being how many are looked at.

    And `X.sort(key=K)`, with X a name, becomes `placed(listed(X).sort(key=key(K)), X)`.
    """
    assert isinstance(node, ast.Call)
    if isinstance(node.func, ast.Attribute):
        return _plant_sort(node, node.func, call)
    if not node.args or isinstance(node.args[0], ast.Starred) or any(each.arg is None for each in node.keywords):
        return "what is spread into a call cannot be told apart"
    wanted = _wanted(parents.get(node))

    def change(made: Any) -> ast.expr:
        made.args[0] = call("items", made.args[0])
        _mark_key(made, call)
        return call("fin", made, ast.Constant(value=wanted))

    return {node: change}


def _plant_sort(node: ast.Call, func: ast.Attribute, call: Callable[..., ast.expr]) -> dict[ast.AST, Any] | str:
    if not isinstance(func.value, ast.Name) or any(each.arg is None for each in node.keywords):
        return "what is spread into a call, and the list of anything but a name, cannot be told apart"
    name = func.value.id

    def change(made: Any) -> ast.expr:
        made.func.value = call("listed", made.func.value)
        _mark_key(made, call)
        return call("placed", made, ast.Name(id=name, ctx=ast.Load()))

    return {node: change}


def _mark_key(made: Any, call: Callable[..., ast.expr]) -> None:
    for keyword in made.keywords:
        if keyword.arg == "key":
            keyword.value = call("key", keyword.value)


def _wanted(around: Any) -> int:
    """How many items of an end are looked at; 0 for one of each end, where a name holds the result."""
    if not isinstance(around, ast.Subscript):
        return 0
    if not isinstance(around.slice, ast.Slice):
        return 1
    bound: Any = around.slice.upper or around.slice.lower
    bound = getattr(bound, "operand", bound)
    count = getattr(bound, "value", None)
    return count if type(count) is int and count > 0 else 1


class _Execution:
    """One that is timed. `asked` is when its last item or key was there, `keys` what is compared.

    Of `size` keys only the last one's time is wanted; without a size, that of each, as it may be the last.
    """

    __slots__ = ("asked", "asked_wall", "keys", "size")

    def __init__(self, size: int) -> None:
        self.keys: list[Any] | None = None
        self.size = size
        self.mark()

    def mark(self) -> None:
        """What there is to compare is there now."""
        self.asked_wall = perf_counter_ns()
        self.asked = _now()


class _LastItem:
    """Put behind the items, it notes when they have all been handed out."""

    __slots__ = ("_execution",)

    def __init__(self, execution: _Execution) -> None:
        self._execution = execution

    def __iter__(self) -> _LastItem:
        return self

    def __next__(self) -> Any:
        self._execution.mark()
        raise StopIteration


class Recorder:
    """Counts one site. Some executions are timed; what they say is held to all by the number of items."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._tick = runtime.tick
        self._under_way: dict[int, _Execution] = {}
        self.reset()

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._under_way.clear()
        self._hits: int = 0
        self._first: int = 0
        self._next: int = 1
        self._spent_ns: int = 0
        self._compared_ns: int = 0
        self._waited_ns: int = 0
        self._bins: dict[int, list[int]] = {}
        self._rng: random.Random = random.Random(20_240_229)

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        return {
            "items": self._items,
            "listed": self._listed,
            "key": self._key,
            "fin": self._fin,
            "placed": self._placed,
        }

    def _items(self, items: Any) -> Any:
        return self._begin(items, id(_getframe(1)))

    def _listed(self, items: Any) -> Any:
        # what else has a `sort` does what it likes
        return self._begin(items, id(_getframe(1))) if type(items) is list else items

    def _begin(self, items: Any, key: int) -> Any:
        self._hits += 1
        if not self._is_due():
            self._under_way.pop(key, None)
            return items
        if len(self._under_way) >= MOST:
            self._under_way.clear()
        there = type(items) in _AT_ONCE
        execution = self._under_way[key] = _Execution(len(items) if there else -1)
        # items of what makes them as it goes are made before they are put in order
        return items if there else chain(items, _LastItem(execution))

    def _is_due(self) -> bool:
        if self._hits > FULL_HITS and self._hits < self._next:
            return False
        now = perf_counter_ns()
        self._first = self._first or now
        self._next = self._hits + self._rng.randrange(1, THINNED)
        return self._spent_ns < _FREE_NS + (now - self._first) // _SLOWED

    def _key(self, function: Any) -> Any:
        execution = self._under_way.get(id(_getframe(1)))
        if execution is None or function is None:
            return function
        keys: list[Any] = []
        execution.keys = keys
        add, size = keys.append, execution.size

        def key(item: Any) -> Any:
            try:
                made = function(item)
            except BaseException as error:
                _census.hide_frame(error)
                raise
            add(made)
            if size < 0 or len(keys) == size:
                execution.mark()
            return made

        execution.mark()
        return key

    def _fin(self, result: Any, wanted: int) -> Any:
        ended, passed = _now(), perf_counter_ns()
        execution = self._under_way.pop(id(_getframe(1)), None)
        if isinstance(result, list):
            self._end(result, wanted, ended, passed, execution)
        return result

    def _placed(self, nothing: Any, result: Any) -> Any:
        ended, passed = _now(), perf_counter_ns()
        execution = self._under_way.pop(id(_getframe(1)), None)
        if type(result) is list:
            self._end(result, 0, ended, passed, execution)
        return nothing

    def _end(self, result: Any, wanted: int, ended: int, passed: int, execution: _Execution | None) -> None:
        size = len(result)
        sums = self._bins.setdefault(size.bit_length(), [0] * 8)
        sums[_ITEMS] += size
        if execution is not None and size:
            keys = result if execution.keys is None else execution.keys
            compared = max(1, ended - execution.asked)
            self._compared_ns += compared
            self._waited_ns += max(0, passed - execution.asked_wall - compared)
            _add(sums, size, compared, _pass_ns(keys, wanted))
            self._spent_ns += _now() - ended + (_ASKING_NS * size if keys is not result else 0)
            self._tick()

    def hits(self) -> int:
        """Executions so far."""
        return self._hits

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        return {
            "hits": self._hits,
            "bins": [list(sums) for sums in list(self._bins.values())],
            "compared": self._compared_ns,
            "waited": self._waited_ns,
        }


_ITEMS, _TIMED, _TIMED_ITEMS, _SQUARES, _SAVED, _PRODUCTS, _SAVED_SQUARES, _UNTOLD = range(8)
"""What is kept of sizes up to a power of two: the items of all executions, and sums over those that were timed."""


def _add(sums: list[int], size: int, compared: int, needed: int) -> None:
    sums[_TIMED] += 1
    sums[_TIMED_ITEMS] += size
    if needed < 0:
        sums[_UNTOLD] += compared
        return
    saved = compared - needed
    sums[_SQUARES] += size * size
    sums[_SAVED] += saved
    sums[_PRODUCTS] += saved * size
    sums[_SAVED_SQUARES] += saved * saved


def _pass_ns(keys: Any, wanted: int) -> int:
    """What finding the least of the keys takes, -1 if comparing them may run code of the program."""
    if not _is_plain(keys):
        return -1
    begun = _now()
    try:
        if wanted > 1:
            nsmallest(wanted, keys)
        else:
            min(keys)
            if not wanted:
                max(keys)
    except TypeError:
        return -1
    return _now() - begun


def _is_plain(keys: Any) -> bool:
    kinds = set(map(type, keys))
    return kinds <= _PLAIN or (kinds == {tuple} and set(map(type, chain.from_iterable(keys))) <= _PLAIN)


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, and the seconds that went into putting in order what nobody looked at."""
    hits = sum(record["hits"] for record in records)
    yield "hits", hits, hits, hits, "executions", hits
    bins = [sums for record in records for sums in record["bins"] if sums[_ITEMS]]
    timed = sum(sums[_TIMED] for sums in bins)
    if timed or not bins:
        value, doubt, untold = _seconds(bins)
        doubt += CLOCK_NS * hits
        compared, waited = (sum(record[name] for record in records) for name in ("compared", "waited"))
        second = 1e9 / (1 + waited / max(1, compared))
        low, high = max(0.0, value - doubt), max(0.0, value + doubt) + untold
        yield "seconds", max(0.0, value) / second, low / second, high / second, "s", timed


def _seconds(bins: Sequence[Sequence[int]]) -> tuple[float, float, float]:
    """What was saved in ns, its doubt, and what more it may have been.

    In each class of sizes, what was timed is held to all executions by their items: a ratio estimate (Cochran, Sampling
    Techniques, 1977, 6.4). Where too few were timed, all others may have saved anything from nothing to twice as much.
    """
    dearest = max((sums[_SAVED] / sums[_TIMED_ITEMS] for sums in bins if sums[_TIMED]), default=0.0)
    value = variance = guessed = untold = 0.0
    for sums in bins:
        rest = sums[_ITEMS] - sums[_TIMED_ITEMS]
        ratio = sums[_SAVED] / sums[_TIMED_ITEMS] if sums[_TIMED] else dearest
        value += sums[_SAVED] + ratio * rest
        untold += sums[_UNTOLD] * sums[_ITEMS] / max(1, sums[_TIMED_ITEMS])
        if sums[_TIMED] < FEW:
            guessed += abs(ratio) * rest
            continue
        scatter = sums[_SAVED_SQUARES] - 2 * ratio * sums[_PRODUCTS] + ratio * ratio * sums[_SQUARES]
        scale = sums[_ITEMS] / sums[_TIMED_ITEMS]
        variance += scale * scale * max(0.0, scatter) * (1 - 1 / scale) * sums[_TIMED] / (sums[_TIMED] - 1)
    return value, Z95 * math.sqrt(variance) + guessed, untold
