"""The one comment on a pull request: the verdicts of the change. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from auditor.bot.change import Change, Moved, Unflagged, repository_path
from auditor.model import VerdictKind, ended
from auditor.report import figures, markdown
from auditor.report.templating import environment

if TYPE_CHECKING:
    from auditor.model import Finding, Report, WorkloadRun

MOST_CHARACTERS = 65_536
"""GitHub answers a longer body with 422, and the whole comment is lost."""

_LIMITS = (100, 50, 20, 10, 5, 2, 1)
_WORST_FIRST = (
    VerdictKind.CONFIRMED,
    VerdictKind.INCONCLUSIVE,
    VerdictKind.SUSPECTED,
    VerdictKind.NOT_MEASURABLE,
    VerdictKind.NOT_EXERCISED,
    VerdictKind.REJECTED,
)
_OPEN = frozenset(_WORST_FIRST[:3])
_UNSEEN = frozenset(_WORST_FIRST[3:5])
_CUT = "\n\n*The rest was cut: a comment holds no more.*\n"
_SAFE_LINK = re.compile(r"https?://[^\s()<>\"'`\\]+")


@dataclass(frozen=True, slots=True)
class Subject:
    """What the comment is about. `sha` is the head's, `base` that of what it is compared with, or "" if not known.

    `link` leads to the whole report or is "".

    `order` grows from run to run of the same pull request; a comment of a later run is never overwritten by an earlier.
    """

    sha: str
    order: int
    link: str = ""
    base: str = ""


@dataclass(frozen=True, slots=True)
class _View:
    compared: bool
    head: Report
    base: Report | None
    open: tuple[Finding, ...]
    rejected: tuple[Finding, ...]
    unseen: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    gone: tuple[Finding, ...]
    kept: tuple[Finding, ...]
    moved: tuple[Moved, ...]
    same: tuple[Moved, ...]
    failed: tuple[WorkloadRun, ...]
    unflagged: tuple[Unflagged, ...]


def order_of(body: str) -> int | None:
    """The order of the run that wrote `body`; None if it is not audit's comment."""
    match = re.match(r"<!-- audit-comment (\d{1,18}) [0-9a-f]* -->", body)
    return int(match[1]) if match else None


def is_worth_saying(change: Change) -> bool:
    """Whether a pull request that has no comment yet should get one."""
    return bool(open_ones(change) or fixed_ones(change) or any(one.differs for one in change.moved))


def open_ones(change: Change) -> tuple[Finding, ...]:
    """Introduced findings that ask for a look, worst first: confirmed, inconclusive, suspected."""
    return tuple(one for one in _worst_first(change.introduced) if one.verdict.kind in _OPEN)


def fixed_ones(change: Change) -> tuple[Finding, ...]:
    """Findings that are gone, worst first, but for those that were harmless anyway."""
    return tuple(one for one in _worst_first(change.fixed) if one.verdict.kind is not VerdictKind.REJECTED)


def unflagged_ones(change: Change) -> tuple[Unflagged, ...]:
    """Findings that are gone though their code is not, but for those that were harmless anyway."""
    found = {one.finding: one for one in change.unflagged if one.finding.verdict.kind is not VerdictKind.REJECTED}
    return tuple(found[one] for one in _worst_first(tuple(found)))


def body(change: Change, head: Report, base: Report | None, subject: Subject) -> str:
    """The comment in GitHub's and GitLab's Markdown, at most MOST_CHARACTERS long; what is left out is said."""
    view = _View(
        compared=change.compared,
        head=head,
        base=base,
        open=open_ones(change),
        rejected=_of(change.introduced, {VerdictKind.REJECTED}),
        unseen=_of(change.introduced, _UNSEEN),
        fixed=fixed_ones(change),
        gone=_of(change.fixed, {VerdictKind.REJECTED}),
        kept=_worst_first(change.kept),
        moved=tuple(one for one in change.moved if one.differs),
        same=tuple(one for one in change.moved if not one.differs),
        failed=tuple(run for run in head.workloads if run.failed),
        unflagged=unflagged_ones(change),
    )
    text = ""
    for limit in _LIMITS:
        text = _render(view, subject, limit)
        if len(text) <= MOST_CHARACTERS:
            return text
    return text[: MOST_CHARACTERS - len(_CUT)].rpartition("\n")[0] + _CUT


def headline(change: Change, head: Report) -> str:
    """One line: what the change introduced and fixed, and whether that is all there is to say."""
    confirmed = sum(one.verdict.kind is VerdictKind.CONFIRMED for one in change.introduced)
    others = len(open_ones(change)) - confirmed
    slower = sum(one.differs and one.after.value > one.before.value for one in change.moved)
    faster = sum(one.differs and one.after.value < one.before.value for one in change.moved)
    introduced = "introduced" if change.compared else "found"
    parts = [
        f"{confirmed:,} confirmed {introduced}" if confirmed else "",
        f"{others:,} unproven {introduced}" if others else "",
        f"{len(fixed):,} fixed" if (fixed := fixed_ones(change)) else "",
        f"{len(lost):,} no longer flagged" if (lost := unflagged_ones(change)) else "",
        f"{slower:,} costlier" if slower else "",
        f"{faster:,} cheaper" if faster else "",
    ]
    failed = any(run.failed for run in head.workloads)
    judged = " by what could be judged: the workload failed" if failed else ""
    return (", ".join(part for part in parts if part) or "nothing introduced") + judged


def said(finding: Finding) -> str:
    """What is to be said of a finding in one cell: why its verdict is so, or the suspicion where there is none."""
    suspected = finding.verdict.kind is VerdictKind.SUSPECTED
    return finding.suspect.message if suspected else finding.verdict.reason or finding.suspect.message


def _render(view: _View, subject: Subject, limit: int) -> str:
    def place(finding: Finding, *, old: bool = False) -> Markup:
        side = view.base if old and view.base is not None else view.head
        path = repository_path(finding, side.prefix)
        return Markup(markdown.code(f"{path}:{finding.suspect.span.line}"))

    change = Change(view.open, view.fixed, view.kept, view.moved, view.compared, view.unflagged)
    template = environment(markdown.text, {"code": markdown.code, "prose": markdown.prose}).get_template(
        "comment.md.j2"
    )
    text = template.render(
        view=view,
        limit=limit,
        headline=headline(change, view.head),
        marker=Markup(f"<!-- audit-comment {subject.order} {_hex(subject.sha)} -->"),
        link=Markup(subject.link) if _SAFE_LINK.fullmatch(subject.link) else "",
        revision=Markup(_revision(subject, view.base)),
        place=place,
        tilde=Markup("~"),
        said=said,
        verdict=_verdict,
        machine=_machine,
        ended=ended,
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def _revision(subject: Subject, compared: Report | None) -> str:
    # the event of a job that comments for forks names no base, and a branch goes on while a job runs
    sha, base = _hex(subject.sha)[:12], _hex((compared and compared.commit) or subject.base)[:12]
    if not sha:
        return ""
    return f"Commit {sha}, compared with {base}." if compared is not None and base else f"Commit {sha}."


def _verdict(finding: Finding) -> str:
    kind = finding.verdict.kind.value.replace("-", " ")
    return f"{finding.priority.value} {kind}" if finding.priority else kind


def _machine(report: Report) -> str:
    machine = report.machine
    return f"{machine.python} on {machine.platform}, {figures.counted(machine.cores, 'core')}"


def _of(findings: tuple[Finding, ...], kinds: frozenset[VerdictKind] | set[VerdictKind]) -> tuple[Finding, ...]:
    return tuple(one for one in _worst_first(findings) if one.verdict.kind in kinds)


def _worst_first(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    def rank(finding: Finding) -> tuple[object, ...]:
        suspect = finding.suspect
        level = finding.priority.value if finding.priority else "unranked"
        return _WORST_FIRST.index(finding.verdict.kind), level, suspect.path, suspect.span, suspect.rule

    return tuple(sorted(findings, key=rank))


def _hex(text: str) -> str:
    return re.sub(r"[^0-9a-f]", "", text.lower())[:40]
