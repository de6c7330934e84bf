"""The gate: one walk over a module's `ast` finds the candidates of all rules, from their triggers alone."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from auditor.rule import Calls, Nodes, Reaches, Rule
from auditor.scan.asked import (
    Names,
    Test,
    bound_in,
    called,
    is_called_on,
    is_kept,
    last_of,
    leads_through,
    shared_defaults,
    tests,
)
from auditor.scan.facts import Function
from auditor.scan.links import Outlook, Wanted
from auditor.scan.outline import COROUTINE, FUNCTION, HELD, LOOP, position
from auditor.scan.places import OFTEN, Place, Places, bits_of
from auditor.scan.syntax import Flat

MAX_DEPTH = 200
"""Nesting of a slice beyond which LibCST is not asked: its visitors need about five Python frames a level."""


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

    _calls: dict[str, list[tuple[str, int, Calls, Rule]]] = field(default_factory=dict)
    _nodes: dict[type[ast.AST], dict[Nodes, tuple[int, tuple[Test, ...], list[Rule]]]] = field(default_factory=dict)
    _reaches: dict[str, tuple[Reaches, Rule]] = field(default_factory=dict)
    _ends: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    _words: set[str] = field(default_factory=set)
    _called: set[str] = field(default_factory=set)
    _elsewhere: dict[type[ast.AST], list[tuple[int, tuple[Test, ...]]]] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Gate:
        """The gate of these rules."""
        gate = cls()
        for rule in rules:
            for number, trigger in enumerate(rule.triggers):
                if isinstance(trigger, Calls):
                    for name in trigger.names:
                        call = (_root(name), bits_of(trigger.where), trigger, rule)
                        gate._calls.setdefault(name.rsplit(".", 1)[-1], []).append(call)
                elif isinstance(trigger, Reaches):
                    gate._add_reaches(f"{rule.id}/{number}", trigger, rule)
                else:
                    gate._add_nodes(trigger, rule)
                if not isinstance(trigger, Nodes):
                    gate._words.update(prefix for name in trigger.names for prefix in _prefixes(name))
        gate._called.update(gate._calls, gate._ends)
        return gate

    def _add_nodes(self, trigger: Nodes, rule: Rule) -> None:
        # what several rules ask alike is looked at once
        alike = replace(trigger, kinds=())
        for name in trigger.kinds:
            kind = getattr(ast, name, ast.Module)
            if trigger.where.elsewhere:
                self._elsewhere.setdefault(kind, []).append((bits_of(trigger.where), tests(trigger)))
            if issubclass(kind, ast.expr | ast.stmt):
                known = self._nodes.setdefault(kind, {})
                known.setdefault(alike, (bits_of(trigger.where), tests(trigger), []))[2].append(rule)

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
                LOOP * trigger.where.loop
                | COROUTINE * trigger.where.coroutine
                | FUNCTION * trigger.where.function
                | HELD * trigger.where.held,
                frozenset(trigger.names) if trigger.made else frozenset(),
                trigger.often,
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
        names = Names(
            aliases=aliases, roots=_roots(flat, outlook), bound=bound_in(flat.nodes[0]) | shared_defaults(flat)
        )
        found: dict[int, dict[str, Rule]] = {}
        for kind, triggers in self._nodes.items():
            for index in flat.of(kind):
                node, around = flat.nodes[index], places.of(index).bits
                for bits, asked, rules in triggers.values():
                    if around & bits != bits:
                        continue
                    for test in asked:
                        if not test(node, names):
                            break
                    else:
                        found.setdefault(index, {}).update((rule.id, rule) for rule in rules)
        ends: list[End] = []
        also = {alias for alias, meanings in aliases.items() if not self._called.isdisjoint(meanings)}
        for index in flat.of(ast.Call):
            call = flat.nodes[index]
            last = last_of(call.func)
            for name in called(call.func, aliases) if last in self._called or last in also else ():
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
            Candidate(
                index,
                flat.nodes[index],
                tuple(rules[one] for one in sorted(rules)),
                places.of(index),
                places.depth(index),
            )
            for index, rules in found.items()
        ]
        return candidates, ends

    def awaiting(self, flat: Flat, places: Places) -> set[str]:
        """Names of the functions that triggers would have looked at if loops called them, here or in other files."""
        names, found = Names(aliases={}, roots=set(), bound=set()), set[str]()
        for kind, triggers in self._elsewhere.items():
            for index in flat.of(kind):
                around = places.of(index).bits
                if around & OFTEN or not around & FUNCTION:
                    continue
                for bits, asked in triggers:
                    if (around | OFTEN) & bits == bits and all(test(flat.nodes[index], names) for test in asked):
                        scopes = reversed(places.of(index).scopes)
                        found.add(next(one.name for one in scopes if isinstance(one, Function)))
        return found

    def _ends_at(self, name: str, index: int, call: ast.Call, names: Names, places: Places) -> Iterator[End]:
        for root, key in self._ends[name]:
            trigger = self._reaches[key][0]
            if root not in names.roots or (trigger.through and not leads_through(call.func, trigger.through)):
                continue
            if isinstance(places.of(index).scopes[-1], ast.FunctionDef):
                yield End(call, places.of(index), key, trigger)

    def _called_for(self, name: str, index: int, call: ast.Call, names: Names, places: Places) -> Iterator[Rule]:
        around = places.of(index).bits
        for root, bits, trigger, rule in self._calls[name]:
            if around & bits != bits or root not in names.roots:
                continue
            if trigger.where.kept and not is_kept(call, names.bound):
                continue
            if trigger.owners and not is_called_on(call.func, trigger.owners):
                continue
            if not trigger.through or leads_through(call.func, trigger.through):
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
        found.setdefault(meant_by.rpartition(".")[2].lstrip(":"), set()).add(meant.rpartition(".")[2])
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
