"""A call is timed from when all that it is given is there; what goes on side by side takes the time of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import plainly, probe

SLOW = """\
import time
def slow(value=0, *rest, **options):
    time.sleep(0.05)
    return value
def quick(*values, **options):
    return values
"""

GIVEN = {
    "an argument": ("quick(slow(1))", (0.0, 0.04)),
    "arguments by position and name": ("quick(slow(1), key=slow(2))", (0.0, 0.04)),
    "a spread list": ("quick(*[slow(1)])", (0.0, 0.04)),
    "a spread dict": ("quick(slow(1), **{'key': slow(2)})", (0.0, 0.04)),
    "what stands before the dot": ("slow('text').upper()", (0.0, 0.04)),
    "the call itself": ("slow(quick(1))", (0.05, 0.5)),
    "without arguments": ("slow()", (0.05, 0.5)),
}


@pytest.mark.parametrize("case", GIVEN)
def test_what_arguments_cost_is_not_counted(tmp_path: Path, case: str) -> None:
    text, (least, most) = GIVEN[case]
    probed = probe(tmp_path, f"{SLOW}\nprint({text})\n", ("called", text))

    assert probed.outcome.run.exit_code == 0
    assert probed.value("hits") == 1
    assert least <= probed.value("seconds") <= most


def test_a_call_that_raised_does_not_lend_its_start_to_the_next(tmp_path: Path) -> None:
    program = SLOW + ("for text in ('x', '7'):\n    try:\n        int(text)\n    except ValueError:\n        slow()\n")
    probed = probe(tmp_path, program, ("called", "int(text)"))

    assert probed.value("hits") == 2
    assert probed.value("seconds") < 0.04


def test_threads_side_by_side_take_the_time_of_one(tmp_path: Path) -> None:
    program = SLOW + (
        "import threading\ndef run():\n    for _ in range(4):\n        time.sleep(0.05)  # timed\n"
        "threads = [threading.Thread(target=run) for _ in range(5)]\n"
        "for each in threads: each.start()\nfor each in threads: each.join()\n"
    )
    seconds = probe(tmp_path, program.replace("time.sleep(0.05)\n", "pass\n"), ("called", "time.sleep(0.05)")).row(
        "seconds"
    )

    assert seconds.high >= 0.95
    assert seconds.value < 0.75 * seconds.high


def test_recursion_is_not_counted_at_each_depth(tmp_path: Path) -> None:
    program = (
        "import time\ndef walk(depth):\n    if not depth:\n        time.sleep(0.2)\n        return 0\n"
        "    return 1 + walk(depth - 1)\nwalk(6)\n"
    )
    probed = probe(tmp_path, program, ("called", "walk(depth - 1)"))

    assert probed.value("hits") == 6
    assert 0.15 < probed.value("seconds") < 0.6


def test_coroutines_that_ask_again_side_by_side_take_the_time_of_one(tmp_path: Path) -> None:
    program = """\
import asyncio
async def fetch(url):
    await asyncio.sleep(0.05)
async def user():
    for _ in range(4):
        await fetch("keys")
async def main():
    await asyncio.gather(*(user() for _ in range(20)))
asyncio.run(main())
"""
    probed = probe(tmp_path, program, ("repeated", 'fetch("keys")'))

    assert probed.value("hits") == 80
    assert probed.value("repeat_seconds") < 2.0
    assert probed.row("repeat_seconds").high > 3.5


OPENED = """\
import time
class File:
    def __enter__(self):
        time.sleep(0.02)
        return self
    def __exit__(self, *problem):
        time.sleep(0.03)
        return bool(problem[0])
def once(turn):
    with File() as file:
        time.sleep(0.1)
        if turn == 1:
            return turn
        if turn == 2:
            raise ValueError(turn)
for turn in range(4):
    print(once(turn))
"""
WITH = OPENED[OPENED.index("with File") : OPENED.index("\nfor turn")]


def test_of_a_with_statement_entering_and_leaving_count_and_not_its_body(tmp_path: Path) -> None:
    probed = probe(tmp_path, OPENED, ("called", WITH))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert probed.value("hits") == 4
    # two of them leave the body midway
    assert 0.19 <= probed.row("seconds").low <= probed.value("seconds") < 0.4
