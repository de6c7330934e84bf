"""Executors and pools made at an expression: how many, how many open at once and at the end.

One that was collected is not open any more: its workers end with it.
"""

from __future__ import annotations

import ast
import os
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from auditor.evidence.probes import _census, _creation
    from auditor.evidence.probes._census import Row
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_creation", os.path.join(os.path.dirname(__file__), "_creation.py"))
    _creation = module_from_spec(_spec)
    _spec.loader.exec_module(_creation)
    _census = _creation._census

NAME = "executor"
NODES = (ast.Call,)
plant = _creation.plant

# ThreadPoolExecutor, ProcessPoolExecutor
_CLOSED = ("_shutdown", "_shutdown_thread")


class Recorder(_creation.Recorder):
    """The census of one site."""

    def __init__(self, runtime: Any, site: Mapping[str, Any]) -> None:
        super().__init__(runtime, _census.Census(_is_open))

    def watch(self, executor: Any) -> None:
        """An executor was made."""
        if _is_open(executor):
            self._tally.made()
            self._tally.census.add(executor)


def rows(records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """The census of all processes."""
    return _creation.census_rows(records, "executors")


def _is_open(executor: Any) -> bool:
    for name in _CLOSED:
        closed = getattr(executor, name, None)
        if isinstance(closed, bool):
            return not closed
    # multiprocessing.Pool and ThreadPool
    return getattr(executor, "_state", None) == "RUN"
