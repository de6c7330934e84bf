"""The table of expected verdicts and the sample projects belong together."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.samples.expected import BEYOND, CLEAN, EXPECTED, RULES, Clean, Expected

SAMPLES = Path(__file__).parents[2] / "sample_projects"


def symbols(node: ast.AST, prefix: str = "") -> Iterator[str]:
    """Yield the qualified names of all functions below a node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + child.name
            yield from symbols(child, f"{prefix}{child.name}.")


@pytest.mark.parametrize("row", [*EXPECTED, *CLEAN, *BEYOND], ids=lambda row: f"{row.file}:{row.symbol}:{row.rule}")
def test_a_row_names_a_function_of_its_project(row: Expected | Clean) -> None:
    tree = ast.parse((SAMPLES / row.project / row.file).read_text(encoding="utf-8"))
    assert row.symbol in set(symbols(tree))


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_has_a_costly_place_and_a_harmless_one(rule: str) -> None:
    assert {"confirmed", "rejected"} <= {row.verdict for row in EXPECTED if row.rule == rule}


def test_a_place_has_one_verdict() -> None:
    places = [(row.project, row.file, row.symbol, row.rule) for row in EXPECTED]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("project", ["intent_operator", "workflow_engine"])
def test_a_project_declares_its_workload(project: str) -> None:
    settings = tomllib.loads((SAMPLES / project / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["tool"]["audit"]["workloads"]["bench"]["command"] == "python bench.py"
