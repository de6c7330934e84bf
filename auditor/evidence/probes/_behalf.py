"""On whose behalf something happens: the frames of this thread, and those of the tasks that made the running task.

Clients race several addresses in tasks of their own. Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import os
import sys
from _weakref import ref
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Dict

    from auditor.evidence.probes import _census
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_census", os.path.join(os.path.dirname(__file__), "_census.py"))
    _census = module_from_spec(_spec)
    _spec.loader.exec_module(_census)

MOST_FRAMES = 200
MOST_ANCESTORS = 8

# by address of a task: the task that made it. Each new task writes its entry, so none is another's.
_makers: Dict[int, Any] = {}
_tidy_at = [1024]


def watch(loops: Any) -> None:
    """Keep of each task that this class of event loops makes which task made it."""
    _census.replace(loops, "create_task", _making)


def frames() -> Iterator[Any]:
    """The frames of the caller and around it, then those in which the tasks wait that led here."""
    frame = sys._getframe(2)
    for _ in range(MOST_FRAMES):
        if frame is None:
            break
        yield frame
        frame = frame.f_back  # type: ignore[assignment]
    for coroutine in (*_asyncio_ancestors(), *_trio_ancestors()):
        yield from _suspended(coroutine)


def _making(original: Callable[..., Any]) -> Callable[..., Any]:
    """For `loop.create_task`: who made the task?"""

    def create_task(loop: Any, *arguments: Any, **options: Any) -> Any:
        try:
            task = original(loop, *arguments, **options)
        except BaseException as error:
            _census.hide_frame(error)
            raise
        _census.attempt(_made_by, task)
        return task

    return create_task


def _made_by(task: Any) -> None:
    trace = getattr(task, "_source_traceback", None)
    if trace:
        del trace[-1]  # asyncio's debug mode took our frame for the creator's
    maker = _current_task()
    if maker is None:
        _makers.pop(id(task), None)
        return
    if len(_makers) > _tidy_at[0]:
        for key, known in _makers.copy().items():
            if known() is None:
                _makers.pop(key, None)
        _tidy_at[0] = max(1024, 2 * len(_makers))
    _makers[id(task)] = ref(maker)


def _current_task() -> Any:
    events = sys.modules.get("asyncio.events")
    loop = events._get_running_loop() if events is not None else None
    return sys.modules["asyncio.tasks"].current_task(loop) if loop is not None else None


def _asyncio_ancestors() -> Iterator[Any]:
    """The coroutine of the task that made this one, and so on."""
    task = _current_task()
    for _ in range(MOST_ANCESTORS):
        maker = _makers.get(id(task)) if task is not None else None
        task = maker() if maker is not None else None
        if task is None:
            return
        yield task.get_coro()


def _trio_ancestors() -> Iterator[Any]:
    """The same for trio, whose tasks know it."""
    context = getattr(sys.modules.get("trio._core._run"), "GLOBAL_RUN_CONTEXT", None)
    task = getattr(context, "task", None)
    for _ in range(MOST_ANCESTORS):
        nursery = getattr(task, "parent_nursery", None)
        task = getattr(nursery, "parent_task", None)
        if task is None:
            return
        yield task.coro


def _suspended(awaited: Any) -> Iterator[Any]:
    """The frames of a coroutine that waits, from the outside in."""
    for _ in range(MOST_FRAMES):
        for kind in ("cr", "gi", "ag"):
            frame = getattr(awaited, kind + "_frame", None)
            if frame is not None:
                yield frame
                following = getattr(awaited, "gi_yieldfrom" if kind == "gi" else kind + "_await", None)
                # the probe `awaited` passes the steps of what it awaits on by hand
                passed = following is None and frame.f_code.co_name == "_passed"
                awaited = frame.f_locals.get("steps") if passed else following
                break
        else:
            return
