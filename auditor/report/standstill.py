"""What is said of how long the event loops of a workload stood still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.report import figures

if TYPE_CHECKING:
    from auditor.model import WorkloadRun

TELLING = 0.1
"""Lines that had less than this part of the time are left out."""


def stood_still(run: WorkloadRun) -> str:
    """One sentence; "" where no turn of an event loop took long."""
    found = run.standstill
    if found is None:
        return ""
    total, longest = (figures.quantity("seconds", value, "s") for value in (found.total_s, found.longest_s))
    times = f"{figures.counted(found.turns, 'time')} for 0.05 s or more"
    sentence = f"the event loop stood still {times}, {total} in all and {longest} at most"
    told = [
        f"{place} ({figures.quantity('seconds', seconds, 's')})"
        for place, seconds in found.lines
        if seconds >= TELLING * found.total_s
    ]
    return f"{sentence}; it was busiest at {', '.join(told)}" if told else sentence
