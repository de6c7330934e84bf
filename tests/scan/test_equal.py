"""What makes the scan fast loses nothing: shadows against LibCST on whole files, quick ways through its nodes."""

from __future__ import annotations

import sysconfig
import time
from pathlib import Path
from typing import NoReturn

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from auditor.catalog import bundled_rules
from auditor.scan import Engine, engine
from auditor.scan.nodes import children, positions
from auditor.scan.shadow import NotShadowedError

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
BUDGET_S = 40.0
MAX_FILE = 40_000


def sample() -> list[Path]:
    """Modules of the standard library, spread over it, small enough to be parsed whole."""
    files = [
        file
        for file in sorted(LIBRARY.rglob("*.py"))
        if not {"site-packages", "test", "tests", "lib2to3", "idlelib"} & set(file.relative_to(LIBRARY).parts)
        and file.stat().st_size < MAX_FILE
    ]
    step = 37  # has no divisor in common with the layout of directories
    return [files[(index * step) % len(files)] for index in range(len(files)) if len(files) % step]


class Blind:
    """A stand-in for the shadow that knows nothing, so that LibCST is asked about every candidate."""

    def __init__(self, *_: object) -> None:
        pass

    def find(self, _wanted: object, _around: object) -> NoReturn:
        raise NotShadowedError

    def release(self) -> None:
        pass


def test_shadows_find_what_whole_files_as_libcst_sees_them_do(monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = Engine(bundled_rules())
    began = time.monotonic()
    suspects = files = 0
    for file in sample():
        if time.monotonic() - began > BUDGET_S and files >= 10:
            break
        shadowed = scanner.scan_file(file, LIBRARY)
        files += 1
        if not shadowed.suspects and files % 4:
            continue
        with monkeypatch.context() as patch:
            patch.setattr(engine, "MAX_SLICE_LINES", 10**9)
            patch.setattr(engine, "Shadow", Blind)
            patch.setattr(engine, "slice_lines", lambda _statement, lines=shadowed.lines: (1, lines))
            assert scanner.scan_file(file, LIBRARY).suspects == shadowed.suspects, file
        suspects += len(shadowed.suspects)
    assert suspects


def test_children_and_positions_are_those_of_libcst() -> None:
    names = ("asyncio/tasks.py", "dataclasses.py", "ast.py", "typing.py")
    kinds = set()
    for name in names:
        module = cst.parse_module("\n".join((LIBRARY / name).read_text().split("\ndef ")[0].splitlines()) + "\n")
        assert positions(module) == dict(MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider))
        pending: list[cst.CSTNode] = [module]
        while pending:
            node = pending.pop()
            inside = children(node)
            assert [id(child) for child in inside] == [id(child) for child in node.children], type(node)
            kinds.add(type(node))
            pending.extend(inside)
    assert len(kinds) > 30


@pytest.mark.parametrize(
    "code",
    [
        "f'{x!r:>{width}} {y=}'\n",
        "match x:\n    case [1, *rest] | {'a': b, **more} if rest: pass\n    case A(b, c=d) as e: pass\n",
        "def f(a, /, b=1, *c, d: int = 2, **e) -> None:\n    lambda x, *y, z=1: (yield x)\n",
        "try:\n    pass\nexcept* (A, B) as error:\n    raise X from error\nelse: pass\nfinally:\n    del a, b[0:1:2]\n",
        "from a import (b as c, d)\nfrom . import *\nimport e.f as g\nglobal h\n",
        "async def f():\n    async with a as b, c: [x async for y in z if w for v in u]\n",
        "x = await y if not -z else {**k, 'l': m}\n",
        "@d\nclass A(B, metaclass=C):  # why\n    x: int = 1; y += 2\n    assert x, 'no'\n\n    ...\n",
    ],
)
def test_children_of_rare_nodes(code: str) -> None:
    pending: list[cst.CSTNode] = [cst.parse_module(code)]
    while pending:
        node = pending.pop()
        assert [id(child) for child in children(node)] == [id(child) for child in node.children], type(node)
        pending.extend(children(node))
