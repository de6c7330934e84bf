"""Shadows of statements and their suites."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from auditor import cst
from auditor.scan.shadow.expressions import ASYNCHRONOUS, FROM, annotation, argument, arguments, elements, parameters
from auditor.scan.shadow.kinds import first, named, part, shadow
from auditor.scan.shadow.node import Maker, NotShadowedError, made, shadow_class, single
from auditor.scan.shadow.patterns import pattern
from auditor.scan.shadow.text import starts_line
from auditor.scan.source import Source

_AUGMENTED = {
    getattr(ast, name): single(getattr(cst, f"{other}Assign"))
    for name, other in (
        ("Add", "Add"), ("Sub", "Subtract"), ("Mult", "Multiply"), ("MatMult", "MatrixMultiply"), ("Div", "Divide"),
        ("Mod", "Modulo"), ("Pow", "Power"), ("LShift", "LeftShift"), ("RShift", "RightShift"), ("BitOr", "BitOr"),
        ("BitXor", "BitXor"), ("BitAnd", "BitAnd"), ("FloorDiv", "FloorDivide"),
    )
}  # fmt: skip


def lines(body: Sequence[ast.stmt], up: Any) -> tuple[Any, ...]:
    """The statements of a block: simple ones by lines, compound ones as they are."""
    found: list[Any] = []
    line: list[ast.stmt] = []
    for one in body:
        compound = _COMPOUND.get(type(one))
        if compound is not None:
            line = []
            found.append(made(compound, one, up, up._tree))
        elif line and one.lineno == line[-1].end_lineno:
            line.append(one)
        else:
            line = [one]
            found.append(made(LINE, line, up, up._tree))
    return tuple(found)


def _small(node: Any) -> tuple[Any, ...]:
    return tuple(_statement(one, node) for one in node._at)


def _statement(one: ast.stmt, up: Any) -> Any:
    kind = _SIMPLE.get(type(one))
    if kind is None:
        raise NotShadowedError(type(one).__name__)
    return made(kind, one, up, up._tree)


def _block(body: Sequence[ast.stmt], up: Any) -> Any:
    first = body[0]
    on_header = type(first) in _SIMPLE and not starts_line(up._tree.source, first)
    return made(_SUITE if on_header else BLOCK, body, up, up._tree)


def _body(node: Any) -> Any:
    return _block(node._at.body, node)


def _is_elif(source: Source, statement: ast.If) -> bool:
    return source.lines[statement.lineno - 1][statement.col_offset :].startswith("elif")


def _else(node: Any) -> Any:
    body = node._at.orelse
    return made(_ELSE, body, node, node._tree) if body else None


def _if_else(node: Any) -> Any:
    body = node._at.orelse
    if len(body) == 1 and type(body[0]) is ast.If and _is_elif(node._tree.source, body[0]):
        return made(_COMPOUND[ast.If], body[0], node, node._tree)
    return _else(node)


def _finally(node: Any) -> Any:
    body = node._at.finalbody
    return made(_FINALLY, body, node, node._tree) if body else None


def _handlers(node: Any) -> tuple[Any, ...]:
    kind = _HANDLER if type(node._at) is ast.Try else _STAR_HANDLER
    return tuple(made(kind, (one,), node, node._tree) for one in node._at.handlers)


def _cases(node: Any) -> tuple[Any, ...]:
    return tuple(made(_CASE, (one,), node, node._tree) for one in node._at.cases)


def _asynchronous(node: Any) -> cst.Asynchronous | None:
    return ASYNCHRONOUS if type(node._at) in (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith) else None


def _type_parameters(node: Any) -> None:
    if getattr(node._at, "type_params", ()):
        raise NotShadowedError("type parameters")


def _decorators(node: Any) -> tuple[Any, ...]:
    return tuple(made(_DECORATOR, (one,), node, node._tree) for one in node._at.decorator_list)


def _bases(keywords: bool) -> Maker:
    """LibCST has `**more` and `name=value` among the keywords, `*more` among the bases."""

    def make(node: Any) -> tuple[Any, ...]:
        listed = (one for one in arguments(node._at) if (type(one) is ast.keyword) is keywords)
        return tuple(argument(one, node) for one in listed)

    return make


def _targets(node: Any) -> tuple[Any, ...]:
    return tuple(made(_TARGET, (one,), node, node._tree) for one in node._at.targets)


def _deleted(node: Any) -> Any:
    targets = node._at.targets
    if len(targets) == 1:
        return shadow(targets[0], node)
    return made(_DELETED, tuple(targets), node, node._tree)


def _items(node: Any) -> tuple[Any, ...]:
    return tuple(made(_ITEM, (one,), node, node._tree) for one in node._at.items)


def _item_name(node: Any) -> Any:
    target = node._at[0].optional_vars
    return None if target is None else made(_AS_NAME, (target,), node, node._tree)


def _caught_name(node: Any) -> Any:
    name = node._at[0].name
    return None if name is None else made(_AS_NAME, (name,), node, node._tree)


def _as_name(node: Any) -> Any:
    (at,) = node._at
    return named(at, node) if type(at) is str else shadow(at, node)


def _cause(node: Any) -> Any:
    return None if node._at.cause is None else made(FROM, (node._at.cause,), node, node._tree)


def _aliases(node: Any) -> Any:
    listed = node._at.names
    if listed[0].name == "*":
        return _IMPORT_STAR
    return tuple(made(_ALIAS, (one,), node, node._tree) for one in listed)


def _dotted(text: str, up: Any) -> Any:
    head, dot, last = text.rpartition(".")
    return made(_DOTTED, (head, last), up, up._tree) if dot else named(text, up)


def _alias_name(node: Any) -> Any:
    asname = node._at[0].asname
    return None if asname is None else made(_AS_NAME, (asname,), node, node._tree)


def _listed(node: Any) -> tuple[Any, ...]:
    return tuple(made(_NAME_ITEM, (one,), node, node._tree) for one in node._at.names)


LINE = shadow_class(cst.SimpleStatementLine, "body", body=_small)
_SUITE = shadow_class(cst.SimpleStatementSuite, "body", body=_small)
BLOCK = shadow_class(cst.IndentedBlock, "body", body=lambda node: lines(node._at, node))
MODULE = shadow_class(cst.Module, "body", body=lambda node: lines(node._at, node))
_ELSE = shadow_class(cst.Else, "body", body=lambda node: _block(node._at, node))
_FINALLY = shadow_class(cst.Finally, "body", body=lambda node: _block(node._at, node))
_HANDLER_FIELDS: dict[str, Maker] = {
    "type": lambda node: None if node._at[0].type is None else shadow(node._at[0].type, node),
    "name": _caught_name,
    "body": lambda node: _block(node._at[0].body, node),
}
_HANDLER = shadow_class(cst.ExceptHandler, "type name body", **_HANDLER_FIELDS)
_STAR_HANDLER = shadow_class(cst.ExceptStarHandler, "type name body", **_HANDLER_FIELDS)
_DECORATOR = shadow_class(cst.Decorator, "decorator", decorator=first)
_TARGET = shadow_class(cst.AssignTarget, "target", target=first)
_ITEM = shadow_class(
    cst.WithItem, "item asname", item=lambda node: shadow(node._at[0].context_expr, node), asname=_item_name
)
_AS_NAME = shadow_class(cst.AsName, "name", name=_as_name)
_DELETED = shadow_class(cst.Tuple, "elements", elements=lambda node: elements(node._at, node))
_ALIAS = shadow_class(
    cst.ImportAlias, "name asname", name=lambda node: _dotted(node._at[0].name, node), asname=_alias_name
)
_DOTTED = shadow_class(
    cst.Attribute,
    "value attr",
    value=lambda node: _dotted(node._at[0], node),
    attr=lambda node: named(node._at[1], node),
)
_IMPORT_STAR = single(cst.ImportStar)
_NAME_ITEM = shadow_class(cst.NameItem, "name", name=lambda node: named(node._at[0], node))

_FUNCTION = shadow_class(
    cst.FunctionDef,
    "decorators name type_parameters params returns body",
    decorators=_decorators,
    asynchronous=_asynchronous,
    name=lambda node: named(node._at.name, node),
    type_parameters=_type_parameters,
    params=parameters,
    returns=lambda node: annotation(node._at.returns, node),
    body=_body,
)
_FOR = shadow_class(
    cst.For,
    "target iter body orelse",
    target=part("target"),
    iter=part("iter"),
    body=_body,
    orelse=_else,
    asynchronous=_asynchronous,
)
_WITH = shadow_class(cst.With, "items body", items=_items, body=_body, asynchronous=_asynchronous)
_TRY_FIELDS: dict[str, Maker] = {"body": _body, "handlers": _handlers, "orelse": _else, "finalbody": _finally}
_CASE = shadow_class(
    cst.MatchCase,
    "pattern guard body",
    pattern=lambda node: pattern(node._at[0].pattern, node),
    guard=lambda node: None if node._at[0].guard is None else shadow(node._at[0].guard, node),
    body=lambda node: _block(node._at[0].body, node),
)
_COMPOUND: dict[type[ast.stmt], type[Any]] = {
    ast.FunctionDef: _FUNCTION,
    ast.AsyncFunctionDef: _FUNCTION,
    ast.ClassDef: shadow_class(
        cst.ClassDef,
        "decorators name type_parameters bases keywords body",
        decorators=_decorators,
        name=lambda node: named(node._at.name, node),
        type_parameters=_type_parameters,
        bases=_bases(keywords=False),
        keywords=_bases(keywords=True),
        body=_body,
    ),
    ast.For: _FOR,
    ast.AsyncFor: _FOR,
    ast.While: shadow_class(cst.While, "test body orelse", test=part("test"), body=_body, orelse=_else),
    ast.If: shadow_class(cst.If, "test body orelse", test=part("test"), body=_body, orelse=_if_else),
    ast.With: _WITH,
    ast.AsyncWith: _WITH,
    ast.Try: shadow_class(cst.Try, "body handlers orelse finalbody", **_TRY_FIELDS),
    ast.TryStar: shadow_class(cst.TryStar, "body handlers orelse finalbody", **_TRY_FIELDS),
    ast.Match: shadow_class(cst.Match, "subject cases", subject=part("subject"), cases=_cases),
}
_SIMPLE: dict[type[ast.stmt], type[Any]] = {
    ast.Return: shadow_class(cst.Return, "value", value=part("value")),
    ast.Delete: shadow_class(cst.Del, "target", target=_deleted),
    ast.Assign: shadow_class(cst.Assign, "targets value", targets=_targets, value=part("value")),
    ast.AugAssign: shadow_class(
        cst.AugAssign,
        "target value",
        target=part("target"),
        operator=lambda node: _AUGMENTED[type(node._at.op)],
        value=part("value"),
    ),
    ast.AnnAssign: shadow_class(
        cst.AnnAssign,
        "target annotation value",
        target=part("target"),
        annotation=lambda node: annotation(node._at.annotation, node),
        value=part("value"),
    ),
    ast.Raise: shadow_class(cst.Raise, "exc cause", exc=part("exc"), cause=_cause),
    ast.Assert: shadow_class(cst.Assert, "test msg", test=part("test"), msg=part("msg")),
    ast.Import: shadow_class(cst.Import, "names", names=_aliases),
    ast.ImportFrom: shadow_class(
        cst.ImportFrom,
        "module names",
        module=lambda node: None if node._at.module is None else _dotted(node._at.module, node),
        names=_aliases,
    ),
    ast.Global: shadow_class(cst.Global, "names", names=_listed),
    ast.Nonlocal: shadow_class(cst.Nonlocal, "names", names=_listed),
    ast.Expr: shadow_class(cst.Expr, "value", value=part("value")),
    ast.Pass: shadow_class(cst.Pass, ""),
    ast.Break: shadow_class(cst.Break, ""),
    ast.Continue: shadow_class(cst.Continue, ""),
}
