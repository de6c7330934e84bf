"""Tasks made at an expression: how many, alive at once, alive when their loop was wound up, destroyed while pending.

`asyncio.run` cancels what is left over, so that nothing seems to be left. What it, and everybody who does the same,
asks for first are all tasks of a loop that does not run any more: that is the moment to count. The closing of a loop
and the end of the program are two more.
"""

from __future__ import annotations

import ast
import os
import sys
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, Dict, List

    from auditor.evidence.probes import _census, _creation
    from auditor.evidence.probes._census import Row
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_creation", os.path.join(os.path.dirname(__file__), "_creation.py"))
    _creation = module_from_spec(_spec)
    _spec.loader.exec_module(_creation)
    _census = _creation._census

NAME = "task"
NODES = (ast.Call,)
plant = _creation.plant

DESTROYED = "Task was destroyed but it is pending!"
# Tasks are made in microseconds, so fewer of them are looked through at a time.
EXACT_TO = 32

_recorders: List[Recorder] = []


class Recorder(_creation.Recorder):
    """The census of one site."""

    def __init__(self, runtime: Any, site: Mapping[str, Any]) -> None:
        super().__init__(runtime, _census.Census(_is_pending, EXACT_TO))
        self._begin()
        if not _recorders:
            runtime.when_imported("asyncio.tasks", _watch_tasks)
            runtime.when_imported("asyncio.base_events", lambda module: _watch_loops(module.BaseEventLoop))
            runtime.when_imported("uvloop", lambda module: _watch_loops(module.Loop))
        _recorders.append(self)

    def _begin(self) -> None:
        self._destroyed = 0
        # by address of the loop: a reference to it, and the most that were left in it
        self._left_in: Dict[int, List[Any]] = {}
        self._left_before = 0

    def watch(self, task: Any) -> None:
        """A task was made."""
        if hasattr(task, "done"):
            self._tally.made()
            self._tally.census.add(task, _name(task))

    def standing(self) -> int:
        """How many are pending, in whichever loop, were left in one, or destroyed."""
        pending = sum([not entry.counted for _, entry in self._tally.census.living()])
        return pending + self._left() + self._destroyed

    def wound_up(self, loop: Any) -> None:
        """A loop is about to end; None stands for all of them."""
        left: Dict[int, int] = {}
        loops = {}
        for task, entry in self._tally.census.living():
            own = _loop_of(task)
            if loop is None or own is loop:
                entry.counted = True
                left[id(own)] = left.get(id(own), 0) + 1
                loops[id(own)] = own
        for key, number in left.items():
            self._leave(key, loops[key], number)

    def _leave(self, key: int, loop: Any, number: int) -> None:
        known = self._left_in.get(key)
        if known is not None and known[0] is not None and known[0]() is not loop:
            # that was another loop at the same address
            self._left_before += known[1]
            known = None
        if known is None:
            known = self._left_in[key] = [_reference(loop), 0]
        known[1] = max(known[1], number)

    def destroyed(self, task: Any) -> None:
        """A pending task is being destroyed."""
        entry = self._tally.census.find(task, _name(task))
        if entry is not None and not entry.counted:
            entry.counted = True
            self._destroyed += 1

    def end(self) -> None:
        """Whatever loop is still open ends with the program."""
        self.wound_up(None)
        self._tally.census.sweep()
        self._tally.ended = True

    def record(self, final: bool) -> Dict[str, Any]:
        """The census so far."""
        self._tally.left = self._left()
        return {**self._tally.record(), "destroyed": self._destroyed}

    def _left(self) -> int:
        return self._left_before + sum([int(known[1]) for known in list(self._left_in.values())])

    def reset(self) -> None:
        """A forked process runs none of its parent's tasks."""
        super().reset()
        self._begin()


def rows(records: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """The census of all processes."""
    seen = list(records)
    yield from _creation.census_rows(seen, "tasks")
    destroyed = _census.total(seen, "destroyed")
    yield _census.exact("destroyed_pending", destroyed, "tasks", _census.total(seen, "created"))


def _watch_tasks(tasks: Any) -> None:
    """Both names of `all_tasks` lead through us: `asyncio` takes its own from the module just imported."""

    def asked(loop: Any = None) -> None:
        if loop is not None and not loop.is_running():
            for recorder in _recorders:
                recorder.wound_up(loop)

    original = tasks.all_tasks
    _census.replace(tasks, "all_tasks", _census.before(asked))
    asyncio = sys.modules.get("asyncio")
    if getattr(asyncio, "all_tasks", None) is original:
        asyncio.all_tasks = tasks.all_tasks  # type: ignore[union-attr]


def _watch_loops(kind: Any) -> None:
    def closed(loop: Any) -> None:
        for recorder in _recorders:
            recorder.wound_up(loop)

    def handled(loop: Any, context: Any) -> None:
        if context.get("message") == DESTROYED:
            for recorder in _recorders:
                recorder.destroyed(context["task"])

    _census.replace(kind, "close", _census.before(closed))
    _census.replace(kind, "call_exception_handler", _census.before(handled))


def _is_pending(task: Any) -> bool:
    return not task.done()


def _name(task: Any) -> Any:
    """Tells a task from others at its address: "Task-7" is given once."""
    return task.get_name() if hasattr(task, "get_name") else None


def _loop_of(task: Any) -> Any:
    return task.get_loop() if hasattr(task, "get_loop") else None


def _reference(loop: Any) -> Any:
    try:
        return _census.Ref(loop)
    except TypeError:
        return None
