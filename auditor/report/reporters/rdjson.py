"""The format of reviewdog, which comments on the lines of a change at any forge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from auditor.report.attention import Level, is_offered, level, message, open_findings
from auditor.report.links import documentation, rule_page
from auditor.report.places import byte_columns, shown_path
from auditor.report.printable import printable
from auditor.report.reporter import Reporter

if TYPE_CHECKING:
    from auditor.model import Finding, Report, Span

_SEVERITIES = {Level.ERROR: "ERROR", Level.WARNING: "WARNING", Level.NOTE: "INFO"}


def render(report: Report) -> str:
    """A `DiagnosticResult`; what is rejected is not in it."""
    diagnostics = [_diagnostic(report, finding) for finding in open_findings(report)]
    return (
        json.dumps({"source": _linked("name", "audit", documentation()), "diagnostics": diagnostics}, indent=2) + "\n"
    )


def _linked(key: str, text: str, url: str) -> dict[str, str]:
    return {key: text, "url": url} if url else {key: text}


def _diagnostic(report: Report, finding: Finding) -> dict[str, object]:
    suspect = finding.suspect
    lines = {"start": {"line": suspect.span.line}, "end": {"line": max(suspect.span.end_line, suspect.span.line)}}
    location: dict[str, object] = {"path": shown_path(report, suspect.path)}
    if suspect.cell is None:
        location["range"] = _range(finding, suspect.span) or lines
    said: dict[str, object] = {
        "message": message(finding),
        "location": location,
        "severity": _SEVERITIES[level(finding)],
        "code": _linked("value", printable(suspect.rule), rule_page(suspect.rule)),
    }
    suggestions = _suggestions(finding)
    return {**said, "suggestions": suggestions} if suggestions else said


def _suggestions(finding: Finding) -> list[dict[str, object]]:
    """The fix, if it is safe and all of its places can be told in bytes: half a fix is none."""
    if finding.fix is None or not finding.fix.safe or not is_offered(finding.fix):
        return []
    if finding.suspect.cell is not None:
        return []
    ranges = [_range(finding, edit.span) for edit in finding.fix.edits]
    if None in ranges:
        return []
    return [{"range": where, "text": edit.text} for where, edit in zip(ranges, finding.fix.edits, strict=True)]


def _range(finding: Finding, span: Span) -> dict[str, dict[str, int]] | None:
    columns = byte_columns(finding, span)
    if columns is None:
        return None
    return {
        "start": {"line": span.line, "column": columns[0]},
        "end": {"line": span.end_line, "column": columns[1]},
    }


REPORTER = Reporter(name="rdjson", suffixes=(".rdjson", ".rdjson.json"), render=render, fixes=True)
