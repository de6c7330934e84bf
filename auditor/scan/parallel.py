"""Scanning many files in worker processes, any of which may die or hang at the cost of one file."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from auditor.model import Skip
from auditor.scan.files import path_below
from auditor.scan.record import FileScan, Reading, load

if TYPE_CHECKING:
    import subprocess

    from auditor.rule import Rule
    from auditor.scan.engine import Engine

FILE_LIMIT_S = 30.0
"""A file that takes longer is given up: the slowest module of CPython's library takes less than one second."""

MIN_FILES = 40
"""With fewer files, starting processes costs more than they save."""

RISKY_BYTES = 512 * 1024
"""A larger file is scanned in a process of its own even when it is alone: it could exhaust the stack or the memory."""

_START_LIMIT_S = 60.0
_POLL_S = 0.05
_CHUNK = 8
_BOOT = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from auditor.scan.worker import main; main()"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules by reference, so that another process can load them too, and none if they are not needed.

    `load` is a function of a module, `arguments` are what JSON can carry, `directories` hold the files beside audit's
    own that decide what the rules find.
    """

    load: Callable[..., Iterable[Rule]]
    arguments: tuple[tuple[str, ...], ...] = ()
    directories: tuple[str, ...] = ()
    _engines: list[Engine] = field(default_factory=list, compare=False, repr=False)

    def engine(self) -> Engine:
        """What scans files with these rules; to make one takes as long as to scan a small file.

        Raises:
            RuleError: the rules cannot be loaded.
        """
        if not self._engines:
            from auditor.scan.engine import Engine

            self._engines.append(Engine(self.load(*self.arguments)))
        return self._engines[0]

    @property
    def reference(self) -> str:
        """Module and name of the function."""
        return f"{self.load.__module__}:{self.load.__qualname__}"


@dataclass(frozen=True, slots=True)
class Scanned:
    """The scan of the file at `index`, and the content it was made from, None if there is none to remember."""

    index: int
    scan: FileScan
    reading: Reading | None = None


def usable_cores() -> int:
    """Processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Scanner:
    """Scans files below `root`. Processes that it starts for some files stay for more, until it is closed.

    `jobs` is the number of processes, by default the usable cores.
    """

    def __init__(self, root: Path, rules: RuleSet, stop: threading.Event, jobs: int | None = None) -> None:
        self.stop = stop
        self._root = root
        self._rules = rules
        self._crew = _Crew(root, rules, stop, max(usable_cores() if jobs is None else jobs, 1))

    def scan(
        self, files: Sequence[Path], done: Callable[[Scanned], None], outlooks: Mapping[int, str] | None = None
    ) -> None:
        """Scan `files` and hand each scan to `done`, on this thread, in the order in which they end.

        Ends early, with no process left, once `stop` is set. A file whose process dies, or that takes more than
        `FILE_LIMIT_S`, comes back as a skip. `outlooks` are what the files draw from others, by index.

        Raises:
            RuleError: the rules cannot be loaded.
        """
        sizes = [_size(file) for file in files]
        many = self._crew.idle or (len(files) >= MIN_FILES and self._crew.jobs > 1)
        if sys.executable and files and (many or max(sizes) > RISKY_BYTES):
            left = self._crew.run(files, sizes, outlooks or {}, done)
        else:
            left = list(range(len(files)))
        if left and not self.stop.is_set():
            self._scan_here([(index, files[index]) for index in left], done, outlooks or {})

    def close(self) -> None:
        """End the processes."""
        self._crew.close()

    def _scan_here(
        self, files: Iterable[tuple[int, Path]], done: Callable[[Scanned], None], outlooks: Mapping[int, str]
    ) -> None:
        from auditor.scan.links import Outlook

        engine = self._rules.engine()
        for index, file in files:
            if self.stop.is_set():
                return
            outlook = Outlook.load(outlooks[index]) if index in outlooks else None
            done(Scanned(index, *engine.read_and_scan(file, self._root, outlook)))


def _size(file: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        return os.stat(file).st_size  # noqa: PTH116 - half as long, once for every file
    return 0


@dataclass(slots=True, eq=False)
class _Worker:
    """One process. `since` is when it began what it is at (s, monotonic), None while it has nothing to do."""

    process: subprocess.Popen[bytes]
    input: IO[bytes]
    output: IO[bytes]
    since: float | None = None
    late: bool = False

    @classmethod
    def start(cls) -> _Worker:
        import subprocess

        # -P: a module of the audited project must not stand in for one of the standard library
        command = [sys.executable, "-P", "-c", _BOOT, json.dumps(sys.path)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdin is not None
        assert process.stdout is not None
        return cls(process, process.stdin, process.stdout)

    def tell(self, what: Any) -> None:
        """Send one line. That nobody reads it any more shows at the next `hear`."""
        with contextlib.suppress(OSError, ValueError):
            self.input.write(json.dumps(what).encode() + b"\n")
            self.input.flush()

    def hear(self) -> Any:
        """The next answer, None once the process has ended."""
        try:
            line = self.output.readline()
            return json.loads(line) if line.endswith(b"\n") else None
        except (OSError, ValueError):
            return None

    def end(self) -> str:
        """End the process and say how it ended."""
        self.process.kill()
        for pipe in (self.input, self.output):
            with contextlib.suppress(OSError, ValueError):
                pipe.close()
        code = self.process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"


@dataclass(slots=True)
class _Crew:
    """A number of workers, each served by a thread, that take files from one queue; those that wait are `idle`."""

    root: Path
    rules: RuleSet
    stop: threading.Event
    jobs: int
    files: Sequence[Path] = ()
    outlooks: Mapping[int, str] = field(default_factory=dict)
    waiting: deque[int] = field(default_factory=deque)
    results: queue.SimpleQueue[Scanned | None] = field(default_factory=queue.SimpleQueue)
    workers: set[_Worker] = field(default_factory=set)
    idle: list[_Worker] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: bool = False

    def run(
        self,
        files: Sequence[Path],
        sizes: Sequence[int],
        outlooks: Mapping[int, str],
        done: Callable[[Scanned], None],
    ) -> list[int]:
        """Scan until all is done, or `stop`; return what no worker could be started for."""
        self.files, self.outlooks = files, outlooks
        # the largest first: the last ones are to end at the same time
        self.waiting.extend(sorted(range(len(files)), key=lambda index: -sizes[index]))
        jobs = min(self.jobs, len(files))
        threads = [threading.Thread(target=self._serve, args=(jobs,), daemon=True) for _ in range(jobs)]
        for thread in threads:
            thread.start()
        serving = len(threads)
        try:
            while serving and not self.stop.is_set():
                with contextlib.suppress(queue.Empty):
                    result = self.results.get(timeout=_POLL_S)
                    if result is None:
                        serving -= 1
                    else:
                        done(result)
                        continue
                self._end_the_late()
        finally:
            if serving:
                self.close()
            for thread in threads:
                thread.join()
        left = sorted(self.waiting)
        self.waiting.clear()
        return left

    def close(self) -> None:
        """End all workers."""
        with self.lock:
            self.over = True
            for worker in self.workers:
                worker.process.kill()
            idle, self.idle = self.idle, []
        for worker in idle:
            worker.end()

    def _end_the_late(self) -> None:
        now = time.monotonic()
        with self.lock:
            for worker in self.workers:
                if worker.since is not None and now - worker.since > FILE_LIMIT_S:
                    worker.late = True
                    worker.process.kill()

    def _serve(self, jobs: int) -> None:
        try:
            while self.waiting and not self.over:
                worker = self._free() or self._hire()
                if worker is None:
                    return
                fit = False
                try:
                    fit = self._employ(worker, jobs)
                finally:
                    self._dismiss(worker, fit)
        finally:
            self.results.put(None)

    def _free(self) -> _Worker | None:
        with self.lock:
            worker = self.idle.pop() if self.idle else None
        if worker is not None and worker.process.poll() is not None:
            self._dismiss(worker, fit=False)
            return None
        return worker

    def _dismiss(self, worker: _Worker, fit: bool) -> None:
        """Keep the worker for more files if it is `fit` for that, else end it."""
        with self.lock:
            if fit and not self.over:
                self.idle.append(worker)
                return
            self.workers.discard(worker)
        worker.end()

    def _hire(self) -> _Worker | None:
        """A worker that has loaded the rules, None if there is none to be had."""
        try:
            with self.lock:
                if self.over:
                    return None
                worker = _Worker.start()
                self.workers.add(worker)
        except OSError:
            return None
        # much longer than a file may take: a busy machine starts processes slowly
        worker.since = time.monotonic() + _START_LIMIT_S - FILE_LIMIT_S
        worker.tell({"root": str(self.root), "rules": self.rules.reference, "arguments": self.rules.arguments})
        if worker.hear() == "ready":
            return worker
        with self.lock:
            self.workers.discard(worker)
        worker.end()
        return None

    def _employ(self, worker: _Worker, jobs: int) -> bool:
        """Give the worker files until there are no more, or it ends; then the file it was on is skipped.

        Returns whether it may be given more.
        """
        while chunk := self._take(jobs):
            worker.since = time.monotonic()
            worker.tell([[str(self.files[index]), self.outlooks.get(index)] for index in chunk])
            while chunk:
                answer = worker.hear()
                if answer is None:
                    self._give_up(worker, chunk)
                    return False
                worker.since = time.monotonic()
                self.results.put(_scanned(chunk.popleft(), answer))
            worker.since = None
        return True

    def _give_up(self, worker: _Worker, chunk: deque[int]) -> None:
        if self.over:
            return
        ended = worker.end()
        reason = f"took more than {FILE_LIMIT_S:g} s" if worker.late else f"the process that scanned it died ({ended})"
        index = chunk.popleft()
        path = path_below(self.root, self.files[index])
        with self.lock:
            self.waiting.extendleft(reversed(chunk))
        self.results.put(Scanned(index, FileScan(path=path, skipped=(Skip(path, reason),))))

    def _take(self, jobs: int) -> deque[int]:
        """The next files for one worker: several at once saves waiting, few towards the end keeps all busy."""
        with self.lock:
            many = 0 if self.over else min(_CHUNK, max(1, len(self.waiting) // (4 * jobs)))
            return deque(self.waiting.popleft() for _ in range(min(many, len(self.waiting))))


def _scanned(index: int, answer: Any) -> Scanned:
    stamp, text, outline = answer
    return Scanned(index, replace(load(text), outline=outline), None if stamp is None else Reading(*stamp))
