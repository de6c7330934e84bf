"""Backlog: does the flagged container fill faster than it is emptied?

    greatest length          slope of the length per put        executions        verdict
    reaches the threshold    lower end above 0.1                the last ones     confirmed
                                                                gain as before
    nine tenths in the       lower end above 0.1                any               inconclusive: filled once and
    first tenth of the time                                                       then used
    nine tenths before any   lower end above 0.1                any               inconclusive: a list of work
    was taken, and under a
    tenth of the threshold
    at the end
    under the threshold      lower end above 0.1                the last ones     confirmed, if as many bytes as `bytes`
                                                                gain as before    stay, see below
    reaches the threshold,   any                                10 x that length  rejected: it was long once
    but under a tenth of it
    in the latter half
    reaches the threshold    any                                3 x that length,  rejected: it filled and stopped
                                                                gaining none
    under a tenth of the     upper end at most 0.1, or not      at least 100 and  rejected: hardly anything ever waited
    threshold                measured                           10 x that length
    under the threshold      any                                the last ones     rejected: it filled and stopped
                                                                gain none
    under the threshold      upper end under 0.02               the threshold's   rejected: it could have grown that
                                                                number or more    long and did not
    not measured             any                                any               not-measurable
    anything else                                                                 inconclusive, with the runs wanted

The line of a list of work comes before those that confirm.

A container that is filled whole and then emptied has a slope near 1 and a length that follows the input, so a short one
is doubt, not innocence. A slope of 0.02 is a queue that gains one item in fifty puts.

Few entries may be heavy: memory that was allocated below the flagged lines and stayed to the end, as much in the third
quarter of the run as in the second, confirms what is short as well; that too little of it was seen rejects nothing.

"Executions" are those of the code around it (of a cached function its calls), so that what is looked up and found
counts as well as what is added. "Gain as before": per execution, the last quarter of them gained at least half of what
the second one did. What leaks does so for as long as it is executed; a cache gains less the fuller it is. "The last
ones gain none" are as many as the threshold at least, and at least half of all. Were one in 300 of them still a new
entry, a thousand without any would come once in thirty runs. Of the 3 x that length: were one more key as likely as
each of those that are there, it would stay away so long once in twenty runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.seen import MEMRAY, PROBES, Opinion
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen
    from auditor.model import Evidence

# Of ten items put in, one stays: far from the noise of a consumer that lags now and then, far from 1.
FILLING = 0.1
LEVEL = 0.02
# Below so many calls of a function, the growth may all be within one that fills a table.
FEW_CALLS = 5
LASTING = 0.5
STEADY = 0.8
ENOUGH_PUTS = 100.0
# Of fewer entries, the quarters of a run hold too few to compare.
FEWEST = 20.0
# Of a list of work, so much is there before work begins; what is put in behind it may be signs to end.
MOSTLY = 0.9
QUIET = 0.5
AT_ONCE = 0.1
FULL = 3.0


def judge_backlog(seen: Seen) -> Opinion:
    """The table above."""
    depth, slope, limit = seen.row("depth_max"), seen.row("depth_slope"), seen.limits.length
    if depth is None:
        own = seen.complete(PROBES) and seen.row("puts") is None
        why = "asking it would run code of the program, or Python 3.8 does not let it be watched" if own else seen.gap()
        return Opinion(VerdictKind.NOT_MEASURABLE, f"its length was not measured: {why}")
    puts = seen.value("puts", default=float(depth.n))
    seen_so_far = f"it grew to {words.times(depth.value, 'items')} over {words.times(puts, 'puts')}"
    is_filling = depth.low >= limit and slope is not None and slope.low > FILLING
    if is_filling and _is_work_list(seen, depth):
        left, first = words.count(seen.value("depth_end")), words.count(seen.value("filled_first"))
        reason = f"{seen_so_far}, {first} of them before any was taken, and {left} were left at the end"
        advice = (
            "as of a list of work, which is as long as its input; run it with items that come while others are taken"
        )
        return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}, {advice}")
    if is_filling and _goes_on(seen) and _is_loaded(seen):
        early = words.percent(max(0.01, seen.value("spread")))
        reason = f"{seen_so_far}, nearly all of them in the first {early} of the time since the first"
        advice = "as of what is filled once and then used; run its unit of work several times over the whole run"
        return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}, {advice}")
    if is_filling and _goes_on(seen):
        kept = words.percent(slope.value) if slope else ""
        return Opinion(VerdictKind.CONFIRMED, f"{seen_so_far}, {kept} of what is put in stays")
    if _is_heavy(seen) and _is_steady(seen):
        stays = words.size(seen.value("kept_bytes", MEMRAY))
        reason = f"{seen_so_far}, and {stays} that it allocated in the middle half of the run stayed to the end"
        return Opinion(VerdictKind.CONFIRMED, reason)
    if not seen.complete(PROBES):
        return Opinion(VerdictKind.NOT_MEASURABLE, f"{seen_so_far}, but not all was seen: {seen.gap()}")
    idle = depth.high < limit / 10 and puts >= max(ENOUGH_PUTS, 10 * depth.high)
    if idle and (slope is None or slope.high <= FILLING):
        return Opinion(VerdictKind.REJECTED, f"{seen_so_far}, so hardly any of what is put in stays")
    if depth.high < limit <= puts and slope is not None and slope.high < LEVEL:
        return Opinion(VerdictKind.REJECTED, f"{seen_so_far} without getting longer")
    late = seen.row("depth_late")
    if late is not None and late.high < limit / 10 and depth.high >= limit and puts >= 10 * depth.high:
        later = words.times(late.value, "items")
        return Opinion(VerdictKind.REJECTED, f"{seen_so_far}, but to at most {later} in the latter half of them")
    if _has_stopped(seen) and (depth.high < limit or seen.low("quiet") >= FULL * depth.high):
        return Opinion(VerdictKind.REJECTED, f"{seen_so_far}, and {_last(seen)}")
    if is_filling:
        return Opinion(VerdictKind.INCONCLUSIVE, f"{seen_so_far}, but {_slowing(seen, depth.high)}")
    wanted = max(2 * puts, 10 * depth.high, limit, limit / slope.value if slope and slope.value > FILLING else 0.0)
    return Opinion(
        VerdictKind.INCONCLUSIVE,
        f"{seen_so_far}, which does not tell; run it with at least {words.times(words.at_least(wanted), 'puts')}",
    )


def _is_work_list(seen: Seen, depth: Evidence) -> bool:
    """Whether it was filled whole and then emptied: hardly ever longer than before the first item was taken."""
    filled, left = seen.row("filled_first"), seen.row("depth_end")
    if filled is None or left is None or not seen.complete(PROBES):
        return False
    return filled.low >= MOSTLY * depth.high and left.high < seen.limits.length / 10


def _is_loaded(seen: Seen) -> bool:
    """Whether it was filled at once, for all the time that went by after: what leaks is mostly at work for longer."""
    spread = seen.row("spread")
    return spread is not None and spread.high < AT_ONCE and seen.complete(PROBES)


def _goes_on(seen: Seen) -> bool:
    """Whether the last executions gain as those before did. Of a queue, only its puts are known."""
    lasting = seen.row("lasting")
    return (lasting is None or lasting.low >= LASTING) and not _has_stopped(seen)


def _is_heavy(seen: Seen) -> bool:
    return seen.low("kept_bytes", MEMRAY) >= seen.limits.bytes


def _is_steady(seen: Seen) -> bool:
    """Whether few entries came at an even pace, as far as few can tell."""
    slope, lasting = seen.row("depth_slope"), seen.row("lasting")
    is_filling = slope is not None and slope.low > FILLING and seen.low("depth_max") >= FEWEST
    return is_filling and lasting is not None and lasting.value >= STEADY and not _has_stopped(seen)


def _executions(seen: Seen) -> float:
    return seen.value("rounds", default=seen.hits)


def _has_stopped(seen: Seen) -> bool:
    return seen.low("quiet") >= max(seen.limits.length, QUIET * _executions(seen))


def _last(seen: Seen) -> str:
    rounds = words.times(_executions(seen), "executions")
    return f"it got no longer in the last {words.count(seen.low('quiet'))} of {rounds}"


def _slowing(seen: Seen, depth: float) -> str:
    """Why what filled may be full, and what would tell."""
    lasting = seen.row("lasting")
    if lasting is not None and lasting.n < FEW_CALLS:
        calls = words.times(lasting.n, "calls")
        return (
            f"in {calls} of the function around it, which may fill it for good; run its unit of work several times over"
        )
    executions = _executions(seen)
    wanted = words.times(words.at_least(max(2 * executions, executions + FULL * depth)), "executions")
    if seen.low("quiet") > 0:
        return f"{_last(seen)}, as of a cache that is full; run it with {wanted}"
    return f"less and less with each execution, as a cache does that fills; run it with {wanted}"
