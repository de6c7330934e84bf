"""The classes that stand for LibCST's: the same names, the same ancestors, the same answers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import libcst
import pytest

from auditor import cst

OWN = {name: kind for name, kind in vars(libcst).items() if isinstance(kind, type) and issubclass(kind, libcst.CSTNode)}
SCAN = """
import sys
from pathlib import Path
from auditor.catalog import bundled_rules
from auditor.scan import Engine
scan = Engine(bundled_rules()).scan_file(Path(sys.argv[1]), Path(sys.argv[1]).parent)
print([suspect.rule for suspect in scan.suspects], "libcst" in sys.modules)
"""
PACKAGE = """
import sys
from pathlib import Path
from auditor.catalog import bundled_rules
from auditor.scan import Engine
engine, files = Engine(bundled_rules()), [Path(name) for name in sys.argv[1:]]
found = [suspect for file in files for suspect in engine.scan_file(file, file.parent).suspects]
assert found
print(len(files), "files, libcst:", "libcst" in sys.modules)
"""


@pytest.mark.parametrize("name", sorted(set(cst.BASES) & set(OWN)))
def test_a_class_has_the_ancestors_of_the_one_it_stands_for(name: str) -> None:
    ours = {one.__name__ for one in cst.class_of(name).__mro__} & set(OWN)
    theirs = {one.__name__ for one in OWN[name].__mro__} & set(OWN)
    assert ours == theirs


def test_most_of_libcst_has_a_stand_in() -> None:
    # what a later LibCST adds is taken from it
    assert len(set(cst.BASES) & set(OWN)) > 190
    assert cst.parse_module is libcst.parse_module


def test_nodes_of_libcst_are_instances_of_the_stand_ins() -> None:
    call = cst.parse_expression("f(a=1)[2:]")
    assert isinstance(call, cst.Subscript)
    match call:
        case cst.Subscript(value=cst.Call(args=[cst.Arg(keyword=cst.Name(value="a"))])):
            pass
        case _:
            pytest.fail("a pattern of stand-ins misses LibCST's nodes")
    assert not isinstance(call, cst.Call | cst.BaseNumber)
    assert isinstance(call, cst.BaseExpression | cst.BaseNumber)


def test_a_stand_in_that_is_called_makes_a_node_of_libcst() -> None:
    assert type(cst.Name("x")) is libcst.Name


def test_a_file_is_scanned_without_libcst(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        "import asyncio\n\nclass A:\n    def __init__(self):\n        self.todo = asyncio.Queue(maxsize=-1)\n"
    )
    done = subprocess.run([sys.executable, "-c", SCAN, str(file)], capture_output=True, text=True, check=True)
    assert done.stdout == "['unbounded-queue'] False\n"


def test_whole_packages_are_scanned_without_libcst() -> None:
    """The sample projects have f-strings, generators over several lines, coroutines and decorators."""
    files = sorted((Path(__file__).parents[2] / "sample_projects").rglob("*.py"))
    done = subprocess.run([sys.executable, "-c", PACKAGE, *map(str, files)], capture_output=True, text=True, check=True)
    assert done.stdout == f"{len(files)} files, libcst: False\n"
    assert len(files) > 10
