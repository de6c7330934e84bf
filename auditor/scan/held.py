"""Which calls stand inside a `with` on what is named as a lock is."""

from __future__ import annotations

import ast
import re

from auditor.scan.asked import last_of
from auditor.scan.facts import Function
from auditor.scan.outline import HELD
from auditor.scan.syntax import Flat

_NAMED = re.compile(r"(?:^|_)(?:r?lock|mutex|guard)\d*$", re.IGNORECASE)


class Held:
    """The `with` statements on locks of a module."""

    def __init__(self, flat: Flat) -> None:
        self._flat = flat
        self._locked = {index for index in flat.of(ast.With, ast.AsyncWith) if _is_locking(flat.nodes[index])}

    def around(self, index: int) -> int:
        """The bit of an outline if a lock is held at the node at that index, else 0."""
        if not self._locked:
            return 0
        while index := self._flat.parents[index]:
            if index in self._locked:
                return HELD
            if isinstance(self._flat.nodes[index], Function | ast.Lambda):
                return 0
        return 0


def _is_locking(statement: ast.With | ast.AsyncWith) -> bool:
    return any(_NAMED.search(last_of(item.context_expr) or "") for item in statement.items)
