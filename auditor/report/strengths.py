"""What is in good order, with the numbers that say so."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from auditor.model import VerdictKind
from auditor.report import figures

if TYPE_CHECKING:
    from auditor.model import Report

_OPEN = (VerdictKind.CONFIRMED, VerdictKind.INCONCLUSIVE)


def strengths(report: Report) -> tuple[str, ...]:
    """Sentences worth saying to whoever wrote the code; none that a number does not carry."""
    sentences = (_rejected(report), _clean_files(report), _no_leak(report), _passed(report))
    return tuple(sentence for sentence in sentences if sentence)


def _rejected(report: Report) -> str:
    rejected = sum(finding.verdict.kind is VerdictKind.REJECTED for finding in report.findings)
    if not rejected:
        return ""
    verb = "was" if rejected == 1 else "were"
    return f"{rejected:,} of {figures.counted(len(report.findings), 'suspect')} {verb} rejected by measurement."


def _clean_files(report: Report) -> str:
    clean = report.files - len({finding.suspect.path for finding in report.findings})
    if clean <= 0:
        return ""
    verb = "has" if clean == 1 else "have"
    return f"{clean:,} of {figures.counted(report.files, 'file')} {verb} no suspect at all."


def _no_leak(report: Report) -> str:
    """The census, where it covers every place that was watched and none was left alive."""
    created: Counter[str] = Counter()
    for finding in report.findings:
        alive = [row.value for row in finding.verdict.evidence if row.metric == "alive_end"]
        made = [row for row in finding.verdict.evidence if row.metric == "created" and math.isfinite(row.value)]
        if not alive and not made:
            continue
        if finding.verdict.kind in _OPEN or not alive or any(value != 0 for value in alive):
            return ""
        for row in made:
            created[row.unit] += int(row.value)
    census = " and ".join(f"{count:,} {noun}" for noun, count in sorted(created.items()) if count)
    return f"No leak detected: of {census} created at the watched places, none was alive at the end." if census else ""


def _passed(report: Report) -> str:
    if not report.workloads or any(run.failed for run in report.workloads):
        return ""
    return f"{figures.counted(len(report.workloads), 'workload')} ended with exit code 0."
