"""A report read back from the file that `auditor.report.saved` wrote, without loss."""

from __future__ import annotations

import math

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
    Gained,
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
    Unflagged,
    Verdict,
    VerdictKind,
    Waits,
    Workload,
    WorkloadRun,
)
from auditor.report.reading import Node, parse
from auditor.report.saved import SCHEMA_VERSION


def from_json(text: str, origin: str, longest: int | None = None) -> Report:
    """The report that `to_json` wrote; `origin` (a file name) names it in complaints.

    If `longest` is given, strings of more characters are cut.

    Raises ReportError if `text` is not JSON, is of a newer schema, or lacks or garbles a value.
    """
    root = parse(text, origin, longest)
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
        skipped=tuple(_read_skip(node) for node in root["skipped"].items()),
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
        # reports written before these were told lack them
        commit=root["commit"].string() if root.has("commit") else "",
        unflagged=tuple(
            Unflagged(*(node[key].string() for key in ("rule", "path", "symbol", "message", "stands")))
            for node in (root["unflagged"].items() if root.has("unflagged") else ())
        ),
        remarks=tuple(_read_remark(node) for node in root["remarks"].items()),
    )


def _read_skip(node: Node) -> Skip:
    failed = node["failed"].boolean() if node.has("failed") else False
    return Skip(node["path"].string(), node["reason"].string(), failed)


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
        waits=node["waits"].optional(_read_waits) if node.has("waits") else None,
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
        gained=node["gained"].optional(_read_gained) if node.has("gained") else None,
    )


def _read_gained(node: Node) -> Gained:
    return Gained(count=node["count"].number(), over=node["over"].number(), unit=node["unit"].string())


def _read_standstill(node: Node) -> Standstill:
    return Standstill(
        turns=node["turns"].integer(),
        total_s=node["total_s"].number(),
        longest_s=node["longest_s"].number(),
        lines=_read_places(node["lines"]),
        hidden=node["hidden"].boolean() if node.has("hidden") else False,
    )


def _read_waits(node: Node) -> Waits:
    return Waits(
        seconds=node["seconds"].number(),
        watched_s=node["watched_s"].number(),
        kinds=tuple((one["kind"].string(), one["seconds"].number()) for one in node["kinds"].items()),
        lines=_read_places(node["lines"]),
    )


def _read_places(node: Node) -> tuple[tuple[str, float], ...]:
    return tuple((one["place"].string(), one["seconds"].number()) for one in node.items())


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
        path=node["path"].string() if node.has("path") else "",
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
