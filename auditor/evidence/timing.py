"""What the records of the timing probes say: seconds with their interval, and how the cost grows with size."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median
from typing import Any

from auditor.stats import RUN_NOISE

Row = tuple[str, float, float, float, str, int]

Z95 = 1.959964
MIN_HITS = 5
SPREAD = 8.0
"""Sizes must lie this far apart before a slope is fitted: three doublings."""
RESOLVABLE_NS = 100.0
"""What the largest sizes must cost above the smallest; less is the clock's own noise."""
FLOOR_NS = 20.0
"""Least cost that is told from none."""
FLAT = 2.0
RISEN = 3.0
LARGE = 1_000.0
"""Sizes must have come so far before a cost is called constant: small ones hide any growth behind the fixed part."""
ROUNDS = 300
FIXED_ROUNDS = 4


def time_rows(records: Sequence[dict[str, Any]]) -> list[Row]:
    """`hits`, and `seconds` with the instrument's cost taken off.

    The interval of `seconds` joins two doubts: what the instrument costs (its 5th to 95th percentile in that process,
    as much longer as the process took by the clock than by the processor), and, where hits were thinned out, the
    sampling error of a stratified mean (Cochran, Sampling Techniques, 1977, 5.4).
    Hits side by side in threads, tasks or processes, or within one another, take the time of one; the upper end is
    their sum.
    """
    hits = sum(record["hits"] for record in records)
    found: list[Row] = [("hits", hits, hits, hits, "executions", hits)]
    timed = sum(record["full"][0] + record["thin"][0] for record in records)
    if timed:
        value, low, high = _side_by_side(records)
        found.append(("seconds", value, low, high, "s", timed))
    return found


def _summed(records: Iterable[dict[str, Any]]) -> tuple[float, float, float]:
    value, low, high = (sum(part) for part in zip(*(_seconds(record) for record in records), strict=True))
    return value, low, high


def _side_by_side(records: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Of processes that run at the same time, the one that spends most of it here counts.

    Each is taken to spend its seconds evenly between its first and its last hit, by a clock that all processes share.
    """
    processes: dict[int, list[dict[str, Any]]] = {}
    for number, record in enumerate(records):
        if record["hits"]:
            processes.setdefault(record.get("process", -number), []).append(record)
    if not processes:
        return 0.0, 0.0, 0.0
    spent = {process: _summed(own) for process, own in processes.items()}
    value, low, high = (sum(part) for part in zip(*spent.values(), strict=True))
    spans = {process: _span(own) for process, own in processes.items()}
    if len(spans) < 2 or not all(begun < ended for begun, ended in spans.values()):
        return value, low, high
    borders = sorted({border for span in spans.values() for border in span})
    value = low = 0.0
    for begun, ended in pairwise(borders):
        running = [process for process, span in spans.items() if span[0] <= begun and ended <= span[1]]
        if running:
            value += max(_rate(spent[one][0], spans[one]) for one in running) * (ended - begun) / 1e9
            low += max(_rate(spent[one][1], spans[one]) for one in running) * (ended - begun) / 1e9
    return value, low, high


def _span(records: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """When the first hit began and the last one ended, in ns; the end not after the begin if that is not known."""
    known = [record["span"] for record in records if "span" in record and record["span"][0]]
    return min((begun for begun, _ in known), default=0), max((ended for _, ended in known), default=0)


def _rate(seconds: float, span: tuple[int, int]) -> float:
    return seconds * 1e9 / (span[1] - span[0])


def _seconds(record: dict[str, Any]) -> tuple[float, float, float]:
    full_n, full_ns = record["full"]
    n, represented, total_ns, squares = record["thin"]
    counted = full_n + represented
    raw = full_ns + total_ns
    # hits after the last timed one are not represented yet
    scale = record["hits"] / counted if counted else 0.0
    error = 0.0
    if n > 1:
        mean = total_ns / represented
        variance = max(0.0, squares / represented - mean * mean)
        error = Z95 * represented * math.sqrt(variance / n)
    # of the time for which others had the processor, the instrument has its part
    dilation = record.get("dilation", 1.0)
    cheap, typical, dear = record["instrument"]
    typical, dear = typical * dilation, dear * dilation
    low, value, high = (
        max(0.0, raw - counted * cost + sign * error) * scale / 1e9
        for cost, sign in ((dear, -1), (typical, 0), (cheap, 1))
    )
    alone = record.get("alone", 1.0)
    return value * alone, low * alone, high


def size_rows(records: Sequence[dict[str, Any]]) -> list[Row]:
    """`size_min` and `size_max`, where sizes were seen."""
    sized = [record for record in records if record["sizes"][1] >= 0]
    if not sized:
        return []
    n = sum(entry[0] for record in sized for entry in record["bins"].values())
    least = min(record["sizes"][0] for record in sized)
    most = max(record["sizes"][1] for record in sized)
    return [("size_min", least, least, least, "items", n), ("size_max", most, most, most, "items", n)]


@dataclass(frozen=True, slots=True)
class Bin:
    """Costs in ns, instrument taken off, at about one size."""

    size: float
    n: int
    costs: tuple[float, ...]


def growth_rows(records: Sequence[dict[str, Any]]) -> list[Row]:
    """`growth`: the exponent of cost against size, if the data support a fit."""
    bins = _bins(records)
    fit = fit_growth(bins)
    if fit is None:
        return []
    return [("growth", *fit, "exponent", sum(one.n for one in bins))]


def _bins(records: Sequence[dict[str, Any]]) -> list[Bin]:
    merged: dict[int, list[tuple[int, float, list[float]]]] = {}
    for record in records:
        typical = record["instrument"][1]
        for key, (n, _total, sizes, kept) in record["bins"].items():
            merged.setdefault(int(key), []).append((n, sizes, [cost - typical for cost in kept]))
    return [
        Bin(
            size=sum(sizes for _, sizes, _ in parts) / sum(n for n, _, _ in parts),
            n=sum(n for n, _, _ in parts),
            costs=tuple(cost for _, _, kept in parts for cost in kept),
        )
        for _key, parts in sorted(merged.items())
    ]


def fit_growth(bins: Sequence[Bin]) -> tuple[float, float, float] | None:
    """Exponent p in cost = a + b * size^p with its 95 % interval, None if the data do not support a fit.

    One point for each half-octave of sizes. Three cases, by the cost at the smallest sizes:

    - The cost at the largest sizes is within a factor FLAT of it, and sizes reached LARGE: it is constant.
    - It is at least a factor RISEN above it: a line through log(cost - a) against log(size), over the sizes at which
      the cost has doubled. Of the cost at the smallest sizes, a is what the law found does not account for, in a few
      rounds. The interval is a percentile bootstrap within the bins (Efron and Tibshirani, An Introduction to the
      Bootstrap, 1993, 13.3), drawn with a fixed seed, widened by the scatter around the line. If that reaches zero, the
      line does not describe what has risen. Large sizes mostly come later than small ones, so a machine that changes
      its pace meanwhile turns the line: RUN_NOISE at either end widens the interval, too, but not below the least rise.
    - Anything between is left open: an allocator or a cache explains it as well as growth does.
    """
    usable = [one for one in bins if len(one.costs) >= MIN_HITS and one.size >= 1]
    if len(usable) < 4 or usable[-1].size < SPREAD * usable[0].size:
        return None
    rng = random.Random(1_979)
    rises = sorted(_rise(usable, rng) for _ in range(ROUNDS))
    rise = _rise(usable, None)
    reach = math.log(usable[-1].size / usable[0].size)
    if rises[int(0.975 * ROUNDS)] < FLAT:
        if usable[-1].size < LARGE:
            return None
        bound = math.log(FLAT) / reach
        value = math.log(max(rise, 1 / FLAT)) / reach
        return value, min(value, -bound), max(value, bound)
    if rises[int(0.025 * ROUNDS)] < RISEN:
        return None
    return _fit_risen(usable, rng, math.log(RISEN) / reach)


def _rise(bins: Sequence[Bin], rng: random.Random | None) -> float:
    """Cost at the largest sizes over the cost at the smallest; with `rng`, of costs drawn anew."""
    floor, top = _floor(bins, rng), fmean(_drawn_centre(one, rng) for one in bins[-2:])
    return top / floor if top - floor >= RESOLVABLE_NS else 1.0


def _floor(bins: Sequence[Bin], rng: random.Random | None) -> float:
    small = [one for one in bins if one.size <= bins[-1].size / SPREAD][:4] or bins[:1]
    return max(FLOOR_NS, min(_drawn_centre(one, rng) for one in small))


def _fit_risen(bins: Sequence[Bin], rng: random.Random, least: float) -> tuple[float, float, float] | None:
    floor = _floor(bins, None)
    upper = [one for one in bins if _centre(one.costs) >= 2 * floor]
    if len(upper) < 3:
        return None

    def excess(draw: random.Random | None, fixed: float) -> list[float]:
        return [max(FLOOR_NS, _drawn_centre(one, draw) - fixed) for one in upper]

    smallest = min(bins[:4], key=lambda one: _centre(one.costs)).size
    reach, top = upper[-1].size / smallest, _centre(upper[-1].costs)
    fixed = floor
    for _ in range(FIXED_ROUNDS):
        slope, _ = _slope(upper, excess(None, fixed))
        # cost(top) - cost(smallest) = b * (top^p - smallest^p), of which b * smallest^p is in the floor
        fixed = max(0.0, floor - (top - floor) / (reach**slope - 1)) if slope > 0 else floor
    slope, scatter = _slope(upper, excess(None, fixed))
    slopes = sorted(_slope(upper, excess(rng, fixed))[0] for _ in range(ROUNDS))
    margin = Z95 * scatter
    low, high = min(slopes[int(0.025 * ROUNDS)], slope - margin), max(slopes[int(0.975 * ROUNDS)], slope + margin)
    # it has risen, so a line that may be level says nothing of it
    if low <= 0:
        return None
    turn = Z95 * RUN_NOISE * math.sqrt(2) / math.log(upper[-1].size / upper[0].size)
    return slope, max(slope - math.hypot(slope - low, turn), min(low, least)), slope + math.hypot(high - slope, turn)


def _drawn_centre(one: Bin, rng: random.Random | None) -> float:
    return _centre(one.costs if rng is None else rng.choices(one.costs, k=len(one.costs)))


def _centre(costs: Sequence[float]) -> float:
    """Mean without the dearest tenth, which the scheduler and the collector write."""
    ordered = sorted(costs)
    kept = ordered[: max(1, len(ordered) - len(ordered) // 10)]
    return max(10.0, fmean(kept) if len(kept) > 2 else median(kept))


def _slope(bins: Sequence[Bin], costs: Sequence[float]) -> tuple[float, float]:
    """Slope of log(cost) over log(size), and its standard error from the scatter around the line.

    The slope is the median of those between all pairs (Theil and Sen: Sen, JASA 63, 1968), which one disturbed bin, or
    the step where an allocator changes its ways, does not turn; the scatter is the scaled median absolute deviation.
    """
    xs = [math.log(one.size) for one in bins]
    ys = [math.log(cost) for cost in costs]
    pairs = [(a, b) for a in range(len(xs)) for b in range(a + 1, len(xs))]
    slope = median((ys[b] - ys[a]) / (xs[b] - xs[a]) for a, b in pairs)
    middle = median(y - slope * x for x, y in zip(xs, ys, strict=True))
    deviation = 1.4826 * median(abs(y - slope * x - middle) for x, y in zip(xs, ys, strict=True))
    x_mean = fmean(xs)
    return slope, deviation / math.sqrt(sum((x - x_mean) ** 2 for x in xs))


def ratio_rows(records: Sequence[dict[str, Any]], timed: Sequence[Row]) -> list[Row]:
    """`cost_ratio`: mean cost of an execution against a set look-up timed in the same process."""
    seconds = next((row for row in timed if row[0] == "seconds"), None)
    hits = sum(record["hits"] for record in records)
    if seconds is None or not hits:
        return []
    lookup_s = fmean(record["lookup_ns"] for record in records) / 1e9
    value, low, high = (part / hits / lookup_s for part in _summed(records))
    return [("cost_ratio", value, low, high, "ratio", seconds[5])]
