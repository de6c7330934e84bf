"""What happens to the processes and files of an audit that is killed, and so cannot end and remove them itself.

A small process of its own, started with the first command, waits at the end of a pipe that only audit holds open. Audit
tells it what there is to end and to remove, and what it has seen to itself. When the pipe breaks, the guardian does the
rest and ends. A signal at the parent's death (PR_SET_PDEATHSIG) would reach neither grandchildren nor other systems
than Linux, and would be a change in the measured process.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

PROCESSES = "p"
"""What is guarded is a token: all processes that carry it in their environment are to be ended."""

DIRECTORY = "d"
"""What is guarded is the path of a directory that is to be removed."""


class _Guardian:
    """Audit's end of the pipe. That no guardian can be started, or that it is gone, costs no audit its result."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._before: list[str] = []

    def tell(self, sign: str, kind: str, thing: str) -> None:
        """Add or take off what is guarded. Directories wait for the first processes: most audits start none."""
        if sys.platform == "win32":
            return
        with self._lock:
            self._before.append(f"{sign}{kind}{os.fsencode(thing).hex()}\n")
            if self._owner != os.getpid():  # also in a forked process: the pipe it inherited is its parent's
                if kind != PROCESSES:
                    return
                self._owner = os.getpid()
                self._process = _start()
            words, self._before = "".join(self._before), []
            if self._process is None or self._process.stdin is None:
                return
            try:
                self._process.stdin.write(words.encode())
            except OSError:
                self._process = None


def _start() -> subprocess.Popen[bytes] | None:
    import subprocess  # not for the guardian, which is to be there at once and small

    try:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            cwd="/",
            start_new_session=True,
        )
    except OSError:
        return None


_guardian = _Guardian()


def guard(kind: str, thing: str | Path) -> None:
    """See to it (PROCESSES or DIRECTORY) if audit cannot any more."""
    _guardian.tell("+", kind, str(thing))


def release(kind: str, thing: str | Path) -> None:
    """Audit has seen to it."""
    _guardian.tell("-", kind, str(thing))


@contextlib.contextmanager
def temporary_directory(prefix: str) -> Iterator[str]:
    """As `tempfile.TemporaryDirectory`, and removed too if audit is killed while processes of its run."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as directory:
        guard(DIRECTORY, directory)
        try:
            yield directory
        finally:
            release(DIRECTORY, directory)


def _main(path: list[str]) -> None:
    """Listen until the pipe breaks, then end and remove what is left."""
    import shutil

    left: dict[str, None] = {}
    for line in sys.stdin:
        if line.startswith("+"):
            left[line[1:].strip()] = None
        else:
            left.pop(line[1:].strip(), None)
    if not left:
        return
    sys.path[:] = path
    from auditor.evidence.ending import end_marked

    things = [(one[:1], os.fsdecode(bytes.fromhex(one[1:]))) for one in left]
    for kind, thing in things:
        if kind == PROCESSES:
            end_marked(thing)
    for kind, thing in things:
        if kind == DIRECTORY:
            shutil.rmtree(thing, ignore_errors=True)


if __name__ == "__main__":
    _main(sys.argv[1:])
