"""Text that no Markdown renderer takes for anything but text.

What is quoted here comes from source files, file names and the output of programs: it must not become a heading, a
table, a link, an image, HTML, a mention, a command or the end of a code block. The dialects are GitHub's and GitLab's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.report.printable import printable
from auditor.report.prose import pieces

if TYPE_CHECKING:
    from collections.abc import Iterable

# An invisible break: what forges look for (mentions, issue numbers, bare links) is then no longer there.
_BREAK = "&#8203;"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "\\": "&#92;", "`": "&#96;", "$": "&#36;"}
_SPECIAL = re.compile(
    r"""
    (?P<entity> [&<>|\\`$] )
    | (?P<inline> [*\[\]~] | (?<![A-Za-z0-9])_ | _(?![A-Za-z0-9]) )  # An underscore inside a word is no emphasis.
    | (?P<linked> @ | [\#!%](?=\d) | :(?=//) | (?<=\b[wW]{3})\. | (?<=\b[gG][hH])-(?=\d)
    | (?<=\bmailto): | (?<=\bxmpp): )
    """,
    re.VERBOSE,
)
# A slash there is a command to GitLab, which it carries out in the name of whoever wrote the note.
_AT_START = re.compile(r"^(\s*)([-+=/]|#+(?=\s|$))")
_NUMBERED = re.compile(r"^(\s*\d+)([.)])(?=\s|$)")
_PLAIN_CODE = re.compile(r"[^`|\s]([^`|]*[^`|\s])?")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def text(value: str) -> str:
    """`value` as running text."""
    escaped = _SPECIAL.sub(_defused, printable(value))
    return _NUMBERED.sub(r"\1\\\2", _AT_START.sub(r"\1\\\2", escaped))


def code(value: str) -> str:
    """`value` as code within a line or a table cell; as backticks where they can hold it, else as entities."""
    shown = printable(value)
    if _PLAIN_CODE.fullmatch(shown):
        return f"`{shown}`"
    return f"<code>{_PUNCTUATION.sub(lambda match: f'&#{ord(match.group())};', shown)}</code>"


def prose(value: str) -> str:
    """`value` as running text in which what stands between backticks is code."""
    return "".join(code(part) if is_code else text(part) for is_code, part in pieces(value))


def fence(lines: Iterable[str]) -> str:
    """A fence that none of `lines` can close."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    return "`" * max(3, longest + 1)


def _defused(match: re.Match[str]) -> str:
    sign = match.group()
    if match["entity"]:
        return _ENTITIES[sign]
    return f"\\{sign}" if match["inline"] else f"{sign}{_BREAK}"
