"""Repetition: does the flagged call do again, at a cost, what it did before with the same input?

"repeats" are executions whose input was seen before; "time in them" reads their seconds and share of the run by the
table in `timing`, as the probes give them and, since py-spy's line holds them all, as py-spy bounds them from above.
The first line that holds decides.

    repeats, or the time in them, were not counted (as of   not-measurable
    a generator that something else than a loop over it
    takes the items of)
    time in them costly, py-spy's line cheap, and the run   inconclusive: they contradict one another (see `timing`)
    with probes took no longer for it
    time in them, or py-spy's line, is cheap                rejected: repeating it costs little
    repeats are under a tenth of at least 100 executions    rejected: its input is hardly ever the same
    10 repeats or more, half of the executions or more,     confirmed
    and time in them costly by both collectors
    the same, py-spy absent, or the call is awaited         confirmed if the thresholds hold with the instrument's cost
                                                            taken off once more, else not-measurable
    not all was seen                                        not-measurable
    anything else                                           inconclusive, with the executions or seconds wanted

A coroutine that waits is on no stack, so of a call that is awaited (the probes say `waited`) py-spy says nothing.

An input that cannot be told from others is neither: the probes count it into the upper ends of repeats and of the time
in them, not into the lower ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.seen import PROBES, PY_SPY, Opinion
from auditor.judge.timing import (
    INSTRUMENT_S,
    Reading,
    contradiction,
    is_contradicted,
    read,
    sampler_doubt,
    telling_run,
    weigh,
)
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen
    from auditor.model import Evidence

# Fewer may all belong to starting up.
ENOUGH = 10.0
# Where most inputs are new, remembering results would mostly fill memory.
OFTEN = 0.5
# One in ten: remembering could save at most that part of the time.
SELDOM = 0.1
# Executions after which an input that was hardly ever the same is taken to be so by design.
MANY = 100.0


def judge_repetition(seen: Seen) -> Opinion:
    """The table above."""
    repeats, spent = seen.row("repeats"), seen.row("repeat_seconds")
    if repeats is not None and spent is None and seen.complete(PROBES):
        later = "but their items are made or read later, where no clock runs"
        reason = f"{_counted(seen, repeats)}, {later}; go through them in a loop over the call itself"
        return Opinion(VerdictKind.NOT_MEASURABLE, reason)
    if repeats is None or spent is None:
        reason = f"executions with an input seen before were not counted: {seen.gap()}"
        return Opinion(VerdictKind.NOT_MEASURABLE, reason)
    probes, spy = _read_repeats(seen, spent), _read_line(seen)
    complete = seen.complete(PROBES)
    if probes is Reading.COSTLY and spy is Reading.CHEAP and is_contradicted(seen, "repeat_seconds", "repeat_share"):
        return Opinion(VerdictKind.INCONCLUSIVE, contradiction(seen, "repeat_seconds"))
    if spy is Reading.CHEAP or (probes is Reading.CHEAP and complete):
        return Opinion(VerdictKind.REJECTED, _too_small(seen, repeats, spent, spy))
    if complete and seen.hits >= MANY and repeats.high < SELDOM * seen.hits:
        return Opinion(VerdictKind.REJECTED, f"{_counted(seen, repeats)}: its input is hardly ever the same")
    often = repeats.low >= max(ENOUGH, OFTEN * seen.hits)
    if often and probes is Reading.COSTLY and spy is Reading.COSTLY:
        return Opinion(VerdictKind.CONFIRMED, f"{_spent(seen)} in what was done before, {_counted(seen, repeats)}")
    if often and probes is Reading.COSTLY and spy is Reading.ABSENT:
        return _probes_alone(seen, repeats, spent)
    if not complete:
        reason = f"{_counted(seen, repeats)}, but not all was seen: {seen.gap()}"
        return Opinion(VerdictKind.NOT_MEASURABLE, reason)
    if often and probes is Reading.COSTLY:
        reason = f"{_spent(seen)} in what was done before, {_counted(seen, repeats)}{sampler_doubt(seen)}"
        return Opinion(VerdictKind.INCONCLUSIVE, reason)
    return Opinion(VerdictKind.INCONCLUSIVE, _doubt(seen, repeats, often))


def _read_repeats(seen: Seen, spent: Evidence) -> Reading:
    share = seen.row("repeat_share")
    return weigh(seen, (spent.low, spent.high), None if share is None else (share.low, share.high))


def _read_line(seen: Seen) -> Reading:
    return Reading.ABSENT if _is_awaited(seen) else read(seen, PY_SPY)


def _is_awaited(seen: Seen) -> bool:
    return seen.row("waited") is not None


def _probes_alone(seen: Seen, repeats: Evidence, spent: Evidence) -> Opinion:
    left = spent.low - repeats.low * INSTRUMENT_S
    counted = f"{_spent(seen)} in what was done before, {_counted(seen, repeats)}"
    if left >= seen.limits.seconds and seen.low("repeat_share") * left / spent.low >= seen.limits.share:
        why = "py-spy does not see what is awaited" if _is_awaited(seen) else seen.gap(PY_SPY)
        return Opinion(VerdictKind.CONFIRMED, f"{counted}, by the probes alone ({why})")
    reason = f"{counted}, may be the probe's own cost, and py-spy cannot tell: {seen.gap(PY_SPY)}"
    return Opinion(VerdictKind.NOT_MEASURABLE, reason)


def _too_small(seen: Seen, repeats: Evidence, spent: Evidence, spy: Reading) -> str:
    line = seen.row("seconds", PY_SPY)
    bound = min(spent.high, line.high) if spy is Reading.CHEAP and line is not None else spent.high
    return f"at most {words.seconds(bound)} went into what was done before, {_counted(seen, repeats)}"


def _doubt(seen: Seen, repeats: Evidence, often: bool) -> str:
    counted = _counted(seen, repeats)
    if often:
        wanted = max(telling_run(seen), 2 * seen.wall_s)
        return f"{_spent(seen)} in what was done before, {counted}; {_run_for(wanted)}"
    wanted = max(MANY, 2 * seen.hits)
    untold = repeats.high - repeats.low
    unknown = f", and the inputs of {words.count(untold)} more cannot be compared" if untold > 0 else ""
    if untold >= OFTEN * seen.hits:
        advice = "without running code of the program; make the call once, keep its result, and compare the times"
        return f"{counted}{unknown} {advice}"
    advice = f"run it at least {words.times(words.at_least(wanted), 'times')} with inputs as they come in real use"
    return f"{counted}{unknown}; {advice}"


def _run_for(wanted: float) -> str:
    return f"run it for at least {words.seconds(words.at_least(wanted))}"


def _counted(seen: Seen, repeats: Evidence) -> str:
    return f"{words.count(repeats.low)} of {words.times(seen.hits, 'executions')} had an input seen before"


def _spent(seen: Seen) -> str:
    """As in "0.5 s of 2 s (25 %)", of the collector that saw less, each over the run that it saw."""
    amounts = [(seen.value("repeat_seconds"), seen.value("repeat_share"))]
    if seen.row("seconds", PY_SPY) is not None and not _is_awaited(seen):
        amounts.append((seen.value("seconds", PY_SPY), seen.value("share", PY_SPY)))
    amount, share = min(amounts)
    total = amount / share if share > 0 else seen.wall_s
    return f"{words.seconds(amount)} of {words.seconds(total)} ({words.percent(share)})"
