"""Is the time spent in a suspect worth a change? Two collectors answer; this module weighs them.

A cost counts only if seconds *and* share reach their thresholds, by as much as the same program's times differ from
run to run, so that the next run does not say the opposite. One collector's numbers read as

    costly   both lower ends reach their thresholds
    cheap    the share's upper end stays under its threshold; or that of the seconds does, in a run long enough for a
             cost at the share's threshold to show (threshold seconds / threshold share, 2.5 s by default): in a shorter
             run small seconds say something about the run, not about the suspect
    absent   not delivered, or cheap but with a gap, so that more may have happened unseen
    open     anything else

and together

    probes         py-spy         verdict
    costly         cheap, and the run with probes took no longer for it: inconclusive, they contradict one another
    any            cheap          rejected: py-spy watches the unmodified program, so costly probes made it costly
    cheap          any            rejected: the operation alone was timed, so a hot line is hot for another reason
    costly         costly         confirmed
    costly         absent         confirmed if the thresholds hold with the instrument's cost taken off once more,
                                  else not-measurable
    absent         costly/absent  not-measurable: a line holds other code too
    anything else                 inconclusive, with the seconds of workload that would settle it

A share at or above its threshold in a run too short for the seconds is thus in doubt, not rejected.

What a loop costs that asks in a coroutine ("polled") py-spy cannot see, so there it counts as absent.

Time that only the probes cause lengthens their run; time that is there without them does not. Where their run was not
longer by half of what py-spy did not see, it was there, and the sampler missed it: on a busy machine it gets a
processor when the program does not work.

If the expectation narrows py-spy's samples to functions below the line, py-spy alone speaks of what is wanted and the
probes, which timed the whole call, only bound it: py-spy costly confirms without them too, but not against their doubt,
as the whole may yet be cheap, and py-spy absent is not-measurable.
"""

from __future__ import annotations

import math
from enum import Enum, auto

from auditor.judge import words
from auditor.judge.seen import PROBES, PY_SPY, Opinion, Seen
from auditor.model import VerdictKind
from auditor.stats import seconds_to_settle, wilson

# Timing one execution costs the probed program about 310 ns, of which the collector takes off what it calibrated.
INSTRUMENT_S = 310e-9
# As many times as wide as the samples' number alone makes it is an interval of a sampler that was kept waiting.
BUSY = 2.0
# The same program's times differ from run to run by a standard deviation of some 15 %. What one run finds within that
# of a threshold, the next may find on its other side.
BETWEEN_RUNS = 1.15
TOO_LATE = "py-spy often came too late to tell; run it again while the machine has less else to do"


class Reading(Enum):
    """What one collector says of a cost."""

    ABSENT = auto()
    CHEAP = auto()
    OPEN = auto()
    COSTLY = auto()


def read(seen: Seen, collector: str) -> Reading:
    """The reading of one collector's `seconds` and `share`; py-spy does not see what a coroutine's asking costs."""
    if collector == PY_SPY and seen.row("polled") is not None:
        return Reading.ABSENT
    seconds, share = seen.row("seconds", collector), seen.row("share", collector)
    if seconds is None and share is None:
        return Reading.ABSENT
    reading = weigh(
        seen,
        None if seconds is None else (seconds.low, seconds.high),
        None if share is None else (share.low, share.high),
    )
    return Reading.ABSENT if reading is Reading.CHEAP and not seen.complete(collector) else reading


def weigh(seen: Seen, seconds: tuple[float, float] | None, share: tuple[float, float] | None) -> Reading:
    """Hold an interval of seconds and one of their share against the thresholds."""
    limits = seen.limits
    if share is not None and share[1] * BETWEEN_RUNS < limits.share:
        return Reading.CHEAP
    if seconds is not None and seconds[1] * BETWEEN_RUNS < limits.seconds and seen.wall_s >= telling_run(seen):
        return Reading.CHEAP
    if seconds is None or share is None:
        return Reading.OPEN
    if seconds[0] >= limits.seconds * BETWEEN_RUNS and share[0] >= limits.share * BETWEEN_RUNS:
        return Reading.COSTLY
    return Reading.OPEN


def telling_run(seen: Seen) -> float:
    """The least run, in seconds, in which a cost at the threshold of share also reaches the threshold of seconds."""
    return seen.limits.seconds / seen.limits.share


def judge_time(seen: Seen, narrowed: bool = False) -> Opinion:
    """The table above; `narrowed` if py-spy's samples are those below the line only."""
    probes, spy = read(seen, PROBES), read(seen, PY_SPY)
    if probes is Reading.COSTLY and spy is Reading.CHEAP and not narrowed and is_contradicted(seen):
        return Opinion(VerdictKind.INCONCLUSIVE, contradiction(seen))
    if Reading.CHEAP in (probes, spy):
        return Opinion(VerdictKind.REJECTED, _too_small(seen, probes, spy, narrowed))
    if spy is Reading.COSTLY and (probes is Reading.COSTLY or (narrowed and probes is Reading.ABSENT)):
        return Opinion(VerdictKind.CONFIRMED, f"{spent(seen)} in {words.times(seen.hits, 'executions')}")
    if spy is Reading.ABSENT and narrowed:
        return Opinion(VerdictKind.NOT_MEASURABLE, f"what runs below the line was not sampled: {seen.gap(PY_SPY)}")
    if spy is Reading.ABSENT and probes is Reading.COSTLY:
        return _probes_alone(seen)
    if probes is Reading.ABSENT and spy is not Reading.OPEN:
        return _operation_untimed(seen, spy)
    return Opinion(VerdictKind.INCONCLUSIVE, f"{_doubt(seen)}; {_longer_run(seen)}")


def is_contradicted(seen: Seen, seconds: str = "seconds", share: str = "share") -> bool:
    """Whether the probes timed more than py-spy allows for, in a run that was not longer for it than the plain one."""
    timed, part, sampled = seen.row(seconds), seen.row(share), seen.row("seconds", PY_SPY)
    if timed is None or part is None or sampled is None or part.value <= 0:
        return False
    unseen = timed.low - seen.hits * INSTRUMENT_S - sampled.high
    longer = timed.value / part.value - seen.wall_s
    return unseen > 0 and longer < unseen / 2


def contradiction(seen: Seen, seconds: str = "seconds") -> str:
    """What the two collectors say, and what may settle it."""
    timed, most = words.seconds(seen.value(seconds)), seen.row("seconds", PY_SPY)
    sampled = words.seconds(most.high) if most is not None else "0 s"
    return (
        f"the probes timed {timed} in {words.times(seen.hits, 'executions')} in a run that was not longer for it,"
        f" py-spy saw at most {sampled}; run it again with --repeat 5"
    )


def spent(seen: Seen) -> str:
    """As in "0.54 s of 2.1 s (26 %)", of the collector that saw less, as both are upper bounds."""
    amount, share = min(
        (
            (seen.value("seconds", collector), seen.value("share", collector))
            for collector in (PROBES, PY_SPY)
            if seen.row("seconds", collector) and (collector == PROBES or seen.row("polled") is None)
        ),
        default=(0.0, 0.0),
    )
    return _portion(seen, amount, share)


def sampler_doubt(seen: Seen) -> str:
    """What py-spy's samples allow for, and what would settle it, where the probes are sure and py-spy is not."""
    wide = _possible(seen, PY_SPY)
    if _was_late(seen):
        return f"{wide}; {TOO_LATE}"
    wanted = _wanted_run(seen, PY_SPY)
    if not wanted < words.HOUR_S:
        return f"{wide}; {_too_near(seen)}"
    return f"{wide}; run it for at least {words.seconds(words.at_least(wanted or telling_run(seen)))}"


def _possible(seen: Seen, collector: str) -> str:
    share = seen.row("share", collector)
    if share is None or read(seen, collector) is not Reading.OPEN or share.low >= seen.limits.share * BETWEEN_RUNS:
        return ""
    possible = f"{words.percent(share.low)} to {words.percent(min(1.0, share.high))}"
    return f", but anything from {possible} of the run fits what {collector} saw"


def _doubt(seen: Seen) -> str:
    """What was spent, and why that does not tell; where one collector's interval is wide, what that one saw."""
    for collector in (PROBES, PY_SPY):
        if possible := _possible(seen, collector):
            return f"{_portion(seen, seen.value('seconds', collector), seen.value('share', collector))}{possible}"
    if 0 < seen.wall_s < telling_run(seen):
        return f"{spent(seen)}, but by itself the workload ran only {words.seconds(seen.wall_s)}"
    return f"{spent(seen)}, which leaves it in doubt"


def _longer_run(seen: Seen) -> str:
    late = _was_late(seen)
    if late and read(seen, PROBES) is not Reading.OPEN:
        return TOO_LATE
    collectors = (PROBES,) if late else (PROBES, PY_SPY)
    wanted = max(_wanted_run(seen, collector) for collector in collectors) or telling_run(seen)
    if not wanted < words.HOUR_S:
        return _too_near(seen)
    advice = f"run it for at least {words.seconds(words.at_least(wanted))}"
    return f"{advice}, while the machine has less else to do" if late else advice


def _too_near(seen: Seen) -> str:
    return f"it lies so near to {words.percent(seen.limits.share)} of the run that no run under an hour would tell"


def _was_late(seen: Seen) -> bool:
    """Whether py-spy's doubt is more than so many samples leave by themselves, so that a longer run would not help."""
    share = seen.row("share", PY_SPY)
    if share is None or read(seen, PY_SPY) is not Reading.OPEN:
        return False
    return is_late(share.value, (share.low, share.high), share.n)


def is_late(value: float, ends: tuple[float, float], samples: int) -> bool:
    """Whether a sampled share is in more doubt than so many samples leave by themselves."""
    low, high = wilson(round(max(0.0, min(1.0, value)) * samples), samples) if samples else (0.0, 1.0)
    return ends[1] - ends[0] > BUSY * (high - low)


def _wanted_run(seen: Seen, collector: str) -> float:
    if read(seen, collector) is not Reading.OPEN:
        return 0.0
    share, limit = seen.row("share", collector), seen.limits.share
    if share is None:
        return max(telling_run(seen), 2 * seen.wall_s)
    if share.low >= limit * BETWEEN_RUNS:
        return max(BETWEEN_RUNS * seen.limits.seconds / share.low, seen.wall_s)
    nearest = min(max(share.value, limit / BETWEEN_RUNS), limit * BETWEEN_RUNS)
    if nearest == share.value:
        return math.inf
    return seconds_to_settle(share.value, share.low, share.high, nearest, seen.wall_s)


def _portion(seen: Seen, amount: float, share: float) -> str:
    total = amount / share if share > 0 else seen.wall_s
    return f"{words.seconds(amount)} of {words.seconds(total)} ({words.percent(share)})"


def _too_small(seen: Seen, probes: Reading, spy: Reading, narrowed: bool) -> str:
    cheap = [name for name, reading in ((PROBES, probes), (PY_SPY, spy)) if reading is Reading.CHEAP]
    collector = min(cheap, key=lambda name: _ceiling(seen, name))
    seconds, share = seen.row("seconds", collector), seen.row("share", collector)
    parts = [] if seconds is None else [words.seconds(seconds.high)]
    parts += [] if share is None else [f"{words.at_most(share.high)} of the run"]
    most = f"at most {' or '.join(parts)}"
    if spy is Reading.CHEAP and probes is Reading.COSTLY and narrowed:
        return f"the call is costly for the rest of what it does, what the rule looks for takes {most}"
    if spy is Reading.CHEAP and probes is Reading.COSTLY:
        return f"costly only under the probe, {most} in the unmodified program"
    if probes is Reading.CHEAP and spy is Reading.COSTLY:
        return f"the line is hot for another reason, the flagged operation alone takes {most}"
    return f"{most} is spent here in {words.times(seen.hits, 'executions')}"


def _ceiling(seen: Seen, collector: str) -> float:
    row = seen.row("share", collector) or seen.row("seconds", collector)
    return row.high if row else float("inf")


def _probes_alone(seen: Seen) -> Opinion:
    seconds, share = seen.low("seconds"), seen.low("share")
    left = seconds - seen.hits * INSTRUMENT_S
    why = seen.gap(PY_SPY) if seen.row("polled") is None else "py-spy does not see what the event loop does for it"
    if left >= seen.limits.seconds and share * left / seconds >= seen.limits.share:
        return Opinion(VerdictKind.CONFIRMED, f"{spent(seen)}, by the probes alone ({why})")
    return Opinion(
        VerdictKind.NOT_MEASURABLE,
        f"{spent(seen)} in {words.times(seen.hits, 'executions')} may be the probe's own cost,"
        f" and py-spy cannot tell: {why}",
    )


def _operation_untimed(seen: Seen, spy: Reading) -> Opinion:
    hot = f"the line holds {spent(seen)}, but " if spy is Reading.COSTLY else ""
    return Opinion(VerdictKind.NOT_MEASURABLE, f"{hot}the flagged operation alone was not timed: {seen.gap(PROBES)}")
