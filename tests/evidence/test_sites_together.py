"""Several rules may flag the same call: none takes from the others what it measures."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from tests.evidence.probing import Probed, probe

SECONDS = {
    "timed": "seconds",
    "called": "seconds",
    "blocking": "seconds",
    "repeated": "seconds",
    "connection": "making",
}
PAIRS = tuple(permutations(SECONDS, 2))


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Probed:
    """Each pair of probes on a call of its own that takes 5 ms, ten times."""
    calls = "".join(f"    slow({number})\n" for number in range(len(PAIRS)))
    program = f"import time\n\ndef slow(x):\n    time.sleep(0.005)\n\nfor _ in range(10):\n{calls}"
    flagged = [(name, f"slow({number})") for number, pair in enumerate(PAIRS) for name in pair]
    return probe(tmp_path_factory.mktemp("together"), program, *flagged)


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=["-".join(pair) for pair in PAIRS])
def test_two_probes_on_one_call_both_see_all_of_it(together: Probed, number: int) -> None:
    for index, name in enumerate(PAIRS[number], 2 * number):
        assert together.value("hits", index) == 10
        assert together.row(SECONDS[name], index).high >= 0.05, name


def test_the_end_that_is_sorted_for_is_looked_for_though_another_rule_flags_the_call(tmp_path: Path) -> None:
    program = (
        "xs = [(7 * n) % 1000 for n in range(1000)]\nfor _ in range(5):\n    least = sorted(xs)[0]\nprint(least)\n"
    )
    for flagged in permutations([("ordered", "sorted(xs)"), ("timed", "sorted(xs)")]):
        seen = probe(tmp_path, program, *flagged)
        assert [seen.value("hits", index) for index in (0, 1)] == [5, 5]
        assert seen.outcome.last_lines == ("0",)
