"""Measuring one workload: its passes one after another, and what they saw of each suspect."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from auditor.evidence import passes
from auditor.evidence.base import Outcome, Pass, Question, Session
from auditor.model import Evidence, Gap, Observation, Workload, WorkloadRun


@dataclass(frozen=True, slots=True)
class Progress:
    """How the caller hears of what is under way. `step` gets (what, done, total); total is 0 where unknown."""

    step: Callable[[str, int, int], None] = lambda _what, _done, _total: None
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What holds for every workload of an audit.

    root: absolute directory that suspects' paths are relative to.
    allow_failure: judge a workload that fails, too.
    stdin: file replayed to every run's standard input, or None for an empty one.
    plain: the plain run, where the caller has made it already.
    """

    root: Path
    allow_failure: bool = False
    stdin: Path | None = None
    plain: Outcome | None = None


def measure(
    questions: Sequence[Question], workload: Workload, conditions: Conditions, progress: Progress
) -> tuple[WorkloadRun, dict[str, Observation]]:
    """Run the workload under every pass that can change a verdict: how it went, and what was seen of each suspect.

    Raises:
        WorkloadError: its program cannot be found or started.
    """
    elsewhere = {one.suspect.fingerprint: _in_a_notebook(workload) for one in questions if one.suspect.cell is not None}
    questions = [one for one in questions if one.suspect.cell is None]
    outcomes: list[Outcome] = []
    hits: dict[str, int] | None = None
    wanted = [one for one in passes() if one.name == "plain" or one.wanted(questions, None)]
    with tempfile.TemporaryDirectory(prefix="audit-") as scratch:
        session = Session(
            target=conditions.root,
            workload=workload,
            scratch=Path(scratch),
            stdin=conditions.stdin,
            stop=progress.stop,
        )
        for one in wanted:
            if progress.stop.is_set() or (hits is not None and not one.wanted(_asked(questions, hits), hits)):
                continue
            progress.step(f"{workload.name}: {_DOING.get(one.name, one.name)}", 0, 0)
            if one.name == "plain" and conditions.plain is not None:
                outcome = conditions.plain
            else:
                outcome = _run_pass(one, _asked(questions, hits), session)
            outcomes.append(outcome)
            if one.name == "plain":
                session = replace(session, plain_wall_s=outcome.run.wall_s)
                if _failed(outcome, progress) and not conditions.allow_failure:
                    break
            elif one.name == "probes" and outcome.run.gap is None:
                hits = _hits(questions, outcome)
    observations = _observations(questions, workload, outcomes, conditions, progress)
    return _workload_run(workload, outcomes), {**observations, **elsewhere}


def _in_a_notebook(workload: Workload) -> Observation:
    reason = "a notebook's cells are no module that a workload imports; move the code into one to have it measured"
    return Observation(workload.name, 0.0, gaps=(Gap("probes", workload.name, reason),))


_DOING = {
    "plain": "running it plainly",
    "probes": "counting with probes",
    "py-spy": "sampling with py-spy",
    "memray": "tracking memory with memray",
}


def _run_pass(one: Pass, questions: Sequence[Question], session: Session) -> Outcome:
    directory = session.scratch / one.name
    directory.mkdir()
    return one.measure(questions, replace(session, scratch=directory))


def _asked(questions: Sequence[Question], hits: Mapping[str, int] | None) -> Sequence[Question]:
    """Questions still open: those whose code ran, or of which nothing is known."""
    if hits is None:
        return questions
    return [question for question in questions if hits.get(question.suspect.fingerprint, 1) > 0]


def _hits(questions: Sequence[Question], outcome: Outcome) -> dict[str, int]:
    """Executions of each suspect that the probes could count."""
    found: dict[str, int] = {}
    for question in questions:
        for row in outcome.rows.get(question.suspect.fingerprint, ()):
            if isinstance(row, Evidence) and row.metric == "hits":
                found[question.suspect.fingerprint] = int(row.value)
    return found


def _failed(outcome: Outcome, progress: Progress) -> bool:
    return outcome.run.exit_code != 0 and not progress.stop.is_set()


def _workload_run(workload: Workload, outcomes: Sequence[Outcome]) -> WorkloadRun:
    plain = outcomes[0]
    warnings = list(plain.run.warnings)
    warnings += [_disagreement(plain, other) for other in outcomes[1:] if other.run.exit_code != plain.run.exit_code]
    failed = plain.run.exit_code != 0
    return WorkloadRun(
        workload=workload,
        exit_code=plain.run.exit_code,
        wall_s=plain.run.wall_s,
        passes=tuple(outcome.run for outcome in outcomes),
        warnings=tuple(warnings),
        last_lines=plain.last_lines if failed else (),
        cpu_s=plain.run.cpu_s,
    )


def _disagreement(plain: Outcome, other: Outcome) -> str:
    return (
        f"the {other.run.name} run ended with exit code {other.run.exit_code}, the plain run with"
        f" {plain.run.exit_code}; what that run saw is not used"
    )


def _observations(
    questions: Sequence[Question],
    workload: Workload,
    outcomes: Sequence[Outcome],
    conditions: Conditions,
    progress: Progress,
) -> dict[str, Observation]:
    plain = outcomes[0]
    if _failed(plain, progress) and not conditions.allow_failure:
        reason = (
            f"the workload failed (exit code {plain.run.exit_code}), so nothing is judged from it;"
            " repair it, or pass --allow-failure"
        )
        return {
            question.suspect.fingerprint: Observation(
                workload=workload.name,
                wall_s=plain.run.wall_s,
                gaps=(Gap(collector="plain", workload=workload.name, reason=reason),),
            )
            for question in questions
        }
    return {
        question.suspect.fingerprint: _observation(question, workload, plain, outcomes[1:]) for question in questions
    }


def _observation(question: Question, workload: Workload, plain: Outcome, others: Sequence[Outcome]) -> Observation:
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
    return Observation(workload.name, plain.run.wall_s, tuple(evidence), tuple(gaps), tests)
