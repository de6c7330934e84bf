"""Backlog: does the flagged container fill faster than it is emptied?

    greatest length          slope of the length per put        puts              verdict
    reaches the threshold    lower end above 0.1                some in the last  confirmed
                                                                executions
    reaches the threshold    any                                none in the last  rejected: it filled and stopped
                                                                10 x that length
    under a tenth of the     upper end at most 0.1, or not      at least 100 and  rejected: hardly anything ever waited
    threshold                measured                           10 x that length
    under the threshold      any                                any, none in the  rejected: it filled and stopped
                                                                last executions
    under the threshold      upper end under 0.02               the threshold's   rejected: it could have grown that
                                                                number or more    long and did not
    not measured             any                                any               not-measurable
    anything else                                                                 inconclusive, with the puts wanted

A container that is filled whole and then emptied has a slope near 1 and a length that follows the input, so a short one
is doubt, not innocence. A slope of 0.02 is a queue that gains one item in fifty puts. "The last executions" are those
of a cached function that found their entry: as many as the threshold at least, and at least half of all. Were one in
300 of them still a new entry, a thousand without any would come once in thirty runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.seen import PROBES, Opinion
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen

# Of ten items put in, one stays: far from the noise of a consumer that lags now and then, far from 1.
FILLING = 0.1
LEVEL = 0.02
ENOUGH_PUTS = 100.0
QUIET = 0.5
FULL = 10.0


def judge_backlog(seen: Seen) -> Opinion:
    """The table above."""
    depth, slope, limit = seen.row("depth_max"), seen.row("depth_slope"), seen.limits.length
    if depth is None:
        own = seen.complete(PROBES) and seen.row("puts") is None
        why = "it is of a class of the program's own, and asking it would run the program" if own else seen.gap()
        return Opinion(VerdictKind.NOT_MEASURABLE, f"its length was not measured: {why}")
    puts = seen.value("puts", default=float(depth.n))
    seen_so_far = f"it grew to {words.times(depth.value, 'items')} over {words.times(puts, 'puts')}"
    quiet = seen.low("quiet")
    has_stopped = quiet >= max(limit, QUIET * seen.hits)
    if depth.low >= limit and slope is not None and slope.low > FILLING and not has_stopped:
        kept = words.percent(slope.value)
        return Opinion(VerdictKind.CONFIRMED, f"{seen_so_far}, {kept} of what is put in stays")
    if not seen.complete(PROBES):
        return Opinion(VerdictKind.NOT_MEASURABLE, f"{seen_so_far}, but not all was seen: {seen.gap()}")
    idle = depth.high < limit / 10 and puts >= max(ENOUGH_PUTS, 10 * depth.high)
    if idle and (slope is None or slope.high <= FILLING):
        return Opinion(VerdictKind.REJECTED, f"{seen_so_far} and was emptied as fast as it was filled")
    if depth.high < limit <= puts and slope is not None and slope.high < LEVEL:
        return Opinion(VerdictKind.REJECTED, f"{seen_so_far} without getting longer")
    if has_stopped and (depth.high < limit or quiet >= FULL * depth.high):
        last = f"none was added in the last {words.count(quiet)} of {words.times(seen.hits, 'executions')}"
        return Opinion(VerdictKind.REJECTED, f"{seen_so_far}, and {last}")
    wanted = max(2 * puts, 10 * depth.high, limit, limit / slope.value if slope and slope.value > FILLING else 0.0)
    return Opinion(
        VerdictKind.INCONCLUSIVE,
        f"{seen_so_far}, which does not tell; run it with at least {words.times(words.at_least(wanted), 'puts')}",
    )
