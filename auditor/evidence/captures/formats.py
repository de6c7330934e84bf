"""The formats of CPU profiles: speedscope (py-spy, pyinstrument, austin), collapsed stacks (py-spy raw), pstats."""

from __future__ import annotations

import json
import marshal
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.errors import CaptureError
from auditor.evidence.speedscope import Frame, Lane, Recording

MAX_BYTES = 1 << 30
"""Larger profiles do not fit into memory several times over."""

_UNITS = {"seconds": 1.0, "milliseconds": 1e-3, "microseconds": 1e-6, "nanoseconds": 1e-9}
_PROCESS = re.compile(r"[Pp]rocess (\d+)")
_COLLAPSED = re.compile(rb"\S.* \d+\s*")
_FRAME = re.compile(r"(?P<name>.*?) \((?P<file>.*?)(?::(?P<line>\d+))?\)")
_HEADING = re.compile(r'(process \d+:".*"|thread \([^)]*\)(: .*)?)')

# Where a thread sleeps inside Python's own library. py-spy leaves such samples out unless told `--idle`.
_SLEEPS = frozenset(
    {
        ("threading.py", "wait"),
        ("threading.py", "_wait_for_tstate_lock"),
        ("selectors.py", "select"),
        ("queue.py", "get"),
        ("socket.py", "accept"),
        ("connection.py", "_recv"),
        ("thread.py", "_worker"),
    }
)
_MANY_SLEEPS = 20


@dataclass(frozen=True, slots=True)
class Sampled:
    """A profile by sampling.

    tool: what wrote it, as far as it says. seconds: how long its longest thread was sampled; None if the file does not
    tell. waits: whether it surely shows waiting, too; otherwise it may show only what held a processor. apart: whether
    threads are told apart, so that shares of one thread's time are known.
    """

    tool: str
    recording: Recording
    seconds: float | None
    waits: bool
    apart: bool = True


@dataclass(frozen=True, slots=True)
class Traced:
    """A profile by tracing: (file, first line, function) with its calls and the seconds in it and below.

    seconds: what all functions took together.
    """

    tool: str
    functions: Mapping[tuple[str, int, str], tuple[int, float]]
    seconds: float


def read_cpu_profile(file: Path) -> Sampled | Traced:
    """The profile in `file`, whatever its format.

    Raises:
        CaptureError: it cannot be read, or is none of the formats known.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise CaptureError(f"{file} has more than {MAX_BYTES >> 30} GB; take a shorter profile")
        data = file.read_bytes()
    except OSError as error:
        raise CaptureError(f"{file} cannot be read: {error.strerror}") from error
    try:
        if _is_marshalled(data):
            return _pstats(data)
        if data.lstrip()[:1] == b"{":
            return _speedscope(json.loads(data.decode("utf-8", "replace")))
        if all(_COLLAPSED.fullmatch(line) for line in data.splitlines()[:100]) and data.strip():
            return _collapsed(data.decode("utf-8", "replace").splitlines())
    except (KeyError, TypeError, ValueError, AttributeError, EOFError, IndexError, RecursionError) as error:
        raise CaptureError(
            f"{file} looks like a profile, but cannot be understood ({type(error).__name__}: {error}); take it anew"
        ) from error
    raise CaptureError(
        f"{file} is no CPU profile that audit reads: give speedscope JSON (py-spy record --format speedscope),"
        " collapsed stacks (py-spy record --format raw) or pstats (python -m cProfile -o)"
    )


def _is_marshalled(data: bytes) -> bool:
    """Whether a dict with tuples as keys starts here; the high bit is marshal's mark for references."""
    return len(data) > 2 and data[0] & 0x7F == 0x7B and data[1] & 0x7F in (0x28, 0x29)


def _pstats(data: bytes) -> Traced:
    stats: Mapping[Any, Any] = marshal.loads(data)
    functions = {
        (str(file), int(line), str(name)): (int(calls), float(cumulative))
        for (file, line, name), (_primitive, calls, _own, cumulative, _callers) in stats.items()
    }
    own = sum(float(row[2]) for row in stats.values())
    return Traced("pstats", functions, own)


# ------------------------------------------------------------------------------------------------
# speedscope


def _speedscope(data: Mapping[str, Any]) -> Sampled:
    frames = tuple(
        Frame(str(frame["name"]), str(frame.get("file") or ""), int(frame.get("line") or 0))
        for frame in data["shared"]["frames"]
    )
    lanes, seconds = [], []
    for profile in data["profiles"]:
        if profile["unit"] not in (*_UNITS, "none"):
            raise ValueError(f"a profile of {profile['unit']}, not of time")
        stacks = list(_sampled(profile) if profile["type"] == "sampled" else _evented(profile))
        pid = _PROCESS.match(str(profile["name"]))
        lanes.append(Lane(int(pid[1]) if pid else 0, _counted(stacks)))
        seconds.append(sum(weight for _, weight in stacks) * _UNITS.get(profile["unit"], 0.0))
    recording = Recording(frames, tuple(lane for lane in lanes if lane.stacks))
    tool = str(data.get("exporter") or "speedscope")
    # pyinstrument samples by the clock on the wall
    waits = tool.startswith("pyinstrument") or _shows_waiting(recording)
    return Sampled(tool, recording, max(seconds, default=0.0) or None, waits)


def _sampled(profile: Mapping[str, Any]) -> Iterator[tuple[tuple[int, ...], float]]:
    samples, weights = profile["samples"], profile.get("weights") or [1.0] * len(profile["samples"])
    for stack, weight in zip(samples, weights, strict=True):
        yield tuple(stack), float(weight)


def _evented(profile: Mapping[str, Any]) -> Iterator[tuple[tuple[int, ...], float]]:
    """The stacks between events. Each holds at least one sample."""
    stack: list[int] = []
    before = float(profile["startValue"])
    for event in profile["events"]:
        at = float(event["at"])
        if stack and at > before:
            yield tuple(stack), at - before
        before = at
        if event["type"] == "O":
            stack.append(int(event["frame"]))
        else:
            stack.pop()


def _counted(stacks: Sequence[tuple[tuple[int, ...], float]]) -> Counter[tuple[int, ...]]:
    """How many samples each stack stands for, where samples may weigh differently; as many in all as there are."""
    total = sum(weight for _, weight in stacks)
    counts: dict[tuple[int, ...], float] = {}
    for stack, weight in stacks:
        if stack and weight > 0:
            counts[stack] = counts.get(stack, 0.0) + weight
    scale = len(stacks) / total if total else 0.0
    return Counter({stack: max(1, round(weight * scale)) for stack, weight in counts.items()})


# ------------------------------------------------------------------------------------------------
# collapsed stacks


def _collapsed(lines: Sequence[str]) -> Sampled:
    """Its lines are "frame;frame;frame count", the outermost first; neither rate nor threads are told.

    Stacks are told apart into threads by their outermost function, so that idle threads inflate no total.
    """
    numbers: dict[Frame, int] = {}
    lanes: dict[tuple[int, str], Counter[tuple[int, ...]]] = {}
    for line in lines:
        if not line.strip():
            continue
        text, _, count = line.rstrip().rpartition(" ")
        pid, parts = 0, text.split(";")
        while parts and _HEADING.fullmatch(parts[0]):
            found = _PROCESS.match(parts.pop(0))
            pid = int(found[1]) if found else pid
        frames = [_frame(part) for part in parts]
        if frames:
            stack = tuple(numbers.setdefault(frame, len(numbers)) for frame in frames)
            lanes.setdefault((pid, frames[0].name), Counter())[stack] += int(count)
    if not any(frame.line for frame in numbers):
        raise ValueError("its frames have no lines")
    recording = Recording(tuple(numbers), tuple(Lane(pid, stacks) for (pid, _), stacks in lanes.items()))
    longest = max(lanes, key=lambda lane: lanes[lane].total())
    # other threads all start in the same function, so that several of them look like one
    return Sampled("collapsed stacks", recording, None, _shows_waiting(recording), apart=longest[1] == "<module>")


def _frame(text: str) -> Frame:
    match = _FRAME.fullmatch(text)
    if match is None:
        return Frame(text, "", 0)
    return Frame(match["name"], match["file"], int(match["line"] or 0))


def _shows_waiting(recording: Recording) -> bool:
    sleeps = {
        number
        for number, frame in enumerate(recording.frames)
        if (frame.file.replace("\\", "/").rpartition("/")[2], frame.name.rpartition(".")[2]) in _SLEEPS
    }
    seen = sum(times for lane in recording.lanes for stack, times in lane.stacks.items() if stack[-1] in sleeps)
    # without `--idle`, a sleeping thread is now and then taken for a running one: 1 to 7 of 210 samples were seen
    return seen >= max(_MANY_SLEEPS, recording.ticks / 10)
