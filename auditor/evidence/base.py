"""What a measuring pass is: a plug-in that runs a workload once and turns what it saw into evidence."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from auditor.model import Census, Evidence, Exercise, Expectation, Gap, PassRun, Standstill, Suspect, Waits, Workload


@dataclass(frozen=True, slots=True)
class Question:
    """A suspect, and what its rule expects to be measured."""

    suspect: Suspect
    expects: Expectation


@dataclass(frozen=True, slots=True)
class Session:
    """What every pass of one workload shares.

    target: absolute directory that suspects' paths are relative to.
    scratch: an empty directory of this audit's own, outside the project, removed afterwards.
    stdin: file replayed to every run's standard input, or None for an empty one.
    stop: set when the user interrupts; a pass then ends its children and returns what it has.
    plain_wall_s: wall time of the plain run, None while that is being made.
    """

    target: Path
    workload: Workload
    scratch: Path
    stdin: Path | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    plain_wall_s: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one pass delivered: how its run went, and by suspect fingerprint its rows and the tests that ran it.

    `beyond` says which processes the pass could not look into, "" if there is none known. `pythons` are the versions
    of those it reached, as in "3.11". `busiest` are lines below event loops, with seconds. `waits`: of main threads for
    others.
    """

    run: PassRun
    rows: Mapping[str, tuple[Evidence | Gap, ...]] = field(default_factory=dict)
    last_lines: tuple[str, ...] = ()
    tests: Mapping[str, Exercise] = field(default_factory=dict)
    beyond: str = ""
    census: Census | None = None
    standstill: Standstill | None = None
    busiest: tuple[tuple[str, float], ...] = ()
    waits: Waits | None = None
    pythons: tuple[str, ...] = ()


class Pass(Protocol):
    """One way to measure. Each lives in a file of its own under `auditor/evidence/passes/`, as its `PASS`.

    order: when it is run: the lower, the earlier; the first one is the reference for all others.
    doing: what is told while it runs.
    over_sizes: whether it is run at each size, as what holds of time is fitted over them, or at the greatest alone.
    if_open: whether it is left out where what was measured before confirms all that it is wanted for.
    """

    name: str
    order: int
    doing: str
    over_sizes: bool
    if_open: bool

    def wanted(self, questions: Sequence[Question], hits: Mapping[str, int] | None) -> bool:
        """Whether running this pass can change a verdict.

        `hits` holds the executions of each suspect (by fingerprint) as the probes counted them, None before that pass.
        """
        ...

    def measure(self, questions: Sequence[Question], session: Session) -> Outcome:
        """Run the workload once under this pass."""
        ...
