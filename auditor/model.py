"""The data every layer speaks: suspects, evidence, verdicts, findings, reports.

Data flows one way: files -> Suspect -> Profile -> Evidence -> Verdict -> Finding -> Report -> text.
Everything here is frozen and holds no behaviour beyond simple derived values.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum


class VerdictKind(StrEnum):
    """What the audit says of a suspect."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"
    NOT_EXERCISED = "not-exercised"
    NOT_MEASURABLE = "not-measurable"
    SUSPECTED = "suspected"


class Priority(StrEnum):
    """How soon a finding deserves attention; P0 first."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Change(StrEnum):
    """What a change, or the time since the baseline, has to do with a finding."""

    INTRODUCED = "introduced"
    PRE_EXISTING = "pre-existing"


class Effort(StrEnum):
    """How much work and risk a change of the function is, from its cyclomatic complexity."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of source text: lines and columns count from 1, columns in characters, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


# ------------------------------------------------------------------------------------------------
# Expectations: what a rule expects to be measured if its suspicion is true.


@dataclass(frozen=True, slots=True)
class Cost:
    """The flagged node is costly as it stands: seconds spent in it, and their share of the run.

    `below` narrows the seconds to samples in which one of these functions ("file-suffix:function") stands
    below the flagged line, for nodes whose own work is wanted but whose overhead is not.
    """

    below: tuple[str, ...] = ()
    memory: bool = False


@dataclass(frozen=True, slots=True)
class Scaling:
    """The flagged operation grows dearer with the size of its input: seconds, share, and the growth exponent."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """The flagged container fills faster than it is emptied: greatest length and its slope."""


@dataclass(frozen=True, slots=True)
class Survivors:
    """Objects created at the flagged node stay alive: how many, against how many were created.

    `noun` is their plural ("tasks"). `churn` names functions ("file-suffix:function") whose seconds below the flagged
    function are the price of creating such objects anew, where that alone may be too much.
    """

    noun: str
    churn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reuse:
    """A connection is opened anew although an earlier one could serve: connections opened per execution."""


@dataclass(frozen=True, slots=True)
class Stall:
    """The flagged call holds up an event loop: seconds for which the loop stood still."""


@dataclass(frozen=True, slots=True)
class Repetition:
    """The flagged call does again what it did before with the same input: seconds in executions with an input seen."""


@dataclass(frozen=True, slots=True)
class Wait:
    """The flagged operation waits, one after the other or for a lock: seconds spent waiting, and how often."""


Expectation = Cost | Scaling | Backlog | Survivors | Reuse | Stall | Repetition | Wait


# ------------------------------------------------------------------------------------------------
# Suspects


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
    """A file that was left out of the audit, or a rule left out on one file, and why."""

    path: str
    reason: str


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


# ------------------------------------------------------------------------------------------------
# Measurements


class Source(StrEnum):
    """Where the evidence of a workload comes from: audit runs its command, reads a profile, or watches a process."""

    COMMAND = "command"
    CPU_PROFILE = "cpu-profile"
    MEMORY_PROFILE = "memory-profile"
    PROCESS = "process"


@dataclass(frozen=True, slots=True)
class Service:
    """A server, and the command that puts load on it once the address `ready` (http://..., tcp://host:port) answers.

    `{port}` in each of them becomes a free port of the loopback interface, another one for each run.
    """

    serve: str
    ready: str
    load: str
    ready_within_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Workload:
    """A command that exercises the audited code. `timeout_s` is None for no limit.

    `command` is the path of a profile, or the number of a process watched for `timeout_s` seconds, if that is its
    `source`; nothing is run then, and there is no exit code.

    With `sizes` (in rising order), each run is made once for each of them, which takes the place of `{n}` in the
    command. `argv` are the words that are run where they are others than those of the command that people know.
    Of a `service`, the server is what is measured, and the exit code is that of the load.
    """

    name: str
    command: str
    cwd: str
    timeout_s: float | None = None
    sizes: tuple[int, ...] = ()
    argv: tuple[str, ...] = ()
    service: Service | None = None
    source: Source = Source.COMMAND

    def at(self, size: int) -> Workload:
        """The same at one size: `{n}` in the command becomes that number."""
        service = self.service and replace(
            self.service,
            serve=self.service.serve.replace("{n}", str(size)),
            load=self.service.load.replace("{n}", str(size)),
        )
        return replace(self, command=self.command.replace("{n}", str(size)), sizes=(), service=service)


@dataclass(frozen=True, slots=True)
class PassRun:
    """One run of a workload under one pass ("plain", "probes", "py-spy", "memray").

    `gap` is None if the pass delivered its data, else the reason why it could not. `cpu_s` is the processor time of the
    run's processes, `queued_s` the time its main thread waited for a processor; None where not taken. `size` is what
    stood for `{n}`, None for a workload without sizes.
    """

    name: str
    wall_s: float
    exit_code: int | None
    gap: str | None = None
    warnings: tuple[str, ...] = ()
    cpu_s: float | None = None
    size: int | None = None
    queued_s: float | None = None


@dataclass(frozen=True, slots=True)
class WorkloadRun:
    """A workload with every pass that was made over it, the plain one first.

    `wall_s`, `cpu_s` and `queued_s` (None if they could not be taken) are the means of the plain runs, at the greatest
    size.
    """

    workload: Workload
    exit_code: int | None
    wall_s: float
    passes: tuple[PassRun, ...]
    warnings: tuple[str, ...] = ()
    last_lines: tuple[str, ...] = ()
    cpu_s: float | None = None
    queued_s: float | None = None

    @property
    def failed(self) -> bool:
        """Whether it was run, and did not end well."""
        return self.workload.source is Source.COMMAND and self.exit_code != 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured number about one suspect, with its 95 % interval.

    `n` says how often it was measured (executions, samples, objects). `threshold` is the value that the judge
    held it against, in the same unit, or None where the number stands for information only.
    """

    metric: str
    value: float
    low: float
    high: float
    unit: str
    n: int
    collector: str
    workload: str
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be measured, and why. A gap is never counted as a zero."""

    collector: str
    workload: str
    reason: str


@dataclass(frozen=True, slots=True)
class Exercise:
    """The tests of one workload that ran a suspect: `total` of them, `most` being (test id, executions) of the busiest.

    What a process that a test started ran counts for that test.
    """

    workload: str
    total: int
    most: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Observation:
    """All that was seen of one suspect under one workload."""

    workload: str
    wall_s: float
    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[Gap, ...] = ()
    tests: Exercise | None = None

    def get(self, metric: str, collector: str | None = None) -> Evidence | None:
        """The first evidence of that metric (and collector), or None."""
        for row in self.evidence:
            if row.metric == metric and collector in (None, row.collector):
                return row
        return None


# ------------------------------------------------------------------------------------------------
# Results


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


@dataclass(frozen=True, slots=True)
class Remembered:
    """What an earlier audit measured of a suspect, under one workload.

    `measured` is when, in ISO 8601. `stale` says what has changed since, so that the verdict may no longer hold; None
    if nothing did.
    """

    kind: VerdictKind
    reason: str
    measured: str
    workload: str
    command: str
    priority: Priority | None = None
    evidence: tuple[Evidence, ...] = ()
    stale: str | None = None


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
    there before and that the change does not touch. `fixed` are those that are gone.
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
