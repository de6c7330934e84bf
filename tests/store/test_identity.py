"""A suspect is known again, and its code is the same, as long as nothing changed that matters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auditor.model import Span, Suspect
from auditor.store.identity import codes, homes, normalised

FUNCTION = '''\
@cache
def total(rows):
    """Adds up."""
    text = ""
    for row in rows:  # one by one
        text += f"{row!r:>{8}} and {{braces}}"

    return text
'''


def a_suspect(line: int, path: str = "m.py", symbol: str = "total", fingerprint: str = "f", end: int = 60) -> Suspect:
    return Suspect("concat", path, Span(line, 9, line, end), symbol, "message", fingerprint, ())


def code_of(directory: Path, text: str, line: int) -> str:
    (directory / "m.py").write_text(text, encoding="utf-8")
    return codes([a_suspect(line)], directory)["f"].hash


def test_lines_above_formatting_comments_and_docstrings_do_not_change_the_code(tmp_path: Path) -> None:
    other = (
        'import os\n\nX = 1\n\n@cache  # kept\ndef total( rows ):\n  """Adds\n  up."""\n  # before\n  text = ""\n'
        '  for row in rows:\n      text += f"{row!r:>{8}} and {{braces}}"\n  return text\n'
    )

    assert code_of(tmp_path, FUNCTION, 6) == code_of(tmp_path, other, 12)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@cache\n", ""),
        ("text +=", "text =  text +"),
        ("{row!r:>{8}}", "{row!r:>{9}}"),
        ("{{braces}}", "{{ braces}}"),
        ("    return text", "        return text"),
        ('text = ""', 'text = "" ""'),
    ],
)
def test_any_change_of_what_the_function_does_changes_the_code(tmp_path: Path, old: str, new: str) -> None:
    changed = FUNCTION.replace(old, new)

    assert changed != FUNCTION
    assert code_of(tmp_path, FUNCTION, 6) != code_of(tmp_path, changed, 6 - FUNCTION.count("\n") + changed.count("\n"))


def test_a_change_of_another_function_does_not_count_but_one_of_the_function_around_does(tmp_path: Path) -> None:
    nested = "def outer(n):\n    def inner():\n        x = 1\n    for i in range(n):\n        inner()\n"

    assert code_of(tmp_path, nested + "\ndef other(): pass\n", 3) == code_of(tmp_path, nested, 3)
    assert code_of(tmp_path, nested.replace("range(n)", "range(n * n)"), 3) != code_of(tmp_path, nested, 3)


def test_of_a_class_only_the_method_around_counts(tmp_path: Path) -> None:
    text = (
        "class A(B):\n    x = []\n\n    def first(self):\n        return 1\n\n    def second(self):\n        return 2\n"
    )

    assert code_of(tmp_path, text.replace("return 2", "return 3"), 5) == code_of(tmp_path, text, 5)
    assert code_of(tmp_path, text.replace("return 2", "return 3"), 8) != code_of(tmp_path, text, 8)
    assert code_of(tmp_path, text.replace("x = []", "x = [1]"), 2) != code_of(tmp_path, text, 2)


def test_a_suspect_is_the_same_wherever_audit_was_started(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "m.py").write_text(FUNCTION)

    from_root = homes([a_suspect(6, "pkg/m.py")], tmp_path, tmp_path)
    from_package = homes([a_suspect(6)], tmp_path / "pkg", tmp_path)

    assert from_root == from_package


def test_equal_suspects_of_one_function_are_told_apart_by_their_order(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f():\n    x = [1]\n    x = [1]\n")
    first, second = (a_suspect(line, fingerprint=str(line), end=12) for line in (2, 3))

    assert [code.nth for code in codes([second, first], tmp_path).values()] == [0, 1]
    found = homes([second, first], tmp_path, tmp_path)

    assert found["2"].place != found["3"].place
    (tmp_path / "m.py").write_text("# moved\ndef f():\n    x = [1]\n    x = [1]\n")
    moved = homes([a_suspect(line, fingerprint=str(line), end=12) for line in (3, 4)], tmp_path, tmp_path)
    assert list(moved.values()) == [found["2"], found["3"]]


def test_files_that_went_or_are_no_python_any_more_have_no_identity(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text("def f(:\n")
    suspects = [a_suspect(1), a_suspect(1, "gone.py", fingerprint="g")]

    assert codes(suspects, tmp_path) == {}
    assert "g" not in homes(suspects, tmp_path, tmp_path)


def test_every_version_of_python_that_is_at_hand_sees_the_same_code() -> None:
    script = f"from auditor.store.identity import normalised\nprint(ascii(normalised({FUNCTION!r})))"
    root = Path(__file__).parents[2]
    found = {ascii(normalised(FUNCTION))}
    for python in sorted(Path.home().glob(".pyenv/versions/3.1[1-9]*/bin/python")) or [Path(sys.executable)]:
        done = subprocess.run([python, "-c", script], cwd=root, capture_output=True, text=True, check=True)
        found.add(done.stdout.strip())

    assert len(found) == 1
