"""What a program of the calibration is made of: parts with one suspect each, which keep their own books.

A part writes down, in every run, how long its flagged operation took, from inside (what it spins or sleeps by the
clock; of real work, what is left without 2 us a time and without outliers) and from outside (clock readings around the
whole statement, so that calls and instruments are in it). The truth lies between the two. Counts (objects kept, items
put in, connections) hold by construction.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

PARTS = 3
"""Parts of a program, which share its time about evenly."""

_BOOKS = """\
import atexit
import json
import os
import random
import sys
import threading
from time import perf_counter as now

HERE = os.path.dirname(os.path.abspath(__file__))
AROUND = 2e-6


class Books:
    inside = outside = inside_again = again = 0.0
    is_again = False
    exact = {}
    each = []
    each_again = []


def usual(each):
    # without what lies far above its neighbours, which an instrument's flush may have put there
    total = 0.0
    for first in range(0, len(each), 40):
        near = sorted(each[first : first + 40])
        total += sum(min(one, 2 * near[len(near) // 2]) for one in near)
    return max(0.0, total - AROUND * len(each))


def keep():
    if Books.each:
        Books.inside, Books.outside = usual(Books.each), sum(Books.each)
        Books.inside_again, Books.again = usual(Books.each_again), sum(Books.each_again)
    with open(os.path.join(HERE, __name__ + ".books"), "a") as file:
        row = {"inside": Books.inside, "outside": Books.outside}
        row.update({"inside_again": Books.inside_again, "outside_again": Books.again})
        file.write(json.dumps({**row, "exact": Books.exact}) + "\\n")


atexit.register(keep)


def spin(seconds):
    begun = now()
    while now() - begun < seconds:
        pass
    return now() - begun


def fill(seconds, idle):
    begun = now()
    if idle:
        threading.Event().wait(seconds)
    else:
        while now() - begun < seconds:
            pass
"""


@dataclass(frozen=True, slots=True)
class Part:
    """What is run and what is known of it.

    kind: of the expectation. costly: whether it is, by construction, where the books do not say (None: they do).
    timed, again: metrics that the books hold against the seconds from inside to outside; `again` those of repeats.
    growth: the exponent of the cost per execution. exact: counts by metric, known beforehand.
    """

    kind: str
    rules: tuple[str, ...]
    code: str
    costly: bool | None = None
    timed: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    growth: float | None = None
    exact: Mapping[str, float] = field(default_factory=dict)


def filled(code: str, values: Mapping[str, float | int | bool]) -> str:
    """The code of a part, with its values in it and its books before it."""
    return _BOOKS + code.format(**{name: repr(value) for name, value in values.items()})


def share_of(rng: random.Random) -> float:
    """Of a part's time, so that of the program it is mostly well above or well below 2 %; one in six near it."""
    low, high = rng.choices([(0.15, 0.8), (3e-4, 0.024), (0.03, 0.12)], [5, 5, 2])[0]
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def loop(rng: random.Random, seconds: float) -> dict[str, float | int | bool]:
    """How often, and how long the flagged operation and the rest take each time."""
    share = share_of(rng)
    hits = round(math.exp(rng.uniform(math.log(20), math.log(400))))
    each = share * seconds / hits
    return {"hits": hits, "each": each, "rest": (1 - share) * seconds / hits, "idle": rng.random() < 0.3}
