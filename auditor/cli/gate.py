"""Whether a report fails: its exit code under `--fail-on`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.errors import AuditError, ConfigError

if TYPE_CHECKING:
    from auditor.model import Finding, Report


def known_gate(name: str) -> str:
    """`name`, if it is a gate.

    Raises:
        ConfigError: it is none.
    """
    from auditor.config import FAIL_ON, suggestion

    if name not in FAIL_ON:
        raise ConfigError(f"--fail-on {name}: no such gate; {suggestion(name, FAIL_ON)}")
    return name


def exit_code(report: Report, fail_on: str, *, allow_failure: bool) -> int:
    """0 nothing to act on, 1 findings at or above the gate, 2 the audit could not do its work.

    That is, it was interrupted, a workload failed, or, with a gate, what was asked for could not be read.
    """
    failed = any(run.failed for run in report.workloads)
    unread = fail_on != "never" and any(skip.failed for skip in report.skipped)
    if report.interrupted or unread or (failed and not allow_failure):
        return AuditError.exit_code
    return int(any(_fails(finding, fail_on) for finding in report.findings))


def _fails(finding: Finding, fail_on: str) -> bool:
    """Whether a finding is at or above the gate. Remembered evidence counts as long as nothing changed since.

    What was there before the change, or is in the baseline, fails no gate.
    """
    from auditor.model import Change, VerdictKind

    if finding.change is Change.PRE_EXISTING:
        return False
    holding = [one for one in finding.remembered if one.stale is None]
    said = [(finding.verdict.kind, finding.priority), *((one.kind, one.priority) for one in holding)]
    confirmed = [priority for kind, priority in said if kind is VerdictKind.CONFIRMED]
    match fail_on:
        case "never":
            return False
        case "confirmed":
            return bool(confirmed)
        case "suspected":
            open_still = finding.verdict.kind is VerdictKind.SUSPECTED
            return bool(confirmed) or (open_still and not any(one.kind is VerdictKind.REJECTED for one in holding))
        case _:
            return any(priority is not None and priority <= fail_on for priority in confirmed)
