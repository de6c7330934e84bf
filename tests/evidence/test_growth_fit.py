"""The exponent of costs that follow a known law."""

from __future__ import annotations

import math
import random

import pytest

from auditor.evidence.timing import Bin, fit_growth
from auditor.stats import RUN_NOISE


@pytest.mark.parametrize(
    ("fixed", "factor", "exponent", "largest"),
    [
        (100, 500, 1.0, 400),  # one item costs more than all that is fixed
        (100, 5, 1.0, 10_000),
        (2_000, 5, 1.0, 10_000),
        (100, 1, 2.0, 1_000),
        (300, 50, 0.5, 100_000),
    ],
)
def test_the_exponent_is_that_of_the_law_whatever_the_fixed_part(
    fixed: float, factor: float, exponent: float, largest: float
) -> None:
    sizes = [2 ** (half / 2) for half in range(40) if 2 ** (half / 2) <= largest]
    fitted = fit_growth([Bin(size, 10, (fixed + factor * size**exponent,) * 10) for size in sizes])
    assert fitted is not None
    assert fitted[0] == pytest.approx(exponent, abs=0.02)


@pytest.mark.parametrize("peak", [500.0, 2_000.0])
def test_what_has_risen_is_never_called_constant(peak: float) -> None:
    # dear in the middle, and at the largest sizes three times as dear as at the smallest
    costs = [100.0] * 6 + [peak] * 6 + [380.0] * 4
    fitted = fit_growth([Bin(2**number, 10, (cost,) * 10) for number, cost in enumerate(costs)])
    assert fitted is None or fitted[1] > 0


def test_the_interval_holds_the_exponent_on_a_machine_that_changes_its_pace() -> None:
    """GIVEN linear costs, sizes that grow with time, and a pace that drifts, THEN 93 % of the intervals hold 1."""
    rng, held, runs = random.Random(7), 0, 60
    sizes = [2 ** (half / 2) for half in range(22)]
    for _ in range(runs):
        drift = rng.gauss(0, RUN_NOISE) / len(sizes)
        bins = []
        for place, size in enumerate(sizes):
            pace = math.exp(drift * place)
            costs = [(300 + 40 * size) * pace * rng.lognormvariate(0, 0.05) for _ in range(20)]
            bins.append(Bin(size, 20, tuple(costs)))
        fitted = fit_growth(bins)
        assert fitted is not None
        held += fitted[1] <= 1 <= fitted[2]
    assert held >= 0.93 * runs
