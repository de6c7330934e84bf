"""Where nodes stand: in which function, loop or handler, and in which statement that is looked at as a whole."""

from __future__ import annotations

import ast
from collections.abc import Container
from dataclasses import dataclass

from auditor.rule import Where
from auditor.scan.facts import Function, Scope
from auditor.scan.outline import COROUTINE, FUNCTION, LOOP
from auditor.scan.syntax import Flat

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_HANDLER, _CALLED, OFTEN = 8, 16, 32
"""More surroundings, as bits: in a handler, in a function or lambda, in a function that loops call."""


def bits_of(where: Where) -> int:
    """What a trigger asks of the surroundings, as bits of a `Place`."""
    around = LOOP * where.loop | COROUTINE * where.coroutine | _HANDLER * where.handler
    return around | _CALLED * where.function | OFTEN * where.often


@dataclass(slots=True)
class Place:
    """Surroundings of a node, shared by all nodes that have the same; `bits` say what is around."""

    scopes: tuple[Scope, ...]
    slice: ast.stmt | None
    bits: int

    @property
    def around(self) -> int:
        """Those of the bits that an outline tells of calls."""
        return self.bits & (LOOP | COROUTINE | FUNCTION)


class Places:
    """The surroundings of nodes, worked out for those asked about. What functions `per_item` do is in a loop.

    `often` are the names of the functions that loops call.
    """

    def __init__(self, flat: Flat, per_item: Container[ast.AST] = (), often: Container[str] = ()) -> None:
        self._flat = flat
        self._per_item = per_item
        self._often = often
        self._known: dict[int, Place] = {0: Place(scopes=(flat.nodes[0],), slice=None, bits=0)}

    def of(self, index: int) -> Place:
        """The surroundings of the node at that index."""
        region = self._flat.regions[index]
        return self._known.get(region) or self._worked_out(region)

    def depth(self, index: int) -> int:
        """How deep the node is nested; the module's own statements are at 0."""
        depth = -1
        while index:
            index = self._flat.parents[index]
            depth += 1
        return depth

    def _worked_out(self, region: int) -> Place:
        pending = [region]
        while (outer := self._flat.borders[pending[-1]][0]) not in self._known:
            pending.append(outer)
        for inner in reversed(pending):
            outer, around, statement = self._flat.borders[inner]
            self._known[inner] = self._inside(self._known[outer], around, statement)
        return self._known[region]

    def _inside(self, place: Place, around: ast.AST, statement: ast.stmt | None) -> Place:
        """The surroundings of what stands in `around`, a definition, loop, handler or module, given those of it."""
        if isinstance(around, ast.Module):
            return Place(place.scopes, statement, 0)
        if isinstance(around, ast.ClassDef):
            piece = place.slice if place.bits & _CALLED else statement
            return Place((*place.scopes, around), piece, place.bits & ~COROUTINE)
        if isinstance(around, _FUNCTIONS):
            return self._in_function(place, around)
        return Place(
            place.scopes, place.slice, place.bits | (_HANDLER if isinstance(around, ast.ExceptHandler) else LOOP)
        )

    def _in_function(self, place: Place, function: Function | ast.Lambda) -> Place:
        bits = _CALLED | LOOP * (function in self._per_item) | COROUTINE * isinstance(function, ast.AsyncFunctionDef)
        piece = place.slice
        if isinstance(function, Function):
            bits |= FUNCTION | OFTEN * (function.name in self._often)
            piece = place.slice if place.bits & FUNCTION else function
        else:
            bits |= place.bits & OFTEN
        return Place((*place.scopes, function), piece, bits | place.bits & FUNCTION)
