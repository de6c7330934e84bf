"""SARIF for the upload to GitHub's code scanning, which opens an alert for every result, passed and suppressed or not.

So only what is not rejected is in it, as a plain problem with its level; what left it counts as fixed there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.report.attention import open_findings
from auditor.report.reporter import Reporter
from auditor.report.sarif import document

if TYPE_CHECKING:
    from auditor.model import Report


def render(report: Report) -> str:
    """The log as JSON."""
    return document(report, open_findings(report), alerts=True)


REPORTER = Reporter(name="codescanning", suffixes=(".codescanning.sarif",), render=render, fixes=True)
