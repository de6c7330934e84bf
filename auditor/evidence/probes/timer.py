"""Timers made at an expression: how many, pending at once and at the end.

A timer of an event loop is over with its loop, so the closing of a loop is an end, too.
"""

from __future__ import annotations

import ast
import os
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, List, Optional

    from auditor.evidence.probes import _census, _handles
    from auditor.evidence.probes._census import Row
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_handles", os.path.join(os.path.dirname(__file__), "_handles.py"))
    _handles = module_from_spec(_spec)
    _spec.loader.exec_module(_handles)
    _census = _handles._census

NAME = "timer"
NODES = (ast.Call,)
plant = _handles.plant

_recorders: List[Recorder] = []


class Recorder(_handles.Recorder):
    """The census of one site."""

    def __init__(self, runtime: Any, site: Mapping[str, Any]) -> None:
        super().__init__(runtime, _is_pending)
        if not _recorders:
            runtime.when_imported("asyncio.base_events", lambda module: _watch_loops(module.BaseEventLoop))
            runtime.when_imported("uvloop", lambda module: _watch_loops(module.Loop))
        _recorders.append(self)

    def closes(self, loop: Any) -> None:
        """A loop is about to close: what is pending in it never runs."""
        for timer, entry in self._tally.census.living():
            if getattr(timer, "_loop", None) is loop and not entry.counted:
                entry.counted = True
                self._past += 1

    def end(self) -> None:
        """Those that were never started are not left over."""
        left = [entry for timer, entry in self._tally.census.living() if not entry.counted and not _is_new(timer)]
        super().end()
        self._tally.left = len(left)


def rows(records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """The census of all processes."""
    return _handles.handle_rows(records, "timers")


def _watch_loops(kind: Any) -> None:
    def closed(loop: Any) -> None:
        for recorder in _recorders:
            recorder.closes(loop)

    _census.replace(kind, "close", _census.before(closed))


def _is_pending(timer: Any) -> Optional[bool]:
    if hasattr(timer, "is_alive") and hasattr(timer, "finished"):
        # threading.Timer: one that is not started yet may be
        return _is_new(timer) or bool(timer.is_alive())
    if hasattr(timer, "cancelled") and hasattr(timer, "when"):
        # asyncio.TimerHandle: it leaves the schedule when it runs
        scheduled = getattr(timer, "_scheduled", True)
        return bool(scheduled) and not timer.cancelled() and timer.when() > timer._loop.time()
    return None


def _is_new(timer: Any) -> bool:
    return hasattr(timer, "ident") and timer.ident is None
