"""The untouched run: the reference for exit code and wall time."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from auditor.evidence.base import Outcome, Pass, Question, Session
from auditor.evidence.running import run_workload
from auditor.model import PassRun


class PlainPass:
    """Runs the workload as a user would; only a token in the environment tells its processes from others."""

    name = "plain"
    order = 0
    doing = "running it plainly"
    over_sizes = True
    if_open = False

    def wanted(self, questions: Sequence[Question], hits: Mapping[str, int] | None) -> bool:
        """Always: without it nothing says what the other passes changed."""
        return True

    def measure(self, questions: Sequence[Question], session: Session) -> Outcome:
        """Run the workload once.

        Raises:
            WorkloadError: its program cannot be found or started.
        """
        result = run_workload(session, os.environ)
        run = PassRun(
            self.name,
            result.wall_s,
            result.exit_code,
            warnings=result.warnings,
            cpu_s=result.cpu_s,
            queued_s=result.queued_s,
        )
        return Outcome(run, last_lines=result.last_lines)


PASS: Pass = PlainPass()
