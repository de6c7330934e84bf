"""Sampling the unmodified program with py-spy: where its time goes, waiting included."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from auditor.evidence.base import Outcome, Pass, Question, Session
from auditor.evidence.chains import end_of
from auditor.evidence.gate import PATIENCE_S, Gate, Watch
from auditor.evidence.launch import CHILD_DIRECTORY, NOT_REACHED, child_environment, child_errors
from auditor.evidence.loops import busiest_lines
from auditor.evidence.running import run_workload
from auditor.evidence.speedscope import Recording, read_recording
from auditor.evidence.stacks import Pattern, Tallies, loop_frames
from auditor.evidence.waits import waits_of
from auditor.model import Cost, Evidence, Expectation, Gap, PassRun, Repetition, Scaling, Span, Stall, Survivors
from auditor.stats import Estimate

RATE_HZ = 100
"""Samples a second, as `benchmarks/overhead.py` measured them.

On a busy two-core machine 100 cost 2 to 12 % of a run (a stack 60 deep most), 200 cost 20 to 40 %. Higher rates do not
buy proportional information either: successive samples resemble one another.
"""

FEW_SAMPLES = 5
LATE = 0.1
"""Share of its time waiting for a processor that is worth a word: 5 s of samples then count as 1 s."""

_SHARES = {"seconds": "share", "end_seconds": "end_share"}

HIDDEN_LOOP = (
    "no event loop shows in the samples, as one of uvloop that is run by its own methods does not, nor one that ran "
    "too briefly; run it by asyncio.run or uvloop.run, or for longer"
)


@dataclass(slots=True)
class _Seen:
    """What all py-spies of one run delivered together."""

    tallies: Tallies
    recordings: list[Recording] = field(default_factory=list)
    watched_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class PySpyPass:
    """Holds each Python process until py-spy samples it, then lets it run untouched to its end."""

    name = "py-spy"
    order = 20
    doing = "sampling with py-spy"
    over_sizes = True
    if_open = False

    def wanted(self, questions: Sequence[Question], hits: Mapping[str, int] | None) -> bool:
        """If a suspect that may have run is expected to cost time."""
        return any(
            _is_about_time(question.expects) and (hits is None or hits.get(question.suspect.fingerprint, 1) > 0)
            for question in questions
        )

    def measure(self, questions: Sequence[Question], session: Session) -> Outcome:
        """Run the workload once, sampled; its wall time is given without the wait for py-spy to attach.

        Raises:
            WorkloadError: its program cannot be found or started.
        """
        with Gate(session.scratch, RATE_HZ) as gate:
            settings = {"patience_s": PATIENCE_S, "gate": gate.address}
            result = run_workload(session, child_environment("gate", session.scratch, settings))
        wall_s = max(0.0, result.wall_s - _held_s(gate.watches))
        patterns = {
            pattern: None for question in questions for pattern in patterns_of(question, session.target).values()
        }
        seen = _collect(gate.watches, Tallies(tuple(patterns), session.workload.cwd))
        run = PassRun(
            self.name,
            wall_s,
            result.exit_code,
            gap=None if seen.recordings else (seen.failures or [NOT_REACHED])[0],
            warnings=(*result.warnings, *seen.warnings, *child_errors(session.scratch)),
        )
        rows = {} if run.gap else {q.suspect.fingerprint: _rows(q, session, seen, wall_s) for q in questions}
        rows = {fingerprint: row for fingerprint, row in rows.items() if row}
        watched = list(zip(seen.recordings, seen.watched_s, strict=True))
        busiest = busiest_lines(watched, session.workload.cwd, session.target)
        waits = waits_of(watched, session.workload.cwd, session.target)
        return Outcome(run, rows, result.last_lines, busiest=busiest, waits=waits)


def _is_about_time(expects: Expectation) -> bool:
    """Waiting is left to the probes: a coroutine that waits is on no stack."""
    return isinstance(expects, Cost | Scaling | Stall | Repetition) or (
        isinstance(expects, Survivors) and bool(expects.churn)
    )


def patterns_of(question: Question, target: os.PathLike[str]) -> dict[str, Pattern]:
    """The metrics to be delivered for a question, and which stacks count for each."""
    suspect, expects = question.suspect, question.expects
    file = os.path.realpath(os.path.join(target, suspect.path))  # noqa: PTH118 - frames are compared as strings
    match expects:
        case Cost():
            flagged = _lines(suspect.span, *(site.span for site in suspect.sites))
            patterns = {"seconds": Pattern(file, flagged, expects.below)}
            if (end := end_of(suspect.chain, target)) is not None:
                patterns["end_seconds"] = Pattern(file, flagged, expects.below, through=end)
            return patterns
        case Scaling() | Repetition():
            return {"seconds": Pattern(file, _lines(suspect.span, *(site.span for site in suspect.sites)))}
        case Stall():
            flagged = _lines(suspect.span)
            return {"seconds": Pattern(file, flagged), "stall": Pattern(file, flagged, in_loop=True)}
        case Survivors(churn=churn) if churn and suspect.function is not None:
            return {"churn": Pattern(file, _lines(suspect.function), churn)}
        case Survivors(churn=churn) if churn:
            return {"churn": Pattern(file, ((1, sys.maxsize),), churn, at_module=True)}
    return {}


def _lines(*spans: Span) -> tuple[tuple[int, int], ...]:
    return tuple(sorted({(span.line, span.end_line) for span in spans}))


def _held_s(watches: Sequence[Watch]) -> float:
    """For how long the workload stood at the gate; processes side by side stood there together."""
    total, until = 0.0, 0.0
    for start, end in sorted(watch.held_s for watch in watches):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def _collect(watches: Sequence[Watch], tallies: Tallies) -> _Seen:
    seen = _Seen(tallies)
    for watch in watches:
        recording, failure = _recording(watch)
        if recording is None:
            seen.failures.append(failure)
            seen.warnings.append(f"process {watch.pid} was not sampled: {failure}")
            continue
        seen.recordings.append(recording)
        seen.watched_s.append(watch.watched_s)
        tallies.add(recording, watch.watched_s, watch.late)
        if recording.ticks < FEW_SAMPLES:
            seen.warnings.append(f"process {watch.pid} ran so short that py-spy looked only {recording.ticks} times")
        if watch.late is not None and watch.late >= LATE:
            seen.warnings.append(
                f"py-spy waited for a processor {watch.late:.0%} of the time, so what it says of process {watch.pid} is"
                " less certain; a machine with less else to do makes it more so"
            )
        if watch.behind_s:
            seen.warnings.append(
                f"py-spy fell {watch.behind_s:.1f} s behind on process {watch.pid}; the machine was busy"
            )
    return seen


def _recording(watch: Watch) -> tuple[Recording | None, str]:
    """What py-spy recorded, or why it is of no use."""
    if watch.failure is not None:
        return None, watch.failure
    try:
        recording = read_recording(watch.recording, ignore=CHILD_DIRECTORY / "sitecustomize.py")
    except ValueError as error:
        return None, f"py-spy's recording cannot be read: {error}"
    # a sampler that waits for a processor comes too seldom, which its intervals take into account
    due = watch.watched_s * RATE_HZ * (1 - (watch.late or 0.0))
    if due >= 10 * FEW_SAMPLES and recording.ticks < due / 5:
        return None, (
            f"py-spy could look only {recording.ticks} times in {watch.watched_s:.1f} s; "
            "the process may forbid to be read (prctl PR_SET_DUMPABLE); run audit as root"
        )
    return recording, ""


def _rows(question: Question, session: Session, seen: _Seen, wall_s: float) -> tuple[Evidence | Gap, ...]:
    rows: list[Evidence | Gap] = []
    workload = session.workload.name
    for metric, pattern in patterns_of(question, session.target).items():
        if pattern.in_loop and not any(loop_frames(one.frames) for one in seen.recordings):
            rows.append(Gap(PySpyPass.name, workload, HIDDEN_LOOP))
            continue
        tally = seen.tallies.of[pattern]
        spent = tally.seconds(wall_s)
        rows.append(_row(metric, spent, "s", tally.ticks, workload))
        if metric in _SHARES:
            rows.append(_row(_SHARES[metric], spent.over(wall_s), "ratio", tally.ticks, workload))
    if rows and seen.failures:
        rows.append(Gap(PySpyPass.name, workload, f"a part of the processes was not sampled: {seen.failures[0]}"))
    return tuple(rows)


def _row(metric: str, estimate: Estimate, unit: str, ticks: int, workload: str) -> Evidence:
    return Evidence(metric, *estimate, unit, ticks, PySpyPass.name, workload)


PASS: Pass = PySpyPass()
