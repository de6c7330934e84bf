"""What py-spy writes: for each thread of each process, the stacks that it was seen with."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_NAME = re.compile(r"Process (\d+)")


class Frame(NamedTuple):
    """A function at a line. `file` is as the interpreter compiled it, so it may be relative."""

    name: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Lane:
    """One thread of process `pid`: how often each stack was seen. Stacks are frame numbers, the outermost first."""

    pid: int
    stacks: Counter[tuple[int, ...]]

    @property
    def samples(self) -> int:
        """How often the thread was looked at."""
        return self.stacks.total()


@dataclass(frozen=True, slots=True)
class Recording:
    """All that one py-spy saw."""

    frames: tuple[Frame, ...]
    lanes: tuple[Lane, ...]

    @property
    def ticks(self) -> int:
        """How often py-spy looked: the samples of the longest-lived thread."""
        return max((lane.samples for lane in self.lanes), default=0)


def read_recording(file: Path, ignore: Path) -> Recording:
    """Read a speedscope file, leaving out samples taken inside the file `ignore` (the wait at the gate).

    Raises:
        ValueError: it is not what py-spy writes.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8", errors="replace"))
        frames = tuple(
            Frame(frame["name"], frame.get("file") or "", frame.get("line") or 0) for frame in data["shared"]["frames"]
        )
        ignored = {number for number, frame in enumerate(frames) if frame.file == str(ignore)}
        lanes = tuple(_lane(profile, ignored) for profile in data["profiles"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file.name} lacks {error}") from error
    return Recording(frames, tuple(lane for lane in lanes if lane.stacks))


def _lane(profile: dict[str, object], ignored: set[int]) -> Lane:
    name = _NAME.match(str(profile["name"]))
    stacks = profile["samples"]
    if name is None or not isinstance(stacks, list):
        raise KeyError("the samples of a process")
    return Lane(int(name[1]), Counter(stack for stack in map(tuple, stacks) if ignored.isdisjoint(stack)))
