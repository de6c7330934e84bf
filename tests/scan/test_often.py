"""What a module's loops call, directly or over a few functions."""

from __future__ import annotations

import ast

import pytest

from auditor.scan.facts import ModuleFacts
from auditor.scan.often import called_often, given_again

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


FIND = "def find(items, key=None, *, kind=None):\n    return items\n\n"


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("def f(xs, items):\n    for x in xs:\n        find(items, x)\n", {"items"}),
        ("def f(xs, items):\n    return [find(items, key=x.id, kind=items.kind) for x in xs]\n", {"items", "kind"}),
        ("class A:\n    def f(self, xs):\n        while xs:\n            self.find(self.items, xs.pop())\n", {"items"}),
        # what the loop makes, what is made on the way, what no loop gives
        ("def f(xs):\n    for x in xs:\n        rows = list(x)\n        find(rows, x.id)\n", set()),
        ("def f(xs, items):\n    return [find(sorted(items), x) for x in xs]\n", set()),
        ("def f(items):\n    return find(items)\n", set()),
    ],
)
def test_a_parameter_is_given_again_where_a_loop_does_not_bind_what_it_gives(text: str, given: set[str]) -> None:
    assert given_again(ModuleFacts(tree=ast.parse(FIND + text))).get("find", set()) == given
