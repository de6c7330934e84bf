"""What one module says about its names: imports, bindings of each scope, attributes of each class.

Built from the `ast` the gate has anyway; types are inferred on demand by `auditor.scan.infer`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from auditor.scan.syntax import Flat, blocks, children, walk, walk_statements

if TYPE_CHECKING:
    from auditor.scan.kept import Handling
    from auditor.scan.links import Outlook
    from auditor.scan.often import Often
    from auditor.scan.per_item import Runs

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = Function | ast.Lambda | ast.ClassDef | ast.Module
_GROWING = frozenset(("append", "extend", "insert", "add", "update", "setdefault", "__iadd__"))
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_ENDING = (ast.For, ast.AsyncFor, ast.While, ast.Try, ast.With, ast.AsyncWith, ast.Match)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(slots=True)
class Binding:
    """One way a name gets its value: the value bound, or the annotation it was declared with, or neither if opaque.

    `method` is set for an attribute bound in a method: the scope in which the value is to be read. `replaced` is a
    parameter that its function binds anew before it uses it (`rows = list(rows)`).
    """

    value: ast.expr | None = None
    annotation: ast.expr | None = None
    augmented: bool = False
    definition: ast.AST | None = None
    imported: str | None = None
    method: Function | None = None
    replaced: bool = False


@dataclass(slots=True)
class Names:
    """Bindings of one scope by name, the names it declares global or nonlocal, what it stores in items of names."""

    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)
    items: dict[str, list[Binding]] = field(default_factory=dict)

    def add(self, name: str, binding: Binding) -> None:
        """Record one more binding."""
        self.bindings.setdefault(name, []).append(binding)


@dataclass(slots=True)
class Known:
    """What was found out about one name. While it is `pending`, `answer` is provisional, and `asked` if it was used."""

    answer: str | None
    steps: int
    pending: bool = False
    asked: bool = False


@dataclass(slots=True)
class ModuleFacts:
    """Facts of one module. `package` is its dotted package, for relative imports; `known` remembers inferred types.

    Once another module of `auditor.scan` has looked, `handling` is what it does to its containers (`kept`), `once` are
    its functions that run once, `often` those that its loops call, `given_again` their parameters that do not change,
    `defaulted` what `setdefault` puts in,
    `runs` those that run for every item (`per_item`).
    `outlook` is what the project's other files say of its names. `relied` are names of attributes of which a rule was
    told that nothing takes from them, as far as this module knows. `awaited` are functions of which a rule would hear
    something else if loops of other files called them.
    """

    tree: ast.Module
    package: str = ""
    known: dict[tuple[object, ...], Known] = field(default_factory=dict)
    handling: Handling | None = None
    _flat: Flat | None = None
    once: frozenset[str] | None = None
    often: Often | None = None
    given_again: dict[str, set[str]] | None = None
    runs: Runs | None = None
    outlook: Outlook | None = None
    relied: set[str] = field(default_factory=set)
    awaited: set[str] = field(default_factory=set)
    _names: dict[ast.AST, Names] = field(default_factory=dict)
    _attributes: dict[ast.ClassDef, Names] = field(default_factory=dict)
    _globals: dict[str, list[tuple[Function, Binding]]] | None = None
    _classes: dict[str, ast.ClassDef] | None = None
    _grown: frozenset[str] | None = None
    defaulted: dict[str, list[ast.expr]] | None = None
    _naming: set[ast.AST] | None = None

    @property
    def flat(self) -> Flat:
        """All nodes of the module."""
        if self._flat is None:
            self._flat = Flat(self.tree)
        return self._flat

    def names(self, scope: Scope) -> Names:
        """Bindings made directly in `scope`, not in the functions and classes inside it."""
        if scope not in self._names:
            self._names[scope] = self._collect(scope)
        return self._names[scope]

    def attributes(self, klass: ast.ClassDef) -> dict[str, list[Binding]]:
        """Bindings of `self.NAME` in the methods of `klass`, and of NAME in its body."""
        return self._of_class(klass).bindings

    def attribute_items(self, klass: ast.ClassDef) -> dict[str, list[Binding]]:
        """What the methods of `klass` store in items of `self.NAME`."""
        return self._of_class(klass).items

    def _of_class(self, klass: ast.ClassDef) -> Names:
        if klass not in self._attributes:
            found = Names()
            for name, bindings in self.names(klass).bindings.items():
                for binding in bindings:
                    found.add(name, binding)
            for method in klass.body:
                if isinstance(method, Function) and method.args.args:
                    _Attributes(method, found).gather()
            self._attributes[klass] = found
        return self._attributes[klass]

    def globals(self, name: str) -> list[tuple[Function, Binding]]:
        """Bindings of a module-level name that functions make by way of `global`, each with its function."""
        if self._globals is None:
            self._globals = {}
            around = (self.flat.upwards(index) for index in self.flat.of(ast.Global))
            owners = {next((node for node in nodes if isinstance(node, Function)), None) for nodes in around}
            functions: list[Function] = [owner for owner in owners if owner is not None]
            for function in sorted(functions, key=self.flat.nodes.index):
                declared = {
                    listed for node in _own_nodes(function) if isinstance(node, ast.Global) for listed in node.names
                }
                for declared_name, bindings in self.names(function).bindings.items():
                    if declared_name in declared:
                        self._globals.setdefault(declared_name, []).extend((function, b) for b in bindings)
        return self._globals.get(name, [])

    def grows(self, name: str) -> bool:
        """Whether the module calls a growing method on a variable or attribute of that name, or sets its items."""
        if self._grown is None:
            self._grown = frozenset(_grown(self.flat))
        return name in self._grown

    def class_named(self, qualified: str) -> ast.ClassDef | None:
        """The module-level class of that qualified name, if this module defines it."""
        if self._classes is None:
            self._classes = {
                f"{self.package}.{node.name}".lstrip("."): node
                for node in self.tree.body
                if isinstance(node, ast.ClassDef)
            }
        return self._classes.get(qualified)

    def _named_inside(self) -> set[ast.AST]:
        """The nodes with a `:=` in them."""
        if self._naming is None:
            indices = self.flat.of(ast.NamedExpr)
            self._naming = {self.tree, *(node for index in indices for node in self.flat.upwards(index))}
            if not indices:
                self._naming.clear()
        return self._naming

    def _collect(self, scope: Scope) -> Names:
        names = Names()
        if isinstance(scope, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            parameters = list(_parameters(scope.args))
            replaced = _replaced(scope, {argument.arg for argument, _default in parameters})
            for argument, default in parameters:
                again = argument.arg in replaced
                names.add(argument.arg, Binding(default, argument.annotation, definition=argument, replaced=again))
        for node in _own_nodes(scope) if scope in self._named_inside() else _own_statements(scope):
            bind = _BINDERS.get(type(node))
            if bind is not None:
                bind(node, names, self.package)
        return names


def _grown(flat: Flat) -> Iterator[str]:
    for node in (flat.nodes[index] for index in flat.of(ast.Call, ast.Subscript, ast.AugAssign)):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr in _GROWING:
                pass
            case ast.Subscript(value=owner, ctx=ast.Store()) | ast.AugAssign(target=owner):
                pass
            case _:
                continue
        match owner:
            case ast.Name(id=name) | ast.Attribute(attr=name):
                yield name
            case _:
                pass


def _parameters(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr | None]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    yield from zip(positional, defaults, strict=True)
    yield from zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    for extra in (arguments.vararg, arguments.kwarg):
        if extra is not None:
            yield ast.arg(arg=extra.arg, annotation=None), None


def _replaced(function: ast.Lambda | Function, parameters: set[str]) -> set[str]:
    """Those that statements of the function's own block bind, if nothing but a condition has asked for them before."""
    names: set[str] = set()
    used: set[str] = set()
    bound = set() if isinstance(function, ast.Lambda) else {_bound_by(statement) for statement in function.body}
    if isinstance(function, ast.Lambda) or bound.isdisjoint(parameters):
        return names
    for statement in function.body:
        name = _bound_by(statement)
        if name is not None and name not in used:
            names.add(name)
        elif isinstance(statement, _ENDING):
            break
        asked = {id(node) for node in walk(statement.test)} if isinstance(statement, ast.If) else set()
        used.update(node.id for node in walk(statement) if isinstance(node, ast.Name) and id(node) not in asked)
    return names


def _bound_by(statement: ast.stmt) -> str | None:
    """The one name that an assignment binds."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None


def _own_statements(scope: Scope) -> Iterator[ast.AST]:
    """Those of `_own_nodes` that can bind a name, unless it is by `:=`."""
    stack: list[ast.AST] = [] if isinstance(scope, ast.Lambda) else [*reversed(scope.body)]
    while stack:
        node = stack.pop()
        yield node
        inside = blocks(node)
        if inside and not isinstance(node, _SCOPES):
            stack += inside[::-1]


def returned(function: Function) -> list[ast.expr | None]:
    """What its `return` statements give, None for one without a value; of generators and coroutines, nothing."""
    nodes = [*_own_nodes(function)]
    if isinstance(function, ast.AsyncFunctionDef) or any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes):
        return []
    return [node.value for node in nodes if isinstance(node, ast.Return)]


def _own_nodes(scope: Scope) -> Iterator[ast.AST]:
    """Nodes of the scope's own body, without what runs in scopes inside it."""
    stack: list[ast.AST] = [scope.body] if isinstance(scope, ast.Lambda) else list(reversed(scope.body))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, _SCOPES + _COMPREHENSIONS):
            stack.extend(_outside(node))
        else:
            stack.extend(reversed(children(node)))


def _outside(node: ast.AST) -> list[ast.AST]:
    """The parts of a nested scope that are evaluated in the scope around it."""
    if isinstance(node, _COMPREHENSIONS):
        return [walrus for walrus in walk(node) if isinstance(walrus, ast.NamedExpr)]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases]
    if isinstance(node, Function):
        return [*node.decorator_list, *node.args.defaults]
    return []


def _bind_assigned(node: ast.Assign, names: Names, _package: str) -> None:
    for target in node.targets:
        _bind_target(target, node.value, names)


def _bind_named(node: ast.AnnAssign | ast.AugAssign | ast.NamedExpr, names: Names, _package: str) -> None:
    if isinstance(node.target, ast.Name):
        annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
        names.add(node.target.id, Binding(node.value, annotation, augmented=isinstance(node, ast.AugAssign)))


def _bind_items(node: ast.With | ast.AsyncWith, names: Names, _package: str) -> None:
    for item in node.items:
        if isinstance(item.optional_vars, ast.Name):
            names.add(item.optional_vars.id, Binding(value=item.context_expr))
        elif item.optional_vars is not None:
            _bind_target(item.optional_vars, None, names)


def _bind_caught(node: ast.ExceptHandler | ast.MatchAs | ast.MatchStar, names: Names, _package: str) -> None:
    if node.name is not None:
        names.add(node.name, Binding())


def _bind_import(node: ast.Import, names: Names, _package: str) -> None:
    for alias in node.names:
        whole = alias.name if alias.asname else alias.name.split(".")[0]
        names.add(alias.asname or whole, Binding(imported=whole))


def _bind_import_from(node: ast.ImportFrom, names: Names, package: str) -> None:
    source = absolute(node, package)
    for alias in node.names:
        names.add(alias.asname or alias.name, Binding(imported=f"{source}.{alias.name}".lstrip(".")))


_BINDERS: dict[type[ast.AST], Callable[[Any, Names, str], None]] = {
    ast.Assign: _bind_assigned,
    **dict.fromkeys((ast.AnnAssign, ast.AugAssign, ast.NamedExpr), _bind_named),
    **dict.fromkeys((ast.For, ast.AsyncFor), lambda node, names, _package: _bind_target(node.target, None, names)),
    **dict.fromkeys((ast.With, ast.AsyncWith), _bind_items),
    **dict.fromkeys(
        (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
        lambda node, names, _package: names.add(node.name, Binding(definition=node)),
    ),
    **dict.fromkeys((ast.ExceptHandler, ast.MatchAs, ast.MatchStar), _bind_caught),
    **dict.fromkeys((ast.Global, ast.Nonlocal), lambda node, names, _package: names.outer.update(node.names)),
    ast.Import: _bind_import,
    ast.ImportFrom: _bind_import_from,
}


def absolute(node: ast.ImportFrom, package: str) -> str:
    """The module that names are imported from, counted from `package` if the import is relative."""
    module = node.module or ""
    if not node.level:
        return module
    base = package.split(".")
    kept = base[: len(base) - node.level + 1]
    return ".".join([*kept, module]).strip(".")


def _bind_target(target: ast.expr, value: ast.expr | None, names: Names) -> None:
    if type(target) is ast.Name:
        names.add(target.id, Binding(value=value, augmented=_adds_to(target, value)))
        return
    match target:
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            values: list[ast.expr | None] = [None] * len(targets)
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(targets):
                values = list(value.elts)
            for part, part_value in zip(targets, values, strict=True):
                _bind_target(part, part_value, names)
        case ast.Starred(value=inner):
            _bind_target(inner, None, names)
        case ast.Subscript(value=ast.Name(id=name), slice=key) if not isinstance(key, ast.Slice):
            names.items.setdefault(name, []).append(Binding(value))
        case _:
            pass


def _adds_to(target: ast.AST, value: ast.expr | None) -> bool:
    """Whether `x = x + y` stands for `x += y`: the target is an operand of the sum."""
    if type(value) is not ast.BinOp or type(value.op) is not ast.Add:
        return False
    name = ast.unparse(target)
    operands: list[ast.expr] = [value]
    while operands:
        operand = operands.pop()
        if isinstance(operand, ast.BinOp) and isinstance(operand.op, ast.Add):
            operands += [operand.left, operand.right]
        elif isinstance(operand, ast.Name | ast.Attribute) and ast.unparse(operand) == name:
            return True
    return False


class _Attributes:
    """Gathers what a method binds of its receiver's attributes."""

    def __init__(self, method: Function, found: Names) -> None:
        self._method = method
        self._receiver = method.args.args[0].arg
        self._found = found

    def gather(self) -> None:
        for node in walk_statements(self._method):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        if not isinstance(target, ast.Name):
                            self._add(target, _parameter_annotation(value, self._method) or value)
                case ast.AnnAssign(target=target, annotation=annotation, value=value):
                    self._add(target, value, annotation)
                case ast.AugAssign(target=ast.Attribute(value=ast.Name(id=name), attr=attr), value=value):
                    if name == self._receiver:
                        self._found.add(attr, Binding(value=value, augmented=True, method=self._method))
                case ast.withitem(context_expr=value, optional_vars=target):
                    self._add(target, value)
                case ast.For(target=target) | ast.AsyncFor(target=target):
                    self._add(target, None)
                case _:
                    pass

    def _add(self, target: ast.AST | None, value: ast.expr | None, annotation: ast.expr | None = None) -> None:
        match target:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name == self._receiver:
                adds = _adds_to(target, value)
                self._found.add(attr, Binding(value=value, annotation=annotation, augmented=adds, method=self._method))
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                values: list[ast.expr | None] = [None] * len(parts)
                if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(parts):
                    values = list(value.elts)
                for part, part_value in zip(parts, values, strict=True):
                    self._add(part, part_value)
            case ast.Subscript(value=ast.Attribute(value=ast.Name(id=name), attr=attr), slice=key):
                if name == self._receiver and not isinstance(key, ast.Slice):
                    self._found.items.setdefault(attr, []).append(Binding(value, method=self._method))
            case _:
                pass


def _parameter_annotation(value: ast.expr, method: Function) -> ast.expr | None:
    """`self.x = x` with an annotated parameter x: a value that stands for the annotation."""
    if isinstance(value, ast.Name):
        for argument, _default in _parameters(method.args):
            if argument.arg == value.id and argument.annotation is not None:
                return Annotated(annotation=argument.annotation)
    return None


class Annotated(ast.expr):
    """A value of which only the annotation is known. It stands where an expression would."""

    def __init__(self, annotation: ast.expr) -> None:
        super().__init__()
        self.annotation = annotation
