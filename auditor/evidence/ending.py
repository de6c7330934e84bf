"""Ending the processes of a run: all of them, daemons too, and no other."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import psutil

TOKEN_VARIABLE = "AUDIT_RUN"
"""In the environment of every process of a run; several tokens, of audits within audits, are joined by colons."""

_POLL_S = 0.02
_GRACE_S = 2.0
_ROUNDS = 5


def end_marked(token: str) -> None:
    """End every process that carries the token, whoever started it."""
    end(lambda: (process for process in psutil.process_iter() if _carries(process, token)))


def end(family_now: Callable[[], Iterable[psutil.Process]]) -> None:
    """End what `family_now` yields: ask first, insist after a grace. In rounds, because one may fork meanwhile."""
    for _ in range(_ROUNDS):
        processes = list(family_now())
        if not processes:
            return
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.terminate()
        for process in living_after(_GRACE_S, processes):
            with contextlib.suppress(psutil.Error):
                process.kill()
        living_after(_GRACE_S, processes)


def living_after(within_s: float, processes: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those that have not ended within so many seconds.

    Not by psutil.wait_procs: it takes the exit code of the main process from whom it is meant for, and waits for
    zombies, which are another's to bury.
    """
    deadline = time.monotonic() + within_s
    while (living := [process for process in processes if _is_alive(process)]) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return living


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def family(main: subprocess.Popen[bytes], token: str) -> Iterator[psutil.Process]:
    """Living processes of the run: the tree below `main`, its session, and whoever carries the token."""
    tree: set[int] = set()
    if main.returncode is None:  # once reaped, its number may be another's
        with contextlib.suppress(psutil.Error):
            tree = {main.pid, *(child.pid for child in psutil.Process(main.pid).children(recursive=True))}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid == os.getpid() or not _is_alive(process):
                continue
            if process.pid in tree or os.getsid(process.pid) == main.pid or _carries(process, token):
                yield process


def _carries(process: psutil.Process, token: str) -> bool:
    """Whether it was started by this run, directly or not; unknown counts as no."""
    try:
        return _is_alive(process) and token in process.environ().get(TOKEN_VARIABLE, "").split(":")
    except (psutil.Error, OSError):
        return False
