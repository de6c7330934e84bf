"""Cost: is the flagged node costly as it stands?

Time is judged by the table in `timing`. Where the rule also asks for memory:

    peak memory                            time             verdict
    low ends of bytes and share reach      any              confirmed
    any                                    confirmed        confirmed
    upper end of bytes or share is under   as time says     as time says
    not measured, or in part               not confirmed    not-measurable
    in doubt                               rejected         inconclusive, with how much larger the input should be
    in doubt                               in doubt         as time says

Where the workload was run at several sizes n, a cost that is small is in doubt all the same if its seconds grow faster
than n, their share of the run grows, and both would reach their thresholds within ten times the greatest n.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.growing import described, reach
from auditor.judge.seen import MEMRAY, Opinion
from auditor.judge.timing import Reading, judge_time
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen
    from auditor.model import Cost


def judge_cost(expects: Cost, seen: Seen) -> Opinion:
    """The table above."""
    time = _over_sizes(seen, judge_time(seen, narrowed=bool(expects.below)))
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
    if time.kind is VerdictKind.REJECTED:
        larger = words.at_least(max(2.0, seen.limits.bytes / max(1.0, seen.value("peak_bytes", MEMRAY))))
        reason = f"{_held(seen)} leaves it in doubt; run it with inputs {words.factor(larger)} times as large"
        return Opinion(VerdictKind.INCONCLUSIVE, reason)
    return time


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
