"""Children and positions of LibCST nodes, without the visitors that make LibCST's own ways to them slow."""

from __future__ import annotations

from typing import Any

import libcst as cst
from libcst.metadata import CodeRange, PositionProvider

_ORDER: dict[type[cst.CSTNode], tuple[str, ...]] = {}
# visited only when they are set, so the order that was noted may lack some of their attributes
_CONDITIONAL = (cst.FormattedStringExpression, getattr(cst, "TemplatedStringExpression", cst.FormattedStringExpression))


class _Order(cst.CSTVisitor):
    """Notes in which order the attributes of one node are visited, which is that of the source, not of the class."""

    def __init__(self, node: cst.CSTNode) -> None:
        super().__init__()
        self._node = node
        self.names: list[str] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        return node is self._node

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        if node is self._node:
            self.names.append(attribute)


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """What `node.children` gives, in the same order."""
    if isinstance(node, _CONDITIONAL):
        return list(node.children)
    kind = type(node)
    order = _ORDER.get(kind)
    if order is None:
        visitor = _Order(node)
        node.visit(visitor)
        order = _ORDER[kind] = tuple(dict.fromkeys(visitor.names))
    found: list[cst.CSTNode] = []
    for name in order:
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            found.append(value)
        elif isinstance(value, list | tuple):
            found.extend(part for part in value if isinstance(part, cst.CSTNode))
    return found


def positions(module: cst.Module) -> dict[cst.CSTNode, CodeRange]:
    """What `PositionProvider` computes. A `MetadataWrapper` would visit all nodes once more, for nothing."""
    provider: Any = PositionProvider()
    provider._gen_impl(module)
    found: dict[cst.CSTNode, CodeRange] = provider._computed
    return found
