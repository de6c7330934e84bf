"""The report as one HTML page that needs nothing else: no script, no request, no file beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import escape

from auditor.report.invocation import invocation
from auditor.report.overview import overview
from auditor.report.printable import printable
from auditor.report.prose import pieces
from auditor.report.reporter import Reporter
from auditor.report.templating import environment

if TYPE_CHECKING:
    from auditor.model import Report


def render(report: Report) -> str:
    """The summary as an HTML document."""
    template = environment(_escaped, {"prose": _prose}).get_template("summary.html.j2")
    return template.render(view=overview(report), report=report, invocation=invocation(report))


def _escaped(text: str) -> str:
    return str(escape(printable(text)))


def _prose(text: str) -> str:
    """Running text in which what stands between backticks is code."""
    return "".join(f"<code>{_escaped(part)}</code>" if is_code else _escaped(part) for is_code, part in pieces(text))


REPORTER = Reporter(name="html", suffixes=(".html", ".htm"), render=render)
