"""Programs start others and end in many ways; what was counted by then is known, and the program does not notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import PYTHONS, Probed, plainly, probe

TASK = ("task", "asyncio.create_task(job())")

SERVER = """\
import asyncio, os, signal
async def job():
    await asyncio.sleep(1000)
async def main():
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    for _ in range(30):
        asyncio.create_task(job())
        await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGTERM)
    await asked.wait()
    print("closed", flush=True)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    {end}
asyncio.run(main())
"""

ENDS = {
    "raised": "signal.raise_signal(signal.SIGTERM)",
    "sent": "os.kill(os.getpid(), signal.SIGTERM)",
}


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("end", ENDS)
def test_a_server_that_ends_by_the_signal_it_was_asked_by_came_to_its_proper_end(
    tmp_path: Path, end: str, python: str
) -> None:
    seen = probe(tmp_path, SERVER.format(end=ENDS[end]), TASK, python=python)

    alive = seen.row("alive_end")
    assert (alive.low, alive.value, alive.high) == (30, 30, 30)
    assert said(seen) == plainly(tmp_path, python=python) == (-15, "closed\n")


def test_a_server_that_kills_itself_leaves_it_open_what_it_would_have_closed(tmp_path: Path) -> None:
    seen = probe(tmp_path, SERVER.format(end="os.kill(os.getpid(), signal.SIGKILL)"), TASK)

    assert seen.row("alive_end").low == 0
    assert seen.outcome.run.exit_code == -9


def test_a_signal_that_is_handled_is_no_end(tmp_path: Path) -> None:
    program = """\
import asyncio, signal
async def job():
    await asyncio.sleep(0)
async def main():
    signal.signal(signal.SIGTERM, lambda *_: print("not yet", flush=True))
    for _ in range(20):
        await asyncio.create_task(job())
        signal.raise_signal(signal.SIGTERM)
asyncio.run(main())
"""
    seen = probe(tmp_path, program, TASK)

    assert (seen.value("created"), seen.value("alive_end")) == (20, 0)
    assert said(seen) == plainly(tmp_path) == (0, "not yet\n" * 20)


def test_a_signal_that_is_waited_for_is_no_end(tmp_path: Path) -> None:
    program = """\
import asyncio, os, signal
async def job():
    await asyncio.sleep(1000)
async def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    os.kill(os.getpid(), signal.SIGTERM)
    signal.sigwait([signal.SIGTERM])
    for _ in range(30):
        asyncio.create_task(job())
        await asyncio.sleep(0)
asyncio.run(main())
"""
    seen = probe(tmp_path, program, TASK)

    assert (seen.value("created"), seen.row("alive_end").low) == (30, 30)
    assert seen.outcome.census is not None
    assert seen.outcome.census.tasks == 30


STRANGE = {
    "words that come once": """\
import subprocess, sys
def main():
    words = filter(None, (sys.executable, "", "-c", "print('started')"))
    print(subprocess.run(words, capture_output=True, text=True).stdout, list(words))
""",
    "handed to a worker": """\
from concurrent.futures import ProcessPoolExecutor
def main():
    with ProcessPoolExecutor(1) as pool:
        print(type(pool.submit(os._exit, 3).exception()).__name__)
""",
    "pickled": """\
import pickle, signal
def main():
    for one in (os._exit, os.execv, os.execve, os.kill, os.setuid, signal.raise_signal):
        print(pickle.loads(pickle.dumps(one)) is one)
""",
}


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("which", STRANGE)
def test_a_program_that_looks_at_what_starts_and_ends_processes_sees_what_it_would_see(
    tmp_path: Path, which: str, python: str
) -> None:
    program = STRANGE[which] + "\nimport queue\njobs = queue.Queue()\nif __name__ == '__main__':\n    main()\n"
    seen = probe(tmp_path, "import os\n" + program, ("queue", "queue.Queue()"), python=python)

    assert said(seen) == plainly(tmp_path, python=python)
    assert seen.outcome.run.exit_code == 0


def test_a_program_may_take_away_what_the_probes_use(tmp_path: Path) -> None:
    program = """\
import os, queue, sys
taken = {"sys": ("_getframe",), "os": ("getpid", "fsdecode", "PathLike", "write", "replace"), "time": ("time_ns", "perf_counter_ns")}
import time
kept = [(sys.modules[module], name, getattr(sys.modules[module], name)) for module in taken for name in taken[module]]
for module, name, _ in kept:
    delattr(module, name)
jobs = queue.Queue()
exec(compile("print('compiled')", "text", "exec"))
if os.fork() == 0:
    print("forked", flush=True)
    os._exit(0)
os.wait()
for i in range(3000):
    jobs.put(sorted([i, 2, 1], key=lambda n: n))
for module, name, original in kept:
    setattr(module, name, original)
"""
    seen = probe(tmp_path, program, ("queue", "queue.Queue()"), ("ordered", "sorted([i, 2, 1], key=lambda n: n)"))

    assert said(seen) == plainly(tmp_path)
    assert seen.outcome.run.exit_code == 0
    assert (seen.value("puts"), seen.value("hits", 1)) == (3000, 3000)


def test_a_traceback_of_what_did_not_end_it_shows_the_program_alone(tmp_path: Path) -> None:
    program = """\
import os, queue, traceback
jobs = queue.Queue()
for attempt in (lambda: os.execv("/nowhere", ["x"]), lambda: os.kill(os.getpid(), 4711), lambda: os.setuid("root")):
    try:
        attempt()
    except Exception as error:
        print(type(error).__name__, [frame.name for frame in traceback.extract_tb(error.__traceback__)])
"""
    seen = probe(tmp_path, program, ("queue", "queue.Queue()"))

    assert said(seen) == plainly(tmp_path)
    assert seen.outcome.last_lines[0] == "FileNotFoundError ['<module>', '<lambda>']"


def said(seen: Probed) -> tuple[int | None, str]:
    return seen.outcome.run.exit_code, "".join(f"{line}\n" for line in seen.outcome.last_lines)
