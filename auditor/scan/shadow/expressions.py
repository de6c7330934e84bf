"""Shadows of expressions: which LibCST node stands for which `ast` node, and how its fields are filled."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from auditor import cst
from auditor.scan.shadow import literals
from auditor.scan.shadow.kinds import KINDS, NAME, SPECIAL, first, named, part, shadow
from auditor.scan.shadow.node import Maker, made, shadow_class, single
from auditor.scan.shadow.text import is_enclosed


def arguments(call: ast.Call | ast.ClassDef) -> list[ast.expr | ast.keyword]:
    """Positional and keyword arguments (or bases) in source order."""
    positional = call.args if isinstance(call, ast.Call) else call.bases
    listed: list[ast.expr | ast.keyword] = [*positional, *call.keywords]
    if call.keywords and positional:
        listed.sort(key=lambda one: (one.lineno, one.col_offset))
    return listed


def argument(at: ast.expr | ast.keyword, up: Any) -> Any:
    """The shadow `Arg` of one of `arguments`."""
    return made(_ARG, (at,), up, up._tree)


def elements(values: Sequence[ast.expr], up: Any) -> tuple[Any, ...]:
    """The shadow elements of a display."""
    return tuple(made(_STARRED if type(one) is ast.Starred else _ELEMENT, (one,), up, up._tree) for one in values)


def parameters(node: Any) -> Any:
    """The shadow `Parameters` of a function or lambda."""
    return made(_PARAMETERS, (node._at.args,), node, node._tree)


def annotation(value: ast.expr | None, up: Any) -> Any:
    """The shadow `Annotation`, None if there is none."""
    return None if value is None else made(_ANNOTATION, (value,), up, up._tree)


# ------------------------------------------------------------------------------------------------
# How fields are filled


def _keyword(node: Any) -> Any:
    (at,) = node._at
    return named(at.arg, node) if type(at) is ast.keyword and at.arg is not None else None


def _star(node: Any) -> str:
    (at,) = node._at
    if type(at) is ast.Starred:
        return "*"
    return "**" if type(at) is ast.keyword and at.arg is None else ""


def _argument_value(node: Any) -> Any:
    (at,) = node._at
    return shadow(at.value if type(at) in (ast.keyword, ast.Starred) else at, node)


def _starred_value(node: Any) -> Any:
    (at,) = node._at
    return shadow(at.value if type(at) is ast.Starred else at, node)


def _operator(names: dict[type[ast.AST], Any]) -> Maker:
    return lambda node: names[type(node._at.op)]


def _bool_left(node: Any) -> Any:
    values = node._at.values if type(node._at) is ast.BoolOp else node._at[1]
    if len(values) == 2:
        return shadow(values[0], node)
    return made(_BOOLEAN, (_bool(node), values[:-1]), node, node._tree)


def _bool(node: Any) -> ast.BoolOp:
    found: ast.BoolOp = node._at if type(node._at) is ast.BoolOp else node._at[0]
    return found


def _bool_right(node: Any) -> Any:
    values = node._at.values if type(node._at) is ast.BoolOp else node._at[1]
    return shadow(values[-1], node)


def _comparisons(node: Any) -> tuple[Any, ...]:
    at = node._at
    return tuple(
        made(_COMPARED, (value, op), node, node._tree) for op, value in zip(at.ops, at.comparators, strict=True)
    )


def _entries(node: Any) -> tuple[Any, ...]:
    return tuple(
        made(_ENTRY if key is not None else _STARRED_ENTRY, (key, value), node, node._tree)
        for key, value in zip(node._at.keys, node._at.values, strict=True)
    )


def _generators(node: Any) -> Any:
    return made(_COMP_FOR, (node._at.generators, 0), node, node._tree)


def _generator(node: Any) -> ast.comprehension:
    listed, index = node._at
    found: ast.comprehension = listed[index]
    return found


def _inner(node: Any) -> Any:
    listed, index = node._at
    return made(_COMP_FOR, (listed, index + 1), node, node._tree) if index + 1 < len(listed) else None


def _conditions(node: Any) -> tuple[Any, ...]:
    return tuple(made(_COMP_IF, (test,), node, node._tree) for test in _generator(node).ifs)


def _subscripts(node: Any) -> tuple[Any, ...]:
    at = node._at.slice
    sliced = type(at) is ast.Tuple and any(type(one) is ast.Slice for one in at.elts)
    open_tuple = type(at) is ast.Tuple and at.elts and (sliced or not is_enclosed(node._tree.source, at))
    listed = at.elts if open_tuple else [at]
    return tuple(made(_SUBSCRIPT_ELEMENT, (one,), node, node._tree) for one in listed)


def _subscript_part(node: Any) -> Any:
    (at,) = node._at
    return made(_SLICE if type(at) is ast.Slice else _INDEX, (at,), node, node._tree)


def _bound(name: str) -> Maker:
    def make(node: Any) -> Any:
        value = getattr(node._at[0], name)
        return None if value is None else shadow(value, node)

    return make


def _yielded(node: Any) -> Any:
    at = node._at
    if type(at) is ast.YieldFrom:
        return made(FROM, (at.value,), node, node._tree)
    return None if at.value is None else shadow(at.value, node)


def _params(group: str) -> Maker:
    def make(node: Any) -> tuple[Any, ...]:
        (at,) = node._at
        positional = [*at.posonlyargs, *at.args]
        defaults = [None] * (len(positional) - len(at.defaults)) + at.defaults
        pairs = list(zip(positional, defaults, strict=True))
        many = len(at.posonlyargs)
        chosen = {
            "posonly": pairs[:many],
            "params": pairs[many:],
            "kwonly": list(zip(at.kwonlyargs, at.kw_defaults, strict=True)),
        }[group]
        return tuple(made(_PARAM, (arg, default, ""), node, node._tree) for arg, default in chosen)

    return make


def _star_param(node: Any) -> Any:
    (at,) = node._at
    if at.vararg is not None:
        return made(_PARAM, (at.vararg, None, "*"), node, node._tree)
    return _PARAM_STAR if at.kwonlyargs else None


def _star_arg(node: Any) -> Any:
    return cst.MaybeSentinel.DEFAULT if node._star is None else node._star


def _star_kwarg(node: Any) -> Any:
    (at,) = node._at
    return None if at.kwarg is None else made(_PARAM, (at.kwarg, None, "**"), node, node._tree)


def _same(names: str) -> dict[type[ast.AST], Any]:
    """`ast` operator to LibCST operator, as pairs of their names."""
    pairs = (pair.split(":") for pair in names.split())
    return {getattr(ast, one): single(getattr(cst, other)) for one, other in pairs}


_BINARY_OPERATORS = _same(
    "Add:Add Sub:Subtract Mult:Multiply MatMult:MatrixMultiply Div:Divide Mod:Modulo Pow:Power LShift:LeftShift"
    " RShift:RightShift BitOr:BitOr BitXor:BitXor BitAnd:BitAnd FloorDiv:FloorDivide"
)
_UNARY_OPERATORS = _same("Invert:BitInvert Not:Not UAdd:Plus USub:Minus")
_BOOLEAN_OPERATORS = _same("And:And Or:Or")
_COMPARING = _same(
    "Eq:Equal NotEq:NotEqual Lt:LessThan LtE:LessThanEqual Gt:GreaterThan GtE:GreaterThanEqual Is:Is IsNot:IsNot"
    " In:In NotIn:NotIn"
)
_PARAM_STAR = single(cst.ParamStar)
ASYNCHRONOUS = single(cst.Asynchronous)

FROM = shadow_class(cst.From, "item", item=first)
_ARG = shadow_class(cst.Arg, "keyword value", keyword=_keyword, value=_argument_value, star=_star)
_ELEMENT = shadow_class(cst.Element, "value", value=first)
_STARRED = shadow_class(cst.StarredElement, "value", value=_starred_value)
_ANNOTATION = shadow_class(cst.Annotation, "annotation", annotation=first)
_PARAMETERS = shadow_class(
    cst.Parameters,
    "posonly_params params _star kwonly_params star_kwarg",
    posonly_params=_params("posonly"),
    params=_params("params"),
    _star=_star_param,
    star_arg=_star_arg,
    kwonly_params=_params("kwonly"),
    star_kwarg=_star_kwarg,
)
_PARAM = shadow_class(
    cst.Param,
    "name annotation default",
    name=lambda node: named(node._at[0].arg, node),
    annotation=lambda node: annotation(node._at[0].annotation, node),
    default=lambda node: None if node._at[1] is None else shadow(node._at[1], node),
    star=lambda node: node._at[2],
)
_BOOLEAN = shadow_class(
    cst.BooleanOperation,
    "left right",
    left=_bool_left,
    right=_bool_right,
    operator=lambda node: _BOOLEAN_OPERATORS[type(_bool(node).op)],
)
_COMPARED = shadow_class(
    cst.ComparisonTarget, "comparator", comparator=first, operator=lambda node: _COMPARING[type(node._at[1])]
)
_ENTRY = shadow_class(cst.DictElement, "key value", key=first, value=lambda node: shadow(node._at[1], node))
_STARRED_ENTRY = shadow_class(cst.StarredDictElement, "value", value=lambda node: shadow(node._at[1], node))
_COMP_FOR = shadow_class(
    cst.CompFor,
    "target iter ifs inner_for_in",
    target=lambda node: shadow(_generator(node).target, node),
    iter=lambda node: shadow(_generator(node).iter, node),
    ifs=_conditions,
    inner_for_in=_inner,
    asynchronous=lambda node: ASYNCHRONOUS if _generator(node).is_async else None,
)
_COMP_IF = shadow_class(cst.CompIf, "test", test=first)
_SUBSCRIPT_ELEMENT = shadow_class(cst.SubscriptElement, "slice", slice=_subscript_part)
_INDEX = shadow_class(
    cst.Index,
    "value",
    value=_starred_value,
    star=lambda node: "*" if type(node._at[0]) is ast.Starred else None,
)
_SLICE = shadow_class(cst.Slice, "lower upper step", lower=_bound("lower"), upper=_bound("upper"), step=_bound("step"))
KINDS |= {
    ast.Name: NAME,
    ast.BoolOp: _BOOLEAN,
    ast.NamedExpr: shadow_class(cst.NamedExpr, "target value", target=part("target"), value=part("value")),
    ast.BinOp: shadow_class(
        cst.BinaryOperation,
        "left right",
        left=part("left"),
        right=part("right"),
        operator=_operator(_BINARY_OPERATORS),
    ),
    ast.UnaryOp: shadow_class(
        cst.UnaryOperation, "expression", expression=part("operand"), operator=_operator(_UNARY_OPERATORS)
    ),
    ast.Lambda: shadow_class(cst.Lambda, "params body", params=parameters, body=part("body")),
    ast.IfExp: shadow_class(cst.IfExp, "body test orelse", body=part("body"), test=part("test"), orelse=part("orelse")),
    ast.Dict: shadow_class(cst.Dict, "elements", elements=_entries),
    ast.Set: shadow_class(cst.Set, "elements", elements=lambda node: elements(node._at.elts, node)),
    ast.List: shadow_class(cst.List, "elements", elements=lambda node: elements(node._at.elts, node)),
    ast.Tuple: shadow_class(cst.Tuple, "elements", elements=lambda node: elements(node._at.elts, node)),
    ast.ListComp: shadow_class(cst.ListComp, "elt for_in", elt=part("elt"), for_in=_generators),
    ast.SetComp: shadow_class(cst.SetComp, "elt for_in", elt=part("elt"), for_in=_generators),
    ast.GeneratorExp: shadow_class(cst.GeneratorExp, "elt for_in", elt=part("elt"), for_in=_generators),
    ast.DictComp: shadow_class(
        cst.DictComp, "key value for_in", key=part("key"), value=part("value"), for_in=_generators
    ),
    ast.Await: shadow_class(cst.Await, "expression", expression=part("value")),
    ast.Yield: shadow_class(cst.Yield, "value", value=_yielded),
    ast.Compare: shadow_class(cst.Comparison, "left comparisons", left=part("left"), comparisons=_comparisons),
    ast.Call: shadow_class(
        cst.Call,
        "func args",
        func=part("func"),
        args=lambda node: tuple(argument(one, node) for one in arguments(node._at)),
    ),
    ast.Attribute: shadow_class(
        cst.Attribute, "value attr", value=part("value"), attr=lambda node: named(node._at.attr, node)
    ),
    ast.Subscript: shadow_class(cst.Subscript, "value slice", value=part("value"), slice=_subscripts),
}
KINDS[ast.YieldFrom] = KINDS[ast.Yield]
SPECIAL |= {ast.Constant: literals.constant, ast.JoinedStr: literals.joined}
