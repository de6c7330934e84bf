"""The interval holds what it should, and tightens as it should."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from auditor.stats import DESIGN_EFFECT, design_effect, seconds_to_settle, wilson, zero_ceiling

counts = st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
effects = st.floats(1, 100)


@given(counts, effects)
def test_an_interval_holds_the_observed_share(count: tuple[int, int], effect: float) -> None:
    hits, samples = count
    low, high = wilson(hits, samples, effect)
    assert 0 <= low <= hits / samples <= high <= 1


@given(counts, effects)
def test_an_interval_is_wider_when_samples_resemble_one_another(count: tuple[int, int], effect: float) -> None:
    low, high = wilson(*count, effect)
    binomial_low, binomial_high = wilson(*count)
    assert low <= binomial_low
    assert high >= binomial_high


@given(st.integers(1, 10_000), st.integers(2, 50), effects)
def test_no_hits_leave_a_ceiling_that_falls_with_the_samples(samples: int, times: int, effect: float) -> None:
    assert wilson(0, samples, effect) == (0.0, zero_ceiling(samples, effect))
    # the ceiling of few samples is 1 as far as a float can tell
    assert zero_ceiling(samples * times) < zero_ceiling(samples) <= 1
    assert zero_ceiling(samples * times, effect) <= zero_ceiling(samples, effect) <= 1


@given(counts, effects)
def test_one_hit_more_never_lowers_an_end(count: tuple[int, int], effect: float) -> None:
    hits, samples = count
    assume(hits > 0)
    fewer, more = wilson(hits - 1, samples, effect), wilson(hits, samples, effect)
    assert fewer[0] <= more[0]
    assert fewer[1] <= more[1]


@pytest.mark.parametrize(("samples", "ceiling"), [(100, 0.030), (300, 0.010), (3000, 0.001)])
def test_the_ceiling_is_the_rule_of_three(samples: int, ceiling: float) -> None:
    assert zero_ceiling(samples) == pytest.approx(ceiling, rel=0.03)


def test_no_samples_exclude_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_interval_equals_a_published_one() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@pytest.mark.parametrize(("hits", "samples"), [(-1, 10), (11, 10)])
def test_impossible_counts_are_refused(hits: int, samples: int) -> None:
    with pytest.raises(ValueError, match="hits"):
        wilson(hits, samples)


# ------------------------------------------------------------------------------------------------
# Samples of a program that dwells, by a sampler that may be late


def looks(rng: random.Random, seconds: float, rate: float = 100.0) -> list[float]:
    """When py-spy looks: its intervals are exponential."""
    found, at = [], rng.expovariate(rate)
    while at < seconds:
        found.append(at)
        at += rng.expovariate(rate)
    return found


@pytest.mark.parametrize("cycle_s", [0.003, 0.01, 0.2, 2.0])
def test_a_sampler_that_is_never_late_is_right_however_long_the_program_dwells(cycle_s: float) -> None:
    """GIVEN a program of which each cycle's first 15 % are flagged, THEN 95 % of the intervals hold 15 %."""
    rng, truth, covered = random.Random(7), 0.15, 0
    for _ in range(1000):
        moments = looks(rng, 4.0)
        hits = sum(at % cycle_s < truth * cycle_s for at in moments)
        low, high = wilson(hits, len(moments), design_effect(len(moments), 0.0))
        covered += low <= truth <= high
    assert 930 <= covered <= 970


@pytest.mark.parametrize("late", [0.05, 0.15, 0.3])
def test_looks_that_were_late_may_all_be_wrong_together(late: float) -> None:
    """GIVEN that all looks that were late met with the same, THEN 95 % of the intervals hold the truth; else few do."""
    rng, truth, samples, covered, naive = random.Random(7), 0.3, 500, 0, 0
    for _ in range(1000):
        met = rng.random() < truth
        behind = round(late * samples)
        hits = behind * met + sum(rng.random() < truth for _ in range(samples - behind))
        low, high = wilson(hits, samples, design_effect(samples, late))
        covered += low <= truth <= high
        low, high = wilson(hits, samples)
        naive += low <= truth <= high
    assert covered >= 930
    assert naive < covered


def test_a_longer_run_does_not_make_up_for_a_sampler_that_is_late() -> None:
    assert zero_ceiling(10_000, design_effect(10_000, 0.1)) == pytest.approx(0.03, rel=0.03)
    assert zero_ceiling(10**7, design_effect(10**7, 0.1)) == pytest.approx(0.03, rel=0.03)


def test_a_sampler_of_which_it_is_not_known_how_late_it_was_is_not_believed_to_be_in_time() -> None:
    assert design_effect(500, None) == DESIGN_EFFECT > design_effect(500, 0.0) == 1.0


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
