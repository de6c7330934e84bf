"""What a number of samples says about a share of time. Pure functions; every formula names its source."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

Z95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

DESIGN_EFFECT = 3.3
"""What is assumed of a sampler of which it is not known how late it looked: that of a busy machine.

Measured over 85 runs at 100 Hz on two cores that three audits and more shared: the variance was 3.1 times the
binomial's, and intervals with this effect held the truth in 83.
"""


def design_effect(samples: int, late: float | None) -> float:
    """Variance of a sampled share over that of as many independent samples; divide their number by it.

    py-spy looks at random moments (intervals are exponential), which sees a run's shares as independent draws would,
    however long the program dwells on a line (Wolff, "Poisson arrivals see time averages", Operations Research 30,
    1982). Not so the looks that fell due while the sampler waited for a processor, the share `late` of its time: they
    are made up for when the program lets it, so all of them may be wrong together. Taken as one cluster they add
    late^2 to 1 / samples (Kish, "Survey Sampling", 1965, 5.4 and 8.2), which no longer run makes smaller.

    Over 85 runs on two busy cores the squared errors were 0.9 times what this says, and 1.3 times what the binomial
    says where `late` was below 0.1, 6 times above. DESIGN_EFFECT where `late` is not known.
    """
    return DESIGN_EFFECT if late is None else 1.0 + samples * late * late


def wilson(hits: int, samples: int, effect: float = 1.0) -> tuple[float, float]:
    """95 % interval of a share of which `hits` in `samples` were seen; its upper end is a ceiling if none was.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), with the effective
    number of samples, their number over the design effect `effect`; recommended for small numbers by Brown, Cai and
    DasGupta, Statistical Science 16 (2001). Few effective samples make its upper end fall below that of no hit at all,
    which cannot be: one hit more speaks for a greater share.

    Raises:
        ValueError: `hits` is not between 0 and `samples`.
    """
    if not 0 <= hits <= samples:
        raise ValueError(f"{hits} hits in {samples} samples")
    if hits == 0:
        return 0.0, zero_ceiling(samples, effect)
    n, p, z2 = samples / effect, hits / samples, Z95**2
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    # Rounding may push an end past the share itself at 0 or 1.
    return min(p, max(0.0, middle - half)), max(p, min(1.0, middle + half), zero_ceiling(samples, effect))


def zero_ceiling(samples: int, effect: float = 1.0) -> float:
    """The greatest share that would still leave no hit in `samples` one time in twenty (one-sided 95 %).

    The exact form of the rule of three, 3/n: Hanley and Lippman-Hand, "If nothing goes wrong, is everything all
    right?", JAMA 249 (1983). 1 if there are no samples.
    """
    return float(1 - 0.05 ** (effect / samples)) if samples > 0 else 1.0


def seconds_to_settle(value: float, low: float, high: float, threshold: float, ran_s: float) -> float:
    """How long a run, in seconds, would have to be for the interval of `value` to leave `threshold` outside.

    `value` in [`low`, `high`] is what a run of `ran_s` seconds gave. An interval shrinks with the square root of
    the number of samples (central limit theorem), a ceiling over zero hits with the number itself (rule of three).
    `ran_s` if the threshold lies outside already; infinity if the value lies on it.
    """
    if not low <= threshold <= high:
        return ran_s
    if value == threshold:
        return math.inf
    if value <= 0:
        return ran_s * high / threshold
    return float(max(ran_s, ran_s * ((high - low) / 2 / (value - threshold)) ** 2))


# ------------------------------------------------------------------------------------------------
# Several runs

RUN_NOISE = 0.15
"""How much the time of one and the same work differs from run to run, as a standard deviation over the mean.

What is believed before there are runs to tell; `benchmarks/calibration` prints what it was on its programs.
"""
BELIEF = 2
"""As many runs' worth of belief is put into RUN_NOISE: a few runs that happen to agree do not prove a quiet machine."""

DRAWS = 1_000


class Estimate(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float

    def over(self, whole: float) -> Estimate:
        """The same as a share of `whole`."""
        return Estimate(*(end / whole for end in self)) if whole > 0 else Estimate(0.0, 0.0, 1.0)


def student95(freedom: int) -> float:
    """Two-sided 95 % quantile of Student's t, within 1 % for 3 degrees of freedom and more.

    Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, 26.7.5.

    Raises:
        ValueError: there are fewer.
    """
    if freedom < 3:
        raise ValueError(f"{freedom} degrees of freedom")
    z = Z95
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )


def over_runs(runs: Sequence[Estimate], *, independent: bool) -> Estimate:
    """The mean of several runs with its 95 % interval; the order of the runs does not matter.

    Three doubts are joined. Between runs: percentile bootstrap of the mean (Efron and Tibshirani, An Introduction to
    the Bootstrap, 1993, 13.3), each side widened as few runs demand (Hesterberg, "What teachers should know about the
    bootstrap", The American Statistician 69, 2015: by the square root of n / (n - 1), and Student's t for the normal
    quantile). What is believed of runs beforehand, RUN_NOISE, counts as BELIEF further runs (the scaled inverse chi
    squared prior of Gelman et al., Bayesian Data Analysis, 2013, 3.2). Within each run, the interval it came with:
    where these are `independent`, as of samples, they average out, else, as of an instrument's cost, they do not.

    Raises:
        ValueError: there are no runs.
    """
    if not runs:
        raise ValueError("no runs")
    n = len(runs)
    if n == 1:
        return runs[0]
    ordered = sorted(runs)
    mean = fmean(run.value for run in ordered)
    freedom = BELIEF + n - 1
    wide = student95(freedom) / Z95
    prior = Z95 * wide * RUN_NOISE * mean * math.sqrt(BELIEF / freedom / n)
    below, above = _bootstrap([run.value for run in ordered])
    seen = wide * math.sqrt(n / (n - 1)) * math.sqrt((n - 1) / freedom)

    def side(between: float, within: Sequence[float]) -> float:
        own = math.hypot(*within) / n if independent else fmean(within)
        return math.hypot(seen * between, prior, own)

    low = mean - side(mean - below, [run.value - run.low for run in ordered])
    high = mean + side(above - mean, [run.high - run.value for run in ordered])
    return Estimate(mean, max(low, min(0.0, *(run.low for run in ordered))), high)


def _bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """2.5th and 97.5th percentile of the mean of values drawn anew."""
    rng = random.Random(1_979)
    means = sorted(fmean(rng.choices(values, k=len(values))) for _ in range(DRAWS))
    return means[int(0.025 * DRAWS)], means[int(0.975 * DRAWS)]


def power_law(points: Sequence[tuple[float, Estimate]]) -> Estimate | None:
    """Exponent p in y = c * x^p with its 95 % interval; None unless three different x have a y surely above zero.

    Least squares of log(y) over log(x), weighted by each y's own interval and RUN_NOISE. The scatter around the line
    widens the interval, which is Student's; BELIEF counts as further points that scatter as expected, as in `over_runs`
    (Gelman et al., Bayesian Data Analysis, 2013, 14.2 and 14.8).
    """
    usable = sorted((x, y) for x, y in points if x > 0 and y.low > 0)
    if len({x for x, _ in usable}) < 3:
        return None
    xs, ys = [math.log(x) for x, _ in usable], [math.log(y.value) for _, y in usable]
    weights = [1 / (RUN_NOISE**2 + _log_error(y) ** 2) for _, y in usable]
    total = sum(weights)
    x_mean = _dot(weights, xs) / total
    y_mean = _dot(weights, ys) / total
    spread = sum(w * (x - x_mean) ** 2 for w, x in zip(weights, xs, strict=True))
    slope = sum(w * (x - x_mean) * (y - y_mean) for w, x, y in zip(weights, xs, ys, strict=True)) / spread
    scatter = sum(w * (y - y_mean - slope * (x - x_mean)) ** 2 for w, x, y in zip(weights, xs, ys, strict=True))
    freedom = BELIEF + len(usable) - 2
    margin = student95(freedom) * math.sqrt((BELIEF + scatter) / freedom / spread)
    return Estimate(slope, slope - margin, slope + margin)


def _log_error(y: Estimate) -> float:
    # a quotient of the two may overflow
    return max(math.log(y.high) - math.log(y.value), math.log(y.value) - math.log(y.low)) / Z95


def _dot(first: Sequence[float], second: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(first, second, strict=True))
