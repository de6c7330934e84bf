"""What a name, an attribute or an expression is plainly bound to: its length, its text, the expression itself."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from auditor.scan.facts import Annotated, Binding, Function, returned
from auditor.scan.infer import MAX_STEPS, bound_value
from auditor.scan.scopes import Scopes


def length_of(parsed: ast.expr, scopes: Scopes, steps: int = MAX_STEPS) -> int | None:
    """Entries of a display, or of the longest that a name is bound to, if it is bound to nothing else or longer."""
    # names may be bound by way of each other
    if steps <= 0:
        return None
    match parsed:
        case ast.Name(id=name):
            return None if scopes.facts.grows(name) else _greatest_length(name, scopes, steps - 1)
        case ast.Attribute(value=ast.Name(id=receiver), attr=attr):
            value = _attribute_value(receiver, attr, scopes)
            return None if value is None or scopes.facts.grows(attr) else _length_of_display(value, scopes, steps - 1)
    return _length_of_display(parsed, scopes, steps - 1)


def value_of(parsed: ast.expr, scopes: Scopes) -> ast.expr | None:
    """What the name or attribute is bound to, if exactly once."""
    match parsed:
        case ast.Name(id=name):
            found = bound_value(name, scopes)
        case ast.Attribute(value=ast.Name(id=receiver), attr=attr):
            found = _attribute_value(receiver, attr, scopes)
        case _:
            return None
    return None if isinstance(found, Annotated) else found


def text_of(parsed: ast.expr, scopes: Scopes, steps: int = MAX_STEPS) -> str | bytes | None:
    """The text that the expression always is."""
    match parsed:
        case _ if steps <= 0:
            return None
        case ast.Constant(value=str() | bytes() as text):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined([text_of(part, scopes, steps - 1) for part in (left, right)])
        case ast.JoinedStr(values=parts):
            return _joined([text_of(part, scopes, steps - 1) for part in parts])
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            return text_of(value, scopes, steps - 1)
    bound = value_of(parsed, scopes)
    return None if bound is None else text_of(bound, scopes, steps - 1)


def as_lambdas(function: Function, is_bound: bool) -> list[ast.Lambda]:
    """A lambda with the function's positional parameters, without a bound method's first, for each that it returns."""
    listed = [*function.args.posonlyargs, *function.args.args][is_bound:]
    given = ast.arguments([], [ast.arg(one.arg) for one in listed], None, [], [], None, [])
    return [ast.Lambda(given, value) for value in returned(function) if value is not None]


def is_literal(value: ast.expr) -> bool:
    """Whether `ast.literal_eval` takes it, which leaves a reference cycle behind at every call."""
    match value:
        case ast.Constant():
            return True
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            return all(map(is_literal, parts))
        case ast.Set(elts=parts):
            return all(is_literal(part) and _is_hashable(part) for part in parts)
        case ast.Dict(keys=keys, values=parts):
            known = all(key is not None and is_literal(key) and _is_hashable(key) for key in keys)
            return known and all(map(is_literal, parts))
        case ast.Call(func=ast.Name(id="set"), args=[], keywords=[]):
            return True
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=ast.Constant(value=complex())):
            return _is_number(left, (int, float))
    return _is_number(value)


def length_of_range(call: ast.Call) -> int | None:
    """How many numbers a call of `range` gives, if its arguments are literals."""
    if not all(map(is_literal, call.args)):
        return None
    try:
        return len(range(*(ast.literal_eval(argument) for argument in call.args)))
    except (ValueError, TypeError, OverflowError):
        return None


def _is_hashable(literal: ast.expr) -> bool:
    if isinstance(literal, ast.Tuple):
        return all(map(_is_hashable, literal.elts))
    return not isinstance(literal, ast.List | ast.Set | ast.Dict | ast.Call)


def _is_number(value: ast.expr, kinds: tuple[type, ...] = (int, float, complex)) -> bool:
    """Whether it is a number, perhaps with a sign."""
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.UAdd | ast.USub):
        value = value.operand
    return isinstance(value, ast.Constant) and type(value.value) in kinds


def _greatest_length(name: str, scopes: Scopes, steps: int) -> int | None:
    found = scopes.lookup(name)
    greatest = None
    for binding in found[1] if found is not None else ():
        if binding.value is None or binding.augmented or binding.definition is not None:
            return None
        length = _length_of_display(binding.value, scopes, steps)
        if length is None:
            return None
        greatest = max(length, greatest or 0)
    return greatest


def _length_of_display(value: ast.expr, scopes: Scopes, steps: int) -> int | None:
    match value:
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return None if any(isinstance(item, ast.Starred) for item in items) else len(items)
        case ast.Dict(keys=keys):
            return None if None in keys else len(keys)
        case ast.Constant(value=str(text)) | ast.Constant(value=bytes(text)):
            return len(text)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="split"), args=[], keywords=[]):
            return len(text.split())
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = (length_of(left, scopes, steps // 2), length_of(right, scopes, steps // 2))
            return None if parts[0] is None or parts[1] is None else parts[0] + parts[1]
    return None


def _attribute_value(receiver: str, attr: str, scopes: Scopes) -> ast.expr | None:
    """The expression that `self.attr` is bound to, if it is bound exactly once, and to a value."""
    owner = scopes.klass()
    if owner is None or owner[1] != receiver:
        return None
    bindings = scopes.facts.attributes(owner[0]).get(attr, [])
    match bindings:
        case [Binding(value=value, augmented=False, definition=None)]:
            return value
    return None


def _joined(parts: Sequence[str | bytes | None]) -> str | bytes | None:
    """The parts in one, None if one is unknown or they do not go together."""
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) == len(parts):
        return "".join(texts)
    data = [part for part in parts if isinstance(part, bytes)]
    return b"".join(data) if len(data) == len(parts) else None
