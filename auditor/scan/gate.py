"""The gate: one walk over a module's `ast` finds the candidates of all rules, from their triggers alone."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field, replace

from auditor.rule import Calls, Nodes, Reaches, Rule, Where
from auditor.scan.asked import Names, Test, bound_in, called, is_kept, last_of, tests
from auditor.scan.facts import Function, Scope
from auditor.scan.links import Outlook, Wanted
from auditor.scan.outline import COROUTINE, FUNCTION, LOOP, position
from auditor.scan.syntax import Flat

MAX_DEPTH = 200
"""Nesting of a slice beyond which LibCST is not asked: its visitors need about five Python frames a level."""

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(slots=True)
class Place:
    """Surroundings of a node, shared by all nodes that have the same."""

    scopes: tuple[Scope, ...]
    slice: ast.stmt | None
    loop: bool = False
    handler: bool = False

    def suits(self, where: Where) -> bool:
        """Whether these surroundings are what a trigger asks for."""
        return (
            (not where.loop or self.loop)
            and (not where.handler or self.handler)
            and (not where.function or isinstance(self.scopes[-1], _FUNCTIONS) or self._is_in_function())
            and (not where.coroutine or isinstance(self.scopes[-1], ast.AsyncFunctionDef))
        )

    def _is_in_function(self) -> bool:
        return any(isinstance(scope, _FUNCTIONS) for scope in self.scopes)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that some rules want to look at, at that index of the module's nodes."""

    index: int
    node: ast.expr | ast.stmt
    rules: tuple[Rule, ...]
    place: Place
    depth: int


@dataclass(frozen=True, slots=True)
class End:
    """A call that may be the end of a way, and the trigger that asks for it."""

    node: ast.Call
    place: Place
    key: str
    trigger: Reaches


@dataclass(slots=True)
class Gate:
    """All triggers of a set of rules, compiled for one look-up per node."""

    _calls: dict[str, list[tuple[str, Where, Rule]]] = field(default_factory=dict)
    _nodes: dict[type[ast.AST], list[tuple[tuple[Test, ...], Where, Rule]]] = field(default_factory=dict)
    _reaches: dict[str, tuple[Reaches, Rule]] = field(default_factory=dict)
    _ends: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    _words: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Gate:
        """The gate of these rules."""
        gate = cls()
        for rule in rules:
            for number, trigger in enumerate(rule.triggers):
                if isinstance(trigger, Calls):
                    for name in trigger.names:
                        root = _root(name)
                        gate._calls.setdefault(name.rsplit(".", 1)[-1], []).append((root, trigger.where, rule))
                elif isinstance(trigger, Reaches):
                    gate._add_reaches(f"{rule.id}/{number}", trigger, rule)
                else:
                    for name in trigger.kinds:
                        kind = getattr(ast, name, ast.Module)
                        if issubclass(kind, ast.expr | ast.stmt):
                            gate._nodes.setdefault(kind, []).append((tests(trigger), trigger.where, rule))
                if not isinstance(trigger, Nodes):
                    gate._words.update(prefix for name in trigger.names for prefix in _prefixes(name))
        return gate

    def _add_reaches(self, key: str, trigger: Reaches, rule: Rule) -> None:
        self._reaches[key] = (trigger, rule)
        if not trigger.made:
            for name in trigger.names:
                known = self._ends.setdefault(name.rsplit(".", 1)[-1], [])
                if (_root(name), key) not in known:
                    known.append((_root(name), key))

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """What the triggers want to know of the project."""
        return tuple(
            Wanted(
                key,
                LOOP * trigger.where.loop | COROUTINE * trigger.where.coroutine | FUNCTION * trigger.where.function,
                frozenset(trigger.names) if trigger.made else frozenset(),
            )
            for key, (trigger, _rule) in self._reaches.items()
        )

    @property
    def words(self) -> frozenset[str]:
        """The qualified names that triggers ask for, and those that they begin with."""
        return frozenset(self._words)

    def candidates(
        self, flat: Flat, places: Places, outlook: Outlook | None = None
    ) -> tuple[list[Candidate], list[End]]:
        """Every node that some rule's trigger admits, in no particular order, and the calls that may end a way."""
        outlook = outlook or Outlook()
        aliases = _closure(_aliases(flat, outlook))
        names = Names(aliases=aliases, roots=_roots(flat, outlook), bound=bound_in(flat.nodes[0]))
        found: dict[int, dict[str, Rule]] = {}
        for kind, triggers in self._nodes.items():
            for index in flat.of(kind):
                node = flat.nodes[index]
                for asked, where, rule in triggers:
                    for test in asked:
                        if not test(node, names):
                            break
                    else:
                        if places.of(index).suits(where):
                            found.setdefault(index, {})[rule.id] = rule
        ends: list[End] = []
        for index in flat.of(ast.Call):
            call = flat.nodes[index]
            for name in called(call.func, aliases):
                if name in self._calls:
                    for rule in self._called_for(name, index, call, names, places):
                        found.setdefault(index, {})[rule.id] = rule
                if name in self._ends:
                    ends.extend(self._ends_at(name, index, call, names, places))
            for key in outlook.ways.get(position(call), ()) if outlook.ways else ():
                if key in self._reaches:
                    rule = self._reaches[key][1]
                    found.setdefault(index, {})[rule.id] = rule
        candidates = [
            Candidate(index, flat.nodes[index], tuple(rules.values()), places.of(index), places.depth(index))
            for index, rules in found.items()
        ]
        return candidates, ends

    def _ends_at(self, name: str, index: int, call: ast.Call, names: Names, places: Places) -> Iterator[End]:
        for root, key in self._ends[name]:
            if root in names.roots and isinstance(places.of(index).scopes[-1], ast.FunctionDef):
                yield End(call, places.of(index), key, self._reaches[key][0])

    def _called_for(self, name: str, index: int, call: ast.Call, names: Names, places: Places) -> Iterator[Rule]:
        for root, where, rule in self._calls[name]:
            if root not in names.roots or not places.of(index).suits(where):
                continue
            if not where.kept or is_kept(call, names.bound):
                yield rule


def _root(name: str) -> str:
    """The top-level module of a qualified name, "" for methods of anything and for builtins."""
    root, _, rest = name.partition(".")
    return "" if not rest or root == "builtins" or hasattr(builtins, root) else root


def _prefixes(name: str) -> Iterator[str]:
    """`a`, `a.b` and `a.b.c` for `a.b.c`."""
    parts = name.split(".")
    return (".".join(parts[:count]) for count in range(1, len(parts) + 1))


def _roots(flat: Flat, outlook: Outlook) -> set[str]:
    """Top-level modules that the module imports anything from: nothing else of theirs can be meant in it."""
    outside = [name for name, _made in outlook.meanings.values()]
    outside += [name for names in outlook.ancestors.values() for name in names]
    found = {"", *(name.partition(".")[0] for name in outside)}
    for node in (flat.nodes[index] for index in flat.of(ast.Import, ast.ImportFrom)):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif node.module and not node.level:
            found.add(node.module.partition(".")[0])
    if "asyncio" in found:
        # `asyncio.run_coroutine_threadsafe` gives a `concurrent.futures.Future`
        found.add("concurrent")
    return found


def _aliases(flat: Flat, outlook: Outlook) -> dict[str, set[str]]:
    """Other last components that a plain name may stand for: `import a as b`, `from a import b as c`, `Q = a.Queue`."""
    found: dict[str, set[str]] = {}
    for meant_by, (meant, _made) in outlook.meanings.items():
        found.setdefault(meant_by.rpartition(".")[2], set()).add(meant.rpartition(".")[2])
    for derived, bases in outlook.ancestors.items():
        found.setdefault(derived.rpartition(".")[2].lstrip(":"), set()).update(b.rpartition(".")[2] for b in bases)
    for node in (flat.nodes[index] for index in flat.of(ast.Import, ast.ImportFrom, ast.ClassDef, ast.Assign)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if alias.asname:
                    found.setdefault(alias.asname, set()).add(alias.name.rsplit(".", 1)[-1])
        elif isinstance(node, ast.ClassDef):
            # a derived class stands for its bases too: a rule may ask for subclasses
            found.setdefault(node.name, set()).update(filter(None, map(last_of, node.bases)))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute | ast.Name):
            last = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, set()).add(last)
    return found


def _closure(aliases: dict[str, set[str]]) -> dict[str, set[str]]:
    """Follow aliases of aliases (`A = x.Queue; B = A`)."""
    changed = True
    while changed:
        changed = False
        for alias, meanings in aliases.items():
            further = set().union(*(aliases.get(meaning, ()) for meaning in meanings)) - meanings
            if further:
                aliases[alias] = meanings | further
                changed = True
    return aliases


class Places:
    """The surroundings of nodes, worked out for those asked about. What functions `per_item` do is in a loop."""

    def __init__(self, flat: Flat, per_item: Container[ast.AST] = ()) -> None:
        self._flat = flat
        self._per_item = per_item
        self._known: dict[int, tuple[Place, int]] = {0: (Place(scopes=(flat.nodes[0],), slice=None), -1)}
        self._inner: dict[int, Place] = {}

    def of(self, index: int) -> Place:
        """The surroundings of the node at that index."""
        return self._found(index)[0]

    def depth(self, index: int) -> int:
        """How deep the node is nested; the module's own statements are at 0."""
        return self._found(index)[1]

    def _found(self, index: int) -> tuple[Place, int]:
        path = []
        while index not in self._known:
            path.append(index)
            index = self._flat.parents[index]
        found = self._known[index]
        for below in reversed(path):
            found = self._known[below] = (self._below(index, below, found[0]), found[1] + 1)
            index = below
        return found

    def _below(self, around: int, index: int, place: Place) -> Place:
        """The surroundings of the node at `index`, given those of the node at `around`, whose child it is."""
        parent, node = self._flat.nodes[around], self._flat.nodes[index]
        if isinstance(node, ast.stmt) and isinstance(parent, ast.Module | ast.ClassDef):
            return _of_statement(parent, node, place)
        if not self._is_inside(around, parent, node):
            return place
        if around not in self._inner:
            if isinstance(parent, _FUNCTIONS):
                self._inner[around] = _of_function(parent, place, parent in self._per_item)
            elif isinstance(parent, ast.ExceptHandler):
                self._inner[around] = replace(place, handler=True)
            else:
                self._inner[around] = replace(place, loop=True)
        return self._inner[around]

    def _is_inside(self, around: int, parent: ast.AST, node: ast.AST) -> bool:
        """Whether the child belongs to what the parent repeats, or, in a function, to its body."""
        if isinstance(parent, ast.ExceptHandler):
            return True
        if isinstance(parent, ast.For | ast.AsyncFor):
            return node is not parent.iter and node not in parent.orelse
        if isinstance(parent, ast.While):
            return node not in parent.orelse
        if isinstance(parent, ast.comprehension):
            comprehension = self._flat.nodes[self._flat.parents[around]]
            return node is not parent.iter or parent is not comprehension.generators[0]
        if isinstance(parent, _COMPREHENSIONS):
            return not isinstance(node, ast.comprehension)
        if isinstance(parent, ast.Lambda):
            return node is parent.body
        return isinstance(parent, Function) and isinstance(node, ast.stmt)


def _of_function(node: Function | ast.Lambda, place: Place, per_item: bool) -> Place:
    outermost = not isinstance(node, ast.Lambda) and not any(isinstance(scope, Function) for scope in place.scopes)
    piece = node if outermost and isinstance(node, Function) else place.slice
    return Place(scopes=(*place.scopes, node), slice=piece, loop=per_item)


def _of_statement(parent: ast.Module | ast.ClassDef, node: ast.stmt, place: Place) -> Place:
    if isinstance(parent, ast.Module):
        return Place(scopes=place.scopes, slice=node)
    in_function = any(isinstance(scope, _FUNCTIONS) for scope in place.scopes)
    return replace(place, scopes=(*place.scopes, parent), slice=place.slice if in_function else node)
