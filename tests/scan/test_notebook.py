"""Notebooks: suspects by cell and line, what is not Python left out, and damage told."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.catalog import bundled_rules
from auditor.cli import main
from auditor.scan import Engine, FileScan, discover
from auditor.scan.notebook import read_notebook
from auditor.scan.record import dump, load

QUEUE = "import queue\n\njobs = queue.Queue()"


def notebook(*sources: str | dict[str, Any], **more: Any) -> bytes:
    """A notebook of these code cells; a dict is a cell as it stands."""
    cells = [
        source
        if isinstance(source, dict)
        else {"cell_type": "code", "metadata": {}, "outputs": [], "source": source.splitlines(keepends=True)}
        for source in sources
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | more).encode()


def scanned(tmp_path: Path, data: bytes) -> FileScan:
    (tmp_path / "nb.ipynb").write_bytes(data)
    scan = Engine(bundled_rules()).scan_file(tmp_path / "nb.ipynb", tmp_path)
    assert load(dump(scan)) == scan
    return scan


def places(scan: FileScan) -> list[tuple[str, int | None, int, int]]:
    return [(suspect.rule, suspect.cell, suspect.span.line, suspect.span.column) for suspect in scan.suspects]


def test_a_suspect_has_a_cell_and_a_line_in_it(tmp_path: Path) -> None:
    prose = {"cell_type": "markdown", "metadata": {}, "source": "# Jobs\n"}

    scan = scanned(tmp_path, notebook("import queue\n", prose, "", "x = 1\njobs = queue.Queue()"))

    assert places(scan) == [("unbounded-queue", 4, 2, 8)]
    (suspect,) = scan.suspects
    assert [site.span for site in suspect.sites] == [suspect.span]
    assert suspect.place == "nb.ipynb:cell 4:line 2"


def test_a_function_counts_lines_from_the_start_of_its_cell(tmp_path: Path) -> None:
    scan = scanned(tmp_path, notebook("import queue", "\ndef f():\n    jobs = queue.Queue()\n"))

    (suspect,) = scan.suspects
    assert suspect.function is not None
    assert (suspect.function.line, suspect.span.line, suspect.symbol) == (2, 3, "f")


@pytest.mark.parametrize(
    "command",
    [
        "%matplotlib inline", "!pip install 'x", "?len", "len?", "queue.Queue??", "files = !ls -l", "t = %time f()",
        "%%time", "%%capture out", "!echo (", "!curl a \\\n  b", "%cd /\n!ls", "if 1:\n    !ls\n    %pwd", "/print 1",
    ],
)  # fmt: skip
def test_commands_move_no_line(tmp_path: Path, command: str) -> None:
    scan = scanned(tmp_path, notebook(f"{command}\n{QUEUE}\n"))

    assert scan.skipped == ()
    assert places(scan) == [("unbounded-queue", 1, 4 + command.count("\n"), 8)]


def test_a_line_that_begins_with_a_percent_sign_may_be_python() -> None:
    text = "x = ('%s'\n% 3)\ny = '''\n!ls\n%cd\n'''\n"

    assert read_notebook(notebook(text)).text.rstrip("\n") == text.rstrip("\n")


@pytest.mark.parametrize("magic", ["%%bash", "%%html", "%%writefile a.py", "%%javascript", "%%sql"])
def test_a_cell_in_another_language_is_left_out(tmp_path: Path, magic: str) -> None:
    scan = scanned(tmp_path, notebook(f"\n{magic}\n{QUEUE}", QUEUE))

    assert [place[1] for place in places(scan)] == [2]
    assert scan.skipped == ()


def test_a_cell_that_cannot_be_parsed_costs_no_other(tmp_path: Path) -> None:
    scan = scanned(
        tmp_path, notebook("import queue", "x = 1\ndef f(:", "for x in y:", "jobs = queue.Queue()", "x = \\")
    )

    assert [place[:3] for place in places(scan)] == [("unbounded-queue", 4, 1)]
    reasons = [skip.reason for skip in scan.skipped]
    assert reasons[0].startswith("cell 2 left out: syntax error at line 2: ")
    assert [reason[:15] for reason in reasons] == ["cell 2 left out", "cell 3 left out", "cell 5 left out"]


def test_await_at_the_top_of_a_cell_is_python(tmp_path: Path) -> None:
    scan = scanned(tmp_path, notebook("import queue\nawait f()\nasync with g() as h:\n    jobs = queue.Queue()"))

    assert [place[:3] for place in places(scan)] == [("unbounded-queue", 1, 4)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "a damaged notebook"),
        (b"{", "a damaged notebook"),
        (b"[]", "no list of cells"),
        (b'{"cells": {}}', "no list of cells"),
        (b"\xff\xfe\x00", "a damaged notebook"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"worksheets": []}', "old format"),
        (notebook({"cell_type": "code", "source": 7}), "the source of cell 1 is no text"),
        (notebook({"cell_type": "code", "source": ["a", 7]}), "the source of cell 1 is no text"),
        (notebook("x <- 1", metadata={"kernelspec": {"language": "R", "name": "ir"}}), "a notebook in r"),
    ],
)
def test_damage_is_a_skip_with_its_reason(tmp_path: Path, data: bytes, reason: str) -> None:
    scan = scanned(tmp_path, data)

    assert scan.suspects == ()
    assert reason in scan.skipped[0].reason


@pytest.mark.parametrize("text", ["x = '\ud800'", "x = 1\0", "(" * 5000, "\x0c\nx = 1\r\ny = 2"])
def test_hostile_cells_stop_nothing(tmp_path: Path, text: str) -> None:
    scan = scanned(tmp_path, notebook(text, QUEUE))

    assert [place[:3] for place in places(scan)] == [("unbounded-queue", 2, 3)]


PARTS = (
    "%time",
    "!ls",
    "x = !ls",
    "f?",
    "%%bash",
    "%%time",
    "if x:",
    "    y = 1",
    "'''",
    "(",
    ")",
    "\\",
    "queue.Queue()",
)


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.lists(st.sampled_from(PARTS), max_size=6).map("\n".join), max_size=4))
def test_cells_of_random_parts_leave_the_others_where_they_are(cells: list[str]) -> None:
    found = read_notebook(notebook(*cells, "here = 1"))

    assert found.text.split("\n")[found.cells[-1].first - 1] == "here = 1"
    assert found.cells[-1].number == len(cells) + 1


def test_notebooks_are_found_and_their_checkpoints_are_not(tmp_path: Path) -> None:
    for name in ("a.ipynb", ".ipynb_checkpoints/a-checkpoint.ipynb", "b.pyi", "c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(notebook(QUEUE) if name.endswith("ipynb") else b"")

    assert [file.name for file in discover([tmp_path]).files] == ["a.ipynb", "c.py"]


def test_a_notebook_is_reported_by_cell_and_line_and_is_not_measurable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nb.ipynb").write_bytes(notebook("!ls", "x = 1\n" + QUEUE))
    (tmp_path / "app.py").write_text("print(1)\n")
    command = [str(tmp_path), "--run", f"{sys.executable} {tmp_path / 'app.py'}", "--exit-zero", "--no-cache"]

    assert main([*command, "--output", str(tmp_path / "saved.json"), "--format", "json"]) == 0
    (finding,) = json.loads((tmp_path / "saved.json").read_text())["findings"]
    capsys.readouterr()
    assert main([*command[:1], "--static"]) == 0
    shown = capsys.readouterr().out
    assert main(["report", str(tmp_path / "saved.json"), "--format", "markdown"]) == 0

    assert (finding["path"], finding["cell"], finding["line"]) == ("nb.ipynb", 2, 4)
    assert finding["verdict"] == "not-measurable"
    assert finding["reason"].startswith("A notebook's cells are no module")
    assert finding["excerpt"][-1] == {"line": 4, "text": "jobs = queue.Queue()"}
    assert "nb.ipynb:cell 2:line 4  unbounded-queue" in shown
    assert "nb.ipynb:cell 2:line 4" in capsys.readouterr().out
