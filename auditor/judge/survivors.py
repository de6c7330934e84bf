"""Survivors: do objects created at the flagged node outlive their use, or crowd, or cost too much to make anew?

"left" are those alive at the end and those destroyed while pending; S is the threshold of survivors, 5 by default.
The first line that holds decides.

    S or more left, and none created in the last executions,        rejected: one is kept for each of a few keys
    which look first whether there is one
    left reaches S, in one process, and half of what was created,   confirmed: each execution leaves some behind
    which was neither a crew nor made or kept in the first
    executions alone
    left reaches 2 S, and 2 S were kept in the middle half of the   confirmed: one execution in so many leaves some
    executions, its later part at least half of its earlier one
    threads or executors, 32 or more alive at once                  confirmed: more than a default pool would ever hold
    clients, files or timers, 32 or more and half of all at once,   confirmed: each is kept while the next ones are made
    or 32 kept as above
    churn costly by the table in `timing`, at least S created       confirmed: making them anew is what costs
    the end was not counted, or in part                             not-measurable
    none created                                                    inconclusive
    left reaches S and half of what was created                     inconclusive: a crew made once, or as it is needed,
                                                                    looks the same
    some left, of fewer than 4 S created                            inconclusive: run it 4 S times (S if all are left)
    some left, and 2 or more kept, in both parts of the middle half inconclusive: longer, a leak grows with it
    S or more left, but under half                                  inconclusive: twice as long, unless none was kept
                                                                    in the middle half of 200 executions or more
    any of these, as many alive at once as it takes, or S or more   inconclusive: enough items for 32 at once
    and half of all
    churn asked for, at least S created, and churn not measured     not-measurable
    the same, and churn in doubt                                    inconclusive: seconds of workload
    otherwise                                                       rejected

So a single execution that leaves nothing is a rejection (each execution seen refutes "one is left"), and a single one
that leaves its object is doubt, as it may be made once for good. Under 4 S created, a few survivors may be the rate of
a leak; above, they are a fixed crew, unless they became more as it went on.

"Executions" are those of the code around the node. What leaks does so for as long as they go on, what fills a table
stops. "The last executions" are half of all, at least 100 and 3 times as many as were created: were there one more key
as likely as the others, it would stay away so long once in twenty runs. "Kept" at a moment is the least that was alive
from then on (see `evidence/probes/_kept.py`). A crew is under 32 that were all made at once: within 5 % of the time
since, or within half of it where the code around is executed for nothing but making them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.seen import PROBES, PY_SPY, Opinion
from auditor.judge.timing import TOO_LATE, Reading, is_late, telling_run, weigh
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen
    from auditor.model import Survivors

# The most threads that a ThreadPoolExecutor starts unless told: min(32, cores + 4).
CROWD = 32.0
# Of the time from the first creation to the end. A leak goes on as long as the work does; a crew is made before it.
AT_ONCE = 0.05
# What was made early in the time alone may be a pool that is large enough by now.
EARLY = 0.5
# Units whose objects are threads of the operating system, of which each costs a stack. Tasks do not crowd.
HEAVY = ("threads", "executors")
# Units whose objects hold something that runs out: descriptors, connections, places in a schedule. Many at once may be
# wanted; most of all that were ever made may not, as those done with are then still there.
HANDLES = ("clients", "files", "timers")
STOPPED = 0.5
ENOUGH_QUIET = 100.0
FULL = 3.0
LASTING = 0.5
# A pool that fills at random gains this much less from one quarter to the next once it is more than half full.
STEADY = 0.8
# How fast they become more is known closely enough from so many in each part on.
TELLING = 32.0
ENOUGH_LEVEL = 200.0
# So many that stayed in the middle half are no single one that came late.
FEWEST = 2.0


def judge_survivors(expects: Survivors, seen: Seen) -> Opinion:
    """The table above."""
    created = seen.value("created", default=seen.hits)
    return (
        _full(expects, seen, created)
        or _leak(expects, seen, created)
        or _slow_leak(expects, seen, created)
        or _crowd(expects, seen, created)
        or _costly_churn(expects, seen, created)
        or _uncounted(expects, seen, created)
        or _few_left(expects, seen, created)
        or _crowding(expects, seen, created)
        or _churn_in_doubt(expects, seen, created)
        or Opinion(VerdictKind.REJECTED, _census(expects, seen, created) + _levelled(seen))
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
    pending = seen.low("destroyed_pending")
    left = seen.low("alive_end") + pending
    most = seen.row("left_most")
    in_one = left if most is None else most.low + pending
    is_fixed = _is_crew(seen, created) or _has_stopped(seen) or _has_ceased(seen)
    if min(left, in_one) >= seen.limits.survivors and left >= created / 2 and not is_fixed:
        return Opinion(VerdictKind.CONFIRMED, _census(expects, seen, created))
    return None


def _slow_leak(expects: Survivors, seen: Seen, created: float) -> Opinion | None:
    left = seen.low("alive_end") + seen.low("destroyed_pending")
    if left >= 2 * seen.limits.survivors and _is_growing(seen):
        return Opinion(VerdictKind.CONFIRMED, f"{_census(expects, seen, created)}, {_rate(seen)}")
    return None


def _is_growing(seen: Seen) -> bool:
    """Whether more and more of them stay, as it goes on."""
    lasting = seen.row("lasting")
    is_steady = lasting is not None and lasting.low >= LASTING and lasting.value >= STEADY
    return is_steady and seen.low("kept") >= 2 * seen.limits.survivors


def _has_ceased(seen: Seen) -> bool:
    """Whether those that stay became more at first, and then no more, or fewer at a time."""
    kept, lasting = seen.row("kept"), seen.row("lasting")
    return kept is not None and (kept.value < 1 or (lasting is not None and lasting.value < STEADY))


def _is_level(seen: Seen, created: float) -> bool:
    """Whether none more of them stayed as it went on, for long enough to tell."""
    kept = seen.row("kept")
    return kept is not None and kept.value < 1 and kept.n >= ENOUGH_LEVEL and created >= 4 * seen.limits.survivors


def _levelled(seen: Seen) -> str:
    kept = seen.row("kept")
    if kept is None or kept.value >= 1 or not _left(seen):
        return ""
    return f", and they became no more in the middle half of {words.times(kept.n, 'executions')} of the code around it"


def _rate(seen: Seen) -> str:
    each = 1 / seen.value("kept_rate") if seen.value("kept_rate") else math.inf
    return f"and one more was kept every {words.times(max(1.0, each), 'executions')} of the code around it"


def _is_crew(seen: Seen, created: float) -> bool:
    """Whether they may as well be workers that were made once for good: few, and all in one go."""
    spread = seen.row("spread")
    at_once = AT_ONCE if seen.value("rounds") > created else EARLY
    return created < CROWD and spread is not None and spread.high < at_once


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
    if peak is None:
        return None
    many = words.times(peak.value, expects.noun)
    at_once = f"{many} of {words.count(created)} created were alive at once"
    if peak.unit in HANDLES and _is_growing(seen) and min(peak.low, seen.low("kept")) >= CROWD:
        return Opinion(VerdictKind.CONFIRMED, f"{at_once}, {_rate(seen)}")
    if peak.low < crowd_of(seen) or (peak.unit in HANDLES and (_has_stopped(seen) or _has_ceased(seen))):
        return None
    if peak.unit in HANDLES:
        return Opinion(VerdictKind.CONFIRMED, at_once)
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
    grew = seen.value("kept") >= FEWEST and seen.row("lasting") is not None and seen.value("lasting") > 0
    if left <= 0 or (left < limit and created >= 4 * limit and not grew):
        return None
    if left < created / 2 and _is_level(seen, created):
        return None
    if left >= limit and left >= created / 2:
        advice = _crew_advice(seen, created)
    elif created < 4 * limit:
        wanted = limit if left >= created and created < limit else 4 * limit
        advice = f"run its unit of work at least {words.count(wanted)} times"
    elif grew:
        kept, executions = seen.value("kept"), seen.value("rounds", default=created)
        many = words.times(words.at_least(executions * max(2.0, 2 * TELLING / kept)), "times")
        advice = f"{words.count(kept)} more of them stayed as it went on; run its unit of work {many}"
    else:
        advice = f"run its unit of work {words.count(2 * created)} times, a leak grows with it"
    return Opinion(VerdictKind.INCONCLUSIVE, f"{_census(expects, seen, created)}; {advice}")


def _crew_advice(seen: Seen, created: float) -> str:
    """What is to be said of many that were left, where they may be there for good."""
    executions = seen.value("rounds", default=created)
    more = words.times(words.at_least(executions + FULL * created), "times")
    most = seen.row("left_most")
    if seen.low("alive_end") + seen.low("destroyed_pending") < seen.limits.survivors:
        return "it was in processes that came to no proper end; run it so that they end by themselves, not by SIGKILL"
    if _has_stopped(seen):
        return f"{_last(seen)}, as of a crew made when it is needed; run its unit of work {more}"
    if most is not None and most.high < seen.limits.survivors:
        many = words.count(most.value)
        return f"{many} at most in one process, which may need them for good; run its unit of work more often in each"
    if _is_crew(seen, created):
        early = words.percent(max(0.01, seen.value("spread")))
        made = f"all were made in the first {early} of the time since the first of them"
        return f"{made}, as a crew is that stays for good; run its unit of work several times over"
    return f"fewer and fewer of them stayed as it went on, as in a pool that fills; run its unit of work {more}"


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
    row = seen.row("churn", PY_SPY)
    spent = words.seconds(seen.value("churn", PY_SPY))
    reason = f"{census}, and {spent} to make them anew leaves it in doubt"
    advice = f"run it for at least {wanted}"
    if row is not None and seen.wall_s > 0:
        share, low, high = (part / seen.wall_s for part in (row.value, row.low, row.high))
        advice = TOO_LATE if is_late(share, (low, high), row.n) else advice
    return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}; {advice}")


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
    alive = seen.value("alive_end")
    looked = "at the end" if seen.low("alive_end") >= alive else "when last seen"
    return f"{words.count(alive)} of {made} created were alive {looked}{destroyed}"
