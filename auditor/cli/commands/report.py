"""`audit report`: render a saved report again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.cli.delivery import deliver, outputs
from auditor.cli.gate import exit_code, known_gate
from auditor.errors import ReportError, why
from auditor.report import reporters

if TYPE_CHECKING:
    from auditor.model import Report
    from auditor.standing import Edited


def run(arguments: Sequence[str]) -> int:
    """Render, and return what `--fail-on` makes of the report.

    Raises:
        ReportError: the file cannot be read, or is no report.
        ConfigError: an option is unusable.
    """
    parser = argparse.ArgumentParser(prog="audit report", description="Render a saved report. Nothing is run.")
    parser.add_argument("file", type=Path, metavar="FILE.json")
    parser.add_argument("--base", type=Path, metavar="BASE.json", help="only what the report on this side lacks")
    parser.add_argument("--format", action="append", default=[], choices=tuple(reporters()))
    parser.add_argument("--output", action="append", default=[], type=Path, metavar="FILE")
    parser.add_argument("--fail-on", default="never", metavar="GATE", help="exit as `audit` would (default: never)")
    options = parser.parse_args(arguments)
    wanted = outputs(options.format, options.output)
    fail_on = known_gate(options.fail_on)
    report = _saved(options.file)
    if options.base is not None:
        report = _held_against(_saved(options.base), report)
    deliver(report, wanted, _root(report))
    return 0 if fail_on == "never" else exit_code(report, fail_on, allow_failure=False)


def _saved(file: Path) -> Report:
    from auditor.report.restored import from_json

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{file} cannot be read: {why(error)}") from error
    return from_json(text, str(file))


def _root(report: Report) -> Path | None:
    """What its paths lead from, if that is here."""
    from auditor.scan.files import repository_of

    root = (repository_of(Path.cwd()) or Path.cwd()) / report.prefix
    is_here = any((root / one.suspect.path).exists() for one in (*report.findings, *report.set_aside))
    return root if is_here else None


def _held_against(base: Report, report: Report) -> Report:
    from auditor.bot.change import held_against

    return held_against(report, base, _between(base, report))


def _between(base: Report, report: Report) -> tuple[Edited, ...]:
    """What git says of the change, if what was audited is checked out here; without it, code is known by its text."""
    from auditor.comparing import edited_since
    from auditor.history import head, is_revision
    from auditor.scan.files import repository_of

    repository = repository_of(Path.cwd())
    if repository is None or not base.commit or head(repository) != report.commit:
        return ()
    return edited_since(repository, base.commit) if is_revision(repository, base.commit) else ()
