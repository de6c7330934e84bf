"""Running a command to its end: exit code, wall time, a bounded memory of its output, and no process left behind."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from auditor.errors import WorkloadError
from auditor.evidence.ending import TOKEN_VARIABLE, end, family
from auditor.evidence.guardian import PROCESSES, guard, release

LAST_LINES = 20
LINE_WIDTH = 500
_TAIL_BYTES = LAST_LINES * LINE_WIDTH * 4
_CHUNK_BYTES = 1 << 20
_POLL_S = 0.02
_DRAIN_GRACE_S = 0.5


@dataclass(frozen=True, slots=True)
class ChildResult:
    """How a command ended.

    exit_code: as the shell would see it, negative for a signal; None if it was never started.
    wall_s: seconds from the start of the main process to its end.
    cpu_s: seconds of processor time of the main process and of those descendants that were waited for; None if unknown.
    timed_out, stopped: audit ended it, because time was up or because the user interrupted.
    stdout_bytes, stdout_sha256: what was written to standard output; only its tail is kept.
    queued_s: seconds for which its main thread was ready to compute and found no processor free; None if unknown.
    last_lines: the end of standard output followed by the end of standard error.
    remarks: what else a reader of the numbers must know.
    """

    exit_code: int | None
    wall_s: float
    timed_out: bool
    stopped: bool
    stdout_bytes: int
    stdout_sha256: str
    last_lines: tuple[str, ...]
    cpu_s: float | None = None
    queued_s: float | None = None
    remarks: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the numbers must know about how the run ended."""
        if self.timed_out:
            ended = f"audit ended this run after {self.wall_s:.1f} s because its timeout was reached"
            return (ended, *self.remarks)
        if self.stopped:
            return ("this run was interrupted", *self.remarks)
        return self.remarks


_OF_A_SHELL = ("|", "||", "|&", "&&", "<", ">", ">>", "2>", "2>&1", "&>")


def resolve_command(command: str, cwd: str | Path) -> list[str]:
    """Split `command` as a shell would, without a shell, and find its program on PATH or relative to `cwd`.

    Raises:
        WorkloadError: the quoting is unbalanced, something is asked for that only a shell does, or the program does not
            exist or cannot be executed.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise WorkloadError(f"the command {command!r} cannot be split into words: {error}; check its quotes") from error
    if not words:
        raise WorkloadError('the command is empty; give a program to run, for example "python bench.py"')
    for word in _with_quotes(command):
        if word in _OF_A_SHELL:
            raise WorkloadError(f"only a shell knows what {word} means in {command!r}; write sh -c '...'")
    program, arguments = words[0], words[1:]
    if os.path.dirname(program):  # noqa: PTH120 - Path("./x") drops the "./" that tells a path from a name
        path = Path(cwd, program)
        found = shutil.which(path.absolute())
        if found is None:
            problem = "is not executable" if path.exists() else "does not exist"
            raise WorkloadError(f"the program {program} {problem} in {cwd}; correct the command {command!r}")
        return [str(found), *arguments]
    on_path = shutil.which(program)
    if on_path is not None:
        return [os.path.abspath(on_path), *arguments]  # noqa: PTH100 - Path.resolve() would leave a virtual environment
    if program in ("python", "python3"):
        return [sys.executable, *arguments]
    if program == "pytest" and importlib.util.find_spec("pytest") is not None:
        return [sys.executable, "-m", "pytest", *arguments]
    raise WorkloadError(_not_found(program, command, cwd))


def _with_quotes(command: str) -> list[str]:
    """The words, with the quotes around them; none where backslashes make that hard to tell."""
    try:
        return shlex.split(command, posix=False)
    except ValueError:
        return []


def _not_found(program: str, command: str, cwd: str | Path) -> str:
    if Path(cwd, program).is_file():
        return f"{program} is not on PATH, but lies in {cwd}; write ./{program}, or python {program}"
    return (
        f"the program {program!r} of the command {command!r} is not on PATH; install it or activate its environment. "
        "Commands run without a shell: for pipes, && or variables write sh -c '...'"
    )


def run_child(
    argv: Sequence[str],
    *,
    cwd: str | Path,
    env: Mapping[str, str],
    timeout_s: float | None,
    stdin: Path | None,
    stop: threading.Event,
    on_start: Callable[[int], None] | None = None,
) -> ChildResult:
    """Run `argv` and wait for its end, for `timeout_s` seconds, or until `stop` is set; then end what it left running.

    Its standard input is the file `stdin`, or empty. `on_start` is called with the process id right after the start.
    Descendants are ended too, also those that became daemons: they are known by a token in their environment.

    Raises:
        WorkloadError: the operating system refuses to start the program.
    """
    if stop.is_set():
        return ChildResult(None, 0.0, False, True, 0, hashlib.sha256().hexdigest(), ())
    timed_out = stopped = False
    with Child(argv, cwd, env, stdin) as child:
        if on_start is not None:
            on_start(child.pid)
        while not child.wait(_POLL_S):
            stopped = stop.is_set()
            timed_out = timeout_s is not None and child.age_s >= timeout_s
            if stopped or timed_out:
                break
        if not stopped and not timed_out:
            child.drain()
    return child.result(timed_out=timed_out, stopped=stopped and not timed_out)


class Child:
    """A running command; leaving the context ends it and all that it left running.

    Raises:
        WorkloadError: the operating system refuses to start the program.
    """

    def __init__(self, argv: Sequence[str], cwd: str | Path, env: Mapping[str, str], stdin: Path | None) -> None:
        self._token = uuid.uuid4().hex
        # A workload may itself run audit: tokens add up, so that the outer audit still knows the inner one's children.
        marked = {**env, TOKEN_VARIABLE: ":".join(filter(None, (env.get(TOKEN_VARIABLE), self._token)))}
        guard(PROCESSES, self._token)
        self._started = time.perf_counter()
        try:
            self._process = _start(argv, cwd, marked, stdin)
        except WorkloadError:
            release(PROCESSES, self._token)
            raise
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._stdout = _Drain(self._process.stdout, digest=True)
        self._stderr = _Drain(self._process.stderr, digest=False)
        self._ending = _Ending(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end(lambda: family(self._process, self._token))
        release(PROCESSES, self._token)
        self._ending.join()
        self.drain()

    @property
    def pid(self) -> int:
        """Process id of the main process."""
        return self._process.pid

    @property
    def age_s(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._started

    @property
    def exit_code(self) -> int | None:
        """As the shell would see it, None while it runs."""
        return self._process.returncode if self._ending.done.is_set() else None

    def wait(self, within_s: float) -> bool:
        """Whether the main process has ended within so many seconds."""
        return self._ending.done.wait(within_s)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all processes of its group, as a terminal does."""
        if not self._ending.done.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def drain(self) -> None:
        """A survivor may hold the pipes; what it still writes belongs to the output, but not for ever."""
        _join((self._stdout, self._stderr), _DRAIN_GRACE_S)

    def last_lines(self) -> tuple[str, ...]:
        """The end of standard output followed by the end of standard error."""
        return _last_lines(self._stdout.tail, self._stderr.tail)

    def result(self, *, timed_out: bool, stopped: bool) -> ChildResult:
        """How it ended."""
        return ChildResult(
            exit_code=self._process.returncode,
            wall_s=self._ending.at - self._started,
            timed_out=timed_out,
            stopped=stopped,
            stdout_bytes=self._stdout.total,
            stdout_sha256=self._stdout.hexdigest,
            last_lines=self.last_lines(),
            cpu_s=self._ending.cpu_s,
            queued_s=self._ending.queued_s,
        )


def _start(argv: Sequence[str], cwd: str | Path, env: Mapping[str, str], stdin: Path | None) -> subprocess.Popen[bytes]:
    try:
        with open(stdin or os.devnull, "rb") as source:  # noqa: PTH123 - os.devnull is no Path
            return subprocess.Popen(
                argv,
                cwd=cwd,
                env=dict(env),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
    except OSError as error:
        reason = error.strerror or str(error)
        raise WorkloadError(
            f"{shlex.join(argv)} cannot be started in {cwd}: {reason}; check that it runs from there by hand"
        ) from error


class _Ending(threading.Thread):
    """Waits for the main process, so that its end is timed to the microsecond and not to the next poll.

    The kernel hands over with the exit code what the process used, which costs the process nothing.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(name="audit-wait", daemon=True)
        self.done = threading.Event()
        self.at = 0.0
        self.cpu_s: float | None = None
        self.queued_s: float | None = None
        self._process = process
        self.start()

    def run(self) -> None:
        if sys.platform == "win32":
            self._process.wait()
            self.at = time.perf_counter()
        else:
            try:
                self.queued_s = _queued_s(self._process.pid)
                _, status, usage = os.wait4(self._process.pid, 0)
            except ChildProcessError:  # children are ignored here, so that the kernel has buried it: as Popen does
                self.at = time.perf_counter()
                self._process.returncode = 0
            else:
                self.at = time.perf_counter()
                self._process.returncode = os.waitstatus_to_exitcode(status)
                self.cpu_s = usage.ru_utime + usage.ru_stime
        self.done.set()


def _queued_s(pid: int) -> float | None:
    """Wait until a child has ended, but do not bury it, so that the kernel can still be asked: Linux alone can.

    Documentation/scheduler/sched-stats.rst of the kernel: the second number of schedstat, in ns.
    """
    if sys.platform != "linux":
        return None
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None  # a kernel without scheduler statistics


class _Drain(threading.Thread):
    """Reads a pipe as fast as it is filled; keeps a count, a digest if asked, and the last bytes."""

    def __init__(self, pipe: IO[bytes], *, digest: bool) -> None:
        super().__init__(name="audit-drain", daemon=True)
        self.total = 0
        self.tail = b""
        self._pipe = pipe
        self._hash = hashlib.sha256() if digest else None
        _widen(pipe.fileno())
        self.start()

    @property
    def hexdigest(self) -> str:
        return self._hash.hexdigest() if self._hash is not None else ""

    def run(self) -> None:
        with self._pipe as pipe:
            while chunk := os.read(pipe.fileno(), _CHUNK_BYTES):
                self.total += len(chunk)
                if self._hash is not None:
                    self._hash.update(chunk)
                self.tail = chunk[-_TAIL_BYTES:] if len(chunk) >= _TAIL_BYTES else (self.tail + chunk)[-_TAIL_BYTES:]


def _widen(descriptor: int) -> None:
    """Let a writer run ahead of us by 1 MiB instead of 64 KiB, so that it is not slowed by our waking up."""
    if sys.platform == "linux":
        import fcntl  # does not exist everywhere

        with contextlib.suppress(OSError):  # above /proc/sys/fs/pipe-max-size
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _CHUNK_BYTES)


def _join(threads: Sequence[threading.Thread], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def _last_lines(stdout: bytes, stderr: bytes) -> tuple[str, ...]:
    """Both ends, standard error last; a talkative one leaves the other half of the room."""
    out, err = (tail.decode("utf-8", "replace").splitlines() for tail in (stdout, stderr))
    room = max(LAST_LINES // 2, LAST_LINES - len(out))
    err = err[-room:]
    out = out[-(LAST_LINES - len(err)) :] if len(err) < LAST_LINES else []
    return tuple(line[:LINE_WIDTH] for line in (*out, *err))
