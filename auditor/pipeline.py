"""One audit from paths to report: scan, measure, judge, triage."""

from __future__ import annotations

import datetime
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from auditor import __version__
from auditor.catalog import chosen_rules
from auditor.complexity import Complexities
from auditor.config import Config
from auditor.evidence import passes
from auditor.evidence.base import Outcome, Pass, Question, Session
from auditor.judge import judge
from auditor.machine import this_machine
from auditor.model import (
    Evidence,
    Expectation,
    Finding,
    Gap,
    Observation,
    Report,
    Skip,
    Suspect,
    Workload,
    WorkloadRun,
)
from auditor.scan import discover
from auditor.scan.files import Target
from auditor.scan.parallel import RuleSet
from auditor.scan.project import Project
from auditor.triage import gain, triage

_CONTEXT_LINES = 2
_EXCERPT_LINES = 12


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. `command` is the command line that shows the result again.

    `cache` says whether scans may be taken from and kept in the cache, `jobs` how many processes scan (None: as many
    as there are usable cores).
    """

    paths: tuple[Path, ...]
    target: str
    command: str
    config: Config
    workloads: tuple[Workload, ...] = ()
    allow_failure: bool = False
    stdin: Path | None = None
    cache: bool = True
    jobs: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How the caller hears of what is under way. `step` gets (what, done, total); total is 0 where unknown."""

    step: Callable[[str, int, int], None] = lambda _what, _done, _total: None
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class _Scanned:
    target: Target
    expects: Mapping[str, Expectation]
    files: int
    lines: int
    suspects: tuple[Suspect, ...]
    skipped: tuple[Skip, ...]


def audit(request: Request, progress: Progress) -> Report:
    """The whole audit. An interrupt (`progress.stop`) ends it early with what was measured until then.

    Raises:
        AuditError: a path, rule or workload is unusable.
    """
    scanned = _scan(request, progress)
    questions = tuple(Question(suspect, scanned.expects[suspect.rule]) for suspect in scanned.suspects)
    runs: list[WorkloadRun] = []
    seen: dict[str, list[Observation]] = {}
    if questions:
        for workload in request.workloads:
            if progress.stop.is_set():
                break
            run, observations = _measure(questions, workload, scanned.target.root, request, progress)
            runs.append(run)
            for fingerprint, observation in observations.items():
                seen.setdefault(fingerprint, []).append(observation)
    findings = _findings(questions, seen, scanned.target.root, request.config)
    return Report(
        target=request.target,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        files=scanned.files,
        lines=scanned.lines,
        findings=findings,
        skipped=scanned.skipped,
        workloads=tuple(runs),
        machine=this_machine(),
        audit_version=__version__,
        command=request.command,
        interrupted=progress.stop.is_set(),
        notes=_notes(request, scanned, progress),
    )


def _scan(request: Request, progress: Progress) -> _Scanned:
    target = discover(request.paths, request.config.exclude)
    project = Project(target, RuleSet(chosen_rules, (request.config.select, request.config.ignore)), request.cache)
    try:
        expects = project.expectations()
        scans = project.scan(progress.stop, lambda done, total: progress.step("scanning", done, total), request.jobs)
    finally:
        project.close()
    return _Scanned(
        target=target,
        expects=expects,
        files=len(scans),
        lines=sum(scan.lines for scan in scans),
        suspects=tuple(suspect for scan in scans for suspect in scan.suspects),
        skipped=tuple(sorted({*target.skipped, *(s for scan in scans for s in scan.skipped)}, key=_skip_key)),
    )


def _skip_key(skip: Skip) -> tuple[str, str]:
    return skip.path, skip.reason


def _notes(request: Request, scanned: _Scanned, progress: Progress) -> tuple[str, ...]:
    notes = []
    if progress.stop.is_set():
        notes.append("Interrupted: what had been measured until then is kept, the rest is missing.")
    if not request.workloads:
        notes.append(
            "Static only: no workload was given, so nothing was measured."
            ' Give one with --run "COMMAND", or configure [tool.audit.workloads].'
        )
    elif not scanned.suspects:
        notes.append("No suspects, so the workload was not run.")
    return tuple(notes)


# ------------------------------------------------------------------------------------------------
# Measuring


def _measure(
    questions: Sequence[Question], workload: Workload, root: Path, request: Request, progress: Progress
) -> tuple[WorkloadRun, dict[str, Observation]]:
    outcomes: list[Outcome] = []
    hits: dict[str, int] | None = None
    wanted = [one for one in passes() if one.name == "plain" or one.wanted(questions, None)]
    with tempfile.TemporaryDirectory(prefix="audit-") as scratch:
        session = Session(
            target=root, workload=workload, scratch=Path(scratch), stdin=request.stdin, stop=progress.stop
        )
        for one in wanted:
            if progress.stop.is_set() or (hits is not None and not one.wanted(_asked(questions, hits), hits)):
                continue
            progress.step(f"{workload.name}: {_DOING.get(one.name, one.name)}", 0, 0)
            outcome = _run_pass(one, _asked(questions, hits), session)
            outcomes.append(outcome)
            if one.name == "plain":
                session = replace(session, plain_wall_s=outcome.run.wall_s)
                if _failed(outcome, progress) and not request.allow_failure:
                    break
            elif one.name == "probes" and outcome.run.gap is None:
                hits = _hits(questions, outcome)
    return _workload_run(workload, outcomes), _observations(questions, workload, outcomes, request, progress)


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
    request: Request,
    progress: Progress,
) -> dict[str, Observation]:
    plain = outcomes[0]
    if _failed(plain, progress) and not request.allow_failure:
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
    for outcome in others:
        if outcome.run.gap is not None:
            gaps.append(Gap(collector=outcome.run.name, workload=workload.name, reason=outcome.run.gap))
            continue
        if outcome.run.exit_code != plain.run.exit_code:
            gaps.append(Gap(collector=outcome.run.name, workload=workload.name, reason=_disagreement(plain, outcome)))
            continue
        for row in outcome.rows.get(question.suspect.fingerprint, ()):
            if isinstance(row, Gap):
                gaps.append(row)
            else:
                evidence.append(row)
    return Observation(workload=workload.name, wall_s=plain.run.wall_s, evidence=tuple(evidence), gaps=tuple(gaps))


# ------------------------------------------------------------------------------------------------
# Judging


def _findings(
    questions: Sequence[Question], seen: Mapping[str, Sequence[Observation]], root: Path, config: Config
) -> tuple[Finding, ...]:
    complexities = Complexities(root)
    sources: dict[str, list[str]] = {}
    findings = []
    for question in questions:
        suspect = question.suspect
        verdict = judge(question.expects, seen.get(suspect.fingerprint, ()), config.thresholds)
        complexity, effort = complexities.of(suspect)
        findings.append(
            Finding(
                suspect=suspect,
                verdict=verdict,
                priority=triage(question.expects, verdict, config.thresholds),
                gain=gain(question.expects, verdict),
                effort=effort,
                complexity=complexity,
                excerpt=_excerpt(suspect, root, sources),
            )
        )
    return tuple(findings)


def _excerpt(suspect: Suspect, root: Path, sources: dict[str, list[str]]) -> tuple[tuple[int, str], ...]:
    if suspect.path not in sources:
        try:
            text = (root / suspect.path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        sources[suspect.path] = text.splitlines()
    lines = sources[suspect.path]
    first = max(1, suspect.span.line - _CONTEXT_LINES)
    last = min(len(lines), suspect.span.end_line + _CONTEXT_LINES, first + _EXCERPT_LINES - 1)
    return tuple((number, lines[number - 1]) for number in range(first, last + 1))
