"""Probe `decided`: `any([...])` or `all([...])`, and the time that went into items behind the one that decided.

A generator in the list's place would have stopped there. Where no item decides, it takes as long as the list, and
nothing is saved. Which item decided is told without running code of the program: where an item is of a class of the
program's own, or the items are a set, anything from none of the time to all of it may have been saved.
"""

from __future__ import annotations

import ast
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NAME = "decided"
NODES = (ast.Call,)
_PLAIN = frozenset((bool, int, float, complex, str, bytes, type(None), list, tuple, dict, set, frozenset))
"""Types whose objects are true or false without running anything of the program's."""


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any]:
    """`any([...])` becomes `any(any_of(start(), [...]))`."""
    assert isinstance(node, ast.Call)
    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
    role = "any_of" if name == "any" else "all_of"
    return {node.args[0]: lambda made: call(role, call("start"), made)}


class Recorder:
    """Counts one site. `surely` has the time behind the item that decided, `perhaps` that where none could be told."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._tick = runtime.tick
        self._surely, self._perhaps = runtime.timing.Samples(), runtime.timing.Samples()

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""

        def any_of(begun: int, items: Any) -> Any:
            self._made(begun, perf_counter_ns(), items, True)
            return items

        def all_of(begun: int, items: Any) -> Any:
            self._made(begun, perf_counter_ns(), items, False)
            return items

        return {"start": perf_counter_ns, "any_of": any_of, "all_of": all_of}

    def _made(self, begun: int, ended: int, items: Any, wanted: bool) -> None:
        part = _behind(items, wanted)
        samples = self._perhaps if part is None else self._surely
        samples.hits += 1
        if samples.hits >= samples.next:
            samples.add(samples.stands_for(), ended - int((ended - begun) * (1.0 if part is None else part)), ended)
            self._tick()

    def hits(self) -> int:
        """Executions so far."""
        return self._surely.hits + self._perhaps.hits  # type: ignore[no-any-return]

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        return {"surely": self._surely.record(), "perhaps": self._perhaps.record()}

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._surely.reset()
        self._perhaps.reset()


def _behind(items: Any, wanted: bool) -> float | None:
    """The part of the items that stand behind the one that decided; None if that cannot be told."""
    if type(items) is not list:
        return 0.0 if all(type(item) in _PLAIN and bool(item) is not wanted for item in items) else None
    for index, item in enumerate(items):
        if type(item) not in _PLAIN:
            return None
        if bool(item) is wanted:
            return (len(items) - 1 - index) / len(items)
    return 0.0


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, and the seconds that went into what nobody looked at."""
    from auditor.evidence.timing import time_rows

    surely, perhaps = ([record[name] for record in records] for name in ("surely", "perhaps"))
    hits = sum(record["hits"] for record in (*surely, *perhaps))
    yield "hits", hits, hits, hits, "executions", hits
    value, low, high = _seconds(time_rows(surely))
    yield "seconds", value, low, high + _seconds(time_rows(perhaps))[2], "s", hits


def _seconds(timed: Iterable[tuple[str, float, float, float, str, int]]) -> tuple[float, float, float]:
    return next(((row[1], row[2], row[3]) for row in timed if row[0] == "seconds"), (0.0, 0.0, 0.0))
