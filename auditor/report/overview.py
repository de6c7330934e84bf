"""What every reporter says of a report: its findings in reading order, its counts, its headline. Pure derivations."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.model import Change, Priority, VerdictKind
from auditor.report.boundness import boundness
from auditor.report.census import alive_at_end
from auditor.report.headline import headline
from auditor.report.standstill import stood_still
from auditor.report.strengths import strengths
from auditor.report.waits import waited_for_threads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.model import Finding, Remark, Report, Skip


@dataclass(frozen=True, slots=True)
class Group:
    """Confirmed findings of one priority; `name` is "" for those that were given none."""

    name: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """A report in reading order. `stats` are (what, how many) rows, `first_files` (path, confirmed findings)."""

    report: Report
    headline: str
    stats: tuple[tuple[str, str], ...]
    strengths: tuple[str, ...]
    groups: tuple[Group, ...]
    confirmed: tuple[Finding, ...]
    rejected: tuple[Finding, ...]
    inconclusive: tuple[Finding, ...]
    not_exercised: tuple[Finding, ...]
    not_measurable: tuple[Finding, ...]
    suspected: tuple[Finding, ...]
    skipped: tuple[Skip, ...]
    remarks: tuple[Remark, ...]
    compared: tuple[tuple[str, int], ...]
    first_files: tuple[tuple[str, int], ...]


def overview(report: Report) -> Overview:
    """Everything that is derived from `report` for display."""
    confirmed = _by_priority(_of(report, VerdictKind.CONFIRMED))
    return Overview(
        report=report,
        headline=headline(report, confirmed),
        stats=_stats(report),
        strengths=strengths(report),
        groups=_groups(confirmed),
        confirmed=confirmed,
        rejected=_by_rule(_of(report, VerdictKind.REJECTED)),
        inconclusive=_by_priority(_of(report, VerdictKind.INCONCLUSIVE)),
        not_exercised=_by_place(_of(report, VerdictKind.NOT_EXERCISED)),
        not_measurable=_by_place(_of(report, VerdictKind.NOT_MEASURABLE)),
        suspected=_by_memory(_of(report, VerdictKind.SUSPECTED)),
        skipped=tuple(sorted(report.skipped, key=lambda skip: (skip.path, skip.reason))),
        remarks=tuple(sorted(report.remarks, key=lambda one: (one.path, one.cell or 0, one.line, one.column))),
        compared=tuple((name.lower(), count) for name, count in _compared(report) if count),
        first_files=_first_files(confirmed),
    )


def location(finding: Finding) -> str:
    """`path:line:column`, which editors and terminals open; `path:cell 3:line 5` in a notebook."""
    suspect = finding.suspect
    return suspect.place if suspect.cell is not None else f"{suspect.place}:{suspect.span.column}"


def known(finding: Finding) -> VerdictKind:
    """The verdict that stands: the audit's own, or the remembered one that still holds where nothing was measured."""
    holding = [one.kind for one in finding.remembered if one.stale is None]
    return holding[0] if holding and finding.verdict.kind is VerdictKind.SUSPECTED else finding.verdict.kind


def flagged(finding: Finding, line: int) -> bool:
    """Whether `line` belongs to the flagged span."""
    span = finding.suspect.span
    last = span.end_line if span.end_column > 1 else span.end_line - 1
    return span.line <= line <= max(span.line, last)


def changes(finding: Finding) -> tuple[str, ...]:
    """The lines of the finding's fix, each with the sign of a diff, without its headers; "..." between hunks."""
    if finding.fix is None:
        return ()
    found: list[str] = []
    inside = False
    for line in finding.fix.diff.split("\n"):
        if line.startswith("@@"):
            if inside:
                found.append("...")
            inside = True
        elif inside and line[:1] in (" ", "-", "+") and line:
            found.append(line.removesuffix("\r"))
    return tuple(found)


def _of(report: Report, kind: VerdictKind) -> tuple[Finding, ...]:
    return tuple(finding for finding in report.findings if finding.verdict.kind is kind)


def _by_priority(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (_rank(finding), -_cost(finding), *_place(finding))))


def _by_rule(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: (finding.suspect.rule, *_place(finding))))


def _by_place(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=_place))


def _by_memory(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What is known to be costly first, what is known not to be last."""
    weight = {VerdictKind.CONFIRMED: 0, VerdictKind.REJECTED: 2}
    return tuple(sorted(findings, key=lambda finding: (weight.get(known(finding), 1), *_place(finding))))


def _place(finding: Finding) -> tuple[object, ...]:
    suspect = finding.suspect
    return suspect.path, suspect.cell or 0, suspect.span, suspect.rule, suspect.fingerprint


def _rank(finding: Finding) -> str:
    return finding.priority.value if finding.priority else "unranked"  # Sorts after "P3".


def _cost(finding: Finding) -> float:
    """Seconds measured at the finding, 0 where its evidence is of another kind."""
    seconds = [row.value for row in finding.verdict.evidence if row.unit == "s" and math.isfinite(row.value)]
    return max(seconds, default=0.0)


def _groups(confirmed: tuple[Finding, ...]) -> tuple[Group, ...]:
    names = [*(priority.value for priority in Priority), ""]
    members = [
        (name, tuple(one for one in confirmed if (one.priority.value if one.priority else "") == name))
        for name in names
    ]
    return tuple(Group(name, findings) for name, findings in members if findings)


def _stats(report: Report) -> tuple[tuple[str, str], ...]:
    verdicts = Counter(finding.verdict.kind for finding in report.findings)
    levels = Counter(one.priority for one in report.findings if one.verdict.kind is VerdictKind.CONFIRMED)
    ranked = ", ".join(f"{levels[priority]} {priority.value}" for priority in Priority if levels[priority])
    confirmed = f"{verdicts[VerdictKind.CONFIRMED]:,}" + (f" ({ranked})" if ranked else "")
    others = [kind for kind in VerdictKind if kind is not VerdictKind.CONFIRMED]
    return (
        ("Files", f"{report.files:,}"),
        ("Lines", f"{report.lines:,}"),
        ("Files skipped", f"{len(report.skipped):,}"),
        ("Workloads", f"{len(report.workloads):,}"),
        ("Suspects", f"{len(report.findings):,}"),
        ("Confirmed", confirmed),
        *((kind.value.replace("-", " ").capitalize(), f"{verdicts[kind]:,}") for kind in others if verdicts[kind]),
        *((name, f"{count:,}") for name, count in _compared(report) if count),
        *((f"Workload {run.workload.name}", held_up) for run in report.workloads if (held_up := boundness(run))),
        *(
            (f"Waits of {run.workload.name}", waited[:1].upper() + waited[1:])
            for run in report.workloads
            if (waited := waited_for_threads(run))
        ),
        *(
            (f"Event loop of {run.workload.name}", still[:1].upper() + still[1:])
            for run in report.workloads
            if (still := stood_still(run))
        ),
        *(
            (f"Tasks and threads of {run.workload.name}", alive[:1].upper() + alive[1:])
            for run in report.workloads
            if (alive := alive_at_end(report, run))
        ),
    )


def _compared(report: Report) -> tuple[tuple[str, int], ...]:
    every = (*report.findings, *report.set_aside)
    return (
        ("Introduced", sum(one.change is Change.INTRODUCED for one in report.findings)),
        ("Pre-existing", sum(one.change is Change.PRE_EXISTING for one in every)),
        ("Fixed", len(report.fixed)),
        ("No longer flagged", len(report.unflagged)),
        ("Suppressed", sum(one.suppressed is not None for one in report.set_aside)),
    )


def _first_files(confirmed: tuple[Finding, ...]) -> tuple[tuple[str, int], ...]:
    counts = Counter(finding.suspect.path for finding in confirmed)
    return tuple(counts.items())  # In order of first appearance: the worst finding's file first.
