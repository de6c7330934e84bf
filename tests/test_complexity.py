"""Complexity and effort of the function around a suspect."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.complexity import Complexities
from auditor.model import Effort, Span, Suspect

if TYPE_CHECKING:
    from pathlib import Path


def at(line: int, end: int | None = None, path: str = "module.py") -> Suspect:
    span = Span(line, 1, end or line, 2)
    return Suspect("rule", path, span, "symbol", "message", f"fingerprint-{line}", ())


def branches(name: str, count: int) -> str:
    return f"def {name}(n):\n" + "".join(f"    if n == {index}: return\n" for index in range(count))


@pytest.mark.parametrize(
    ("count", "complexity", "effort"),
    [
        (0, 1, Effort.LOW),
        (9, 10, Effort.LOW),
        (10, 11, Effort.MEDIUM),
        (19, 20, Effort.MEDIUM),
        (20, 21, Effort.HIGH),
        (60, 61, Effort.HIGH),
    ],
)
def test_effort_follows_radons_ranks(tmp_path: Path, count: int, complexity: int, effort: Effort) -> None:
    (tmp_path / "module.py").write_text(branches("f", count) + "    pass\n")
    assert Complexities(tmp_path).of(at(2)) == (complexity, effort)


def test_the_innermost_function_counts_and_closures_count_for_themselves(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(
        "class A:\n"
        "    async def outer(self, x):\n"
        "        if x:\n"
        "            def inner():\n"
        "                return 1 if x else 2 if x else 3\n"
        "        return inner\n"
    )
    complexities = Complexities(tmp_path)
    assert complexities.of(at(5)) == (3, Effort.LOW)
    assert complexities.of(at(6)) == (2, Effort.LOW)
    assert complexities.of(at(3, 6)) == (2, Effort.LOW)


def test_a_file_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(branches("f", 3))
    complexities = Complexities(tmp_path)
    first = complexities.of(at(2))
    file.unlink()
    assert complexities.of(at(2)) == complexities.of(at(3)) == first


def test_the_files_own_encoding_holds(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_bytes("# coding: latin-1\ndef f():\n    return 'é'\n".encode("latin-1"))
    assert Complexities(tmp_path).of(at(3)) == (1, Effort.LOW)


@pytest.mark.parametrize("source", [b"def f(:\n    pass\n", b"\0", b"\xff\xfe", b"x = 1\ny = 2\n"])
def test_nothing_is_said_of_what_cannot_be_parsed_or_is_no_function(tmp_path: Path, source: bytes) -> None:
    (tmp_path / "module.py").write_bytes(source)
    assert Complexities(tmp_path).of(at(2)) == (None, None)


def test_nothing_is_said_of_a_file_that_is_gone(tmp_path: Path) -> None:
    assert Complexities(tmp_path).of(at(2)) == (None, None)


def test_the_function_that_the_scan_names_is_counted_as_in_the_whole_file(tmp_path: Path) -> None:
    text = "x = '''\n  def f(\n'''\n\nclass A:\n    @decorated\n    def outer(self, x):\n" + (
        "        if x:\n            async def inner():\n                return 1 if x else 2\n        return inner\n"
    )
    (tmp_path / "module.py").write_text(text)
    for line, function in ((7, (7, 11)), (8, (7, 11)), (10, (9, 10)), (11, (7, 11))):
        span = Span(function[0], 1, function[1], 2)
        named = replace(at(line), function=span)
        assert Complexities(tmp_path).of(named) == Complexities(tmp_path).of(at(line))
        assert Complexities(tmp_path).of(named)[0] == 2


class Notes(dict[str, str]):
    def note(self, name: str) -> str | None:
        return self.get(name)

    def keep_note(self, name: str, note: str) -> None:
        self[name] = note


def test_what_was_counted_before_is_taken_from_the_notes_and_a_changed_function_is_counted_anew(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(branches("f", 12) + "PLACES = [1]\n")
    inside, outside = replace(at(2), function=Span(1, 1, 13, 2)), at(14)
    notes = Notes()
    counted = [Complexities(tmp_path, notes).of(one) for one in (inside, outside)]
    assert counted == [Complexities(tmp_path).of(one) for one in (inside, outside)]
    assert counted == [(13, Effort.MEDIUM), (None, None)]
    for name in notes:
        if notes[name]:
            notes[name] = "7"
    assert [Complexities(tmp_path, notes).of(one) for one in (inside, outside)] == [(7, Effort.LOW), (None, None)]
    file.write_text(branches("f", 11) + "    pass\nPLACES = [1]\n")
    assert Complexities(tmp_path, notes).of(inside) == (12, Effort.MEDIUM)
