"""For what the main threads of real programs wait: other threads, and not the network, the clock or a processor."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from auditor.evidence.passes.pyspy import PASS
from auditor.evidence.speedscope import Frame, Lane, Recording
from auditor.evidence.waits import waits_of
from auditor.model import Cost, Waits
from tests.evidence.asking import measure, question

FRAME = """\
import queue, threading, time
from concurrent.futures import ThreadPoolExecutor
def later(what, *given):
    def run():
        time.sleep(0.6)
        what(*given)
    threading.Thread(target=run, daemon=True).start()
BODY
time.sleep(0.2)
"""
WAITING = {
    "queues": "jobs = queue.Queue()\nlater(jobs.put, 1)\njobs.get()  # waits",
    "results": "pool = ThreadPoolExecutor(1)\npool.submit(time.sleep, 0.6).result()  # waits",
    "threads to end": "worker = threading.Thread(target=time.sleep, args=(0.6,))\nworker.start()\nworker.join()  # waits",
    "events and conditions": "event = threading.Event()\nlater(event.set)\nevent.wait()  # waits",
    "locks": "free = threading.Semaphore(0)\nlater(free.release)\nfree.acquire()  # waits",
}


@pytest.mark.parametrize("kind", WAITING)
def test_what_the_main_thread_waits_for_is_told_with_its_line(tmp_path: Path, kind: str) -> None:
    source = FRAME.replace("BODY", WAITING[kind])
    found = measure(PASS, tmp_path, source, question(source, "# waits", Cost())).waits
    assert found is not None
    assert [name for name, _ in found.kinds] == [kind]
    assert found.seconds == pytest.approx(0.6, abs=0.25)
    assert found.seconds < found.watched_s - 0.1
    (place, seconds), *_ = found.lines
    assert place == f"work.py:{source[: source.index('# waits')].count(chr(10)) + 1}"
    assert seconds > 0.8 * found.seconds, "a busy machine may let the thread wait as it starts"


NOT_WAITING = {
    "the clock": "time.sleep(0.5)",
    "the network": (
        "import socket\nserver = socket.create_server(('127.0.0.1', 0))\nserver.settimeout(0.5)\n"
        "try:\n    server.accept()\nexcept TimeoutError:\n    pass"
    ),
    "a processor": "until = time.perf_counter() + 0.5\nwhile time.perf_counter() < until: pass",
    "another thread that waits for work": (
        "jobs = queue.Queue()\nthreading.Thread(target=jobs.get, daemon=True).start()\ntime.sleep(0.5)"
    ),
    "an event loop": "import asyncio\nasyncio.run(asyncio.sleep(0.5))",
}


@pytest.mark.parametrize("what", NOT_WAITING)
def test_what_is_no_wait_for_a_thread_is_not_counted(tmp_path: Path, what: str) -> None:
    source = f"{FRAME.replace('BODY', NOT_WAITING[what])}1  # line\n"
    assert measure(PASS, tmp_path, source, question(source, "# line", Cost())).waits is None


def recorded(target: Path, *stacks: tuple[int, tuple[str, ...], int]) -> Waits | None:
    """Each as (process, frames as "file:function" from the outside in, samples); `app.py` is what is audited."""
    names = sorted({name for _, stack, _ in stacks for name in stack})
    frames = tuple(Frame(name.rpartition(":")[2], name.rpartition(":")[0], 7) for name in names)
    lanes = tuple(Lane(pid, Counter({tuple(map(names.index, stack)): times})) for pid, stack, times in stacks)
    return waits_of([(Recording(frames, lanes), 10.0)], str(target), target)


WAIT = ("/lib/queue.py:get", "/lib/threading.py:wait")


def test_of_each_process_the_main_thread_counts(tmp_path: Path) -> None:
    main, worker = ("app.py:<module>", *WAIT), ("/lib/threading.py:_bootstrap", "app.py:work", *WAIT)
    found = recorded(tmp_path, (1, main, 50), (1, worker, 100), (2, main, 25), (2, ("foreign.c:start", *WAIT), 10))
    assert found == Waits(7.5, 10.0, (("queues", 7.5),), (("app.py:7", 7.5),))


@pytest.mark.parametrize(
    ("frames", "kind"),
    [
        (("/lib/sqlalchemy/pool/impl.py:_do_get", "/lib/sqlalchemy/util/queue.py:get"), "connection pools"),
        (("/lib/urllib3/connectionpool.py:_get_conn", "/lib/queue.py:get"), "connection pools"),
        (("/lib/logging/__init__.py:handle", "/lib/logging/__init__.py:acquire"), "locks"),
        # what is above the program's own line is another matter
        (("/lib/urllib3/connectionpool.py:_get_conn", "app.py:hook", "/lib/queue.py:get"), "queues"),
    ],
)
def test_a_pool_is_told_from_the_queue_it_is_made_of(tmp_path: Path, frames: tuple[str, ...], kind: str) -> None:
    last = () if frames[-1].endswith("acquire") else ("/lib/threading.py:wait",)
    found = recorded(tmp_path, (1, ("app.py:<module>", *frames, *last), 20))
    assert found is not None
    assert [name for name, _ in found.kinds] == [kind]


def test_a_few_samples_tell_no_seconds(tmp_path: Path) -> None:
    busy = (1, ("app.py:<module>",), 100)
    assert recorded(tmp_path, busy, (1, ("app.py:<module>", *WAIT), 4)) is None
