"""Probe `operator`: how long `x in y`, `s += x`, `s = s + x` take by themselves, and at which size."""

from __future__ import annotations

import ast
from _thread import get_ident
from collections import OrderedDict, defaultdict
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NAME = "operator"
NODES = (ast.Compare, ast.AugAssign, ast.Assign)
_SIZED = (str, bytes, list, tuple, bytearray)
_MAPS = (dict, defaultdict, OrderedDict)
_SUSPENDING = (ast.Await, ast.Yield, ast.YieldFrom)


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
        self._runtime = runtime
        self._samples = runtime.timing.Samples()
        self._skips = runtime.timing.Skips(self._samples)
        self._lookup_ns = 0.0

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        samples, skips, tick = self._samples, self._skips, self._runtime.tick
        clock = _Clock(samples, skips, tick)
        return {
            "skip": skips.skip,
            **_before_the_operator(clock),
            **_behind_the_operator(clock),
            **_around_the_value(samples, skips, tick),
        }

    def hits(self) -> int:
        """Executions so far."""
        self._skips.settle()
        return self._samples.hits  # type: ignore[no-any-return]

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        if not self._lookup_ns:
            self._lookup_ns = self._runtime.timing.set_lookup_ns()
        self._skips.settle()
        return {**self._samples.record(), "lookup_ns": self._lookup_ns}

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._skips.reset()


class _Clock:
    """Nothing of the program runs between the last operand and the operator, so one clock a site will do."""

    def __init__(self, samples: Any, skips: Any, tick: Callable[[], None]) -> None:
        self.samples = samples
        self.skips = skips
        self.tick = tick
        self.begun = self.gap = 0
        self.owner = 0
        self.length = -1

    def begin(self) -> None:
        """The last operand is there."""
        self.gap = self.skips.hit()
        self.owner = get_ident()
        self.begun = perf_counter_ns()

    def stop(self, size: int, now: int) -> None:
        """The operator is done, at that size."""
        begun, self.begun = self.begun, 0
        # another thread may have started the clock in between
        if self.owner == get_ident():
            self.samples.add(self.gap, begun, now, size)
            self.skips.plan()
            self.tick()


def _before_the_operator(clock: _Clock) -> dict[str, Callable[..., Any]]:
    skip = clock.skips.skip

    def tail(value: Any) -> Any:
        if skip():
            clock.begun = 0  # an operator that raised left it
        else:
            clock.begin()
        return value

    def sized(value: Any) -> Any:
        clock.length = len(value) if type(value) in _SIZED else -1
        clock.begin()
        return value

    def perhaps_sized(value: Any) -> Any:
        if skip():
            clock.begun = 0
            return value
        return sized(value)

    return {"tail": tail, "sized": sized, "perhaps_sized": perhaps_sized}


def _behind_the_operator(clock: _Clock) -> dict[str, Callable[..., Any]]:
    def fin(value: Any) -> Any:
        if clock.begun:
            clock.stop(clock.length, perf_counter_ns())
        return value

    def named(value: Any) -> None:
        if clock.begun:
            now = perf_counter_ns()
            clock.stop(len(value) if type(value) in _SIZED else -1, now)

    def attribute(holder: Any, name: str) -> None:
        if clock.begun:
            now = perf_counter_ns()
            clock.stop(_plain_length(holder, name), now)

    def item(holder: Any, way: Sequence[str], key: Any, way_to_key: Sequence[str]) -> None:
        if clock.begun:
            now = perf_counter_ns()
            clock.stop(_item_length(_led(holder, way), _led(key, way_to_key)), now)

    def unsized() -> None:
        if clock.begun:
            clock.stop(-1, perf_counter_ns())

    return {"fin": fin, "named": named, "attribute": attribute, "item": item, "unsized": unsized}


def _around_the_value(samples: Any, skips: Any, tick: Callable[[], None]) -> dict[str, Callable[..., Any]]:
    """Where building the value is the operation, the start travels on the evaluation stack."""
    skip = skips.skip

    def start() -> tuple[int, int] | None:
        return None if skip() else (skips.hit(), perf_counter_ns())

    def built(since: tuple[int, int] | None, value: Any) -> Any:
        if since:
            now = perf_counter_ns()
            samples.add(since[0], since[1], now, len(value) if type(value) in _SIZED else -1)
            skips.plan()
            tick()
        return value

    def counted(value: Any) -> Any:
        samples.hits += 1
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


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, seconds, sizes, growth, and the cost against a set look-up."""
    from auditor.evidence.timing import growth_rows, ratio_rows, size_rows, time_rows

    timed = time_rows(records)
    return [*timed, *size_rows(records), *growth_rows(records), *ratio_rows(records, timed)]
