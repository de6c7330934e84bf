"""The classes of shadow nodes: each derives from the LibCST class it stands for, and fills its fields when asked.

A rule that matches `cst.Call(func=cst.Attribute())` sees no difference. Fields that hold white space, commas and
parentheses are not there; asking for one raises `NotShadowedError`, and the question goes to LibCST's own nodes.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from auditor import cst

if TYPE_CHECKING:
    from auditor.scan.shadow.tree import Shadow

PLACED = (ast.expr, ast.stmt)
"""What has a place in the source."""

Maker = Callable[[Any], Any]
"""What fills a field: given the shadow node, it returns the value."""


class NotShadowedError(Exception):
    """The shadow cannot answer. Not an `AttributeError`, which a match statement or `getattr` would swallow."""


class Node:
    """What all shadow nodes share.

    `_at` is the `ast` node that it stands for, or a list, tuple or text if there is no such node; `_tree` the slice;
    `_up` the node around it, `_inside` are those inside.
    """

    __slots__ = ()
    _fields: Mapping[str, Maker] = {}
    _order: tuple[str, ...] = ()
    _backwards: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        maker = self._fields.get(name)
        if maker is None:
            if name == "_inside":
                value: Any = _inside(self)
            elif name.startswith("__") and name != "__dataclass_fields__":
                raise AttributeError(name)
            else:
                # white space and the like, or a method of LibCST's
                raise NotShadowedError(f"{type(self).__name__}.{name}")
        else:
            value = maker(self)
        setattr(self, name, value)
        return value

    @property
    def children(self) -> list[cst.CSTNode]:
        """The nodes inside, in source order."""
        return list(self._inside)


def _inside(node: Any) -> tuple[cst.CSTNode, ...]:
    found: list[cst.CSTNode] = []
    for name in node._order:
        value = getattr(node, name)
        if type(value) is tuple:
            found += value
        elif value is not None:
            found.append(value)
    return tuple(found)


def shadow_class(base: type[cst.CSTNode], order: str, **fields: Maker) -> type[Any]:
    """The shadow of a LibCST class. `order` lists the fields that hold nodes, in source order."""
    members = {
        "__slots__": ("_at", "_tree", "_up", "_inside", *fields),
        "__module__": __name__,
        "_fields": fields,
        "_order": tuple(order.split()),
        "_backwards": tuple(order.split()[::-1]),
    }
    return cst.derive(base, members, Node)


def single(base: type[cst.CSTNode]) -> Any:
    """The one shadow of all nodes of a class that has no parts worth asking for: an operator, a keyword."""
    node: Any = object.__new__(shadow_class(base, ""))
    node._at = node._tree = node._up = None
    return node


def is_shadow(node: object) -> bool:
    """Whether it is a shadow, not a node of LibCST's own."""
    return isinstance(node, Node)


def made(kind: type[Any], at: Any, up: Any, tree: Shadow) -> Any:
    """A new shadow node."""
    node = object.__new__(kind)
    node._at = at
    node._tree = tree
    node._up = up
    tree.nodes.append(node)
    if isinstance(at, PLACED):
        tree.known.setdefault(at, node)
    return node
