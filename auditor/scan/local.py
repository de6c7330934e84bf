"""What happens to a value within the function that makes it: abandoned there, or looked up before it is made."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from auditor import cst

if TYPE_CHECKING:
    from auditor.rule import Context

_PLAIN = frozenset(("name", "ident", "native_id", "daemon", "closed", "mode", "encoding"))
"""Attributes that may be handed on without the object itself."""
_ASKED = (
    *(cst.Comparison, cst.ComparisonTarget, cst.UnaryOperation, cst.If, cst.While, cst.Assert, cst.CompIf, cst.Del),
    *(cst.Expr, cst.For, cst.CompFor, cst.Subscript, cst.FormattedStringExpression),
    *(cst.AssignTarget, cst.AsName, cst.Param, cst.NameItem),
)
_SPAWNS = ("create_task", "ensure_future")


class Abandonment:
    """Whether a value never leaves the function that makes it, and is not ended there either.

    `endings` are methods that end it ("close"), `borrowers` functions that use it and give it back ("json.load").
    """

    def __init__(self, ctx: Context, endings: Collection[str], borrowers: Collection[str]) -> None:
        self._ctx = ctx
        self._endings = endings
        self._borrowers = borrowers
        self._seen: set[str] = set()

    def covers(self, node: cst.CSTNode) -> bool:
        """Whether the value of the node is abandoned."""
        child = node
        for parent in self._ctx.ancestors(node):
            known = self._settled(child, parent)
            if known is not None:
                return known
            child = parent
        return False

    def _settled(self, child: cst.CSTNode, parent: cst.CSTNode) -> bool | None:
        """What the node around the value says of it, None if the value passes through."""
        match parent:
            case cst.Attribute():
                return self._is_only_asked(parent)
            case cst.Assign(targets=targets):
                return child is parent.value and all(self._dies(target.target) for target in targets)
            case cst.AnnAssign(target=target):
                return child is parent.value and self._dies(target)
            case cst.NamedExpr(target=target):
                return None if child is target or self._dies(target) else False
            case cst.IfExp():
                return True if child is parent.test else None
            case cst.Await() | cst.BooleanOperation():
                return None
            case cst.Arg(star=""):
                call = self._ctx.parent(parent)
                return isinstance(call, cst.Call) and self._ctx.qualified(call.func) in self._borrowers
            case _ if isinstance(parent, _ASKED):
                return True
        return False

    def _is_only_asked(self, attribute: cst.Attribute) -> bool:
        name = attribute.attr.value
        if name in self._endings:
            return False
        around = self._ctx.parent(attribute)
        # a bound method that is handed on takes its object along
        return not isinstance(around, cst.Arg) or name in _PLAIN

    def _dies(self, target: cst.BaseExpression) -> bool:
        """Whether the value is abandoned by the local name that it is bound to."""
        function = self._ctx.function(target)
        if not isinstance(target, cst.Name) or function is None or _is_outer(target.value, function, self._ctx):
            return False
        if target.value in self._seen:
            return True
        self._seen.add(target.value)
        uses = [use for use in self._ctx.uses(target.value, function) if use is not target]
        return all(self._ctx.function(use) is function and self.covers(use) for use in uses)


def _is_outer(name: str, function: cst.CSTNode, ctx: Context) -> bool:
    declared: Sequence[cst.Global | cst.Nonlocal] = ctx.inside(function, cst.Global, cst.Nonlocal)
    return any(item.name.value == name for node in declared for item in node.names)


def memoizes(store: cst.CSTNode, container: cst.BaseExpression, ctx: Context) -> bool:
    """Whether the function looks the container's entry up, makes it if it is missing, stores it and uses it."""
    function = ctx.function(store)
    if not isinstance(function, cst.FunctionDef):
        return False
    value = store.value if isinstance(store, cst.Assign | cst.AnnAssign) else None
    text = ctx.code(container).strip()
    if value is None or not _is_worked_out(value) or text in ctx.code(value):
        return False
    if isinstance(value, cst.Name) and value.value in {*ctx.parameters(store), "self", "cls"}:
        return False
    nodes = ctx.inside(function, cst.Comparison, cst.Try, cst.Call, cst.Subscript)
    looked_up = any(_looks_up(node, text, ctx) for node in nodes)
    return looked_up and any(_reads(node, text, ctx) for node in nodes)


def _is_worked_out(value: cst.BaseExpression) -> bool:
    """Whether it is more than an empty container to be filled, or a literal."""
    match value:
        case cst.Name(value="None" | "True" | "False"):
            return False
        case cst.List(elements=[]) | cst.Dict(elements=[]) | cst.Tuple(elements=[]):
            return False
        case cst.Call(func=cst.Name(value=made) | cst.Attribute(attr=cst.Name(value=made)), args=[]):
            # `list()`, `asyncio.Lock()`; a method such as `text.upper()` works something out
            return not (made[:1].isupper() or made in ("list", "dict", "set", "deque", "object"))
    return not isinstance(value, cst.BaseNumber | cst.BaseString)


def _looks_up(node: cst.CSTNode, text: str, ctx: Context) -> bool:
    match node:
        case cst.Comparison(comparisons=tests):
            asked = (test for test in tests if isinstance(test.operator, cst.In | cst.NotIn))
            return any(ctx.code(test.comparator).strip() == text and not _turns_away(test, ctx) for test in asked)
        case cst.Try(body=body, handlers=handlers):
            return any(map(_catches_missing, handlers)) and any(
                _reads(part, text, ctx) for part in ctx.inside(body, cst.Call, cst.Subscript)
            )
    return _gets(node, text, ctx)


def _catches_missing(handler: cst.ExceptHandler) -> bool:
    return isinstance(handler.type, cst.Name) and handler.type.value == "KeyError"


def _turns_away(test: cst.CSTNode, ctx: Context) -> bool:
    """Whether the test decides that there is nothing to do: `if key in known: continue`."""
    for parent in ctx.ancestors(test):
        if isinstance(parent, cst.If):
            match parent.body:
                case cst.IndentedBlock(body=[cst.SimpleStatementLine(body=[only])]):
                    return isinstance(only, cst.Continue | cst.Raise | cst.Break)
            return False
        if isinstance(parent, cst.BaseStatement):
            return False
    return False


def _gets(node: cst.CSTNode, text: str, ctx: Context) -> bool:
    match node:
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="get"))):
            return ctx.code(owner).strip() == text
    return False


def _reads(node: cst.CSTNode, text: str, ctx: Context) -> bool:
    if isinstance(node, cst.Subscript) and ctx.code(node.value).strip() == text:
        return not isinstance(ctx.parent(node), cst.AssignTarget | cst.Del | cst.AugAssign | cst.AnnAssign)
    return _gets(node, text, ctx)


def is_task(expression: cst.BaseExpression, ctx: Context) -> bool:
    """Whether it is a call that makes an asyncio task, or a local name bound to one."""
    match expression:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=name)) | cst.Name(value=name)):
            return name in _SPAWNS
        case cst.Name(value=name):
            function = ctx.function(expression)
            stores = [] if function is None else ctx.stores(name, function)
            return any(
                isinstance(store, cst.Assign) and isinstance(store.value, cst.Call) and is_task(store.value, ctx)
                for store in stores
            )
    return False


def caches_all(function: cst.FunctionDef, ctx: Context) -> bool:
    """Whether a decorator of `functools` keeps every result of the function."""
    return any(keeps_all(decorator.decorator, ctx) for decorator in function.decorators)


def keeps_all(decorator: cst.BaseExpression, ctx: Context) -> bool:
    """Whether it is one of `functools` that keeps every result of the function it is called with."""
    size: cst.BaseExpression | None
    match decorator:
        case cst.Call(func=callee, args=[cst.Arg(keyword=None, value=size), *_]):
            pass
        case cst.Call(func=callee, args=arguments):
            size = next((a.value for a in arguments if a.keyword is not None and a.keyword.value == "maxsize"), None)
        case _:
            return ctx.qualified(decorator) == "functools.cache"
    unbounded = isinstance(size, cst.Name) and size.value == "None"
    return unbounded and ctx.qualified(callee) == "functools.lru_cache"


_DECORATED = re.compile(
    r"(?:^|_)(?:c|cls|klass|class|f|fn|func|function|meth|method|coro|handler|callback|cb|hook|listener|plugin|wrapped"
    r"|target|impl|command|view|type|model|obj|object|factory|constructor|decorated)_*$"
)
_DECORATED_TYPE = re.compile(r"Callable|Func|[Tt]ype\b|^_?[A-Z][a-z]?$")


def decorates(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether the innermost function returns a parameter of its own, and that parameter may be a function or class."""
    function = ctx.function(node)
    if function is None:
        return False
    names = ctx.parameters(node)
    returned = {
        part.value.value for part in ctx.inside(function.body, cst.Return) if isinstance(part.value, cst.Name)
    }.intersection(names)
    if not returned or any(isinstance(one, cst.FunctionDef) for one in ctx.ancestors(function)):
        return bool(returned)
    parameters = [one for one in ctx.inside(function.params, cst.Param) if one.name.value in returned]
    return any(_DECORATED.search(one.name.value) or _is_of_code(one.annotation, ctx) for one in parameters)


def _is_of_code(annotation: cst.Annotation | None, ctx: Context) -> bool:
    return annotation is not None and bool(_DECORATED_TYPE.search(ctx.code(annotation.annotation).strip()))


def appended(target: str, within: cst.CSTNode, ctx: Context) -> Sequence[cst.BaseExpression]:
    """What is put into the list of that dotted name."""
    found: list[cst.BaseExpression] = []
    nodes: Sequence[cst.Call | cst.AugAssign] = ctx.inside(within, cst.Call, cst.AugAssign)
    for node in nodes:
        match node:
            case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value=method)), args=[*_, last]):
                if method in ("append", "insert") and ctx.code(owner).strip() == target:
                    found.append(last.value)
            case cst.AugAssign(target=owner, operator=cst.AddAssign(), value=cst.List(elements=elements)):
                if ctx.code(owner).strip() == target:
                    found.extend(element.value for element in elements)
            case _:
                pass
    return found
