"""What the timing probes share in the child: which hits to time, sums of them, and costs by size.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import os
import random
from _thread import get_ident
from bisect import bisect_left
from itertools import chain, repeat
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Iterable, List, Tuple

FULL_HITS = 20_000
"""So many hits are timed each, which costs 24 ms in all; from then on, frequent ones are thinned out."""

TIMED_PER_S = 25_000
"""Timings in a second of the processor that thinning leaves: at 1.2 us each, book-keeping included, they slow the
program by 3 %. Fewer would leave the sum at the mercy of the one timing in which the scheduler took the processor
away."""

KEPT = 48
EMPTY_EVERY = 16
EMPTY_KEPT = 200
STRETCHES = 512
"""Stretches of time remembered, for executions around them that end later; of more, every other one is forgotten."""


_open, _read, _close = os.open, os.read, os.close


class Pace:
    """How much longer things take by the clock than by the processor, which other programs have at times.

    The kernel tells for each thread for how long it ran, and for how long it was ready while others had the processors
    (Linux alone; elsewhere it is taken for none). It falls upon the instrument as it does on what is timed.
    """

    SOURCE = "/proc/thread-self/schedstat"

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """A forked process runs none of its parent's threads."""
        self._threads = {}  # type: Dict[int, Tuple[int, int]]
        self.dilation = 1.0

    def look(self) -> None:
        """Take in what the kernel says of the thread that asks."""
        try:
            file = _open(self.SOURCE, os.O_RDONLY)
            try:
                ran, waited = map(int, _read(file, 200).split()[:2])
            finally:
                _close(file)
        except (OSError, ValueError):
            return
        self._threads[get_ident()] = ran, waited
        told = list(self._threads.values())
        ran, waited = sum(one[0] for one in told), sum(one[1] for one in told)
        self.dilation = 1.0 + waited / ran if ran > 0 else 1.0


pace = Pace()


class Covered:
    """Time that was covered by executions: within one another, in recursion, or side by side, they take it once.

    They are told as they end. `early` are those that ended while all were timed, `late` those of which a part was.
    """

    __slots__ = ("_stretches", "early", "late", "union_ns", "until")

    def __init__(self) -> None:
        self._stretches = []  # type: List[Tuple[int, int, int]]
        self.until = self.union_ns = 0
        self.early = [0, 0]
        self.late = [0, 0]

    def add(self, begun: int, ended: int, is_early: bool) -> None:
        """An execution took from `begun` to `ended`."""
        before = self.union_ns
        if ended > self.until:
            self._cover(begun, ended)
        sums = self.early if is_early else self.late
        sums[0] += ended - begun
        sums[1] += self.union_ns - before

    def _cover(self, begun: int, ended: int) -> None:
        stretches = self._stretches
        if begun < self.until:
            # what lies within it was covered before
            at = bisect_left(stretches, (begun,))
            if at < len(stretches):
                self.union_ns = stretches[at][2]
                del stretches[at:]
            if stretches and stretches[-1][1] > begun:
                begun = stretches[-1][1]
        stretches.append((begun, ended, self.union_ns))
        self.union_ns += ended - begun
        self.until = ended
        if len(stretches) > STRETCHES:
            del stretches[: STRETCHES // 2 : 2]

    def alone(self, total_ns: int) -> float:
        """What executions of `total_ns` together cover, over that.

        Of those that are thinned out, most that run beside and within them are not timed, so that they seem to stand
        more alone than they do: no more alone, it is taken, than those before.
        """
        early_ns, early = self.early
        late_ns, late = self.late
        ratios = [part / whole for whole, part in ((early_ns, early), (late_ns, late)) if whole]
        if not ratios or total_ns <= 0:
            return 1.0
        rest = max(0, total_ns - early_ns)
        return min(1.0, (early + rest * min(ratios)) / (early_ns + rest))


class Samples:
    """Timed hits of one site: each while they are few or rare, then some, each standing for those skipped before it.

    `hits` counts all. The sums are in two strata: hits timed each, and hits thinned out. The distances between timed
    hits are random, so that a period of the program's own cannot hide from them.
    """

    __slots__ = (
        "bins",
        "covered",
        "empties",
        "empty_due",
        "first",
        "full_n",
        "full_ns",
        "hits",
        "last",
        "longest",
        "next",
        "rng",
        "size_max",
        "size_min",
        "thin_hits",
        "thin_n",
        "thin_ns",
        "thin_squares",
    )

    def __init__(self) -> None:
        self.rng = random.Random(20_240_229)
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.hits = 0
        self.next = 1
        self.last = 0
        self.first = 0
        self.full_n = self.full_ns = 0
        self.thin_n = self.thin_hits = self.thin_ns = self.thin_squares = 0
        self.longest = 0
        self.covered = Covered()
        self.size_min = self.size_max = -1
        self.bins = {}  # type: Dict[int, List[Any]]
        self.empties = []  # type: List[int]
        self.empty_due = 0

    def stands_for(self) -> int:
        """For how many hits the one stands that begins and is timed: itself, and those passed over before it."""
        gap, self.last = self.hits - self.last, self.hits
        return gap

    def add(self, gap: int, begun: int, ended: int, size: int = -1) -> None:
        """One timed hit: for how many it stands, when it began and ended, in ns, and its size, -1 if unknown."""
        cost = ended - begun
        if not self.first:
            self.first = begun
        if gap == 1:
            self.full_n += 1
            self.full_ns += cost
        else:
            self.thin_n += 1
            self.thin_hits += gap
            self.thin_ns += cost * gap
            self.thin_squares += cost * cost * gap
        if cost > self.longest:
            self.longest = cost
        self.covered.add(begun, ended, self.hits <= FULL_HITS)
        if size >= 0:
            self._size(cost, size)
        self.empty_due -= 1
        if self.empty_due < 0:
            self._empty()
        self.next = self.hits + self._step(ended)

    def more(self, gap: int, begun: int, ended: int) -> None:
        """A hit that was added before, and stands for so many, went on then."""
        self.full_ns += (ended - begun) * gap
        self.covered.add(begun, ended, self.hits <= FULL_HITS)

    def _empty(self) -> None:
        """Time nothing, side by side with the program: what the instrument costs changes with the machine's mood."""
        cost = _finish(_begin(), None)
        if len(self.empties) < EMPTY_KEPT:
            self.empties.append(cost)
        else:
            self.empties[self.rng.randrange(EMPTY_KEPT)] = cost
        self.empty_due = EMPTY_EVERY if len(self.empties) > EMPTY_EVERY else 0

    def _step(self, now: int) -> int:
        if self.hits < FULL_HITS:
            return 1
        mean = int(self.hits * 1e9 * pace.dilation / (now - self.first + 1) / TIMED_PER_S)
        return 1 if mean < 2 else self.rng.randrange(1, 2 * mean)

    def _size(self, cost: int, size: int) -> None:
        if size > self.size_max:
            self.size_max = size
        if self.size_min < 0 or size < self.size_min:
            self.size_min = size
        # half-octaves: twice the position of the leading bit, plus the bit after it
        lead = size.bit_length()
        key = 2 * lead + (size >> (lead - 2) & 1 if lead > 1 else 0)
        entry = self.bins.get(key)
        if entry is None:
            entry = self.bins[key] = [0, 0, 0, []]
        entry[0] += 1
        entry[1] += cost
        entry[2] += size
        if len(entry[3]) < KEPT:
            entry[3].append(cost)
        elif self.rng.random() * entry[0] < KEPT:
            entry[3][self.rng.randrange(KEPT)] = cost

    def record(self) -> Dict[str, Any]:
        """As JSON-able data."""
        return {
            "hits": self.hits,
            "full": [self.full_n, self.full_ns],
            "thin": [self.thin_n, self.thin_hits, self.thin_ns, self.thin_squares],
            "longest": self.longest,
            "process": os.getpid(),
            "span": [self.first, self.covered.until],
            "alone": self.covered.alone(self.full_ns + self.thin_ns),
            "sizes": [self.size_min, self.size_max],
            "bins": {str(key): entry for key, entry in self.bins.copy().items()},
            "instrument": self.instrument_ns(),
            "dilation": pace.dilation,
        }

    def instrument_ns(self) -> List[int]:
        """Cost of an empty timing in ns, as [low, typical, high] (5th, 50th, 95th percentile)."""
        costs = sorted(self.empties + [_finish(_begin(), None) for _ in range(max(0, 40 - len(self.empties)))])
        return [costs[len(costs) // 20], costs[len(costs) // 2], costs[len(costs) * 19 // 20]]


class Skips:
    """Passes over the hits that are not to be timed.

    `skip` says of the hit that begins whether it is passed over: an iterator written in C, which takes 15 ns on CPython
    3.11 where a function and its book-keeping take 60.
    """

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._ahead = 0
        self._passed = []  # type: List[Any]
        self.skip = chain.from_iterable(self).__next__

    def __iter__(self) -> Skips:
        return self

    def __next__(self) -> Iterable[bool]:
        ahead, self._ahead = self._ahead, 0
        if not ahead:
            self.settle()
            return (False,)
        passed = repeat(True, ahead)
        self._passed.append((ahead, passed))
        return passed

    def hit(self) -> int:
        """A hit begins that is not passed over; for how many it stands."""
        self.settle()
        self._samples.hits += 1
        return self._samples.stands_for()

    def plan(self) -> None:
        """A hit was timed, and the next one to be timed is known."""
        # other threads may have come past it meanwhile
        self._ahead = max(0, self._samples.next - self._samples.hits - 1)

    def settle(self) -> None:
        """Count the hits passed over since."""
        passed, self._passed = self._passed, []
        for expected, iterator in passed:
            left = iterator.__length_hint__()
            self._samples.hits += expected - left
            if left:
                self._passed.append((left, iterator))

    def reset(self) -> None:
        """Forget everything, after a fork; what goes on passing hits over goes on doing so."""
        self.settle()
        self._ahead = 0
        self._samples.reset()


def _begin() -> Tuple[int, int]:
    return 1, perf_counter_ns()


def _finish(begun: Tuple[int, int], value: object) -> int:
    """As the probes time: the start is returned from one call, the end taken first thing in the next."""
    now = perf_counter_ns()
    return now - begun[1]


def set_lookup_ns(count: int = 2_000) -> float:
    """Mean cost of `x in a_set` in ns, timed in this process: the constant-time alternative to a list."""
    known = set(range(1_000))
    wanted = list(range(500, 500 + count))
    start = perf_counter_ns()
    for item in wanted:
        item in known  # noqa: B015 - only its time is wanted
    return (perf_counter_ns() - start) / count
