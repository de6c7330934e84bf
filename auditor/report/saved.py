"""A report as a file; `auditor.report.restored` reads it back without loss.

`docs/report.schema.json` describes the shape. JSON has no infinities: an interval that is open on one side has null for
that end, and a number that could not be computed is null. How a workload is started (`argv`, `service`) stays out: its
command tells people what ran.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from auditor.errors import ReportError
from auditor.model import (
    Census,
    Evidence,
    Exercise,
    Finding,
    Fix,
    Fixed,
    Machine,
    PassRun,
    Priority,
    Remark,
    Remembered,
    Report,
    Skip,
    Span,
    Standstill,
    Unflagged,
    VerdictKind,
    Waits,
    WorkloadRun,
)

SCHEMA_VERSION = 1


def to_json(report: Report) -> str:
    """The report as JSON: ASCII only, keys in a fixed order, one line at the end.

    Raises ReportError if a wall time is not a finite number.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "audit_version": report.audit_version,
        "created": report.created,
        "command": report.command,
        "target": report.target,
        "prefix": report.prefix,
        "commit": report.commit,
        "machine": _machine(report.machine),
        "interrupted": report.interrupted,
        "notes": list(report.notes),
        "workloads": [_workload(run) for run in report.workloads],
        "findings": [_finding(finding) for finding in report.findings],
        "set_aside": [_finding(finding) for finding in report.set_aside],
        "fixed": [_fixed(one) for one in report.fixed],
        "unflagged": [{**_fixed(one), "stands": one.stands} for one in report.unflagged],
        "remarks": [_remark(remark) for remark in report.remarks],
        "skipped": [_skip(skip) for skip in report.skipped],
        "summary": _summary(report),
    }
    try:
        return json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
    except ValueError as error:
        raise ReportError(
            f"the report on {report.target} cannot be written as JSON: {error}; please report this as a bug of audit"
        ) from error


def _skip(skip: Skip) -> dict[str, Any]:
    return {"path": skip.path, "reason": skip.reason, **({"failed": True} if skip.failed else {})}


def _fixed(one: Fixed | Unflagged) -> dict[str, Any]:
    return {"rule": one.rule, "path": one.path, "symbol": one.symbol, "message": one.message}


def _machine(machine: Machine) -> dict[str, Any]:
    return {
        "python": machine.python,
        "platform": machine.platform,
        "cpu": machine.cpu,
        "cores": machine.cores,
        "versions": dict(machine.versions),
    }


def _workload(run: WorkloadRun) -> dict[str, Any]:
    return {
        "name": run.workload.name,
        "command": run.workload.command,
        "cwd": run.workload.cwd,
        "timeout_s": run.workload.timeout_s,
        "sizes": list(run.workload.sizes),
        "source": run.workload.source.value,
        "exit_code": run.exit_code,
        "wall_s": float(run.wall_s),
        "cpu_s": None if run.cpu_s is None else float(run.cpu_s),
        "queued_s": None if run.queued_s is None else float(run.queued_s),
        "passes": [_pass(one) for one in run.passes],
        "warnings": list(run.warnings),
        "last_lines": list(run.last_lines),
        "census": run.census and _census(run.census),
        "standstill": run.standstill and _standstill(run.standstill),
        "waits": run.waits and _waits(run.waits),
        "python": run.python,
    }


def _census(census: Census) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "tasks": census.tasks,
        "threads": census.threads,
        "unseen": census.unseen,
        "files": census.files,
        "sockets": census.sockets,
        "gained": census.gained and asdict(census.gained),
        "alive": [asdict(one) for one in census.alive],
    }


def _standstill(found: Standstill) -> dict[str, Any]:
    return {
        "turns": found.turns,
        "total_s": float(found.total_s),
        "longest_s": float(found.longest_s),
        "lines": _places(found.lines),
        "hidden": found.hidden,
    }


def _waits(found: Waits) -> dict[str, Any]:
    return {
        "seconds": float(found.seconds),
        "watched_s": float(found.watched_s),
        "kinds": [{"kind": kind, "seconds": float(seconds)} for kind, seconds in found.kinds],
        "lines": _places(found.lines),
    }


def _places(lines: Sequence[tuple[str, float]]) -> list[dict[str, Any]]:
    return [{"place": place, "seconds": float(seconds)} for place, seconds in lines]


def _pass(run: PassRun) -> dict[str, Any]:
    return {
        "name": run.name,
        "size": run.size,
        "wall_s": float(run.wall_s),
        "cpu_s": None if run.cpu_s is None else float(run.cpu_s),
        "queued_s": None if run.queued_s is None else float(run.queued_s),
        "exit_code": run.exit_code,
        "gap": run.gap,
        "warnings": list(run.warnings),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    suspect, verdict, gain = finding.suspect, finding.verdict, finding.gain
    return {
        "fingerprint": suspect.fingerprint,
        "context": suspect.context,
        "rule": suspect.rule,
        "path": suspect.path,
        **({} if suspect.cell is None else {"cell": suspect.cell}),
        **_span(suspect.span),
        "symbol": suspect.symbol,
        "message": suspect.message,
        "verdict": verdict.kind.value,
        "reason": verdict.reason,
        "priority": finding.priority and finding.priority.value,
        "evidence": [evidence_row(row) for row in verdict.evidence],
        "gain": gain and {"low": _finite(gain.low), "high": _finite(gain.high)},
        "effort": finding.effort and finding.effort.value,
        "complexity": finding.complexity,
        "excerpt": [{"line": line, "text": text} for line, text in finding.excerpt],
        "chain": list(suspect.chain),
        "function": suspect.function and _span(suspect.function),
        "sites": [{"probe": site.probe, **_span(site.span)} for site in suspect.sites],
        "fix": finding.fix and _fix(finding.fix),
        "tests": [_exercise(one) for one in finding.tests],
        "remembered": [_remembered(one) for one in finding.remembered],
        "suppressed": finding.suppressed,
        "change": finding.change and finding.change.value,
    }


def _remark(remark: Remark) -> dict[str, Any]:
    return {
        "path": remark.path,
        **({} if remark.cell is None else {"cell": remark.cell}),
        "line": remark.line,
        "column": remark.column,
        "message": remark.message,
    }


def _remembered(one: Remembered) -> dict[str, Any]:
    return {
        "verdict": one.kind.value,
        "reason": one.reason,
        "measured": one.measured,
        "workload": one.workload,
        "command": one.command,
        "priority": one.priority and one.priority.value,
        "evidence": [evidence_row(row) for row in one.evidence],
        "stale": one.stale,
        "sizes": list(one.sizes),
        "python": one.python,
        "later": one.later
        and {"verdict": one.later.kind.value, "reason": one.later.reason, "measured": one.later.measured},
        **({"path": one.path} if one.path else {}),
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "safe": fix.safe,
        "diff": fix.diff,
        "edits": [{**_span(edit.span), "text": edit.text} for edit in fix.edits],
    }


def _exercise(one: Exercise) -> dict[str, Any]:
    most = [{"test": test, "hits": hits} for test, hits in one.most]
    return {"workload": one.workload, "total": one.total, "most": most}


def evidence_row(row: Evidence) -> dict[str, Any]:
    """A row of evidence as JSON has it."""
    return {
        "metric": row.metric,
        "value": _finite(row.value),
        "low": _finite(row.low),
        "high": _finite(row.high),
        "unit": row.unit,
        "threshold": None if row.threshold is None else _finite(row.threshold),
        "n": row.n,
        "collector": row.collector,
        "workload": row.workload,
    }


def _span(span: Span) -> dict[str, int]:
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def _summary(report: Report) -> dict[str, Any]:
    verdicts = [finding.verdict.kind for finding in report.findings]
    priorities = [finding.priority for finding in report.findings]
    return {
        "files": report.files,
        "lines": report.lines,
        "by_verdict": {kind.value: verdicts.count(kind) for kind in VerdictKind},
        "by_priority": {priority.value: priorities.count(priority) for priority in Priority},
    }
