"""What is said in the end: verdicts, findings, the report."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.model.basics import Change, Effort, Priority, Span, VerdictKind
from auditor.model.measurements import Evidence, Exercise, WorkloadRun
from auditor.model.suspects import Remark, Skip, Suspect


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence says. `reason` is one sentence; `evidence` are the rows it rests on, thresholds filled in."""

    kind: VerdictKind
    reason: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Gain:
    """Upper bound of the speed-up of the whole workload, as a factor (1.25 = a quarter more throughput)."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Edit:
    """`text` in place of what stands at `span` of a file; an empty span inserts. Lines of `text` end in LF."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A change of the suspect's file that removes the suspicion.

    safe: whether the meaning of the program surely stays the same, whatever its values and types. diff: as
    `git apply` takes it. edits: the same change, in source order, none overlapping another.
    """

    safe: bool
    diff: str
    edits: tuple[Edit, ...]


UNMEASURED = Verdict(VerdictKind.SUSPECTED, "No workload was run.")
"""The verdict where there is nothing to judge by."""


@dataclass(frozen=True, slots=True)
class Later:
    """A measurement that could say less than one before it, on the same code; `measured` is when, in ISO 8601."""

    kind: VerdictKind
    reason: str
    measured: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an earlier audit measured of a suspect, under one workload.

    `measured` is when, in ISO 8601. `sizes` are those that the workload was run at, `python` the versions (as in
    "3.11") that its processes ran under, "" if not known. `stale` says what has changed since, so that the verdict may
    no longer hold; None if nothing did. `later` is the last measurement after it, if that could say less. `path` (from
    the project on) is the file in which the code stood then, "" if it stands there still.
    """

    kind: VerdictKind
    reason: str
    measured: str
    workload: str
    command: str
    priority: Priority | None = None
    evidence: tuple[Evidence, ...] = ()
    stale: str | None = None
    sizes: tuple[int, ...] = ()
    python: str = ""
    later: Later | None = None
    path: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A judged and triaged suspect.

    `fix` is None if there is none, or nobody asked for it. `remembered` is what stands in the evidence store, the
    weightiest first. `suppressed` is the reason that a comment in the source gives for setting it aside, "" if it gives
    none, and None if there is no such comment. `change` is None where nothing was compared.
    """

    suspect: Suspect
    verdict: Verdict
    priority: Priority | None = None
    gain: Gain | None = None
    effort: Effort | None = None
    complexity: int | None = None
    excerpt: tuple[tuple[int, str], ...] = ()
    fix: Fix | None = None
    tests: tuple[Exercise, ...] = ()
    remembered: tuple[Remembered, ...] = ()
    suppressed: str | None = None
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """A finding that the other side of a comparison has, or the baseline, and that is gone. `path` is that of then."""

    rule: str
    path: str
    symbol: str
    message: str


@dataclass(frozen=True, slots=True)
class Unflagged:
    """A finding that is gone though its code is not: it may have moved out of its rule's sight.

    `stands` is where the same code, but for names of variables, stands now: "path:line".
    """

    rule: str
    path: str
    symbol: str
    message: str
    stands: str


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the numbers were taken."""

    python: str
    platform: str
    cpu: str
    cores: int
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The one saveable result between measuring and rendering. `target` is as the user gave it.

    `prefix` leads from the repository to the directory that paths are relative to, in POSIX form, "" if it is the same.
    `set_aside` are findings that ask for nothing: suppressed ones, and where something was compared, those that were
    there before and that the change does not touch. `fixed` are those that are gone, `unflagged` those of which only
    the flag is known to be gone. `commit` is the one that was checked out, "" if none is known.
    """

    target: str
    created: str
    files: int
    lines: int
    findings: tuple[Finding, ...]
    skipped: tuple[Skip, ...]
    workloads: tuple[WorkloadRun, ...]
    machine: Machine
    audit_version: str
    command: str
    interrupted: bool = False
    notes: tuple[str, ...] = field(default=())
    prefix: str = ""
    set_aside: tuple[Finding, ...] = ()
    remarks: tuple[Remark, ...] = ()
    fixed: tuple[Fixed, ...] = ()
    unflagged: tuple[Unflagged, ...] = ()
    commit: str = ""
