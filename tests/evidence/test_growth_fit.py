"""The exponent of costs that follow a known law."""

from __future__ import annotations

import pytest

from auditor.evidence.timing import Bin, fit_growth


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
