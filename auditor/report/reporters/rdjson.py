"""The format of reviewdog, which comments on the lines of a change at any forge."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from auditor.report.attention import Level, level, message, open_findings
from auditor.report.places import byte_columns, shown_path
from auditor.report.printable import printable
from auditor.report.reporter import Reporter

if TYPE_CHECKING:
    from auditor.model import Finding, Report

_SEVERITIES = {Level.ERROR: "ERROR", Level.WARNING: "WARNING", Level.NOTE: "INFO"}


def render(report: Report) -> str:
    """A `DiagnosticResult`; what is rejected is not in it."""
    diagnostics = [_diagnostic(report, finding) for finding in open_findings(report)]
    return json.dumps({"source": {"name": "audit"}, "diagnostics": diagnostics}, indent=2) + "\n"


def _diagnostic(report: Report, finding: Finding) -> dict[str, object]:
    suspect = finding.suspect
    return {
        "message": message(finding),
        "location": {"path": shown_path(report, suspect.path), "range": _range(finding)},
        "severity": _SEVERITIES[level(finding)],
        "code": {"value": printable(suspect.rule)},
    }


def _range(finding: Finding) -> dict[str, dict[str, int]]:
    """The flagged span; whole lines where its columns are not known in bytes."""
    span = finding.suspect.span
    columns = byte_columns(finding)
    if columns is None:
        return {"start": {"line": span.line}, "end": {"line": max(span.end_line, span.line)}}
    return {
        "start": {"line": span.line, "column": columns[0]},
        "end": {"line": span.end_line, "column": columns[1]},
    }


REPORTER = Reporter(name="rdjson", suffixes=(".rdjson", ".rdjson.json"), render=render)
