"""A place in a module, and what a name means there."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from auditor.scan.facts import Binding, Function, ModuleFacts, Scope


@dataclass(slots=True)
class Scopes:
    """A place in a module: its facts and the scopes around it, outermost (the module) first."""

    facts: ModuleFacts
    chain: tuple[Scope, ...]

    def lookup(self, name: str) -> tuple[Scopes, list[Binding]] | None:
        """The scope that binds `name` as Python finds it, and its bindings; None for builtins and unknown names."""
        for index in range(len(self.chain) - 1, -1, -1):
            scope = self.chain[index]
            if isinstance(scope, ast.ClassDef) and index != len(self.chain) - 1:
                continue
            names = self.facts.names(scope)
            if name in names.bindings and name not in names.outer:
                bindings = list(names.bindings[name])
                if scope is not self.chain[-1]:
                    bindings += self._bound_from_inside(name, index)
                return Scopes(self.facts, self.chain[: index + 1]), bindings
        return None

    def _bound_from_inside(self, name: str, index: int) -> list[Binding]:
        """Bindings made through `global` or `nonlocal` by the inner scopes of this place."""
        found: list[Binding] = []
        for inner in self.chain[index + 1 :]:
            names = self.facts.names(inner)
            if name in names.outer:
                found += names.bindings.get(name, [])
        return found

    def klass(self) -> tuple[ast.ClassDef, str] | None:
        """The class whose method this place is in, and the name of the method's receiver."""
        for index in range(len(self.chain) - 1, 0, -1):
            method, owner = self.chain[index], self.chain[index - 1]
            if isinstance(owner, ast.ClassDef) and isinstance(method, Function):
                receiver = receiver_of(method)
                return None if receiver is None else (owner, receiver)
        return None

    def class_meant(self, expression: ast.expr) -> ast.ClassDef | None:
        """The class of this module that is named, or meant by `type(self)` or `self.__class__` in a method."""
        match expression:
            case ast.Name(id=name):
                found = self.lookup(name)
                definition = found[1][0].definition if found is not None and len(found[1]) == 1 else None
                return definition if isinstance(definition, ast.ClassDef) else None
            case ast.Call(func=ast.Name(id="type"), args=[ast.Name(id=receiver)]):
                pass
            case ast.Attribute(value=ast.Name(id=receiver), attr="__class__"):
                pass
            case _:
                return None
        owner = self.klass()
        return owner[0] if owner is not None and owner[1] == receiver else None


def receiver_of(method: Function) -> str | None:
    """The name by which a method knows its object or class; None if it is a static one, or takes nothing."""
    is_static = any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in method.decorator_list)
    return None if is_static or not method.args.args else method.args.args[0].arg
