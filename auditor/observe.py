"""Judging what was recorded, or what runs already: profiles and live processes. Nothing is run."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from auditor.evidence.base import Outcome, Question
from auditor.evidence.captures.cpu import COLLECTOR, judge_file
from auditor.evidence.captures.memory import judge_memory
from auditor.evidence.captures.process import watch
from auditor.evidence.guardian import temporary_directory
from auditor.model import Evidence, Gap, Observation, Source, Workload, WorkloadRun
from auditor.scan.files import Target


def observe(
    questions: Sequence[Question], workload: Workload, target: Target, stop: threading.Event
) -> tuple[WorkloadRun, dict[str, Observation]]:
    """What a profile, or a process that is running, says of each suspect. `stop` ends watching early.

    Raises:
        CaptureError: the profile cannot be read, or the process not be watched.
    """
    outcome = _outcome(questions, workload, target, stop)
    run = WorkloadRun(workload, None, outcome.run.wall_s, (outcome.run,))
    return run, {one.suspect.fingerprint: _observation(one, workload, outcome) for one in questions}


def _outcome(questions: Sequence[Question], workload: Workload, target: Target, stop: threading.Event) -> Outcome:
    file = Path(workload.cwd, workload.command)
    with temporary_directory("audit-") as scratch:
        match workload.source:
            case Source.PROCESS:
                return watch(workload, questions, target.root, target.files, Path(scratch), stop)
            case Source.MEMORY_PROFILE:
                return judge_memory(file, questions, target.root, target.files, workload.name, Path(scratch), stop)
            case _:
                return judge_file(file, questions, target.root, target.files, workload.name)


def _observation(question: Question, workload: Workload, outcome: Outcome) -> Observation:
    rows = outcome.rows.get(question.suspect.fingerprint, ())
    if question.suspect.cell is not None:
        rows = (Gap(COLLECTOR, workload.name, "a profile does not tell the cells of a notebook"),)
    return Observation(
        workload.name,
        outcome.run.wall_s,
        tuple(row for row in rows if isinstance(row, Evidence)),
        tuple(row for row in rows if isinstance(row, Gap)),
    )
