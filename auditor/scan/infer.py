"""Local inference: what a name means and what type an expression is proven to have."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from auditor.scan import entries
from auditor.scan.facts import Annotated, Binding, Function, Known, returned
from auditor.scan.kinds import JOINED, agreed, by_method, is_empty, is_none, is_property, of_operation
from auditor.scan.scopes import Scopes
from auditor.scan.signatures import (
    ANNOTATIONS,
    CODING,
    LITERALS,
    OPTIONAL,
    PROPERTIES,
    RETURNS,
    STR_TO_LIST,
    STR_TO_STR,
    TEXT_OPENERS,
)

_COPIED = {"copy": ("list", *JOINED), **dict.fromkeys(("union", "difference", "intersection"), ("set", "frozenset"))}
"""By method, the types whose objects it gives a copy of, changed or not."""
_LOOK_UPS = frozenset(("get", "setdefault"))

MAX_STEPS = 24
"""Names followed before giving up, which also ends cycles (`a = b; b = a`)."""

MAX_BASES = 8
"""Base classes, and functions that bind one global, that are looked at."""


def qualified(expression: ast.expr, scopes: Scopes, steps: int = MAX_STEPS) -> str | None:
    """Qualified name of a name or attribute chain, None if it is none or its meaning is unknown."""
    if steps <= 0:
        return None
    if isinstance(expression, ast.Name):
        return _qualified_name(expression.id, scopes, steps)
    if isinstance(expression, ast.Attribute):
        owner = type_of(expression.value, scopes, steps - 1)
        if owner is not None:
            return f"{owner}.{expression.attr}"
        base = qualified(expression.value, scopes, steps - 1)
        return None if base is None else _meant(f"{base}.{expression.attr}", scopes)
    return None


def _known(name: str, scopes: Scopes) -> str | None:
    """What a name stands for, if another file of the project, or what this one takes over, explains it."""
    meant = _meant(name, scopes)
    return None if meant == name else meant


def _meant(name: str, scopes: Scopes) -> str:
    """What an imported name stands for, if another file of the project explains it by a name outside."""
    outlook = scopes.facts.outlook
    meant, made = outlook.meanings.get(name, (name, False)) if outlook is not None else (name, False)
    return name if made else meant


def _object_meant(name: str | None, scopes: Scopes) -> str | None:
    """The class outside the project of which another file has made the object of that name."""
    outlook = scopes.facts.outlook
    if outlook is None or name is None:
        return None
    meant, made = outlook.meanings.get(name, ("", False))
    return meant if made else None


def _qualified_name(name: str, scopes: Scopes, steps: int) -> str | None:
    found = scopes.lookup(name)
    if found is None:
        # with `from x import *`, a name that nothing binds may be of `x`
        return f"builtins.{name}" if hasattr(builtins, name) else _known(f":{name}", scopes)
    where, bindings = found
    imported = [binding.imported for binding in bindings if binding.imported is not None]
    if imported:
        # `try: import x / except ImportError: x = None` means the import
        return _meant(imported[0], scopes)
    if len(bindings) != 1:
        return None
    (binding,) = bindings
    if isinstance(binding.definition, Function | ast.ClassDef):
        owners = [scope.name for scope in where.chain if isinstance(scope, Function | ast.ClassDef)]
        return ".".join([where.facts.package, *owners, name]).lstrip(".")
    if isinstance(binding.value, ast.Name | ast.Attribute) and not binding.augmented:
        return qualified(binding.value, where, steps - 1)
    return None


def type_of(expression: ast.expr, scopes: Scopes, steps: int = MAX_STEPS) -> str | None:
    """Proven type of an expression, None if unknown."""
    if steps <= 0:
        return None
    if type(expression) in LITERALS:
        return LITERALS[type(expression)]
    match expression:
        case Annotated(annotation=annotation):
            return annotated_type(annotation, scopes, steps - 1)
        case ast.Constant(value=value):
            return None if value is None else type(value).__name__
        case ast.Name(id=name):
            return _type_of_name(name, expression, scopes, steps)
        case ast.Attribute(value=owner, attr=attr):
            return _type_of_attribute(owner, attr, scopes, steps)
        case ast.Call():
            return _type_of_call(expression, scopes, steps)
        case ast.BinOp(left=left, op=op, right=right):
            return of_operation((type_of(left, scopes, steps - 1), type_of(right, scopes, steps - 1)), op)
        case ast.IfExp(body=body, orelse=orelse):
            return agreed([type_of(body, scopes, steps - 1), type_of(orelse, scopes, steps - 1)])
        case ast.BoolOp(op=op, values=[*others, last]):
            kinds = [type_of(value, scopes, steps - 1) for value in (*others, last)]
            # `x or []` says what `x` is meant to be
            return kinds[-1] if isinstance(op, ast.Or) and is_empty(last) and not any(kinds[:-1]) else agreed(kinds)
        case ast.Await(value=value) | ast.NamedExpr(value=value):
            return type_of(value, scopes, steps - 1)
        case ast.Subscript(value=value, slice=ast.Slice()):
            return type_of(value, scopes, steps - 1)
        case ast.Subscript(value=value, slice=key):
            return entries.type_of_entry(value, key, scopes, steps - 1)
    return None


def annotated_type(annotation: ast.expr, scopes: Scopes, steps: int = MAX_STEPS) -> str | None:
    """The type that an annotation declares; optional parts (`X | None`, `Optional[X]`) count as X."""
    if steps <= 0:
        return None
    match annotation:
        case ast.Constant(value=str(text)):
            try:
                return annotated_type(ast.parse(text, mode="eval").body, scopes, steps - 1)
            except (SyntaxError, ValueError):
                return None
        case ast.Subscript(value=generic, slice=inner):
            name = qualified(generic, scopes, steps - 1)
            if name == "typing.Union" and isinstance(inner, ast.Tuple):
                parts = [part for part in inner.elts if not is_none(part)]
                return agreed([annotated_type(part, scopes, steps - 1) for part in parts])
            if name in OPTIONAL:
                first = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
                return annotated_type(first, scopes, steps - 1)
            return annotated_type(generic, scopes, steps - 1)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            parts = [part for part in (left, right) if not is_none(part)]
            return agreed([annotated_type(part, scopes, steps - 1) for part in parts])
        case ast.Name() | ast.Attribute():
            name = qualified(annotation, scopes, steps - 1)
            return None if name is None else ANNOTATIONS.get(name, name.removeprefix("builtins."))
    return None


def bound_value(name: str, scopes: Scopes) -> ast.expr | None:
    """The expression a name is bound to, if it is bound exactly once, and to a value."""
    found = scopes.lookup(name)
    if found is None:
        return None
    _, bindings = found
    if len(bindings) == 1 and not bindings[0].augmented and bindings[0].definition is None:
        return bindings[0].value
    return None


def derives_from(expression: ast.expr, bases: Collection[str], scopes: Scopes, steps: int = MAX_STEPS) -> bool:
    """Whether the expression names one of the classes, or a class of this module derived from one."""
    name = qualified(expression, scopes, steps)
    if name is None or steps <= 0:
        return False
    if name in bases:
        return True
    outlook = scopes.facts.outlook
    if outlook is not None and not set(bases).isdisjoint(outlook.ancestors.get(name, ())):
        return True
    definition = scopes.class_meant(expression) or scopes.facts.class_named(name)
    return definition is not None and any(
        derives_from(base, bases, scopes, steps // 2) for base in definition.bases[:MAX_BASES]
    )


def _type_of_name(name: str, node: ast.expr, scopes: Scopes, steps: int) -> str | None:
    found = scopes.lookup(name)
    if found is None:
        return None
    where, bindings = found
    if bindings[0].imported is not None:
        return _object_meant(bindings[0].imported, scopes)
    if isinstance(where.chain[-1], ast.Module):
        return remembered((name, where.chain), where, steps, partial(_global_kinds, name, bindings, where, steps))
    return remembered((name, where.chain), where, steps, partial(_kinds, bindings, where, steps))


def remembered(
    key: tuple[object, ...], where: Scopes, steps: int, kinds: Callable[[], Iterator[str | None]]
) -> str | None:
    """The type on which all `kinds` agree, worked out once per name.

    A name that is bound by way of itself (`s = s.strip()`) is taken to keep the type of its bindings before.
    """
    remembered = where.facts.known
    known = remembered.get(key)
    if known is not None and known.pending:
        known.asked = True
        return known.answer
    if known is not None and (known.answer is not None or steps <= known.steps):
        return known.answer
    known = remembered[key] = Known(answer=None, steps=steps, pending=True)
    first = True
    for kind in kinds():
        if kind is None or not (first or kind == known.answer):
            if known.asked and known.answer is not None:
                # others may have been worked out from what now proves wrong
                _forget(remembered)
            known.answer = None
            break
        known.answer, first = kind, False
    known.pending = False
    remembered[key] = known
    return known.answer


def _forget(remembered: dict[tuple[object, ...], Known]) -> None:
    for key in [key for key, known in remembered.items() if not known.pending and known.answer is not None]:
        del remembered[key]


def _global_kinds(name: str, bindings: Sequence[Binding], where: Scopes, steps: int) -> Iterator[str | None]:
    """A module-level name is also bound by functions that declare it `global`."""
    known = [binding for binding in bindings if binding.annotation is not None or not is_none(binding.value)]
    further = [(f, b) for f, b in where.facts.globals(name) if not b.augmented and not is_none(b.value)]
    if any(binding.annotation is not None for binding in known) or not further:
        yield from _kinds(bindings, where, steps)
        return
    if known:
        yield from _kinds(known, where, steps)
    for function, binding in further[:MAX_BASES]:
        yield from _kinds([binding], Scopes(where.facts, (*where.chain, function)), steps - 1)


def _kinds(bindings: Sequence[Binding], where: Scopes, steps: int) -> Iterator[str | None]:
    """The types that the bindings give; None among them where one is unknown."""
    for binding in bindings:
        if binding.annotation is not None:
            given = _kinds([b for b in bindings if b is not binding], where, steps - 1) if binding.replaced else ()
            anew = list(given)
            # `names = set(names)` makes another thing of it, `name = name.strip()` does not say what
            known = anew and None not in anew
            yield from anew if known else [annotated_type(binding.annotation, _reading(binding, where), steps - 1)]
            return
    # an augmented assignment keeps a built-in container's type; `x = None` beside `x = []` is its "not yet" state
    plain = [b for b in bindings if not (b.augmented or b.replaced or is_none(b.value))]
    if not plain or any(b.value is None for b in plain):
        yield None
        return
    for b in plain:
        if b.value is not None:
            yield type_of(b.value, _reading(b, where), steps - 1)


def _reading(binding: Binding, where: Scopes) -> Scopes:
    """The place in which the binding's value is to be read."""
    return where if binding.method is None else Scopes(where.facts, (*where.chain, binding.method))


def _type_of_attribute(owner: ast.expr, attr: str, scopes: Scopes, steps: int) -> str | None:
    klass = scopes.klass()
    if klass is not None and isinstance(owner, ast.Name) and owner.id == klass[1]:
        index = scopes.chain.index(klass[0])
        return _type_in_class(klass[0], attr, Scopes(scopes.facts, scopes.chain[: index + 1]), steps)
    if (meant := scopes.class_meant(owner)) is not None:
        return _type_in_class(meant, attr, Scopes(scopes.facts, (scopes.facts.tree, meant)), steps)
    kind = type_of(owner, scopes, steps - 1)
    if kind is None:
        base = None if scopes.facts.outlook is None else qualified(owner, scopes, steps - 1)
        return None if base is None else _object_meant(f"{base}.{attr}", scopes)
    definition = scopes.facts.class_named(kind)
    if definition is None:
        return RETURNS.get(f"{kind}.{attr}") if attr in PROPERTIES else None
    return _type_in_class(definition, attr, Scopes(scopes.facts, (scopes.facts.tree, definition)), steps)


def _type_in_class(klass: ast.ClassDef, attr: str, where: Scopes, steps: int) -> str | None:
    """Type of an attribute of the class' instances, also as bound by its base classes in this module."""
    if steps <= 0:
        return None
    bindings = where.facts.attributes(klass).get(attr, [])
    if not bindings:
        return _type_in_bases(klass, attr, where, steps)
    definitions = [binding.definition for binding in bindings if binding.definition is not None]
    if not definitions:
        return remembered((attr, klass), where, steps, partial(_kinds, bindings, where, steps))
    first = definitions[0]
    if isinstance(first, Function) and first.returns is not None and any(map(is_property, first.decorator_list)):
        return annotated_type(first.returns, where, steps - 1)
    return None


def _type_in_bases(klass: ast.ClassDef, attr: str, where: Scopes, steps: int) -> str | None:
    outside = Scopes(where.facts, (where.facts.tree,))
    for base in klass.bases[:MAX_BASES]:
        name = qualified(base, outside, steps // 2)
        definition = None if name is None else where.facts.class_named(name)
        if definition is not None and definition is not klass:
            inside = Scopes(where.facts, (where.facts.tree, definition))
            if found := _type_in_class(definition, attr, inside, steps // 2):
                return found
    return None


def _type_of_call(call: ast.Call, scopes: Scopes, steps: int) -> str | None:
    name: str | None
    if isinstance(call.func, ast.Attribute):
        owner = type_of(call.func.value, scopes, steps - 1)
        if owner in ("str", "bytes"):
            if call.func.attr in STR_TO_STR:
                return owner
            if call.func.attr in STR_TO_LIST:
                return "list"
            return CODING.get(call.func.attr)
        if owner in _COPIED.get(call.func.attr, ()):
            return owner
        if call.func.attr in _LOOK_UPS and (found := _type_looked_up(call, call.func.value, scopes, steps)):
            return found
        owner = owner or qualified(call.func.value, scopes, steps - 1)
        name = None if owner is None else f"{owner}.{call.func.attr}"
    else:
        name = qualified(call.func, scopes, steps - 1)
    if name is None:
        return _type_returned(call.func, scopes, steps) or by_method(call)
    if name in TEXT_OPENERS and _is_binary(call, name):
        return "io.BufferedReader"
    if name in RETURNS:
        return RETURNS[name]
    bare = name.removeprefix("builtins.")
    if bare != name:
        return bare if isinstance(getattr(builtins, bare, None), type) else None
    last = name.rsplit(".", 1)[-1]
    # a capitalised callee is taken for a constructor, as PEP 8 has it
    return name if last[:1].isupper() else _type_returned(call.func, scopes, steps)


def _is_binary(call: ast.Call, opener: str) -> bool:
    """Whether a file is opened to be read or written as bytes."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    given += call.args[:1] if opener == "pathlib.Path.open" else call.args[1:2]
    return any(isinstance(mode, ast.Constant) and isinstance(mode.value, str) and "b" in mode.value for mode in given)


def _type_looked_up(call: ast.Call, container: ast.expr, scopes: Scopes, steps: int) -> str | None:
    """What `x.get(key, default)` gives: an entry, or a text or list, if that is what stands for a missing one."""
    if not call.args or call.keywords:
        return None
    found = entries.type_of_entry(container, call.args[0], scopes, steps - 1)
    if found is None and len(call.args) == 2:
        default = type_of(call.args[1], scopes, steps - 1)
        return default if default in ("str", "bytes", "list") else None
    return found


def defined(callee: ast.expr, scopes: Scopes) -> tuple[Scopes, Function] | None:
    """The undecorated function or method of this module that a name or `self.name` means, and where it stands."""
    found: tuple[Scopes, list[Binding]] | None = None
    if isinstance(callee, ast.Name):
        found = scopes.lookup(callee.id)
    elif isinstance(callee, ast.Attribute) and isinstance(callee.value, ast.Name):
        klass = scopes.klass()
        if klass is not None and callee.value.id == klass[1]:
            around = Scopes(scopes.facts, scopes.chain[: scopes.chain.index(klass[0]) + 1])
            found = (around, scopes.facts.attributes(klass[0]).get(callee.attr, []))
    if found is None or len(found[1]) != 1:
        return None
    where, (binding,) = found
    definition = binding.definition
    if not isinstance(definition, Function) or definition.decorator_list:
        return None
    return where, definition


def _type_returned(callee: ast.expr, scopes: Scopes, steps: int) -> str | None:
    """What a function or method of this module is annotated to return, or returns wherever it does."""
    found = defined(callee, scopes)
    if found is None:
        return None
    where, definition = found
    if definition.returns is not None:
        return annotated_type(definition.returns, where, steps - 1)
    inside = Scopes(where.facts, (*where.chain, definition))
    return remembered((definition,), inside, steps, partial(_kinds_returned, definition, inside, steps))


def _kinds_returned(function: Function, inside: Scopes, steps: int) -> Iterator[str | None]:
    """The types of what its `return` statements give; that of one which may also give None is that of the others."""
    values = [value for value in returned(function) if not is_none(value)]
    for value in values or [None]:
        yield None if value is None else type_of(value, inside, steps - 1)
