"""Which functions of a module loops call, directly or over a few functions, and which Python itself calls often.

Loops of other files count where they call a function of this one themselves.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditor.scan.asked import last_of
from auditor.scan.facts import Function, ModuleFacts
from auditor.scan.outline import MAX_STEADY, STEADY
from auditor.scan.per_item import runs_per_item
from auditor.scan.syntax import Flat, walk

MAX_CALLS = 4
"""Functions that a way from a loop may lead through."""
_FEW = 16
_HOT = frozenset(
    """__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__ __getattr__ __getattribute__ __getitem__ __contains__
    __next__ __call__""".split()  # noqa: SIM905
)
"""Methods that sorting, look-ups and loops of others call for each item."""
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_REPEATING = frozenset(
    (ast.FunctionDef, ast.AsyncFunctionDef, ast.For, ast.AsyncFor, ast.While, ast.comprehension, *_COMPREHENSIONS)
)


@dataclass(frozen=True, slots=True)
class Often:
    """How many calls lead from a loop to each function or method, by name, and by name those that each calls itself."""

    names: Mapping[str, int]
    calls: Mapping[str, set[str]]

    def leading_to(self, name: str) -> set[str]:
        """The functions that would make that one run often if loops called them; itself among them."""
        found = newest = {name}
        for _ in range(MAX_CALLS - 1):
            newest = {caller for caller, called in self.calls.items() if not called.isdisjoint(newest)} - found
            found = found | newest
        return found


def called_often(facts: ModuleFacts) -> Often:
    """The module's functions that run in its loops; who has a method is not looked at."""
    if facts.often is None:
        facts.often = _found(facts)
    return facts.often


def _found(facts: ModuleFacts) -> Often:
    flat = facts.flat
    defined = {flat.nodes[index].name for index in flat.of(ast.FunctionDef, ast.AsyncFunctionDef)}
    found = {function.name for function in runs_per_item(facts).functions if isinstance(function, Function)}
    found |= defined & _HOT
    if facts.outlook is not None:
        found.update(_looped(entry)[0] for entry in facts.outlook.looped)
    calls: dict[str, set[str]] = {}
    for index in flat.of(ast.Call):
        func = flat.nodes[index].func
        # as `last_of` does, which all calls would have to ask
        name = func.attr if type(func) is ast.Attribute else func.id if type(func) is ast.Name else None
        if name is not None and name in defined:
            owner, looped = _around(index, flat)
            if looped:
                found.add(name)
            calls.setdefault(owner, set()).add(name)
    names = dict.fromkeys(found, 1)
    newest = set(found)
    for away in range(2, MAX_CALLS + 1):
        newest = set().union(*(calls.get(name, ()) for name in newest)) - names.keys()
        names.update(dict.fromkeys(newest, away))
    return Often(names, calls)


def given_again(facts: ModuleFacts) -> dict[str, set[str]]:
    """By function of the module, the parameters for which a loop gives the same value at every turn."""
    if facts.given_again is None:
        flat = facts.flat
        defined = [flat.nodes[index] for index in flat.of(ast.FunctionDef, ast.AsyncFunctionDef)]
        functions = {one.name: one for one in defined}
        found = {name: set(given) for name, given in _given_again(flat, functions)}
        for name, steady in () if facts.outlook is None else map(_looped, facts.outlook.looped):
            if name in functions:
                found.setdefault(name, set()).update(_steady_of(functions[name], steady))
        facts.given_again = found
    return facts.given_again


def _given_again(flat: Flat, functions: Mapping[str, Function]) -> Iterator[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    arguments = SteadyArguments(flat)
    for index in flat.of(ast.Call):
        call = flat.nodes[index]
        function = functions.get(last_of(call.func) or "")
        bound = None if function is None else arguments.bound_around(index)
        if function is None or bound is None:
            continue
        pairs = [(keyword.arg or "", keyword.value) for keyword in call.keywords]
        pairs += zip(_listed(function, isinstance(call.func, ast.Attribute)), call.args, strict=False)
        found.setdefault(function.name, []).extend(name for name, value in pairs if _is_outside(value, bound))
    return iter(found.items())


def _listed(function: Function, of_object: bool) -> list[str]:
    """The parameters that a call gives by position."""
    listed = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    return listed[1:] if of_object and listed[:1] in (["self"], ["cls"]) else listed


def _looped(entry: str) -> tuple[str, int]:
    """The last component of the name of a function that loops of other files call, and the bits of its arguments."""
    name, _, steady = entry.partition("/")
    return name.rpartition(".")[2], int(steady or 0)


def _steady_of(function: Function, bits: int) -> Iterator[str]:
    """The parameters that those bits stand for."""
    for place, name in enumerate(_listed(function, of_object=True)[:MAX_STEADY]):
        if bits >> place & 1:
            yield name


class SteadyArguments:
    """Which arguments of calls in loops are the same at every turn."""

    def __init__(self, flat: Flat) -> None:
        self._flat = flat
        self._bound: dict[int, set[str]] = {}

    def bound_around(self, index: int) -> set[str] | None:
        """The names that the loop around the call at that index binds, None if there is no loop."""
        loop = _loop_around(index, self._flat)
        if loop is None:
            return None
        if loop not in self._bound:
            nodes = (one for one in walk(self._flat.nodes[loop]) if isinstance(one, ast.Name))
            self._bound[loop] = {one.id for one in nodes if isinstance(one.ctx, ast.Store)}
        return self._bound[loop]

    def bits(self, index: int) -> int:
        """The bits of an outline for those that are given by position."""
        bound = self.bound_around(index)
        if bound is None:
            return 0
        given = self._flat.nodes[index].args[:MAX_STEADY]
        if any(isinstance(value, ast.Starred) for value in given):
            return 0
        return sum(STEADY << place for place, value in enumerate(given) if _is_outside(value, bound))


def _is_outside(value: ast.expr, bound: set[str]) -> bool:
    """Whether it is a name, or an attribute of one, that is not among those that a loop binds."""
    while isinstance(value, ast.Attribute):
        value = value.value
    return isinstance(value, ast.Name) and value.id not in bound


def _loop_around(index: int, flat: Flat) -> int | None:
    """The innermost loop or comprehension of the same function that repeats the node."""
    child, around = index, flat.parents[index]
    while around and not isinstance(flat.nodes[around], Function | ast.Lambda):
        node, inner = flat.nodes[around], flat.nodes[child]
        if isinstance(node, ast.While) or (isinstance(node, ast.For | ast.AsyncFor) and inner is not node.iter):
            return around
        if isinstance(node, _COMPREHENSIONS) and inner is not node.generators[0]:
            return around
        child, around = around, flat.parents[around]
    return None


def _around(index: int, flat: Flat) -> tuple[str, bool]:
    """The function that runs the node, "" at the top, and whether a loop in it repeats the node."""
    looped = False
    child, around = index, flat.parents[index]
    while around:
        node = flat.nodes[around]
        if type(node) not in _REPEATING:
            child, around = around, flat.parents[around]
            continue
        inner = flat.nodes[child]
        if isinstance(node, Function):
            return node.name, looped
        if isinstance(node, ast.For | ast.AsyncFor):
            looped = looped or (inner is not node.iter and not _is_short(node.iter))
        elif isinstance(node, ast.comprehension):
            # all but the first are gone through for each item of those before
            whole = flat.nodes[flat.parents[around]]
            looped = looped or inner is not node.iter or node is not whole.generators[0]
        elif isinstance(node, _COMPREHENSIONS):
            looped = looped or not isinstance(inner, ast.comprehension)
        else:
            looped = True
        child, around = around, flat.parents[around]
    return "", looped


def _is_short(items: ast.expr) -> bool:
    return isinstance(items, ast.List | ast.Tuple | ast.Set) and len(items.elts) <= _FEW
