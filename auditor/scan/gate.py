"""The gate: one walk over a module's `ast` finds the candidates of all rules, from their triggers alone."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from auditor.rule import Calls, Nodes, Rule, Where
from auditor.scan.facts import Function, Scope

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

    def suits(self, where: Where) -> bool:
        """Whether these surroundings are what a trigger asks for."""
        return (
            (not where.loop or self.loop)
            and (not where.function or any(isinstance(scope, _FUNCTIONS) for scope in self.scopes))
            and (not where.coroutine or isinstance(self.scopes[-1], ast.AsyncFunctionDef))
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that some rules want to look at."""

    node: ast.expr | ast.stmt
    rules: tuple[Rule, ...]
    place: Place
    depth: int


@dataclass(slots=True)
class Gate:
    """All triggers of a set of rules, compiled for one look-up per node."""

    _calls: dict[str, list[tuple[str, Where, Rule]]] = field(default_factory=dict)
    _nodes: dict[str, list[tuple[Nodes, Rule]]] = field(default_factory=dict)

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Gate:
        """The gate of these rules."""
        gate = cls()
        for rule in rules:
            for trigger in rule.triggers:
                if isinstance(trigger, Calls):
                    for name in trigger.names:
                        root = _root(name)
                        gate._calls.setdefault(name.rsplit(".", 1)[-1], []).append((root, trigger.where, rule))
                else:
                    for kind in trigger.kinds:
                        gate._nodes.setdefault(kind, []).append((trigger, rule))
        return gate

    def candidates(self, tree: ast.Module) -> list[Candidate]:
        """Every node that some rule's trigger admits, in no particular order."""
        names = _Module(aliases=_aliases(tree), roots=_roots(tree), bound=_bound(tree))
        return [
            Candidate(node=node, rules=rules, place=place, depth=depth)
            for node, place, depth in _walk(tree)
            if isinstance(node, ast.expr | ast.stmt) and (rules := self._admitted(node, place, names))
        ]

    def _admitted(self, node: ast.AST, place: Place, names: _Module) -> tuple[Rule, ...]:
        found: dict[str, Rule] = {}
        for trigger, rule in self._nodes.get(type(node).__name__, ()):
            if place.suits(trigger.where) and _is_asked_for(node, trigger, names):
                found[rule.id] = rule
        if isinstance(node, ast.Call):
            for name in _called(node.func, names.aliases):
                for root, where, rule in self._calls.get(name, ()):
                    if root in names.roots and place.suits(where) and (not where.kept or _is_kept(node, names.bound)):
                        found[rule.id] = rule
        return tuple(found.values())


@dataclass(frozen=True, slots=True)
class _Module:
    """What the gate knows of a module's names: what they may stand for, what is imported, what is bound in it."""

    aliases: dict[str, set[str]]
    roots: set[str]
    bound: set[str]


def _is_asked_for(node: ast.AST, trigger: Nodes, names: _Module) -> bool:
    return (
        _entries(node) >= trigger.least
        and (not trigger.targets or any(type(target).__name__ in trigger.targets for target in _targets(node)))
        and (not trigger.decorators or not _decorators(node, names.aliases).isdisjoint(trigger.decorators))
        and (not trigger.where.kept or _is_kept(node, names.bound))
    )


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign | ast.Delete):
        return node.targets
    return [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []


def _decorators(node: ast.AST, aliases: dict[str, set[str]]) -> set[str]:
    listed: list[ast.expr] = getattr(node, "decorator_list", [])
    called = (decorator.func if isinstance(decorator, ast.Call) else decorator for decorator in listed)
    return {name for decorator in called for name in _called(decorator, aliases)}


def _is_kept(node: ast.AST, bound: set[str]) -> bool:
    """Whether what is called upon or stored into is an attribute or a name of the module."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and _is_lasting(node.func.value, bound)
    return any(_is_lasting(target, bound) for target in _targets(node))


def _is_lasting(expression: ast.expr, bound: set[str]) -> bool:
    """Also of `x[key]` and of what a method of it returns (`x.setdefault(key, [])`)."""
    while isinstance(expression, ast.Subscript | ast.Call):
        inner = expression.value if isinstance(expression, ast.Subscript) else expression.func
        if isinstance(expression, ast.Call):
            if not isinstance(inner, ast.Attribute):
                return False
            inner = inner.value
        expression = inner
    return isinstance(expression, ast.Attribute) or (isinstance(expression, ast.Name) and expression.id in bound)


def _bound(tree: ast.Module) -> set[str]:
    """Names that the module's own statements assign."""
    found: set[str] = set()
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        for target in _targets(node):
            found.update(name.id for name in ast.walk(target) if isinstance(name, ast.Name))
        if isinstance(node, ast.If | ast.Try | ast.ExceptHandler | ast.With):
            pending.extend(ast.iter_child_nodes(node))
    return found


def _called(function: ast.expr, aliases: dict[str, set[str]]) -> Iterator[str]:
    if isinstance(function, ast.Attribute):
        yield function.attr
    elif isinstance(function, ast.Name):
        yield function.id
        yield from sorted(aliases.get(function.id, ()))


def _entries(node: ast.AST) -> int:
    if isinstance(node, ast.Dict):
        return len(node.keys)
    if isinstance(node, ast.List | ast.Set | ast.Tuple):
        return len(node.elts)
    return 0


def _root(name: str) -> str:
    """The top-level module of a qualified name, "" for methods of anything and for builtins."""
    root, _, rest = name.partition(".")
    return "" if not rest or root == "builtins" or hasattr(builtins, root) else root


def _roots(tree: ast.Module) -> set[str]:
    """Top-level modules that the module imports anything from: nothing else of theirs can be meant in it."""
    found = {""}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    if "asyncio" in found:
        # `asyncio.run_coroutine_threadsafe` gives a `concurrent.futures.Future`
        found.add("concurrent")
    return found


def _aliases(tree: ast.Module) -> dict[str, set[str]]:
    """Other last components that a plain name may stand for: `import a as b`, `from a import b as c`, `Q = a.Queue`."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                if alias.asname:
                    found.setdefault(alias.asname, set()).add(alias.name.rsplit(".", 1)[-1])
        elif isinstance(node, ast.ClassDef):
            # a derived class stands for its bases too: a rule may ask for subclasses
            found.setdefault(node.name, set()).update(filter(None, map(_last, node.bases)))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Attribute | ast.Name):
            last = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, set()).add(last)
    return _closure(found)


def _last(expression: ast.expr) -> str | None:
    """The last component of a name or attribute chain."""
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.id if isinstance(expression, ast.Name) else None


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


def _walk(tree: ast.Module) -> Iterator[tuple[ast.AST, Place, int]]:
    """Every node with its surroundings and nesting, without recursion (deep expressions are no trouble)."""
    stack: list[tuple[ast.AST, Place, int]] = [
        (statement, Place(scopes=(tree,), slice=statement), 0) for statement in tree.body
    ]
    while stack:
        node, place, depth = stack.pop()
        yield node, place, depth
        for child, child_place in _children(node, place):
            stack.append((child, child_place, depth + 1))


def _children(node: ast.AST, place: Place) -> Iterable[tuple[ast.AST, Place]]:
    if isinstance(node, ast.For | ast.AsyncFor):
        return _of_for(node, place)
    if isinstance(node, ast.While):
        inside = _looping(place)
        return [(child, inside) for child in (node.test, *node.body)] + [(child, place) for child in node.orelse]
    if isinstance(node, _COMPREHENSIONS):
        return _of_comprehension(node, place)
    if isinstance(node, _FUNCTIONS):
        return _of_function(node, place)
    if isinstance(node, ast.ClassDef):
        return _of_class(node, place)
    return [(child, place) for child in ast.iter_child_nodes(node)]


def _looping(place: Place) -> Place:
    return place if place.loop else Place(scopes=place.scopes, slice=place.slice, loop=True)


def _of_for(node: ast.For | ast.AsyncFor, place: Place) -> list[tuple[ast.AST, Place]]:
    inside = _looping(place)
    outside = [(child, place) for child in (node.iter, *node.orelse)]
    return [*outside, *((child, inside) for child in (node.target, *node.body))]


def _of_comprehension(node: ast.expr, place: Place) -> list[tuple[ast.AST, Place]]:
    inside = _looping(place)
    generators: Sequence[ast.comprehension] = getattr(node, "generators", ())
    children: list[tuple[ast.AST, Place]] = []
    for index, generator in enumerate(generators):
        children.append((generator.iter, inside if index else place))
        children.extend((child, inside) for child in (generator.target, *generator.ifs))
    parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (getattr(node, "elt"),)  # noqa: B009
    return [*children, *((part, inside) for part in parts)]


def _of_function(node: ast.AST, place: Place) -> list[tuple[ast.AST, Place]]:
    if isinstance(node, ast.Lambda):
        inside = Place(scopes=(*place.scopes, node), slice=place.slice)
        return [(node.args, place), (node.body, inside)]
    assert isinstance(node, Function)
    outermost = not any(isinstance(scope, Function) for scope in place.scopes)
    inside = Place(scopes=(*place.scopes, node), slice=node if outermost else place.slice)
    outer = [*node.decorator_list, node.args, *([node.returns] if node.returns else [])]
    return [*((child, place) for child in outer), *((child, inside) for child in node.body)]


def _of_class(node: ast.ClassDef, place: Place) -> list[tuple[ast.AST, Place]]:
    in_function = any(isinstance(scope, _FUNCTIONS) for scope in place.scopes)
    scopes = (*place.scopes, node)
    outer = [*node.decorator_list, *node.bases, *node.keywords]
    body = [
        (statement, Place(scopes=scopes, slice=place.slice if in_function else statement, loop=place.loop))
        for statement in node.body
    ]
    return [*((child, place) for child in outer), *body]
