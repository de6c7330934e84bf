"""Which functions of a module loops call, directly or over a few functions, and which Python itself calls often.

Loops of other files count where they call a function of this one themselves.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditor.scan.asked import last_of
from auditor.scan.facts import Function, ModuleFacts
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
        found.update(name.rpartition(".")[2] for name in facts.outlook.looped)
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
        facts.given_again = {name: set(given) for name, given in _given_again(facts.flat)}
    return facts.given_again


def _given_again(flat: Flat) -> Iterator[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    defined = [flat.nodes[index] for index in flat.of(ast.FunctionDef, ast.AsyncFunctionDef)]
    functions = {one.name: one for one in defined}
    bound: dict[int, set[str]] = {}
    for index in flat.of(ast.Call):
        call = flat.nodes[index]
        function = functions.get(last_of(call.func) or "")
        loop = None if function is None else _loop_around(index, flat)
        if function is None or loop is None:
            continue
        if loop not in bound:
            nodes = walk(flat.nodes[loop])
            bound[loop] = {one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
        pairs = [(keyword.arg or "", keyword.value) for keyword in call.keywords]
        listed = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
        is_bound = isinstance(call.func, ast.Attribute) and listed[:1] in (["self"], ["cls"])
        pairs += zip(listed[is_bound:], call.args, strict=False)
        found.setdefault(function.name, []).extend(name for name, value in pairs if _is_outside(value, bound[loop]))
    return iter(found.items())


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
