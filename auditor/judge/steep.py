"""Scaling of what a few items more may make dearer by any factor: does matching go over the text again and again?

One pass over the text is needed anyway, so that an execution grows dearer in proportion to it says nothing.

    time           "beyond"                growth                           verdict
    confirmed      costly                  any                              confirmed
    confirmed      any                     lower end reaches 1 + threshold  confirmed: dearer faster than the text grows
    any but        cheap, all executions   upper end under 1 + threshold,   rejected: it takes no longer than going over
    rejected       counted                 or none; 1,000 characters met    the text once may
    confirmed      anything else                                            inconclusive: run it at other sizes
    rejected       any                     1,000 characters were met        rejected
    rejected       any                     any                              inconclusive: run it with 1,000 characters
    otherwise      any                     any                              as time says

"beyond" are seconds and share of those executions that took far longer than a pass, by the table in `timing`. A text
that is one character longer may take twice as long, so that small sizes never reject. "growth" is that of the cost per
execution over the length of the text in one run, or over n, where n drives that length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.growing import described, is_driven, per_execution
from auditor.judge.seen import PROBES, Opinion
from auditor.judge.timing import Reading, judge_time, weigh
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen
    from auditor.model import Evidence

# A text of so many characters on which no match failed slowly is taken to be of a kind on which none does.
LONG = 1000.0
# What one pass over the text costs grows with exponent 1.
PASS = 1.0


def judge_steep(seen: Seen) -> Opinion:
    """The table above."""
    time = judge_time(seen)
    if time.kind is VerdictKind.REJECTED:
        return _cold(seen, time)
    beyond, growth = _beyond(seen), _growth(seen)
    if time.kind is VerdictKind.CONFIRMED and beyond is Reading.COSTLY:
        again = words.seconds(seen.value("beyond"))
        row = seen.row("beyond")
        few = words.times(row.n if row is not None else 0, "executions")
        reason = f"{time.reason}, {again} of it in {few} that took far longer than a pass over the text"
        return Opinion(VerdictKind.CONFIRMED, f"{reason}{described(seen)}")
    if time.kind is VerdictKind.CONFIRMED and growth is not None and growth.low >= PASS + seen.limits.growth:
        exponent = words.factor(growth.value)
        reason = f"{time.reason}, cost per execution grows faster than the text (exponent {exponent})"
        return Opinion(VerdictKind.CONFIRMED, f"{reason}{described(seen)}")
    longest = seen.value("size_max")
    is_linear = growth is None or growth.high < PASS + seen.limits.growth
    if beyond is Reading.CHEAP and is_linear and longest >= LONG:
        reason = f"no match took much longer than a pass over the text, with up to {_characters(longest)}"
        return Opinion(VerdictKind.REJECTED, f"{reason}{described(seen)}")
    if time.kind is not VerdictKind.CONFIRMED:
        return time
    wanted = words.count(max(LONG, 4 * longest))
    reason = f"{time.reason}, but up to {_characters(longest)} do not tell whether a match goes over the text again"
    return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}; run it with texts of up to {wanted} characters")


def _beyond(seen: Seen) -> Reading:
    spent, share = seen.row("beyond"), seen.row("beyond_share")
    if spent is None or share is None:
        return Reading.ABSENT
    reading = weigh(seen, (spent.low, spent.high), (share.low, share.high))
    return Reading.ABSENT if reading is Reading.CHEAP and not seen.complete(PROBES) else reading


def _growth(seen: Seen) -> Evidence | None:
    """The greater exponent of those in one run and over n."""
    over = per_execution(seen) if is_driven(seen) else None
    known = [row for row in (seen.row("growth"), over) if row is not None]
    return max(known, key=lambda row: (row.low, row.high), default=None)


def _cold(seen: Seen, time: Opinion) -> Opinion:
    longest = seen.row("size_max")
    if longest is None:
        advice = f"run it with texts of at least {words.count(LONG)} characters"
        return Opinion(VerdictKind.INCONCLUSIVE, f"{time.reason}, but the length of the texts was not seen; {advice}")
    if longest.value >= LONG:
        return Opinion(VerdictKind.REJECTED, f"{time.reason}, with up to {_characters(longest.value)}")
    reason = f"{time.reason}, but the longest text had {_characters(longest.value)}"
    return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}; run it with at least {words.count(LONG)}")


def _characters(value: float) -> str:
    return words.times(value, "characters")
