"""From a report to standard output and files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import ConfigError, ReportError
from auditor.report import reporters

if TYPE_CHECKING:
    from auditor.model import Report


def outputs(formats: Sequence[str], files: Sequence[Path]) -> list[tuple[str, Path | None]]:
    """Pairs of format and file; None stands for standard output, which always gets one."""
    pairs: list[tuple[str, Path | None]] = []
    for index, file in enumerate(files):
        if index < len(formats):
            pairs.append((formats[index], file))
        else:
            pairs.append((_format_of(file), file))
    surplus = list(formats[len(files) :])
    if len(surplus) > 1:
        raise ConfigError(f"--format {' and '.join(surplus)} would both go to standard output; add --output FILE")
    return [*pairs, (surplus[0] if surplus else "terminal", None)]


def _format_of(file: Path) -> str:
    fitting = [
        (len(suffix), name)
        for name, reporter in reporters().items()
        for suffix in reporter.suffixes
        if file.name.lower().endswith(suffix)
    ]
    if fitting:
        return max(fitting)[1]
    raise ConfigError(f"--output {file}: its suffix does not tell the format; add --format")


def deliver(report: Report, wanted: Sequence[tuple[str, Path | None]], root: Path | None = None) -> None:
    """Render the report once for each format wanted; None stands for standard output.

    `root` (absolute) is what the report's paths lead from, None if that is not known: in a terminal, they lead from the
    working directory.
    """
    for name, file in wanted:
        if file is not None:
            _write(file, reporters()[name].render(report))
        elif name == "terminal":
            from auditor.report.relocated import seen_from
            from auditor.report.reporters.terminal import print_report
            from auditor.report.sheet import sheet

            print_report(report if root is None else seen_from(Path.cwd(), report, root), sheet(sys.stdout))
        else:
            sys.stdout.write(reporters()[name].render(report))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{file} cannot be written: {error.strerror}") from error
