"""One run of a session's workload, whatever kind it is of."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.evidence.base import Session
from auditor.evidence.service import run_service
from auditor.evidence.supervise import ChildResult, resolve_command, run_child


def run_workload(session: Session, env: Mapping[str, str]) -> ChildResult:
    """Run the workload once, to its end; `env` is for what is measured.

    Raises:
        WorkloadError: its program cannot be found or started.
    """
    workload = session.workload
    if workload.service is not None:
        return run_service(
            workload.service,
            cwd=workload.cwd,
            env=env,
            timeout_s=workload.timeout_s,
            stdin=session.stdin,
            stop=session.stop,
        )
    return run_child(
        workload.argv or resolve_command(workload.command, workload.cwd),
        cwd=workload.cwd,
        env=env,
        timeout_s=workload.timeout_s,
        stdin=session.stdin,
        stop=session.stop,
    )
