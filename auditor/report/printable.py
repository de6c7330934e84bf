"""Text from source files and workloads, made safe to show: no control, no surrogate, no reordering of what is read."""

from __future__ import annotations

import re
import unicodedata

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_JOINERS = "\u200c\u200d"  # Persian, Indic scripts and emoji are not legible without them.


def printable(text: str) -> str:
    """`text` with terminal colours taken off and every other character that has no shape of its own as an escape.

    A right-to-left override or an ESC in a file name must not rearrange the report, a surrogate cannot be encoded.
    """
    if text.isprintable():
        return text
    return "".join(character if _has_shape(character) else _escape(character) for character in _COLOUR.sub("", text))


def source_line(text: str) -> str:
    """A line of source text, tabs as four columns, without its end of line."""
    return printable(text.rstrip("\r\n").expandtabs(4))


def _has_shape(character: str) -> bool:
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
