"""The tasks, threads and descriptors there are at the end of a process: made where, running what, waiting for what.

Standard library only, Python 3.8 to 3.14. It imports neither asyncio nor threading, but waits until the program does.
Tasks are looked at when their loop is wound up, as `asyncio.run` cancels what is left, and threads before the
interpreter joins them. Where a thread was made is kept from its start on, where a task was made from its creation on.
"""

from __future__ import annotations

import _imp
import os
import sys
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Set, Tuple

    Group = Tuple[str, str, str, str, int]

MOST = 20
"""Groups written down, the largest; the totals hold all."""

LONGEST = 200
DEEPEST = 1000

_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_INSTALLED = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)


class Census:
    """One per process."""

    def __init__(self, runtime: Any, tools: Any, others: Any) -> None:
        self._tools = tools
        self._others = others
        self._descriptors = others.Descriptors(runtime, tools, _own_place)
        self._all_tasks: Any = None
        self._started_at = tools.Known()
        # what makes tasks: its code, its line, the code of what the task runs; its number by code and instruction; and
        # the number by the address of a task, where a new one takes the place of a dead one
        self._makers: List[Tuple[Any, int, Any]] = []
        self._numbers: Dict[Tuple[int, int, int], int] = {}
        self._created_by: Dict[int, int] = {}
        self._own_files = _OwnFiles()
        self.reset()
        for module, watch in (
            ("threading", self._watch_threads),
            ("asyncio.tasks", self._watch_tasks),
            ("asyncio.events", self._watch_running),
            ("asyncio.base_events", lambda module: self._watch_loops(module.BaseEventLoop)),
            ("uvloop", lambda module: self._watch_loops(module.Loop)),
        ):
            runtime.when_imported(module, _safely(tools, watch))

    def reset(self) -> None:
        """A forked process has none of its parent's tasks and threads."""
        self._descriptors.reset()
        self._loops: List[Any] = []
        self._seen = self._tools.Known()
        self._groups: Dict[Group, int] = {}
        self._pools: Dict[Group, set[int]] = {}
        self._tasks = self._threads = self._files = self._sockets = 0
        self._is_done = False

    def finish(self) -> None:
        """The process comes to its end: count what is alive."""
        if self._is_done:
            return
        self._is_done = True
        for entry in self._loops:
            loop = entry()
            if loop is not None and not loop.is_closed():
                self._tools.attempt(self._wound_up, loop)
        if _is_main_interpreter():
            self._tools.attempt(self._count_threads)
            self._tools.attempt(self._count_descriptors)

    def record(self) -> Any:
        """As JSON-able data; None before the end."""
        if not self._is_done:
            return None
        largest = sorted(self._groups.items(), key=lambda item: -item[1])[:MOST]
        return {
            "tasks": self._tasks,
            "threads": self._threads,
            "files": self._files,
            "sockets": self._sockets,
            "alive": [[*group[:4], number, len(self._pools.get(group, ()))] for group, number in largest],
        }

    # -------------------------------------------------------------------------------------------- tasks

    def _watch_tasks(self, tasks: Any) -> None:
        original = tasks.all_tasks
        self._all_tasks = original

        def asked(loop: Any = None) -> None:
            if loop is not None and not loop.is_running():
                self._wound_up(loop)

        self._tools.replace(tasks, "all_tasks", self._tools.before(asked))
        asyncio = sys.modules.get("asyncio")
        if getattr(asyncio, "all_tasks", None) is original:
            asyncio.all_tasks = tasks.all_tasks  # type: ignore[union-attr]

    def _watch_running(self, events: Any) -> None:
        def running(loop: Any) -> None:
            if loop is not None and all(entry() is not loop for entry in self._loops):
                self._loops = [entry for entry in self._loops if entry() is not None]
                self._loops.append(self._tools.Ref(loop))

        self._tools.replace(events, "_set_running_loop", self._tools.before(running))

    def _watch_loops(self, kind: Any) -> None:
        self._tools.replace(kind, "close", self._tools.before(self._wound_up))
        self._tools.replace(kind, "create_task", self._creating)

    def _creating(self, original: Any) -> Any:
        """For `create_task`. A task is made in microseconds: few steps, and nothing for the garbage collector."""
        hide_frame, own, created, frame_of = self._tools.hide_frame, self._own_files, self._created_by, sys._getframe
        numbers, makers = self._numbers, self._makers

        def create_task(*arguments: Any, **options: Any) -> Any:
            try:
                task = original(*arguments, **options)
            except BaseException as error:
                hide_frame(error)
                raise
            try:
                frame = frame_of(1)  # type: Any
                while not own[frame.f_code.co_filename]:
                    frame = frame.f_back
                runs = getattr(arguments[1] if len(arguments) > 1 else None, "cr_code", None)
                key = id(frame.f_code), frame.f_lasti, id(runs)
                number = numbers.get(key)
                if number is None:
                    makers.append((frame.f_code, frame.f_lineno, runs))
                    number = numbers[key] = len(makers) - 1
                created[id(task)] = number
            except Exception:
                created.pop(id(task), None)  # none of its frames is the program's own
            if getattr(task, "_source_traceback", None):
                del task._source_traceback[-1]  # asyncio's debug mode took our frame for the creator's
            return task

        return create_task

    def _task_made(self, task: Any) -> str:
        number = self._created_by.get(id(task))
        if number is None or not hasattr(task, "get_coro"):
            return ""
        code, line, runs = self._makers[number]
        return _place(code.co_filename, line) if getattr(task.get_coro(), "cr_code", None) is runs else ""

    def _wound_up(self, loop: Any) -> None:
        if self._all_tasks is None or loop.is_closed():
            return
        for task in self._all_tasks(loop):
            if not self._seen.get(task):
                self._seen.add(task)
                self._tasks += 1
                runs, waits = _of_task(task)
                self._count(("task", self._task_made(task), runs, waits, 0))

    def _count(self, group: Group) -> None:
        self._groups[group] = self._groups.get(group, 0) + 1

    # -------------------------------------------------------------------------------------------- threads

    def _watch_threads(self, threading: Any) -> None:
        def starting(thread: Any) -> None:
            self._started_at.add(thread, _own_place(sys._getframe(3)))

        self._tools.replace(threading.Thread, "start", self._tools.before(starting))

    def _count_threads(self) -> None:
        frames, greenlets, known = sys._current_frames(), self._others.greenlets(), set()
        threading = sys.modules.get("threading")  # type: Any
        for thread in threading.enumerate() if threading is not None else ():
            self._threads += 1
            known.add(thread.ident)
            greenlet = greenlets.pop(thread.ident, None)
            if thread is threading.main_thread() or thread is threading.current_thread():
                continue
            frame = frames.get(thread.ident) or getattr(greenlet, "gr_frame", None)
            pool = _pool_of(thread)
            made = self._started_at.get(thread) or ""
            group = "thread", made, _of_thread(thread), _waiting(frame), int(pool != 0)
            self._count(group)
            if pool:
                self._pools.setdefault(group, set()).add(pool)
        if threading is None or get_ident() in known:
            self._count_others(frames, known)
        else:
            # gevent has put greenlets in the place of threads
            self._count_beyond(len(frames))
        self._count_greenlets(greenlets.values())

    def _count_others(self, frames: Dict[int, Any], known: Set[Any]) -> None:
        """Threads of `_thread`, and of compiled code that calls Python."""
        for ident, frame in frames.items():
            if ident not in known:
                self._threads += 1
                if ident != get_ident():
                    self._count(("thread", "", _outermost(frame), _waiting(frame), 0))
        self._count_beyond(len(known | set(frames)))

    def _count_beyond(self, known: int) -> None:
        for _ in range(self._others.threads_of_the_system(known)):
            self._threads += 1
            self._count(("thread", "", _joined(self._others.COMPILED, ""), "", 0))

    def _count_greenlets(self, greenlets: Any) -> None:
        for greenlet in greenlets:
            self._tasks += 1
            function = getattr(greenlet, "_run", None)
            made = _own_place(getattr(greenlet, "spawning_stack", None))
            self._count(("greenlet", made, _of_function(function), _waiting(greenlet.gr_frame), 0))

    def _count_descriptors(self) -> None:
        for kind, made, leads in self._descriptors.open():
            self._files += kind == "file"
            self._sockets += kind == "socket"
            self._count((kind, made, _joined(leads, ""), "", 0))


class _OwnFiles(dict):  # type: ignore[type-arg]  # subscripts of builtins need 3.9
    """Whether a file is the program's own, by its name as code knows it."""

    def __missing__(self, file: str) -> bool:
        is_own = self[file] = _is_own(file)
        return is_own


def _safely(tools: Any, watch: Any) -> Any:
    return lambda module: tools.attempt(watch, module)


def _of_task(task: Any) -> Tuple[str, str]:
    """What a task runs, and what it waits for."""
    inner = outer = task.get_coro() if hasattr(task, "get_coro") else None
    own = ""
    for _ in range(DEEPEST):
        frame = _frame_of(inner)
        if frame is None:
            break
        if _is_own(frame.f_code.co_filename):
            own = _place(frame.f_code.co_filename, frame.f_lineno)
        deeper = getattr(inner, "cr_await", None) or getattr(inner, "gi_yieldfrom", None)
        if deeper is None or _frame_of(deeper) is None:
            break
        inner = deeper
    runs = getattr(outer, "__qualname__", None) or type(outer).__name__
    code = getattr(outer, "cr_code", None) or getattr(outer, "gi_code", None)
    waits = getattr(inner, "__qualname__", None) or "a future"
    return _joined(runs, _defined(code)), _joined(waits, own)


def _frame_of(coroutine: Any) -> Any:
    return getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)


def _of_thread(thread: Any) -> str:
    return _of_function(getattr(thread, "_target", None) or type(thread).run)


def _of_function(target: Any) -> str:
    target = getattr(target, "func", target)
    code = getattr(target, "__code__", None)
    name = getattr(target, "__qualname__", None) or type(target).__name__
    return _joined(name, _defined(code))


def _pool_of(thread: Any) -> int:
    """Which executor an idle or busy worker belongs to; 0 if it is none's."""
    target = getattr(thread, "_target", None)
    if getattr(target, "__module__", "") != "concurrent.futures.thread":
        return 0
    try:
        return id(thread._args[0]()) or 1
    except Exception:
        return 1


def _waiting(frame: Any) -> str:
    if frame is None:
        return ""
    name = getattr(frame.f_code, "co_qualname", frame.f_code.co_name)
    return _joined(name, _own_place(frame))


def _outermost(frame: Any) -> str:
    for _ in range(DEEPEST):
        if frame.f_back is None:
            break
        frame = frame.f_back
    return _joined(getattr(frame.f_code, "co_qualname", frame.f_code.co_name), _defined(frame.f_code))


def _own_place(frame: Any) -> str:
    """The innermost line that is neither of the standard library nor installed."""
    for _ in range(DEEPEST):
        if frame is None:
            break
        if _is_own(frame.f_code.co_filename):
            return _place(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return ""


def _is_own(file: str) -> bool:
    return not file.startswith((_LIBRARY, _OURS, "<")) and not any(part in file for part in _INSTALLED)


def _defined(code: Any) -> str:
    return _place(code.co_filename, code.co_firstlineno) if code is not None and _is_own(code.co_filename) else ""


def _place(file: str, line: int) -> str:
    return "%s:%d" % (os.path.abspath(file), line)


def _joined(name: str, place: str) -> str:
    return "%s\n%s" % (str(name)[:LONGEST], place)


def _is_main_interpreter() -> bool:
    """Making objects of another interpreter's frames, whose memory is its own since 3.12, would end the process.

    Asked so as not to import anything: an interpreter that is being ended may not.
    """
    override = getattr(_imp, "_override_multi_interp_extensions_check", None)
    if override is None:
        return True
    try:
        override(override(0))
    except RuntimeError:  # it has none to override
        return True
    return False
