"""What holds a workload up: computing, or waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.report import figures

if TYPE_CHECKING:
    from auditor.model import WorkloadRun

# Of one processor. At four fifths, waiting is worth a quarter of the computing at most; at three tenths, less computing
# could hardly be noticed.
CPU_BOUND = 0.8
IO_BOUND = 0.3


def boundness(run: WorkloadRun) -> str:
    """As in "CPU-bound: 1.9 s of processor time in 2 s (95 %)"; "" where processor time could not be taken.

    Wall and processor time are those of the plain run, which nothing disturbed. Waiting is for input and output, locks,
    sleep, and also for a processor where others have taken them all.
    """
    if run.cpu_s is None or run.wall_s <= 0:
        return ""
    share = run.cpu_s / run.wall_s
    kind = "CPU-bound" if share >= CPU_BOUND else "I/O-bound" if share <= IO_BOUND else "Mixed"
    cpu, wall = figures.quantity("seconds", run.cpu_s, "s"), figures.quantity("seconds", run.wall_s, "s")
    used = f"{figures.number(round(share, 1))} cores" if share > 1.05 else figures.quantity("share", share, "ratio")
    rest = "" if share >= CPU_BOUND else ", the rest is waiting"
    return f"{kind}: {cpu} of processor time in {wall} ({used}){rest}"
