"""The report as Markdown: an executive summary for pull requests, wikis and mail. Long lists are cut, visibly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from auditor.report import markdown
from auditor.report.invocation import invocation
from auditor.report.overview import changes, flagged, overview
from auditor.report.printable import source_line
from auditor.report.reporter import Reporter
from auditor.report.templating import environment

if TYPE_CHECKING:
    from auditor.model import Finding, Report

_SHOWN = 25


def render(report: Report) -> str:
    """The summary as Markdown."""
    filters = {"code": markdown.code, "prose": markdown.prose}
    template = environment(markdown.text, filters).get_template("summary.md.j2")
    blocks = {"block": _block, "change_block": _change_block, "lines_block": _lines_block}
    return template.render(view=overview(report), report=report, invocation=invocation(report), limit=_SHOWN, **blocks)


def _block(finding: Finding) -> Markup:
    """The excerpt as a code block with line numbers, flagged lines marked."""
    width = len(str(max(line for line, _ in finding.excerpt)))
    lines = [
        f"{'>' if flagged(finding, line) else ' '} {line:>{width}} | {source_line(text)}".rstrip()
        for line, text in finding.excerpt
    ]
    return _fenced(lines, "python")


def _change_block(finding: Finding) -> Markup:
    """The fix as a diff without headers."""
    return _fenced([source_line(line).rstrip() for line in changes(finding)], "diff")


def _lines_block(lines: tuple[str, ...]) -> Markup:
    """Output of a program as a code block."""
    return _fenced([source_line(line) for line in lines], "text")


def _fenced(lines: list[str], language: str) -> Markup:
    fence = markdown.fence(lines)
    return Markup("\n".join([f"{fence}{language}", *lines, fence]))


REPORTER = Reporter(name="markdown", suffixes=(".md", ".markdown"), render=render)
