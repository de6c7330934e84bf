"""What a scan finds, and what it leaves out."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.model.basics import Span


@dataclass(frozen=True, slots=True)
class Site:
    """A node at which the named probe is planted; `span` is exactly the node's."""

    probe: str
    span: Span


@dataclass(frozen=True, slots=True)
class Suspect:
    """A place that a rule wants measured. `path` is relative to the target, in POSIX form.

    In a notebook, `cell` is the number of the cell among all cells, from 1, and every span counts lines from its start.
    `context` names the place by rule, symbol and flagged text, and which of its equals in the file it is ("hash:2"):
    the same wherever the file lies, whatever moves above the place, and from whichever directory the audit starts.
    """

    rule: str
    path: str
    span: Span
    symbol: str
    message: str
    fingerprint: str
    sites: tuple[Site, ...]
    function: Span | None = None
    chain: tuple[str, ...] = ()
    context: str = ""
    cell: int | None = None

    @property
    def place(self) -> str:
        """`path:line`, or `path:cell 3:line 5` in a notebook."""
        cell = "" if self.cell is None else f"cell {self.cell}:line "
        return f"{self.path}:{cell}{self.span.line}"


@dataclass(frozen=True, slots=True)
class Skip:
    """A file that was left out of the audit, or a rule left out on one file, and why.

    `failed` means that the user asked for just this, and nothing of it could be read.
    """

    path: str
    reason: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment that sets findings of these rules aside on the lines `first` to `last`; 0 to 0 if it is about none.

    In a notebook, lines count from the start of `cell`.
    """

    path: str
    line: int
    column: int
    rules: tuple[str, ...]
    reason: str
    cell: int | None = None
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the source that is no finding, but wants putting right: a suppression that does nothing."""

    path: str
    line: int
    column: int
    message: str
    cell: int | None = None

    @property
    def place(self) -> str:
        """`path:line:column`, or `path:cell 3:line 5` in a notebook."""
        return (
            f"{self.path}:{self.line}:{self.column}"
            if self.cell is None
            else f"{self.path}:cell {self.cell}:line {self.line}"
        )
