"""What a report for people is written on: a terminal with its width and colours, or plain text.

Every piece of text goes through here: never as markup, never with control characters. What draws in colours takes long
to import; plain text, as a hook or a pipe gets it, does without.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Protocol

from auditor.report.printable import printable

if TYPE_CHECKING:
    from typing import TextIO

    from rich.console import Console
    from rich.text import Text

LEAST_WIDTH = 20
_DEFAULT_WIDTH = 80
_WORD = re.compile(r"\s*\S+\s*")


class Sheet(Protocol):
    """Lines and paragraphs of (text, style); `width` is in columns."""

    width: int

    def line(self, *pieces: tuple[str, str]) -> None:
        """One line that is never broken, so that a place in it stays clickable. Without pieces an empty one."""
        ...

    def paragraph(self, columns: int, *pieces: tuple[str, str]) -> None:
        """A paragraph, wrapped, every line of it indented by so many columns."""
        ...


class Coloured:
    """A sheet that rich draws."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.width = console.width

    def line(self, *pieces: tuple[str, str]) -> None:
        """As in `Sheet`."""
        self._console.print(_text(pieces), soft_wrap=True)

    def paragraph(self, columns: int, *pieces: tuple[str, str]) -> None:
        """As in `Sheet`."""
        from rich.text import Text

        for line in _text(pieces).wrap(self._console, max(self.width - columns, LEAST_WIDTH)):
            line.rstrip()
            self._console.print(Text(" " * columns) + line, soft_wrap=True)


def _text(pieces: tuple[tuple[str, str], ...]) -> Text:
    from rich.text import Text

    return Text.assemble(*((printable(text), style) for text, style in pieces))


class Plain:
    """A sheet of plain text."""

    def __init__(self, out: TextIO, width: int) -> None:
        self._out = out
        self.width = width

    def line(self, *pieces: tuple[str, str]) -> None:
        """As in `Sheet`."""
        self._out.write(_joined(pieces) + "\n")

    def paragraph(self, columns: int, *pieces: tuple[str, str]) -> None:
        """As in `Sheet`."""
        for line in wrapped(_joined(pieces), max(self.width - columns, LEAST_WIDTH)):
            self._out.write(" " * columns + line + "\n")


def _joined(pieces: tuple[tuple[str, str], ...]) -> str:
    return "".join(printable(text) for text, _style in pieces)


def sheet(out: TextIO) -> Sheet:
    """The sheet for standard output, as rich would choose colours and width."""
    if out.isatty() or any(name in os.environ for name in ("FORCE_COLOR", "TTY_COMPATIBLE")):
        from rich.console import Console

        return Coloured(Console(file=out))
    return Plain(out, terminal_width())


def terminal_width() -> int:
    """Columns of the terminal that any of the standard streams is, else of one that is usual."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit():
        return int(columns)
    for descriptor in range(3):
        try:
            # 0 from a pseudo-terminal that nobody gave a size
            return os.get_terminal_size(descriptor).columns or _DEFAULT_WIDTH
        except (ValueError, OSError):
            continue
    return _DEFAULT_WIDTH


def shortened(text: str, width: int) -> str:
    """The text, with an ellipsis in place of what goes beyond the width."""
    if cells(text) <= width:
        return text
    if text.isascii():
        return f"{text[: width - 1]}\u2026"
    from rich.cells import set_cell_size

    return f"{set_cell_size(text, width - 1)}\u2026"


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most that width, broken between words, or within those that are longer."""
    lines, line, used = [], "", 0
    for match in _WORD.finditer(text):
        word = match[0]
        needed = cells(word.rstrip())
        if needed > width - used:
            if line:
                lines.append(line)
            *full, word = _folded(word, width) if needed > width else (word,)
            lines += full
            line, used = "", 0
        line += word
        used += cells(word)
    return [one.rstrip() for one in (*lines, line)]


def _folded(word: str, width: int) -> list[str]:
    if word.isascii():
        return [word[start : start + width] for start in range(0, len(word), width)]
    from rich.cells import chop_cells

    return chop_cells(word, width)


def cells(text: str) -> int:
    """Columns that the text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
