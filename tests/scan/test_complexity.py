"""The complexity of the function around a suspect."""

from __future__ import annotations

import ast
import json
from dataclasses import replace

import pytest

from auditor.catalog import chosen_rules
from auditor.model import Span, Suspect
from auditor.scan import Engine
from auditor.scan.complexity import Complexities
from auditor.scan.syntax import Flat


def at(line: int, end: int | None = None) -> Suspect:
    span = Span(line, 1, end or line, 2)
    return Suspect("rule", "module.py", span, "symbol", "message", f"fingerprint-{line}", ())


def complexities(text: str) -> Complexities:
    return Complexities(Flat(ast.parse(text)))


@pytest.mark.parametrize("count", [0, 9, 60])
def test_each_branch_counts(count: int) -> None:
    text = "def f(n):\n" + "".join(f"    if n == {index}: return\n" for index in range(count)) + "    pass\n"

    assert complexities(text).around(at(2)) == count + 1


def test_the_innermost_function_counts_and_closures_count_for_themselves() -> None:
    found = complexities(
        "class A:\n"
        "    async def outer(self, x):\n"
        "        if x:\n"
        "            def inner():\n"
        "                return 1 if x else 2 if x else 3\n"
        "        return inner\n"
    )

    assert [found.around(one) for one in (at(5), at(6), at(3, 6))] == [3, 2, 2]


def test_nothing_is_said_of_what_stands_in_no_function() -> None:
    assert complexities("x = 1\n\n\ndef f():\n    pass\n").around(at(1)) is None


def test_what_is_flagged_elsewhere_than_in_the_function_that_the_scan_names_has_none() -> None:
    text = "def f():\n    pass\n\n\ndef g():\n    pass\n"

    assert complexities(text).around(replace(at(6), function=Span(1, 1, 2, 9))) is None


def test_a_scan_has_one_for_each_suspect() -> None:
    queue = "import queue\n\nhere = queue.Queue()\n\n\ndef make(size):\n    return queue.Queue() if size else None\n"
    scan = Engine(chosen_rules(("unbounded-queue",))).scan_text(queue)

    assert dict(zip((one.span.line for one in scan.suspects), scan.complexities, strict=True)) == {3: None, 7: 2}


def test_those_of_a_notebook_are_not_counted() -> None:
    code = "import queue\n\n\ndef make():\n    return queue.Queue()\n"
    cell: dict[str, object] = {
        "cell_type": "code",
        "source": code,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    scan = Engine(chosen_rules(("unbounded-queue",))).scan_text(json.dumps(notebook), "a.ipynb")

    assert scan.complexities == (None,)
