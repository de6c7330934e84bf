"""GitLab's Code Quality report, which its merge requests compare with that of the target branch."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from auditor.model import Priority, VerdictKind
from auditor.report.attention import message, open_findings
from auditor.report.places import repository_path, shown_path
from auditor.report.printable import printable
from auditor.report.reporter import Reporter

if TYPE_CHECKING:
    from auditor.model import Finding, Report

_SEVERITIES = {Priority.P0: "blocker", Priority.P1: "critical", Priority.P2: "major"}


def render(report: Report) -> str:
    """A JSON array; what is rejected is not in it."""
    return json.dumps([_issue(report, finding) for finding in open_findings(report)], indent=2) + "\n"


def _issue(report: Report, finding: Finding) -> dict[str, object]:
    span = finding.suspect.span
    lines = {"begin": span.line, "end": max(span.end_line, span.line)}
    return {
        "description": message(finding).replace("\n", " "),
        "check_name": printable(finding.suspect.rule),
        "fingerprint": _fingerprint(report, finding),
        "severity": _severity(finding),
        "location": {
            "path": shown_path(report, finding.suspect.path),
            "lines": lines if finding.suspect.cell is None else {"begin": 1},
        },
    }


def _severity(finding: Finding) -> str:
    if finding.verdict.kind is not VerdictKind.CONFIRMED:
        return "info"
    return _SEVERITIES.get(finding.priority, "minor") if finding.priority else "minor"


def _fingerprint(report: Report, finding: Finding) -> str:
    """The same whatever directory the audit was started for; GitLab drops findings of equal fingerprints."""
    suspect = finding.suspect
    parts = (repository_path(report, suspect.path), suspect.context or suspect.fingerprint)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


REPORTER = Reporter(name="gitlab", suffixes=(".codequality.json", "gl-code-quality-report.json"), render=render)
