"""Watching a process that is running, from outside and without changing it."""

from __future__ import annotations

import math
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import psutil

from auditor.errors import CaptureError
from auditor.evidence.base import Outcome, Question
from auditor.evidence.captures.cpu import judge_samples
from auditor.evidence.captures.formats import Sampled, read_cpu_profile
from auditor.evidence.gate import NONE_FOUND, explain, pyspy_program, reasons
from auditor.evidence.passes.pyspy import RATE_HZ
from auditor.model import Workload

_POLL_S = 0.1
_GRACE_S = 60.0


def watch(
    workload: Workload,
    questions: Sequence[Question],
    target: Path,
    audited: Sequence[Path],
    scratch: Path,
    stop: threading.Event,
) -> Outcome:
    """Sample the process and its children for `workload.timeout_s` seconds, until it ends, or until `stop` is set.

    Raises:
        CaptureError: there is no such process, it is no Python process, or it may not be read.
    """
    pid = int(workload.command)
    try:
        since = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess as error:
        raise CaptureError(f"--pid {pid}: there is no such process") from error
    except psutil.Error as error:
        raise CaptureError(f"--pid {pid}: the process cannot be looked at ({error})") from error
    recording = scratch / "process.json"
    said, watched_s = _sample(pid, workload.timeout_s or math.inf, recording, stop)
    if not recording.is_file() or not recording.stat().st_size:
        raise CaptureError(f"--pid {pid}: {_why(pid, said)}")
    profile = read_cpu_profile(recording)
    assert isinstance(profile, Sampled)
    # the rate is nominal, the time watched is not; idle threads were sampled, too
    profile = replace(profile, seconds=watched_s, waits=True)
    outcome = judge_samples(profile, questions, target, audited, workload.name, since)
    return replace(outcome, run=replace(outcome.run, warnings=_warnings(outcome, profile, watched_s, stop)))


def _sample(pid: int, seconds: float, recording: Path, stop: threading.Event) -> tuple[list[str], float]:
    """Run py-spy; what it said, and for how long it watched."""
    program = pyspy_program()
    if program is None:
        return ["py-spy was not found"], 0.0
    log = recording.with_suffix(".log")
    with log.open("w", encoding="utf-8") as out:
        started = time.perf_counter()
        spy = subprocess.Popen(
            (
                *(program, "record", "--pid", str(pid), "--subprocesses", "--idle", "--full-filenames"),
                *("--format", "speedscope", "--rate", str(RATE_HZ), "--output", str(recording)),
                *("--duration", "unlimited" if math.isinf(seconds) else str(math.ceil(seconds))),
            ),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for audit, which has py-spy write down what it has
        )
        try:
            while spy.poll() is None and not stop.is_set():
                time.sleep(_POLL_S)
            watched_s = time.perf_counter() - started
            if spy.poll() is None:
                spy.send_signal(signal.SIGINT)
            spy.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            if spy.poll() is None:
                spy.kill()
                spy.wait()
    return log.read_text(encoding="utf-8", errors="replace").splitlines(), min(watched_s, seconds)


def _why(pid: int, said: Sequence[str]) -> str:
    """Why nothing was recorded."""
    said = reasons(pid, list(said))
    if not psutil.pid_exists(pid):
        return "the process ended before it could be looked at"
    if any(word in line for line in said for word in (NONE_FOUND, "Failed to find python version")):
        return "neither it nor any process below it runs Python that py-spy can read"
    return explain(said).replace("the workload's process", "the process")


def _warnings(outcome: Outcome, profile: Sampled, watched_s: float, stop: threading.Event) -> tuple[str, ...]:
    said = [one for one in outcome.run.warnings if not one.startswith("read as")]
    due = watched_s * RATE_HZ
    if profile.recording.ticks < due / 2:
        said.append(f"py-spy looked {profile.recording.ticks} times where {due:.0f} were due; the machine was busy")
    if stop.is_set():
        said.append(f"interrupted after {watched_s:.1f} s; what was sampled until then is kept")
    return tuple(said)
