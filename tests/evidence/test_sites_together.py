"""Several rules may flag the same call: none takes from the others what it measures."""

from __future__ import annotations

import ast
from itertools import permutations
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any

import pytest

from auditor.evidence.child import audit_planting
from auditor.evidence.probes import probe_module
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


LOOPS = """\
TABLE = {}
def fill(rows, key):
    for row in rows:
        TABLE[key] = row
        key = key + 1
for start in range(5):
    fill([1, 2, 3], 3 * start)
print(len(TABLE))
"""
IN_A_LOOP = (
    ("nested-loop", "for row in rows:\n        TABLE[key] = row\n        key = key + 1"),
    ("container", "TABLE[key] = row"),
    ("operator", "key = key + 1"),
)


@pytest.mark.parametrize("order", tuple(permutations(range(3))))
def test_a_flagged_loop_may_hold_flagged_statements(tmp_path: Path, order: tuple[int, ...]) -> None:
    seen = probe(tmp_path, LOOPS, *(IN_A_LOOP[index] for index in order))

    assert seen.outcome.last_lines == ("15",)
    assert [seen.value("hits", order.index(index)) for index in range(3)] == [5, 15, 15]
    assert seen.value("depth_max", order.index(1)) == 15


def test_a_program_runs_on_where_planting_probes_in_it_fails(tmp_path: Path) -> None:
    """GIVEN a probe whose changes the compiler refuses WHEN the program runs THEN it does so without probes, and why is said."""
    file = tmp_path / "program.py"
    file.write_text("print(1 + 1)\n", encoding="utf-8")
    site = {"id": 7, "probe": "odd", "line": 1, "column": 7, "end_line": 1, "end_column": 12}
    for change in (lambda made: ast.Await(value=made), lambda made: made.nothing):
        odd: Any = SimpleNamespace(NODES=(ast.BinOp,), plant=lambda node, *_, change=change: {node: change})
        code, failures = audit_planting.plant(file.read_bytes(), str(file), [site], {"odd": odd})
        assert failures[7].startswith("planting probes failed: ")
        assert code.co_consts == compile("print(1 + 1)\n", "", "exec").co_consts


def test_a_site_that_cannot_be_planted_costs_no_other_site(tmp_path: Path) -> None:
    file = tmp_path / "program.py"
    file.write_text("print(1 + 1)\nprint(len('abc'))\n", encoding="utf-8")
    sites = [
        {"id": 7, "probe": "odd", "line": 1, "column": 7, "end_line": 1, "end_column": 12},
        {"id": 8, "probe": "timed", "line": 2, "column": 7, "end_line": 2, "end_column": 17},
    ]
    for change in (lambda made: ast.Await(value=made), lambda made: made.nothing):
        odd: Any = SimpleNamespace(NODES=(ast.BinOp,), plant=lambda node, *_, change=change: {node: change})
        probes = {"odd": odd, "timed": probe_module("timed")}
        for plant in (audit_planting.plant, audit_planting.planted_tree):
            made, failures = plant(file.read_bytes(), str(file), sites, probes)
            code = made if isinstance(made, CodeType) else compile(made, str(file), "exec")
            assert list(failures) == [7]
            assert any(name.startswith("__audit_8_") for name in code.co_names)
