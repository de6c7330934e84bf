"""The report for the terminal: what to act on first, places as `path:line:column`, a line for each that is settled."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from auditor.model import Change, VerdictKind
from auditor.report import figures, wording
from auditor.report.boundness import boundness
from auditor.report.census import alive_at_end
from auditor.report.overview import changes, location, overview
from auditor.report.printable import printable, source_line
from auditor.report.reporter import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.model import Finding, Report, WorkloadRun
    from auditor.report.overview import Group, Overview

_REJECTED_SHOWN = 20
_REMEMBERED_SHOWN = 3
_SKIPPED_SHOWN = 10
_REMARKS_SHOWN = 20
_FIXED_SHOWN = 20
_CHANGE_SHOWN = 16
_LEAST_REASON = 24
_LEAST_WIDTH = 20
_LEVELS = {"P0": "bold red", "P1": "bold red", "P2": "bold yellow", "P3": "bold cyan"}


def print_report(report: Report, console: Console) -> None:
    """Write the report on `console`, at its width and with its colours."""
    view = overview(report)
    _header(view, console)
    for group in view.groups:
        _confirmed(group, console)
    _inconclusive(view.inconclusive, console)
    _rejected(view.rejected, console)
    _suspected(view.suspected, console)
    _uncounted(view, console)
    _skipped(view, console)
    _remarks(view, console)
    _fixed(view, console)
    _closing(view, console)


def render(report: Report) -> str:
    """The report as plain text, 100 columns wide."""
    out = io.StringIO()
    print_report(report, Console(file=out, width=100, color_system=None, force_terminal=False, legacy_windows=False))
    return out.getvalue()


def _header(view: Overview, console: Console) -> None:
    report = view.report
    counts = (
        figures.counted(report.files, "file"),
        figures.counted(len(report.findings), "suspect"),
        figures.counted(len(report.workloads), "workload"),
    )
    _line(console, (f"audit {report.target}", "bold"), (f"  {', '.join(counts)}", ""))
    for run in report.workloads:
        _workload(report, run, console)
    for note in report.notes:
        _indented(console, 2, (f"note: {note}", ""))
    if report.interrupted:
        _line(console, ("Interrupted: what follows is incomplete.", "bold red"))


def _workload(report: Report, run: WorkloadRun, console: Console) -> None:
    ended = wording.ending(run)
    wall = figures.quantity("seconds", run.wall_s, "s")
    style = "bold red" if run.failed else "dim"
    _indented(console, 2, (f"{run.workload.name}: ", ""), (run.workload.command, "dim"), (f"  {wall}, {ended}", style))
    if held_up := boundness(run):
        _indented(console, 4, (held_up, "dim"))
    if alive := alive_at_end(report, run):
        _indented(console, 4, (alive, "dim"))
    gaps = [f"{one.name}: {one.gap}" for one in run.passes if one.gap]
    for warning in (*run.warnings, *gaps, *(text for one in run.passes for text in one.warnings)):
        _indented(console, 4, (f"warning: {warning}", "yellow"))
    if run.failed:
        for line in run.last_lines:
            _indented(console, 4, (f"| {line}", "dim"))


def _confirmed(group: Group, console: Console) -> None:
    for finding in group.findings:
        console.print()
        level = group.name or "--"
        place = (location(finding), "bold"), (f"  {finding.suspect.rule}", "cyan"), (_age(finding), "dim")
        _line(console, (f"{level}  ", _LEVELS.get(level, "bold")), *place)
        _indented(console, 4, (finding.suspect.message, ""))
        _way(finding, console)
        _indented(console, 4, (finding.verdict.reason, "bold"))
        _indented(console, 4, (_prospect(finding), "green"))
        _tests(finding, console)
        _change(finding, console)


def _age(finding: Finding) -> str:
    return "  pre-existing" if finding.change is Change.PRE_EXISTING else ""


def _way(finding: Finding, console: Console) -> None:
    if words := wording.way(finding.suspect):
        _indented(console, 4, (words, "dim"))


def _tests(finding: Finding, console: Console) -> None:
    for one in finding.tests:
        _indented(console, 4, (f"run by {wording.exercise(one)}", "dim"))


def _change(finding: Finding, console: Console) -> None:
    if finding.fix is None:
        return
    _indented(console, 4, ("fix:" if finding.fix.safe else "fix (may change what the program does):", ""))
    lines = changes(finding)
    for line in lines[:_CHANGE_SHOWN]:
        style = {"+": "green", "-": "red"}.get(line[0], "dim")
        _line(console, (f"      {source_line(line)}", style))
    if len(lines) > _CHANGE_SHOWN:
        _indented(console, 6, (f"and {figures.counted(len(lines) - _CHANGE_SHOWN, 'line')} more", "dim"))


def _prospect(finding: Finding) -> str:
    bound = f"gain: at most {figures.gain(finding.gain)}" if finding.gain else "gain: not bounded by a measurement"
    if finding.effort is None:
        return bound
    complexity = "" if finding.complexity is None else f" (complexity {finding.complexity})"
    return f"{bound}, effort: {finding.effort.value}{complexity}"


def _inconclusive(findings: Sequence[Finding], console: Console) -> None:
    _heading(console, "Inconclusive", findings)
    for finding in findings:
        _line(
            console, (f"  {location(finding)}", "bold"), (f"  {finding.suspect.rule}", "cyan"), (_age(finding), "dim")
        )
        _indented(console, 4, (finding.verdict.reason, ""))
        _way(finding, console)
        _tests(finding, console)


def _rejected(findings: Sequence[Finding], console: Console) -> None:
    _heading(console, "Rejected by measurement", findings)
    shown = findings[:_REJECTED_SHOWN]
    rules = max((len(finding.suspect.rule) for finding in shown), default=0)
    for finding in shown:
        place = f"  {finding.suspect.rule:<{rules}}  {location(finding)}  "
        room = console.width - len(printable(place))
        # Places stay whole so that they can be clicked; the reason gives way, in full it is in the other formats.
        reason = _text((finding.verdict.reason, ""))
        reason.truncate(max(room, _LEAST_REASON), overflow="ellipsis")
        _line(console, (place + reason.plain, "dim"))
    _more(console, len(findings) - _REJECTED_SHOWN)


def _suspected(findings: Sequence[Finding], console: Console) -> None:
    _heading(console, "Suspected, not measured", findings)
    for finding in findings:
        _line(
            console, (f"  {location(finding)}", "bold"), (f"  {finding.suspect.rule}", "cyan"), (_age(finding), "dim")
        )
        _indented(console, 4, (finding.suspect.message, ""))
        _way(finding, console)
        for one in finding.remembered[:_REMEMBERED_SHOWN]:
            style = "dim" if one.stale else "bold" if one.kind is VerdictKind.CONFIRMED else ""
            _indented(console, 4, (f"remembered: {wording.recollection(one)}", style))


def _uncounted(view: Overview, console: Console) -> None:
    _heading(console, "Not measurable", view.not_measurable)
    for reason, count in _reasons(view.not_measurable):
        _indented(console, 2, (f"{figures.counted(count, 'suspect')}: {reason}", "dim"))
    if view.not_exercised:
        console.print()
        suspects = figures.counted(len(view.not_exercised), "suspect")
        _indented(console, 0, (f"Not exercised: no workload came to {suspects}", "dim"))


def _reasons(findings: Iterable[Finding]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.verdict.reason] = counts.get(finding.verdict.reason, 0) + 1
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))


def _skipped(view: Overview, console: Console) -> None:
    _heading(console, "Skipped", view.skipped)
    for skip in view.skipped[:_SKIPPED_SHOWN]:
        _indented(console, 2, (skip.path, ""), (f"  {skip.reason}", "dim"))
    _more(console, len(view.skipped) - _SKIPPED_SHOWN)


def _remarks(view: Overview, console: Console) -> None:
    _heading(console, "Suppressions to look at", view.remarks)
    for remark in view.remarks[:_REMARKS_SHOWN]:
        _line(console, (f"  {remark.place}  ", ""), (remark.message.removeprefix("suppression: "), "dim"))
    _more(console, len(view.remarks) - _REMARKS_SHOWN)


def _fixed(view: Overview, console: Console) -> None:
    _heading(console, "Fixed", view.report.fixed)
    for one in view.report.fixed[:_FIXED_SHOWN]:
        _line(console, (f"  {one.path} {one.symbol}  {one.rule}", "green"))
    _more(console, len(view.report.fixed) - _FIXED_SHOWN)


def _closing(view: Overview, console: Console) -> None:
    console.print()
    style = "bold red" if view.confirmed or view.report.interrupted else "bold"
    _indented(console, 0, (view.headline, style))
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
        _indented(console, 0, (", ".join(said), ""))
    rule = next((one.suspect.rule for one in (*view.confirmed, *view.inconclusive, *view.suspected)), None)
    explain = f"`audit explain {rule}` for the rule, " if rule else ""
    _indented(console, 0, (f"{explain}`--format html` for the whole report", "dim"))


# ------------------------------------------------------------------------------------------------
# Every piece of text goes through here: never as markup, never with control characters.


def _text(*pieces: tuple[str, str]) -> Text:
    return Text.assemble(*((printable(text), style) for text, style in pieces))


def _line(console: Console, *pieces: tuple[str, str]) -> None:
    """One line that is never broken, so that a place in it stays clickable."""
    console.print(_text(*pieces), soft_wrap=True)


def _indented(console: Console, columns: int, *pieces: tuple[str, str]) -> None:
    """A paragraph, wrapped, every line of it indented."""
    for line in _text(*pieces).wrap(console, max(console.width - columns, _LEAST_WIDTH)):
        line.rstrip()
        console.print(Text(" " * columns) + line, soft_wrap=True)


def _heading(console: Console, title: str, things: Sequence[object]) -> None:
    if things:
        console.print()
        _line(console, (f"{title} ({len(things):,})", "bold"))


def _more(console: Console, count: int) -> None:
    if count > 0:
        _indented(console, 2, (f"and {count:,} more: `--format html` has them all", "dim"))


REPORTER = Reporter(name="terminal", suffixes=(".txt",), render=render)
