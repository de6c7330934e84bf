"""Running a small program under probes, for the tests of the probes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from auditor.evidence.base import Outcome, Question, Session
from auditor.evidence.passes.probes import PASS
from auditor.model import Cost, Evidence, Gap, Site, Span, Suspect, Workload

PYTHONS = sorted(
    {
        sys.executable,
        *(
            str(python)
            for version in range(8, 15)
            for python in Path.home().glob(f".pyenv/versions/3.{version}.*/bin/python")
        ),
        *filter(None, (shutil.which(f"python3.{version}", path="/usr/bin:/usr/local/bin") for version in range(8, 15))),
    }
)
"""The interpreters that are here, our own among them."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What the probes said of one program. `rows` are those of the flagged stretches, in the order given."""

    outcome: Outcome
    rows: tuple[tuple[Evidence | Gap, ...], ...]

    def value(self, metric: str, index: int = 0) -> float:
        """The value of a metric of the stretch at `index`."""
        return self.row(metric, index).value

    def row(self, metric: str, index: int = 0) -> Evidence:
        """The evidence of a metric of the stretch at `index`."""
        (found,) = (row for row in self.rows[index] if isinstance(row, Evidence) and row.metric == metric)
        return found

    def has(self, metric: str, index: int = 0) -> bool:
        """Whether that metric was measured."""
        return any(isinstance(row, Evidence) and row.metric == metric for row in self.rows[index])

    def gaps(self, index: int = 0) -> list[str]:
        """Reasons of what could not be measured."""
        return [row.reason for row in self.rows[index] if isinstance(row, Gap)]


def probe(
    directory: Path,
    program: str,
    *flagged: tuple[str, str],
    name: str = "program.py",
    command: str = "",
    python: str = sys.executable,
) -> Probed:
    """Write `program`, flag stretches of it as (probe name, its exact text), and run it."""
    file = directory / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(program, encoding="utf-8")
    suspects = [_suspect(program, name, index, *pair) for index, pair in enumerate(flagged)]
    scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=directory))
    workload = Workload("test", command or f"{python} {name}", str(directory))
    session = Session(target=directory, workload=workload, scratch=scratch)
    outcome = PASS.measure([Question(suspect, Cost()) for suspect in suspects], session)
    return Probed(outcome, tuple(tuple(outcome.rows.get(suspect.fingerprint, ())) for suspect in suspects))


def _suspect(program: str, name: str, index: int, probe_name: str, text: str) -> Suspect:
    assert program.count(text) == 1, f"{text!r} stands {program.count(text)} times in the program"
    span = _span(program, program.index(text), program.index(text) + len(text))
    function = Span(1, 1, program.count("\n") + 1, 1)
    return Suspect("test", name, span, "<module>", "", f"f{index}", (Site(probe_name, span),), function)


def _span(program: str, start: int, end: int) -> Span:
    def place(offset: int) -> tuple[int, int]:
        before = program[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    return Span(*place(start), *place(end))


def plainly(directory: Path, name: str = "program.py", python: str = sys.executable) -> tuple[int, str]:
    """Exit code and output of the program without probes."""
    result = subprocess.run(
        [python, name],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return result.returncode, result.stdout
