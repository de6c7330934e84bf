"""Probe `container`: how long a container is after each statement that adds to it.

No reference to a container is kept: during a call it lies on the interpreter's stack beside the call, which an
exception clears; during an assignment it is kept for as long as the statement takes, and a `finally` lets it go.
Of `x[k].append(v)` both are looked at, the list and `x`, as either may grow.
"""

from __future__ import annotations

import ast
import os
import sys
from collections import deque
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from auditor.evidence.probes import _series, _units
else:
    # found by their paths: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_series", os.path.join(os.path.dirname(__file__), "_series.py"))
    _series = module_from_spec(_spec)
    _spec.loader.exec_module(_series)
    _spec = spec_from_file_location("audit_units", os.path.join(os.path.dirname(__file__), "_units.py"))
    _units = module_from_spec(_spec)
    _spec.loader.exec_module(_units)

NAME = "container"
NODES = (ast.Call, ast.Assign, ast.AugAssign)

_OF_FIRST_ARGUMENT = ("heappush", "insort", "insort_left", "insort_right")
OFTEN = 64
"""After so many hits only one in so many looks at the clock."""
_BUILTIN = (list, dict, set, deque, bytearray)
_STANDARD = ("collections", "weakref", "_weakrefset", "array")
"""Modules whose types know their length without running anything of the program's."""


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any] | str:
    """`X.add(v)` becomes `after(hold(X), take().add(v))`; around `X[k] = v` see `_around_assignment`."""
    container = _container_of(node)
    if container is None:
        return "only an assignment to a subscript adds to a container"
    changes = _around_call(node, call) if isinstance(node, ast.Call) else _around_assignment(node, parents, call)
    units = _units.plant_units(node, parents, call, lambda _, function: _units.is_asked(container, function))
    return _units.merged(changes, units)


def _container_of(node: Any) -> Any:
    """What is added to, as an expression; None if the statement adds to nothing."""
    if isinstance(node, ast.Call):
        func: Any = node.func
        name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
        is_first = name in _OF_FIRST_ARGUMENT and node.args and not isinstance(node.args[0], ast.Starred)
        return node.args[0] if is_first else getattr(func, "value", func)
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        return node.target
    return next((target.value for target in targets if isinstance(target, ast.Subscript)), None)


def _around_call(node: ast.Call, call: Callable[..., ast.expr]) -> dict[ast.AST, Any]:
    def change(made: Any) -> ast.expr:
        func: Any = node.func
        name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
        if name in _OF_FIRST_ARGUMENT and node.args and not isinstance(node.args[0], ast.Starred):
            held, node.args[0] = call("hold", node.args[0]), call("take")
        elif isinstance(func, ast.Attribute):
            _look_around(func.value, call)
            held, func.value = call("hold", func.value), call("take")
        else:
            # add = X.append; add(v)
            held, node.func = call("bound", func), call("take")
        return call("after", held, made)

    return {node: change}


def _around_assignment(
    node: Any, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]
) -> dict[ast.AST, Any]:
    """`X[k] = v` becomes `try: note(X)[k] = v; stored()` and `finally: drop()`.

    The statement is surrounded when all else that is planted in it is in its place: with its parent.
    """
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        # x += [v]: a name can be read again without running anything
        name = ast.copy_location(ast.Name(id=node.target.id, ctx=ast.Load()), node)
        return {node: lambda made: [made, ast.copy_location(ast.Expr(value=call("named", name)), node)]}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    subscript = next(target for target in targets if isinstance(target, ast.Subscript))

    def surround(made: Any) -> Any:
        _look_around(subscript.value, call)
        subscript.value = call("note", subscript.value)
        stored = ast.copy_location(ast.Expr(value=call("stored")), node)
        drop = ast.copy_location(ast.Expr(value=call("drop")), node)
        body: Any = [node, stored]
        guarded = ast.copy_location(ast.Try(body=body, handlers=[], orelse=[], finalbody=[drop]), node)
        _replace(parents[node], node, guarded)
        return made

    return {parents[node]: surround}


def _look_around(container: Any, call: Callable[..., ast.expr]) -> None:
    """The container is got from another one: `x[k]`, `x.setdefault(k, [])`, `x.get(k)`."""
    if isinstance(container, ast.Subscript):
        container.value = call("outer", container.value)
    elif isinstance(container, ast.Call) and getattr(container.func, "attr", "") in ("setdefault", "get"):
        got: Any = container.func
        got.value = call("outer", got.value)


def _replace(root: ast.AST, node: ast.AST, replacement: ast.AST) -> None:
    for part in list(ast.walk(root)):
        for _, value in ast.iter_fields(part):
            if isinstance(value, list):
                for index, statement in enumerate(value):
                    if statement is node:
                        value[index] = replacement
                        return


class Recorder:
    """The containers of one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._runtime = runtime
        self._units = _units.Units()
        self._series = _series.Series(self._units)
        self._hits = self._unknown = 0
        self._held: dict[int, Any] = {}

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role.

        An execution is known by the address of its frame, which cannot run on meanwhile.
        """
        held, count, frame = self._held, self._count, sys._getframe

        def hold(value: Any) -> list[Any]:
            held[id(frame(1))] = value
            return [value]

        def bound(value: Any) -> list[Any]:
            held[id(frame(1))] = value
            return [getattr(value, "__self__", None) if type(value) in _BOUND else None]

        def take() -> Any:
            return held.pop(id(frame(1)))

        def after(token: list[Any], value: Any) -> Any:
            count(token[0])
            return value

        def outer(value: Any) -> Any:
            length = _length(value)
            if length >= 0:
                self._series.add(id(value), length, is_counted=False)
            return value

        def named(value: Any) -> None:
            count(value)

        def note(value: Any) -> Any:
            held[id(frame(1))] = value
            return value

        def stored() -> None:
            count(held.pop(id(frame(1)), None))

        def drop() -> None:
            if held:
                held.pop(id(frame(1)), None)

        functions = (hold, bound, take, after, outer, named, note, stored, drop)
        return {**{each.__name__: each for each in functions}, **self._units.functions()}

    def _count(self, container: Any) -> None:
        self._hits += 1
        length = _length(container)
        if length < 0:
            self._unknown += 1
        else:
            self._series.add(id(container), length)
        if self._hits < OFTEN or not self._hits % OFTEN:
            self._runtime.tick()

    def hits(self) -> int:
        """Executions so far."""
        return self._hits

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        return {"hits": self._hits, "unknown": self._unknown, **self._series.record()}

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._hits = self._unknown = 0
        self._units.reset()
        self._series.reset()
        self._held.clear()


_BOUND: tuple[type, ...] = (type([].append), type(_units.Units().now))


def _length(container: Any) -> int:
    """-1 if asking could run code of the program."""
    kind = type(container)
    if kind in _BUILTIN:
        return len(container)
    for base in _BUILTIN:
        if issubclass(kind, base):
            return base.__len__(container)
    if getattr(kind, "__module__", None) in _STANDARD:
        try:
            return len(container)
        except Exception:
            return -1
    return -1


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits; lengths, unless there were containers whose length cannot be read."""
    from auditor.evidence.probes import _series as series

    hits = sum(record["hits"] for record in records)
    yield "hits", hits, hits, hits, "executions", hits
    if not any(record["unknown"] for record in records):
        yield from series.length_rows(records)
