"""The graph of actions that an engine runs."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from workflow_engine.state import State

Action: TypeAlias = Callable[[State], State]


class GraphError(ValueError):
    """The graph is not well formed."""


class Graph:
    """Named actions and the edges between them; the first one added is the start."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}
        self._edges: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return len(self._actions)

    @property
    def start(self) -> str:
        """Name of the node that runs first."""
        try:
            return next(iter(self._actions))
        except StopIteration:
            raise GraphError("the graph has no nodes") from None

    def add(self, name: str, action: Action, *, after: Iterable[str] = ()) -> None:
        """Add a node that runs after each of the nodes in `after`.

        Raises `GraphError` for a name in use and for an unknown predecessor.
        """
        if name in self._actions:
            raise GraphError(f"node {name!r} exists already")
        for predecessor in after:
            if predecessor not in self._edges:
                raise GraphError(f"node {name!r} comes after the unknown node {predecessor!r}")
            self._edges[predecessor].append(name)
        self._actions[name] = action
        self._edges[name] = []

    def action(self, name: str) -> Action:
        """Return the action of a node."""
        return self._actions[name]

    def successors(self, names: Iterable[str]) -> list[str]:
        """Return the nodes that follow any of `names`, each once, in the order of the edges."""
        return list(dict.fromkeys(after for name in names for after in self._edges[name]))

    def reachable(self) -> list[str]:
        """Return the nodes that can be reached from the start, the nearest first."""
        visited: list[str] = []
        layer = [self.start]
        while layer:
            visited.extend(layer)
            layer = [name for name in self.successors(layer) if name not in visited]
        return visited

    def check(self) -> None:
        """Raise `GraphError` if some node can never run."""
        lost = self._actions.keys() - set(self.reachable())
        if lost:
            raise GraphError(f"never reached: {', '.join(sorted(lost))}")
