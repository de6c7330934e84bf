"""Where a finding lies, as other tools want to be told: from the repository, as a URI, in bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from auditor.report.printable import printable

if TYPE_CHECKING:
    from auditor.model import Finding, Report, Span


def repository_path(report: Report, path: str) -> str:
    """`path` from the repository on, with forward slashes."""
    return f"{report.prefix}/{path}" if report.prefix else path


def shown_path(report: Report, path: str) -> str:
    """The same in characters that can be written and shown."""
    return printable(repository_path(report, path))


def uri(report: Report, path: str) -> str:
    """The same as a relative URI; bytes that are not UTF-8 keep their values."""
    whole = repository_path(report, path)
    try:
        return quote(whole.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        # no file system yields such a name, but a saved report may hold it
        return quote(whole.encode("utf-8", "replace"))


def byte_columns(finding: Finding, span: Span) -> tuple[int, int] | None:
    """Columns of both ends of `span`, from 1, in bytes of UTF-8; None if the finding's excerpt lacks its lines."""
    lines = dict(finding.excerpt)
    if span.line not in lines or span.end_line not in lines:
        return None
    return _bytes(lines[span.line], span.column), _bytes(lines[span.end_line], span.end_column)


def _bytes(line: str, column: int) -> int:
    return len(line[: max(column - 1, 0)].encode("utf-8", "surrogatepass")) + 1
