"""Which functions of a module run once for every item: handed to `map` and the like, or calling themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from auditor.model import Span
from auditor.scan.facts import Function, ModuleFacts
from auditor.scan.outline import Key, position
from auditor.scan.source import Source
from auditor.scan.syntax import Flat, walk

_FIRST = frozenset(
    """map filter starmap filterfalse takewhile dropwhile reduce apply applymap transform agg aggregate imap
    imap_unordered map_async starmap_async vectorize frompyfunc apply_along_axis map_elements progress_apply
    sub""".split()  # noqa: SIM905
)
"""What takes a function as its first argument and calls it for every item."""
_SECOND = frozenset(("accumulate", "groupby", "sub", "subn"))
_BY_KEYWORD = {
    **dict.fromkeys(("sorted", "sort", "min", "max", "nlargest", "nsmallest", "groupby", "merge"), ("key",)),
    **dict.fromkeys(("bisect", "bisect_left", "bisect_right", "insort", "insort_left", "insort_right"), ("key",)),
    **dict.fromkeys(("loads", "load"), ("object_hook", "object_pairs_hook")),
    **dict.fromkeys(("dumps", "dump"), ("default",)),
    **dict.fromkeys(("sub", "subn"), ("repl",)),
    **dict.fromkeys(("apply", "transform", "agg", "aggregate", "map", "applymap"), ("func",)),
    "accumulate": ("func",),
}
_NAMES = _FIRST | _SECOND | {*_BY_KEYWORD, "iter"}
_BESIDE = frozenset(("map", "starmap", "imap", "imap_unordered", "map_async", "starmap_async"))
"""Methods by which pools run a function, beside one another."""
_CARRYING = frozenset(("reduce", "accumulate"))
_WRAPPERS = frozenset(("partial", "cmp_to_key"))
_LINKS = frozenset(("next", "next_", "nxt", "left", "right", "rest", "tail", "cdr", "lhs", "rhs"))
"""Attributes that lead from one item to another of the same kind."""
_BRANCHES = re.compile(r"child|kids|branch|subtree|node|descend|subgroup|submodule", re.IGNORECASE)

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_Repeated = Function | ast.Lambda


@dataclass(frozen=True, slots=True)
class PerItem:
    """How a function comes to run for every item: `by` whom, None if it calls itself, and on which line.

    kept: parameters with one and the same value in all runs. items: what the items are taken from, if that is all that
    the function is run for. beside: runs may overlap. carried: a run needs what the one before has brought.
    """

    by: str | None
    line: int
    kept: frozenset[str] = frozenset()
    items: ast.expr | None = None
    beside: bool = False
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Handing:
    """A call (its index) that runs a function for every item, and the expression that names the function."""

    call: int
    function: ast.expr
    beside: bool


@dataclass(slots=True)
class Runs:
    """The functions of a module that run for every item, and the calls that run one by its name.

    runners: by name the functions that do so with what they are given: receivers, parameters, those of them.
    """

    functions: dict[_Repeated, PerItem] = field(default_factory=dict)
    handings: list[Handing] = field(default_factory=list)
    runners: dict[str, tuple[int, list[str], set[str]]] = field(default_factory=dict)
    _placed: dict[Span, PerItem] | None = None
    _calls: dict[Span, ast.expr] | None = None

    def handed_at(self, span: Span, flat: Flat, source: Source) -> ast.expr | None:
        """The name of the function that the call there runs for every item."""
        if self._calls is None:
            self._calls = {source.span(flat.nodes[one.call]): one.function for one in self.handings}
        return self._calls.get(span)

    def at(self, span: Span, source: Source) -> PerItem | None:
        """How the function that stands there runs for every item, if it does."""
        if self._placed is None:
            self._placed = {source.span(node): run for node, run in self.functions.items()}
        return self._placed.get(span)


def runs_per_item(facts: ModuleFacts) -> Runs:
    """What of the module runs for every item."""
    if facts.runs is None:
        handed = {} if facts.outlook is None else facts.outlook.handed
        facts.runs = _Search(facts.flat, handed).found()
    return facts.runs


class _Search:
    def __init__(self, flat: Flat, handed: Mapping[Key, Sequence[int | str]]) -> None:
        self._flat = flat
        self._handed = handed
        self._defined: dict[str, list[int]] = {}
        for index in flat.of(ast.FunctionDef, ast.AsyncFunctionDef):
            self._defined.setdefault(flat.nodes[index].name, []).append(index)
        self._selves: dict[int, list[ast.Call]] = {}
        self._per_item: set[int] = set()
        self._runs = Runs()

    def found(self) -> Runs:
        nodes = self._flat.nodes
        runners = self._runs.runners = self._runners()
        for index in self._flat.of(ast.Call):
            name = _name_of(nodes[index].func)
            if name in _NAMES:
                for handed in _handed(nodes[index], name):
                    self._hand(index, name, handed)
            elif name in runners:
                for handed in _given_to(nodes[index], *runners[name]):
                    self._hand(index, name, handed)
            elif self._handed and (given := self._handed.get(position(nodes[index]))):
                for handed in _at(nodes[index], given):
                    self._hand(index, name, handed)
            if name in self._defined:
                self._recur(index, name)
        for index in sorted(self._per_item):
            function, calls = nodes[index], self._selves[index]
            self._runs.functions[function] = PerItem(None, calls[0].lineno, _handed_on(function, calls))
        return self._runs

    # handed over

    def _runners(self) -> dict[str, tuple[int, list[str], set[str]]]:
        """The module's functions that call a parameter for each of several items.

        By name how many receivers they have, their parameters, and those that they call so.
        """
        found: dict[str, tuple[int, list[str], set[str]]] = {}
        functions = (self._flat.nodes[index] for indices in self._defined.values() for index in indices)
        given = {name for function in functions if not function.decorator_list for name in _named(function)}
        for index in self._flat.of(ast.Call):
            call = self._flat.nodes[index]
            if type(call.func) is not ast.Name or call.func.id not in given or not call.args:
                continue
            around, loops, is_own = self._out_of(index)
            function = self._flat.nodes[around]
            if not (is_own and isinstance(function, Function)) or function.decorator_list:
                continue
            items = [node.id for argument in call.args for node in walk(argument) if isinstance(node, ast.Name)]
            if not any(loop.gives(name) for loop in loops for name in items):
                continue
            method = isinstance(self._flat.nodes[self._owner(around)], ast.ClassDef)
            parameters, name = _parameters(function), call.func.id
            single = len(self._defined[function.name]) == 1
            if single and name in _named(function)[method:] and not _is_bound_in(name, function):
                found.setdefault(function.name, (int(method), parameters, set()))[2].add(name)
        return found

    def _hand(self, index: int, name: str, function: ast.expr) -> None:
        call = self._flat.nodes[index]
        beside = name in _BESIDE and isinstance(call.func, ast.Attribute) and not _is_of_itertools(call.func)
        named, given = _unwrapped(function)
        if isinstance(named, ast.Lambda):
            targets = [named]
        else:
            self._runs.handings.append(Handing(index, named, beside))
            targets = [self._flat.nodes[target] for target in self._meant(named, index)]
        for target in targets:
            known = self._runs.functions.get(target)
            items = call.args[1] if name in ("map", "filter") and len(call.args) == 2 and known is None else None
            kept = _defaulted(target) | _given(target, given) | _receiver(target, named)
            run = PerItem(name, call.lineno, kept, items, beside, name in _CARRYING)
            self._runs.functions[target] = run if known is None else _both(known, run)

    def _meant(self, named: ast.expr, index: int) -> list[int]:
        """The functions of the module that a name or `self.name` may mean there."""
        match named:
            case ast.Name(id=name):
                around = {*self._around(index)}
                owners = ((self._owner(target), target) for target in self._defined.get(name, ()))
                return [target for owner, target in owners if owner == 0 or owner in around]
            case ast.Attribute(value=ast.Name(id=receiver), attr=name):
                klass = self._class_of(receiver, index)
                return [target for target in self._defined.get(name, ()) if self._owner(target) == klass]
        return []

    def _around(self, index: int) -> Iterator[int]:
        """Indices of the functions around a node."""
        while index:
            index = self._flat.parents[index]
            if isinstance(self._flat.nodes[index], Function):
                yield index

    def _owner(self, function: int) -> int:
        """Index of the function, class or module that a function stands in."""
        index = self._flat.parents[function]
        while not isinstance(self._flat.nodes[index], Function | ast.ClassDef | ast.Module):
            index = self._flat.parents[index]
        return index

    def _class_of(self, receiver: str, index: int) -> int | None:
        """Index of the class whose object, or which itself, the name stands for there."""
        for function in self._around(index):
            owner, parameters = self._owner(function), self._flat.nodes[function].args.args
            klass = self._flat.nodes[owner]
            if isinstance(klass, ast.ClassDef):
                return owner if receiver == klass.name or (parameters and parameters[0].arg == receiver) else None
        return None

    # calling itself

    def _recur(self, index: int, name: str) -> None:
        call, nodes = self._flat.nodes[index], self._flat.nodes
        around, loops, is_own = self._out_of(index)
        function = nodes[around]
        if not is_own or not isinstance(function, Function) or function.name != name:
            return
        if self._is_itself(call.func, around, loops):
            self._selves.setdefault(around, []).append(call)
            if loops or _goes_on(call, function):
                self._per_item.add(around)

    def _out_of(self, index: int) -> tuple[int, list[_Loop], bool]:
        """The innermost function or class around the call, the loops in between, and whether the body runs the call."""
        nodes, loops = self._flat.nodes, list[_Loop]()
        child, around = index, self._flat.parents[index]
        while not isinstance(nodes[around], Function | ast.ClassDef | ast.Module):
            node, inner = nodes[around], nodes[child]
            if isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
                if inner is not node.iter and inner not in getattr(node, "orelse", ()):
                    loops.append(_Loop(node.target, node.iter))
            elif isinstance(node, _COMPREHENSIONS) and not isinstance(inner, ast.comprehension):
                loops += (_Loop(generator.target, generator.iter) for generator in node.generators)
            elif isinstance(node, ast.Lambda):
                if node not in self._runs.functions:
                    return around, loops, False
                loops.append(_Loop(node.args, self._runs.functions[node].items or node))
            child, around = around, self._flat.parents[around]
        function = nodes[around]
        return around, loops, isinstance(function, Function) and nodes[child] in function.body

    def _is_itself(self, func: ast.expr, function: int, loops: list[_Loop]) -> bool:
        """Whether the callee is the function around the call, of the same object or of one below it."""
        klass = self._flat.nodes[self._owner(function)]
        match func:
            case ast.Name():
                return not isinstance(klass, ast.ClassDef)
            case ast.Attribute(value=ast.Name(id=receiver)) if isinstance(klass, ast.ClassDef):
                parameters = self._flat.nodes[function].args.args
                return receiver in (klass.name, parameters[0].arg if parameters else None) or any(
                    loop.gives(receiver) and loop.is_over_branches() for loop in loops
                )
        return False


@dataclass(frozen=True, slots=True)
class _Loop:
    """What a loop binds, and what it goes through."""

    target: ast.AST
    items: ast.AST

    def gives(self, name: str) -> bool:
        return any(isinstance(node, ast.Name) and node.id == name for node in walk(self.target))

    def is_over_branches(self) -> bool:
        """Whether it goes through what is named as the parts of a tree are."""
        nodes = walk(self.items)
        names = [node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "") for node in nodes]
        return any(_BRANCHES.search(name) for name in names)


def _name_of(func: ast.expr) -> str:
    if type(func) is ast.Attribute:
        return func.attr
    return func.id if type(func) is ast.Name else ""


def _handed(call: ast.Call, name: str) -> Iterator[ast.expr]:
    """The arguments that the call runs for every item, if they are functions."""
    if name == "iter":
        yield from call.args[:1] if len(call.args) == 2 else ()
        return
    if name in _FIRST:
        yield from call.args[:1]
    if name in _SECOND:
        yield from call.args[1:2]
    keywords = _BY_KEYWORD.get(name, ())
    yield from (keyword.value for keyword in call.keywords if keyword.arg in keywords)


def _given_to(call: ast.Call, receivers: int, parameters: list[str], called: set[str]) -> Iterator[ast.expr]:
    """The arguments that the call gives for those parameters."""
    of_class = isinstance(call.func, ast.Attribute)
    for parameter, argument in zip(parameters[receivers if of_class else 0 :], call.args, strict=False):
        if isinstance(argument, ast.Starred):
            break
        if parameter in called:
            yield argument
    yield from (keyword.value for keyword in call.keywords if keyword.arg in called)


def _at(call: ast.Call, given: Sequence[int | str]) -> Iterator[ast.expr]:
    """The arguments at these positions and of these keywords."""
    yield from (argument for index, argument in enumerate(call.args) if index in given)
    yield from (keyword.value for keyword in call.keywords if keyword.arg in given)


def _is_bound_in(name: str, function: Function) -> bool:
    """Whether the function gives the name another value."""
    return any(
        isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store) for node in walk(function)
    )


def _unwrapped(function: ast.expr) -> tuple[ast.expr, ast.Call | None]:
    """The function in `partial(f, ...)` and `cmp_to_key(f)`, and the call of `partial`."""
    match function:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[inner, *_]) if name in _WRAPPERS:
            return inner, function if name == "partial" else None
    return function, None


def _is_of_itertools(func: ast.Attribute) -> bool:
    return isinstance(func.value, ast.Name) and func.value.id in ("itertools", "it")


def _both(known: PerItem, other: PerItem) -> PerItem:
    """What holds of a function that two calls run for every item."""
    return replace(
        known,
        kept=known.kept & other.kept,
        items=None,
        beside=known.beside and other.beside,
        carried=known.carried and other.carried,
    )


def _parameters(function: _Repeated) -> list[str]:
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args)]


def _named(function: Function) -> list[str]:
    """All parameters that a call can name."""
    return [*_parameters(function), *(one.arg for one in function.args.kwonlyargs)]


def _defaulted(function: _Repeated) -> frozenset[str]:
    """Parameters with a default, which those that call for every item do not give."""
    arguments = function.args
    named = _parameters(function)[len(_parameters(function)) - len(arguments.defaults) :]
    only = (one.arg for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if default)
    return frozenset((*named, *only))


def _given(function: _Repeated, partial: ast.Call | None) -> frozenset[str]:
    """Parameters that `partial` gives."""
    if partial is None:
        return frozenset()
    by_keyword = (keyword.arg for keyword in partial.keywords if keyword.arg)
    return frozenset((*_parameters(function)[: len(partial.args) - 1], *by_keyword))


def _receiver(function: _Repeated, named: ast.expr) -> frozenset[str]:
    """The receiver, where a method was handed over with its object."""
    return frozenset(_parameters(function)[:1]) if isinstance(named, ast.Attribute) else frozenset()


def _handed_on(function: Function, calls: Sequence[ast.Call]) -> frozenset[str]:
    """Parameters that the function hands on to itself as they are."""
    return frozenset.intersection(*(frozenset(_same_in(call, function)) for call in calls))


def _same_in(call: ast.Call, function: Function) -> Iterator[str]:
    parameters = _parameters(function)
    if isinstance(call.func, ast.Attribute) and parameters:
        receiver, *parameters = parameters
        if isinstance(call.func.value, ast.Name) and call.func.value.id == receiver:
            yield receiver
    for parameter, argument in zip(parameters, call.args, strict=False):
        if isinstance(argument, ast.Starred):
            return
        if isinstance(argument, ast.Name) and argument.id == parameter:
            yield parameter
    for keyword in call.keywords:
        if keyword.arg and isinstance(keyword.value, ast.Name) and keyword.value.id == keyword.arg:
            yield keyword.arg


def _goes_on(call: ast.Call, function: Function) -> bool:
    """Whether the call gets the rest of a list, or the next of the linked items, that the function was given."""
    own = {*_parameters(function)}
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        match argument:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice()) if name in own:
                return True
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name in own and attr in _LINKS:
                return True
            case ast.Name(id=name) if name in _rests(function):
                return True
    return False


def _rests(function: Function) -> Iterator[str]:
    """Names of the function that get all but the first of something: `first, *rest = items`."""
    for node in walk(function):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=[*_, ast.Starred(value=ast.Name(id=name))])]):
                yield name
            case ast.MatchSequence(patterns=[_, *_, ast.MatchStar(name=str(name))]):
                yield name
