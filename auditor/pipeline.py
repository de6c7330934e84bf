"""One audit from paths to report: scan, measure, judge, triage."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditor import __version__
from auditor.catalog import all_rules, chosen_rules, sources_of_rules
from auditor.comparing import Against, Compared, Scope, compared, narrowed, root_of_change, sides
from auditor.complexity import effort_of
from auditor.config import Config
from auditor.evidence.base import Outcome, Question
from auditor.history import Side, head
from auditor.machine import this_machine
from auditor.model import (
    UNMEASURED,
    Backlog,
    Change,
    Expectation,
    Finding,
    Observation,
    Report,
    Skip,
    Source,
    Suppression,
    Survivors,
    Suspect,
    Verdict,
    VerdictKind,
    Workload,
    WorkloadRun,
)
from auditor.progress import Progress
from auditor.scan import discover
from auditor.scan.files import Target, path_below, repository_of, root_of
from auditor.scan.notebook import NotebookError, code_cells
from auditor.scan.parallel import RuleSet
from auditor.scan.project import Project
from auditor.scan.record import FileScan
from auditor.scan.uncollected import uncollected
from auditor.store import Location
from auditor.suppress import Suppressed, suppress
from auditor.triage import gain, triage

if TYPE_CHECKING:
    from auditor.fix import Fixes
    from auditor.remembering import Memory
    from auditor.rule import Rule

__all__ = ["Request", "audit", "fix_found", "root_of_request"]

_CONTEXT_LINES = 2
_EXCERPT_LINES = 12


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for. `command` is the command line that shows the result again.

    `cache` says whether scans may be taken from and kept in the cache, `jobs` how many processes scan (None: as many
    as there are usable cores). `store` is where evidence is remembered, None for nowhere. `repeat` says how often every
    pass is made. `plain` is the plain run, where the caller has made it already.
    `against` is what to compare with; of a change, what stands in changed files is told, and what it introduced in
    others. `fixes` asks for fixes of all that is not rejected; confirmed findings have theirs in any case.
    `static` says that the user wants nothing run.
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
    store: Location | None = None
    against: Against = field(default_factory=Against)
    plain: Outcome | None = None
    repeat: int = 1
    fixes: bool = False
    static: bool = False


@dataclass(frozen=True, slots=True)
class _Scanned:
    """What a scan found. `elsewhere` are files that the change did not touch, but in which it introduced a suspect."""

    target: Target
    expects: Mapping[str, Expectation]
    files: int
    lines: int
    suspects: tuple[Suspect, ...]
    complexities: Mapping[str, int | None]
    skipped: tuple[Skip, ...]
    suppressions: tuple[Suppression, ...]
    elsewhere: frozenset[str]
    compared: Compared


def audit(request: Request, progress: Progress) -> Report:
    """The whole audit. An interrupt (`progress.stop`) ends it early with what was measured until then.

    Raises:
        AuditError: a path, rule or workload is unusable.
    """
    with uncollected(lasting=True):
        scanned = _scan(request, progress)
    questions = tuple(Question(suspect, scanned.expects[suspect.rule]) for suspect in scanned.suspects)
    memory = _memory(request, questions, scanned.target)
    runs: list[WorkloadRun] = []
    seen: dict[str, list[Observation]] = {}
    if questions:
        for workload in request.workloads:
            if progress.stop.is_set():
                break
            run, observations = _measured(questions, workload, request, scanned.target, progress)
            runs.append(run)
            for fingerprint, observation in observations.items():
                seen.setdefault(fingerprint, []).append(observation)
    findings = _findings(questions, seen, scanned, request.config)
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    if memory is not None and not runs:
        findings = memory.recall(findings)
    elif memory is not None and not progress.stop.is_set():
        memory.remember(runs, seen, created)
    suppressed = _suppressed(scanned, request.config)
    findings = tuple(_marked(one, scanned.compared, suppressed) for one in findings)
    aside = scanned.compared.set_aside | set(suppressed.reasons)
    return Report(
        target=request.target,
        created=created,
        files=scanned.files,
        lines=scanned.lines,
        findings=_with_fixes(
            [one for one in findings if one.suspect.fingerprint not in aside], request, scanned.target.root
        ),
        skipped=scanned.skipped,
        workloads=tuple(runs),
        machine=this_machine(),
        audit_version=__version__,
        command=request.command,
        interrupted=progress.stop.is_set(),
        notes=(*_notes(request, scanned, progress), *(memory.notes if memory else ())),
        prefix=_prefix(scanned.target.root),
        set_aside=tuple(one for one in findings if one.suspect.fingerprint in aside),
        fixed=scanned.compared.fixed,
        unflagged=scanned.compared.unflagged,
        commit=_commit(scanned.target.root),
        remarks=suppressed.remarks,
    )


def _measured(
    questions: Sequence[Question], workload: Workload, request: Request, target: Target, progress: Progress
) -> tuple[WorkloadRun, dict[str, Observation]]:
    # what measures and what reads recordings take long to import, and a hook has neither to do
    if workload.source is Source.COMMAND:
        from auditor.measure import Conditions, measure

        conditions = Conditions(
            target.root,
            request.allow_failure,
            request.stdin,
            repeat=request.repeat,
            plain=request.plain,
            thresholds=request.config.thresholds,
        )
        return measure(questions, workload, conditions, progress)
    from auditor.observe import observe

    progress.step(f"{workload.name}: reading what was recorded", 0, 0)
    return observe(questions, workload, target, progress.stop)


def _marked(finding: Finding, compared: Compared, suppressed: Suppressed) -> Finding:
    fingerprint = finding.suspect.fingerprint
    return replace(finding, suppressed=suppressed.reasons.get(fingerprint), change=compared.changes.get(fingerprint))


def _suppressed(scanned: _Scanned, config: Config) -> Suppressed:
    return suppress(
        scanned.suspects,
        scanned.suppressions,
        scanned.expects,
        lambda: {rule.id for rule in all_rules(sources_of_rules(config.rules))},
        incomplete={*scanned.elsewhere, *(skip.path for skip in scanned.skipped)},
        require_reason=config.require_reason,
    )


def fix_found(request: Request, report: Report, unsafe: bool, write: bool, progress: Progress) -> Fixes:
    """Make the fixes of what the audit found and did not reject; the files are written only if `write` says so.

    Raises:
        AuditError: a rule cannot be loaded.
    """
    from auditor.fix import fix_all

    return fix_all(report.findings, _rules(request), root_of_request(request), unsafe, write, progress.stop)


def root_of_request(request: Request) -> Path:
    """The directory, absolute, that the paths of the request's report lead from."""
    return root_of_change(request.paths) if request.against.is_change else root_of(request.paths)


def _with_fixes(findings: Sequence[Finding], request: Request, root: Path) -> tuple[Finding, ...]:
    # what is only remembered as confirmed has its fix when asked for: a hook need not load LibCST for it
    if not request.fixes and all(one.verdict.kind is not VerdictKind.CONFIRMED for one in findings):
        return tuple(findings)
    from auditor.fix import with_fixes

    return with_fixes(findings, _rules(request), root, everything=request.fixes)


def _rules(request: Request) -> Sequence[Rule]:
    return chosen_rules(request.config.select, request.config.ignore, sources_of_rules(request.config.rules))


def _prefix(root: Path) -> str:
    """The way from the repository to `root`; without one, from where the audit was started."""
    above = repository_of(root) or Path.cwd()
    return root.relative_to(above).as_posix().removeprefix(".") if root.is_relative_to(above) else ""


def _commit(root: Path) -> str:
    repository = repository_of(root)
    return "" if repository is None else head(repository)


def _scan(request: Request, progress: Progress) -> _Scanned:
    target, changed = _target(request)
    sources = sources_of_rules(request.config.rules)
    rules = RuleSet(chosen_rules, (request.config.select, request.config.ignore, sources), sources)
    project = Project(target, rules, request.cache)
    try:
        expects = project.expectations()
        scans = project.scan(progress.stop, lambda done, total: progress.step("scanning", done, total), request.jobs)
        scope = Scope(
            target=replace(target, files=project.files),
            changed=changed,
            read=frozenset(scan.path for scan in scans if scan.lines or not scan.skipped),
            scans=project.scans,
            rules=rules,
            ran=frozenset(expects),
            lasting=frozenset(rule for rule, one in expects.items() if isinstance(one, Backlog | Survivors)),
            paths=request.paths,
            cache=request.cache,
            jobs=request.jobs,
        )
        difference = compared(request.against, [one for scan in scans for one in scan.suspects], scope, progress.stop)
        suspects = _concerned(scans, scope, difference, request.against)
        complexities = {
            suspect.fingerprint: complexity
            for scan in scans
            for suspect, complexity in zip(scan.suspects, scan.complexities, strict=True)
        }
    finally:
        project.close()
    audited = [scan for scan in scans if not request.against.is_change or scan.path in scope.edited]
    own = {scan.path for scan in audited}
    elsewhere = frozenset(one.path for one in suspects if one.path not in own)
    shown = own | elsewhere
    return _Scanned(
        target=target,
        expects=expects,
        files=len(audited),
        lines=sum(scan.lines for scan in audited),
        suspects=suspects,
        complexities=complexities,
        suppressions=tuple(one for scan in scans if scan.path in shown for one in scan.suppressions),
        skipped=_skipped(request, target, audited),
        elsewhere=elsewhere,
        compared=difference,
    )


def _skipped(request: Request, target: Target, audited: Sequence[FileScan]) -> tuple[Skip, ...]:
    """What was left out. It fails the audit if the user named that file, or if there was nothing else to read."""
    unread = {scan.path for scan in audited if scan.skipped and not scan.lines}
    asked = {path_below(target.root, Path(os.path.abspath(path))) for path in request.paths if path.is_file()}  # noqa: PTH100
    failed = unread if len(unread) == len(audited) else unread & asked
    skips = {replace(skip, failed=skip.path in failed) for scan in audited for skip in scan.skipped}
    return tuple(sorted({*target.skipped, *skips}, key=_skip_key))


def _target(request: Request) -> tuple[Target, tuple[Side, ...]]:
    """The files to scan, and those that the change is about: of it, all are scanned, as others may call what changed.

    Where the user names files alone, as a hook does, only these are, and what they import is looked up.
    """
    against = request.against
    root = root_of_change(request.paths) if against.is_change else None
    target = discover(request.paths, request.config.exclude, root)
    changed = tuple(sides(against, target.root)) if against.is_change else ()
    named = not any(path.is_dir() for path in request.paths)
    if against.is_change and (named or not changed):
        target = narrowed(target, changed)
    return replace(target, follow=named), changed


def _concerned(scans: Sequence[FileScan], scope: Scope, difference: Compared, against: Against) -> tuple[Suspect, ...]:
    """All suspects, or those that stand in changed files or are there because of the change."""
    return tuple(
        suspect
        for scan in scans
        for suspect in scan.suspects
        if not against.is_change
        or scan.path in scope.edited
        or difference.changes[suspect.fingerprint] is Change.INTRODUCED
    )


def _memory(request: Request, questions: Sequence[Question], target: Target) -> Memory | None:
    if request.store is None or not questions:
        return None
    from auditor.remembering import Memory

    return Memory(request.store, questions, target.root, request.config, measuring=bool(request.workloads))


def _skip_key(skip: Skip) -> tuple[str, str]:
    return skip.path, skip.reason


def _notes(request: Request, scanned: _Scanned, progress: Progress) -> tuple[str, ...]:
    notes = []
    if progress.stop.is_set():
        notes.append("Interrupted: what had been measured until then is kept, the rest is missing.")
    if request.against.is_change and not scanned.files and not scanned.skipped:
        notes.append("Of the files that were named, the change touches none that are audited.")
    if not scanned.suspects:
        notes += ["No suspects, so the workload was not run."] if request.workloads else []
    elif not request.workloads and request.config.workloads:
        notes.append("Static only: the configured workloads were not run, so nothing was measured.")
    elif not request.workloads and not request.static:
        notes.append(
            "Static only: no workload was given, so nothing was measured. To have each suspect confirmed or rejected,"
            ' give one with --run "COMMAND", or configure [tool.audit.workloads].'
        )
    return tuple(notes)


# ------------------------------------------------------------------------------------------------
# Judging


def _findings(
    questions: Sequence[Question], seen: Mapping[str, Sequence[Observation]], scanned: _Scanned, config: Config
) -> tuple[Finding, ...]:
    root = scanned.target.root
    sources: dict[tuple[str, int | None], Sequence[str]] = {}
    findings = []
    for question in questions:
        suspect = question.suspect
        observations = seen.get(suspect.fingerprint, ())
        verdict = _judged(question, observations, config)
        complexity = scanned.complexities[suspect.fingerprint]
        findings.append(
            Finding(
                suspect=suspect,
                verdict=verdict,
                priority=triage(question.expects, verdict, config.thresholds),
                gain=gain(question.expects, verdict),
                effort=effort_of(complexity),
                complexity=complexity,
                excerpt=_excerpt(suspect, root, sources),
                tests=tuple(one.tests for one in observations if one.tests is not None),
            )
        )
    return tuple(findings)


def _judged(question: Question, observations: Sequence[Observation], config: Config) -> Verdict:
    if not observations:
        # the judges take long to import
        return UNMEASURED
    from auditor.judge import judge

    return judge(question.expects, observations, config.thresholds)


def _excerpt(
    suspect: Suspect, root: Path, sources: dict[tuple[str, int | None], Sequence[str]]
) -> tuple[tuple[int, str], ...]:
    key = suspect.path, suspect.cell
    if key not in sources:
        # suspects come file by file
        sources.clear()
        sources[key] = _source_lines(root / suspect.path, suspect.cell)
    lines = sources[key]
    first = max(1, suspect.span.line - _CONTEXT_LINES)
    last = min(len(lines), suspect.span.end_line + _CONTEXT_LINES, first + _EXCERPT_LINES - 1)
    return tuple((number, lines[number - 1].rstrip("\n")) for number in range(first, last + 1))


def _source_lines(file: Path, cell: int | None) -> Sequence[str]:
    """The lines of the file, or of a notebook's cell; none if it changed meanwhile and cannot be read any more."""
    try:
        if cell is not None:
            return dict(code_cells(file.read_bytes())).get(cell, ())
        # lines end as they do for Python's parser: form feeds and the like stand within them
        with file.open(encoding="utf-8", errors="replace") as text:
            return text.readlines()
    except (OSError, NotebookError):
        return ()
