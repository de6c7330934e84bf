"""Cost: every line of its table, told as a measurement and what is said of it."""

from __future__ import annotations

import pytest

from auditor.model import (
    Cost,
    Evidence,
    VerdictKind,
)
from tests.judge.telling import (
    CONFIRMED,
    INCONCLUSIVE,
    KILLED,
    NOT_MEASURABLE,
    REJECTED,
    Range,
    ends,
    row,
    said,
    seen,
    time,
)


@pytest.mark.parametrize(
    ("probes", "spy", "kind", "why"),
    [
        (2.0, 2.2, CONFIRMED, "2 s of 10 s (20 %)"),
        (0.001, 2.0, REJECTED, "the line is hot for another reason"),
        (2.0, (0.0, 0.01), INCONCLUSIVE, "in a run that was not longer for it, py-spy saw at most 0.01 s"),
        (0.001, 0.002, REJECTED, "at most 1 ms"),
        (0.001, None, REJECTED, "at most 1 ms"),
        (None, 0.001, REJECTED, "at most 1 ms"),
        (2.0, (0.1, 0.5), INCONCLUSIVE, "run it for at least"),
        ((0.1, 0.5), 2.0, INCONCLUSIVE, "run it for at least"),
        (None, 2.0, NOT_MEASURABLE, "the flagged operation alone was not timed"),
        (2.0, None, CONFIRMED, "by the probes alone"),
        (None, None, NOT_MEASURABLE, "not timed"),
    ],
)
def test_time_needs_both_collectors(probes: Range | None, spy: Range | None, kind: VerdictKind, why: str) -> None:
    verdict = said(Cost(), seen(*time(probes, spy)))
    assert verdict.kind is kind
    assert why.lower() in verdict.reason.lower()


@pytest.mark.parametrize(("end", "kind"), [(4.0, CONFIRMED), ((0.0, 0.01), INCONCLUSIVE), ((0.1, 0.6), INCONCLUSIVE)])
def test_a_call_is_as_costly_as_the_end_of_its_chain(end: Range, kind: VerdictKind) -> None:
    low, high = ends(end)
    chain = (row("end_seconds", end, "py-spy", "s"), row("end_share", (low / 10, high / 10), "py-spy", "ratio"))
    assert said(Cost(), seen(*time(5, 5), *chain)).kind is kind
    assert said(Cost(), seen(*time(0.0, 0.0), *chain)).kind is REJECTED


def test_a_cost_that_only_the_probes_cause_lengthens_their_run_and_is_rejected() -> None:
    probes = row("seconds", 2.0, unit="s"), row("share", 2.0 / 12, unit="ratio")
    verdict = said(Cost(), seen(*probes, *time(None, (0.0, 0.01))))
    assert verdict.kind is REJECTED
    assert "costly only under the probe" in verdict.reason.lower()


def test_a_large_share_of_a_short_run_is_in_doubt() -> None:
    verdict = said(Cost(), seen(*time(0.03, 0.03, wall_s=0.07), wall_s=0.07))
    assert verdict.kind is INCONCLUSIVE
    assert verdict.reason == (
        "0.03 s of 0.07 s (43 %), but by itself the workload ran only 0.07 s; run it for at least 0.14 s."
    )


def test_a_large_share_of_a_short_run_is_confirmed_at_the_length_asked_for() -> None:
    assert said(Cost(), seen(*time(0.06, 0.06, wall_s=0.14), wall_s=0.14)).kind is CONFIRMED


def test_no_samples_in_a_short_run_refute_nothing() -> None:
    verdict = said(Cost(), seen(*time(None, (0.0, 0.03), wall_s=0.3), wall_s=0.3))
    assert verdict.kind is INCONCLUSIVE
    assert "anything from 0 % to 10 % of the run fits what py-spy saw" in verdict.reason


@pytest.mark.parametrize(
    ("share", "advice"),
    [((0.015, 0.065), "run it for at least"), ((0.005, 0.095), "while the machine has less else to do")],
)
def test_a_longer_run_does_not_help_a_sampler_that_came_too_late(share: tuple[float, float], advice: str) -> None:
    low, high = share
    sampled = [
        row("seconds", (10 * low, 10 * high), "py-spy", "s", n=500),
        row("share", share, "py-spy", "ratio", n=500),
    ]
    verdict = said(Cost(), seen(*time(2.0), *sampled))
    assert verdict.kind is INCONCLUSIVE
    assert advice in verdict.reason


def test_a_share_on_the_threshold_is_not_settled_by_waiting() -> None:
    verdict = said(Cost(), seen(*time(0.2, (0.1, 0.3))))
    assert verdict.kind is INCONCLUSIVE
    assert "no run under an hour would tell" in verdict.reason


def test_a_small_share_of_a_long_run_is_rejected_however_many_seconds() -> None:
    assert said(Cost(), seen(*time(3, 3, wall_s=1000), wall_s=1000)).kind is REJECTED


def test_without_py_spy_the_probes_confirm_only_beyond_their_own_cost() -> None:
    alone = seen(*time(2.0), hits=8_000_000, gaps={"py-spy": "permission denied"})
    assert said(Cost(), alone).kind is NOT_MEASURABLE
    alone = seen(*time(2.0), hits=8_000, gaps={"py-spy": "permission denied"})
    assert said(Cost(), alone).kind is CONFIRMED


def test_a_collector_that_missed_a_part_rejects_nothing() -> None:
    assert said(Cost(), seen(*time(0.001, 2.0), gaps=KILLED)).kind is NOT_MEASURABLE
    assert said(Cost(), seen(*time(2.0, 0.001), gaps={"py-spy": "sampling ended early"})).kind is CONFIRMED


@pytest.mark.parametrize(
    ("probes", "spy", "kind"),
    [
        (5.0, 2.0, CONFIRMED),
        (None, 2.0, CONFIRMED),
        (5.0, 0.001, REJECTED),
        (0.001, 2.0, REJECTED),
        (5.0, None, NOT_MEASURABLE),
        (5.0, (0.1, 0.5), INCONCLUSIVE),
        # what may be cheap as a whole is not surely costly in part
        ((0.0, 0.5), 2.0, INCONCLUSIVE),
    ],
)
def test_where_samples_are_narrowed_py_spy_speaks(probes: Range | None, spy: Range | None, kind: VerdictKind) -> None:
    assert said(Cost(below=("re/__init__.py:_compile",)), seen(*time(probes, spy))).kind is kind


def test_what_else_a_call_does_is_not_laid_to_the_probe() -> None:
    verdict = said(Cost(below=("re/__init__.py:_compile",)), seen(*time(5.0, 0.001)))
    assert verdict.reason.startswith(
        "The call is costly for the rest of what it does, what the rule looks for takes at most"
    )


def memory(size: Range, share: Range) -> tuple[Evidence, Evidence]:
    return row("peak_bytes", size, "memray", "B"), row("peak_share", share, "memray", "ratio")


@pytest.mark.parametrize(
    ("held", "spent", "kind"),
    [
        (memory(5e7, 0.4), time(0.0, 0.0), CONFIRMED),
        (memory(1e5, 0.4), time(0.0, 0.0), REJECTED),
        (memory(5e7, 0.01), time(0.0, 0.0), REJECTED),
        (memory((5e6, 5e7), 0.4), time(0.0, 0.0), INCONCLUSIVE),
        ((), time(0.0, 0.0), NOT_MEASURABLE),
        ((), time(5, 5), CONFIRMED),
        (memory(1e5, 0.4), time((0.1, 0.5), (0.1, 0.5)), INCONCLUSIVE),
        (memory((5e6, 5e7), 0.4), time((0.1, 0.5), (0.1, 0.5)), INCONCLUSIVE),
    ],
)
def test_memory_confirms_on_its_own_and_is_needed_to_reject(
    held: tuple[Evidence, ...], spent: tuple[Evidence, ...], kind: VerdictKind
) -> None:
    assert said(Cost(memory=True), seen(*held, *spent)).kind is kind


def test_memory_that_was_tracked_in_part_rejects_nothing() -> None:
    partly = seen(*memory(1e5, 0.4), *time(0.0, 0.0), gaps={"memray": "a child was not followed"})
    assert said(Cost(memory=True), partly).kind is NOT_MEASURABLE


def test_memory_does_not_count_where_the_rule_does_not_ask() -> None:
    assert said(Cost(), seen(*memory(5e9, 0.9), *time(0.0, 0.0))).kind is REJECTED


@pytest.mark.parametrize(("seconds", "kind"), [(1.0, CONFIRMED), (0.01, REJECTED), ((0.04, 0.4), INCONCLUSIVE)])
def test_what_asking_costs_in_a_coroutine_is_not_for_the_sampler_to_say(seconds: Range, kind: VerdictKind) -> None:
    low, high = ends(seconds)
    for spy in (0.0, 5.0):
        verdict = said(Cost(), seen(*time((low, high), spy), row("polled", seconds, unit="s")))
        assert verdict.kind is kind
    assert (kind is CONFIRMED) == ("py-spy does not see what the event loop does" in verdict.reason)


def test_a_share_that_the_next_run_may_find_across_the_threshold_decides_nothing() -> None:
    for spent, kind in ((0.16, REJECTED), (0.19, INCONCLUSIVE), (0.21, INCONCLUSIVE), (0.24, CONFIRMED)):
        verdict = said(Cost(), seen(*time(spent, spent)))
        assert verdict.kind is kind, spent
        assert kind is not INCONCLUSIVE or "no run under an hour would tell" in verdict.reason


def test_without_samples_a_chain_may_cost_anywhere_on_its_way() -> None:
    hot = said(Cost(), seen(*time(2.0), gaps={"chain": "permission denied", "py-spy": "permission denied"}))
    assert hot.kind is NOT_MEASURABLE
    assert "at the end of the chain is not known: permission denied" in hot.reason
    assert said(Cost(), seen(*time(0.001), gaps={"chain": "permission denied"})).kind is REJECTED


def test_what_is_handed_on_and_makes_more_as_it_is_used_is_not_rejected() -> None:
    handed = said(Cost(), seen(*time(0.001, 0.001), row("handed_on", 100)))
    assert handed.kind is INCONCLUSIVE
    assert "works on where it is used, and that was not timed" in handed.reason
    assert said(Cost(), seen(*time(0.001, 0.001), row("handed_on", 0))).kind is REJECTED


@pytest.mark.parametrize(
    ("held", "share", "kind"),
    [(3e7, 0.9, CONFIRMED), (1e6, 0.9, REJECTED), (3e7, 0.001, REJECTED), ((5e6, 3e7), 0.9, INCONCLUSIVE)],
)
def test_where_another_way_takes_as_long_memory_decides_alone(held: Range, share: float, kind: VerdictKind) -> None:
    rows = [row("peak_bytes", held, "memray", "B"), row("peak_share", share, "memray", "ratio")]
    for spent in (0.0, 5.0):
        assert said(Cost(memory=True, time=False), seen(*time(spent, spent), *rows)).kind is kind


def test_where_another_way_takes_as_long_time_alone_says_nothing() -> None:
    verdict = said(Cost(memory=True, time=False), seen(*time(5.0, 5.0), gaps={"memray": "it is not installed"}))
    assert verdict.kind is NOT_MEASURABLE
    assert "not installed" in verdict.reason


def test_an_upper_end_far_below_what_matters_is_told_in_round_figures() -> None:
    verdict = said(Cost(), seen(*time(4.4e-6, 3e-6)))
    assert verdict.kind is REJECTED
    assert verdict.reason.startswith("At most 3 µs or 0.01 % of the run")


def test_the_amount_and_the_interval_that_is_too_wide_are_of_one_collector() -> None:
    reason = said(Cost(), seen(*time((0.15, 0.25), 0.18))).reason
    assert reason.startswith("0.2 s of 10 s (2 %), but anything from 1.5 % to 2.5 % of the run fits what probes saw")
