"""What is said of the tasks and threads that were alive when a workload ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.model import VerdictKind
from auditor.report import figures

if TYPE_CHECKING:
    from auditor.model import Alive, Report, WorkloadRun

MANY = 5
"""So many of one kind (of pools: so many pools made in one place) are no fixed crew any more, but may be a leak."""

_SHOWN = 3


def alive_at_end(report: Report, run: WorkloadRun) -> str:
    """One sentence; "" where nothing was counted.

    That no leak was detected is said only if every task and thread is accounted for: the main thread, the workers of
    fewer than `MANY` pools, or fewer than `MANY` that run the same and wait for the same. No finding may be open that
    says otherwise.
    """
    census = run.census
    if census is None:
        return ""
    total = f"{_number(census.tasks, 'task')}, {_number(census.threads, 'thread')}"
    many = [one for one in census.alive if (one.pools or one.count) >= MANY]
    if many:
        told = "; ".join(_told(one) for one in many[:_SHOWN])
        rest = f"; and {figures.counted(len(many) - _SHOWN, 'group')} more" if len(many) > _SHOWN else ""
        sentence = f"alive at the end: {total}; {told}{rest}"
    elif _is_open(report, run):
        sentence = f"alive at the end: {total}; see the findings"
    else:
        sentence = f"no leak detected: {total}, all accounted for"
    unseen = f" ({figures.counted(census.unseen, 'process', 'processes')} ended too early to be counted)"
    return sentence + (unseen if census.unseen else "")


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _told(one: Alive) -> str:
    made = f", started at {one.made}" if one.made else ""
    pools = f" of {figures.counted(one.pools, 'pool')}" if one.pools else ""
    waits = f", waiting in {one.waits}" if one.waits else ""
    return f"{figures.counted(one.count, one.kind)}{pools} running {one.runs}{made}{waits}"


def _is_open(report: Report, run: WorkloadRun) -> bool:
    """Whether a finding that is not settled saw something left of what was created."""
    return any(
        row.metric in ("alive_end", "destroyed_pending") and row.workload == run.workload.name and row.high > 0
        for finding in (*report.findings, *report.set_aside)
        if finding.verdict.kind in (VerdictKind.CONFIRMED, VerdictKind.INCONCLUSIVE)
        for row in finding.verdict.evidence
    )
