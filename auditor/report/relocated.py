"""A report as somebody in another directory reads it: places that can be clicked, or opened from there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.model import Finding, Report, WorkloadRun

_Way = Callable[[str], str]


def seen_from(here: Path, report: Report, root: Path) -> Report:
    """The report with its paths, which lead from `root`, as they lead from `here` (both absolute).

    They are whole where neither directory lies in the other.
    """
    if here == root:
        return report
    near = root.is_relative_to(here) or here.is_relative_to(root)

    def way(path: str) -> str:
        # also of "path:line"; what is given from the root of the file system stays so
        whole = os.path.normpath(root / path)
        return os.path.relpath(whole, here) if near and not os.path.isabs(path) else whole  # noqa: PTH117

    return replace(
        report,
        findings=tuple(_finding(one, way) for one in report.findings),
        set_aside=tuple(_finding(one, way) for one in report.set_aside),
        workloads=tuple(_run(one, way) for one in report.workloads),
        skipped=tuple(replace(one, path=way(one.path)) for one in report.skipped),
        remarks=tuple(replace(one, path=way(one.path)) for one in report.remarks),
        fixed=tuple(replace(one, path=way(one.path)) for one in report.fixed),
        unflagged=tuple(replace(one, path=way(one.path), stands=way(one.stands)) for one in report.unflagged),
    )


def _finding(finding: Finding, way: _Way) -> Finding:
    suspect = finding.suspect
    return replace(
        finding, suspect=replace(suspect, path=way(suspect.path), chain=tuple(_step(one, way) for one in suspect.chain))
    )


def _step(step: str, way: _Way) -> str:
    """A step of a chain: "name (path:line)"."""
    name, opening, place = step.rpartition(" (")
    return f"{name}{opening}{way(place)}" if opening else step


def _run(run: WorkloadRun, way: _Way) -> WorkloadRun:
    still, waits = run.standstill, run.waits
    return replace(
        run,
        standstill=still and replace(still, lines=tuple((way(place), spent) for place, spent in still.lines)),
        waits=waits and replace(waits, lines=tuple((way(place), spent) for place, spent in waits.lines)),
    )
