"""Quick ways through an `ast` meet what those of the standard library meet, in the same order."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest

from auditor.scan.syntax import Flat, children, walk

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
LEFT_OUT = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


@pytest.mark.parametrize("name", ["ast.py", "asyncio/tasks.py", "test/test_grammar.py", "test/test_patma.py"])
def test_the_same_nodes_in_the_same_order(name: str) -> None:
    tree = ast.parse((LIBRARY / name).read_text(encoding="utf-8"))
    expected = [node for node in ast.walk(tree) if not isinstance(node, LEFT_OUT)]
    flat = Flat(tree)
    assert walk(tree) == flat.nodes == expected
    assert all(node in children(flat.nodes[flat.parents[index]]) for index, node in enumerate(flat.nodes) if index)
    assert [flat.nodes[index] for index in flat.of(ast.Call)] == [one for one in expected if type(one) is ast.Call]


def test_depth_is_the_number_of_levels() -> None:
    assert Flat(ast.parse("")).depth == 1
    assert Flat(ast.parse("x")).depth == 3
    assert Flat(ast.parse("f(g(x))\ny")).depth == 5
