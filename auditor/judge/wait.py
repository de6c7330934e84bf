"""Wait: does the program stand waiting at the flagged operation?

"waited" is wall time in which at least one execution was waiting, for an awaited operation to end or for a lock; it
reads by the table in `timing`, of the probes alone: a coroutine that waits is on no stack, so py-spy does not see it.
The first line that holds decides.

    waiting was not timed                        not-measurable
    waited costly, in 5 executions or more       confirmed
    not all was seen                             not-measurable
    waited cheap                                 rejected
    waited costly, in fewer executions           inconclusive: run it 5 times
    anything else                                inconclusive, with the seconds of workload that would settle it

One long wait may be what the program is there for; it is waiting one after the other that can be done together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.seen import PROBES, Opinion
from auditor.judge.timing import Reading, telling_run, weigh
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen

# As many as must be left over to speak of a leak: fewer waits may be the few that a program must make.
ENOUGH = 5.0


def judge_wait(seen: Seen) -> Opinion:
    """The table above."""
    waited, share = seen.row("waited"), seen.row("waited_share")
    if waited is None:
        return Opinion(VerdictKind.NOT_MEASURABLE, f"how long it waited was not measured: {seen.gap()}")
    reading = weigh(seen, (waited.low, waited.high), None if share is None else (share.low, share.high))
    if reading is Reading.COSTLY and seen.hits >= ENOUGH:
        return Opinion(VerdictKind.CONFIRMED, _waited(seen))
    if not seen.complete(PROBES):
        return Opinion(VerdictKind.NOT_MEASURABLE, f"{_waited(seen)}, but not all was seen: {seen.gap()}")
    if reading is Reading.CHEAP:
        return Opinion(VerdictKind.REJECTED, _waited(seen))
    if reading is Reading.COSTLY:
        advice = f"run it at least {words.times(ENOUGH, 'times')}"
    else:
        advice = f"run it for at least {words.seconds(words.at_least(_wanted_run(seen)))}"
    return Opinion(VerdictKind.INCONCLUSIVE, f"{_waited(seen)}; {advice}")


def _wanted_run(seen: Seen) -> float:
    """Waiting goes on at the same rate, so seconds are reached in proportion."""
    waited = seen.low("waited")
    reached = seen.limits.seconds * seen.wall_s / waited if waited > 0 else 2 * seen.wall_s
    return min(max(seen.wall_s, reached), max(telling_run(seen), 2 * seen.wall_s))


def _waited(seen: Seen) -> str:
    waited, share = seen.value("waited"), seen.value("waited_share")
    total = waited / share if share > 0 else seen.wall_s
    longest = seen.row("waited_longest")
    once = f", at most {words.seconds(longest.value)} at once" if longest is not None else ""
    runs = words.times(seen.hits, "executions")
    part = f"{words.seconds(waited)} of {words.seconds(total)} ({words.percent(share)})"
    if seen.row("suspended") is not None:
        part = f"{part} while the event loop had nothing else to do"
    return f"it waited for {part}{once}, in {runs}"
