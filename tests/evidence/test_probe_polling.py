"""What a loop costs that waits by asking."""

from __future__ import annotations

from pathlib import Path

from tests.evidence.probing import Probed, plainly, probe

HEAD = "import asyncio, threading, time\n"


def run(directory: Path, program: str, loop: str) -> Probed:
    probed = probe(directory, HEAD + program, ("polling", loop))
    assert probed.outcome.run.exit_code == 0
    assert list(probed.outcome.last_lines) == plainly(directory)[1].splitlines()
    return probed


def test_a_loop_that_never_sleeps_takes_the_processor(tmp_path: Path) -> None:
    loop = "while time.thread_time() < end:\n        pass"
    probed = run(tmp_path, f"def f(end):\n    {loop}\nf(time.thread_time() + 0.2)\nprint('done')\n", loop)

    assert probed.value("hits") > 100
    assert probed.value("seconds") >= 0.19
    assert not probed.has("polled")


def test_a_loop_that_sleeps_takes_little(tmp_path: Path) -> None:
    loop = "while not done():\n        time.sleep(0.02)"
    program = (
        f"left = [10]\ndef done():\n    left[0] -= 1\n    return not left[0]\ndef f():\n    {loop}\nf()\nprint(left)\n"
    )
    probed = run(tmp_path, program, loop)

    assert probed.value("hits") == 10
    assert probed.value("seconds") < 0.1


def test_a_loop_that_is_left_by_an_exception_counts(tmp_path: Path) -> None:
    loop = "while True:\n        if time.thread_time() > end:\n            raise TimeoutError"
    program = (
        f"def f(end):\n    {loop}\ntry:\n    f(time.thread_time() + 0.2)\nexcept TimeoutError:\n    print('late')\n"
    )

    assert run(tmp_path, program, loop).value("seconds") >= 0.19


def test_a_loop_under_way_at_the_end_counts(tmp_path: Path) -> None:
    loop = "while not stop:\n        pass"
    program = f"stop = []\ndef f():\n    {loop}\nthreading.Thread(target=f, daemon=True).start()\ntime.sleep(1)\n"

    assert run(tmp_path, program, loop).value("seconds") > 0.05


def test_in_a_coroutine_the_turns_that_do_nothing_else_count(tmp_path: Path) -> None:
    """GIVEN a task that computes for long in one turn of ten, WHEN another asks in every turn, THEN the asking alone
    counts."""
    loop = "while len(items) < 2000:\n        await asyncio.sleep(0)"
    program = (
        f"items = []\nasync def f():\n    {loop}\nasync def work():\n    for n in range(2000):\n"
        "        await asyncio.sleep(0)\n        items.append(sum(range(20000)) if n % 10 == 0 else 0)\n"
        "async def main():\n    await asyncio.gather(f(), work())\n    print(time.thread_time() > 0)\n"
        "asyncio.run(main())\n"
    )
    probed = run(tmp_path, program, loop)

    assert 1900 <= probed.value("hits") <= 2100
    assert 0 < probed.value("seconds") == probed.value("polled")
    # a turn of the loop takes some microseconds, the work of a turn some hundred
    assert probed.value("seconds") / probed.value("hits") < 200e-6


def test_what_other_tasks_compute_in_every_turn_is_not_the_asking_s(tmp_path: Path) -> None:
    """GIVEN a task that computes in each turn of the loop WHEN another asks twenty times a second THEN that is next to
    nothing."""
    loop = "while not stop.is_set():\n        await asyncio.sleep(0.02)"
    program = (
        f"async def f(stop):\n    {loop}\nasync def work(stop):\n    end = time.thread_time() + 0.5\n"
        "    while time.thread_time() < end:\n        sum(range(50_000))\n        await asyncio.sleep(0)\n    stop.set()\n"
        "async def main():\n    stop = asyncio.Event()\n    await asyncio.gather(f(stop), work(stop))\n    print('done')\n"
        "asyncio.run(main())\n"
    )
    spent = run(tmp_path, program, loop).row("seconds")

    assert spent.value < 0.02
    assert spent.high < 0.1
