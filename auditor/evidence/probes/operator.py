"""Probe `operator`: how long `x in y`, `s += x`, `s = s + x` take by themselves, and at which size."""

from __future__ import annotations

import ast
import sys
from collections import OrderedDict, defaultdict
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NAME = "operator"
NODES = (ast.Compare, ast.AugAssign, ast.Assign)
_SIZED: tuple[type, ...] = (str, bytes, list, tuple, bytearray, dict, set, frozenset, type({}.values()))
_MAPS = (dict, defaultdict, OrderedDict)
_SUSPENDING = (ast.Await, ast.Yield, ast.YieldFrom)
FORGOTTEN = 4_096
"""Executions that raised leave an entry; so many are kept."""


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Any) -> dict[ast.AST, Any] | str:
    """The clock starts when the last operand has been evaluated and stops right after the operator."""
    if isinstance(node, ast.Compare):
        return _plant_compare(node, call)
    if isinstance(node, ast.AugAssign):
        return {node: lambda n: [_with_value(n, call("tail", n.value)), _after(n, n.target, call)]}
    assert isinstance(node, ast.Assign)
    return {node: lambda n: _assign(n, call)}


def _plant_compare(node: ast.Compare, call: Any) -> dict[ast.AST, Any] | str:
    """`X in Y` becomes `X in Y if skip() else fin(X in sized(Y))`, a long one `fin(X in perhaps_sized(Y))`."""
    if len(node.ops) != 1:
        return "a chained comparison cannot be timed part by part"

    def measured(compare: Any, role: str = "sized") -> Any:
        compare.comparators = [call(role, compare.comparators[0])]
        return call("fin", compare)

    def change(compare: Any) -> Any:
        return call.unless_skipped(compare, measured) or measured(compare, "perhaps_sized")

    return {node: change}


def _assign(statement: Any, call: Callable[..., ast.expr]) -> list[ast.stmt]:
    """`s = s + x + y`: the copy is made by the first addition, so the clock starts before it."""
    value = statement.value
    operation = value
    while isinstance(operation, ast.BinOp) and isinstance(operation.left, ast.BinOp):
        operation = operation.left
    suspends = any(isinstance(inner, _SUSPENDING) for inner in ast.walk(value))
    if isinstance(operation, ast.BinOp) and not (suspends and operation is not value):
        operation.right = call("tail", operation.right)
    elif isinstance(value, ast.Call) and (value.args or value.keywords):
        # `"".join([s, x])`: what it is given is there before the copy is made
        _time_call(value, call)
    elif suspends:
        return [_with_value(statement, call("counted", value))]
    else:
        # an f-string: building it is the operation
        return [_with_value(statement, call("built", call("start"), value))]
    return [statement, _after(statement, statement.targets[0], call)]


def _time_call(value: Any, call: Callable[..., ast.expr]) -> None:
    last = value.keywords[-1] if value.keywords else value.args[-1]
    if isinstance(last, (ast.keyword, ast.Starred)):
        last.value = call("tail", last.value)
    else:
        value.args[-1] = call("tail", last)


def _with_value(statement: Any, value: ast.expr) -> ast.stmt:
    statement.value = value
    return statement  # type: ignore[no-any-return]


def _after(statement: ast.stmt, target: ast.expr, call: Callable[..., ast.expr]) -> ast.stmt:
    """Stop the clock; the target's size is read where reading it again cannot run code of the program."""
    if isinstance(target, ast.Name):
        stop = call("named", ast.Name(id=target.id, ctx=ast.Load()))
    elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
        owner = ast.Name(id=target.value.id, ctx=ast.Load())
        stop = call("attribute", owner, ast.Constant(value=target.attr))
    elif isinstance(target, ast.Subscript) and (item := _ways_to_item(target)) is not None:
        stop = call("item", *item)
    else:
        stop = call("unsized")
    return ast.copy_location(ast.Expr(value=stop), statement)


def _ways_to_item(target: ast.Subscript) -> tuple[ast.expr, ...] | None:
    """The name that leads to the container and its way on, those that lead to the key; None if code may run there."""
    index: Any = target.slice
    index = index.value if isinstance(index, getattr(ast, "Index", ())) and hasattr(index, "value") else index
    if isinstance(index, ast.Constant):
        key: Any = (ast.Constant(value=index.value), ())
    else:
        key = _way(index)
    container = _way(target.value)
    if container is None or key is None:
        return None
    return container[0], _tuple(container[1]), key[0], _tuple(key[1])


def _tuple(names: Iterable[str]) -> ast.expr:
    return ast.Tuple(elts=[ast.Constant(value=name) for name in names], ctx=ast.Load())


def _way(expression: ast.expr) -> tuple[ast.expr, tuple[str, ...]] | None:
    """The name that a chain of attributes begins with, and the attributes."""
    attributes: list[str] = []
    while isinstance(expression, ast.Attribute):
        attributes.insert(0, expression.attr)
        expression = expression.value
    return (ast.Name(id=expression.id, ctx=ast.Load()), tuple(attributes)) if isinstance(expression, ast.Name) else None


class Recorder:
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._samples = runtime.timing.Samples()
        self._skips = runtime.timing.Skips(self._samples)
        self._clock = _Clock(self._samples, self._skips, runtime.tick)
        self._timing = runtime.timing
        self._instrument: list[int] = []
        self._lookup_ns = 0.0

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        return {
            "skip": self._skips.skip,
            **_before_the_operator(self._clock),
            **_behind_the_operator(self._clock),
            **_around_the_value(self._clock),
        }

    def hits(self) -> int:
        """Executions so far."""
        self._skips.settle()
        return self._samples.hits  # type: ignore[no-any-return]

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        if not self._lookup_ns:
            self._lookup_ns = self._timing.set_lookup_ns()
        if not self._instrument:
            self._instrument = _instrument_ns(self._timing)
        self._skips.settle()
        return {**self._samples.record(), "instrument": self._instrument, "lookup_ns": self._lookup_ns}

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._skips.reset()
        self._clock.begun.clear()


class _Clock:
    """The executions under way, by the address of the frame in which they are: an operator may run the program's code.

    Of each: for how many it stands, its size if that is known before, and when it began.
    """

    def __init__(self, samples: Any, skips: Any, tick: Callable[[], None]) -> None:
        self.samples = samples
        self.skips = skips
        self.tick = tick
        self.begun: dict[int, tuple[int, int, int]] = {}

    def begin(self, frame: int, size: int = -1) -> None:
        """The last operand is there."""
        if len(self.begun) >= FORGOTTEN:
            self.begun.clear()
        self.begun[frame] = self.skips.hit(), size, perf_counter_ns()

    def stop(self, frame: int, now: int, size: int = -1) -> None:
        """The operator is done, at that size if none was known before."""
        execution = self.begun.pop(frame, None)
        if execution:
            gap, known, begun = execution
            self.add(gap, begun, now, size if known < 0 else known)

    def add(self, gap: int, begun: int, now: int, size: int) -> None:
        """An execution is over."""
        self.samples.add(gap, begun, now, size)
        self.skips.plan()
        self.tick()


def _before_the_operator(clock: _Clock) -> dict[str, Callable[..., Any]]:
    skip, begun, frame = clock.skips.skip, clock.begun, sys._getframe

    def passed_over(place: int) -> bool:
        if not skip():
            return False
        if begun:
            begun.pop(place, None)  # an operator that raised left it
        return True

    def tail(value: Any) -> Any:
        place = id(frame(1))
        if not passed_over(place):
            clock.begin(place)
        return value

    def sized(value: Any) -> Any:
        clock.begin(id(frame(1)), len(value) if type(value) in _SIZED else -1)
        return value

    def perhaps_sized(value: Any) -> Any:
        place = id(frame(1))
        if not passed_over(place):
            clock.begin(place, len(value) if type(value) in _SIZED else -1)
        return value

    return {"tail": tail, "sized": sized, "perhaps_sized": perhaps_sized}


def _behind_the_operator(clock: _Clock) -> dict[str, Callable[..., Any]]:
    begun, stop, frame = clock.begun, clock.stop, sys._getframe

    def fin(value: Any) -> Any:
        if begun:
            now = perf_counter_ns()
            stop(id(frame(1)), now)
        return value

    def named(value: Any) -> None:
        if begun:
            now = perf_counter_ns()
            stop(id(frame(1)), now, len(value) if type(value) in _SIZED else -1)

    def attribute(holder: Any, name: str) -> None:
        if begun:
            now = perf_counter_ns()
            stop(id(frame(1)), now, _plain_length(holder, name))

    def item(holder: Any, way: Sequence[str], key: Any, way_to_key: Sequence[str]) -> None:
        if begun:
            now = perf_counter_ns()
            stop(id(frame(1)), now, _item_length(_led(holder, way), _led(key, way_to_key)))

    def unsized() -> None:
        if begun:
            now = perf_counter_ns()
            stop(id(frame(1)), now)

    return {"fin": fin, "named": named, "attribute": attribute, "item": item, "unsized": unsized}


def _around_the_value(clock: _Clock) -> dict[str, Callable[..., Any]]:
    """Where building the value is the operation, the start travels on the evaluation stack."""
    skips, skip = clock.skips, clock.skips.skip

    def start() -> tuple[int, int] | None:
        return None if skip() else (skips.hit(), perf_counter_ns())

    def built(since: tuple[int, int] | None, value: Any) -> Any:
        if since:
            now = perf_counter_ns()
            clock.add(since[0], since[1], now, len(value) if type(value) in _SIZED else -1)
        return value

    def counted(value: Any) -> Any:
        clock.samples.hits += 1
        return value

    return {"start": start, "built": built, "counted": counted}


def _plain_length(holder: Any, name: str) -> int:
    """Length of an attribute that lies in the object itself, -1 if reading it could run code."""
    value = _led(holder, (name,))
    return len(value) if type(value) in _SIZED else -1


def _led(holder: Any, way: Sequence[str]) -> Any:
    """What lies in the object itself under these attributes, one of the other; None if reading one could run code."""
    for name in way:
        try:
            holder = object.__getattribute__(holder, "__dict__").get(name)
        except AttributeError:
            return None
    return holder


def _item_length(holder: Any, key: Any) -> int:
    """Length of an item of a list or dict, -1 if reading it could run code, or it is gone."""
    if type(key) not in (str, int):
        return -1
    if type(holder) in _MAPS:
        # a defaultdict makes no entry for this
        value: Any = dict.get(holder, key)
    elif type(holder) is list and type(key) is int and -len(holder) <= key < len(holder):
        value = holder[key]
    else:
        return -1
    return len(value) if type(value) in _SIZED else -1


_measured: list[list[int]] = []


def _instrument_ns(timing: Any) -> list[int]:
    """Cost of timing an empty operator in ns (5th, 50th, 95th percentile), measured once a process."""
    if not _measured:
        samples = timing.Samples()
        clock = _Clock(samples, timing.Skips(samples), lambda: None)
        sized, fin = _before_the_operator(clock)["sized"], _behind_the_operator(clock)["fin"]
        costs: list[int] = []
        for _ in range(400):
            before = samples.full_ns
            fin(sized(None))
            costs.append(samples.full_ns - before)
        ordered = sorted(costs)
        _measured.append([ordered[20], ordered[200], ordered[380]])
    return _measured[0]


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, seconds, sizes, growth, and the cost against a set look-up."""
    from auditor.evidence.timing import growth_rows, ratio_rows, size_rows, time_rows

    timed = time_rows(records)
    return [*timed, *size_rows(records), *growth_rows(records), *ratio_rows(records, timed)]
