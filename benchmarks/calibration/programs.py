"""Programs whose shares of time, growth and leaks are known by construction."""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmarks.calibration.costs import (
    constant,
    cost,
    cost_and_memory,
    repetition,
    repetition_by_key,
    scaling,
    stall,
    wait,
    wait_for_lock,
)
from benchmarks.calibration.leaks import backlog, reuse, tasks, threads
from benchmarks.calibration.part import PARTS, Part

_MAKERS = (
    cost, backlog, scaling, stall, tasks, repetition, wait, threads, cost_and_memory, constant, reuse, cost,
    repetition_by_key, wait_for_lock
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Program:
    """Parts that run one after another, each a module of its own, by name."""

    number: int
    parts: dict[str, Part]

    @property
    def main(self) -> str:
        """The source of the program itself."""
        return "".join(f"import {name}\n" for name in self.parts)


def program(number: int, seed: int, seconds: float) -> Program:
    """The program of that number; the same for the same seed. It runs for about so many seconds."""
    rng = random.Random(f"{seed}/{number}")
    makers = [_MAKERS[(PARTS * number + number // 4 + place) % len(_MAKERS)] for place in range(PARTS)]
    parts = [maker(rng, seconds / PARTS * rng.uniform(0.7, 1.3)) for maker in makers]
    return Program(number, {f"part_{place}": part for place, part in enumerate(parts)})
