"""An event loop stands still in a call only if the call runs on its thread."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import Probed, plainly, probe

CREATION = "time.sleep(0.02)"
HEAD = "import asyncio, queue, threading, time\n"


def run(directory: Path, program: str, text: str = CREATION) -> Probed:
    return probe(directory, HEAD + program, ("blocking", text))


ON_LOOP = """
async def main():
    for i in range(5):
        time.sleep(0.02)
asyncio.run(main())
print("done")
"""


def test_a_call_on_the_loop_holds_it_up(tmp_path: Path) -> None:
    seen = run(tmp_path, ON_LOOP)

    assert (seen.value("hits"), seen.value("loop_hits")) == (5, 5)
    assert seen.value("stall_total") >= 0.1
    assert seen.value("stall_longest") >= 0.02
    assert seen.value("stall_longest") <= seen.value("stall_total") == seen.value("seconds")
    assert 0.02 <= seen.value("stall_rest_longest") <= seen.value("stall_longest")
    assert 0.06 <= seen.value("stall_rest") <= seen.value("stall_total") - 0.04


def test_the_program_says_the_same_without(tmp_path: Path) -> None:
    seen = run(tmp_path, ON_LOOP)

    assert plainly(tmp_path) == (seen.outcome.run.exit_code, "".join(f"{x}\n" for x in seen.outcome.last_lines))


@pytest.mark.parametrize("how", ["asyncio.run(main())", "work()"])
def test_a_call_off_the_loop_holds_up_nothing(tmp_path: Path, how: str) -> None:
    seen = run(
        tmp_path,
        f"""
def work():
    time.sleep(0.02)
async def main():
    await asyncio.to_thread(work)
{how}
""",
    )

    assert (seen.value("hits"), seen.value("loop_hits")) == (1, 0)
    assert (seen.value("stall_total"), seen.value("stall_longest")) == (0, 0)
    assert seen.value("seconds") >= 0.02


def test_a_call_that_raises_is_timed_until_it_raises(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
async def main():
    total = 0
    for i in range(3):
        start = time.perf_counter()
        try:
            jobs.get(timeout=0.02)
        except queue.Empty:
            total += time.perf_counter() - start
            time.sleep(0.02)
    print(total)
jobs = queue.Queue()
asyncio.run(main())
""",
        "jobs.get(timeout=0.02)",
    )

    assert seen.value("loop_hits") == 3
    assert 0.06 <= seen.value("stall_total") <= float(seen.outcome.last_lines[0])


def test_a_call_that_calls_itself_is_timed_for_each_level(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
def deep(n):
    time.sleep(0.01)
    return n and level(n - 1)
def level(n):
    return deep(n)
async def main():
    deep(3)
asyncio.run(main())
""",
        "level(n - 1)",
    )

    assert seen.value("hits") == 3
    assert 0.03 <= seen.value("stall_longest") < seen.value("stall_total")


def test_what_the_arguments_take_is_no_stand_still_of_the_call(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
async def pause():
    await asyncio.sleep(0.2)
    return 0.001
def compute():
    time.sleep(0.2)
async def main():
    print(await pause(), compute())
    time.sleep((await pause(), compute())[0])
asyncio.run(main())
""",
        "time.sleep((await pause(), compute())[0])",
    )

    assert (seen.value("hits"), seen.value("loop_hits")) == (1, 1)
    assert 0.001 <= seen.value("stall_total") < 0.15


def test_a_call_to_which_something_awaited_is_spread_is_counted_and_not_timed(tmp_path: Path) -> None:
    flagged = "time.sleep(*[await pause()])"
    seen = run(
        tmp_path,
        f"""
async def pause():
    await asyncio.sleep(0.01)
    return 0.001
async def main():
    {flagged}
asyncio.run(main())
""",
        flagged,
    )

    assert (seen.value("hits"), seen.value("loop_hits")) == (1, 1)
    assert not seen.has("stall_total")
    assert not seen.has("seconds")


def test_without_asyncio_nothing_is_imported(tmp_path: Path) -> None:
    program = "import sys, time\ntime.sleep(0.02)\nprint('asyncio' in sys.modules)\n"
    seen = probe(tmp_path, program, ("blocking", CREATION))

    assert seen.outcome.last_lines == ("False",)
    assert (seen.value("hits"), seen.value("loop_hits")) == (1, 0)
