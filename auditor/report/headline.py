"""The one sentence (or two) that a reader in a hurry reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.model import VerdictKind, ended
from auditor.report import figures

if TYPE_CHECKING:
    from auditor.model import Finding, Report


def headline(report: Report, confirmed: tuple[Finding, ...]) -> str:
    """What to do first; said plainly where nothing is to be done, and where the numbers are not to be trusted."""
    interrupted = "The audit was interrupted; what follows is incomplete." if report.interrupted else ""
    parts = (interrupted, _first(confirmed) if confirmed else _nothing(report), _doubt(report))
    return " ".join(part for part in parts if part)


def _first(confirmed: tuple[Finding, ...]) -> str:
    worst = confirmed[0]
    suspect = worst.suspect
    level = f", {worst.priority.value}" if worst.priority else ""
    bound = f": {figures.gain(worst.gain)} as fast if it cost nothing" if worst.gain else ""
    more = len(confirmed) - 1
    rest = f" {figures.counted(more, 'further finding is', 'further findings are').capitalize()} confirmed."
    return f"Start with {suspect.place} ({suspect.rule}{level}){bound}." + (
        rest if more else " Nothing else is confirmed."
    )


def _nothing(report: Report) -> str:
    if not (report.files or report.findings or report.set_aside):
        return "There was no Python file to look at."
    if not (report.findings or report.set_aside) and report.files == sum(skip.failed for skip in report.skipped):
        return f"Nothing was audited: {figures.counted(report.files, 'file')} could not be read."
    if not report.findings:
        kind = "new suspect" if any(one.change for one in report.set_aside) else "suspect"
        but = " but what is suppressed" if any(one.suppressed is not None for one in report.set_aside) else ""
        return f"No {kind} was found in {figures.counted(report.files, 'file')}{but}{_skipped(report)}."
    if not report.workloads:
        return _unmeasured(report)
    total = len(report.findings)
    rejected = _count(report, VerdictKind.REJECTED)
    if rejected == total:
        verb = "was" if total == 1 else "were all"
        return f"Nothing is confirmed: {figures.counted(total, 'suspect')} {verb} measured and rejected."
    unreached = _count(report, VerdictKind.NOT_EXERCISED)
    if unreached == total:
        reached = f"reached none of the {total:,} suspects" if total > 1 else "did not reach the one suspect"
        return f"Nothing is confirmed, and nothing is refuted: the workload {reached}."
    open_ones = total - rejected
    undecided = figures.counted(open_ones, "suspect remains", "suspects remain")
    return f"Nothing is confirmed: {rejected:,} of {total:,} suspects were measured and rejected, {undecided} open."


def _skipped(report: Report) -> str:
    count = len({one.path for one in report.skipped})
    return f", of which {count:,} {'was' if count == 1 else 'were'} skipped, all or in part" if count else ""


def _unmeasured(report: Report) -> str:
    said = [{one.kind for one in finding.remembered if one.stale is None} for finding in report.findings]
    confirmed = sum(VerdictKind.CONFIRMED in kinds for kinds in said)
    rejected = sum(VerdictKind.REJECTED in kinds and VerdictKind.CONFIRMED not in kinds for kinds in said)
    if not confirmed and not rejected:
        suspects = figures.counted(len(report.findings), "suspect")
        return f"Nothing was measured: {suspects} unproven."
    suspects = figures.counted(len(said), "suspect")
    return (
        f"Nothing was measured now. Of {suspects}, earlier measurements on the same code confirm {confirmed:,}"
        f" and reject {rejected:,}; {len(said) - confirmed - rejected:,} unproven."
    )


def _doubt(report: Report) -> str:
    failed = [run for run in report.workloads if run.failed]
    if not failed:
        return ""
    worst = failed[0]
    others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    how = ended(worst.exit_code)
    return f"Workload {worst.workload.name}{others} {how}: its numbers may not be those of a normal run."


def _count(report: Report, kind: VerdictKind) -> int:
    return sum(finding.verdict.kind is kind for finding in report.findings)
