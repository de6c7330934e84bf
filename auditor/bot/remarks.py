"""Remarks on changed lines, with a suggestion where a safe fix touches nothing else. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk, PatchSet

from auditor.bot.change import repository_path
from auditor.bot.comment import said
from auditor.change import Block, FileChange
from auditor.model import VerdictKind
from auditor.records import dataclass
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


def file_change(old: str | None, new: str | None, patch: str | None) -> FileChange:
    """One file's part of the change, from its patch as the forge gives it: hunks without a header.

    A file without a patch (too large, binary) or with one that cannot be read has no blocks.
    """
    try:
        (file,) = PatchSet(f"--- a/{old}\n+++ b/{new}\n{patch or ''}\n")
    except (UnidiffParseError, ValueError):
        return FileChange(old, new)
    return FileChange(old, new, tuple(block for hunk in file for block in _blocks(hunk)))


def _blocks(hunk: Hunk) -> Iterator[Block]:
    """The stretches of a hunk that differ."""
    old, new = hunk.source_start, hunk.target_start
    for differs, lines in groupby(hunk, key=lambda line: not line.is_context):
        group = list(lines)
        old_end = old + sum(not line.is_added for line in group)
        new_end = new + sum(not line.is_removed for line in group)
        if differs:
            yield Block(old, old_end, new, new_end)
        old, new = old_end, new_end


def remarks(findings: Sequence[Finding], prefix: str, files: Sequence[FileChange]) -> tuple[Remark, ...]:
    """A remark for each of `findings` (worst first) that stands on a changed line, MOST_REMARKS at most.

    One at most carries a suggestion for a given line: forges refuse a batch in which two change the same.
    """
    changed = {file.new: _new_lines(file) for file in files if file.new is not None}
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


def _new_lines(file: FileChange) -> frozenset[int]:
    return frozenset(line for block in file.blocks for line in range(block.new_first, block.new_end))


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
