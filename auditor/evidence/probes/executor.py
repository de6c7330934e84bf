"""Executors and pools made at an expression: how many, how many open at once and at the end.

One that was collected is not open any more: its workers end with it.
"""

from __future__ import annotations

import ast
import os
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Dict

    from auditor.evidence.probes import _census
    from auditor.evidence.probes._census import Row
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_census", os.path.join(os.path.dirname(__file__), "_census.py"))
    _census = module_from_spec(_spec)
    _spec.loader.exec_module(_census)

NAME = "executor"
NODES = (ast.Call,)

# ThreadPoolExecutor, ProcessPoolExecutor
_CLOSED = ("_shutdown", "_shutdown_thread")


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> Dict[ast.AST, Any]:
    """Let the new executor pass through `made`."""
    return {node: lambda made: call("made", made)}


class Recorder:
    """The census of one site."""

    def __init__(self, runtime: Any, site: Mapping[str, Any]) -> None:
        self._runtime = runtime
        self._tally = _census.Tally(_census.Census(_is_open))
        runtime.on_exit(self._tally.end)

    def functions(self) -> Dict[str, Callable[..., Any]]:
        """What the planted code calls."""
        return {"made": self.made}

    def made(self, executor: Any) -> Any:
        """An executor was made."""
        _census.attempt(self._register, executor)
        return executor

    def _register(self, executor: Any) -> None:
        self._tally.hits += 1
        if _is_open(executor):
            self._tally.made()
            self._tally.census.add(executor)
        self._runtime.tick()

    def hits(self) -> int:
        """Executions so far."""
        return self._tally.hits

    def record(self, final: bool) -> Dict[str, Any]:
        """The census so far."""
        return self._tally.record()

    def reset(self) -> None:
        """A forked process has none of its parent's workers."""
        self._tally.reset()


def rows(records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """The census of all processes."""
    return _census.census_rows(records, "executors")


def _is_open(executor: Any) -> bool:
    for name in _CLOSED:
        closed = getattr(executor, name, None)
        if isinstance(closed, bool):
            return not closed
    # multiprocessing.Pool and ThreadPool
    return getattr(executor, "_state", None) == "RUN"
