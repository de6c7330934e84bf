"""What several runs say together."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.evidence.across import by_size, same_size
from auditor.model import Evidence, Gap, Observation
from auditor.stats import Estimate, over_runs, power_law, student95

ESTIMATES = st.tuples(st.floats(0, 100), st.floats(0, 1), st.floats(0, 3)).map(
    lambda parts: Estimate(parts[0], parts[0] * parts[1], parts[0] * (1 + parts[2]))
)


def exact(value: float) -> Estimate:
    return Estimate(value, value, value)


def run(seconds: float, hits: float = 100, size: float = 1000, gaps: tuple[Gap, ...] = ()) -> Observation:
    rows = (
        Evidence("hits", hits, hits, hits, "executions", int(hits), "probes", "bench"),
        Evidence("seconds", seconds, 0.99 * seconds, 1.01 * seconds, "s", int(hits), "probes", "bench"),
        Evidence("share", seconds / 10, seconds / 10, seconds / 10, "ratio", int(hits), "probes", "bench"),
        Evidence("size_max", size, size, size, "items", int(hits), "probes", "bench"),
    )
    return Observation("bench", 10.0, rows, gaps)


@pytest.mark.parametrize(("freedom", "quantile"), [(3, 3.182), (4, 2.776), (10, 2.228), (100, 1.984)])
def test_students_quantile_is_that_of_the_tables(freedom: int, quantile: float) -> None:
    assert student95(freedom) == pytest.approx(quantile, rel=0.01)


@given(st.lists(ESTIMATES, min_size=1, max_size=5), st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_runs_does_not_matter(runs: list[Estimate], rng: random.Random, independent: bool) -> None:
    shuffled = rng.sample(runs, len(runs))
    joined = over_runs(runs, independent=independent)
    assert over_runs(shuffled, independent=independent) == joined
    assert joined.low <= joined.value <= joined.high


def test_more_runs_narrow_the_interval_and_few_leave_it_wide() -> None:
    noisy = [exact(value) for value in (0.9, 1.1, 1.0, 0.85, 1.15, 1.05, 0.95, 1.0)]
    few, many = over_runs(noisy[:2], independent=False), over_runs(noisy, independent=False)
    assert few.high - few.low > 0.4
    assert many.high - many.low < (few.high - few.low) / 1.5


def test_two_runs_that_agree_do_not_prove_a_quiet_machine() -> None:
    joined = over_runs([exact(1.0), exact(1.0)], independent=False)
    assert joined.low < 0.9
    assert joined.high > 1.1


def test_sampling_errors_average_out_over_runs_and_an_instruments_do_not() -> None:
    runs = [Estimate(1.0, 0.2, 1.8)] * 9
    sampled, timed = over_runs(runs, independent=True), over_runs(runs, independent=False)
    assert sampled.high < 1.4
    assert timed.high >= 1.8


def test_intervals_over_runs_hold_the_truth_as_often_as_they_say() -> None:
    """Lognormal noise of more than what is believed, three runs each."""
    rng = random.Random(7)
    held = 0
    for _ in range(400):
        runs = [exact(2.0 * rng.lognormvariate(0, 0.2)) for _ in range(3)]
        joined = over_runs(runs, independent=False)
        held += joined.low <= 2.0 * 1.02 <= joined.high  # the mean of the lognormal
    assert held >= 0.93 * 400


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0])
def test_a_power_law_is_found_again(exponent: float) -> None:
    fitted = power_law([(n, exact(1e-6 * n**exponent)) for n in (1000, 2000, 4000)])
    assert fitted is not None
    assert fitted.value == pytest.approx(exponent)
    assert exponent - 0.5 < fitted.low < fitted.high < exponent + 0.5


def test_power_laws_hold_the_truth_as_often_as_they_say() -> None:
    rng = random.Random(11)
    held = 0
    for _ in range(400):
        points = [(n, exact(n**1.5 * rng.lognormvariate(0, 0.2))) for n in (1000, 2000, 4000)]
        fitted = power_law(points)
        assert fitted is not None
        held += fitted.low <= 1.5 <= fitted.high
    assert held >= 0.93 * 400


def test_no_power_law_goes_through_two_sizes_or_through_nothing() -> None:
    assert power_law([(1000, exact(1.0)), (1000, exact(1.0)), (2000, exact(2.0))]) is None
    assert power_law([(n, Estimate(0.1, 0.0, 0.2)) for n in (1, 2, 4)]) is None


@given(st.permutations(range(4)))
def test_repeated_runs_are_joined_whatever_their_order(order: list[int]) -> None:
    runs = [run(0.5), run(0.6, hits=90), run(0.7, gaps=(Gap("probes", "bench", "killed"),)), run(0.4)]
    joined = same_size([runs[number] for number in order])
    assert joined == same_size(runs)
    hits = joined.get("hits")
    assert hits is not None
    assert (hits.low, hits.value, hits.high) == (90, 100, 100)
    assert joined.gaps == (Gap("probes", "bench", "killed"),)


def test_the_greatest_size_speaks_and_exponents_are_added() -> None:
    seen = by_size({n: [run(1e-9 * n * n, hits=n, size=n)] for n in (1000, 2000, 4000)})
    seconds = seen.get("seconds")
    assert seconds is not None
    assert seconds.value == pytest.approx(0.016)
    exponents = {row.metric: row.value for row in seen.evidence if row.unit == "exponent"}
    assert exponents == pytest.approx(
        {"size_exponent": 2.0, "share_exponent": 2.0, "hit_exponent": 1.0, "input_exponent": 1.0}
    )


def test_of_a_suspect_that_ran_at_lesser_sizes_only_the_greatest_of_those_speaks() -> None:
    never = Observation("bench", 40.0, (Evidence("hits", 0, 0, 0, "executions", 0, "probes", "bench"),))
    seen = by_size({1000: [run(0.1)], 2000: [run(0.2)], 4000: [never]})
    assert seen.wall_s == 10.0
    seconds = seen.get("seconds")
    assert seconds is not None
    assert seconds.value == 0.2


def test_points_that_may_be_almost_nothing_count_little() -> None:
    fitted = power_law([(n, Estimate(1.0, 5e-324, 1.0)) for n in (1, 2, 4)])
    assert fitted is not None
    assert fitted.low < -1 < 1 < fitted.high
