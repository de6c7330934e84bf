"""What a module's loops call, directly or over a few functions."""

from __future__ import annotations

import ast

import pytest

from auditor.scan.facts import ModuleFacts
from auditor.scan.often import called_often

HELPER = "def helper(x):\n    return x\n\n"


def often(text: str) -> set[str]:
    return set(called_often(ModuleFacts(tree=ast.parse(text))).names)


@pytest.mark.parametrize(
    "text",
    [
        "def f(xs):\n    for x in xs:\n        helper(x)\n",
        "def f(xs):\n    return [helper(x) for x in xs]\n",
        "def f(xs):\n    return {y for x in xs for y in helper(x)}\n",
        "def f(xs):\n    while helper(xs):\n        pass\n",
        "def f(xs):\n    return sorted(xs, key=helper)\n",
        "for x in open('rows'):\n    helper(x)\n",
        # a method of that name, whoever has it
        "def f(xs):\n    for x in xs:\n        x.helper()\n",
    ],
)
def test_what_a_loop_calls_runs_often(text: str) -> None:
    assert "helper" in often(HELPER + text)


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    return helper(x)\n",
        "def f(x):\n    for y in helper(x):\n        print(y)\n",
        "def f(x):\n    return [y for y in helper(x)]\n",
        "def f(x):\n    for kind in ('a', 'b'):\n        helper(x)\n",
        # a function made in a loop is not run by it
        "def f(xs):\n    for x in xs:\n        def g():\n            helper(x)\n        xs.add(g)\n",
    ],
)
def test_what_no_loop_calls_does_not(text: str) -> None:
    assert "helper" not in often(HELPER + text)


def test_functions_are_followed_as_far_as_the_call_graph_is() -> None:
    chain = "".join(f"def f{n}(x):\n    return f{n + 1}(x)\n\n" for n in range(1, 7))

    assert often(f"{chain}def run(xs):\n    for x in xs:\n        f1(x)\n") == {"f1", "f2", "f3", "f4"}


def test_methods_that_look_ups_and_sorting_call_run_often() -> None:
    assert often("class A:\n    def __hash__(self):\n        return 1\n\n    def __init__(self):\n        pass\n") == {
        "__hash__"
    }
