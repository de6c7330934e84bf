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
# Below a twentieth, nobody would look for what else ran.
NOTEWORTHY = 0.05


def boundness(run: WorkloadRun) -> str:
    """As in "CPU-bound: 1.9 s of processor time in 2 s (95 %)"; "" where processor time could not be taken.

    Wall and processor time are those of the plain run, which nothing disturbed. What would have computed, had others
    left it a processor, counts as computing: a busy machine does not turn one kind of program into the other.
    """
    if run.cpu_s is None or run.wall_s <= 0:
        return ""
    queued_s = run.queued_s or 0.0
    share, busy = run.cpu_s / run.wall_s, (run.cpu_s + queued_s) / run.wall_s
    kind = "CPU-bound" if busy >= CPU_BOUND else "I/O-bound" if busy <= IO_BOUND else "Mixed"
    cpu, wall = figures.quantity("seconds", run.cpu_s, "s"), figures.quantity("seconds", run.wall_s, "s")
    used = f"{figures.number(round(share, 1))} cores" if share > 1.05 else figures.quantity("share", share, "ratio")
    queued = figures.quantity("seconds", queued_s, "s")
    others = f", {queued} ready while other programs had the processors" if queued_s > NOTEWORTHY * run.wall_s else ""
    rest = "" if busy >= CPU_BOUND else ", the rest is waiting"
    return f"{kind}: {cpu} of processor time in {wall} ({used}){others}{rest}"
