"""Drawing the outline of a module: its definitions first, then what its names are bound to, then its calls."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.scan.facts import Function, absolute
from auditor.scan.held import Held
from auditor.scan.often import SteadyArguments
from auditor.scan.once import functions_run_once
from auditor.scan.outline import FUNCTION, LOOP, Called, Outline, Routine, position
from auditor.scan.per_item import Handing, runs_per_item
from auditor.scan.scopes import receiver_of

if TYPE_CHECKING:
    from auditor.scan.facts import ModuleFacts, Scope
    from auditor.scan.places import Place, Places

_DEFERRING = re.compile(
    r"cache|memo|lazy|once|singleton|thread|executor|async|await|background|fixture|property|context_?manager|overload"
    r"|abstract|task|patch|mock"
)
"""Decorators by which a call of the function may not run its body, or runs it elsewhere or once."""
_NAMING = frozenset((ast.Name, ast.Attribute, ast.Lambda))
_TAKES = frozenset(("pop", "popitem", "popleft", "remove", "discard", "clear"))
_STDLIB = sys.stdlib_module_names


def draw(facts: ModuleFacts, places: Places, ends: list[tuple[ast.Call, Place, str, str]]) -> Outline:
    """The outline of a module. `ends` are calls of interest, each with its surroundings, trigger and name."""
    made = _Drawing(facts, places).draw(ends)
    made.guarded = sorted(functions_run_once(facts))
    made.grown = sorted(facts.relied)
    made.awaited = sorted(facts.awaited)
    return made


class _Drawing:
    """An outline in the making: first the definitions, then what refers to them."""

    def __init__(self, facts: ModuleFacts, places: Places) -> None:
        self._flat = facts.flat
        self._package = facts.package
        self._top = facts.names(facts.tree).bindings
        self._runs = runs_per_item(facts)
        self._places = places
        self._held = Held(facts.flat)
        self._steady = SteadyArguments(facts.flat)
        self._made = Outline(facts.package)
        self._own: set[str] = set()
        self._locals: dict[int, dict[str, str | None]] = {}
        self._globals: dict[int, set[str]] = {}
        self._paths: dict[tuple[Scope, ...], str | None] = {}
        self._receivers: set[str] = set()
        self._roots: set[str] = set()
        self._loose: set[str] = set()
        self._typed: set[str] = set()
        self._calling: set[str | None] = set()
        self._rooted: dict[tuple[int, str], str | None] | None = None
        self._running: dict[int, Routine | None] = {}

    def draw(self, ends: list[tuple[ast.Call, Place, str, str]]) -> Outline:
        """The outline."""
        made, nodes, of = self._made, self._flat.nodes, self._flat.of
        for index in of(ast.Import, ast.ImportFrom):
            self._import(nodes[index])
        for index in of(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Global):
            self._define(nodes[index], self._places.of(index))
        if made.stars:
            used = {node.id for node in (nodes[index] for index in of(ast.Name))}
            self._loose = {name for name in used if name not in self._top and not hasattr(builtins, name)}
        self._roots = {*made.names, *self._loose, *(path.rpartition(".")[2] for path in self._own), *self._receivers}
        for index in of(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
            self._declare(nodes[index], self._places.of(index))
        self._assign_all(of(ast.AnnAssign, ast.Assign))
        # from here on, a name stays what it is
        self._rooted = {}
        library = {name for name, ref in made.names.items() if ref.partition(".")[0] in _STDLIB}
        self._calling.update((self._roots | self._typed) - library)
        for index in of(ast.Yield, ast.YieldFrom, ast.Return):
            self._end(nodes[index], index)
        for index in of(ast.Delete):
            made.taken.extend(filter(None, map(_attribute_of, nodes[index].targets)))
        for index in of(ast.Call):
            self._call(nodes[index], index)
        for handing in self._runs.handings:
            self._hand(handing)
        for call, place, trigger, name in sorted(ends, key=lambda end: position(end[0])):
            routine = self._routine(place)
            if routine is not None:
                routine.ends.setdefault(trigger, (name, call.lineno))
        for routine in made.routines.values():
            routine.calls.sort(key=lambda call: call.at)
        made.routines = {name: made.routines[name] for name in sorted(made.routines)}
        made.taken = sorted({*made.taken})
        return made

    # definitions

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        made = self._made
        source = absolute(node, self._package) if isinstance(node, ast.ImportFrom) else ""
        for alias in node.names:
            if isinstance(node, ast.Import):
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                made.names.setdefault(alias.asname or whole, whole)
            elif alias.name == "*":
                made.stars.append(source)
            else:
                made.names.setdefault(alias.asname or alias.name, f"{source}.{alias.name}".lstrip("."))

    def _define(self, node: Function | ast.ClassDef | ast.Global, place: Place) -> None:
        if isinstance(node, ast.Global):
            self._globals.setdefault(id(place.scopes[-1]), set()).update(node.names)
            return
        path = _joined(self._path(place.scopes), node.name)
        if path is not None:
            self._own.add(path)
        if isinstance(node, ast.ClassDef):
            if path is not None:
                self._made.classes.setdefault(path, ([], {}))
            return
        if path is not None:
            runs = isinstance(node, ast.FunctionDef) and not any(map(_defers, node.decorator_list))
            routine = self._made.routines.setdefault(path, Routine(node.lineno, runs))
            self._note_runner(node, routine)
        self._locals[id(node)] = dict.fromkeys(_parameters(node))
        if isinstance(place.scopes[-1], ast.ClassDef) and node.args.args:
            self._receivers.add(node.args.args[0].arg)

    def _note_runner(self, node: Function | ast.ClassDef, routine: Routine) -> None:
        """Which of its parameters the function calls for each of several items; -1 stands for keyword only."""
        known = self._runs.runners.get(node.name) if self._runs.runners else None
        if known is not None:
            receivers, parameters, called = known
            listed = parameters[receivers:]
            routine.each = [(listed.index(name) if name in listed else -1, name) for name in sorted(called)]

    def _declare(self, node: Function | ast.ClassDef, place: Place) -> None:
        """What a class is derived from, what a function takes and gives."""
        if not isinstance(node, ast.ClassDef):
            self._annotate(node, place)
            return
        path = _joined(self._path(place.scopes), node.name)
        if path in self._made.classes:
            found = (self._ref(base, place) for base in node.bases)
            self._made.classes[path][0].extend(ref for ref in found if ref is not None)

    def _assign_all(self, indices: list[int]) -> None:
        """What names and attributes are bound to, where that may lead somewhere."""
        others: list[int] = []
        for index in indices:
            node = self._flat.nodes[index]
            ref = self._bound_to(node, index)
            if ref is None:
                others.append(index)
                continue
            (target,) = _targets(node)
            self._bind(target, ref, self._places.of(index))
            if isinstance(target, ast.Name):
                self._typed.add(target.id)
        for index in others:
            for target in _targets(self._flat.nodes[index]):
                if isinstance(target, ast.Name) and self._may_lead(target):
                    self._bind(target, None, self._places.of(index))

    def _bound_to(self, node: ast.Assign | ast.AnnAssign, index: int) -> str | None:
        if len(_targets(node)) != 1:
            return None
        if node.value is not None and self._may_lead(node.value):
            return self._ref(node.value, self._places.of(index))
        return self._annotated(node.annotation, self._places.of(index)) if isinstance(node, ast.AnnAssign) else None

    def _annotate(self, function: Function, place: Place) -> None:
        known = self._locals[id(function)]
        arguments = function.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.annotation is not None:
                ref = known[argument.arg] = self._annotated(argument.annotation, place)
                if ref is not None:
                    self._typed.add(argument.arg)
        path = _joined(self._path(place.scopes), function.name)
        routine = None if path is None else self._made.routines.get(path)
        if routine is not None and function.returns is not None:
            ref = self._annotated(function.returns, place)
            routine.gives.extend([] if ref is None else [ref])

    def _annotated(self, annotation: ast.expr, place: Place) -> str | None:
        """A reference to an object of the class that the annotation names; `X | None` and `Optional[X]` count as X."""
        while True:
            match annotation:
                case ast.Constant(value=str(text)) if all(part.isidentifier() for part in text.split(".")):
                    first, *others = text.split(".")
                    root = self._root(first, place)
                    return None if root is None else f"{'.'.join((root, *others))}()"
                case ast.BinOp(left=inner, right=ast.Constant(value=None)):
                    annotation = inner
                case ast.Subscript(value=ast.Name(id="Optional") | ast.Attribute(attr="Optional"), slice=inner):
                    annotation = inner
                case ast.Name() | ast.Attribute():
                    ref = self._ref(annotation, place)
                    return None if ref is None else f"{ref}()"
                case _:
                    return None

    def _bind(self, target: ast.expr, ref: str | None, place: Place) -> None:
        scope = place.scopes[-1]
        match target:
            case ast.Name(id=name) if isinstance(scope, Function) and name not in self._globals.get(id(scope), ()):
                known = self._locals[id(scope)]
                # bound twice to different things, it stands for neither
                known[name] = ref if known.get(name, ref) == ref else None
            case ast.Name(id=name) if isinstance(scope, ast.Module) and ref is not None:
                self._made.names.setdefault(name, ref)
            case ast.Name(id=name) if isinstance(scope, ast.ClassDef) and ref is not None:
                self._attribute(self._path(place.scopes), name, ref)
            case ast.Attribute(value=ast.Name(id=receiver), attr=name) if ref is not None:
                owner = self._receiver(receiver, place)
                if owner is not None:
                    self._attribute(owner, name, ref)
            case _:
                pass

    def _attribute(self, owner: str | None, name: str, ref: str) -> None:
        if owner in self._made.classes:
            self._made.classes[owner][1].setdefault(name, ref)

    # uses

    def _end(self, node: ast.Yield | ast.YieldFrom | ast.Return, index: int) -> None:
        if not isinstance(node, ast.Return):
            routine = self._routine(self._places.of(index))
            if routine is not None:
                routine.runs = False
        elif node.value is not None and self._may_lead(node.value):
            self._return(node.value, self._places.of(index))

    def _may_lead(self, expression: ast.expr) -> bool:
        """Whether it begins with a name that may lead somewhere."""
        name = _first(expression)
        return name in self._roots or name in self._typed

    def _return(self, value: ast.expr, place: Place) -> None:
        routine, ref = self._routine(place), self._ref(value, place)
        if routine is None or ref is None or not ref.endswith("()"):
            return
        routine.gives.append(ref)
        known = self._locals.get(id(place.scopes[-1]), {})
        if isinstance(value, ast.Call) or (isinstance(value, ast.Name) and value.id in known):
            routine.makes.append(ref)

    def _call(self, call: ast.Call, index: int) -> None:
        func = call.func
        if type(func) is ast.Attribute and func.attr in _TAKES:
            attribute = _attribute_of(func.value)
            if attribute is not None:
                self._made.taken.append(attribute)
        if _first(func) in self._calling:
            place = self._places.of(index)
            called = self._lead(func, place, call, place.around | self._held.around(index))
            if called is not None and (call.args or call.keywords):
                called.hands = self._given(call, place)
                called.around |= self._steady.bits(index) if place.around & LOOP else 0

    def _given(self, call: ast.Call, place: Place) -> list[tuple[int | str, str]]:
        """Which arguments of a call may be functions, each with its reference, "" for a lambda."""
        found: list[tuple[int | str, str]] = []
        for where, value in enumerate(call.args):
            if type(value) in _NAMING and (ref := self._function(value, place)) is not None:
                found.append((where, ref))
        for keyword in call.keywords:
            value = keyword.value
            if keyword.arg and type(value) in _NAMING and (ref := self._function(value, place)) is not None:
                found.append((keyword.arg, ref))
        return found

    def _function(self, value: ast.expr, place: Place) -> str | None:
        if type(value) is ast.Lambda:
            return ""
        if (value.id if type(value) is ast.Name else _first(value)) not in self._roots:
            return None
        ref = self._ref(value, place)
        if ref is None or ref.endswith("()") or (ref.startswith(":") and ref[1:] not in self._made.routines):
            return None
        return ref

    def _hand(self, handing: Handing) -> None:
        """A call that runs a function for every item, in the same thread or `beside`, is a call of it in a loop."""
        if self._may_lead(handing.function):
            place = self._places.of(handing.call)
            around = LOOP | (FUNCTION if handing.beside else place.around)
            self._lead(handing.function, place, self._flat.nodes[handing.call], around)

    def _lead(self, func: ast.expr, place: Place, call: ast.Call, around: int) -> Called | None:
        ref = self._ref(func, place)
        if ref is None or ref.partition(".")[0] in _STDLIB:
            return None
        routine = self._routine(place)
        if routine is None:
            return None
        called = Called(ref, position(call), around)
        routine.calls.append(called)
        return called

    # references

    def _ref(self, expression: ast.expr, place: Place) -> str | None:
        """The reference that an expression makes, None if it is none, or to nothing that is known here."""
        parts: list[str] = []
        # by type: patterns take three times as long, and all calls come by here
        while type(expression) is not ast.Name:
            if type(expression) is ast.Attribute:
                parts.append(f".{expression.attr}")
                expression = expression.value
            elif type(expression) is ast.Call:
                parts.append("()")
                expression = expression.func
            elif type(expression) is ast.Await:
                expression = expression.value
            elif type(expression) is ast.BoolOp:
                expression = expression.values[-1]
            else:
                return None
        root = self._root(expression.id, place)
        return None if root is None else root + "".join(reversed(parts))

    def _root(self, name: str, place: Place) -> str | None:
        if self._rooted is None:
            return self._looked_up(name, place)
        key = (id(place), name)
        if key not in self._rooted:
            self._rooted[key] = self._looked_up(name, place)
        return self._rooted[key]

    def _looked_up(self, name: str, place: Place) -> str | None:
        for scope in reversed(place.scopes):
            known = self._locals.get(id(scope))
            if isinstance(scope, ast.Lambda) and name in _parameters(scope):
                return None
            if known is None or name not in known:
                continue
            if known[name] is None:
                owner = self._receiver(name, place)
                return None if owner is None else f":{owner}"
            return known[name]
        path = self._path(place.scopes)
        while path:
            # a function of the function around, which no other scope sees
            if f"{path}.{name}" in self._own and path not in self._made.classes:
                return f":{path}.{name}"
            path = path.rpartition(".")[0]
        if name in self._own or name in self._loose:
            return f":{name}"
        return self._made.names.get(name)

    def _receiver(self, name: str, place: Place) -> str | None:
        """The class if the name is the receiver of the method that the place is in."""
        scopes = place.scopes
        for index in range(len(scopes) - 1, 0, -1):
            method, owner = scopes[index], scopes[index - 1]
            if isinstance(owner, ast.ClassDef) and isinstance(method, Function):
                return _dotted(scopes[1:index]) if receiver_of(method) == name else None
        return None

    def _routine(self, place: Place) -> Routine | None:
        """The function that runs what stands there, None in a lambda unless it runs for every item."""
        if id(place) not in self._running:
            self._running[id(place)] = self._running_in(place)
        return self._running[id(place)]

    def _running_in(self, place: Place) -> Routine | None:
        scopes = place.scopes
        while isinstance(scopes[-1], ast.Lambda) and scopes[-1] in self._runs.functions:
            scopes = scopes[:-1]
        path = self._path(scopes)
        if path is None:
            return None
        while path in self._made.classes:
            # the body of a class runs where it stands
            path = path.rpartition(".")[0]
        if path == "" and path not in self._made.routines:
            self._made.routines[""] = Routine(1, False)
        return self._made.routines.get(path)

    def _path(self, scopes: tuple[Scope, ...]) -> str | None:
        if scopes not in self._paths:
            self._paths[scopes] = _dotted(scopes[1:])
        return self._paths[scopes]


def _first(expression: ast.expr) -> str | None:
    """The name that a chain of attributes and calls begins with."""
    while type(expression) is not ast.Name:
        if type(expression) is ast.Attribute or type(expression) is ast.Await:
            expression = expression.value
        elif type(expression) is ast.Call:
            expression = expression.func
        elif type(expression) is ast.BoolOp:
            expression = expression.values[-1]
        else:
            return None
    return expression.id


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _dotted(scopes: tuple[ast.AST, ...]) -> str | None:
    names = [scope.name for scope in scopes if isinstance(scope, Function | ast.ClassDef)]
    return ".".join(names) if len(names) == len(scopes) else None


def _joined(path: str | None, name: str) -> str | None:
    return None if path is None else f"{path}.{name}".lstrip(".")


def _parameters(function: Function | ast.Lambda) -> Iterator[str]:
    arguments = function.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if argument is not None:
            yield argument.arg


def _defers(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return _DEFERRING.search(name) is not None


def _attribute_of(expression: ast.expr) -> str | None:
    """The attribute that is meant by `x.NAME` or `x.NAME[key]`."""
    while isinstance(expression, ast.Subscript):
        expression = expression.value
    return expression.attr if isinstance(expression, ast.Attribute) else None
