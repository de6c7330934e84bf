"""The interval holds what it should, and tightens as it should."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auditor.stats import DESIGN_EFFECT, seconds_to_settle, wilson, zero_ceiling

counts = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_an_interval_holds_the_observed_share(count: tuple[int, int]) -> None:
    hits, samples = count
    low, high = wilson(hits, samples)
    assert 0 <= low <= hits / samples <= high <= 1


@given(counts)
def test_an_interval_is_wider_when_samples_resemble_one_another(count: tuple[int, int]) -> None:
    low, high = wilson(*count)
    binomial_low, binomial_high = wilson(*count, design_effect=1.0)
    assert low <= binomial_low
    assert high >= binomial_high


@given(st.integers(1, 10_000), st.integers(2, 50))
def test_no_hits_leave_a_ceiling_that_falls_with_the_samples(samples: int, times: int) -> None:
    assert wilson(0, samples) == (0.0, zero_ceiling(samples))
    assert zero_ceiling(samples * times) < zero_ceiling(samples) <= 1


@given(st.integers(5, 1000))
def test_one_hit_never_lowers_the_ceiling(samples: int) -> None:
    assert wilson(1, samples)[1] >= zero_ceiling(samples)


@pytest.mark.parametrize(("samples", "ceiling"), [(100, 0.030), (300, 0.010), (3000, 0.001)])
def test_the_ceiling_is_the_rule_of_three(samples: int, ceiling: float) -> None:
    assert zero_ceiling(samples, design_effect=1.0) == pytest.approx(ceiling, rel=0.03)


def test_no_samples_exclude_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_interval_equals_a_published_one() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263.
    assert wilson(81, 263, design_effect=1.0) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize(("hits", "samples"), [(-1, 10), (11, 10)])
def test_impossible_counts_are_refused(hits: int, samples: int) -> None:
    with pytest.raises(ValueError, match="hits"):
        wilson(hits, samples)


def test_the_interval_covers_the_truth_when_hits_come_in_clusters() -> None:
    """Samples in runs of 2.2 on average have the design effect that the interval assumes."""
    rng = random.Random(7)
    truth, samples, covered = 0.1, 440, 0
    for _ in range(1000):
        hits = sum(
            sum(rng.random() < truth for _ in range(int(samples / 10 / DESIGN_EFFECT))) * DESIGN_EFFECT
            for _ in range(10)
        )
        low, high = wilson(round(hits), samples)
        covered += low <= truth <= high
    assert covered >= 930


@given(
    hits=st.integers(0, 500),
    rest=st.integers(50, 5000),
    threshold=st.floats(0.001, 0.5),
)
def test_twice_the_settling_length_does_settle(hits: int, rest: int, threshold: float) -> None:
    samples = hits + rest
    needed = seconds_to_settle(hits / samples, *wilson(hits, samples), threshold, samples / 100)
    assume(needed < 1e6)
    times = math.ceil(2 * needed / (samples / 100))  # the square-root law is an approximation for few samples
    low, high = wilson(times * hits, times * samples)
    assert not low < threshold < high


def test_a_settled_question_needs_no_longer_run() -> None:
    assert seconds_to_settle(0.5, 0.4, 0.6, 0.02, 3.0) == 3.0


def test_a_share_on_the_threshold_is_never_settled() -> None:
    assert seconds_to_settle(0.02, 0.01, 0.04, 0.02, 3.0) == math.inf


def test_no_hits_are_settled_when_the_ceiling_has_come_down() -> None:
    assert seconds_to_settle(0.0, 0.0, 0.06, 0.02, 1.0) == pytest.approx(3.0)
