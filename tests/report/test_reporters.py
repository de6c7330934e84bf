"""Reporters are found by file, cost nothing until they are used, and write what they wrote before.

`AUDIT_SNAPSHOTS=write pytest tests/report/test_reporters.py` writes the snapshots anew; look at the difference.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.model import Fixed, Unflagged
from auditor.report import reporters

from .factory import a_hostile_report, a_realistic_report, a_report

SNAPSHOTS = Path(__file__).parent / "snapshots"
NAMES = ("codescanning", "github", "gitlab", "html", "json", "junit", "markdown", "rdjson", "sarif", "terminal")


def test_every_file_of_the_package_is_a_reporter_under_its_own_name() -> None:
    assert tuple(reporters()) == NAMES
    assert [reporter.name for reporter in reporters().values()] == list(NAMES)


def test_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        reporters()["pdf"]
    assert "pdf" not in reporters()


@pytest.mark.parametrize(
    ("wanted", "spared"),
    [("", ("jinja2", "rich", "markupsafe")), ("json", ("jinja2", "rich")), ("terminal", ("jinja2",))],
)
def test_a_reporter_imports_only_what_it_needs(wanted: str, spared: tuple[str, ...]) -> None:
    use = f"reporters()[{wanted!r}]" if wanted else "list(reporters())"
    code = (
        f"import sys\nfrom auditor.report import reporters\n{use}\nprint([m for m in {spared!r} if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("report", [a_report(), a_report(workloads=()), a_hostile_report()])
def test_any_report_is_rendered_as_text_that_can_be_written(name: str, report: object) -> None:
    text = reporters()[name].render(report)  # type: ignore[arg-type]
    assert text.encode("utf-8")
    assert text.endswith("\n")


# SARIF carries the rules' pages, which change on their own
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("sarif", "codescanning")])
def test_a_realistic_report_is_rendered_as_before(name: str) -> None:
    reporter = reporters()[name]
    text = reporter.render(a_realistic_report())
    snapshot = SNAPSHOTS / f"realistic{reporter.suffixes[0]}"
    if os.environ.get("AUDIT_SNAPSHOTS") == "write":
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(text, encoding="utf-8")
    assert text == snapshot.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["html", "markdown", "json"])
def test_what_the_terminal_has_no_room_for_is_all_there(name: str) -> None:
    """The terminal sends its readers there."""
    gone = [Fixed("r", f"gone_{number}.py", "f", "it was slow") for number in range(24)]
    lost = [Unflagged("r", f"lost_{number}.py", "f", "it was slow", f"now_{number}.py:7") for number in range(24)]
    text = reporters()[name].render(a_report(fixed=tuple(gone), unflagged=tuple(lost)))

    assert all(f"gone_{number}.py" in text and f"now_{number}.py:7" in text for number in range(24))


def test_the_terminal_tells_what_is_gone_from_what_still_stands() -> None:
    text = reporters()["terminal"].render(
        a_report(fixed=(Fixed("r", "a.py", "f", "m"),), unflagged=(Unflagged("r", "b.py", "g", "m", "c.py:7"),))
    )

    assert "Fixed (1)\n  a.py f  r\n" in text
    assert "No longer flagged, though nothing shows that it is fixed (1)\n  b.py g  r  now at c.py:7\n" in text
    assert "1 fixed, 1 no longer flagged" in text
