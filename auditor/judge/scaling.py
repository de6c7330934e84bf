"""Scaling: does one execution grow dearer with the size of its input?

    time           how the cost moves with size                                 verdict
    confirmed      any, where one execution in all would do                     confirmed
    confirmed      growth's upper end under the threshold, that over n reaches  inconclusive: they contradict
    any            growth's upper end under the threshold, its lower end at     rejected: cost per execution is constant
                   most 0
    any            no growth; that over n under the threshold, and n drives     rejected: cost per execution is constant
                   the operation's own size
    any            at least 1,000 executions, none above 64 items, of what      rejected: so few are copied for nothing
                   is a copy in memory
    any            sizes are visibly bounded (see below), and the constant-     rejected: nothing is to be gained at
                   time alternative is surely less than 4 times cheaper         such sizes
    confirmed      growth's lower end reaches the threshold                     confirmed
    confirmed      that over n reaches it                                       confirmed
    confirmed      a growth whose lower end is above 0.15, and the constant-    confirmed: at this size it is far dearer
                   time alternative at least 4 times cheaper                    than it need be
    confirmed      no growth, none over n that n drives, sizes within a factor  confirmed: at this size it is far dearer
                   8 of one another, and the constant-time alternative at       than it need be
                   least 4 times cheaper
    confirmed      anything else                                                inconclusive: sizes further apart
    rejected       growth's lower end reaches the threshold, and py-spy        inconclusive: they contradict
                   finds the line costly
    rejected       growth's lower end reaches the threshold, and seconds and    inconclusive: run it at such sizes
                   share would reach theirs at sizes 4 times as large
    rejected       sizes reached 1,000 items, or are visibly bounded: at least  rejected
                   1,000 executions, all of one size or none above 64 items
    rejected       anything else                                                inconclusive: run it with 1,000 items
    otherwise      any                                                          as time says

"growth" is the exponent of the cost per execution over the operation's own size inside one run; "that over n" the same
over runs of the workload at several sizes n, for what a single run cannot show: one execution in all, or a container
that only shrinks.

The alternative to joining parts grows with their number: it is a look-up for each of them.

Where the growth may be steep, as of a regular expression that backtracks, `steep` judges.

"time" is the verdict of the table in `timing`. A cost that is small at small sizes says nothing about large ones, which
is why sizes must support a rejection; a growth in doubt is never decided by its middle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.growing import described, is_driven, per_execution
from auditor.judge.seen import PROBES, PY_SPY, Opinion
from auditor.judge.steep import judge_steep
from auditor.judge.timing import BETWEEN_RUNS, Reading, judge_time, read
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen
    from auditor.model import Evidence, Scaling

# A line through log(cost) over log(size) needs sizes this far apart: three doublings.
SPREAD = 8.0
# Against the constant-time alternative; less than this is eaten up by building that alternative.
DEARER = 4.0
# A clear growth below the threshold is where a fixed cost still outweighs the linear part, as of copying what fits into
# the processor's cache. Misses of that cache raise a cost by less than this.
SLOW = 0.15
# At this size a linear cost stands out of the fixed cost of any operation by an order of magnitude.
LARGE = 1000.0
# Up to this size a linear scan costs about as much as hashing; above it the two part.
SMALL = 64.0
# Up to so many times the sizes seen, a growth that is known is taken to go on.
NEAR = 4.0
# Executions after which a size that stayed small, or stayed the same, is taken to be so by design.
MANY = 1000.0


def judge_scaling(expects: Scaling, seen: Seen) -> Opinion:
    """The table above."""
    if expects.steep:
        return judge_steep(seen)
    growth, over, time = seen.row("growth"), per_execution(seen), judge_time(seen)
    if expects.avoidable and time.kind is VerdictKind.CONFIRMED:
        return Opinion(time.kind, f"{time.reason}, where one call in all would do{described(seen)}")
    if expects.avoidable:
        return _cold(seen, time) if time.kind is VerdictKind.REJECTED else time
    if growth is not None and growth.low <= 0 and growth.high < seen.limits.growth and seen.complete(PROBES):
        return _constant_in_run(seen, growth, time)
    flat = growth is None and over is not None and over.high < seen.limits.growth and seen.complete(over.collector)
    if flat and over is not None and is_driven(seen):
        reason = f"cost per execution stays constant over n (exponent {over.value:.2f}){described(seen)}"
        return Opinion(VerdictKind.REJECTED, reason)
    if expects.copies and _is_bounded(seen) and seen.value("size_max") <= SMALL:
        runs = words.times(seen.hits, "executions")
        copied = f"copies of up to {words.times(seen.value('size_max'), 'items')} cost next to nothing"
        return Opinion(VerdictKind.REJECTED, f"{copied}, whatever else is done in {runs}")
    ratio = seen.row("cost_ratio")
    if _is_bounded(seen) and ratio is not None and ratio.high < DEARER:
        met = words.times(seen.value("size_max"), "items")
        reason = f"with up to {met}, {words.factor(ratio.value)} times the cost of the cheap alternative"
        return Opinion(VerdictKind.REJECTED, f"{reason} in {words.times(seen.hits, 'executions')}")
    if time.kind is VerdictKind.CONFIRMED:
        return _hot(seen, time)
    if time.kind is VerdictKind.REJECTED:
        return _disputed(seen, growth) or _small_yet(seen, growth, time) or _cold(seen, time)
    return time


def _disputed(seen: Seen, growth: Evidence | None) -> Opinion | None:
    """What grows with size under the probes is not cheap for being so there, if the line is hot in the plain program.

    How much a copy of a large block costs hangs on what the allocator did before: the probes may have changed that.
    """
    hot = read(seen, PROBES) is Reading.CHEAP and read(seen, PY_SPY) is Reading.COSTLY
    if not hot or growth is None or growth.low < seen.limits.growth:
        return None
    timed, sampled = words.seconds(seen.value("seconds")), words.seconds(seen.value("seconds", PY_SPY))
    reason = f"the probes timed {timed} and a cost that grows with size, py-spy saw {sampled} on the line"
    return Opinion(
        VerdictKind.INCONCLUSIVE, f"{reason}; move the operation to a line of its own, or run it at larger sizes"
    )


def _small_yet(seen: Seen, growth: Evidence | None, time: Opinion) -> Opinion | None:
    """What surely grows as the rule suspects is no false alarm for being small, if it is not at sizes near these.

    What a single execution costs as size^p takes the run's seconds to size^(1 + p), and their share, of a run that
    grows with size itself, to size^p.
    """
    spent = seen.row("seconds")
    if growth is None or spent is None or growth.low < seen.limits.growth or seen.wall_s <= 0:
        return None
    seconds = min(row.value for row in (spent, seen.row("seconds", PY_SPY)) if row is not None and row.value > 0)
    wanted = max(
        (seen.limits.seconds / seconds) ** (1 / (1 + growth.value)),
        (seen.limits.share * seen.wall_s / seconds) ** (1 / growth.value),
    )
    if wanted > NEAR:
        return None
    larger = words.factor(words.at_least(max(2.0, BETWEEN_RUNS * wanted)))
    reason = f"{time.reason}, but the cost per execution grows with size (exponent {words.factor(growth.value)})"
    return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}; run it with {larger} times as many items")


def _constant_in_run(seen: Seen, growth: Evidence, time: Opinion) -> Opinion:
    exponent, runs = words.factor(growth.value), words.times(seen.hits, "executions")
    said = f"cost per execution stays constant (exponent {exponent}) over {runs}"
    over = per_execution(seen)
    if time.kind is VerdictKind.CONFIRMED and over is not None and over.low >= seen.limits.growth:
        reason = f"{time.reason}, and {said} of one run, but over n it grows (exponent {over.value:.2f})"
        return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}; run it at sizes at least 4 times as large")
    return Opinion(VerdictKind.REJECTED, f"{said}{described(seen)}")


def _growing_anyhow(seen: Seen, growth: Evidence, time: Opinion) -> Opinion | None:
    """Of what surely grows, and is far dearer than it need be, it does not matter how fast; None if one is in doubt."""
    is_slow = 0 < growth.low <= growth.high < seen.limits.growth
    largest = words.times(seen.value("size_max"), "items")
    if is_slow:
        reason = f"{time.reason}, cost per execution grows slowly up to {largest} (exponent {growth.value:.2f})"
    else:
        reason = f"{time.reason}, cost per execution grows with size (exponent {words.factor(growth.value)})"
    if growth.low > SLOW and seen.low("cost_ratio") >= DEARER:
        ratio = words.factor(seen.value("cost_ratio"))
        link = "but" if is_slow else "and"
        return Opinion(VerdictKind.CONFIRMED, f"{reason}, {link} is {ratio} times that of the cheap alternative")
    if is_slow:
        return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}; run it at sizes at least 8 times as large")
    return None


def _hot(seen: Seen, time: Opinion) -> Opinion:
    growth = seen.row("growth")
    if growth is not None and growth.low >= seen.limits.growth:
        exponent = words.factor(growth.value)
        reason = f"{time.reason}, cost per execution grows with size (exponent {exponent})"
        return Opinion(VerdictKind.CONFIRMED, f"{reason}{described(seen)}")
    over = per_execution(seen)
    if over is not None and over.low >= seen.limits.growth:
        reason = f"{time.reason}, cost per execution grows with n (exponent {over.value:.2f})"
        return Opinion(VerdictKind.CONFIRMED, f"{reason}{described(seen)}")
    if growth is not None and (said := _growing_anyhow(seen, growth, time)) is not None:
        return said
    smallest, largest = seen.value("size_min"), seen.value("size_max")
    near = seen.row("size_max") is not None and largest <= SPREAD * smallest
    may_be_flat = over is not None and is_driven(seen)
    is_dearer = seen.low("cost_ratio") >= DEARER
    if growth is None and near and is_dearer and not may_be_flat:
        ratio = words.factor(seen.value("cost_ratio"))
        reason = f"{time.reason}, cost per execution is {ratio} times that of the cheap alternative"
        return Opinion(VerdictKind.CONFIRMED, f"{reason} at {words.times(largest, 'items')}")
    return Opinion(VerdictKind.INCONCLUSIVE, f"{time.reason}, but {_unknown_growth(seen, largest)}")


def _unknown_growth(seen: Seen, largest: float) -> str:
    growth = seen.row("growth")
    if growth is not None:
        doubt = f"the exponent of cost per execution lies between {growth.low:.2f} and {growth.high:.2f}"
        return f"{doubt}; run it at least {words.times(4 * seen.hits, 'times')} over sizes from 8 to 1,000 and more"
    if seen.row("size_max") is None:
        return "no size was seen; run it with sizes from 8 to 1,000 items and more"
    sizes = f"sizes from {words.count(seen.value('size_min', default=largest))} to {words.count(largest)}"
    reach = words.count(max(LARGE, SPREAD * largest))
    return f"{sizes} do not tell whether cost per execution grows; run it with sizes from 8 to {reach} items"


def _cold(seen: Seen, time: Opinion) -> Opinion:
    largest = seen.row("size_max")
    if largest is None:
        reason = f"{time.reason}, but no size was seen; run it with at least {words.count(LARGE)} items"
        return Opinion(VerdictKind.INCONCLUSIVE, reason)
    met = words.times(largest.value, "items")
    if largest.value >= LARGE or _is_bounded(seen):
        return Opinion(VerdictKind.REJECTED, f"{time.reason}, with up to {met}")
    reason = f"{time.reason}, but the largest size seen was {met}; run it with at least {words.count(LARGE)}"
    return Opinion(VerdictKind.INCONCLUSIVE, reason)


def _is_bounded(seen: Seen) -> bool:
    """Whether sizes are visibly small, or the same, by design."""
    smallest, largest = seen.row("size_min"), seen.row("size_max")
    if smallest is None or largest is None or not seen.complete(PROBES) or seen.hits < MANY:
        return False
    return smallest.value == largest.value or largest.value <= SMALL
