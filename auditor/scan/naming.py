"""Where one piece of code uses and binds names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from auditor import cst
from auditor.scan.looping import generators
from auditor.scan.shadow import Shadow
from auditor.scan.slices import Slice

Piece = Shadow | Slice
_PARTS = (cst.Attribute, cst.Subscript)
_BINDERS = frozenset(("Assign", "AnnAssign", "AugAssign", "NamedExpr", "For", "CompFor", "AsName", "Param"))
"""Nodes that bind names."""
_COMPREHENSIONS = frozenset(("ListComp", "SetComp", "DictComp", "GeneratorExp"))
_NAMED = frozenset(("ImportAlias", "FunctionDef", "ClassDef", "AsName", "Global"))
"""Nodes whose names are no variables there."""


class _Index:
    """Occurrences of names and the nodes that bind them, by name, each in source order."""

    __slots__ = ("stores", "uses")

    def __init__(self) -> None:
        self.stores: dict[str, list[cst.CSTNode]] = {}
        self.uses: dict[str, list[cst.Name]] = {}


def uses(name: str, within: cst.CSTNode, piece: Piece) -> Sequence[cst.Name]:
    """Every occurrence of the plain name in `within`."""
    if isinstance(piece, Shadow) and (known := piece.names(name, within)) is not None:
        return [one for one in known if _is_variable(one, piece)]
    return _index(within, piece).uses.get(name, ())


def stores(target: str, within: cst.CSTNode, piece: Piece) -> Sequence[cst.CSTNode]:
    """Nodes in `within` that bind the dotted target."""
    last = target.rpartition(".")[2].strip("() \t\r\n")
    if isinstance(piece, Shadow) and (known := piece.binding(last, within)) is not None:
        return [one for one in known if target in bound_by(one, piece)]
    return _index(within, piece).stores.get(target, ())


def item_stores(target: str, within: cst.CSTNode, piece: Piece) -> Sequence[cst.CSTNode]:
    """The assignments in `within` to the item whose code that is: `x["key"] = ...`, `x["key"] += ...`."""
    found: list[cst.CSTNode] = []
    assignments: list[Any] = piece.of_kinds(within, (cst.Assign, cst.AugAssign))
    for node in assignments:
        targets = [one.target for one in node.targets] if isinstance(node, cst.Assign) else [node.target]
        if any(isinstance(one, cst.Subscript) and piece.code(one).strip() == target for one in targets):
            found.append(node)
    return found


def bound_by(node: cst.CSTNode, piece: Piece) -> set[str]:
    """The names and dotted names that the node itself binds."""
    kind = type(node).__name__
    if kind not in _BINDERS:
        return set()
    one: Any = node
    targets: list[Any]
    if kind == "Assign":
        targets = [target.target for target in one.targets]
    else:
        targets = [one.name if kind in ("AsName", "Param") else one.target]
    found: set[str] = set()
    while targets:
        target = targets.pop()
        if isinstance(target, cst.Tuple | cst.List):
            targets.extend(element.value for element in target.elements)
        elif isinstance(target, cst.Name | cst.Attribute):
            found.add(piece.code(target).strip())
    return found


def is_turned(expression: cst.CSTNode, piece: Piece) -> bool:
    """Whether the expression's first name is the loop variable of a comprehension, which the scopes do not list."""
    while isinstance(expression, _PARTS):
        expression = expression.value
    if not isinstance(expression, cst.Name):
        return False
    parent = piece.parent(expression)
    while parent is not None:
        # by name, as in `_index`
        if type(parent).__name__ in _COMPREHENSIONS:
            around: Any = parent
            if any(expression.value in bound_by(generator, piece) for generator in generators(around.for_in)):
                return True
        parent = piece.parent(parent)
    return False


def _index(within: cst.CSTNode, piece: Piece) -> _Index:
    """The names in `within`, gathered once for all who ask."""
    index: _Index | None = piece.indices.get(within)
    if index is None:
        index = piece.indices[within] = _Index()
        for node in piece.descendants(within):
            # by name: that asks neither class for the other
            kind = type(node).__name__
            if kind == "Name":
                name = cast("cst.Name", node)
                if _is_variable(name, piece):
                    index.uses.setdefault(name.value, []).append(name)
            elif kind in _BINDERS:
                for bound in bound_by(node, piece):
                    index.stores.setdefault(bound, []).append(node)
    return index


def _is_variable(node: cst.Name, piece: Piece) -> bool:
    """Whether the name is a variable here, not an attribute's, keyword's or import's name."""
    parent: Any = piece.parent(node)
    kind = type(parent).__name__
    if kind == "Attribute":
        return parent.value is node
    if kind == "Arg":
        return parent.keyword is not node
    return kind not in _NAMED
