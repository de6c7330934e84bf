"""SARIF 2.1.0 (OASIS): the report as one run, the worst results first, within the limits that consumers set."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any

from auditor.model import Change, Priority, VerdictKind
from auditor.report import figures
from auditor.report.attention import cut, is_offered, level, message
from auditor.report.links import documentation, rule_page
from auditor.report.places import uri
from auditor.report.printable import printable, source_line
from auditor.report.saved import evidence_row
from auditor.report.wording import metric_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.model import Evidence, Finding, Fix, Remark, Report, Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 25_000
"""GitHub refuses a run with more."""
MAX_COMPRESSED = 9 * 10**6
"""Bytes that the results may have as gzip: GitHub refuses a file of more than 10 MB."""
_MAX_NOTIFICATIONS = 1000
_KINDS = {VerdictKind.CONFIRMED: "fail", VerdictKind.REJECTED: "pass", VerdictKind.SUSPECTED: "review"}
_RANKS = {Priority.P0: 100.0, Priority.P1: 75.0, Priority.P2: 50.0, Priority.P3: 25.0}


def document(report: Report, findings: Sequence[Finding], *, alerts: bool = False) -> str:
    """The log as JSON. With `alerts`, for consumers that take every result for a problem: no `kind`, no "none"."""
    results = [_result(report, finding, alerts=alerts) for finding in findings]
    kept = _within_limits(results)
    notes = [*report.notes, *(f"{skip.path}: {skip.reason}" for skip in report.skipped)]
    if len(kept) < len(results):
        left = figures.counted(len(results) - len(kept), "result")
        notes.insert(0, f"{left} left out, the least severe: more would exceed the limits of SARIF's consumers")
    run = {
        "tool": {"driver": _driver(report, findings[: len(kept)])},
        "invocations": [
            {
                "executionSuccessful": not report.interrupted and not any(run.failed for run in report.workloads),
                "commandLine": printable(report.command),
                "toolExecutionNotifications": [_notification(note) for note in _cut_notes(notes)],
                "toolConfigurationNotifications": [_remark(report, one) for one in report.remarks[:_MAX_NOTIFICATIONS]],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": kept,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, allow_nan=False) + "\n"


def _within_limits(results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    squeezer = zlib.compressobj(1)
    size = 0
    for index, result in enumerate(results[:MAX_RESULTS]):
        size += len(squeezer.compress(json.dumps(result, indent=1).encode()))
        if size > MAX_COMPRESSED:
            return results[:index]
    return results[:MAX_RESULTS]


def _cut_notes(notes: list[str]) -> list[str]:
    left = len(notes) - _MAX_NOTIFICATIONS
    return notes if left <= 0 else [*notes[:_MAX_NOTIFICATIONS], f"{left:,} further notes left out"]


def _notification(text: str) -> dict[str, Any]:
    return {"level": "note", "message": {"text": cut(printable(text))}}


def _remark(report: Report, remark: Remark) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": uri(report, remark.path), "uriBaseId": "%SRCROOT%"}}
    place["region"] = {"startLine": 1}
    if remark.cell is None:
        place["region"] = {"startLine": max(remark.line, 1), "startColumn": max(remark.column, 1)}
    return {**_notification(f"{remark.place}: {remark.message}"), "locations": [{"physicalLocation": place}]}


# ------------------------------------------------------------------------------------------------
# Rules


def _driver(report: Report, findings: Sequence[Finding]) -> dict[str, Any]:
    confirmed = {finding.suspect.rule for finding in findings if finding.verdict.kind is VerdictKind.CONFIRMED}
    rules = sorted({finding.suspect.rule for finding in findings})
    return {
        "name": "audit",
        "version": printable(report.audit_version),
        **({"informationUri": documentation()} if documentation() else {}),
        "rules": [_rule(rule, proven=rule in confirmed) for rule in rules],
    }


def _rule(rule_id: str, *, proven: bool) -> dict[str, Any]:
    """What is known of the rule. A report may come from an audit that has rules which this one has not."""
    from auditor.catalog import find_rule, page_markdown
    from auditor.errors import RuleError

    precision = {"precision": "very-high" if proven else "low"}
    try:
        rule = find_rule(rule_id)
    except RuleError:
        # GitHub requires the texts
        text = {"text": printable(rule_id)}
        texts = {"shortDescription": text, "fullDescription": text, "help": text}
        return {"id": printable(rule_id), **texts, "properties": {"tags": ["performance"], **precision}}
    page, page_url = page_markdown(rule), rule_page(rule.id)
    return {
        "id": rule.id,
        **({"helpUri": page_url} if page_url else {}),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.page.what},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": ["performance", str(rule.kind)], **precision},
    }


# ------------------------------------------------------------------------------------------------
# Results


def _result(report: Report, finding: Finding, *, alerts: bool) -> dict[str, Any]:
    suspect, verdict = finding.suspect, finding.verdict
    kind = _KINDS.get(verdict.kind, "open")
    judged: dict[str, Any] = {"level": level(finding).value}
    if not alerts:
        judged = {"kind": kind, "level": judged["level"] if kind == "fail" else "none"}
    result = {
        "ruleId": printable(suspect.rule),
        **judged,
        "message": {"text": message(finding)},
        "locations": [_flagged(report, finding)],
        "relatedLocations": _related(report, finding),
        "partialFingerprints": _fingerprints(finding),
        "properties": _properties(finding),
    }
    rank = 0.0 if verdict.kind is VerdictKind.REJECTED else _RANKS.get(finding.priority) if finding.priority else None
    if rank is not None:
        result["rank"] = rank
    if finding.fix is not None and suspect.cell is None and is_offered(finding.fix):
        result["fixes"] = [_fix(report, finding, finding.fix)]
    if finding.change is not None:
        result["baselineState"] = "new" if finding.change is Change.INTRODUCED else "unchanged"
    if suppressions := _suppressions(finding):
        result["suppressions"] = suppressions
    return result


def _suppressions(finding: Finding) -> list[dict[str, str]]:
    """Why nobody is to act on the result: the author says so, or the measurement."""
    found = []
    if finding.suppressed is not None:
        said = {"justification": cut(printable(finding.suppressed))} if finding.suppressed else {}
        found.append({"kind": "inSource", "status": "accepted", **said})
    if finding.verdict.kind is VerdictKind.REJECTED:
        reason = cut(printable(finding.verdict.reason))
        found.append({"kind": "external", "status": "accepted", "justification": reason})
    return found


def _flagged(report: Report, finding: Finding) -> dict[str, Any]:
    region = _region(finding.suspect.span)
    place = _physical(report, finding, region)
    if finding.excerpt and finding.suspect.cell is None:
        shown = "\n".join(source_line(text) for _line, text in finding.excerpt)
        first, last = finding.excerpt[0][0], finding.excerpt[-1][0]
        if first >= 1 and last >= region.get("endLine", region["startLine"]) and first <= region["startLine"]:
            place["contextRegion"] = {"startLine": first, "endLine": last, "snippet": {"text": cut(shown)}}
    symbol = {"fullyQualifiedName": printable(finding.suspect.symbol), "kind": "function"}
    return {"physicalLocation": place, "logicalLocations": [symbol]}


def _fix(report: Report, finding: Finding, fix: Fix) -> dict[str, Any]:
    sure = "keeps the meaning of the program" if fix.safe else "may change the meaning of the program: look at it"
    replacements = [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}} for edit in fix.edits]
    change = {"artifactLocation": _artifact(report, finding), "replacements": replacements}
    return {"description": {"text": f"This fix {sure}."}, "artifactChanges": [change]}


def _related(report: Report, finding: Finding) -> list[dict[str, Any]]:
    """How the verdict came about, in order: the function, then every number at the place where it was measured."""
    suspect = finding.suspect
    steps: list[tuple[Span, str]] = []
    if suspect.function is not None:
        steps.append((suspect.function, f"in {suspect.symbol}, {_complexity(finding)}"))
    probed = suspect.sites[0].span if suspect.sites else suspect.span
    steps += [(probed if row.collector == "probes" else suspect.span, _measured(row)) for row in _rows(finding)]
    return [
        {
            "id": number,
            "physicalLocation": _physical(report, finding, _region(span)),
            "message": {"text": cut(printable(text))},
        }
        for number, (span, text) in enumerate(steps, start=1)
    ]


def _rows(finding: Finding) -> Iterable[Evidence]:
    return finding.verdict.evidence


def _measured(row: Evidence) -> str:
    threshold = ""
    if row.threshold is not None:
        threshold = f", held against {figures.quantity(row.metric, row.threshold, row.unit)}"
    value = figures.quantity(row.metric, row.value, row.unit)
    doubt = f"95 % interval: {figures.interval(row)}{threshold}"
    return f"{metric_label(row)}: {value} ({doubt}; n = {row.n:,}; {row.collector}, workload {row.workload})"


def _complexity(finding: Finding) -> str:
    return "" if finding.complexity is None else f"of cyclomatic complexity {finding.complexity}"


def _physical(report: Report, finding: Finding, region: dict[str, Any]) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": _artifact(report, finding)}
    # the lines of a cell are none of the file's; consumers want a region all the same
    return {**place, "region": region if finding.suspect.cell is None else {"startLine": 1}}


def _artifact(report: Report, finding: Finding) -> dict[str, str]:
    return {"uri": uri(report, finding.suspect.path), "uriBaseId": "%SRCROOT%"}


def _region(span: Span) -> dict[str, int]:
    end_line = max(span.line, span.end_line)
    return {
        "startLine": max(span.line, 1),
        "startColumn": max(span.column, 1),
        "endLine": max(end_line, 1),
        "endColumn": max(span.end_column, 1),
    }


def _fingerprints(finding: Finding) -> dict[str, str]:
    """GitHub knows an alert again by `primaryLocationLineHash` and the file alone."""
    suspect = finding.suspect
    found = {"auditFinding/v1": printable(suspect.fingerprint)}
    if suspect.context:
        found |= {"auditContext/v1": printable(suspect.context), "primaryLocationLineHash": printable(suspect.context)}
    return found


def _properties(finding: Finding) -> dict[str, Any]:
    gain = finding.gain
    return {
        "verdict": finding.verdict.kind.value,
        "reason": cut(printable(finding.verdict.reason)),
        "priority": finding.priority and finding.priority.value,
        "gainAtMost": figures.gain(gain) if gain else None,
        "effort": finding.effort and finding.effort.value,
        "complexity": finding.complexity,
        "callChain": [printable(call) for call in finding.suspect.chain],
        "evidence": [
            {key: printable(value) if isinstance(value, str) else value for key, value in evidence_row(row).items()}
            for row in finding.verdict.evidence
        ],
    }
