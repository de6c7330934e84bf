"""Workflow commands of GitHub Actions: annotations on the lines of a change, the worst first.

GitHub shows ten of each kind a step and drops the rest silently, so no more are written, and the log says how many are
missing.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from auditor.report import figures
from auditor.report.attention import Level, level, message, open_findings, title
from auditor.report.places import shown_path
from auditor.report.printable import printable
from auditor.report.reporter import Reporter

if TYPE_CHECKING:
    from auditor.model import Finding, Remark, Report

_LIMIT = 10
_COMMANDS = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}


def render(report: Report) -> str:
    """A command a line, then what was left out."""
    lines = []
    met: Counter[Level] = Counter()
    for finding in open_findings(report):
        met[level(finding)] += 1
        if met[level(finding)] <= _LIMIT:
            lines.append(_command(report, finding))
    for remark in report.remarks:
        met[Level.NOTE] += 1
        if met[Level.NOTE] <= _LIMIT:
            lines.append(_remark(report, remark))
    for kind, count in sorted(met.items()):
        if count > _LIMIT:
            left = figures.counted(count - _LIMIT, f"further {_COMMANDS[kind]}")
            lines.append(f"audit: {left} not annotated: GitHub shows {_LIMIT} a step")
    lines.append(f"audit: {printable(overview_line(report))}")
    return "\n".join(lines) + "\n"


def overview_line(report: Report) -> str:
    """How many findings there are of each verdict."""
    kinds = Counter(finding.verdict.kind for finding in report.findings)
    counts = ", ".join(f"{count:,} {kind.value.replace('-', ' ')}" for kind, count in sorted(kinds.items()))
    return f"{figures.counted(len(report.findings), 'suspect')}{': ' if counts else ''}{counts}"


def _command(report: Report, finding: Finding) -> str:
    span = finding.suspect.span
    properties = {"title": title(finding), "file": shown_path(report, finding.suspect.path)}
    if finding.suspect.cell is None:
        properties |= {"line": str(span.line), "endLine": str(max(span.end_line, span.line))}
    if finding.suspect.cell is None and span.end_line == span.line:
        # with columns, GitHub refuses an annotation of several lines
        properties |= {"col": str(span.column), "endColumn": str(span.end_column)}
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[level(finding)]} {given}::{_data(message(finding))}"


def _remark(report: Report, remark: Remark) -> str:
    line = f",line={remark.line}" if remark.cell is None else ""
    where = f"title=audit,file={_property(shown_path(report, remark.path))}{line}"
    return f"::notice {where}::{_data(printable(remark.message))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


REPORTER = Reporter(name="github", suffixes=(".annotations.txt",), render=render)
