"""How often the code around a site is executed: the unit of work against which growth is held.

A unit is a turn of the innermost loop around the site, or a call of the function around it where there is none. What
gains something in each of the first units and nothing later on has filled up; what gains in the last ones as it did in
the first ones leaks. Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import ast
import sys
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, Dict, List, Optional, Tuple

    Row = Tuple[str, float, float, float, str, int]

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)

OUTERMOST = "_outermost"
STEPS_BACK = 4
"""Frames through which a function may call itself: a comprehension, a generator or a wrapper stands between."""
FEW_CALLS = 5
"""Below so many calls of a function, its turns may all be those of one loop that fills a table: time counts then."""


def plant_units(
    node: ast.AST,
    parents: Mapping[ast.AST, ast.AST],
    call: Callable[..., ast.expr],
    is_kept: Callable[[ast.AST, Any], bool],
) -> Dict[ast.AST, Any]:
    """Count the turns of the innermost loop around `node`, and the calls of the function.

    Where it is asked first whether there is one already (see `asking`), those around that place are counted instead,
    under the role "asked". Nothing is counted for a node that is part of a lambda function, or in no loop and function.
    """
    asks = asking(node, parents, is_kept)
    role = "entered" if asks is None else "asked"
    function, loop = holders(asks or node, parents)
    changes: Dict[ast.AST, Any] = {}
    if loop is not None:
        changes[loop] = lambda made: _begin_with(made, call(role))
    if function is not None:
        # calls of itself are no further units of work, but parts of one
        own = ("called" if loop is not None else role) + (OUTERMOST if _calls_itself(function, parents) else "")
        changes[function] = lambda made: _begin_with(made, call(own))
    return changes


def _calls_itself(function: Any, parents: Mapping[ast.AST, ast.AST]) -> bool:
    is_method = isinstance(parents.get(function), ast.ClassDef)
    return any(
        isinstance(one, ast.Call) and _calls(one.func, function.name, is_method)
        for statement in function.body
        for one in ast.walk(statement)
    )


def holders(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> Tuple[Any, Any]:
    """The innermost function around a node, and the innermost loop in it whose body holds the node; None for none."""
    loop = None
    inner, outer = node, parents.get(node)
    while outer is not None and not isinstance(outer, (ast.Lambda, ast.ClassDef)):
        if isinstance(outer, _FUNCTIONS):
            return (outer, loop) if inner in outer.body else (None, None)
        if loop is None and isinstance(outer, _LOOPS) and inner in outer.body:
            loop = outer
        inner, outer = outer, parents.get(outer)
    return None, loop if outer is None else None


def asking(
    node: ast.AST, parents: Mapping[ast.AST, ast.AST], is_kept: Callable[[ast.AST, Any], bool]
) -> Optional[ast.AST]:
    """Where it is asked whether there is one already: `node`, or a call of the function around it; None for nowhere.

    `is_kept` tells of a node and the function around it whether what comes of it is looked for there. A cache may look
    in one function, and call another one for what is missing.
    """
    function, _ = holders(node, parents)
    if function is None:
        return None
    is_method = isinstance(parents.get(function), ast.ClassDef)
    calls = (one for one in parents if isinstance(one, ast.Call) and _calls(one.func, function.name, is_method))
    for one in (node, *calls):
        around, _ = holders(one, parents)
        if around is not None and (one is node or around is not function) and is_kept(one, around):
            return one
    return None


def _calls(called: Any, name: str, is_method: bool) -> bool:
    if is_method:
        return getattr(called, "attr", "") == name and getattr(called.value, "id", "") in ("self", "cls")
    return getattr(called, "id", "") == name


def is_asked(container: ast.AST, function: ast.AST) -> bool:
    """Whether the function looks into the container, as a cache does before it stores."""
    last, wanted = _last_name(container), ast.dump(container)
    return any(
        asked is not container and _last_name(asked) == last and ast.dump(asked) == wanted
        for asked in map(_asked, ast.walk(function))
        if asked is not None
    )


def _last_name(node: Any) -> Any:
    return getattr(node, "attr", None) or getattr(node, "id", None)


def _asked(node: Any) -> Any:
    """The container that a look-up looks into: `k in X`, `X[k]`, `X.get(k)`."""
    if isinstance(node, ast.Compare) and isinstance(node.ops[-1], (ast.In, ast.NotIn)):
        return node.comparators[-1]
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        return node.value
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("get", "__contains__"):
        return getattr(node.func, "value", None)
    return None


def merged(first: Dict[ast.AST, Any], second: Dict[ast.AST, Any]) -> Dict[ast.AST, Any]:
    """Both sets of changes; of one node, the first is applied first. The second must give the node back."""
    both = dict(first)
    for node, change in second.items():
        both[node] = _in_turn(both[node], change) if node in both else change
    return both


def _in_turn(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda made: first(second(made))


def _begin_with(holder: Any, calling: ast.expr) -> Any:
    documented = isinstance(holder, _FUNCTIONS) and ast.get_docstring(holder, clean=False) is not None
    statement = ast.Expr(value=calling)
    for part in ast.walk(statement):
        # no line of its own, where a debugger would stop
        ast.copy_location(part, holder.body[0])
    holder.body.insert(1 if documented else 0, statement)
    return holder


class _Count:
    """A counter that costs the program one call of a C function a step."""

    def __init__(self) -> None:
        self._count = count()
        self.step = self._count.__next__
        self._own = self._before = 0

    def read(self) -> int:
        """Steps since the beginning. Each reading is a step too, which is taken off."""
        steps = next(self._count) - self._own
        self._own += 1
        return steps - self._before

    def reset(self) -> None:
        """Begin anew."""
        self._before = 0
        self._before = self.read()


class Units:
    """The units of one site. `asks` says of the code around it that it looks first whether there is an entry yet."""

    def __init__(self) -> None:
        self._entered, self._asked, self._called = _Count(), _Count(), _Count()
        self._turns = self._entered
        self.asks = self.recurs = False

    def functions(self) -> Dict[str, Callable[..., Any]]:
        """What the planted code calls."""
        steps = {"entered": self._entered.step, "asked": self._asked.step, "called": self._called.step}
        return {**steps, **{role + OUTERMOST: self._outermost(step) for role, step in steps.items()}}

    def _outermost(self, step: Callable[[], int]) -> Callable[[], None]:
        frame = sys._getframe

        def entered() -> None:
            self.recurs = True
            own = frame(1)
            code, caller = own.f_code, own.f_back
            for _ in range(STEPS_BACK):
                if caller is None:
                    break
                if caller.f_code is code:
                    return
                caller = caller.f_back
            step()

        return entered

    def now(self) -> int:
        """Units so far; always 0 where they are not counted."""
        units = self._turns.read()
        if not units and self._asked.read():
            self._turns, self.asks = self._asked, True
            units = self._turns.read()
        return units

    def calls(self) -> int:
        """Calls of the function around the site so far."""
        return self._called.read() or self.now()

    def reset(self) -> None:
        """Begin anew, after a fork."""
        for each in (self._entered, self._asked, self._called):
            each.reset()


def lasting_row(course: Sequence[Sequence[float]], calls: int, recurs: bool = False) -> Iterator[Row]:
    """What was gained per unit in the last quarter, as a part of what was gained per unit in the second one.

    `course` are (length, unit, milliseconds) from the beginning to the end, in rising order. The first quarter is
    warming up. Of fewer than FEW_CALLS calls, quarters of time must have gained as well, and the lesser part counts;
    what such calls put in by calling themselves may be all that there is, and the part is anything down to none.
    """
    axes = (1,) if calls >= FEW_CALLS else (1, 2)
    found = [gains(course, axis) for axis in axes if course[-1][axis] - course[0][axis] >= 4]
    if found:
        value, low, high = min(part_of(gained[1], gained[3]) for gained in found)
        yield "lasting", value, 0.0 if recurs and calls < FEW_CALLS else low, high, "ratio", calls


def gains(course: Sequence[Sequence[float]], axis: int) -> List[float]:
    """What was gained in each quarter of an axis of the course, which is as in `lasting_row`."""
    begin, end = course[0][axis], course[-1][axis]
    levels = [_level(course, axis, begin + (end - begin) * quarter / 4) for quarter in range(5)]
    return [levels[quarter + 1] - levels[quarter] for quarter in range(4)]


def part_of(early: float, late: float) -> Tuple[float, float, float]:
    """What was gained late as a part of what was gained early, with its interval."""
    if early <= 0:
        # what begins to gain late gains still
        return (1.0, 1.0, 1.0) if late > 0 else (0.0, 0.0, 0.0)
    part = late / early
    half = 2 * part * (1 / max(1.0, late) + 1 / early) ** 0.5
    # none of a quarter may still have been up to three by chance
    return part, max(0.0, part - half), part + half + (0.0 if late else 3 / early)


def _level(course: Sequence[Sequence[float]], axis: int, at: float) -> float:
    """The length there, on the straight lines between the points."""
    before = course[0]
    for point in course:
        if point[axis] > at:
            share = (at - before[axis]) / (point[axis] - before[axis])
            return before[0] + share * (point[0] - before[0])
        before = point
    return before[0]
