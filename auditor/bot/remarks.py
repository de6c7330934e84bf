"""Remarks on changed lines, with a suggestion where a safe fix touches nothing else. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk, PatchSet

from auditor.bot.change import repository_path
from auditor.bot.comment import said
from auditor.change import Block, FileChange
from auditor.model import VerdictKind
from auditor.report import markdown
from auditor.standing import Edited

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.model import Finding, Fix

MOST_REMARKS = 20
"""In one review. A reader who is told more reads nothing; the rest stands in the comment."""


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark on lines `line` to `end_line` of the new side of `path`. `key` is hidden in its text.

    `old_path` is what the file was called before the change.
    """

    path: str
    old_path: str
    line: int
    end_line: int
    text: str
    key: str


def changed_file(old: str | None, new: str | None, patch: str | None) -> Edited:
    """One file's part of the change, from its patch as the forge gives it: hunks without a header.

    A file without a patch (too large, binary) or with one that cannot be read has no blocks and no known lines.
    """
    try:
        (file,) = PatchSet(f"--- a/file\n+++ b/file\n{patch or ''}\n")
    except (UnidiffParseError, ValueError):
        return Edited(FileChange(old, new), {}, {})
    blocks = tuple(block for hunk in file for block in _blocks(hunk))
    lines = [line for hunk in file for line in hunk]
    before = {line.source_line_no: _bare(line.value) for line in lines if line.source_line_no}
    after = {line.target_line_no: _bare(line.value) for line in lines if line.target_line_no}
    return Edited(FileChange(old, new, blocks), before, after)


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


def remarks(findings: Sequence[Finding], prefix: str, files: Sequence[Edited]) -> tuple[Remark, ...]:
    """A remark for each of `findings` (worst first) that stands on an added line, MOST_REMARKS at most.

    What was audited may be another commit than the one that is shown, such as its merge with the base: a line counts
    only if it has the same text on both. One at most carries a suggestion for a given line: forges refuse a batch in
    which two change the same.
    """
    changed = {file.change.new: file for file in files if file.change.new is not None}
    found: list[Remark] = []
    suggested: set[tuple[str, int]] = set()
    for finding in findings:
        path = repository_path(finding, prefix)
        file = changed.get(path)
        line = finding.suspect.span.line
        added = {} if file is None else file.added()
        if file is None or not _is_shown(finding, added) or len(found) == MOST_REMARKS:
            continue
        block = _suggestion(finding.fix, added) if finding.fix is not None and finding.fix.safe else None
        first, last, replacement = block or (line, line, None)
        if any((path, number) in suggested for number in range(first, last + 1)):
            first, last, replacement = line, line, None
        if replacement is not None:
            suggested.update((path, number) for number in range(first, last + 1))
        key = _key(finding)
        text = _text(finding, key, replacement)
        found.append(Remark(path, file.change.old or path, first, last, text, key))
    return tuple(found)


def _key(finding: Finding) -> str:
    """A hidden mark by which the remark is found again; what a report gives as fingerprint is not to be trusted."""
    name = finding.suspect.fingerprint
    if not re.fullmatch(r"[0-9a-f]{1,64}", name):
        name = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"<!-- audit-remark {name} -->"


def _is_shown(finding: Finding, added: Mapping[int, str]) -> bool:
    line = finding.suspect.span.line
    audited = dict(finding.excerpt).get(line)
    return finding.suspect.cell is None and line in added and audited in (None, added[line])


def _bare(line: str) -> str:
    return line.rstrip("\r\n")


def _suggestion(fix: Fix, added: Mapping[int, str]) -> tuple[int, int, str] | None:
    """First and last line that the fix replaces, and the text in their place; None unless all of them were added."""
    try:
        (file,) = PatchSet(fix.diff)
    except (UnidiffParseError, ValueError):
        return None
    edited = [line for hunk in file for line in hunk if not line.is_context]
    replaced = {line.source_line_no or 0: _bare(line.value) for line in edited if line.is_removed}
    removed = list(replaced)
    if not removed or len(file) != 1 or removed != list(range(removed[0], removed[-1] + 1)):
        return None
    start = next(number for number, line in enumerate(file[0]) if not line.is_context)
    block = list(file[0])[start : start + len(edited)]
    if any(line.is_context for line in block) or not replaced.items() <= added.items():
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
    else:
        parts.append(f"How to fix it: {markdown.code(f'audit explain {finding.suspect.rule}')}")
    return "\n\n".join(parts)
