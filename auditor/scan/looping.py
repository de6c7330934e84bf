"""Which loops repeat a node, as its surroundings show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from auditor import cst

if TYPE_CHECKING:
    from auditor.rule import Loop

_REPEATING = frozenset(
    ("FunctionDef", "Lambda", "For", "While", "CompFor", "ListComp", "SetComp", "DictComp", "GeneratorExp")
)


def loops(
    node: cst.CSTNode,
    ancestors: Iterable[cst.CSTNode],
    runs_per_item: Callable[[cst.FunctionDef | cst.Lambda], object],
) -> list[Loop]:
    """Loops of the same function that repeat `node`, innermost first, and the function if it is one itself.

    `ancestors` are its parent, the parent's, ...
    """
    found: list[Loop] = []
    child = node
    for parent in ancestors:
        # by name: nearly all that stands around a node is none of these
        if type(parent).__name__ not in _REPEATING:
            child = parent
            continue
        if isinstance(parent, cst.FunctionDef | cst.Lambda) and child is parent.body:
            if runs_per_item(parent):
                found.append(parent)
            break
        if isinstance(parent, cst.For):
            if child in (parent.body, parent.target) and not _retries(parent):
                found.append(parent)
        elif isinstance(parent, cst.While):
            if child is parent.body or child is parent.test:
                found.append(parent)
        elif isinstance(parent, cst.CompFor):
            if child is not parent.iter:
                found.append(parent)
        elif isinstance(parent, cst.BaseComp) and child is not parent.for_in:
            found.extend(reversed(list(generators(parent.for_in))))
        child = parent
    return found


def generators(generator: cst.CompFor | None) -> Iterator[cst.CompFor]:
    """The `for` parts of a comprehension, outermost first."""
    while generator is not None:
        yield generator
        generator = generator.inner_for_in


def _retries(loop: cst.For) -> bool:
    """Whether each turn is another attempt at the same: `for attempt in retrying: with attempt: ...`."""
    match loop:
        case cst.For(
            target=cst.Name(value=attempt),
            body=cst.IndentedBlock(body=[cst.With(items=[cst.WithItem(item=cst.Name(value=entered))])]),
        ):
            return attempt == entered
    return False
