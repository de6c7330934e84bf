"""What a node has to be for a trigger to ask for it, apart from where it stands."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Any

from auditor.rule import Nodes
from auditor.scan.syntax import Flat, children, walk


@dataclass(frozen=True, slots=True)
class Names:
    """What the gate knows of a module's names: what they may stand for, what is imported, what is bound in it."""

    aliases: dict[str, set[str]]
    roots: set[str]
    bound: set[str]


_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)

Test = Callable[[Any, Names], bool]


def tests(asked: Nodes) -> tuple[Test, ...]:
    """What a node has to pass, without what the trigger does not ask for."""
    operators, targets, decorators = frozenset(asked.operators), frozenset(asked.targets), frozenset(asked.decorators)
    listed: tuple[tuple[object, Test], ...] = (
        (
            asked.attributes,
            lambda node, _names: getattr(getattr(node, "value", None), "attr", None) in asked.attributes,
        ),
        (asked.asks, lambda node, _names: _asks_first(node)),
        (asked.least, lambda node, _names: _entries(node) >= asked.least),
        (operators, lambda node, _names: not operators.isdisjoint(_operators(node))),
        (asked.values, lambda node, _names: type(getattr(node, "value", None)).__name__ in asked.values),
        (targets, lambda node, _names: not targets.isdisjoint([type(one).__name__ for one in _targets(node)])),
        (decorators, lambda node, names: not decorators.isdisjoint(_decorators(node, names.aliases))),
        (asked.where.kept, lambda node, names: is_kept(node, names.bound)),
        (asked.again, lambda node, _names: _is_set_again(node)),
    )
    return tuple(test for wanted, test in listed if wanted)


def _operators(node: ast.AST) -> list[str]:
    operators = getattr(node, "ops", None) or [getattr(node, "op", None)]
    return [type(operator).__name__ for operator in operators]


def _asks_first(node: Any) -> bool:
    if isinstance(node, _COMPREHENSIONS):
        return any(generator.ifs for generator in node.generators)
    return isinstance(node, _LOOPS) and isinstance(node.body[0], ast.If)


def _is_set_again(node: ast.AST) -> bool:
    """Whether the value assigned has the last component of a name that it is assigned to; an index, of its owner."""
    if isinstance(node, ast.Subscript):
        return (
            any(last_of(part) == last_of(node.value) for part in walk(node.slice)) and last_of(node.value) is not None
        )
    value = getattr(node, "value", None)
    names = {last_of(part) for target in _targets(node) for part in walk(target)} - {None}
    return value is not None and any(last_of(part) in names for part in walk(value))


def _targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign | ast.Delete):
        return node.targets
    return [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []


def _decorators(node: ast.AST, aliases: dict[str, set[str]]) -> set[str]:
    listed: list[ast.expr] = getattr(node, "decorator_list", [])
    callees = [decorator.func if isinstance(decorator, ast.Call) else decorator for decorator in listed]
    return {name for callee in callees for name in called(callee, aliases)}


def is_kept(node: ast.AST, bound: set[str]) -> bool:
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


def bound_in(tree: ast.Module) -> set[str]:
    """Names that the module's own statements assign."""
    found: set[str] = set()
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        for target in _targets(node):
            found.update(name.id for name in walk(target) if isinstance(name, ast.Name))
        if isinstance(node, ast.If | ast.Try | ast.ExceptHandler | ast.With):
            pending.extend(children(node))
    return found


def shared_defaults(flat: Flat) -> set[str]:
    """What calls share: defaults, `def f(x, _cache={})`, names that inner functions bind anew, dicts of closures."""
    found = {name for index in flat.of(ast.Nonlocal) for name in flat.nodes[index].names}
    for index in flat.of(ast.FunctionDef, ast.AsyncFunctionDef):
        found.update(_empty_dicts(flat.nodes[flat.parents[index]]))
    for arguments in (flat.nodes[index] for index in flat.of(ast.arguments)):
        listed = (*arguments.posonlyargs, *arguments.args)
        pairs = [*zip(reversed(listed), reversed(arguments.defaults), strict=False)]
        pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        found.update(one.arg for one, default in pairs if isinstance(default, ast.Dict | ast.List | ast.Call))
    return found


def _empty_dicts(around: ast.AST) -> Iterator[str]:
    """Names that a function with another in its body binds to an empty dict."""
    for statement in around.body if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef) else ():
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=[]))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict(keys=[]))
            ):
                yield name
            case _:
                pass


def called(function: ast.expr, aliases: dict[str, set[str]]) -> tuple[str, ...]:
    """What may be called, `helpers.Queue` as a plain name."""
    name = last_of(function)
    if name is None:
        return ()
    return (name, *sorted(aliases[name])) if name in aliases else (name,)


def _entries(node: ast.AST) -> int:
    if isinstance(node, ast.Dict):
        return len(node.keys)
    if isinstance(node, ast.List | ast.Set | ast.Tuple):
        return len(node.elts)
    return 0


def last_of(expression: ast.AST) -> str | None:
    """The last component of a name or attribute chain."""
    if type(expression) is ast.Attribute:
        return expression.attr
    return expression.id if type(expression) is ast.Name else None


def is_called_on(function: ast.expr, owners: tuple[str, ...]) -> bool:
    """Whether the name of what a method is called on ends in one of these."""
    owner = last_of(function.value) if isinstance(function, ast.Attribute) else None
    return owner is not None and owner.lower().endswith(owners)


def leads_through(function: ast.expr, names: Container[str]) -> bool:
    """Whether one of these is among the attributes that lead to a method: `objects` in `Model.objects.all().get`."""
    inner = function.value if isinstance(function, ast.Attribute) else function
    while isinstance(inner, ast.Attribute | ast.Call | ast.Subscript):
        if isinstance(inner, ast.Attribute) and inner.attr in names:
            return True
        inner = inner.func if isinstance(inner, ast.Call) else inner.value
    return False
