"""SARIF 2.1.0 with every finding: rejected ones as passed and suppressed, for tools that keep to the standard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.report.attention import open_findings
from auditor.report.overview import overview
from auditor.report.reporter import Reporter
from auditor.report.sarif import document

if TYPE_CHECKING:
    from auditor.model import Report


def render(report: Report) -> str:
    """The log as JSON."""
    return document(report, (*open_findings(report), *overview(report).rejected, *report.set_aside))


REPORTER = Reporter(name="sarif", suffixes=(".sarif", ".sarif.json"), render=render, fixes=True)
