"""Executions that raise: they take their time, too, and give nothing that could be kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import plainly, probe

CALL = """\
import time

def work(which):
    time.sleep(0.005 if which % 10 else 0)
    if which % 10:
        raise ValueError(which)

failed = 0
for number in range(40):
    try:
        found = work(number)
    except ValueError:
        failed += 1
print(failed)
"""


def test_the_time_of_a_call_that_raises_counts(tmp_path: Path) -> None:
    seen = probe(tmp_path, CALL, ("called", "work(number)"))

    assert seen.outcome.last_lines == ("36",)
    assert seen.value("hits") == 40
    assert seen.row("seconds").low >= 36 * 0.005


@pytest.mark.parametrize("method", ["index", "remove"])
def test_a_search_that_finds_nothing_walks_the_whole_list(tmp_path: Path, method: str) -> None:
    """GIVEN searches of which most find nothing, and the others the first item THEN they cost more as the list grows."""
    program = (
        "names = [0]\nmissed = 0\nfor turn in range(4000):\n    names.append(turn + 1)\n    try:\n"
        f"        names.{method}(-turn)\n    except ValueError:\n        missed += 1\nprint(missed)\n"
    )
    seen = probe(tmp_path, program, ("sized-call", f"names.{method}(-turn)"))

    assert int(seen.outcome.last_lines[0]) >= 3999
    assert seen.value("hits") == 4000
    assert 0.7 < seen.value("growth") < 1.3


def test_an_attempt_that_failed_is_not_repeated_in_vain(tmp_path: Path) -> None:
    """GIVEN a call that fails four times and then succeeds WHEN it is made so ten times over THEN what repeats are the
    nine that gave the same again."""
    program = (
        "import time\nattempts = 0\ndef fetch(url):\n    global attempts\n    attempts += 1\n    time.sleep(0.002)\n"
        "    if attempts % 5:\n        raise OSError(url)\n    return url\n"
        "for number in range(50):\n    try:\n        answer = fetch('a')\n    except OSError:\n        pass\n"
    )
    seen = probe(tmp_path, program, ("repeated", "fetch('a')"))

    assert seen.value("hits") == 50
    assert seen.value("repeats") == 9
    assert seen.value("seconds") == pytest.approx(50 * 0.002, rel=0.5)
    assert seen.value("repeat_seconds") == pytest.approx(9 * 0.002, rel=0.5)


def test_what_a_program_prints_of_an_exception_stays_as_it_is(tmp_path: Path) -> None:
    program = (
        "import traceback\ndef find(items, item):\n    return items.index(\n        item)\n\n"
        "def outer():\n    try:\n        1 / 0\n    except ZeroDivisionError:\n        find([1, 2], 3)\n\n"
        "try:\n    outer()\nexcept ValueError:\n    print(traceback.format_exc().strip())\n"
    )
    for name in ("called", "sized-call", "repeated"):
        seen = probe(tmp_path, program, (name, "items.index(\n        item)"))
        assert seen.value("hits") == 1
        plain = plainly(tmp_path)[1].rstrip().splitlines()
        assert len(seen.outcome.last_lines) > 10
        assert list(seen.outcome.last_lines) == plain[-len(seen.outcome.last_lines) :]
