"""Remarks on changed lines, with a suggestion where a safe fix touches nothing else. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

from auditor.bot.change import repository_path
from auditor.bot.comment import said
from auditor.model import VerdictKind
from auditor.report import markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.model import Finding, Fix

MOST_REMARKS = 20
"""In one review. A reader who is told more reads nothing; the rest stands in the comment."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark on lines `line` to `end_line` of the new side of `path`. `key` is hidden in its text."""

    path: str
    line: int
    end_line: int
    text: str
    key: str


def changed_lines(patches: Mapping[str, str | None]) -> dict[str, frozenset[int]]:
    """Lines added or changed on the new side, by path, from each file's patch as the forge gives it.

    A file without a patch (too large, binary) or with one that cannot be read has none.
    """
    return {path: _added(path, patch) for path, patch in patches.items() if patch}


def remarks(findings: Sequence[Finding], prefix: str, changed: Mapping[str, Collection[int]]) -> tuple[Remark, ...]:
    """A remark for each of `findings` (worst first) that stands on a changed line, MOST_REMARKS at most.

    One at most carries a suggestion for a given line: forges refuse a batch in which two change the same.
    """
    found: list[Remark] = []
    suggested: set[tuple[str, int]] = set()
    for finding in findings:
        path = repository_path(finding, prefix)
        lines = changed.get(path, ())
        line = finding.suspect.span.line
        if line not in lines or len(found) == MOST_REMARKS:
            continue
        block = _suggestion(finding.fix, lines) if finding.fix is not None and finding.fix.safe else None
        first, last, replacement = block or (line, line, None)
        if any((path, number) in suggested for number in range(first, last + 1)):
            first, last, replacement = line, line, None
        if replacement is not None:
            suggested.update((path, number) for number in range(first, last + 1))
        key = f"<!-- audit-remark {finding.suspect.fingerprint} -->"
        found.append(Remark(path, first, last, _text(finding, key, replacement), key))
    return tuple(found)


def _added(path: str, patch: str) -> frozenset[int]:
    header = f"--- a/{path}\n+++ b/{path}\n"
    try:
        (file,) = PatchSet(header + patch + "\n")
    except (UnidiffParseError, ValueError):
        return frozenset()
    return frozenset(line.target_line_no or 0 for hunk in file for line in hunk if line.is_added)


def _suggestion(fix: Fix, changed: Collection[int]) -> tuple[int, int, str] | None:
    """First and last line that the fix replaces, and the text in their place; None unless all of them were changed."""
    try:
        (file,) = PatchSet(fix.diff)
    except (UnidiffParseError, ValueError):
        return None
    edited = [line for hunk in file for line in hunk if not line.is_context]
    removed = [line.source_line_no or 0 for line in edited if line.is_removed]
    if not removed or len(file) != 1 or removed != list(range(removed[0], removed[-1] + 1)):
        return None
    start = next(number for number, line in enumerate(file[0]) if not line.is_context)
    block = list(file[0])[start : start + len(edited)]
    if any(line.is_context for line in block) or not set(removed) <= set(changed):
        return None
    return removed[0], removed[-1], "".join(line.value for line in edited if line.is_added).rstrip("\n")


def _text(finding: Finding, key: str, replacement: str | None) -> str:
    kind = finding.verdict.kind
    verdict = kind.value.replace("-", " ") if kind is not VerdictKind.SUSPECTED else "suspected, not measured"
    parts = [f"{key}\n**{verdict}**: {markdown.code(finding.suspect.rule)}", markdown.prose(finding.suspect.message)]
    if said(finding) != finding.suspect.message:
        parts.append(markdown.prose(said(finding)))
    if replacement is not None:
        fence = markdown.fence(replacement.splitlines())
        parts.append(f"{fence}suggestion\n{replacement}\n{fence}")
    return "\n\n".join(parts)
