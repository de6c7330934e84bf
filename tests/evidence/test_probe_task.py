"""Tasks are counted where they are made, also when `asyncio.run` hides what was left."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.evidence.probing import Probed, plainly, probe

CREATION = "asyncio.create_task(job(i))"
HEAD = "import asyncio, gc, os, signal\n"


def run(directory: Path, program: str, *texts: str) -> Probed:
    return probe(directory, HEAD + program, *(("task", text) for text in texts or (CREATION,)))


LEFTOVERS = """
async def job(i):
    await asyncio.sleep(1000)
async def main():
    for i in range(30):
        asyncio.create_task(job(i))
    await asyncio.sleep(0.01)
asyncio.run(main())
print("done")
"""


def test_leftovers_that_asyncio_run_cancels_were_left(tmp_path: Path) -> None:
    seen = run(tmp_path, LEFTOVERS)

    assert (seen.value("hits"), seen.value("created")) == (30, 30)
    assert seen.value("alive_end") == seen.row("alive_end").low == 30
    assert seen.value("alive_peak") == 30
    assert seen.value("destroyed_pending") == 0
    assert seen.row("created").unit == "tasks"


def test_the_program_says_the_same_without(tmp_path: Path) -> None:
    seen = run(tmp_path, LEFTOVERS)

    assert plainly(tmp_path) == (seen.outcome.run.exit_code, "".join(f"{x}\n" for x in seen.outcome.last_lines))


def test_short_tasks_leave_nothing(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
async def job(i):
    await asyncio.sleep(0)
async def main():
    for i in range(500):
        asyncio.create_task(job(i))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)
asyncio.run(main())
""",
    )

    assert seen.value("created") == 500
    assert seen.value("alive_end") == seen.value("destroyed_pending") == 0
    assert seen.value("alive_peak") <= 3


def test_many_tasks_at_once_are_counted_to_one_sixteenth(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
async def job(i):
    await asyncio.sleep(0.05)
async def main():
    for i in range(3000):
        asyncio.create_task(job(i))
    await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
asyncio.run(main())
""",
    )

    assert 3000 * 15 / 16 <= seen.value("alive_peak") <= 3000
    assert seen.value("alive_end") == 0


def test_pending_tasks_that_are_destroyed_are_counted(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
async def job(i):
    await asyncio.get_running_loop().create_future()
async def other():
    await asyncio.get_running_loop().create_future()
async def main():
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    for i in range(40):
        asyncio.create_task(job(i))
        asyncio.ensure_future(other())
        await asyncio.sleep(0)
        gc.collect()
asyncio.run(main())
""",
    )

    assert seen.value("created") == 40
    assert seen.value("destroyed_pending") + seen.value("alive_end") == 40
    assert seen.value("destroyed_pending") >= 38


def test_tasks_left_in_a_closed_loop_count_once(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
async def job(i):
    await asyncio.sleep(1000)
async def main():
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    for i in range(7):
        asyncio.create_task(job(i))
    await asyncio.sleep(0)
for turn in range(3):
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    del loop
    gc.collect()
""",
    )

    assert seen.value("created") == 21
    assert seen.value("alive_end") + seen.value("destroyed_pending") == 21


def test_what_each_asyncio_run_leaves_adds_up(tmp_path: Path) -> None:
    program = LEFTOVERS.replace("asyncio.run(main())", "for turn in range(5): asyncio.run(main())")

    assert run(tmp_path, program).value("alive_end") == 150


def test_a_loop_that_still_runs_at_the_end_is_counted(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
import threading
async def job(i):
    await asyncio.sleep(1000)
async def main():
    for i in range(12):
        asyncio.create_task(job(i))
    ready.set()
    await asyncio.sleep(1000)
ready = threading.Event()
threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
ready.wait()
""",
    )

    assert seen.value("alive_end") == 12


def test_creation_through_a_loop_is_counted_too(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
async def job(i):
    await asyncio.sleep(1000)
async def main():
    loop = asyncio.get_running_loop()
    for i in range(6):
        loop.create_task(job(i))
        asyncio.ensure_future(job(i))
asyncio.run(main())
""",
        "loop.create_task(job(i))",
        "asyncio.ensure_future(job(i))",
    )

    assert [seen.value("alive_end", index) for index in (0, 1)] == [6, 6]


def test_the_probe_keeps_no_task_alive(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
import weakref
async def job(i):
    pass
async def main():
    for i in range(50):
        known.append(weakref.ref(asyncio.create_task(job(i))))
    await asyncio.sleep(0.01)
    print(sum(one() is not None for one in known))
known = []
asyncio.run(main())
""",
    )

    assert seen.outcome.last_lines == ("0",)


@pytest.mark.skipif(sys.platform == "win32", reason="no signals to kill oneself with")
def test_a_killed_process_leaves_doubt(tmp_path: Path) -> None:
    program = LEFTOVERS.replace("asyncio.run(main())", "").replace(
        "    await asyncio.sleep(0.01)", "    asyncio.create_task(job(0)); os.kill(os.getpid(), signal.SIGKILL)"
    )
    seen = run(tmp_path, program + "asyncio.run(main())\n")
    left = seen.row("alive_end")

    assert seen.outcome.run.exit_code == -signal.SIGKILL or os.name == "nt"
    assert left.low == 0 < left.high
