"""What is said of how long the event loops of a workload stood still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.report import figures

if TYPE_CHECKING:
    from auditor.model import WorkloadRun

TELLING = 0.1
"""Lines that had less than this part of the time are left out."""


def stood_still(run: WorkloadRun) -> str:
    """One sentence; "" where no turn of an event loop took long, and all were timed."""
    found = run.standstill
    if found is None:
        return ""
    parts = []
    if found.turns:
        total, longest = (figures.quantity("seconds", value, "s") for value in (found.total_s, found.longest_s))
        times = f"{figures.counted(found.turns, 'time')} for 0.05 s or more"
        parts.append(f"the event loop stood still {times}, {total} in all and {longest} at most")
    if found.hidden:
        parts.append(f"how long {'uvloop' if found.turns else 'the event loop, uvloop,'} stood still is not known")
    least = 0.0 if found.hidden else TELLING * found.total_s
    told = [
        f"{place} ({figures.quantity('seconds', seconds, 's')})" for place, seconds in found.lines if seconds >= least
    ]
    return "; ".join([*parts, *([f"it was busiest at {', '.join(told)}"] if told else [])])
