"""What a profile that was taken elsewhere says: samples of lines, or a tracer's times of functions.

Samples are no counts, and a line may hold other code than the flagged. So a sample of the flagged line shows that it
ran; none shows nothing but a ceiling, not that it never ran. Its time bounds that of the flagged operation from above,
and is its own ("seconds", "share") only where nothing else works on its lines; else it is the line's ("line_seconds",
"line_share"). Where waiting may be missing from the profile, upper ends are open. "Reads" is by the table in `timing`.

    samples of the line                       expectation     verdict
    not known                                 any             not-measurable
    none                                      any             inconclusive, with the ceiling
    time reads cheap                          Cost (time),    rejected
                                              Repetition
    time reads cheap                          Scaling         inconclusive: sizes are not known
    its own time reads costly                 Cost            confirmed
    the time below an event loop does so      Stall           confirmed
    anything else                                             inconclusive

    memory at the peak                        for Cost with memory alone
    bytes and share reach their thresholds    confirmed; inconclusive if the line holds other code too
    less, or none                             not-measurable, as its time is not known

    calls of the function around it, traced
    none                                      any             not-exercised
    some                                      any             inconclusive: a tracer distorts times and knows no lines
"""

from __future__ import annotations

from auditor.judge import words
from auditor.judge.seen import Opinion, Seen
from auditor.judge.timing import Reading, weigh
from auditor.model import Cost, Evidence, Expectation, Repetition, Scaling, Stall, VerdictKind

CAPTURE = "capture"
WORKLOAD = "give a workload with --run"


def is_captured(seen: Seen) -> bool:
    """Whether the observation comes from a profile taken elsewhere."""
    return CAPTURE in seen.gaps or any(collector == CAPTURE for _, collector in seen.rows)


def judge_capture(expects: Expectation, seen: Seen) -> Opinion:
    """The tables above."""
    if seen.row("calls", CAPTURE) is not None:
        return _traced(seen)
    if _time(seen, "peak_bytes") is not None:
        return _memory(seen)
    samples = seen.row("samples", CAPTURE)
    if samples is None or not seen.complete(CAPTURE):
        return Opinion(VerdictKind.NOT_MEASURABLE, seen.gap(CAPTURE))
    if samples.value <= 0:
        return Opinion(VerdictKind.INCONCLUSIVE, _unseen(seen, samples))
    own = _own(seen)
    reading = _read(seen)
    match expects:
        case Stall():
            return _stall(seen)
        case Cost(time=False):
            reason = f"{_spent(seen)}, as any other way would, and a CPU profile does not tell its memory; {WORKLOAD}"
            return Opinion(VerdictKind.NOT_MEASURABLE, reason)
        case Cost(memory=memory) if reading is Reading.CHEAP and memory:
            reason = f"{_most(seen)}, but a CPU profile does not tell its memory; {WORKLOAD}"
            return Opinion(VerdictKind.NOT_MEASURABLE, reason)
        case Cost() | Repetition() if reading is Reading.CHEAP:
            return Opinion(VerdictKind.REJECTED, _most(seen))
        case Cost() if reading is Reading.COSTLY and own:
            return Opinion(VerdictKind.CONFIRMED, f"{_spent(seen)}, in {words.times(samples.value, 'samples')}")
        case Scaling() if reading in (Reading.CHEAP, Reading.COSTLY):
            said = _most(seen) if reading is Reading.CHEAP else _spent(seen)
            reason = f"{said}, but a profile does not tell how it grows with size; {WORKLOAD}"
            return Opinion(VerdictKind.INCONCLUSIVE, reason)
        case Repetition() if reading is Reading.COSTLY:
            reason = f"{_spent(seen)}, but a profile does not tell how often its input was the same; {WORKLOAD}"
            return Opinion(VerdictKind.INCONCLUSIVE, reason)
    return Opinion(VerdictKind.INCONCLUSIVE, _doubt(seen, own, reading))


def _time(seen: Seen, metric: str) -> Evidence | None:
    return seen.row(metric, CAPTURE) or seen.row(f"line_{metric}", CAPTURE)


def _own(seen: Seen) -> bool:
    return seen.row("share", CAPTURE) is not None


def _read(seen: Seen) -> Reading:
    seconds, share = _time(seen, "seconds"), _time(seen, "share")
    return weigh(
        seen,
        None if seconds is None else (seconds.low, seconds.high),
        None if share is None else (share.low, share.high),
    )


def _stall(seen: Seen) -> Opinion:
    stood = seen.row("stall", CAPTURE)
    if stood is None:
        why = "the line holds other code too" if _time(seen, "seconds") else "the profile does not tell seconds"
        return Opinion(VerdictKind.INCONCLUSIVE, f"{_spent(seen)}, but {why}; {WORKLOAD}")
    share = (stood.low / seen.wall_s, stood.high / seen.wall_s) if seen.wall_s > 0 else None
    if weigh(seen, (stood.low, stood.high), share) is Reading.COSTLY:
        held = f"{words.seconds(stood.value)} of {words.seconds(seen.wall_s)}"
        return Opinion(VerdictKind.CONFIRMED, f"the event loop stood still for {held} sampled")
    return Opinion(VerdictKind.INCONCLUSIVE, f"{_spent(seen)}; {WORKLOAD} to see each stand-still")


def _unseen(seen: Seen, samples: Evidence) -> str:
    many = words.times(samples.n, "samples")
    share = _time(seen, "share")
    most = (
        f"took at most {words.at_most(share.high)} of the time sampled" if share and share.high < 1 else "only waited"
    )
    return f"none of {many} shows it running: it did not run, or {most}; {WORKLOAD} to count its executions"


def _spent(seen: Seen) -> str:
    """As in "0.54 s of 2.1 s sampled (26 %)"; "the line takes ..." where it may be other code on the line."""
    seconds, share = _time(seen, "seconds"), _time(seen, "share")
    part = words.percent(share.value) if share else ""
    said = f"{part} of the time sampled"
    if seconds is not None and seen.wall_s > 0:
        said = f"{words.seconds(seconds.value)} of {words.seconds(seen.wall_s)} sampled ({part})"
    return said if _own(seen) else f"its line takes {said}"


def _most(seen: Seen) -> str:
    seconds, share = _time(seen, "seconds"), _time(seen, "share")
    bounds = [words.seconds(seconds.high)] if seconds else []
    bounds += [f"{words.at_most(share.high)} of the time sampled"] if share else []
    return f"at most {' or '.join(bounds)} is spent here"


def _doubt(seen: Seen, own: bool, reading: Reading) -> str:
    seconds, share = _time(seen, "seconds"), _time(seen, "share")
    if reading is Reading.COSTLY and not own:
        return f"{_spent(seen)}, but the line holds other code too; {WORKLOAD} to time the operation alone"
    if share is not None and share.high >= 1:
        return f"{_spent(seen)}, but the profile may leave out waiting; {WORKLOAD}"
    if seconds is None:
        return f"{_spent(seen)}, but the profile does not tell seconds; take it as speedscope"
    return f"{_spent(seen)} leaves it in doubt; take a longer profile, or {WORKLOAD}"


def _memory(seen: Seen) -> Opinion:
    size, share = _time(seen, "peak_bytes"), _time(seen, "peak_share")
    if size is None or share is None or size.value <= 0:
        reason = "nothing that was alive at the peak was allocated here, and a memory profile does not tell its time"
        return Opinion(VerdictKind.NOT_MEASURABLE, f"{reason}; {WORKLOAD}")
    held = f"{words.size(size.value)} of the memory at its peak ({words.percent(share.value)}) come from"
    if size.low < seen.limits.bytes or share.low < seen.limits.share:
        reason = f"only {held} here, but a memory profile does not tell its time; {WORKLOAD}"
        return Opinion(VerdictKind.NOT_MEASURABLE, reason)
    if seen.row("peak_bytes", CAPTURE) is not None:
        return Opinion(VerdictKind.CONFIRMED, f"{held} here")
    return Opinion(VerdictKind.INCONCLUSIVE, f"{held} its line, but the line holds other code too; {WORKLOAD}")


def _traced(seen: Seen) -> Opinion:
    calls = seen.value("calls", CAPTURE)
    if calls <= 0:
        return Opinion(VerdictKind.NOT_EXERCISED, "the profile has no call of the function around it")
    spent = words.seconds(seen.value("function_seconds", CAPTURE))
    reason = f"the function around it took {spent} of {words.seconds(seen.wall_s)} in {words.times(calls, 'calls')}"
    distorted = "under a tracer, which distorts times and does not tell lines"
    return Opinion(VerdictKind.INCONCLUSIVE, f"{reason} {distorted}; {WORKLOAD}, or take samples with py-spy")
