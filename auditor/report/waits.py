"""What is said of how long a workload waited for its own threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.report import figures

if TYPE_CHECKING:
    from auditor.model import WorkloadRun

NOTEWORTHY = 0.05
"""Of the time; below, nobody would look for what was waited for."""


def waited_for_threads(run: WorkloadRun) -> str:
    """One sentence; "" where its main threads hardly waited for others."""
    found = run.waits
    if found is None or found.seconds < NOTEWORTHY * found.watched_s:
        return ""
    least = NOTEWORTHY * found.watched_s
    total, watched = (figures.quantity("seconds", value, "s") for value in (found.seconds, found.watched_s))
    kinds = ", ".join(_told(found.kinds, least))
    lines = ", ".join(_told(found.lines, least))
    where = f", most at {lines}" if lines else ""
    return f"the main thread waited {total} of {watched} for other threads: {kinds or 'many things'}{where}"


def _told(spent: tuple[tuple[str, float], ...], least: float) -> list[str]:
    return [f"{name} ({figures.quantity('seconds', seconds, 's')})" for name, seconds in spent if seconds >= least]
