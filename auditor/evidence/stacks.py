"""Counting the samples that speak of a suspect, and turning counts into seconds with their doubt."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.evidence.speedscope import Frame, Recording
from auditor.stats import Estimate, design_effect, wilson

LOOPS = (
    *("asyncio/events.py:_run", "asyncio/base_events.py:run_forever", "asyncio/runners.py:run"),
    *("uvloop/__init__.py:run", "trio/_core/_run.py:run", "aiohttp/web.py:run_app", "uvicorn/server.py:run"),
    *("uvicorn/_compat.py:asyncio_run", "tornado/platform/asyncio.py:start", "sanic/server/runners.py:_serve_http_1"),
)
"""Functions below which a program's own code is called by an event loop alone. uvloop's own frames do not show, those
of who runs it mostly do; where none does, samples cannot tell."""

STARTING = ("/threading.py", "/concurrent/futures/", "/multiprocessing/")
"""Parts of the paths of files through which threads, processes and executors are started."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which stacks count: those with a frame of `file` (a real path) at one of `lines` (first, last).

    below: if any, one of these functions ("file-suffix:function") must be called from there, directly or not.
    in_loop: whether an event loop must have called it.
    through: if any, a place (a real path, lines as above) at which a function called from there must stand.
    at_module: whether the frame must be the module's own code, and call what starts threads or processes itself: all
    that a script does is called from its module in the end.
    """

    file: str
    lines: tuple[tuple[int, int], ...]
    below: tuple[str, ...] = ()
    in_loop: bool = False
    through: tuple[str, tuple[tuple[int, int], ...]] | None = None
    at_module: bool = False

    def flags(self, frame: Frame) -> bool:
        """Whether a frame of the right file stands at one of the lines."""
        return _is_at(frame, self.lines) and (frame.name == "<module>" or not self.at_module)


@dataclass(slots=True)
class Tally:
    """Samples of one pattern over all recordings of a run.

    ticks: how often py-spy looked, over `watched_s` seconds. hits: matching samples of all threads, one a tick at most.
    busiest: those of the one thread that had most. hit_s: `hits` in seconds. busy_s: seconds watched of processes with
    hits, which exceed the run's wall time where several of them ran side by side. late_s: seconds in which py-spy
    waited for a processor, None if that is not known.
    """

    ticks: int = 0
    hits: int = 0
    busiest: int = 0
    watched_s: float = 0.0
    hit_s: float = 0.0
    busy_s: float = 0.0
    late_s: float | None = 0.0

    def seconds(self, wall_s: float) -> Estimate:
        """Wall seconds during which the pattern held, with a 95 % interval.

        Samples do not say whether threads were there at the same time: value and upper end assume that they never were,
        the lower end that they always were, so that it is the busiest thread's.
        """
        late = None if self.late_s is None or not self.watched_s else self.late_s / self.watched_s
        effect = design_effect(self.ticks, late)
        low, _ = wilson(self.busiest, self.ticks, effect)
        _, high = wilson(self.hits, self.ticks, effect)
        overlap = max(1.0, self.busy_s / wall_s) if wall_s > 0 else 1.0
        return Estimate(
            value=min(wall_s, self.hit_s),
            low=min(wall_s, self.hit_s, low * self.watched_s / overlap),
            high=min(wall_s, max(self.hit_s, high * self.watched_s)),
        )


@dataclass(slots=True)
class Tallies:
    """The tallies of several patterns; recordings are added one after another."""

    patterns: Sequence[Pattern]
    cwd: str
    of: dict[Pattern, Tally] = field(init=False)

    def __post_init__(self) -> None:
        self.of = {pattern: Tally() for pattern in self.patterns}

    def add(self, recording: Recording, watched_s: float, late: float | None = None) -> None:
        """Count a recording whose longest-lived thread ran for `watched_s` seconds after it was let go.

        `late` is the share of these in which the sampler waited for a processor, None if that is not known.

        Samples are nominally 1/rate apart, but lag behind on a busy machine: what they stand for is measured.
        """
        matcher = _Matcher(recording.frames, self.patterns, self.cwd)
        ticks = recording.ticks
        counts = [matcher.count(lane.stacks) for lane in recording.lanes]
        for pattern, tally in self.of.items():
            by_lane = [count[pattern] for count in counts if pattern in count]
            hits = min(ticks, sum(by_lane))
            tally.ticks += ticks
            tally.hits += hits
            tally.busiest += max(by_lane, default=0)
            tally.watched_s += watched_s
            tally.late_s = None if late is None or tally.late_s is None else tally.late_s + late * watched_s
            if hits:
                tally.hit_s += hits / ticks * watched_s
                tally.busy_s += watched_s


class _Matcher:
    """Patterns resolved against the frames of one recording, so that each distinct stack is walked once."""

    def __init__(self, frames: Sequence[Frame], patterns: Sequence[Pattern], cwd: str) -> None:
        by_file: dict[str, list[Pattern]] = {}
        for pattern in patterns:
            by_file.setdefault(pattern.file, []).append(pattern)
        real = {file: os.path.realpath(os.path.join(cwd, file)) for file in {frame.file for frame in frames}}  # noqa: PTH118
        self._flagged = {
            number: matching
            for number, frame in enumerate(frames)
            if (matching := [one for one in by_file.get(real[frame.file], ()) if one.flags(frame)])
        }
        self._called = {
            name: {number for number, frame in enumerate(frames) if is_function(frame, name)}
            for name in {name for pattern in patterns for name in pattern.below}
        }
        self._through = {
            (file, lines): {
                number for number, frame in enumerate(frames) if real[frame.file] == file and _is_at(frame, lines)
            }
            for file, lines in {pattern.through for pattern in patterns if pattern.through is not None}
        }
        self._loop = loop_frames(frames)
        self._starting = {
            number for number, frame in enumerate(frames) if any(part in f"/{frame.file}" for part in STARTING)
        }

    def count(self, stacks: Mapping[tuple[int, ...], int]) -> dict[Pattern, int]:
        """How many samples match each pattern; patterns without any are left out."""
        counts: dict[Pattern, int] = {}
        for stack, times in stacks.items():
            for pattern in self._matching(stack):
                counts[pattern] = counts.get(pattern, 0) + times
        return counts

    def _matching(self, stack: tuple[int, ...]) -> set[Pattern]:
        matching = set()
        in_loop = False
        for depth, number in enumerate(stack):
            for pattern in self._flagged.get(number, ()):
                if (in_loop or not pattern.in_loop) and self._calls(stack[depth + 1 :], pattern):
                    matching.add(pattern)
            in_loop = in_loop or number in self._loop
        return matching

    def _calls(self, deeper: tuple[int, ...], pattern: Pattern) -> bool:
        if pattern.at_module and self._starting.isdisjoint(deeper[:1]):
            return False
        if pattern.through is not None and self._through[pattern.through].isdisjoint(deeper):
            return False
        return not pattern.below or any(not self._called[name].isdisjoint(deeper) for name in pattern.below)


def _is_at(frame: Frame, lines: Iterable[tuple[int, int]]) -> bool:
    return any(first <= frame.line <= last for first, last in lines)


def is_function(frame: Frame, name: str) -> bool:
    """Whether a frame is of the function "file-suffix:function"; whole path components, last part of a dotted name."""
    suffix, _, function = name.rpartition(":")
    return f".{frame.name}".endswith(f".{function}") and f"/{frame.file}".replace("\\", "/").endswith(f"/{suffix}")


def loop_frames(frames: Sequence[Frame]) -> set[int]:
    """The numbers of those that run an event loop."""
    return {number for number, frame in enumerate(frames) if any(is_function(frame, name) for name in LOOPS)}
