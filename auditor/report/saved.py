"""A report as a file: written by `to_json`, read back without loss by `from_json`.

`docs/report.schema.json` describes the shape. JSON has no infinities: an interval that is open on one side has null for
that end, and a number that could not be computed is null. How a workload is started (`argv`, `service`) stays out: its
command tells people what ran.
"""

from __future__ import annotations

import json
import math
from typing import Any

from auditor.errors import ReportError
from auditor.model import (
    Alive,
    Census,
    Change,
    Edit,
    Effort,
    Evidence,
    Exercise,
    Finding,
    Fix,
    Fixed,
    Gain,
    Later,
    Machine,
    PassRun,
    Priority,
    Remark,
    Remembered,
    Report,
    Site,
    Skip,
    Source,
    Span,
    Standstill,
    Suspect,
    Verdict,
    VerdictKind,
    Workload,
    WorkloadRun,
)
from auditor.report.reading import Node, parse

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
        "machine": _machine(report.machine),
        "interrupted": report.interrupted,
        "notes": list(report.notes),
        "workloads": [_workload(run) for run in report.workloads],
        "findings": [_finding(finding) for finding in report.findings],
        "set_aside": [_finding(finding) for finding in report.set_aside],
        "fixed": [
            {"rule": one.rule, "path": one.path, "symbol": one.symbol, "message": one.message} for one in report.fixed
        ],
        "remarks": [_remark(remark) for remark in report.remarks],
        "skipped": [{"path": skip.path, "reason": skip.reason} for skip in report.skipped],
        "summary": _summary(report),
    }
    try:
        return json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False) + "\n"
    except ValueError as error:
        raise ReportError(
            f"the report on {report.target} cannot be written as JSON: {error}; please report this as a bug of audit"
        ) from error


def from_json(text: str, origin: str) -> Report:
    """The report that `to_json` wrote; `origin` (a file name) names it in complaints.

    Raises ReportError if `text` is not JSON, is of a newer schema, or lacks or garbles a value.
    """
    root = parse(text, origin)
    version = root["schema_version"]
    if version.integer() != SCHEMA_VERSION:
        raise ReportError(
            f"{origin} has schema_version {version.integer()}, this audit reads {SCHEMA_VERSION}; "
            "read it with the version of audit that wrote it, or write it anew with this one"
        )
    return Report(
        target=root["target"].string(),
        created=root["created"].string(),
        files=root["summary"]["files"].integer(),
        lines=root["summary"]["lines"].integer(),
        findings=tuple(_read_finding(node) for node in root["findings"].items()),
        skipped=tuple(Skip(node["path"].string(), node["reason"].string()) for node in root["skipped"].items()),
        workloads=tuple(_read_workload(node) for node in root["workloads"].items()),
        machine=_read_machine(root["machine"]),
        audit_version=root["audit_version"].string(),
        command=root["command"].string(),
        interrupted=root["interrupted"].boolean(),
        notes=root["notes"].strings(),
        prefix=root["prefix"].string(),
        set_aside=tuple(_read_finding(node) for node in root["set_aside"].items()),
        fixed=tuple(
            Fixed(*(node[key].string() for key in ("rule", "path", "symbol", "message")))
            for node in root["fixed"].items()
        ),
        remarks=tuple(_read_remark(node) for node in root["remarks"].items()),
    )


# ------------------------------------------------------------------------------------------------
# Writing


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
        "alive": [asdict(one) for one in census.alive],
    }


def _standstill(found: Standstill) -> dict[str, Any]:
    return {
        "turns": found.turns,
        "total_s": float(found.total_s),
        "longest_s": float(found.longest_s),
        "lines": [{"place": place, "seconds": float(seconds)} for place, seconds in found.lines],
    }


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


# ------------------------------------------------------------------------------------------------
# Reading


def _read_machine(node: Node) -> Machine:
    return Machine(
        python=node["python"].string(),
        platform=node["platform"].string(),
        cpu=node["cpu"].string(),
        cores=node["cores"].integer(),
        versions=tuple((name, version.string()) for name, version in node["versions"].members()),
    )


def _read_workload(node: Node) -> WorkloadRun:
    return WorkloadRun(
        workload=Workload(
            name=node["name"].string(),
            command=node["command"].string(),
            cwd=node["cwd"].string(),
            timeout_s=node["timeout_s"].optional(Node.number),
            sizes=tuple(size.integer() for size in node["sizes"].items()),
            source=node["source"].one_of(Source) if node.has("source") else Source.COMMAND,
        ),
        exit_code=node["exit_code"].optional(Node.integer),
        wall_s=node["wall_s"].number(),
        passes=tuple(_read_pass(one) for one in node["passes"].items()),
        warnings=node["warnings"].strings(),
        last_lines=node["last_lines"].strings(),
        cpu_s=node["cpu_s"].optional(Node.number),
        queued_s=node["queued_s"].optional(Node.number),
        # reports written before there was a census lack it
        census=node["census"].optional(_read_census) if node.has("census") else None,
        standstill=node["standstill"].optional(_read_standstill) if node.has("standstill") else None,
        python=node["python"].string() if node.has("python") else "",
    )


def _read_census(node: Node) -> Census:
    return Census(
        tasks=node["tasks"].integer(),
        threads=node["threads"].integer(),
        unseen=node["unseen"].integer(),
        alive=tuple(
            Alive(
                kind=one["kind"].string(),
                count=one["count"].integer(),
                runs=one["runs"].string(),
                made=one["made"].string(),
                waits=one["waits"].string(),
                pools=one["pools"].integer(),
                most=one["most"].integer() if one.has("most") else 0,
            )
            for one in node["alive"].items()
        ),
        files=node["files"].integer() if node.has("files") else 0,
        sockets=node["sockets"].integer() if node.has("sockets") else 0,
    )


def _read_standstill(node: Node) -> Standstill:
    return Standstill(
        turns=node["turns"].integer(),
        total_s=node["total_s"].number(),
        longest_s=node["longest_s"].number(),
        lines=tuple((one["place"].string(), one["seconds"].number()) for one in node["lines"].items()),
    )


def _read_pass(node: Node) -> PassRun:
    return PassRun(
        name=node["name"].string(),
        wall_s=node["wall_s"].number(),
        exit_code=node["exit_code"].optional(Node.integer),
        gap=node["gap"].optional(Node.string),
        warnings=node["warnings"].strings(),
        cpu_s=node["cpu_s"].optional(Node.number),
        queued_s=node["queued_s"].optional(Node.number),
        size=node["size"].optional(Node.integer),
    )


def _read_finding(node: Node) -> Finding:
    return Finding(
        suspect=_read_suspect(node),
        verdict=Verdict(
            kind=node["verdict"].one_of(VerdictKind),
            reason=node["reason"].string(),
            evidence=tuple(_read_evidence(row) for row in node["evidence"].items()),
        ),
        priority=node["priority"].optional(lambda value: value.one_of(Priority)),
        gain=node["gain"].optional(_read_gain),
        effort=node["effort"].optional(lambda value: value.one_of(Effort)),
        complexity=node["complexity"].optional(Node.integer),
        excerpt=tuple((line["line"].integer(), line["text"].string()) for line in node["excerpt"].items()),
        # reports written before there were fixes, tests and remembered evidence lack these keys
        fix=node["fix"].optional(_read_fix) if node.has("fix") else None,
        tests=tuple(_read_exercise(one) for one in node["tests"].items()) if node.has("tests") else (),
        suppressed=node["suppressed"].optional(Node.string),
        change=node["change"].optional(lambda value: value.one_of(Change)),
        remembered=(
            tuple(_read_remembered(one) for one in node["remembered"].items()) if node.has("remembered") else ()
        ),
    )


def _read_fix(node: Node) -> Fix:
    return Fix(
        safe=node["safe"].boolean(),
        diff=node["diff"].string(),
        edits=tuple(Edit(_read_span(edit), edit["text"].string()) for edit in node["edits"].items()),
    )


def _read_exercise(node: Node) -> Exercise:
    return Exercise(
        workload=node["workload"].string(),
        total=node["total"].integer(),
        most=tuple((one["test"].string(), one["hits"].integer()) for one in node["most"].items()),
    )


def _read_remembered(node: Node) -> Remembered:
    return Remembered(
        kind=node["verdict"].one_of(VerdictKind),
        reason=node["reason"].string(),
        measured=node["measured"].string(),
        workload=node["workload"].string(),
        command=node["command"].string(),
        priority=node["priority"].optional(lambda value: value.one_of(Priority)),
        evidence=tuple(_read_evidence(row) for row in node["evidence"].items()),
        stale=node["stale"].optional(Node.string),
        # reports written before these were told apart lack them
        sizes=tuple(size.integer() for size in node["sizes"].items()) if node.has("sizes") else (),
        python=node["python"].string() if node.has("python") else "",
        later=node["later"].optional(_read_later) if node.has("later") else None,
    )


def _read_later(node: Node) -> Later:
    return Later(node["verdict"].one_of(VerdictKind), node["reason"].string(), node["measured"].string())


def _read_remark(node: Node) -> Remark:
    return Remark(
        path=node["path"].string(),
        line=node["line"].integer(),
        column=node["column"].integer(),
        message=node["message"].string(),
        cell=node["cell"].integer() if node.has("cell") else None,
    )


def _read_suspect(node: Node) -> Suspect:
    return Suspect(
        rule=node["rule"].string(),
        path=node["path"].string(),
        span=_read_span(node),
        symbol=node["symbol"].string(),
        message=node["message"].string(),
        fingerprint=node["fingerprint"].string(),
        sites=tuple(Site(site["probe"].string(), _read_span(site)) for site in node["sites"].items()),
        function=node["function"].optional(_read_span),
        chain=node["chain"].strings(),
        cell=node["cell"].integer() if node.has("cell") else None,
        context=node["context"].string(),
    )


def _read_evidence(node: Node) -> Evidence:
    return Evidence(
        metric=node["metric"].string(),
        value=_read_end(node["value"], math.nan),
        low=_read_end(node["low"], -math.inf),
        high=_read_end(node["high"], math.inf),
        unit=node["unit"].string(),
        n=node["n"].integer(),
        collector=node["collector"].string(),
        workload=node["workload"].string(),
        threshold=node["threshold"].optional(Node.number),
    )


def _read_gain(node: Node) -> Gain:
    return Gain(low=_read_end(node["low"], -math.inf), high=_read_end(node["high"], math.inf))


def _read_end(node: Node, missing: float) -> float:
    number = node.optional(Node.number)
    return missing if number is None else number


def _read_span(node: Node) -> Span:
    return Span(
        line=node["line"].integer(),
        column=node["column"].integer(),
        end_line=node["end_line"].integer(),
        end_column=node["end_column"].integer(),
    )
