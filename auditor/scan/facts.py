"""What one module says about its names: imports, bindings of each scope, attributes of each class.

Built from the `ast` the gate has anyway; types are inferred on demand by `auditor.scan.infer`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.records import dataclass, field
from auditor.scan.syntax import Flat, children, walk

if TYPE_CHECKING:
    from auditor.scan.kept import Handling
    from auditor.scan.links import Outlook
    from auditor.scan.per_item import Runs

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = Function | ast.Lambda | ast.ClassDef | ast.Module
_GROWING = frozenset(("append", "extend", "insert", "add", "update", "setdefault", "__iadd__"))
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
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
    """Bindings of one scope by name, and the names it declares global or nonlocal."""

    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)

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

    `handling` is what the module does to its containers, once `auditor.scan.kept` has looked; `once` are its functions
    that run once, once `auditor.scan.once` has, `runs` those that run for every item, once `auditor.scan.per_item` has.
    `outlook` is what the project's other files say of its names.
    """

    tree: ast.Module
    package: str = ""
    known: dict[tuple[object, ...], Known] = field(default_factory=dict)
    handling: Handling | None = None
    _flat: Flat | None = None
    once: frozenset[str] | None = None
    runs: Runs | None = None
    outlook: Outlook | None = None
    _names: dict[ast.AST, Names] = field(default_factory=dict)
    _attributes: dict[ast.ClassDef, dict[str, list[Binding]]] = field(default_factory=dict)
    _globals: dict[str, list[tuple[Function, Binding]]] | None = None
    _classes: dict[str, ast.ClassDef] | None = None
    _grown: frozenset[str] | None = None

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
        if klass not in self._attributes:
            found = Names()
            for name, bindings in self.names(klass).bindings.items():
                for binding in bindings:
                    found.add(name, binding)
            for method in klass.body:
                if isinstance(method, Function) and method.args.args:
                    _collect_attributes(method, method.args.args[0].arg, found)
            self._attributes[klass] = found.bindings
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

    def _collect(self, scope: Scope) -> Names:
        names = Names()
        if isinstance(scope, ast.Lambda | Function):
            replaced = _replaced(scope)
            for argument, default in _parameters(scope.args):
                again = argument.arg in replaced
                names.add(argument.arg, Binding(default, argument.annotation, definition=argument, replaced=again))
        for node in _own_nodes(scope):
            _bind(node, names, self.package)
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


def _replaced(function: ast.Lambda | Function) -> set[str]:
    """Names that statements of the function's own block bind, if nothing but a condition has asked for them before."""
    names: set[str] = set()
    used: set[str] = set()
    if isinstance(function, ast.Lambda) or not any(isinstance(statement, ast.Assign) for statement in function.body):
        return names
    for statement in function.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)]) if name not in used:
                names.add(name)
            case ast.For() | ast.AsyncFor() | ast.While() | ast.Try() | ast.With() | ast.AsyncWith() | ast.Match():
                break
        asked = {id(node) for node in walk(statement.test)} if isinstance(statement, ast.If) else set()
        used.update(node.id for node in walk(statement) if isinstance(node, ast.Name) and id(node) not in asked)
    return names


def _own_nodes(scope: Scope) -> Iterator[ast.AST]:
    """Nodes of the scope's own body, without what runs in scopes inside it."""
    stack: list[ast.AST] = [scope.body] if isinstance(scope, ast.Lambda) else list(reversed(scope.body))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, (*_scopes(), *_COMPREHENSIONS)):
            stack.extend(_outside(node))
        else:
            stack.extend(reversed(children(node)))


def _scopes() -> tuple[type[ast.AST], ...]:
    return (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def _outside(node: ast.AST) -> list[ast.AST]:
    """The parts of a nested scope that are evaluated in the scope around it."""
    if isinstance(node, _COMPREHENSIONS):
        return [walrus for walrus in walk(node) if isinstance(walrus, ast.NamedExpr)]
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases]
    if isinstance(node, Function):
        return [*node.decorator_list, *node.args.defaults]
    return []


def _bind(node: ast.AST, names: Names, package: str) -> None:
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _bind_target(target, value, names)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
            names.add(name, Binding(value=value, annotation=annotation))
        case ast.AugAssign(target=ast.Name(id=name), value=value):
            names.add(name, Binding(value=value, augmented=True))
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            names.add(name, Binding(value=value))
        case ast.For(target=target) | ast.AsyncFor(target=target):
            _bind_target(target, None, names)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                if isinstance(item.optional_vars, ast.Name):
                    names.add(item.optional_vars.id, Binding(value=item.context_expr))
                elif item.optional_vars is not None:
                    _bind_target(item.optional_vars, None, names)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            names.add(name, Binding(definition=node))
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            names.add(name, Binding())
        case ast.Global(names=listed) | ast.Nonlocal(names=listed):
            names.outer.update(listed)
        case ast.Import(names=aliases):
            for alias in aliases:
                whole = alias.name if alias.asname else alias.name.split(".")[0]
                names.add(alias.asname or whole, Binding(imported=whole))
        case ast.ImportFrom(names=aliases):
            source = absolute(node, package)
            for alias in aliases:
                names.add(alias.asname or alias.name, Binding(imported=f"{source}.{alias.name}".lstrip(".")))
        case _:
            pass


def absolute(node: ast.ImportFrom, package: str) -> str:
    """The module that names are imported from, counted from `package` if the import is relative."""
    module = node.module or ""
    if not node.level:
        return module
    base = package.split(".")
    kept = base[: len(base) - node.level + 1]
    return ".".join([*kept, module]).strip(".")


def _bind_target(target: ast.expr, value: ast.expr | None, names: Names) -> None:
    match target:
        case ast.Name(id=name):
            names.add(name, Binding(value=value, augmented=_adds_to(target, value)))
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            values: list[ast.expr | None] = [None] * len(targets)
            if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(targets):
                values = list(value.elts)
            for part, part_value in zip(targets, values, strict=True):
                _bind_target(part, part_value, names)
        case ast.Starred(value=inner):
            _bind_target(inner, None, names)
        case _:
            pass


def _adds_to(target: ast.expr, value: ast.expr | None) -> bool:
    """Whether `x = x + y` stands for `x += y`: the target is an operand of the sum."""
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
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


def _collect_attributes(method: Function, receiver: str, found: Names) -> None:
    def add(target: ast.AST | None, value: ast.expr | None, annotation: ast.expr | None = None) -> None:
        match target:
            case ast.Attribute(value=ast.Name(id=name), attr=attr) if name == receiver:
                adds = _adds_to(target, value)
                found.add(attr, Binding(value=value, annotation=annotation, augmented=adds, method=method))
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                values: list[ast.expr | None] = [None] * len(parts)
                if isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(parts):
                    values = list(value.elts)
                for part, part_value in zip(parts, values, strict=True):
                    add(part, part_value)
            case _:
                pass

    for node in walk(method):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    add(target, _parameter_annotation(value, method) or value)
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                add(target, value, annotation)
            case ast.AugAssign(target=ast.Attribute(value=ast.Name(id=name), attr=attr), value=value):
                if name == receiver:
                    found.add(attr, Binding(value=value, augmented=True, method=method))
            case ast.withitem(context_expr=value, optional_vars=target):
                add(target, value)
            case ast.For(target=target) | ast.AsyncFor(target=target):
                add(target, None)
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
