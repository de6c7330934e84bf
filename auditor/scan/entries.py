"""What type the entries of a container are proven to have: by its display, its annotation, and what is stored in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import partial

from auditor.scan import infer
from auditor.scan.facts import Annotated, Binding, ModuleFacts
from auditor.scan.scopes import Scopes
from auditor.scan.signatures import ANNOTATIONS, ENTRIES, LITERALS, MAPS, OPTIONAL, SEQUENCES, STR_TO_LIST

_EMPTY = "empty"
"""Of a container that is filled elsewhere."""
_MADE = frozenset(("list", "dict", "set", "str", "bytes", "bytearray", "tuple", "int", "float"))


def type_of_entry(container: ast.expr, key: ast.expr | None, scopes: Scopes, steps: int) -> str | None:
    """The type of `container[key]`, None if unknown; of any entry if no key is given."""
    if steps <= 0:
        return None
    if not isinstance(container, ast.Name | ast.Attribute):
        found = _of_value(container, key, scopes, steps - 1)
        return None if found == _EMPTY else found
    asked = _named(container, scopes)
    if asked is None:
        return ENTRIES.get(infer.qualified(container, scopes, steps - 1) or "")
    name, owner, where, bindings, stored = asked
    of = key.value if isinstance(key, ast.Constant) else None
    kinds = partial(_kinds, name, bindings, stored, key, where, steps - 1)
    return infer.remembered((name, owner, "entry", type(of), of), where, steps, kinds)


_Asked = tuple[str, object, Scopes, Sequence[Binding], Sequence[Binding]]
"""A name, whose it is, where its values are read, these, and what is stored in their entries."""


def _named(container: ast.Name | ast.Attribute, scopes: Scopes) -> _Asked | None:
    if isinstance(container, ast.Name):
        found = scopes.lookup(container.id)
        if found is None or found[1][0].imported is not None:
            return None
        where, bindings = found
        chain = scopes.chain[len(where.chain) - 1 :]
        stored = [one for scope in chain for one in scopes.facts.names(scope).items.get(container.id, ())]
        return container.id, where.chain, where, bindings, stored
    klass = scopes.klass()
    if klass is None or not isinstance(container.value, ast.Name) or container.value.id != klass[1]:
        return None
    bindings = scopes.facts.attributes(klass[0]).get(container.attr, [])
    where = Scopes(scopes.facts, scopes.chain[: scopes.chain.index(klass[0]) + 1])
    stored = scopes.facts.attribute_items(klass[0]).get(container.attr, [])
    return container.attr, klass[0], where, bindings, stored


def _kinds(
    name: str, bindings: Sequence[Binding], stored: Sequence[Binding], key: ast.expr | None, where: Scopes, steps: int
) -> Iterator[str | None]:
    """The types that the bindings give; None among them where one is unknown."""
    for binding in bindings:
        if binding.annotation is not None:
            yield annotated_entry(binding.annotation, where, steps)
            return
    is_filled = False
    for one in bindings:
        if one.augmented or _is_none(one.value):
            continue
        kind = None if one.value is None else _of_value(one.value, key, _read_in(one, where), steps)
        if kind == _EMPTY:
            is_filled = True
        else:
            yield kind
    if is_filled:
        # by `x[key] = []`, `x.setdefault(key, [])`
        for one in stored:
            yield None if one.value is None else infer.type_of(one.value, _read_in(one, where), steps)
        yield from (infer.type_of(value, where, steps) for value in _defaulted(where.facts).get(name, ()))


def _defaulted(facts: ModuleFacts) -> dict[str, list[ast.expr]]:
    """What `setdefault` puts into variables and attributes of a name, wherever the module calls it."""
    if facts.defaulted is None:
        facts.defaulted = {}
        for call in (facts.flat.nodes[index] for index in facts.flat.of(ast.Call)):
            func = call.func
            if type(func) is ast.Attribute and func.attr == "setdefault" and len(call.args) == 2:
                owner = func.value
                last = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                facts.defaulted.setdefault(last, []).append(call.args[1])
    return facts.defaulted


def _read_in(binding: Binding, where: Scopes) -> Scopes:
    return where if binding.method is None else Scopes(where.facts, (*where.chain, binding.method))


def _of_value(value: ast.expr, key: ast.expr | None, scopes: Scopes, steps: int) -> str | None:
    if steps <= 0:
        return None
    match value:
        case Annotated(annotation=annotation):
            return annotated_entry(annotation, scopes, steps)
        case ast.Dict(keys=keys, values=values):
            chosen = [one for name, one in zip(keys, values, strict=True) if _is_same(name, key)]
            return None if None in keys else _agreed(chosen or values, scopes, steps)
        case ast.List(elts=values) | ast.Tuple(elts=values) | ast.Set(elts=values):
            return _agreed(values, scopes, steps)
        case ast.ListComp(elt=made) | ast.SetComp(elt=made) | ast.DictComp(value=made):
            # what is made of the loop's names is not known here
            return infer.type_of(made, scopes, steps - 1) if _is_plain(made) else None
        case ast.BinOp(left=ast.List(elts=values), op=ast.Mult()):
            return _agreed(values, scopes, steps)
        case ast.Call():
            return _of_call(value, scopes, steps)
        case ast.Name() | ast.Attribute():
            return type_of_entry(value, key, scopes, steps - 1)
    return None


def _of_call(call: ast.Call, scopes: Scopes, steps: int) -> str | None:
    name = infer.qualified(call.func, scopes, steps - 1) or ""
    match name, call.args:
        case "collections.defaultdict", [factory, *_]:
            return _made_by(factory, scopes, steps)
        case "builtins.dict.fromkeys", [_, value]:
            return infer.type_of(value, scopes, steps - 1)
        case (("builtins.dict" | "builtins.list" | "collections.OrderedDict"), []):
            return _agreed([keyword.value for keyword in call.keywords], scopes, steps)
        case (("builtins.list" | "builtins.sorted" | "builtins.tuple"), [items]):
            return type_of_entry(items, None, scopes, steps - 1)
    if isinstance(call.func, ast.Attribute) and call.func.attr in STR_TO_LIST:
        owner = infer.type_of(call.func.value, scopes, steps - 1)
        return owner if owner in ("str", "bytes") else None
    return ENTRIES.get(name)


def _made_by(factory: ast.expr, scopes: Scopes, steps: int) -> str | None:
    if isinstance(factory, ast.Lambda):
        return infer.type_of(factory.body, scopes, steps - 1) if _is_plain(factory.body) else None
    made = (infer.qualified(factory, scopes, steps - 1) or "").removeprefix("builtins.")
    return made if made in _MADE else None


def annotated_entry(annotation: ast.expr, scopes: Scopes, steps: int) -> str | None:
    """The type of the entries of what is annotated so: `list[X]`, `dict[K, X]`, `X | None` as X."""
    if steps <= 0:
        return None
    match annotation:
        case ast.Constant(value=str(text)):
            try:
                return annotated_entry(ast.parse(text, mode="eval").body, scopes, steps - 1)
            except (SyntaxError, ValueError):
                return None
        case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
            return annotated_entry(left, scopes, steps - 1)
        case ast.Subscript(value=generic, slice=inner):
            name = (infer.qualified(generic, scopes, steps - 1) or "").removeprefix("builtins.")
            if name in OPTIONAL:
                return annotated_entry(inner, scopes, steps - 1)
            name = (ANNOTATIONS.get(name) or name).rpartition(".")[2]
            if name in MAPS and isinstance(inner, ast.Tuple) and len(inner.elts) == 2:
                return infer.annotated_type(inner.elts[1], scopes, steps - 1)
            if name in SEQUENCES and not isinstance(inner, ast.Tuple):
                return infer.annotated_type(inner, scopes, steps - 1)
    return None


def _agreed(values: Sequence[ast.expr], scopes: Scopes, steps: int) -> str | None:
    kinds = {infer.type_of(value, scopes, steps - 1) for value in values[:_LOOKED_AT]}
    if not values:
        return _EMPTY
    return kinds.pop() if len(kinds) == 1 else None


_LOOKED_AT = 8
"""Entries of a display that are looked at: those of a long one are alike."""


def _is_plain(value: ast.expr) -> bool:
    """Whether its type shows without knowing what its names stand for."""
    return type(value) in LITERALS or isinstance(value, ast.Constant | ast.Call)


def _is_same(name: ast.expr | None, key: ast.expr | None) -> bool:
    return isinstance(name, ast.Constant) and isinstance(key, ast.Constant) and name.value == key.value


def _is_none(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
