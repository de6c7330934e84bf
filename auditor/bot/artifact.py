"""Reading reports that a stranger's code may have written.

A report made for a pull request from a fork is hostile input: nothing in it is believed beyond its shape, its size is
bounded before it is parsed, and whatever of it is shown goes through the escaping of `auditor.report.markdown`.
"""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from auditor.errors import ReportError, why
from auditor.report.restored import from_json

if TYPE_CHECKING:
    from auditor.model import Finding, Report, Suspect

MOST_BYTES = 64 * 1024 * 1024
"""A report on a million lines has about a tenth of this."""

_LONGEST = 2_000
_LONGEST_NAME = 200
_LONGEST_OF_ALL = 100_000
"""No fix that is suggested comes near it."""

_LAST_LINE = 2**31 - 1


def load_report(file: Path) -> Report:
    """The report in `file`, without findings whose place no repository has, and with overlong texts cut.

    Raises:
        ReportError: the file cannot be read, is no regular file, is too large, or is not a report.
    """
    try:
        found = file.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise ReportError(f"{file} is not a regular file; give the report that `audit --format json` wrote")
        if found.st_size > MOST_BYTES:
            raise ReportError(f"{file} has {found.st_size:,} bytes, a report has at most {MOST_BYTES:,}")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{file} cannot be read: {why(error)}") from error
    report = from_json(text, str(file), _LONGEST_OF_ALL)
    return replace(
        report,
        findings=tuple(_cut(one) for one in report.findings if _is_inside(one.suspect)),
        set_aside=tuple(_cut(one) for one in report.set_aside if _is_inside(one.suspect)),
    )


def _is_inside(suspect: Suspect) -> bool:
    path = suspect.path
    pure = PurePosixPath(path)
    plain = bool(path) and not pure.is_absolute() and ".." not in pure.parts and "\0" not in path
    return plain and len(path) <= _LONGEST and 1 <= suspect.span.line <= _LAST_LINE


def _cut(finding: Finding) -> Finding:
    suspect, verdict = finding.suspect, finding.verdict
    return replace(
        finding,
        suspect=replace(
            suspect,
            span=replace(suspect.span, end_line=min(suspect.span.end_line, _LAST_LINE)),
            rule=suspect.rule[:_LONGEST_NAME],
            message=suspect.message[:_LONGEST],
            symbol=suspect.symbol[:_LONGEST],
        ),
        verdict=replace(verdict, reason=verdict.reason[:_LONGEST]),
    )
