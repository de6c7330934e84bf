"""Numbers read the way people write them."""

from __future__ import annotations

import math

import pytest

from auditor.model import Gain
from auditor.report import figures

from .factory import a_row


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (0.5432, "0.54"),
        (0.996, "1"),
        (0.000123, "0.00012"),
        (0.00000123, "1.2e-06"),
        (1.0249, "1.02"),
        (9.999, "10"),
        (12.34, "12.3"),
        (100.0, "100"),
        (1234.5, "1,234"),
        (12_345.0, "12,345"),
        (-0.25, "-0.25"),
        (1e300, "1.00e+300"),
        (math.nan, "not known"),
        (math.inf, "not known"),
    ],
)
def test_a_number_has_as_many_figures_as_are_worth_reading(value: float, shown: str) -> None:
    assert figures.number(value) == shown


@pytest.mark.parametrize(
    ("metric", "value", "unit", "shown"),
    [
        ("seconds", 0.54, "s", "0.54 s"),
        ("seconds", 12.0, "s", "12 s"),
        ("seconds", 0.0002, "s", "0.2 ms"),
        ("seconds", 0.05, "s", "50 ms"),
        ("seconds", 0.0000031, "s", "3.1 µs"),
        ("seconds", 2e-9, "s", "2 ns"),
        ("seconds", 0.0, "s", "0 s"),
        ("peak_bytes", 12_300_000.0, "B", "12.3 MB"),
        ("peak_bytes", 512.0, "B", "512 B"),
        ("peak_bytes", 3.2e9, "B", "3.2 GB"),
        ("share", 0.97, "ratio", "97 %"),
        ("peak_share", 0.024, "ratio", "2.4 %"),
        ("cost_ratio", 14.0, "ratio", "14x"),
        ("per_hit", 0.97, "ratio", "0.97"),
        ("growth", 1.02, "exponent", "1.02"),
        ("hits", 12_345.0, "executions", "12,345 executions"),
        ("depth_slope", 0.91, "items per put", "0.91 items per put"),
        ("seconds", math.nan, "s", "not known"),
    ],
)
def test_a_quantity_is_shown_in_the_unit_that_suits_it(metric: str, value: float, unit: str, shown: str) -> None:
    assert figures.quantity(metric, value, unit) == shown


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [
        (0.52, 0.56, "0.52 to 0.56 s"),
        (0.305, 0.316, "0.305 to 0.316 s"),
        (0.03, 0.09, "30 to 90 ms"),
        (-0.01, 0.5, "-0.01 to 0.5 s"),
        (0.5412345, 0.5412349, "0.541 to 0.542 s"),
        (0.54, 0.5400001, "0.54 to 0.541 s"),
        (0.0123, 12.5, "0 to 12 s"),
        (0.5, 0.5, "exact"),
        (0.5, math.inf, "at least 0.5 s"),
        (-math.inf, 0.5, "at most 0.5 s"),
        (-math.inf, math.inf, "not known"),
        (math.nan, math.nan, "not known"),
    ],
)
def test_both_ends_of_an_interval_share_a_unit_and_can_be_told_apart(low: float, high: float, shown: str) -> None:
    assert figures.interval(a_row(low=low, high=high)) == shown


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(1.2, 1.4, "1.2x to 1.4x"), (1.25, 1.2501, "1.25x"), (20.0, math.inf, "over 20x"), (1.0, 1.0, "1x")],
)
def test_a_gain_is_a_factor(low: float, high: float, shown: str) -> None:
    assert figures.gain(Gain(low, high)) == shown


def test_a_ratio_to_nothing_is_not_shown() -> None:
    assert figures.ratio(2.6, 2.0) == "1.3x"
    assert figures.ratio(2.6, 0.0) == ""
    assert figures.ratio(0.0, 2.0) == ""


def test_a_count_agrees_with_its_noun() -> None:
    assert figures.counted(0, "file") == "no files"
    assert figures.counted(1, "file") == "1 file"
    assert figures.counted(2_345, "file") == "2,345 files"
    assert figures.counted(2, "entry", "entries") == "2 entries"
