"""What a change brought and what it took away: two reports compared. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.model import Evidence, Finding, Report

_COSTS = ("s", "B")


@dataclass(frozen=True, slots=True)
class Moved:
    """One figure on both sides. `differs` is True only if the 95 % intervals do not overlap."""

    finding: Finding
    before: Evidence
    after: Evidence
    differs: bool


@dataclass(frozen=True, slots=True)
class Change:
    """Findings by what the change has to do with them.

    `introduced` are those of the head that the base lacks, `fixed` those of the base that the head lacks, `kept` are on
    both sides, as the head has them. `moved` are the figures of kept findings that were measured on both sides.
    `compared` is False if there was no base, and everything then counts as introduced.
    """

    introduced: tuple[Finding, ...]
    fixed: tuple[Finding, ...]
    kept: tuple[Finding, ...]
    moved: tuple[Moved, ...]
    compared: bool


def compare(head: Report, base: Report | None, renamed: Mapping[str, str]) -> Change:
    """Match the findings of two reports. `renamed` leads from paths of the base to those of the head.

    A finding is the same if rule, symbol and flagged text are, in the same file or the file that it became. Equal ones
    within a file are matched in their order, so that of three where there were two one is introduced.
    """
    if base is None:
        return Change(head.findings, (), (), (), compared=False)
    before = _by_place(base.findings, base.prefix, renamed)
    after = _by_place(head.findings, head.prefix, {})
    introduced: list[Finding] = []
    kept: list[Finding] = []
    moved: list[Moved] = []
    for place, findings in after.items():
        others = before.pop(place, [])
        for finding, other in zip(findings, others, strict=False):
            kept.append(finding)
            moved.extend(_moved(finding, other))
        introduced.extend(findings[len(others) :])
        if len(others) > len(findings):
            before[place] = others[len(findings) :]
    fixed = [finding for findings in before.values() for finding in findings]
    return Change(_sorted(introduced), _sorted(fixed), _sorted(kept), tuple(moved), compared=True)


def repository_path(finding: Finding, prefix: str) -> str:
    """The finding's path as the repository has it."""
    return f"{prefix}/{finding.suspect.path}" if prefix else finding.suspect.path


def _by_place(
    findings: Iterable[Finding], prefix: str, renamed: Mapping[str, str]
) -> dict[tuple[str, str, str], list[Finding]]:
    def place(finding: Finding) -> tuple[str, str, str]:
        path = repository_path(finding, prefix)
        suspect = finding.suspect
        return renamed.get(path, path), suspect.rule, suspect.context.partition(":")[0] or suspect.fingerprint

    ordered = sorted(findings, key=lambda finding: (place(finding), finding.suspect.span))
    return {key: list(group) for key, group in groupby(ordered, key=place)}


def _moved(after: Finding, before: Finding) -> Iterable[Moved]:
    """The figure that a verdict rests on, where both sides have it from the same pass and workload."""
    settled = (VerdictKind.CONFIRMED, VerdictKind.REJECTED, VerdictKind.INCONCLUSIVE)
    if after.verdict.kind not in settled or before.verdict.kind not in settled:
        return
    known = {(row.metric, row.collector, row.workload): row for row in before.verdict.evidence}
    for row in after.verdict.evidence:
        other = known.get((row.metric, row.collector, row.workload))
        if other is not None and row.unit in _COSTS:
            yield Moved(after, other, row, row.low > other.high or row.high < other.low)
            return


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: (one.suspect.path, one.suspect.span, one.suspect.rule)))
