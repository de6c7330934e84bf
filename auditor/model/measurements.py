"""Workloads, the runs made of them, and what was seen in these."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from enum import StrEnum


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
class Alive:
    """Tasks, greenlets, threads, files or sockets (`kind`, in the singular) at the end of a workload, of one kind.

    runs: the function they run, and where it is defined; of files their directory, of sockets where they lead. made:
    where they were made ("path:line"), "" if unknown. waits: the innermost function they stand in, and the innermost
    line of the workload's own code. pools: how many executors they are workers of, 0 if of none. most: how many of them
    there were in one process at most (of workers, how many executors), 0 if that is not known.
    """

    kind: str
    count: int
    runs: str
    made: str
    waits: str
    pools: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True)
class Gained:
    """Descriptors that one process kept in the middle half of its tests or seconds (`unit`), of which it had `over`."""

    count: float
    over: float
    unit: str


@dataclass(frozen=True, slots=True)
class Census:
    """The tasks and threads alive when the processes of a workload ended, the main threads among them.

    Greenlets count as tasks. unseen: processes that ended too early to be counted. alive: the largest groups but for
    the main threads, the largest first. files, sockets: descriptors open then that the processes had opened. gained: by
    how much the descriptors of a process became more, if they did so to the end; else None.
    """

    tasks: int
    threads: int
    unseen: int
    alive: tuple[Alive, ...] = ()
    files: int = 0
    sockets: int = 0
    gained: Gained | None = None


@dataclass(frozen=True, slots=True)
class Standstill:
    """Turns of asyncio's event loops that took 0.05 s or more, in the run with probes, `longest_s` at most.

    lines: the lines ("path:line") on which the loops were busy the longest, with seconds, as py-spy saw them. hidden:
    whether there were loops of uvloop as well, whose turns cannot be timed.
    """

    turns: int
    total_s: float
    longest_s: float
    lines: tuple[tuple[str, float], ...] = ()
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Waits:
    """For how long the main threads of a workload stood waiting for other threads, of `watched_s`, as py-spy saw them.

    kinds: what they waited for ("queues", "locks"), with seconds, the greatest first. lines: the innermost lines
    ("path:line") of what is audited that did, likewise.
    """

    seconds: float
    watched_s: float
    kinds: tuple[tuple[str, float], ...]
    lines: tuple[tuple[str, float], ...] = ()


def ended(exit_code: int | None) -> str:
    """How a process ended, in words that follow its name; None if audit stopped it before."""
    if exit_code is None:
        return "was stopped"
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        return f"was ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was ended by signal {-exit_code}"


@dataclass(frozen=True, slots=True)
class WorkloadRun:
    """A workload with every pass that was made over it, the plain one first.

    `wall_s`, `cpu_s` and `queued_s` (None if they could not be taken) are the means of the plain runs, at the greatest
    size. `census` and `standstill` are those of the last run with probes, `waits` of the last one under py-spy, None if
    there is none. `python` are the
    versions that its processes ran under, as in "3.11" or "3.8, 3.11"; "" if none was reached.
    """

    workload: Workload
    exit_code: int | None
    wall_s: float
    passes: tuple[PassRun, ...]
    warnings: tuple[str, ...] = ()
    last_lines: tuple[str, ...] = ()
    cpu_s: float | None = None
    queued_s: float | None = None
    census: Census | None = None
    standstill: Standstill | None = None
    waits: Waits | None = None
    python: str = ""

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
