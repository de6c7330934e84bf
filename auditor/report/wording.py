"""The words for metrics and passes. What is not listed here is shown under its own name."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from auditor.model import Source, VerdictKind, ended
from auditor.report.figures import counted

if TYPE_CHECKING:
    from auditor.model import Evidence, Exercise, Remembered, Suspect, WorkloadRun

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_METRICS = {
    ("hits", ""): "how often it ran",
    ("seconds", "probes"): "time in the operation alone",
    ("seconds", "py-spy"): "time with the flagged lines on the stack",
    ("share", ""): "share of the run",
    ("growth", ""): "growth of the cost with size (exponent)",
    ("size_exponent", ""): "growth of the seconds with n (exponent)",
    ("share_exponent", ""): "growth of the share with n (exponent)",
    ("hit_exponent", ""): "growth of the cost per execution with n (exponent)",
    ("input_exponent", ""): "growth of the sizes met with n (exponent)",
    ("size_min", ""): "smallest size met",
    ("size_max", ""): "greatest size met",
    ("cost_ratio", ""): "cost against the cheap alternative",
    ("depth_max", ""): "greatest length",
    ("depth_slope", ""): "growth of the length per put",
    ("depth_late", ""): "greatest length in the latter half",
    ("depth_end", ""): "length at the end",
    ("filled_first", ""): "put in before the first was taken",
    ("beyond", ""): "beyond a pass over the text",
    ("beyond_share", ""): "beyond a pass, of the run",
    ("created", ""): "created",
    ("alive_end", ""): "alive at the end",
    ("left_most", ""): "alive at the end of one process, at most",
    ("kept", ""): "more of them that stayed, in the middle half of the executions",
    ("kept_rate", ""): "more of them that stayed, per execution",
    ("alive_peak", ""): "alive at the same time, at most",
    ("spread", ""): "first to last of them, of the time from the first to the end",
    ("destroyed_pending", ""): "destroyed while pending",
    ("churn", ""): "time in creating them anew",
    ("connections", ""): "connections opened",
    ("peers", ""): "distinct peers",
    ("making", ""): "time spent in making it",
    ("open_peak", ""): "connections open at once, at most",
    ("per_hit", ""): "connections per execution",
    ("loop_hits", ""): "executions on a running event loop",
    ("stall_total", ""): "time the event loop stood still",
    ("stall_longest", ""): "longest stand-still of the event loop",
    ("stall_rest", ""): "time it stood still without the two longest",
    ("stall_rest_longest", ""): "longest stand-still but two",
    ("stall", ""): "time the event loop stood still",
    ("puts", ""): "items put in",
    ("quiet", ""): "executions since there were last more of it",
    ("rounds", ""): "executions of the code around it, of which these are the last",
    ("found", ""): "executions that found one already",
    ("lasting", ""): "gain per execution late in the run, of that earlier in it",
    ("repeats", ""): "executions with an input seen before",
    ("repeat_seconds", ""): "time in executions with an input seen before",
    ("repeat_share", ""): "share of the run in such executions",
    ("unknown", ""): "executions whose input could not be compared",
    ("polled", ""): "time of turns in which nothing else was done",
    ("pool_waited", ""): "time in which callers waited for a connection",
    ("pool_waited_share", ""): "share of the run in which callers waited for one",
    ("waited", ""): "time spent waiting",
    ("waited_share", ""): "share of the run spent waiting",
    ("waited_longest", ""): "longest wait",
    ("suspended", ""): "time in which any stood suspended",
    ("alone", ""): "time in which nothing else was waited for here",
    ("held", ""): "time the lock was held",
    ("off", ""): "executions while the level was off",
    ("peak_bytes", ""): "memory at the high-water mark",
    ("retained_bytes", ""): "of the memory it allocated, still there at the end",
    ("kept_bytes", ""): "of that, allocated in the middle half of the run",
    ("peak_share", ""): "share of the high-water mark",
    ("end_seconds", ""): "time in the call at the end of the chain",
    ("end_share", ""): "share of the run in the call at the end of the chain",
    ("samples", ""): "samples with the flagged lines on the stack",
    ("seconds", "capture"): "time with the flagged lines on the stack",
    ("share", "capture"): "share of the time sampled",
    ("line_seconds", ""): "time with the flagged lines, which hold other code too, on the stack",
    ("line_share", ""): "share of the time sampled, of lines which hold other code too",
    ("line_stall", ""): "time the event loop stood still on lines which hold other code too",
    ("calls", ""): "calls of the function around it",
    ("function_seconds", ""): "time in the function around it, under a tracer",
}

_PASSES = {
    "plain": "The workload as it is. Its wall time and exit code are what the other passes are held against.",
    "probes": "Small instruments at the suspected places count executions and time the one operation; "
    "what the instruments themselves cost is taken off.",
    "py-spy": "A sampler looks at the unmodified program from outside and counts how often the suspected lines run.",
    "capture": "Read from a profile, or sampled in a process that was running. Nothing was started.",
    "memray": "Every allocation is recorded; what counts is the memory alive at the high-water mark.",
}


def metric_label(row: Evidence) -> str:
    """What a row of evidence counts, in words."""
    plain = row.metric.replace("_", " ")
    return _METRICS.get((row.metric, row.collector)) or _METRICS.get((row.metric, "")) or plain


def exercise(one: Exercise, most: int | None = None) -> str:
    """The tests that ran a suspect, in words: those that ran it most are named, up to `most`."""
    named = [f"{test} ({counted(hits, 'execution')})" for test, hits in one.most[:most]]
    others = one.total - len(named)
    rest = [f"{counted(others, 'other test')}"] if others > 0 else []
    return f"{', '.join(named)}{' and ' if rest else ''}{''.join(rest)}"


def ending(run: WorkloadRun) -> str:
    """How a workload ended, or what it was if nothing was run."""
    match run.workload.source:
        case Source.COMMAND:
            return ended(run.exit_code).removeprefix("was ").removeprefix("ended with ")
        case Source.PROCESS:
            return "watched while it ran"
        case _:
            return "a profile, nothing was run"


def way(suspect: Suspect) -> str:
    """The calls from the flagged one to what makes it suspect, in words; "" if that is itself flagged."""
    return f"leads through {', then '.join(suspect.chain)}" if suspect.chain else ""


def pass_label(name: str) -> str:
    """What a pass does, in a sentence or two; "" for one that is not known here."""
    return _PASSES.get(name, "")


def recollection(one: Remembered) -> str:
    """A verdict of an earlier audit in one sentence, and whether it still holds."""
    said = f"{one.kind.value.replace('-', ' ')} on {_day(one.measured)} under workload {one.workload}{_setting(one)}"
    if one.path:
        said = f"{said}, when it stood in {one.path}"
    opening = f"Stale: {said}" if one.stale else f"{said[:1].upper()}{said[1:]}"
    return f"{opening}: {one.reason.rstrip('.')}; {one.stale or 'code unchanged since'}{_later(one)}."


def _setting(one: Remembered) -> str:
    sizes = f"n from {one.sizes[0]:,} to {one.sizes[-1]:,}" if one.sizes else ""
    parts = ", ".join(part for part in (sizes, f"Python {one.python}" if one.python else "") if part)
    return f" ({parts})" if parts else ""


def _later(one: Remembered) -> str:
    if one.later is None:
        return ""
    day, kind = _day(one.later.measured), one.later.kind
    if kind is VerdictKind.NOT_EXERCISED:
        return f"; measured again on {day}, when the workload did not reach it"
    said = "it could not be measured" if kind is VerdictKind.NOT_MEASURABLE else "that could not tell"
    return f"; measured again on {day}, but {said} ({one.later.reason.rstrip('.')})"


def _day(moment: str) -> str:
    """The day of an ISO 8601 time as people write it; what is no such time stays as it is."""
    try:
        day = datetime.datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
