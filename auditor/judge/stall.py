"""Stall: does the flagged call hold up an event loop?

The first line that holds decides. "in total" reads seconds and share by the table in `timing`; "long" is a
stand-still at or above the threshold of stall among at least three that reach half of it on average: a single one may
be the machine's, which took the processor away from any line. "short" is less than half the threshold at the longest.

    executions on a running loop not counted                     not-measurable
    none of them on a running loop that is known, and all of     rejected
    them together are short
    none of them on a running loop that is known                 inconclusive: what drives the coroutine is not known
    100 or more, all but the two longest short, and cheap        rejected
    2 or more, long or costly, without the two longest neither   inconclusive: it may be the first time alone
    (of two, without the longer one)
    long; py-spy's upper end is under both thresholds, of a      inconclusive: they contradict
    stall and of seconds
    long                                                         confirmed
    costly in total; py-spy's upper end is under both            rejected: it stood still only under the probe
    costly in total; py-spy's lower end reaches one, or py-spy   confirmed
    is absent
    costly in total                                              inconclusive: py-spy saw too little
    not counted fully, or the times are missing                  not-measurable
    short, and cheap in total                                    rejected
    anything else                                                inconclusive, with how much more would settle it

What blocks at its first use only (it loads something, connects, imports) is not what the rule suspects, and one
stand-still, or two, are what a busy machine does to any line that runs often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.seen import PROBES, PY_SPY, Opinion
from auditor.judge.timing import Reading, telling_run, weigh
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen

SHORT = 0.5
# Stand-stills that must agree with the longest, on average to this part of the threshold.
AGREEING = 3
ON_AVERAGE = 0.5
# Executions of which two that differ from all others are exceptions, and of which they may be.
MANY = 100.0
FEW = 2.0


def judge_stall(seen: Seen) -> Opinion:
    """The table above."""
    on_loop, longest, total = seen.row("loop_hits"), seen.row("stall_longest"), seen.row("stall_total")
    if on_loop is None:
        reason = f"executions on an event loop's thread were not counted: {seen.gap()}"
        return Opinion(VerdictKind.NOT_MEASURABLE, reason)
    complete = seen.complete(PROBES)
    if on_loop.high <= 0 and complete:
        return _beside_loops(seen)
    reading = _in_total(seen)
    if complete and longest is not None and total is not None:
        alone = _exceptional(seen, reading)
        if alone is not None:
            return alone
    if on_loop.low > 0 and (_is_long(seen) or reading is Reading.COSTLY):
        return _stands_still(seen)
    if not complete or longest is None or total is None:
        why = "what it is given is awaited within the call; await that in a line of its own" if complete else seen.gap()
        return Opinion(VerdictKind.NOT_MEASURABLE, f"not every stand-still of the event loop was timed: {why}")
    if longest.high < SHORT * seen.limits.stall and reading is Reading.CHEAP:
        return Opinion(VerdictKind.REJECTED, _stood_still(seen))
    return Opinion(VerdictKind.INCONCLUSIVE, f"{_stood_still(seen)}; {_wanted(seen, reading)}")


def _exceptional(seen: Seen, reading: Reading) -> Opinion | None:
    """What is to be said where all but two executions were short, and cheap in total."""
    if not _is_rest_harmless(seen):
        return None
    times = seen.low("loop_hits")
    if times >= MANY and (seen.value("stall_longest") >= SHORT * seen.limits.stall or reading is not Reading.CHEAP):
        rest = words.seconds(seen.value("stall_rest"))
        return Opinion(VerdictKind.REJECTED, f"{_stood_still(seen)}, for {rest} in all but the two longest")
    if times >= FEW and (reading is Reading.COSTLY or _is_long(seen)):
        advice = f"run it at least {words.times(MANY, 'times')}"
        return Opinion(VerdictKind.INCONCLUSIVE, f"{_stood_still(seen)}, nearly all of it in one or two; {advice}")
    return None


def _is_rest_harmless(seen: Seen) -> bool:
    longest, rest = _rest(seen)
    if rest is None or longest >= SHORT * seen.limits.stall:
        return False
    share = (rest / seen.wall_s, rest / seen.wall_s) if seen.wall_s > 0 else None
    return weigh(seen, (rest, rest), share) is Reading.CHEAP


def _rest(seen: Seen) -> tuple[float, float | None]:
    """The longest and all together without the two longest; of two executions, the shorter one."""
    longest, rest = seen.row("stall_rest_longest"), seen.row("stall_rest")
    if longest is None or rest is None:
        return 0.0, None
    if seen.low("loop_hits") > AGREEING - 1:
        return longest.high, rest.high
    other = seen.value("stall_total") - seen.value("stall_longest")
    return other, other


def _beside_loops(seen: Seen) -> Opinion:
    runs, spent = words.times(seen.hits, "executions"), seen.row("seconds")
    if spent is not None and spent.high < SHORT * seen.limits.stall:
        took = f"they took {words.seconds(spent.value)} together"
        return Opinion(VerdictKind.REJECTED, f"it never ran on an event loop's thread in {runs}, and {took}")
    reason = f"it never ran on the thread of an event loop of asyncio or trio in {runs}; run it on one"
    return Opinion(VerdictKind.INCONCLUSIVE, reason)


def _is_long(seen: Seen) -> bool:
    times = seen.low("loop_hits")
    mean = seen.low("stall_total") / times if times else 0.0
    limit = seen.limits.stall
    return times >= AGREEING and seen.low("stall_longest") >= limit and mean >= ON_AVERAGE * limit


def _in_total(seen: Seen) -> Reading:
    total = seen.row("stall_total")
    if total is None:
        return Reading.ABSENT
    share = (total.low / seen.wall_s, total.high / seen.wall_s) if seen.wall_s > 0 else None
    return weigh(seen, (total.low, total.high), share)


def _stands_still(seen: Seen) -> Opinion:
    sampled = seen.row("stall", PY_SPY)
    if sampled is None:
        why = f" ({seen.gap(PY_SPY)})" if PY_SPY in seen.gaps else ""
        return Opinion(VerdictKind.CONFIRMED, f"{_stood_still(seen)}, by the probes alone{why}")
    limit = min(seen.limits.stall, seen.limits.seconds)
    if sampled.high < limit and seen.complete(PY_SPY):
        most = words.seconds(sampled.high)
        reason = f"{_stood_still(seen)} under the probe, but for at most {most} in the unmodified program"
        if _is_long(seen):
            return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}; run it again with --repeat 5")
        return Opinion(VerdictKind.REJECTED, reason)
    if _is_long(seen) or sampled.low >= limit:
        return Opinion(VerdictKind.CONFIRMED, _stood_still(seen))
    wanted = words.seconds(words.at_least(max(telling_run(seen), 4 * seen.wall_s)))
    reason = f"{_stood_still(seen)} under the probe, of which py-spy saw too little to tell"
    return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}; run it for at least {wanted}")


def _stood_still(seen: Seen) -> str:
    total, longest = words.seconds(seen.value("stall_total")), words.seconds(seen.value("stall_longest"))
    runs = words.times(seen.value("loop_hits"), "executions")
    return (
        f"the event loop stood still for {total} of {words.seconds(seen.wall_s)}, at most {longest} at once, in {runs}"
    )


def _wanted(seen: Seen, reading: Reading) -> str:
    longest = seen.value("stall_longest")
    if longest >= seen.limits.stall:
        more = words.times(max(words.at_least(10 * seen.value("loop_hits")), 10), "executions")
        return f"so long a stand-still may be the machine's doing if it is the only one: run it for {more}"
    if reading is Reading.CHEAP and longest > 0:
        larger = words.at_least(max(1.1, seen.limits.stall / longest))
        return f"run it with inputs {words.factor(larger)} times as large"
    total = seen.value("stall_total")
    reached = seen.limits.seconds * seen.wall_s / total if total > 0 else 0.0
    return f"run it for at least {words.seconds(words.at_least(max(telling_run(seen), reached, 2 * seen.wall_s)))}"
