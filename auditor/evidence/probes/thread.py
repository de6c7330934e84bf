"""Threads made at a `threading.Thread(...)` expression: how many, how many alive at once and at the end.

A thread is alive from the return of its `start` on, so a crew that is made first and started later counts in full.
"""

from __future__ import annotations

import ast
import os
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, List

    from auditor.evidence.probes import _census, _creation
    from auditor.evidence.probes._census import Row
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_creation", os.path.join(os.path.dirname(__file__), "_creation.py"))
    _creation = module_from_spec(_spec)
    _spec.loader.exec_module(_creation)
    _census = _creation._census

NAME = "thread"
NODES = (ast.Call,)
plant = _creation.plant

_recorders: List[Recorder] = []


class Recorder(_creation.Recorder):
    """The census of one site."""

    def __init__(self, runtime: Any, site: Mapping[str, Any]) -> None:
        super().__init__(runtime, _census.Census(_is_alive))
        self._waiting = _census.Known()
        if not _recorders:
            runtime.when_imported("threading", _watch_threads)
        _recorders.append(self)

    def watch(self, thread: Any) -> None:
        """A thread was made; its constructor may have started it already."""
        if hasattr(thread, "is_alive"):
            self._tally.made()
            (self._tally.census if _is_alive(thread) else self._waiting).add(thread)

    def started(self, thread: Any) -> None:
        """A thread runs; whose it is, is to be seen."""
        if self._waiting.get(thread):
            self._waiting.drop(thread)
            self._tally.census.add(thread)

    def reset(self) -> None:
        """A forked process has none of its parent's threads."""
        self._waiting = _census.Known()
        super().reset()


def rows(records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """The census of all processes."""
    return _creation.census_rows(records, "threads")


def _watch_threads(threading: Any) -> None:
    def started(thread: Any, *arguments: Any) -> None:
        for recorder in _recorders:
            recorder.started(thread)

    _census.replace(threading.Thread, "start", _census.after(started))


def _is_alive(thread: Any) -> bool:
    try:
        return bool(thread.is_alive())
    except Exception:
        return False  # its constructor never ran to its end
