"""What holds for every expectation, and of several workloads."""

from __future__ import annotations

import pytest

from auditor.model import (
    Backlog,
    Cost,
    Gap,
    Observation,
    Repetition,
    Reuse,
    Scaling,
    Stall,
    Survivors,
    Verdict,
    VerdictKind,
    Wait,
)
from tests.judge.telling import (
    CONFIRMED,
    INCONCLUSIVE,
    KILLED,
    NOT_MEASURABLE,
    REJECTED,
    Range,
    row,
    said,
    seen,
    time,
)


def test_without_a_workload_it_stays_a_suspicion() -> None:
    assert said(Cost()) == Verdict(VerdictKind.SUSPECTED, "No workload was run.")


def test_what_never_ran_is_not_exercised() -> None:
    assert said(Cost(), seen(*time(5, 5), hits=0)).kind is VerdictKind.NOT_EXERCISED


def test_no_execution_counted_while_not_all_was_seen_is_not_a_zero() -> None:
    verdict = said(Cost(), seen(hits=0, gaps=KILLED))
    assert verdict.kind is NOT_MEASURABLE
    assert "one process was killed" in verdict.reason


def test_without_a_count_the_reason_is_the_gaps() -> None:
    failed = Observation("bench", 1.0, (), (Gap("plain", "bench", "the workload failed (exit code 1)"),))
    assert said(Cost(), failed) == Verdict(NOT_MEASURABLE, "The workload failed (exit code 1).")


def test_without_a_count_and_without_a_gap_nothing_is_claimed() -> None:
    assert said(Cost(), Observation("bench", 1.0, time(5, 5))).kind is NOT_MEASURABLE


def test_evidence_of_another_kind_does_not_decide() -> None:
    hot = (*time(5, 5), row("growth", 1.0), row("peak_bytes", 1e9, "memray"), row("peak_share", 0.9, "memray"))
    for expects in (Backlog(), Survivors("tasks"), Reuse(), Stall(), Repetition(), Wait()):
        assert said(expects, seen(*hot)).kind is NOT_MEASURABLE


def test_rows_carry_the_threshold_they_were_held_against() -> None:
    verdict = said(Cost(), seen(*time(5, 5)))
    held = {(one.metric, one.collector): one.threshold for one in verdict.evidence}
    assert held == {
        ("hits", "probes"): None,
        ("seconds", "probes"): 0.05,
        ("seconds", "py-spy"): 0.05,
        ("share", "probes"): 0.02,
        ("share", "py-spy"): 0.02,
    }


def test_of_a_number_delivered_twice_the_greater_counts_in_any_order() -> None:
    shallow, deep, slope = row("depth_max", 1), row("depth_max", 20_000), row("depth_slope", 0.9)
    for rows in ((shallow, deep, slope), (slope, deep, shallow)):
        assert said(Backlog(), seen(*rows)).kind is CONFIRMED


@pytest.mark.parametrize(
    ("spent", "growth", "ratio", "kind"),
    [
        (5.0, (0.17, 0.31), 13.0, CONFIRMED),
        (5.0, (0.17, 0.31), 2.0, INCONCLUSIVE),
        (5.0, (0.17, 0.31), None, INCONCLUSIVE),
        (0.0, (0.17, 0.31), 13.0, REJECTED),
        # a look-up in a set that outgrows the processor's cache, or copying what nearly fits into it
        (5.0, (0.05, 0.14), 13.0, INCONCLUSIVE),
        (0.0, (0.05, 0.14), 13.0, REJECTED),
        (5.0, (-0.2, 0.2), 13.0, REJECTED),
        (5.0, (-0.2, 0.7), 13.0, INCONCLUSIVE),
    ],
)
def test_a_slow_growth_is_none_of_constant_and_linear(
    spent: float, growth: Range, ratio: float | None, kind: VerdictKind
) -> None:
    rows = [*time(spent, spent), row("growth", growth), row("size_min", 1), row("size_max", 64_000)]
    rows += [row("cost_ratio", ratio)] if ratio is not None else []
    assert said(Scaling(), seen(*rows)).kind is kind


@pytest.mark.parametrize(
    ("spent", "beyond", "longest", "growth", "kind"),
    [
        # attempts at a few short texts
        (5.0, (5.0, 5.0), 30, None, CONFIRMED),
        # one text among many long ones that match at once, which make the cost look constant, or linear
        (5.0, (4.0, 4.0), 30_000, (-0.1, 0.1), CONFIRMED),
        (5.0, (4.0, 4.0), 30_000, (0.9, 1.1), CONFIRMED),
        # a pass over much text, which is needed anyway
        (5.0, (0.0, 0.0), 30_000, (0.9, 1.1), REJECTED),
        (5.0, (0.0, 0.0), 30_000, None, REJECTED),
        (5.0, (0.0, 0.0), 30, None, INCONCLUSIVE),
        # quadratic, though not beyond what a generous pass would take
        (5.0, (0.0, 0.0), 30_000, (1.9, 2.1), CONFIRMED),
        (5.0, (0.0, 0.0), 30_000, (0.9, 1.6), INCONCLUSIVE),
        (5.0, (0.0, 4.0), 30_000, (0.9, 1.1), INCONCLUSIVE),
        (0.0, (0.0, 0.0), 30, None, INCONCLUSIVE),
        (0.0, (0.0, 0.0), 2_000, None, REJECTED),
    ],
)
def test_of_a_steep_growth_it_counts_what_a_pass_does_not_explain(
    spent: float, beyond: tuple[float, float], longest: int, growth: Range | None, kind: VerdictKind
) -> None:
    rows = [*time(spent, spent), row("size_min", 2), row("size_max", longest)]
    rows += [row("beyond", beyond), row("beyond_share", (beyond[0] / 10, beyond[1] / 10))]
    rows += [row("growth", growth)] if growth is not None else []
    assert said(Scaling(steep=True), seen(*rows)).kind is kind


def test_the_reason_is_one_sentence_with_numbers() -> None:
    verdict = said(Scaling(), seen(*time(0.54, 0.6, wall_s=2.1), row("growth", (0.9, 1.04)), wall_s=2.1))
    assert verdict.reason == (
        "0.54 s of 2.1 s (26 %) in 1,000 executions, cost per execution grows with size (exponent 0.97)."
    )


def named(name: str, observation: Observation) -> Observation:
    return Observation(name, observation.wall_s, observation.evidence, observation.gaps)


def test_costly_in_one_workload_is_confirmed_and_the_others_are_named() -> None:
    verdict = said(Cost(), named("tests", seen(*time(0.0, 0.0))), named("bench", seen(*time(5, 5))))
    assert verdict.kind is CONFIRMED
    assert verdict.reason.endswith("(workload 'bench'; 'tests': rejected).")


def test_of_two_confirmations_the_dearer_one_speaks() -> None:
    verdict = said(Cost(), named("a", seen(*time(1, 1))), named("b", seen(*time(5, 5))))
    assert "workload 'b'; 'a': confirmed" in verdict.reason
    assert len(verdict.evidence) == 10


def test_a_rejection_beside_a_workload_that_never_came_there_is_a_rejection() -> None:
    assert said(Cost(), named("a", seen(hits=0)), named("b", seen(*time(0.0, 0.0)))).kind is REJECTED


def test_doubt_in_one_workload_outweighs_a_rejection_in_another() -> None:
    verdict = said(Cost(), named("a", seen(*time(0.0, 0.0))), named("b", seen(*time((0, 1), (0, 1)))))
    assert verdict.kind is INCONCLUSIVE
    assert "'a': rejected" in verdict.reason


def test_the_evidence_is_that_of_the_workloads_which_agree() -> None:
    loud = Observation("loud", 10.0, (row("hits", 5), *time(5, 5)))
    verdict = said(Cost(), loud, Observation("mute", 10.0, (), (Gap("probes", "mute", "no probe was planted"),)))
    assert verdict.kind is CONFIRMED
    assert len(verdict.evidence) == 5
