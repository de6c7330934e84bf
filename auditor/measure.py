"""Measuring one workload: its passes one after another, and what they saw of each suspect."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean

from auditor.config import Thresholds
from auditor.evidence import passes
from auditor.evidence.across import by_size, same_size
from auditor.evidence.base import Outcome, Pass, Question, Session
from auditor.evidence.guardian import temporary_directory
from auditor.judge.seen import CHAIN
from auditor.model import (
    Census,
    Cost,
    Evidence,
    Gap,
    Observation,
    PassRun,
    Standstill,
    VerdictKind,
    Workload,
    WorkloadRun,
    ended,
)
from auditor.progress import Progress


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds for every workload of an audit.

    root: absolute directory that suspects' paths are relative to.
    allow_failure: judge a workload that fails, too.
    stdin: file replayed to every run's standard input, or None for an empty one.
    repeat: how often every pass is made.
    plain: the first plain run, where the caller has made it already.
    thresholds: what verdicts are held against.
    """

    root: Path
    allow_failure: bool = False
    stdin: Path | None = None
    repeat: int = 1
    plain: Outcome | None = None
    thresholds: Thresholds = field(default_factory=Thresholds)


def measure(
    questions: Sequence[Question], workload: Workload, conditions: Conditions, progress: Progress
) -> tuple[WorkloadRun, dict[str, Observation]]:
    """Run the workload under every pass that can change a verdict: how it went, and what was seen of each suspect.

    With sizes, all passes are made at each of them, those about memory at the greatest alone; with repeats, all of it
    is made so often, one round after another, so that a slow change of the machine falls upon each pass alike.

    Raises:
        WorkloadError: its program cannot be found or started.
    """
    elsewhere = {one.suspect.fingerprint: _in_a_notebook(workload) for one in questions if one.suspect.cell is not None}
    questions = [one for one in questions if one.suspect.cell is None]
    rounds: list[_Round] = []
    with temporary_directory("audit-") as scratch:
        for number in range(conditions.repeat):
            for size in workload.sizes or (None,):
                if progress.stop.is_set() and rounds:
                    break
                once = _Round(size, number, Path(scratch, f"{number}-{size or 0}"))
                rounds.append(_one_round(questions, workload, once, conditions, progress))
                if rounds[-1].has_failed(progress) and not conditions.allow_failure:
                    nothing = _nothing(questions, workload, rounds[-1].outcomes[0])
                    return _workload_run(workload, rounds), {**nothing, **elsewhere}
    observations = {one.suspect.fingerprint: _observation(one, workload, rounds) for one in questions}
    return _workload_run(workload, rounds), {**observations, **elsewhere}


def _in_a_notebook(workload: Workload) -> Observation:
    reason = "a notebook's cells are no module that a workload imports; move the code into one to have it measured"
    return Observation(workload.name, 0.0, gaps=(Gap("probes", workload.name, reason),))


@dataclass(frozen=True, slots=True)
class _Round:
    """One run of every pass at one size, the plain one first."""

    size: int | None
    number: int
    scratch: Path
    outcomes: tuple[Outcome, ...] = ()

    def has_failed(self, progress: Progress) -> bool:
        return self.outcomes[0].run.exit_code != 0 and not progress.stop.is_set()


def _one_round(
    questions: Sequence[Question], workload: Workload, once: _Round, conditions: Conditions, progress: Progress
) -> _Round:
    hits: dict[str, int] | None = None
    is_first = once.number == 0 and once.size is None
    wanted = [one for one in passes() if one.wanted(questions, None)]
    if once.size is not None and once.size < max(workload.sizes):
        wanted = [one for one in wanted if one.over_sizes]
    once.scratch.mkdir()
    session = Session(
        target=conditions.root,
        workload=workload if once.size is None else workload.at(once.size),
        scratch=once.scratch,
        stdin=conditions.stdin,
        stop=progress.stop,
    )
    for one in wanted:
        if progress.stop.is_set() and once.outcomes:
            break
        asked = _asked(questions, hits)
        if not one.wanted(_open(asked, workload, once, conditions) if one.if_open else asked, hits):
            continue
        progress.step(_doing(workload, once, one, conditions), 0, 0)
        if one.name == "plain" and conditions.plain is not None and is_first:
            outcome = conditions.plain
        else:
            outcome = _run_pass(one, asked, session)
        once = replace(once, outcomes=(*once.outcomes, replace(outcome, run=replace(outcome.run, size=once.size))))
        if one.name == "plain":
            session = replace(session, plain_wall_s=outcome.run.wall_s)
            if once.has_failed(progress) and not conditions.allow_failure:
                break
        elif one.name == "probes" and outcome.run.gap is None:
            hits = _hits(questions, outcome)
    return once


def _doing(workload: Workload, once: _Round, one: Pass, conditions: Conditions) -> str:
    at = "" if once.size is None else f" with n = {once.size:,}"
    which = "" if conditions.repeat == 1 else f" ({once.number + 1} of {conditions.repeat})"
    return f"{workload.name}{at}: {one.doing}{which}"


def _run_pass(one: Pass, questions: Sequence[Question], session: Session) -> Outcome:
    directory = session.scratch / one.name
    try:
        directory.mkdir()
        return one.measure(questions, replace(session, scratch=directory))
    except OSError as error:
        if one.name == "plain":
            raise
        where = f" ({error.filename})" if error.filename else ""
        what = f"{error.strerror or error}{where}; see to it that {tempfile.gettempdir()} has room"
        gap = f"it could not be recorded: {what}"
        return Outcome(PassRun(one.name, 0.0, None, gap=gap))


def _asked(questions: Sequence[Question], hits: Mapping[str, int] | None) -> Sequence[Question]:
    """Questions still open: those whose code ran, or of which nothing is known."""
    if hits is None:
        return questions
    return [question for question in questions if hits.get(question.suspect.fingerprint, 1) > 0]


def _open(
    questions: Sequence[Question], workload: Workload, once: _Round, conditions: Conditions
) -> Sequence[Question]:
    """Questions that what was measured so far does not confirm."""
    from auditor.judge import judge

    return [
        question
        for question in questions
        if judge(question.expects, [_of_round(question, workload, once)], conditions.thresholds).kind
        is not VerdictKind.CONFIRMED
    ]


def _hits(questions: Sequence[Question], outcome: Outcome) -> dict[str, int]:
    """Executions of each suspect that the probes could count."""
    found: dict[str, int] = {}
    for question in questions:
        for row in outcome.rows.get(question.suspect.fingerprint, ()):
            if isinstance(row, Evidence) and row.metric == "hits":
                found[question.suspect.fingerprint] = int(row.value)
    return found


def _workload_run(workload: Workload, rounds: Sequence[_Round]) -> WorkloadRun:
    plains = [once.outcomes[0] for once in rounds]
    # what speaks for the workload is its greatest size, or the run that failed
    failed = [plain for plain in plains if plain.run.exit_code != 0]
    greatest = max(once.size or 0 for once in rounds)
    shown = failed[:1] or [once.outcomes[0] for once in rounds if (once.size or 0) == greatest]
    warnings = dict.fromkeys(warning for plain in plains for warning in plain.run.warnings)
    for once in rounds:
        plain, others = once.outcomes[0], once.outcomes[1:]
        warnings |= dict.fromkeys(
            _disagreement(plain, one)
            for one in others
            if one.run.exit_code != plain.run.exit_code and not (one.run.gap and one.run.exit_code is None)
        )
    return WorkloadRun(
        workload=workload,
        exit_code=shown[0].run.exit_code,
        wall_s=fmean(plain.run.wall_s for plain in shown),
        passes=tuple(outcome.run for once in rounds for outcome in once.outcomes),
        warnings=tuple(warnings),
        last_lines=shown[0].last_lines if failed else (),
        cpu_s=_mean(plain.run.cpu_s for plain in shown),
        queued_s=_mean(plain.run.queued_s for plain in shown),
        census=_census(rounds, greatest),
        standstill=_standstill(rounds, greatest),
        waits=next((one.waits for one in reversed(_alike(rounds, greatest)) if one.waits), None),
        python=", ".join(
            dict.fromkeys(python for once in rounds for outcome in once.outcomes for python in outcome.pythons)
        ),
    )


def _alike(rounds: Sequence[_Round], greatest: int) -> list[Outcome]:
    """The passes at the greatest size that ended as the plain run did."""
    return [
        one
        for once in rounds
        for one in once.outcomes[1:]
        if (once.size or 0) == greatest and one.run.exit_code == once.outcomes[0].run.exit_code
    ]


def _census(rounds: Sequence[_Round], greatest: int) -> Census | None:
    return next((one.census for one in reversed(_alike(rounds, greatest)) if one.census), None)


def _standstill(rounds: Sequence[_Round], greatest: int) -> Standstill | None:
    """The turns of the last run with probes, the lines of the last run under py-spy that saw any."""
    alike = _alike(rounds, greatest)[::-1]
    found = next((one.standstill for one in alike if one.standstill), None)
    lines = next((one.busiest for one in alike if one.busiest), ())
    return replace(found, lines=lines) if found is not None else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _disagreement(plain: Outcome, other: Outcome) -> str:
    at = "" if other.run.size is None else f" with n = {other.run.size:,}"
    return (
        f"the {other.run.name} run{at} {ended(other.run.exit_code)}, the plain run {ended(plain.run.exit_code)};"
        " what that run saw is not used"
    )


def _nothing(questions: Sequence[Question], workload: Workload, plain: Outcome) -> dict[str, Observation]:
    at = "" if plain.run.size is None else f" with n = {plain.run.size:,}"
    # why audit itself ended it says more than by which signal
    is_killed = (plain.run.exit_code or 0) < 0
    why = plain.run.warnings[0] if is_killed and plain.run.warnings else f"it {ended(plain.run.exit_code)}"
    reason = f"the workload failed{at}: {why}, so nothing is judged from it; repair it, or pass --allow-failure"
    gap = Gap(collector="plain", workload=workload.name, reason=reason)
    return {
        question.suspect.fingerprint: Observation(workload.name, plain.run.wall_s, gaps=(gap,))
        for question in questions
    }


def _observation(question: Question, workload: Workload, rounds: Sequence[_Round]) -> Observation:
    """All rounds of a workload together."""
    seen = [(once.size, _of_round(question, workload, once)) for once in rounds]
    if not workload.sizes:
        return same_size([one for _, one in seen])
    runs: dict[int, list[Observation]] = {}
    for size, one in seen:
        if size is not None:
            runs.setdefault(size, []).append(one)
    return by_size(runs)


def _of_round(question: Question, workload: Workload, once: _Round) -> Observation:
    plain, others = once.outcomes[0], once.outcomes[1:]
    evidence: list[Evidence] = []
    gaps: list[Gap] = []
    tests = None
    for outcome in others:
        if outcome.run.gap is not None:
            gaps.append(Gap(collector=outcome.run.name, workload=workload.name, reason=outcome.run.gap))
            continue
        if outcome.run.exit_code != plain.run.exit_code:
            gaps.append(Gap(collector=outcome.run.name, workload=workload.name, reason=_disagreement(plain, outcome)))
            continue
        tests = outcome.tests.get(question.suspect.fingerprint, tests)
        for row in outcome.rows.get(question.suspect.fingerprint, ()):
            if isinstance(row, Gap):
                gaps.append(row)
            else:
                evidence.append(row)
    unseen = next((outcome.beyond for outcome in others if outcome.beyond), "")
    if unseen and _saw_more(evidence, "py-spy", "probes"):
        gaps.append(Gap("probes", workload.name, unseen))
    if any(gap.collector == "py-spy" for gap in gaps) and _saw_more(evidence, "probes", "py-spy"):
        evidence = [row for row in evidence if row.collector != "py-spy"]
    if question.suspect.chain and isinstance(question.expects, Cost) and not _has(evidence, "end_seconds"):
        why = next((gap.reason for gap in gaps if gap.collector == "py-spy"), "py-spy could not follow it there")
        gaps.append(Gap(CHAIN, workload.name, why))
    return Observation(workload.name, plain.run.wall_s, tuple(evidence), tuple(gaps), tests)


def _has(evidence: Sequence[Evidence], metric: str) -> bool:
    return any(row.metric == metric for row in evidence)


def _saw_more(evidence: Sequence[Evidence], one: str, other: str) -> bool:
    """Whether a collector surely saw more seconds of the line than the other, as where that one missed a process."""
    seconds = {row.collector: row for row in evidence if row.metric == "seconds"}
    return one in seconds and other in seconds and seconds[one].low > seconds[other].high
