"""What is said of the tasks, threads and descriptors that there were when a workload ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.model import VerdictKind
from auditor.report import figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.model import Alive, Census, Report, WorkloadRun

MANY = 5
"""So many of one kind in one process (of pools: so many pools made in one place) may be a leak, fewer a fixed crew."""

MANY_OPEN = 20
"""Of files and sockets: a pool of connections keeps 10 as a rule."""

COMPILED = "compiled code"
"""What threads run that never ran Python: crews of libraries, of which nothing more is known."""

_OPEN = ("file", "socket")
_SHOWN = 3


def alive_at_end(report: Report, run: WorkloadRun) -> str:
    """One sentence; "" where nothing was counted.

    That no leak was detected is said only if every task and thread is accounted for: the main thread, the workers of
    fewer than `MANY` pools, or fewer than `MANY` that run the same and wait for the same, and if there are fewer than
    `MANY_OPEN` files or sockets of one kind, and descriptors did not go on becoming more. No finding may be open that
    says otherwise.
    """
    census = run.census
    if census is None:
        return ""
    total = f"{_number(census.tasks, 'task')}, {_number(census.threads, 'thread')}"
    many = [one for one in census.alive if _is_many(one)]
    if many or census.gained:
        told = "; ".join([*_growing(census), *(_told(one) for one in many[:_SHOWN])])
        rest = f"; and {figures.counted(len(many) - _SHOWN, 'group')} more" if len(many) > _SHOWN else ""
        sentence = f"alive at the end: {total}{_open_in_all(census, many)}; {told}{rest}"
    elif _is_open(report, run):
        sentence = f"alive at the end: {total}; see the findings"
    else:
        sentence = f"no leak detected: {total}, all accounted for"
    return sentence + _not_looked_into(census)


def _is_many(one: Alive) -> bool:
    if one.runs == COMPILED:
        return False
    return (one.most or one.pools or one.count) >= (MANY_OPEN if one.kind in _OPEN else MANY)


def _growing(census: Census) -> list[str]:
    gained = census.gained
    if gained is None:
        return []
    over = f"{figures.number(round(gained.over, 1))} {gained.unit}"
    return [
        f"open descriptors became more and more: {figures.number(round(gained.count))} in the middle half of {over}"
    ]


def _open_in_all(census: Census, many: Sequence[Alive]) -> str:
    """Descriptors are counted out only where they matter."""
    if not census.gained and not any(one.kind in _OPEN for one in many):
        return ""
    return f", {_number(census.files, 'file')}, {_number(census.sockets, 'socket')}"


def _not_looked_into(census: Census) -> str:
    compiled = sum(one.count for one in census.alive if one.runs == COMPILED)
    parts = [f"{figures.counted(compiled, 'thread')} of compiled code"] if compiled else []
    if census.unseen:
        parts.append(f"{figures.counted(census.unseen, 'process', 'processes')} ended too early to be counted")
    return f" ({'; '.join(parts)})" if parts else ""


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _told(one: Alive) -> str:
    if one.kind in _OPEN:
        opened = f", opened at {one.made}" if one.made else ""
        leads = f" {'in ' if one.kind == 'file' else ''}{one.runs}" if one.runs else ""
        return f"{figures.counted(one.count, one.kind)}{leads}{opened}"
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
