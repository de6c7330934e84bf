"""Survivors: do objects created at the flagged node outlive their use, or crowd, or cost too much to make anew?

"left" are those alive at the end and those destroyed while pending; S is the threshold of survivors, 5 by default.
The first line that holds decides.

    S or more left, and none created in the last executions,        rejected: one is kept for each of a few keys
    which look first whether there is one
    left reaches S and half of what was created, which was not      confirmed: each execution leaves some behind
    under 32 that were all made within 5 % of the time since, nor
    made in the first half of the executions alone
    threads or executors, 32 or more alive at once                  confirmed: more than a default pool would ever hold
    clients, files or timers, 32 or more and half of all at once    confirmed: each is kept while the next ones are made
    churn costly by the table in `timing`, at least S created       confirmed: making them anew is what costs
    the end was not counted, or in part                             not-measurable
    none created                                                    inconclusive
    left reaches S and half of what was created                     inconclusive: a crew made once, or as it is needed,
                                                                    looks the same
    some left, of fewer than 4 S created                            inconclusive: run it 4 S times (S if all are left)
    S or more left, but under half                                  inconclusive: twice as long, a leak grows with it
    any of these, as many alive at once as it takes, or S or more   inconclusive: enough items for 32 at once
    and half of all
    churn asked for, at least S created, and churn not measured     not-measurable
    the same, and churn in doubt                                    inconclusive: seconds of workload
    otherwise                                                       rejected

So a single execution that leaves nothing is a rejection (each execution seen refutes "one is left"), and a single one
that leaves its object is doubt, as it may be made once for good. Under 4 S created, a few survivors may be the rate of
a leak; above, they are a fixed crew.

"Executions" are those of the code around the node. What leaks does so for as long as they go on, what fills a table
stops. "The last executions" are half of all, at least 100 and 3 times as many as were created: were there one more key
as likely as the others, it would stay away so long once in twenty runs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.seen import PROBES, PY_SPY, Opinion
from auditor.judge.timing import Reading, telling_run, weigh
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen
    from auditor.model import Survivors

# The most threads that a ThreadPoolExecutor starts unless told: min(32, cores + 4).
CROWD = 32.0
# Of the time from the first creation to the end. A leak goes on as long as the work does; a crew is made before it.
AT_ONCE = 0.05
# Units whose objects are threads of the operating system, of which each costs a stack. Tasks do not crowd.
HEAVY = ("threads", "executors")
# Units whose objects hold something that runs out: descriptors, connections, places in a schedule. Many at once may be
# wanted; most of all that were ever made may not, as those done with are then still there.
HANDLES = ("clients", "files", "timers")
STOPPED = 0.5
ENOUGH_QUIET = 100.0
FULL = 3.0


def judge_survivors(expects: Survivors, seen: Seen) -> Opinion:
    """The table above."""
    created = seen.value("created", default=seen.hits)
    return (
        _full(expects, seen, created)
        or _leak(expects, seen, created)
        or _crowd(expects, seen, created)
        or _costly_churn(expects, seen, created)
        or _uncounted(expects, seen, created)
        or _few_left(expects, seen, created)
        or _crowding(expects, seen, created)
        or _churn_in_doubt(expects, seen, created)
        or Opinion(VerdictKind.REJECTED, _census(expects, seen, created))
    )


def _full(expects: Survivors, seen: Seen, created: float) -> Opinion | None:
    """Only code that looks first shows by being executed that there are enough."""
    quiet = seen.low("quiet")
    if seen.row("found") is None or not _has_stopped(seen) or not seen.complete(PROBES) or expects.churn:
        return None
    peak = seen.row("alive_peak")
    is_crowd = peak is not None and peak.unit in HEAVY and peak.high >= CROWD
    if is_crowd or seen.low("alive_end") < seen.limits.survivors or quiet < max(ENOUGH_QUIET, FULL * created):
        return None
    return Opinion(VerdictKind.REJECTED, f"{_census(expects, seen, created)}, and {_last(seen)}, which found theirs")


def _has_stopped(seen: Seen) -> bool:
    """Whether none was created in the latter half of the executions of the code around; of few, one may be missing."""
    quiet = seen.low("quiet")
    return quiet >= max(seen.limits.survivors, STOPPED * seen.value("rounds")) and not seen.low("destroyed_pending")


def _last(seen: Seen) -> str:
    rounds = words.times(seen.value("rounds"), "executions")
    return f"none was created in the last {words.count(seen.low('quiet'))} of {rounds} of the code around it"


def _leak(expects: Survivors, seen: Seen, created: float) -> Opinion | None:
    left = seen.low("alive_end") + seen.low("destroyed_pending")
    is_fixed = _is_crew(seen, created) or _has_stopped(seen)
    if left >= seen.limits.survivors and left >= created / 2 and not is_fixed:
        return Opinion(VerdictKind.CONFIRMED, _census(expects, seen, created))
    return None


def _is_crew(seen: Seen, created: float) -> bool:
    """Whether they may as well be workers that were made once for good: few, and all in one go."""
    spread = seen.row("spread")
    return created < CROWD and spread is not None and spread.high < AT_ONCE


def crowd_of(seen: Seen) -> float:
    """How many alive at once are too many; infinite for objects that do not crowd."""
    peak = seen.row("alive_peak")
    if peak is not None and peak.unit in HEAVY:
        return CROWD
    if peak is not None and peak.unit in HANDLES:
        return max(CROWD, seen.value("created", default=seen.hits) / 2)
    return math.inf


def _crowd(expects: Survivors, seen: Seen, created: float) -> Opinion | None:
    peak = seen.row("alive_peak")
    if peak is None or peak.low < crowd_of(seen):
        return None
    many = words.times(peak.value, expects.noun)
    if peak.unit in HANDLES and _has_stopped(seen):
        return None
    if peak.unit in HANDLES:
        return Opinion(VerdictKind.CONFIRMED, f"{many} of {words.count(created)} created were alive at once")
    return Opinion(VerdictKind.CONFIRMED, f"{many} were alive at once, where a default pool holds at most 32")


def _costly_churn(expects: Survivors, seen: Seen, created: float) -> Opinion | None:
    if created >= seen.limits.survivors and _read_churn(expects, seen) is Reading.COSTLY:
        spent = words.seconds(seen.value("churn", PY_SPY))
        many = words.times(created, expects.noun)
        total = words.seconds(seen.wall_s)
        return Opinion(VerdictKind.CONFIRMED, f"{spent} of {total} went into making {many} anew")
    return None


def _uncounted(expects: Survivors, seen: Seen, created: float) -> Opinion | None:
    if seen.row("alive_end") is None and seen.row("destroyed_pending") is None:
        return Opinion(VerdictKind.NOT_MEASURABLE, f"what was left at the end was not counted: {seen.gap()}")
    if not seen.complete(PROBES):
        return Opinion(
            VerdictKind.NOT_MEASURABLE, f"{_census(expects, seen, created)}, but not all was seen: {seen.gap()}"
        )
    if created <= 0:
        wanted = words.count(4 * seen.limits.survivors)
        return Opinion(VerdictKind.INCONCLUSIVE, f"no {expects.noun} were created; run it so that {wanted} are")
    return None


def _few_left(expects: Survivors, seen: Seen, created: float) -> Opinion | None:
    left, limit = _left(seen), seen.limits.survivors
    if left <= 0 or (left < limit and created >= 4 * limit):
        return None
    if left >= limit and left >= created / 2 and _has_stopped(seen):
        more = words.times(words.at_least(seen.value("rounds") + FULL * created), "times")
        advice = f"{_last(seen)}, as of a crew made when it is needed; run its unit of work {more}"
    elif left >= limit and left >= created / 2:
        advice = "all were made at once, as a crew is that stays for good; run its unit of work several times over"
    elif created < 4 * limit:
        wanted = limit if left >= created and created < limit else 4 * limit
        advice = f"run its unit of work at least {words.count(wanted)} times"
    else:
        advice = f"run its unit of work {words.count(2 * created)} times, a leak grows with it"
    return Opinion(VerdictKind.INCONCLUSIVE, f"{_census(expects, seen, created)}; {advice}")


def _crowding(expects: Survivors, seen: Seen, created: float) -> Opinion | None:
    peak = seen.row("alive_peak")
    crowd = crowd_of(seen)
    if peak is None or not math.isfinite(crowd) or peak.high < min(crowd, max(seen.limits.survivors, created / 2)):
        return None
    wanted = words.times(max(CROWD, words.at_least(CROWD * created / peak.high)), "items")
    many = words.times(peak.value, expects.noun)
    return Opinion(
        VerdictKind.INCONCLUSIVE, f"{many} of {words.count(created)} were alive at once; run it with {wanted}"
    )


def _churn_in_doubt(expects: Survivors, seen: Seen, created: float) -> Opinion | None:
    reading = _read_churn(expects, seen)
    if not expects.churn or created < seen.limits.survivors or reading is Reading.CHEAP:
        return None
    census = _census(expects, seen, created)
    if reading is Reading.ABSENT:
        reason = f"{census}, but the time to make them anew was not measured: {seen.gap(PY_SPY)}"
        return Opinion(VerdictKind.NOT_MEASURABLE, reason)
    wanted = words.seconds(words.at_least(max(telling_run(seen), 4 * seen.wall_s)))
    spent = words.seconds(seen.value("churn", PY_SPY))
    reason = f"{census}, and {spent} to make them anew leaves it in doubt; run it for at least {wanted}"
    return Opinion(VerdictKind.INCONCLUSIVE, reason)


def _read_churn(expects: Survivors, seen: Seen) -> Reading:
    row = seen.row("churn", PY_SPY)
    if row is None or not expects.churn:
        return Reading.ABSENT
    share = (row.low / seen.wall_s, row.high / seen.wall_s) if seen.wall_s > 0 else None
    reading = weigh(seen, (row.low, row.high), share)
    return Reading.ABSENT if reading is Reading.CHEAP and not seen.complete(PY_SPY) else reading


def _left(seen: Seen) -> float:
    rows = (seen.row("alive_end"), seen.row("destroyed_pending"))
    return sum(row.high for row in rows if row is not None)


def _census(expects: Survivors, seen: Seen, created: float) -> str:
    pending = seen.value("destroyed_pending")
    destroyed = f" and {words.count(pending)} destroyed while pending" if pending > 0 else ""
    made = words.times(created, expects.noun)
    return f"{words.count(seen.value('alive_end'))} of {made} created were alive at the end{destroyed}"
