"""Counts are exact, seconds are those of the operation, growth is told from its absence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import Probed, probe

CONCAT = """\
import collections
import sys
class Text:
    def __init__(self):
        self.text = ""
def local(n):
    s = ""
    for i in range(n):
        s += "abcdef%d" % i
def attribute(n):
    t = Text()
    for i in range(n):
        t.text += "abcdef%d" % i
def second_reference(n):
    r = ""
    for i in range(n):
        kept = r
        r += "abcdef%d" % i
def prepending(n):
    p = ""
    for i in range(n):
        p = "abcdef%d" % i + p
def joining(n):
    j = ""
    for i in range(n):
        j = "".join([j, "abcdef%d" % i])
def formatting(n):
    f = ""
    for i in range(n):
        f = "%s%s" % (f, "abcdef%d" % i)
def entry(n):
    e = {"text": ""}
    for i in range(n):
        e["text"] += "abcdef%d" % i
class Row:
    def __init__(self):
        self.key = "a"
def entry_by_attribute(n):
    a, row = collections.defaultdict(str), Row()
    for i in range(n):
        a[row.key] += "abcdef%d" % i
def entry_of_attribute(n):
    t, key = Text(), "a"
    t.parts = {}
    for i in range(n):
        t.parts[key] = t.parts.get(key, "") + "abcdef%d" % i
local(200_000)
attribute(40_000)
second_reference(40_000)
prepending(40_000)
joining(40_000)
formatting(40_000)
entry(40_000)
entry_by_attribute(40_000)
entry_of_attribute(40_000)
"""


@pytest.fixture
def concat(tmp_path: Path) -> Probed:
    texts = ['s += "abcdef%d" % i', 't.text += "abcdef%d" % i', 'r += "abcdef%d" % i', 'p = "abcdef%d" % i + p']
    texts += ('j = "".join([j, "abcdef%d" % i])', 'f = "%s%s" % (f, "abcdef%d" % i)', 'e["text"] += "abcdef%d" % i')
    texts += ('a[row.key] += "abcdef%d" % i', 't.parts[key] = t.parts.get(key, "") + "abcdef%d" % i')
    flagged = [("operator", text) for text in texts]
    return probe(tmp_path, CONCAT, *flagged)


def test_concatenation_in_place_stays_in_place_under_the_probe(concat: Probed) -> None:
    growth = concat.row("growth", 0)

    assert concat.value("hits", 0) == 200_000
    assert growth.high < 0.5
    assert concat.value("size_max", 0) > 2_000_000


@pytest.mark.parametrize("index", [1, 2, 3, 4, 5, 6, 7, 8])
def test_concatenation_that_copies_grows_with_size(concat: Probed, index: int) -> None:
    assert concat.value("hits", index) == 40_000
    growth = concat.row("growth", index)

    assert concat.value("size_max", index) > 300_000
    # what a copy costs hangs on the allocator and the caches, too: that it grows is what is certain
    assert growth.low > 0
    assert growth.value > 0.15


def test_membership_in_a_growing_list_is_linear_in_its_length(tmp_path: Path) -> None:
    program = "seen = []\nfor i in range(3000):\n    if i in seen:\n        pass\n    seen.append(i)\n"
    probed = probe(tmp_path, program, ("operator", "i in seen"))

    assert probed.value("hits") == 3000
    assert 0.7 < probed.value("growth") < 1.4
    assert (probed.value("size_min"), probed.value("size_max")) == (0, 2999)
    assert probed.row("cost_ratio").low > 10


def test_membership_in_a_small_list_costs_about_a_set_look_up(tmp_path: Path) -> None:
    program = "few = ['a', 'b', 'c']\nfor i in range(50_000):\n    'b' in few\n"
    probed = probe(tmp_path, program, ("operator", "'b' in few"))

    assert probed.value("hits") == 50_000
    assert not probed.has("growth")
    assert probed.value("size_max") == 3
    assert probed.row("cost_ratio").low < 4


def test_a_constant_cost_at_small_sizes_is_not_called_constant(tmp_path: Path) -> None:
    program = "seen = []\nfor i in range(40):\n    for j in range(50):\n        0 in seen\n    seen.append(i)\n"

    assert not probe(tmp_path, program, ("operator", "0 in seen")).has("growth")


def test_an_inner_loop_over_the_rest_grows_with_the_rest(tmp_path: Path) -> None:
    program = (
        "items = list(range(1200))\nsame = 0\nfor i in range(len(items)):\n    for j in range(i + 1, len(items)):\n"
        "        same += items[i] == items[j]\n"
    )
    loop = "for j in range(i + 1, len(items)):\n        same += items[i] == items[j]"
    probed = probe(tmp_path, program, ("nested-loop", loop))

    assert probed.value("hits") == 1200
    assert 0.7 < probed.value("growth") < 1.3
    assert probed.value("size_max") == 1199


def test_an_inner_loop_that_always_ends_early_does_not_grow(tmp_path: Path) -> None:
    program = "for n in range(1, 3000):\n    items = range(n)\n    for item in items:\n        if item == 0:\n            break\n"
    loop = "for item in items:\n        if item == 0:\n            break"
    probed = probe(tmp_path, program, ("nested-loop", loop))

    assert probed.row("growth").high < 0.5


def test_seconds_are_those_of_the_expression(tmp_path: Path) -> None:
    program = "import time\nfor i in range(5):\n    time.sleep(0.02)\n    time.sleep(0.01)\n"
    probed = probe(tmp_path, program, ("timed", "time.sleep(0.02)"))

    row = probed.row("seconds")
    assert 0.1 <= row.high
    assert row.low <= row.value <= row.high
    assert row.value < 1.0
    assert row.n == 5


def test_thinned_timing_still_estimates_the_whole(tmp_path: Path) -> None:
    program = (
        "from time import perf_counter\nstart = perf_counter()\nfor i in range(300_000):\n    sum(range(20))\n"
        "print(perf_counter() - start)\n"
    )
    probed = probe(tmp_path, program, ("timed", "sum(range(20))"))

    whole = float(probed.outcome.last_lines[-1])
    assert probed.value("hits") == 300_000
    assert probed.row("seconds").n < 300_000
    assert probed.row("seconds").low < whole
    assert probed.row("seconds").high > 0.05 * whole


def test_a_process_pool_is_counted_in_full(tmp_path: Path) -> None:
    program = (
        "from concurrent.futures import ProcessPoolExecutor\ndef work(n):\n    return len(str(n))\n"
        "if __name__ == '__main__':\n    with ProcessPoolExecutor(2) as pool:\n        print(sum(pool.map(work, range(100))))\n"
    )
    assert probe(tmp_path, program, ("timed", "len(str(n))")).value("hits") == 100
