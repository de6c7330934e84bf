"""A check run: conclusion, summary and annotations of a change. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.bot.change import Change, repository_path
from auditor.bot.comment import headline, open_ones, said
from auditor.model import VerdictKind
from auditor.report.printable import printable

if TYPE_CHECKING:
    from auditor.model import Finding, Report

MOST_CHARACTERS = 65_535
"""Of a check run's summary, as GitHub documents it."""

MOST_ANNOTATIONS = 50
"""In one request; further ones are appended by further requests."""

_MOST_MARKED = 500
"""Of ten thousand, nobody reads the rest; and a token has a thousand requests an hour for the whole repository."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A line of the head that is marked. `level` is "failure", "warning" or "notice"."""

    path: str
    line: int
    end_line: int
    level: str
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class Check:
    """`conclusion` is "failure", "neutral" or "success". `unmarked` findings have no annotation, for their number."""

    conclusion: str
    title: str
    summary: str
    annotations: tuple[Annotation, ...]
    unmarked: int = 0

    @property
    def said(self) -> str:
        """What is to be logged of it."""
        return f"{self.conclusion}, {self.unmarked:,} more lines not marked" if self.unmarked else self.conclusion

    def batches(self) -> Iterator[tuple[Annotation, ...]]:
        """The annotations in portions of MOST_ANNOTATIONS; one empty portion if there are none."""
        for start in range(0, max(1, len(self.annotations)), MOST_ANNOTATIONS):
            yield self.annotations[start : start + MOST_ANNOTATIONS]


def check(change: Change, head: Report, summary: str) -> Check:
    """Failure if the change introduced something confirmed, neutral if something unproven, success otherwise.

    A workload that failed proves nothing, so it is never a success.
    """
    found = open_ones(change)
    if any(one.verdict.kind is VerdictKind.CONFIRMED for one in found):
        conclusion = "failure"
    elif found or head.interrupted or any(run.failed for run in head.workloads):
        conclusion = "neutral"
    else:
        conclusion = "success"
    cut = "\n\n*The rest was cut.*"
    if len(summary) > MOST_CHARACTERS:
        summary = summary[: MOST_CHARACTERS - len(cut)] + cut
    marked = _annotations(found[:_MOST_MARKED], head.prefix)
    return Check(conclusion, headline(change, head), summary, marked, unmarked=len(found) - len(marked))


def _annotations(findings: Sequence[Finding], prefix: str) -> tuple[Annotation, ...]:
    return tuple(
        Annotation(
            path=repository_path(one, prefix),
            line=one.suspect.span.line,
            end_line=max(one.suspect.span.line, one.suspect.span.end_line),
            level="failure" if one.verdict.kind is VerdictKind.CONFIRMED else "notice",
            title=printable(f"{one.verdict.kind.value}: {one.suspect.rule}"),
            message=printable(one.suspect.message if said(one) == one.suspect.message else _both(one)),
        )
        for one in findings
    )


def _both(finding: Finding) -> str:
    return f"{finding.suspect.message}. {said(finding)}"
