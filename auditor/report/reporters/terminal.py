"""The report for the terminal: what to act on first, places as `path:line:column`, a line for each that is settled."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from auditor.model import Change, VerdictKind
from auditor.report import figures, wording
from auditor.report.boundness import boundness
from auditor.report.census import alive_at_end
from auditor.report.overview import changes, location, overview
from auditor.report.printable import printable, source_line
from auditor.report.reporter import Reporter
from auditor.report.sheet import Plain, cells, shortened
from auditor.report.standstill import stood_still
from auditor.report.waits import waited_for_threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.model import Finding, Report, WorkloadRun
    from auditor.report.overview import Group, Overview
    from auditor.report.sheet import Sheet

_REJECTED_SHOWN = 20
_REMEMBERED_SHOWN = 3
_SKIPPED_SHOWN = 10
_REMARKS_SHOWN = 20
_FIXED_SHOWN = 20
_TESTS_SHOWN = 2
_CHANGE_SHOWN = 16
_LEAST_REASON = 40
_LEVELS = {"P0": "bold red", "P1": "bold red", "P2": "bold yellow", "P3": "bold cyan"}


def print_report(report: Report, sheet: Sheet) -> None:
    """Write the report on `sheet`, at its width and with its colours."""
    view = overview(report)
    _header(view, sheet)
    for group in view.groups:
        _confirmed(group, sheet)
    _inconclusive(view.inconclusive, sheet)
    _rejected(view.rejected, sheet)
    _suspected(view.suspected, sheet)
    _uncounted(view, sheet)
    _skipped(view, sheet)
    _remarks(view, sheet)
    _fixed(view, sheet)
    _closing(view, sheet)


def render(report: Report) -> str:
    """The report as plain text, 100 columns wide."""
    out = io.StringIO()
    print_report(report, Plain(out, 100))
    return out.getvalue()


def _header(view: Overview, sheet: Sheet) -> None:
    report = view.report
    counts = (
        figures.counted(report.files, "file"),
        figures.counted(len(report.findings), "suspect"),
        figures.counted(len(report.workloads), "workload"),
    )
    # a hook may be given thousands of files
    target = shortened(printable(report.target), 2 * sheet.width)
    sheet.line((f"audit {target}", "bold"), (f"  {', '.join(counts)}", ""))
    for run in report.workloads:
        _workload(report, run, sheet)
    for note in report.notes:
        sheet.paragraph(2, (f"note: {note}", ""))
    if report.interrupted:
        sheet.line(("Interrupted: what follows is incomplete.", "bold red"))


def _workload(report: Report, run: WorkloadRun, sheet: Sheet) -> None:
    ended = wording.ending(run)
    wall = figures.quantity("seconds", run.wall_s, "s")
    style = "bold red" if run.failed else "dim"
    sheet.paragraph(2, (f"{run.workload.name}: ", ""), (run.workload.command, "dim"), (f"  {wall}, {ended}", style))
    if held_up := boundness(run):
        sheet.paragraph(4, (held_up, "dim"))
    if waited := waited_for_threads(run):
        sheet.paragraph(4, (waited, "dim"))
    if still := stood_still(run):
        sheet.paragraph(4, (still, "dim"))
    if alive := alive_at_end(report, run):
        sheet.paragraph(4, (alive, "dim"))
    gaps = [f"{one.name}: {one.gap}" for one in run.passes if one.gap]
    for warning in dict.fromkeys((*run.warnings, *gaps, *(text for one in run.passes for text in one.warnings))):
        sheet.paragraph(4, (f"warning: {warning}", "yellow"))
    if run.failed:
        for line in run.last_lines:
            sheet.paragraph(4, (f"| {line}", "dim"))


def _confirmed(group: Group, sheet: Sheet) -> None:
    for finding in group.findings:
        sheet.line()
        level = group.name or "--"
        place = (location(finding), "bold"), (f"  {finding.suspect.rule}", "cyan"), (_age(finding), "dim")
        sheet.line((f"{level}  ", _LEVELS.get(level, "bold")), *place)
        sheet.paragraph(4, (finding.suspect.message, ""))
        _way(finding, sheet)
        sheet.paragraph(4, (finding.verdict.reason, "bold"))
        sheet.paragraph(4, (_prospect(finding), "green"))
        _tests(finding, sheet)
        _change(finding, sheet)


def _age(finding: Finding) -> str:
    return "  pre-existing" if finding.change is Change.PRE_EXISTING else ""


def _way(finding: Finding, sheet: Sheet) -> None:
    if words := wording.way(finding.suspect):
        sheet.paragraph(4, (words, "dim"))


def _tests(finding: Finding, sheet: Sheet) -> None:
    for one in finding.tests:
        sheet.paragraph(4, (f"run by {wording.exercise(one, _TESTS_SHOWN)}", "dim"))


def _change(finding: Finding, sheet: Sheet) -> None:
    if finding.fix is None:
        return
    sheet.paragraph(4, ("fix:" if finding.fix.safe else "fix (may change what the program does):", ""))
    lines = changes(finding)
    for line in lines[:_CHANGE_SHOWN]:
        style = {"+": "green", "-": "red"}.get(line[0], "dim")
        sheet.line((f"      {source_line(line)}", style))
    if len(lines) > _CHANGE_SHOWN:
        sheet.paragraph(6, (f"and {figures.counted(len(lines) - _CHANGE_SHOWN, 'line')} more", "dim"))


def _prospect(finding: Finding) -> str:
    bound = "not bounded by a measurement"
    if finding.gain:
        bound = f"{figures.gain(finding.gain)} if it cost nothing"
    bound = f"gain: {bound}"
    if finding.effort is None:
        return bound
    complexity = "" if finding.complexity is None else f" (complexity {finding.complexity})"
    return f"{bound}, effort: {finding.effort.value}{complexity}"


def _inconclusive(findings: Sequence[Finding], sheet: Sheet) -> None:
    _heading(sheet, "Inconclusive", findings)
    for finding in findings:
        sheet.line((f"  {location(finding)}", "bold"), (f"  {finding.suspect.rule}", "cyan"), (_age(finding), "dim"))
        sheet.paragraph(4, (finding.verdict.reason, ""))
        _way(finding, sheet)
        _tests(finding, sheet)


def _rejected(findings: Sequence[Finding], sheet: Sheet) -> None:
    _heading(sheet, "Rejected by measurement", findings)
    shown = findings[:_REJECTED_SHOWN]
    rules = max((len(finding.suspect.rule) for finding in shown), default=0)
    places = [f"  {finding.suspect.rule:<{rules}}  {location(finding)}" for finding in shown]
    room = sheet.width - 2 - max((cells(printable(place)) for place in places), default=0)
    for finding, place in zip(shown, places, strict=True):
        # Places stay whole so that they can be clicked. Of a reason, a little may go, but not its figures.
        if room < _LEAST_REASON:
            sheet.line((place, "dim"))
            sheet.paragraph(4, (finding.verdict.reason, "dim"))
        else:
            reason = shortened(printable(finding.verdict.reason), sheet.width - 2 - cells(printable(place)))
            sheet.line((f"{place}  {reason}", "dim"))
    _more(sheet, len(findings) - _REJECTED_SHOWN)


def _suspected(findings: Sequence[Finding], sheet: Sheet) -> None:
    _heading(sheet, "Suspected, not measured", findings)
    for finding in findings:
        sheet.line((f"  {location(finding)}", "bold"), (f"  {finding.suspect.rule}", "cyan"), (_age(finding), "dim"))
        sheet.paragraph(4, (finding.suspect.message, ""))
        _way(finding, sheet)
        for one in finding.remembered[:_REMEMBERED_SHOWN]:
            style = "dim" if one.stale else "bold" if one.kind is VerdictKind.CONFIRMED else ""
            sheet.paragraph(4, (f"remembered: {wording.recollection(one)}", style))


def _uncounted(view: Overview, sheet: Sheet) -> None:
    _heading(sheet, "Not measurable", view.not_measurable)
    for reason, count in _reasons(view.not_measurable):
        sheet.paragraph(2, (f"{figures.counted(count, 'suspect')}: {reason}", "dim"))
    if view.not_exercised:
        sheet.line()
        suspects = figures.counted(len(view.not_exercised), "suspect")
        sheet.paragraph(0, (f"Not exercised: no workload came to {suspects}", "dim"))


def _reasons(findings: Iterable[Finding]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.verdict.reason] = counts.get(finding.verdict.reason, 0) + 1
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _skipped(view: Overview, sheet: Sheet) -> None:
    _heading(sheet, "Skipped", view.skipped)
    for skip in view.skipped[:_SKIPPED_SHOWN]:
        sheet.paragraph(2, (skip.path, ""), (f"  {skip.reason}", "dim"))
    _more(sheet, len(view.skipped) - _SKIPPED_SHOWN)


def _remarks(view: Overview, sheet: Sheet) -> None:
    _heading(sheet, "Suppressions to look at", view.remarks)
    for remark in view.remarks[:_REMARKS_SHOWN]:
        sheet.line((f"  {remark.place}  ", ""), (remark.message.removeprefix("suppression: "), "dim"))
    _more(sheet, len(view.remarks) - _REMARKS_SHOWN)


def _fixed(view: Overview, sheet: Sheet) -> None:
    _heading(sheet, "Fixed", view.report.fixed)
    for one in view.report.fixed[:_FIXED_SHOWN]:
        sheet.line((f"  {one.path} {one.symbol}  {one.rule}", "green"))
    _more(sheet, len(view.report.fixed) - _FIXED_SHOWN)
    _heading(sheet, "No longer flagged, though nothing shows that it is fixed", view.report.unflagged)
    for gone in view.report.unflagged[:_FIXED_SHOWN]:
        sheet.line((f"  {gone.path} {gone.symbol}  {gone.rule}", ""), (f"  now at {gone.stands}", "dim"))
    _more(sheet, len(view.report.unflagged) - _FIXED_SHOWN)


def _closing(view: Overview, sheet: Sheet) -> None:
    sheet.line()
    style = "bold red" if view.confirmed or view.report.interrupted else "bold"
    sheet.paragraph(0, (view.headline, style))
    counts = (
        (len(view.confirmed), "confirmed"),
        (len(view.inconclusive), "inconclusive"),
        (len(view.rejected), "rejected"),
        (len(view.suspected), "suspected"),
        (len(view.not_exercised), "not exercised"),
        (len(view.not_measurable), "not measurable"),
        (len(view.skipped), "skipped"),
        *((count, name) for name, count in view.compared),
    )
    said = [f"{count:,} {name}" for count, name in counts if count]
    if said:
        sheet.paragraph(0, (", ".join(said), ""))
    rule = next((one.suspect.rule for one in (*view.confirmed, *view.inconclusive, *view.suspected)), None)
    explain = f"`audit explain {rule}` for the rule, " if rule else ""
    sheet.paragraph(0, (f"{explain}`--format html` for the whole report", "dim"))


def _heading(sheet: Sheet, title: str, things: Sequence[object]) -> None:
    if things:
        sheet.line()
        sheet.line((f"{title} ({len(things):,})", "bold"))


def _more(sheet: Sheet, count: int) -> None:
    if count > 0:
        sheet.paragraph(2, (f"and {count:,} more: `--format html` has them all", "dim"))


REPORTER = Reporter(name="terminal", suffixes=(".txt",), render=render)
