"""What the names of a module are bound to, as far as a new import or constant must not get in their way."""

from __future__ import annotations

import ast
import builtins
import keyword
from collections import Counter
from collections.abc import Collection, Iterator

_Import = ast.Import | ast.ImportFrom


class Names:
    """The names of one module: bound anywhere, used anywhere, bound by statements at its top."""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.bound = Counter(_bound(tree))
        self.used = {*self.bound, *(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))}
        self.used.update(node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        self.has_star = any(
            alias.name == "*" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
        )

    def free(self, hint: str, taken: Collection[str] = ()) -> str:
        """`hint`, or `hint` with a number, whichever is not used in the module."""
        number = 1
        name = hint
        while name in self.used or name in taken or keyword.iskeyword(name) or hasattr(builtins, name):
            number += 1
            name = f"{hint}_{number}"
        return name

    def imported_as(self, qualified: str) -> str | None:
        """How the module can already write the qualified name, by an import at its top that nothing hides."""
        module, _, member = qualified.rpartition(".")
        for statement in self.tree.body:
            if isinstance(statement, ast.Import):
                for alias in statement.names:
                    name = alias.asname or alias.name
                    if alias.name == module and self._is_only_imported(name.split(".")[0]):
                        return f"{name}.{member}"
            elif isinstance(statement, ast.ImportFrom) and statement.module == module and not statement.level:
                for alias in statement.names:
                    name = alias.asname or alias.name
                    if alias.name == member and self._is_only_imported(name):
                        return name
        return None

    def _is_only_imported(self, name: str) -> bool:
        """Whether the name is bound by imports at the top of the module alone."""
        own = sum(
            (alias.asname or alias.name.split(".")[0]) == name
            for statement in self.tree.body
            if isinstance(statement, _Import)
            for alias in statement.names
        )
        return own == self.bound[name]

    def bound_before(self, name: str, index: int) -> bool:
        """Whether the name is bound once, by a statement at the top that stands before `tree.body[index]`."""
        if hasattr(builtins, name) and not self.bound[name]:
            return True
        binding = [place for place, statement in enumerate(self.tree.body) if name in set(_bound_directly(statement))]
        declared = (node for node in ast.walk(self.tree) if isinstance(node, ast.Global))
        if any(name in node.names for node in declared):
            return False
        return len(binding) == 1 and binding[0] < index


def loaded(expression: ast.expr) -> set[str]:
    """The names that the expression takes from around it."""
    inner = set(_bound(expression))
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)} - inner


def _bound(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        yield from _binds(node)


def _bound_directly(statement: ast.stmt) -> Iterator[str]:
    """What the statement binds in its own scope."""
    stack: list[ast.AST] = [statement]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.arg):
            continue
        yield from _binds(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))


def _binds(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(name=name, asname=asname):
            yield asname or name.split(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
        case _:
            pass
