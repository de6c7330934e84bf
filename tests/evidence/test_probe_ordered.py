"""Of sorting for an end, the time counts that a pass over the same items would have saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import plainly, probe

HEAD = """\
import random
import time
random.seed(7)
mixed = [random.random() for _ in range(30_000)]
ready = list(mixed)
ready.sort()
def slow(value):
    time.sleep(0.002)
    return value
def made(values):
    for value in values:
        time.sleep(0.002)
        yield value
class Own:
    def __init__(self, value):
        self.value = value
    def __lt__(self, other):
        return self.value < other.value
own = [Own(value) for value in mixed[:3_000]]
rows = [(value, str(value)) for value in mixed]
"""

SAVED = {
    "mixed": ("sorted(mixed)[0]", True),
    "mixed, the last": ("sorted(mixed, reverse=True)[-1]", True),
    "by a key": ("sorted(mixed, key=lambda value: -value)[0]", True),
    "tuples": ("sorted(rows)[0]", True),
    "a few": ("sorted(mixed)[:3]", True),
    "a set": ("sorted(set(mixed))[0]", True),
    "in order": ("sorted(ready)[0]", False),
    "by a slow key": ("sorted(ready[:30], key=slow)[-1]", False),
    "made slowly": ("sorted(made(ready[:30]))[0]", False),
    "made slowly, by a key": ("sorted(made(ready[:30]), key=lambda value: value)[0]", False),
    "none": ("sorted([])[:1]", False),
}


@pytest.mark.parametrize("case", SAVED)
def test_what_a_pass_would_take_is_not_counted(tmp_path: Path, case: str) -> None:
    text, is_saved = SAVED[case]
    call = text[: text.rindex("[")]
    probed = probe(tmp_path, f"{HEAD}for _ in range(8):\n    print({text})\n", ("ordered", call))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert probed.value("hits") == 8
    least = 0.002 if is_saved else 0.0
    seconds = probed.row("seconds")
    assert least <= seconds.low <= seconds.value <= seconds.high
    if not is_saved:
        assert seconds.high < 0.1 * 8 * 30 * 0.002


@pytest.mark.parametrize(
    ("source", "call", "least"),
    [("mixed", "copy.sort()", 0.002), ("mixed", "copy.sort(key=lambda x: -x)", 0.002), ("ready", "copy.sort()", 0.0)],
)
def test_a_list_sorted_in_place_is_measured_alike(tmp_path: Path, source: str, call: str, least: float) -> None:
    program = f"{HEAD}for _ in range(8):\n    copy = list({source})\n    print({call}, copy[0])\n"
    probed = probe(tmp_path, program, ("ordered", call))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert probed.value("hits") == 8
    assert least <= probed.row("seconds").low
    if not least:
        assert probed.row("seconds").low < 0.002


def test_the_sort_of_something_else_is_left_alone(tmp_path: Path) -> None:
    program = "class Rows:\n    def sort(self):\n        return 'sorted'\nrows = Rows()\nprint(rows.sort())\n"
    probed = probe(tmp_path, program, ("ordered", "rows.sort()"))

    assert probed.outcome.last_lines == ("sorted",)
    assert probed.value("hits") == 0


def test_objects_of_the_program_are_not_compared_once_more(tmp_path: Path) -> None:
    program = f"{HEAD}for _ in range(4):\n    print(sorted(own)[0].value)\n"
    seconds = probe(tmp_path, program, ("ordered", "sorted(own)")).row("seconds")

    assert seconds.low == 0
    assert seconds.high > 0.001


def test_what_was_not_timed_is_estimated_by_its_items(tmp_path: Path) -> None:
    program = (
        f"{HEAD}for size in (10, 100, 1_000, 30_000):\n    for _ in range(300_000 // size):\n"
        "        sorted(mixed[:size], key=lambda value: -value)[0]\n"
    )
    seconds = probe(tmp_path, program, ("ordered", "sorted(mixed[:size], key=lambda value: -value)")).row("seconds")

    assert 0 < seconds.n
    assert 0.02 < seconds.value < 5


def test_an_error_shows_no_frame_of_the_probe(tmp_path: Path) -> None:
    program = (
        "import traceback\nfor items in ([1, 0], [2, 1], 5, [None, 1]):\n    try:\n"
        "        sorted(items, key=lambda value: value and 1 / (value - 1))[0]\n"
        "    except Exception as error:\n"
        "        print(repr(error), [each.name for each in traceback.extract_tb(error.__traceback__)])\n"
    )
    call = "sorted(items, key=lambda value: value and 1 / (value - 1))"
    probed = probe(tmp_path, program, ("ordered", call))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()


def test_what_is_spread_cannot_be_told_apart(tmp_path: Path) -> None:
    probed = probe(tmp_path, "print(sorted(*[[2, 1]])[0])\n", ("ordered", "sorted(*[[2, 1]])"))

    assert any("spread" in reason for reason in probed.gaps())
