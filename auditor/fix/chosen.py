"""Which findings are fixed: what evidence, new or remembered, says of them decides."""

from __future__ import annotations

from auditor.model import Finding, VerdictKind


def is_confirmed(finding: Finding) -> bool:
    """Whether evidence that still holds confirms the suspicion."""
    return VerdictKind.CONFIRMED in _said(finding)


def is_rejected(finding: Finding) -> bool:
    """Whether evidence that still holds rejects the suspicion, and none confirms it."""
    return VerdictKind.REJECTED in _said(finding) and not is_confirmed(finding)


def _said(finding: Finding) -> set[VerdictKind]:
    return {finding.verdict.kind, *(one.kind for one in finding.remembered if one.stale is None)}
