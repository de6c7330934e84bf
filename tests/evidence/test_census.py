"""Tasks and threads alive at the end of real programs: made where, running what, waiting for what."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from auditor.evidence.base import Outcome
from auditor.evidence.passes.probes import PASS
from auditor.model import Alive, Census, Cost, Site, Span
from tests.evidence.asking import measure, question

FIRST = "sorted([2, 1])  # flagged\n"


def run(tmp_path: Path, source: str) -> Outcome:
    """Run the program with a probe in its first line."""
    source = FIRST + source
    asked = question(source, "# flagged", Cost())
    asked = replace(asked, suspect=replace(asked.suspect, sites=(Site("timed", Span(1, 1, 1, 15)),)))
    return measure(PASS, tmp_path, source, asked)


def census(tmp_path: Path, source: str) -> Census:
    outcome = run(tmp_path, source)
    assert outcome.run.exit_code == 0, outcome.last_lines
    assert outcome.run.warnings == ()
    assert outcome.census is not None
    return outcome.census


def test_a_program_without_tasks_and_threads_has_its_main_thread_alone(tmp_path: Path) -> None:
    source = "import sys\nassert 'asyncio' not in sys.modules and 'threading' not in sys.modules\n"
    assert census(tmp_path, source) == Census(tasks=0, threads=1, unseen=0)


def test_threads_are_grouped_by_where_they_were_started_and_what_they_wait_for(tmp_path: Path) -> None:
    source = """\
import threading
stop = threading.Event()
def work():
    stop.wait()  # line 5
for _ in range(7):
    threading.Thread(target=work, daemon=True).start()  # line 7
gone = threading.Thread(target=print)
gone.start()
gone.join()
while threading.active_count() < 8: pass
import time; time.sleep(0.2)
"""
    found = census(tmp_path, source)
    assert (found.tasks, found.threads) == (0, 8)
    (group,) = found.alive
    assert (group.kind, group.count, group.runs, group.made) == ("thread", 7, "work (work.py:4)", "work.py:7")
    assert "wait" in group.waits
    assert "work.py:5" in group.waits


def test_tasks_that_asyncio_run_cancels_are_counted_before(tmp_path: Path) -> None:
    source = """\
import asyncio
async def inner(queue):
    await queue.get()  # line 4
async def handle(queue):
    await inner(queue)
async def main():
    queue = asyncio.Queue()
    kept = [asyncio.create_task(handle(queue)) for _ in range(12)]
    await asyncio.create_task(asyncio.sleep(0.01))
asyncio.run(main())
"""
    found = census(tmp_path, source)
    assert found.tasks == 12
    assert found.alive == (Alive("task", 12, "handle (work.py:5)", "work.py:9", "Queue.get (work.py:4)", most=12),)


MAKERS = {
    "create_task": "asyncio.create_task(job())",
    "ensure_future": "asyncio.ensure_future(job())",
    "loop": "asyncio.get_running_loop().create_task(job())",
    "gather": "asyncio.gather(job())",
    "named": "asyncio.create_task(job(), name='n')",
}


@pytest.mark.parametrize("how", MAKERS)
@pytest.mark.parametrize("debug", ["False", "True"])
def test_a_task_is_known_by_the_line_that_made_it(tmp_path: Path, how: str, debug: str) -> None:
    source = f"""\
import asyncio
async def job():
    await asyncio.sleep(600)
kept = []
async def main():
    for _ in range(3):
        kept.append({MAKERS[how]})  # line 8
    await asyncio.sleep(0.01)
    for task in asyncio.all_tasks() - {{asyncio.current_task()}}:
        trace = task._source_traceback
        assert trace is None or "audit" not in str(trace), trace
asyncio.run(main(), debug={debug})
"""
    found = census(tmp_path, source)
    assert [(group.made, group.count) for group in found.alive] == [("work.py:8", 3)]


def test_a_task_that_cannot_be_made_fails_as_it_would_without(tmp_path: Path) -> None:
    source = """\
import asyncio, traceback
async def main():
    try:
        asyncio.create_task(7)
    except TypeError:
        assert "audit" not in traceback.format_exc(), traceback.format_exc()
        return 5
raise SystemExit(asyncio.run(main()))
"""
    assert run(tmp_path, source).run.exit_code == 5


def test_tasks_that_are_gone_leave_no_trace_in_those_that_take_their_place(tmp_path: Path) -> None:
    source = """\
import asyncio
async def job(seconds):
    await asyncio.sleep(seconds)
async def other():
    await asyncio.sleep(600)
async def main():
    for _ in range(300):
        await asyncio.create_task(job(0))
    kept = [asyncio.Task(other()) for _ in range(2)] + [asyncio.create_task(job(600)) for _ in range(2)]
    await asyncio.sleep(0.01)
asyncio.run(main())
"""
    found = census(tmp_path, source)
    assert sorted((group.made, group.count) for group in found.alive) == [("", 2), ("work.py:10", 2)]


def test_tasks_of_a_loop_that_is_never_closed_are_counted(tmp_path: Path) -> None:
    source = """\
import asyncio
async def forever():
    await asyncio.Event().wait()
loop = asyncio.new_event_loop()
kept = [loop.create_task(forever()) for _ in range(3)]
loop.run_until_complete(asyncio.sleep(0))
"""
    assert census(tmp_path, source).tasks == 3


def test_workers_of_a_pool_are_told_from_threads_and_counted_before_they_are_joined(tmp_path: Path) -> None:
    source = """\
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
pools = [ThreadPoolExecutor(3) for _ in range(2)]
for pool in pools:
    together = Barrier(3)
    list(pool.map(lambda _: together.wait(), range(3)))
"""
    found = census(tmp_path, source)
    assert found.threads == 7
    assert sum(group.count for group in found.alive) == 6
    assert {group.pools for group in found.alive} == {2}


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_forked_processes_count_their_own(tmp_path: Path) -> None:
    source = """\
import multiprocessing, threading, time
def child():
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
context = multiprocessing.get_context("fork")
for target in (child, child):
    process = context.Process(target=target)
    process.start(); process.join()
"""
    found = census(tmp_path, source)
    assert found.threads == 6
    assert found.unseen == 0


def test_a_killed_process_is_unseen(tmp_path: Path) -> None:
    source = """\
import os, signal, subprocess, sys
code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
assert subprocess.run([sys.executable, "-c", code]).returncode
"""
    assert census(tmp_path, source).unseen == 1


def test_a_thread_that_cannot_be_started_fails_as_it_would_without(tmp_path: Path) -> None:
    source = """\
import threading, traceback
thread = threading.Thread(target=print)
thread.start(); thread.join()
try:
    thread.start()
except RuntimeError:
    assert "audit" not in traceback.format_exc(), traceback.format_exc()
else:
    raise SystemExit(5)
"""
    assert census(tmp_path, source).threads == 1


OTHERS = {
    "of the module _thread": (
        """\
import _thread, time
lock = _thread.allocate_lock()
lock.acquire()
def wait():
    lock.acquire()  # line 6
for _ in range(6):
    _thread.start_new_thread(wait, ())
time.sleep(0.1)
""",
        Alive("thread", 6, "wait (work.py:5)", "", "wait (work.py:6)", most=6),
    ),
    "of compiled code": (
        """\
import ctypes, time
libc = ctypes.CDLL(None)
for _ in range(6):
    thread = ctypes.c_ulong()
    libc.pthread_create(ctypes.byref(thread), None, ctypes.cast(libc.sleep, ctypes.c_void_p), ctypes.c_void_p(600))
time.sleep(0.1)
""",
        Alive("thread", 6, "compiled code", "", "", most=6),
    ),
    "of compiled code that calls Python": (
        """\
import ctypes, time
libc = ctypes.CDLL(None)
def wait(_):
    time.sleep(600)  # line 5
function = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(wait)
for _ in range(6):
    thread = ctypes.c_ulong()
    libc.pthread_create(ctypes.byref(thread), None, function, None)
time.sleep(0.1)
""",
        Alive("thread", 6, "wait (work.py:4)", "", "wait (work.py:5)", most=6),
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="threads of the system are known on Linux")
@pytest.mark.parametrize("which", OTHERS)
def test_threads_that_the_module_threading_does_not_know_are_counted(tmp_path: Path, which: str) -> None:
    source, group = OTHERS[which]
    # exit() of C would join none of them, but Python's own end may wait for those that hold its lock
    found = census(tmp_path, source + "import os\nos._exit(0)\n")
    assert (found.threads, found.alive) == (7, (group,))


def test_threads_that_have_just_ended_are_not_taken_for_those_of_compiled_code(tmp_path: Path) -> None:
    source = """\
import threading
for _ in range(200):
    threads = [threading.Thread(target=print, args=("",)) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""
    assert census(tmp_path, source) == Census(tasks=0, threads=1, unseen=0)


@pytest.mark.skipif(find_spec("gevent") is None, reason="needs gevent")
@pytest.mark.parametrize("patched", [False, True])
def test_greenlets_are_counted_where_they_were_spawned(tmp_path: Path, patched: bool) -> None:
    source = f"""\
{"from gevent import monkey; monkey.patch_all()" if patched else "pass"}
import gevent
from gevent.event import Event
event = Event()
def wait():
    event.wait()  # line 7
done = gevent.spawn(print)
kept = [gevent.spawn(wait) for _ in range(9)]  # line 9
{"import threading; kept.append(threading.Thread(target=wait, daemon=True)); kept[-1].start()" if patched else ""}
gevent.sleep(0.05)
"""
    found = census(tmp_path, source)
    assert (found.tasks, found.threads) == (9, 1 + patched)
    greenlets = next(group for group in found.alive if group.kind == "greenlet")
    assert greenlets == Alive("greenlet", 9, "wait (work.py:6)", "work.py:9", greenlets.waits, most=9)
    assert "work.py:7" in greenlets.waits


@pytest.mark.skipif(find_spec("uvloop") is None, reason="needs uvloop")
def test_tasks_of_a_loop_that_is_not_written_in_python_are_counted(tmp_path: Path) -> None:
    source = """\
import asyncio, uvloop
async def job():
    await asyncio.sleep(600)  # line 4
async def main():
    kept = [asyncio.create_task(job()) for _ in range(9)]  # line 6
    await asyncio.sleep(0.01)
uvloop.run(main())
"""
    found = census(tmp_path, source)
    assert found.tasks == 9
    assert found.alive[0] == Alive("task", 9, "job (work.py:3)", "work.py:6", "sleep (work.py:4)", most=9)


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are known on Linux")
@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are known on Linux")
def test_a_shared_library_that_is_kept_open_is_no_file_of_the_program(tmp_path: Path) -> None:
    source = "import os\nkept = [os.open(name, os.O_CREAT) for name in ('libffi.so.8.5.0', 'lib.so', 'notes.sorted', '.so')]\n"
    found = census(tmp_path, source)
    assert [(one.kind, one.count) for one in found.alive] == [("file", 2)]


def test_files_and_sockets_left_open_are_counted_by_where_they_lead(tmp_path: Path) -> None:
    source = """\
import os, socket
server = socket.create_server(("127.0.0.1", 0), backlog=99)  # line 3
kept = [open(__file__) for _ in range(30)]
kept += [socket.create_connection(server.getsockname()) for _ in range(25)]  # line 5
with open(__file__) as closed, socket.create_connection(server.getsockname()):
    closed.read()
os.pipe()
"""
    found = census(tmp_path, source)
    assert (found.files, found.sockets) == (30, 26)
    assert found.alive == (
        Alive("file", 30, str(tmp_path / "target"), "", "", most=30),
        Alive("socket", 25, "to 127.0.0.1", "work.py:5", "", most=25),
        Alive("socket", 1, "at 127.0.0.1", "work.py:3", "", most=1),
    )


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are known on Linux")
def test_what_a_process_was_given_is_not_its_own(tmp_path: Path) -> None:
    source = """\
import os, subprocess, sys
file = open(__file__)
os.set_inheritable(file.fileno(), True)
if os.fork() == 0:
    os._exit(0)
os.wait()
subprocess.run([sys.executable, "-c", "pass"], close_fds=False, check=True)
"""
    found = census(tmp_path, source)
    assert (found.files, found.sockets) == (1, 0)


def test_a_worker_of_many_processes_is_told_from_many_in_one(tmp_path: Path) -> None:
    source = """\
import subprocess, sys
code = "import threading, time; threading.Thread(target=time.sleep, args=(600,), daemon=True).start()"
for _ in range(6):
    subprocess.run([sys.executable, "-c", code], check=True)
"""
    (group,) = census(tmp_path, source).alive
    assert (group.count, group.most) == (6, 1)
