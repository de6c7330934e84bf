"""Costly programs with their harmless twins, of kinds that once got wrong verdicts: audited whole, in real processes.

A line of a program in `twins/` says in a comment what its suspect is to be called: `# costly: RULE` (confirmed),
`# harmless: RULE` (rejected), `# open: RULE` (neither).
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.test_static import audit

PROGRAMS = sorted((Path(__file__).parent / "twins").glob("[!_]*.py"))
WANTED = re.compile(r"# (costly|harmless|open): ([a-z-]+)")
WORDS = {"costly": ("confirmed",), "harmless": ("rejected",), "open": ("inconclusive", "not-measurable")}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_a_program_and_its_twin_are_told_apart(program: Path, tmp_path: Path) -> None:
    shutil.copy(program, tmp_path / "work.py")
    report = tmp_path / "report.json"

    result = audit(".", "--run", "python work.py", "--output", report, "--exit-zero", cwd=tmp_path)

    assert result.returncode == 0, result.stderr
    saved = json.loads(report.read_text())
    found = {(one["line"], one["rule"]): (one["verdict"], one["reason"]) for one in saved["findings"]}
    wrong = [
        f"line {number}: {rule} is to be {word}: {found.get((number, rule))}"
        for number, line in enumerate(program.read_text().splitlines(), 1)
        for word, rule in WANTED.findall(line)
        if found.get((number, rule), ("not flagged", ""))[0] not in WORDS[word]
    ]
    assert not wrong, "\n".join(wrong)


def test_every_program_wants_something() -> None:
    assert PROGRAMS
    for program in PROGRAMS:
        assert WANTED.search(program.read_text()), program.name
