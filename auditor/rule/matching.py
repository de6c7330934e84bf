"""What a rule says of a node that it flags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor import cst


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a way: a function that is called, or at the end the call it leads to, and where it stands."""

    name: str
    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.name} ({self.path}:{self.line})"


@dataclass(frozen=True, slots=True)
class Plant:
    """Where to plant which probe."""

    probe: str
    node: cst.CSTNode


@dataclass(frozen=True, slots=True)
class Match:
    """A suspect, as a rule's check returns it. `node` is what is flagged, the triggering node if None.

    `chain` are the steps from the flagged call to what makes it suspect, if that stands elsewhere.
    """

    message: str
    plants: tuple[Plant, ...]
    node: cst.CSTNode | None = None
    chain: tuple[Step, ...] = ()
