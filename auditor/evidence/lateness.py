"""How much of the time a sampler stood waiting for a processor, and so looked later than it meant to."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

LOOK_EVERY_S = 0.2
READERS = 2
"""py-spy's clock wakes a thread that reads the process; either may have to wait. Its other threads do not matter, and
which is which cannot be told, so those two that waited longest count."""
COVERED = 0.5
"""Of the time in question; what waited for less of it is not known."""


class _Seen(NamedTuple):
    at: float
    queued_ns: int
    slices: int


class Lateness:
    """The time in which the threads of a process stood in the queue for a processor, by the kernel's own count.

    Documentation/scheduler/sched-stats.rst: the second number of schedstat, in ns. Only Linux has it. A thread takes
    its count with it when it ends, so `look` is to be called now and then.
    """

    def __init__(self) -> None:
        self._first: dict[str, _Seen] = {}
        self._last: dict[str, _Seen] = {}

    def look(self, pid: int) -> None:
        """Read the counts of all threads of the process but its first; of one that has ended, nothing."""
        try:
            threads = [task for task in Path(f"/proc/{pid}/task").iterdir() if task.name != str(pid)]
        except OSError:
            return
        for task in threads:
            try:
                _, queued, slices = (task / "schedstat").read_text(encoding="ascii").split()
                seen = _Seen(time.perf_counter(), int(queued), int(slices))
            except (OSError, ValueError):
                continue
            self._first.setdefault(task.name, seen)
            self._last[task.name] = seen

    def share(self, of_s: float) -> float | None:
        """The share of the last `of_s` seconds, between 0 and 1; None if it is not known."""
        spans = [(self._first[thread], last) for thread, last in self._last.items()]
        # all zeros are what a kernel says that does not count
        ran = [(last.at - first.at, (last.queued_ns - first.queued_ns) / 1e9) for first, last in spans if last.slices]
        covered_s = max((span_s for span_s, _ in ran), default=0.0)
        if covered_s <= 0 or covered_s < COVERED * of_s:
            return None
        return min(1.0, sum(sorted(queued_s for _, queued_s in ran)[-READERS:]) / covered_s)
