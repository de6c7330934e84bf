"""Runs a graph step by step, with fan-out, checkpoints and replay."""

from collections.abc import Mapping

from workflow_engine.emitter import BufferedEmitter
from workflow_engine.graph import Graph
from workflow_engine.state import Reducer, State, fork, merge
from workflow_engine.store import Checkpoint, FileStore


class ReplayError(LookupError):
    """A run has no checkpoint to be replayed from."""


class Engine:
    """Runs a graph: all nodes of a step see the same state, their updates are merged in order."""

    def __init__(
        self,
        graph: Graph,
        emitter: BufferedEmitter,
        *,
        reducers: Mapping[str, Reducer] | None = None,
        store: FileStore | None = None,
    ) -> None:
        graph.check()
        self._graph = graph
        self._emitter = emitter
        self._reducers = reducers or {}
        self._store = store

    def run(self, run_id: str, state: State, labels: Mapping[str, str] | None = None) -> State:
        """Run the graph on `state`, which is changed in place and returned."""
        self._emitter.run_started(run_id, labels or {})
        step = 0
        frontier = [self._graph.start]
        while frontier:
            step += 1
            for update in self._step(frontier, state):
                merge(state, update, self._reducers)
            self._emitter.nodes_finished(run_id, frontier)
            if self._store is not None:
                self._store.save(Checkpoint(run_id, step, frontier, state))
            frontier = self._graph.successors(frontier)
        self._emitter.run_finished(run_id, step)
        return state

    def replay(self, run_id: str) -> Checkpoint:
        """Return the last checkpoint of a run, having checked that no step is missing.

        Raises `ReplayError` if the run left no checkpoint.
        """
        last = None
        step = 1
        while self._store is not None:
            checkpoint = self._store.load(run_id, step)
            if checkpoint is None:
                break
            last = checkpoint
            step += 1
        if last is None:
            raise ReplayError(f"run {run_id!r} has no checkpoint")
        return last

    def _step(self, names: list[str], state: State) -> list[State]:
        """Run the nodes of one step; where there are several, each gets a copy of the state."""
        if len(names) == 1:
            return [self._graph.action(names[0])(state)]
        return [self._graph.action(name)(fork(state)) for name in names]
