"""Questions and sessions for tests of the passes."""

from __future__ import annotations

import shlex
import sys
import threading
from pathlib import Path

from auditor.evidence.base import Outcome, Pass, Question, Session
from auditor.model import Evidence, Expectation, Gap, Site, Span, Suspect, Workload


def line_of(source: str, text: str) -> int:
    """The number of the only line that contains `text`."""
    (number,) = [number for number, line in enumerate(source.splitlines(), 1) if text in line]
    return number


def question(
    source: str,
    text: str,
    expects: Expectation,
    *,
    path: str = "work.py",
    last: str | None = None,
    function: str | None = None,
    sites: tuple[str, ...] = (),
) -> Question:
    """Ask about the line of `source` that contains `text`, up to the line that contains `last`.

    `function` is a text in the first line of the function around it, which is taken to end with the file.
    """

    def span(first: str, end: str | None = None) -> Span:
        return Span(line_of(source, first), 1, line_of(source, end or first), 80)

    whole = Span(line_of(source, function), 1, len(source.splitlines()), 80) if function is not None else None
    return Question(
        Suspect(
            rule="rule",
            path=path,
            span=span(text, last),
            symbol="work",
            message="message",
            fingerprint=text,
            sites=tuple(Site("timed", span(site)) for site in sites),
            function=whole,
        ),
        expects,
    )


def measure(
    one: Pass,
    directory: Path,
    source: str,
    *questions: Question,
    command: str | None = None,
    timeout_s: float | None = None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Run `source` as work.py under a pass, or `command` in its directory."""
    target, scratch = directory / "target", directory / "scratch"
    target.mkdir()
    scratch.mkdir()
    (target / "work.py").write_text(source)
    workload = Workload("work", command or f"{shlex.quote(sys.executable)} work.py", str(target), timeout_s)
    return one.measure(questions, Session(target, workload, scratch, stop=stop or threading.Event()))


def row(outcome: Outcome, fingerprint: str, metric: str) -> Evidence:
    """The only row of that metric."""
    rows = outcome.rows[fingerprint]
    (found,) = [one for one in rows if isinstance(one, Evidence) and one.metric == metric]
    return found


def gaps(outcome: Outcome, fingerprint: str) -> list[str]:
    """The reasons of the gaps among the rows."""
    return [one.reason for one in outcome.rows.get(fingerprint, ()) if isinstance(one, Gap)]
