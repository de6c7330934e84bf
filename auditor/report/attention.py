"""Which findings ask for attention, how much of it, and in which words: the same for every tool."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from auditor.model import Priority, VerdictKind
from auditor.report import figures, wording
from auditor.report.overview import overview
from auditor.report.printable import printable

if TYPE_CHECKING:
    from auditor.model import Finding, Fix, Report

MESSAGE_LENGTH = 4000
"""Characters that a message has at most: tools refuse longer ones, or leave them to the reader to scroll."""

_OMITTED = " [...]"
_REMEMBERED_SHOWN = 2


class Level(StrEnum):
    """How loud a finding is, by SARIF's names."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


def open_findings(report: Report) -> tuple[Finding, ...]:
    """All that are not rejected, the worst first."""
    view = overview(report)
    return (*view.confirmed, *view.inconclusive, *view.suspected, *view.not_measurable, *view.not_exercised)


def level(finding: Finding) -> Level:
    """Confirmed P0 and P1 are errors, other confirmed ones but P3 warnings; what is not proven is worth a note."""
    if finding.verdict.kind is not VerdictKind.CONFIRMED or finding.priority is Priority.P3:
        return Level.NOTE
    return Level.ERROR if finding.priority in (Priority.P0, Priority.P1) else Level.WARNING


def message(finding: Finding) -> str:
    """What is suspected, what the evidence says of it, now or remembered, and what could be gained; a line each."""
    kind = finding.verdict.kind.value.replace("-", " ").capitalize()
    said = f"{kind}: {finding.verdict.reason}" if finding.verdict.reason else f"{kind}."
    # other tools see a notebook as the file that it is, in which nobody looks for lines
    cell = "" if finding.suspect.cell is None else f"Cell {finding.suspect.cell}, line {finding.suspect.span.line}: "
    lines = [cell + finding.suspect.message, said]
    if finding.verdict.kind is VerdictKind.SUSPECTED:
        lines += (f"Remembered: {wording.recollection(one)}" for one in finding.remembered[:_REMEMBERED_SHOWN])
    if finding.gain is not None:
        lines.append(f"Gain: {figures.gain(finding.gain)} for the whole workload if it cost nothing.")
    return "\n".join(cut(printable(line)) for line in lines)


def title(finding: Finding) -> str:
    """Rule and verdict in a few words: "list-pop-front: confirmed, P1"."""
    ranked = f", {finding.priority.value}" if finding.priority else ""
    return printable(f"{finding.suspect.rule}: {finding.verdict.kind.value.replace('-', ' ')}{ranked}")


def is_offered(fix: Fix) -> bool:
    """Whether the fix can be handed on as it is: text without a shape may not be, and escaped it is another fix."""
    lines = [line for edit in fix.edits for line in edit.text.replace("\t", " ").split("\n")]
    return bool(fix.edits) and all(printable(line) == line for line in lines)


def cut(text: str) -> str:
    """`text` in at most `MESSAGE_LENGTH` characters; that something is missing shows."""
    return text if len(text) <= MESSAGE_LENGTH else text[: MESSAGE_LENGTH - len(_OMITTED)] + _OMITTED
