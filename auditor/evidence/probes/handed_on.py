"""Probe `handed-on`: objects whose making is timed, but that make more as they are used where no probe stands."""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

NAME = "handed-on"
NODES = (ast.expr,)


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> dict[ast.AST, Any]:
    """`EXPR` becomes `made(EXPR)`."""
    return {node: lambda made: call("made", made)}


class Recorder:
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        self._runtime = runtime
        self._hits = 0

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The site's functions by role."""
        return {"made": self._made}

    def _made(self, value: Any) -> Any:
        self._hits += 1
        self._runtime.tick()
        return value

    def hits(self) -> int:
        """Objects so far."""
        return self._hits

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        return {"hits": self._hits}

    def reset(self) -> None:
        """Forget everything, after a fork."""
        self._hits = 0


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """How many there were."""
    made = sum(record["hits"] for record in records)
    yield "handed_on", made, made, made, "objects", made
