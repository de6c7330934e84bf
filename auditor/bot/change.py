"""What a change brought and what it took away: the reports of both sides compared. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.change import compare as compare_suspects
from auditor.model import Backlog, Fixed, Survivors, VerdictKind
from auditor.model import Change as Introduction
from auditor.model import Unflagged as Gone
from auditor.standing import Edited, Standing, code_of

if TYPE_CHECKING:
    from auditor.model import Evidence, Finding, Report, Suspect

_COSTS = ("s", "B")
_SETTLED = (VerdictKind.CONFIRMED, VerdictKind.REJECTED, VerdictKind.INCONCLUSIVE)

PACE = 1.25
"""How far times of single runs may be apart for no other reason than the machine, whose pace their intervals lack."""

PACE_OF_ONE = 2.0
"""The same where one instrument alone measured it, so that no other can contradict."""

ARENAS_B = 4 * 2**20
"""What may be charged to a line by luck: small objects live in arenas of 1 MiB, and the line that needs one pays."""

_ENOUGH_RUNS = 3


@dataclass(frozen=True, slots=True)
class Moved:
    """One figure on both sides. `differs` is True only if whatever measured it on both sides agrees that it is another.

    That is, if the 95 % intervals do not overlap; of times that were not measured in several runs, not by PACE either,
    and of memory not by ARENAS_B.
    """

    finding: Finding
    before: Evidence
    after: Evidence
    differs: bool


@dataclass(frozen=True, slots=True)
class Unflagged:
    """A finding of the base that the head lacks, though its code stands there: at `stands`, "path:line"."""

    finding: Finding
    stands: str


@dataclass(frozen=True, slots=True)
class Change:
    """Findings by what the change has to do with them, all but those that a comment in the source sets aside.

    `introduced` are those of the head that the base lacks, `fixed` those of the base that the head lacks, `kept`
    are on both sides, as the head has them; nothing shows that the `unflagged`, which the head lacks, are fixed.
    `moved` are the figures of kept findings that were measured on both sides. `compared` is False if there was no
    base, and everything then counts as introduced.
    """

    introduced: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    kept: tuple[Finding, ...]
    moved: tuple[Moved, ...]
    compared: bool
    unflagged: tuple[Unflagged, ...] = ()


def compare(head: Report, base: Report | None, files: Sequence[Edited]) -> Change:
    """Match the findings of two reports as `auditor.change` matches suspects; `files` is what the change touches.

    Where the head was audited with `--diff`, its report has nothing of other files but what the change did to them.
    """
    after = {one.suspect.fingerprint: one for one in head.findings if one.suppressed is None}
    if base is None:
        return Change(tuple(after.values()), (), (), (), compared=False)
    # what a baseline knows, or a change did not touch, was there before all the same
    known = (*base.findings, *base.set_aside)
    before = {one.suspect.fingerprint: one for one in known if one.suppressed is None}
    # what is in the baseline, or not touched by the change, asks for nothing, but it is there
    aside = {one.suspect.fingerprint: one for one in head.set_aside}
    there = _suspects({**aside, **after}.values(), head.prefix)
    changes = [file.change for file in files]
    found = compare_suspects(
        _suspects(before.values(), base.prefix), there, changes, code=(_code(before), _code({**aside, **after}))
    )
    gone = list(filter(_looked_at(head, files), found.fixed))
    flagged = {(one.path, one.span.line, one.rule): one.fingerprint in found.introduced for one in there}
    stands = _standing(gone, before, files, flagged)
    pairs = [(before[old.fingerprint], after[new.fingerprint]) for old, new in found.pairs if new.fingerprint in after]
    return Change(
        introduced=tuple(one for name, one in after.items() if name in found.introduced),
        fixed=tuple(before[one.fingerprint] for one in gone if one.fingerprint not in stands),
        kept=tuple(one for name, one in after.items() if name not in found.introduced),
        moved=tuple(moved for old, new in pairs for moved in _moved(new, old, _repeated(head) & _repeated(base))),
        compared=True,
        unflagged=tuple(Unflagged(before[name], place) for name, place in stands.items()),
    )


def held_against(head: Report, base: Report, files: Sequence[Edited]) -> Report:
    """The head's report with nothing but what it introduced; what was there is set aside, and what is gone named."""
    change = compare(head, base, files)
    new = {one.suspect.fingerprint for one in change.introduced}
    marked = [
        replace(one, change=Introduction.INTRODUCED if one.suspect.fingerprint in new else Introduction.PRE_EXISTING)
        for one in head.findings
    ]
    return replace(
        head,
        findings=tuple(one for one in marked if one.change is Introduction.INTRODUCED),
        set_aside=(*(one for one in marked if one.change is not Introduction.INTRODUCED), *head.set_aside),
        fixed=tuple(Fixed(*_name(one)) for one in change.fixed),
        unflagged=tuple(Gone(*_name(one.finding), one.stands) for one in change.unflagged),
    )


def _name(finding: Finding) -> tuple[str, str, str, str]:
    suspect = finding.suspect
    return suspect.rule, suspect.path, suspect.symbol, suspect.message


def _standing(
    gone: Sequence[Suspect],
    before: Mapping[str, Finding],
    files: Sequence[Edited],
    flagged: Mapping[tuple[str, int, str], bool],
) -> dict[str, str]:
    """Where the code of those that are gone stands now, by fingerprint; all are gone for good if no file is known."""
    if not gone or not files:
        return {}
    from auditor.catalog import bundled_rules

    lasting = [rule.id for rule in bundled_rules() if isinstance(rule.expects, Backlog | Survivors)]
    standing = Standing(files, lasting, flagged)
    code = _code(before)
    places = {one.fingerprint: standing.place(one, code(one)) for one in gone}
    return {name: place for name, place in places.items() if place is not None}


def _code(findings: Mapping[str, Finding]) -> Callable[[Suspect], str]:
    return lambda one: code_of(one, dict(findings[one.fingerprint].excerpt))


def _looked_at(head: Report, files: Sequence[Edited]) -> Callable[[Suspect], bool]:
    """Whether the audit of the head would tell a suspect, if it were still there, or says that it is gone."""
    if not any(word == "--diff" or word.startswith("--diff=") for word in head.command.split()):
        return lambda _: True
    changed = {file.change.old for file in files}
    told: tuple[Fixed | Gone, ...] = (*head.fixed, *head.unflagged)
    gone = {(one.rule, _in_repository(one.path, head.prefix), one.symbol, one.message) for one in told}
    return lambda one: one.path in changed or (one.rule, one.path, one.symbol, one.message) in gone


def repository_path(finding: Finding, prefix: str) -> str:
    """The finding's path as the repository has it."""
    return _in_repository(finding.suspect.path, prefix)


def _in_repository(path: str, prefix: str) -> str:
    return f"{prefix}/{path}" if prefix else path


def _suspects(findings: Iterable[Finding], prefix: str) -> list[Suspect]:
    return [replace(one.suspect, path=repository_path(one, prefix)) for one in findings]


def _repeated(report: Report) -> set[str]:
    """The workloads whose figures are of several runs, so that their intervals know how these differ."""
    counts: Counter[tuple[str, str, int | None]] = Counter()
    for run in report.workloads:
        counts.update((run.workload.name, one.name, one.size) for one in run.passes if one.gap is None)
    return {name for (name, one, _size), count in counts.items() if one == "probes" and count >= _ENOUGH_RUNS}


def _moved(after: Finding, before: Finding, repeated: set[str]) -> Iterable[Moved]:
    """The cost that most instruments measured on both sides under the same workload, of several the first.

    What was rejected on both sides costs nothing worth telling, before and after.
    """
    kinds = {after.verdict.kind, before.verdict.kind}
    if not kinds <= set(_SETTLED) or kinds == {VerdictKind.REJECTED}:
        return
    known, now = _by_key(before), _by_key(after)
    rows = [row for row in after.verdict.evidence if row.unit in _COSTS]
    pairs = [(known[key], row) for row in rows if (key := _key(row)) in known]
    if not pairs:
        return
    instruments = Counter((row.metric, row.workload) for _old, row in pairs)
    first = max((row for _old, row in pairs), key=lambda row: instruments[row.metric, row.workload])
    same = [pair for pair in pairs if (pair[1].metric, pair[1].workload) == (first.metric, first.workload)]
    pace = 1.0
    if first.unit == "s" and first.workload not in repeated:
        pace = PACE if len(same) > 1 else PACE_OF_ONE
    margin = ARENAS_B if first.unit == "B" else 0.0
    ways = {_way(old, new, pace, margin) for old, new in same}
    # another pace of the machine moves all of a run alike: a cost that moved is another part of its run, too
    shares = [_key(row, _share_of(row)) for _old, row in same if row.unit == "s"]
    ways |= {_way(known[key], now[key], 1.0, 0.0) for key in shares if key in known and key in now}
    yield Moved(after, *same[0], differs=len(ways) == 1 and 0 not in ways)


def _by_key(finding: Finding) -> dict[tuple[str, str, str], Evidence]:
    return {_key(row): row for row in finding.verdict.evidence}


def _key(row: Evidence, metric: str = "") -> tuple[str, str, str]:
    return metric or row.metric, row.collector, row.workload


def _share_of(row: Evidence) -> str:
    """The metric that says what part of the run a metric in seconds is."""
    return "share" if row.metric == "seconds" else f"{row.metric.removesuffix('_seconds')}_share"


def _way(before: Evidence, after: Evidence, pace: float, margin: float) -> int:
    """1 if it surely rose, -1 if it surely fell, else 0."""
    if after.low > before.high * pace + margin:
        return 1
    return -1 if after.high * pace + margin < before.low else 0
