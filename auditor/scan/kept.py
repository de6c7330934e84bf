"""What a module keeps in names of its own and in attributes, what it does to it, and whether it ever takes from it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.scan.facts import Binding, Function, ModuleFacts
from auditor.scan.infer import MAX_BASES
from auditor.scan.scopes import Scopes
from auditor.scan.syntax import walk

_TAKES = frozenset(
    """pop popitem popleft remove discard clear difference_update intersection_update symmetric_difference_update
    __delitem__ move_to_end""".split()  # noqa: SIM905
)
_TAKER = re.compile(r"pop|prune|purge|evict|expire|clean|clear|trim|shrink|drain|remove|discard|delete|del_|release")
_PARTS = frozenset(("get", "setdefault", "values", "items", "keys", "copy", "__getitem__"))
"""Methods whose result is, or holds, what the container holds."""
_WRAPPERS = frozenset(("list", "tuple", "set", "sorted", "reversed", "enumerate", "iter", "next", "zip"))
_MAKERS = frozenset(("__init__", "__new__", "__post_init__", "__attrs_post_init__", "__setstate__", "setUp"))


_BINDING = frozenset((ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.For, ast.AsyncFor, ast.comprehension, ast.withitem))
_HANDLING = frozenset((ast.Attribute, ast.Delete, ast.AugAssign, ast.Call, ast.Assign, ast.AnnAssign))


@dataclass(slots=True)
class Handling:
    """What a module does to what it keeps.

    Keys are "NAME" for the module's own names, "Class.attr" for attributes reached
    through the receiver of a method or through the class, ".attr" for those of anything else.
    """

    emptied: set[str] = field(default_factory=set)
    touched: dict[str, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: ModuleFacts) -> Handling:
        """The handling seen in one walk over the module."""
        found = cls()
        for part, owner in _parts(facts.tree.body, ""):
            _Part(part, owner).gather(found)
        return found

    def attributes(self, key: str) -> set[str]:
        """Names of the attributes and methods that are read from what has that key, wherever it is reached."""
        return set().union(*(self.touched.get(name, ()) for name in _spellings(key)))

    def is_emptied(self, key: str) -> bool:
        """Whether anything is taken from what has that key, or it is bound anew."""
        return any(name in self.emptied for name in _spellings(key))


def _spellings(key: str) -> tuple[str, ...]:
    owner, dot, attr = key.rpartition(".")
    return (key, f".{attr}") if dot and owner else (key,)


def _parts(body: list[ast.stmt], owner: str) -> Iterator[tuple[ast.stmt, str]]:
    """The module's outermost functions and other statements, each with the class around it."""
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _parts(statement.body, statement.name)
        else:
            yield statement, owner


class _Part:
    """One outermost function, method or statement, as it is gathered from."""

    def __init__(self, root: ast.stmt, owner: str) -> None:
        self._root = root
        self._owner = owner
        self._nodes = walk(root)
        self._binding = [node for node in self._nodes if type(node) in _BINDING]
        arguments = root.args.args if isinstance(root, Function) else []
        self._receiver = arguments[0].arg if owner and arguments else None
        self._global = {name for node in self._nodes if isinstance(node, ast.Global) for name in node.names}
        self._local = self._locals() if isinstance(root, Function) else set()
        self._aliases = self._follow()

    def gather(self, found: Handling) -> None:
        lazily = self._lazily_bound()
        for node in self._nodes:
            if type(node) not in _HANDLING:
                continue
            match node:
                case ast.Attribute(value=value, attr=attr):
                    for key in self._keys(value):
                        found.touched.setdefault(key, set()).add(attr)
                        if attr in _TAKES:
                            found.emptied.add(key)
                case ast.Delete(targets=targets):
                    found.emptied.update(key for target in targets for key in self._keys(target))
                case ast.AugAssign(target=target, op=ast.Sub() | ast.BitAnd() | ast.BitXor()):
                    found.emptied.update(self._keys(target))
                case ast.Call(func=callee, args=arguments) if _TAKER.search(_last(callee).lower()):
                    found.emptied.update(key for argument in arguments for key in self._keys(argument))
                case ast.Assign(targets=targets, value=value) if node not in lazily:
                    found.emptied.update(key for target in targets for key in self._rebound(target, value))
                case ast.AnnAssign(target=target, value=ast.expr() as value) if node not in lazily:
                    found.emptied.update(self._rebound(target, value))
                case _:
                    pass

    def _locals(self) -> set[str]:
        names = {node.id for node in self._nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        names.update(node.arg for node in self._nodes if isinstance(node, ast.arg))
        return names - self._global

    def _follow(self) -> dict[str, set[str]]:
        """Local names and the keys of what they may stand for: `tasks = self.tasks`, `for task in self.tasks`."""
        aliases: dict[str, set[str]] = {}
        self._aliases = aliases
        for _round in range(2):
            for name, value in self._bindings():
                aliases.setdefault(name, set()).update(self._keys(value))
        return aliases

    def _bindings(self) -> Iterator[tuple[str, ast.expr]]:
        for node in self._binding:
            match node:
                case ast.Assign(targets=targets, value=value):
                    pass
                case (
                    ast.AnnAssign(target=target, value=ast.expr() as value)
                    | ast.NamedExpr(target=target, value=value)
                    | ast.For(target=target, iter=value)
                    | ast.AsyncFor(target=target, iter=value)
                    | ast.comprehension(target=target, iter=value)
                    | ast.withitem(optional_vars=ast.expr() as target, context_expr=value)
                ):
                    targets = [target]
                case _:
                    continue
            for name in (inner for target in targets for inner in walk(target)):
                if isinstance(name, ast.Name) and name.id in self._local and isinstance(name.ctx, ast.Store):
                    yield name.id, value

    def _keys(self, expression: ast.expr) -> set[str]:
        """Keys of what the expression may be, or be a part of."""
        match expression:
            case ast.Subscript(value=inner) | ast.Await(value=inner) | ast.Starred(value=inner):
                return self._keys(inner)
            case ast.Call(func=ast.Attribute(value=inner, attr=attr)) if attr in _PARTS:
                return self._keys(inner)
            case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in _WRAPPERS:
                return self._keys(first)
            case ast.BoolOp(values=values):
                return set().union(*(self._keys(value) for value in values))
            case ast.IfExp(body=body, orelse=orelse):
                return self._keys(body) | self._keys(orelse)
            case ast.Tuple(elts=parts):
                return set().union(*(self._keys(part) for part in parts))
            case ast.Assign(value=value):
                return self._keys(value)
            case ast.Name(id=name):
                return self._aliases.get(name, set()) if name in self._local else {name}
            case ast.Attribute(value=owner, attr=attr):
                return {f"{self._class_meant(owner)}.{attr}"}
        return set()

    def _class_meant(self, owner: ast.expr) -> str:
        """The class of the method if it is reached through its receiver, the name of the class if through that."""
        match owner:
            case ast.Name(id=name) if name == self._receiver:
                return self._owner
            case ast.Name(id=name) if name[:1].isupper():
                return name
            case ast.Attribute(attr="__class__") | ast.Call(func=ast.Name(id="type")):
                return self._owner
        return ""

    def _rebound(self, target: ast.expr, value: ast.expr) -> set[str]:
        """Keys of what the assignment replaces by something else than itself with more in it."""
        match target:
            case ast.Tuple(elts=parts):
                return set().union(*(self._rebound(part, value) for part in parts))
            case ast.Subscript(slice=ast.Slice()):
                return self._keys(target)
            case ast.Name(id=name) if name in self._global:
                keys = {name}
            case ast.Attribute() if not (isinstance(self._root, Function) and self._root.name in _MAKERS):
                keys = self._keys(target)
            case _:
                return set()
        return set() if self._extends(value, keys) else keys

    def _extends(self, value: ast.expr, keys: set[str]) -> bool:
        match value:
            case ast.BinOp(left=left, op=ast.Add() | ast.BitOr(), right=right):
                return bool(keys & (self._keys(left) | self._keys(right)))
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
                return any(isinstance(part, ast.Starred) and keys & self._keys(part) for part in parts)
            case ast.Dict(keys=names, values=parts):
                return any(name is None and keys & self._keys(part) for name, part in zip(names, parts, strict=True))
        return False

    def _lazily_bound(self) -> set[ast.AST]:
        """Assignments that make what is not there yet: below `if self.x is None`, `if not self.x`, in an `except`."""
        found: set[ast.AST] = set()
        for node in self._nodes:
            if type(node) not in (ast.If, ast.ExceptHandler):
                continue
            match node:
                case ast.If(test=test, body=body) if _asks_for_absence(test):
                    found.update(body)
                case ast.ExceptHandler(type=kind, body=body) if _last(kind) in ("AttributeError", "NameError"):
                    found.update(body)
                case _:
                    pass
        return found


def _asks_for_absence(test: ast.expr) -> bool:
    match test:
        case ast.Compare(ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.Compare(ops=[ast.NotIn()]):
            return True
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not isinstance(operand, ast.Compare)
    return False


def _last(expression: ast.expr | None) -> str:
    match expression:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


# ------------------------------------------------------------------------------------------------
# Where a container lives


@dataclass(frozen=True, slots=True)
class Home:
    """Where a container lives ("module", "class" or "instance"), its keys in `Handling`, and what binds it."""

    kind: str
    keys: tuple[str, ...]
    bindings: tuple[Binding, ...]


def handling(facts: ModuleFacts) -> Handling:
    """What the module does to what it keeps, gathered once."""
    if facts.handling is None:
        facts.handling = Handling.of(facts)
    return facts.handling


def home(expression: ast.expr, scopes: Scopes) -> Home | None:
    """Where what the expression names is kept, None if it is local, imported or unknown."""
    match expression:
        case ast.Name(id=name):
            found = scopes.lookup(name)
            if found is None or len(found[0].chain) != 1:
                return None
            kept = [binding for binding in found[1] if binding.imported is None and binding.definition is None]
            return Home("module", (name,), tuple(kept)) if kept else None
        case ast.Attribute(value=value, attr=attr):
            owner = scopes.klass()
            own = owner is not None and isinstance(value, ast.Name) and value.id == owner[1]
            meant = owner[0] if owner is not None and own else scopes.class_meant(value)
            return None if meant is None else _home_in_class(meant, attr, scopes)
    return None


def _home_in_class(klass: ast.ClassDef, attr: str, scopes: Scopes) -> Home | None:
    family = _family(klass, scopes.facts)
    bindings = [
        binding for member in family for binding in scopes.facts.attributes(member).get(attr, ()) if _is_value(binding)
    ]
    if not bindings:
        return None
    kind = "instance" if any(binding.method is not None or _is_field(binding) for binding in bindings) else "class"
    return Home(kind, tuple(f"{member.name}.{attr}" for member in family), tuple(bindings))


def _is_field(binding: Binding) -> bool:
    """Whether a library that makes fields of annotations may give each object a value of its own."""
    return binding.annotation is not None and "ClassVar" not in ast.unparse(binding.annotation)


def _is_value(binding: Binding) -> bool:
    return binding.definition is None and binding.value is not None


def _family(klass: ast.ClassDef, facts: ModuleFacts) -> list[ast.ClassDef]:
    """The class with those of this module that it is derived from and that are derived from it."""
    classes = [facts.flat.nodes[index] for index in facts.flat.of(ast.ClassDef)]
    family = [klass]
    grown = True
    while grown and len(family) <= MAX_BASES:
        names = {member.name for member in family}
        above = {_last(base) for member in family for base in member.bases}
        more = [
            other
            for other in classes
            if other not in family and (other.name in above or any(_last(base) in names for base in other.bases))
        ]
        family += more
        grown = bool(more)
    return family


def is_emptied_elsewhere(home: Home, facts: ModuleFacts) -> bool:
    """Whether a file that knows this one takes something from an attribute of that name."""
    taken = () if facts.outlook is None else facts.outlook.taken
    return any(key.rpartition(".")[2] in taken for key in home.keys if "." in key)


def is_bounded(bindings: tuple[Binding, ...]) -> bool:
    """Whether a binding is a `deque` with a length of its own."""
    for binding in bindings:
        match binding.value:
            case ast.Call(func=callee, args=arguments, keywords=keywords) if _last(callee) == "deque":
                if len(arguments) > 1 or any(keyword.arg == "maxlen" for keyword in keywords):
                    return True
            case _:
                pass
    return False
