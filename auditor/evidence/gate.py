"""Holding Python processes at their start until py-spy samples them, so that not even a short run is missed.

A process that arrives (see `child/sitecustomize.py`) connects to a socket, sends its process id and waits for a reply.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import psutil

from auditor.evidence.ending import living_after
from auditor.evidence.guardian import temporary_directory
from auditor.evidence.lateness import LOOK_EVERY_S, Lateness

PATIENCE_S = 20.0
"""How long a process waits for py-spy; attaching takes 0.05 s, on a machine out of breath some seconds."""

LOST = (
    "py-spy lost sight of the process while it ran: it forbids to be read (prctl PR_SET_DUMPABLE), or replaced itself "
    "by another program (exec); run audit as root, or give the final program as the workload's command"
)

NONE_FOUND = "No python processes found"
"""What py-spy says of a family in which it could read no process, whatever the reason."""

_EXIT_S = 0.5
_FLUSH_S = 60.0
_INTERRUPT_S = 10.0
_ALONE_S = PATIENCE_S / 2
_ATTACHED = "Sampling process"
_ENDED = "Stopped sampling"
_BEHIND = re.compile(r"([\d.]+)s behind in sampling")


def pyspy_program() -> str | None:
    """Where py-spy is: beside the interpreter that runs audit, else on PATH; None if nowhere."""
    return shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")


class Watch(threading.Thread):
    """One py-spy on one process and its descendants.

    Times are of `time.perf_counter`. `failure` says why there is no recording, and what to do; None if there is one.
    """

    def __init__(self, visitor: socket.socket, pid: int, recording: Path, rate: int) -> None:
        super().__init__(name=f"audit-py-spy-{pid}", daemon=True)
        self.pid = pid
        self.recording = recording
        self.failure: str | None = "py-spy did not come to an end"
        self.behind_s = 0.0
        self.killed_by = 0
        self.arrived_at = time.perf_counter()
        self.released_at = 0.0
        self.ended_at = 0.0
        self._visitor = visitor
        self._rate = rate
        self._spy: subprocess.Popen[str] | None = None
        self._lateness = Lateness()

    def run(self) -> None:
        """Watch the process to its end; whatever goes wrong, it is let go."""
        try:
            said = self._watch()
        except OSError as error:
            said = [str(error)]
        finally:
            self._release()
        if not self.ended_at:
            self.ended_at = time.perf_counter()
        if self.killed_by:
            self.failure = f"py-spy was ended by signal {self.killed_by} before it wrote what it saw; run audit again"
        elif not self.recording.is_file() or self.recording.stat().st_size == 0:
            self.failure = explain(said)
        else:
            self.failure = LOST if self._outlives() else None

    def finish(self) -> None:
        """Wait for the recording to be written. A py-spy that does not end is asked to by SIGINT: SIGTERM loses it."""
        self.join(_FLUSH_S)
        if self.is_alive() and self._spy is not None:
            self._spy.send_signal(signal.SIGINT)
            self.join(_INTERRUPT_S)
            if self.is_alive():
                self._spy.kill()
                self.join(_INTERRUPT_S)

    @property
    def held_s(self) -> tuple[float, float]:
        """From when to when the process stood at the gate."""
        return self.arrived_at, min(self.released_at, self.arrived_at + PATIENCE_S)

    @property
    def watched_s(self) -> float:
        """For how many seconds py-spy sampled the process after it was let go."""
        return max(0.0, self.ended_at - self.held_s[1])

    @property
    def late(self) -> float | None:
        """In what share of that time py-spy waited for a processor; None if that is not known."""
        return self._lateness.share(self.watched_s)

    def look(self) -> None:
        """Take down how long py-spy has waited for a processor so far; to be called now and then."""
        if self._spy is not None and self.released_at and not self.ended_at:
            self._lateness.look(self._spy.pid)

    def _outlives(self) -> bool:
        """Whether the process lives on although py-spy says that it has ended; if but briefly, that time counts."""
        try:
            process = psutil.Process(self.pid)
        except psutil.NoSuchProcess:
            return False
        if not living_after(0.0, [process]):
            return False
        lives_on = bool(living_after(_EXIT_S, [process]))
        self.ended_at = time.perf_counter()
        return lives_on

    def _watch(self) -> list[str]:
        """Run py-spy to its end, letting the process go as soon as it is watched. What py-spy said, line by line."""
        program = pyspy_program()
        if program is None:
            return ["py-spy was not found"]
        said = []
        with subprocess.Popen(
            (
                *(program, "record", "--pid", str(self.pid), "--subprocesses", "--idle", "--full-filenames"),
                *("--format", "speedscope", "--rate", str(self._rate), "--output", str(self.recording)),
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # Ctrl-C is for audit, which then ends the workload, which ends py-spy
        ) as self._spy:
            assert self._spy.stdout is not None
            for line in self._spy.stdout:
                said.append(line.strip())
                if _ATTACHED in line:
                    self._release()
                elif _ENDED in line:
                    self.look()
                    self.ended_at = time.perf_counter()
                elif behind := _BEHIND.search(line):
                    self.behind_s = max(self.behind_s, float(behind[1]))
        if self._spy.returncode < 0:
            self.killed_by = -self._spy.returncode
        return said if self.released_at else reasons(self.pid, said)

    def _release(self) -> None:
        if self.released_at:
            return
        self.released_at = time.perf_counter()
        self.look()
        with contextlib.suppress(OSError):  # it lost patience, or was ended
            self._visitor.send(b".")
        self._visitor.close()


class Gate:
    """Lets every process that arrives be watched; a context manager around the run of the workload."""

    def __init__(self, scratch: Path, rate: int) -> None:
        self.watches: list[Watch] = []
        self._scratch = scratch
        self._rate = rate
        # Not in the scratch directory: the path of a socket must not be longer than about 100 bytes.
        self._stack = contextlib.ExitStack()
        self.address = str(Path(self._stack.enter_context(temporary_directory("audit-gate-")), "gate"))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._doorman = threading.Thread(target=self._receive, name="audit-gate", daemon=True)
        self._closed = threading.Event()
        self._observer = threading.Thread(target=self._look, name="audit-lateness", daemon=True)

    def __enter__(self) -> Self:
        self._socket.bind(self.address)
        self._socket.listen(128)
        self._doorman.start()
        self._observer.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the doorman, which close() would not
        self._doorman.join()
        self._socket.close()
        self._stack.close()
        for watch in self.watches:
            watch.finish()
        self._closed.set()
        self._observer.join()

    def _look(self) -> None:
        while not self._closed.wait(LOOK_EVERY_S):
            for watch in tuple(self.watches):
                watch.look()

    def _receive(self) -> None:
        while True:
            try:
                visitor, _ = self._socket.accept()
            except OSError:
                return  # closed: the run is over
            try:
                visitor.settimeout(PATIENCE_S)
                pid = int(visitor.recv(32))
            except (OSError, ValueError):
                visitor.close()  # it was ended between connecting and speaking
                continue
            watch = Watch(visitor, pid, self._scratch / f"py-spy-{len(self.watches)}.json", self._rate)
            self.watches.append(watch)
            watch.start()


def reasons(pid: int, said: list[str]) -> list[str]:
    """What py-spy said; of a family it says no more than that it found none, so then it is asked of the one process."""
    program = pyspy_program()
    if program is None or not any(NONE_FOUND in line for line in said):
        return said
    try:
        alone = subprocess.run(
            [program, "dump", "--pid", str(pid)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_ALONE_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return said
    return alone.stderr.splitlines() or said


def explain(said: list[str]) -> str:
    """Why py-spy recorded nothing, and what to do about it, from what it said."""
    text = " ".join(said)
    if "py-spy was not found" in text:
        return "py-spy was not found beside audit or on PATH; install it with: pip install py-spy"
    if re.search(r"permission denied|not permitted|EPERM|EACCES|requires root|ptrace", text, re.IGNORECASE):
        if sys.platform == "darwin":
            return "py-spy may not read other processes, on macOS it needs root; run audit with sudo"
        return (
            "py-spy may not read the workload's process; run audit as the same user or as root, "
            "with kernel.yama.ptrace_scope=0, in a container with --cap-add=SYS_PTRACE"
        )
    if re.search(r"python version|unsupported|find.*interpreter|libpython", text, re.IGNORECASE):
        return f"py-spy does not know the workload's interpreter ({_gist(said)}); upgrade it, or use CPython up to 3.14"
    return f"py-spy recorded nothing: {_gist(said)}"


def _gist(said: list[str]) -> str:
    lines = [line for line in said if line and not line.startswith("py-spy>")]
    return (lines[0] if lines else "it gave no reason")[:300]
