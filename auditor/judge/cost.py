"""Cost: is the flagged node costly as it stands?

Time is judged by the table in `timing`. Where the rule also asks for memory:

    peak memory                            time             verdict
    low ends of bytes and share reach      any              confirmed
    any                                    confirmed        confirmed
    upper end of bytes or share is under   as time says     as time says
    not measured, or in part               not confirmed    not-measurable
    in doubt                               rejected         inconclusive, with how much larger the input should be
    in doubt                               in doubt         as time says

Where any other way of doing the same takes as long (`time=False`), memory decides alone: confirmed, rejected where it
is known to be small, inconclusive in doubt, and not-measurable where it was not measured.

What is small is in doubt all the same if what is returned does more as it is used, and is handed on to where no probe
stands ("handed_on").

Where the workload was run at several sizes n, a cost that is small is in doubt all the same if its seconds grow faster
than n, their share of the run grows, and both would reach their thresholds within ten times the greatest n.

What is flagged may be a call that leads to the costly one through a chain of others. Then a confirmed time is that of
all which they do, and is confirmed only if py-spy also sees the call at the end of the chain at a cost; else it is in
doubt: the rest may be other work of theirs, or a call of the same kind that the chain does not show. Without py-spy it
is not-measurable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.growing import described, reach
from auditor.judge.seen import CHAIN, MEMRAY, PY_SPY, Opinion
from auditor.judge.timing import Reading, judge_time, telling_run, weigh
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen
    from auditor.model import Cost


def judge_cost(expects: Cost, seen: Seen) -> Opinion:
    """The table above."""
    if not expects.time:
        return _judge_memory(seen)
    time = _over_sizes(seen, _at_the_end(seen, judge_time(seen, narrowed=bool(expects.below))))
    if time.kind is VerdictKind.REJECTED and seen.value("handed_on") > 0:
        later = "but what it returned works on where it is used, and that was not timed"
        reason = f"{time.reason}, {later}; use it up in the function around it, or keep one and compare"
        return Opinion(VerdictKind.INCONCLUSIVE, reason)
    if not expects.memory:
        return time
    memory = _read_memory(seen)
    if memory is Reading.COSTLY:
        return Opinion(VerdictKind.CONFIRMED, _held(seen))
    if time.kind is VerdictKind.CONFIRMED or memory is Reading.CHEAP:
        return time
    if memory is Reading.ABSENT:
        reason = f"peak memory is not known ({seen.gap(MEMRAY)}), and time alone does not confirm: {time.reason}"
        return Opinion(VerdictKind.NOT_MEASURABLE, reason)
    return _memory_in_doubt(seen) if time.kind is VerdictKind.REJECTED else time


def _judge_memory(seen: Seen) -> Opinion:
    memory = _read_memory(seen)
    if memory is Reading.COSTLY:
        return Opinion(VerdictKind.CONFIRMED, _held(seen))
    if memory is Reading.CHEAP:
        runs = words.times(seen.hits, "executions")
        return Opinion(VerdictKind.REJECTED, f"only {_held(seen)} in {runs}, and another way takes as long")
    if memory is Reading.ABSENT:
        return Opinion(VerdictKind.NOT_MEASURABLE, f"peak memory is not known: {seen.gap(MEMRAY)}")
    return _memory_in_doubt(seen)


def _memory_in_doubt(seen: Seen) -> Opinion:
    larger = words.at_least(max(2.0, seen.limits.bytes / max(1.0, seen.value("peak_bytes", MEMRAY))))
    reason = f"{_held(seen)} leaves it in doubt; run it with inputs {words.factor(larger)} times as large"
    return Opinion(VerdictKind.INCONCLUSIVE, reason)


def _at_the_end(seen: Seen, time: Opinion) -> Opinion:
    """A confirmed time held against that of the call at the end of the chain, if there is one."""
    spent, share = seen.row("end_seconds", PY_SPY), seen.row("end_share", PY_SPY)
    if time.kind is VerdictKind.CONFIRMED and not seen.complete(CHAIN):
        reason = f"{time.reason}, but how much of it at the end of the chain is not known: {seen.gap(CHAIN)}"
        return Opinion(VerdictKind.NOT_MEASURABLE, reason)
    if time.kind is not VerdictKind.CONFIRMED or spent is None or share is None:
        return time
    reading = weigh(seen, (spent.low, spent.high), (share.low, share.high))
    if reading is Reading.COSTLY:
        part = min(1.0, spent.value / max(spent.value, seen.value("seconds", PY_SPY)))
        return Opinion(time.kind, f"{time.reason}, {words.percent(part)} of it at the end of the chain")
    between = f"{words.seconds(spent.low)} to {words.seconds(spent.high)}"
    reason = f"{time.reason}, but only {between} of it at the end of the chain"
    if reading is Reading.CHEAP:
        return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}; look at what else is done on the way")
    wanted = words.seconds(words.at_least(max(telling_run(seen), 4 * seen.wall_s)))
    return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}; run it for at least {wanted}")


def _over_sizes(seen: Seen, time: Opinion) -> Opinion:
    if time.kind is VerdictKind.REJECTED and (more := reach(seen)) is not None:
        larger = words.factor(words.at_least(max(1.1, more)))
        reason = f"{time.reason}{described(seen)}; run it with n {larger} times as large"
        return Opinion(VerdictKind.INCONCLUSIVE, reason)
    if time.kind in (VerdictKind.CONFIRMED, VerdictKind.REJECTED):
        return Opinion(time.kind, f"{time.reason}{described(seen)}")
    return time


def _read_memory(seen: Seen) -> Reading:
    size, share = seen.row("peak_bytes", MEMRAY), seen.row("peak_share", MEMRAY)
    if size is None or share is None:
        return Reading.ABSENT
    if size.high < seen.limits.bytes or share.high < seen.limits.share:
        return Reading.CHEAP if seen.complete(MEMRAY) else Reading.ABSENT
    if size.low >= seen.limits.bytes and share.low >= seen.limits.share:
        return Reading.COSTLY
    return Reading.OPEN


def _held(seen: Seen) -> str:
    share = words.percent(seen.value("peak_share", MEMRAY))
    return f"{words.size(seen.value('peak_bytes', MEMRAY))} of the memory at its peak ({share}) come from here"
