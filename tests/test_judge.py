"""Every line of the judges' decision tables, told as a measurement and what is said of it."""

from __future__ import annotations

import pytest

from auditor.config import Thresholds
from auditor.judge import judge, words
from auditor.model import (
    Backlog,
    Cost,
    Evidence,
    Expectation,
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

CONFIRMED, REJECTED = VerdictKind.CONFIRMED, VerdictKind.REJECTED
INCONCLUSIVE, NOT_MEASURABLE = VerdictKind.INCONCLUSIVE, VerdictKind.NOT_MEASURABLE

Range = float | tuple[float, float]


def row(metric: str, value: Range, collector: str = "probes", unit: str = "", n: int = 1000) -> Evidence:
    """An exact number, or an interval with its value in the middle."""
    low, high = value if isinstance(value, tuple) else (value, value)
    return Evidence(metric, (low + high) / 2, low, high, unit, n, collector, "bench")


def seen(*rows: Evidence, wall_s: float = 10.0, hits: float = 1000, gaps: dict[str, str] | None = None) -> Observation:
    missing = tuple(Gap(collector, "bench", reason) for collector, reason in (gaps or {}).items())
    return Observation("bench", wall_s, (row("hits", hits, unit="executions"), *rows), missing)


def time(probes: Range | None = None, spy: Range | None = None, wall_s: float = 10.0) -> tuple[Evidence, ...]:
    """Seconds and shares of a run of `wall_s`, as both collectors give them."""
    rows: list[Evidence] = []
    for collector, amount in (("probes", probes), ("py-spy", spy)):
        if amount is not None:
            low, high = amount if isinstance(amount, tuple) else (amount, amount)
            rows.append(row("seconds", (low, high), collector, "s"))
            rows.append(row("share", (low / wall_s, high / wall_s), collector, "ratio"))
    return tuple(rows)


def census(created: float, end: float, peak: float = 1, pending: float = 0, unit: str = "tasks") -> list[Evidence]:
    numbers = {"created": created, "alive_end": end, "alive_peak": peak, "destroyed_pending": pending}
    return [row(metric, value, unit=unit) for metric, value in numbers.items()]


def said(expects: Expectation, *observations: Observation) -> Verdict:
    return judge(expects, observations, Thresholds())


# ------------------------------------------------------------------------------------------------
# What holds for all


def test_without_a_workload_it_stays_a_suspicion() -> None:
    assert said(Cost()) == Verdict(VerdictKind.SUSPECTED, "No workload was run.")


def test_what_never_ran_is_not_exercised() -> None:
    assert said(Cost(), seen(*time(5, 5), hits=0)).kind is VerdictKind.NOT_EXERCISED


def test_no_execution_counted_while_not_all_was_seen_is_not_a_zero() -> None:
    verdict = said(Cost(), seen(hits=0, gaps={"probes": "one process was killed before it reported"}))
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
    ("spent", "sizes", "ratio", "kind"),
    [
        # 1,000 executions of 0.005 s on 30 characters at most
        (5.0, (11, 30), 200_000.0, CONFIRMED),
        (5.0, (2, 30), 200_000.0, CONFIRMED),
        # a linear match of long texts
        (5.0, (50_000, 60_000), 200_000.0, INCONCLUSIVE),
        (0.0, (11, 30), 5.0, INCONCLUSIVE),
        (0.0, (11, 11), 5.0, INCONCLUSIVE),
        (0.0, (11, 2_000), 5.0, REJECTED),
    ],
)
def test_of_a_steep_growth_small_sizes_say_nothing(
    spent: float, sizes: tuple[int, int], ratio: float, kind: VerdictKind
) -> None:
    met = row("size_min", sizes[0]), row("size_max", sizes[1]), row("cost_ratio", ratio)
    assert said(Scaling(steep=True), seen(*time(spent, spent), *met)).kind is kind


def test_the_reason_is_one_sentence_with_numbers() -> None:
    verdict = said(Scaling(), seen(*time(0.54, 0.6, wall_s=2.1), row("growth", (0.9, 1.04)), wall_s=2.1))
    assert verdict.reason == (
        "0.54 s of 2.1 s (26 %) in 1,000 executions, cost per execution grows with size (exponent 0.97)."
    )


# ------------------------------------------------------------------------------------------------
# Several sizes


def over_n(metric: str, value: Range, collector: str = "probes") -> Evidence:
    return row(metric, value, collector, "exponent", 3)


def test_one_execution_that_grows_over_sizes_is_confirmed() -> None:
    verdict = said(
        Scaling(),
        seen(*time(2, 2), over_n("hit_exponent", (0.9, 1.3)), over_n("size_exponent", (0.9, 1.3)), hits=1),
    )
    assert verdict.kind is CONFIRMED
    assert verdict.reason == (
        "2 s of 10 s (20 %) in 1 execution, cost per execution grows with n (exponent 1.10);"
        " over n its seconds grow as n^1.10 (linear)."
    )


def test_growth_over_sizes_in_doubt_confirms_nothing() -> None:
    assert said(Scaling(), seen(*time(2, 2), over_n("hit_exponent", (0.3, 1.3)), hits=1)).kind is INCONCLUSIVE


def test_a_cost_that_follows_n_in_step_is_rejected_if_n_drives_the_operation() -> None:
    constant = over_n("hit_exponent", (-0.2, 0.2))
    driven, idle = over_n("input_exponent", (0.8, 1.2)), over_n("input_exponent", (-0.2, 0.2))
    assert said(Scaling(), seen(*time(2, 2), constant, driven)).kind is REJECTED
    assert said(Scaling(), seen(*time(2, 2), constant)).kind is REJECTED
    assert said(Scaling(), seen(*time(2, 2), constant, idle)).kind is INCONCLUSIVE
    assert said(Scaling(), seen(*time(2, 2), constant, driven, gaps={"probes": "killed"})).kind is INCONCLUSIVE


@pytest.mark.parametrize(("growth", "kind"), [((0.9, 1.1), INCONCLUSIVE), ((0.1, 0.3), REJECTED)])
def test_what_grows_and_is_hot_in_the_plain_program_is_not_cheap_for_being_so_under_probes(
    growth: Range, kind: VerdictKind
) -> None:
    rows = *time(0.02, 2.0), row("growth", growth, unit="exponent"), row("size_max", 300_000, unit="items")
    assert said(Scaling(), seen(*rows)).kind is kind


def test_growth_in_one_run_is_not_outvoted_by_sizes_that_do_not_drive_it() -> None:
    rows = (*time(2, 2), row("growth", (0.9, 1.1)), over_n("hit_exponent", (-0.2, 0.2)))
    assert said(Scaling(), seen(*rows)).kind is CONFIRMED


def test_a_run_and_the_sizes_that_contradict_one_another_are_doubt_and_both_are_said() -> None:
    verdict = said(Scaling(), seen(*time(2, 2), row("growth", (-0.1, 0.1)), over_n("hit_exponent", (0.8, 1.2))))
    assert verdict.kind is INCONCLUSIVE
    assert "stays constant (exponent 0)" in verdict.reason
    assert "over n it grows (exponent 1.00)" in verdict.reason


def test_a_small_cost_that_would_soon_be_large_is_in_doubt() -> None:
    growing = over_n("size_exponent", (1.8, 2.2)), over_n("share_exponent", (0.8, 1.2))
    verdict = said(Cost(), seen(*time(0.04, 0.04), *growing))
    assert verdict.kind is INCONCLUSIVE
    assert "n^2.00 (quadratic); run it with n 5 times as large" in verdict.reason
    far = said(Cost(), seen(*time(0.004, 0.004), *growing))
    assert far.kind is REJECTED
    steady = said(Cost(), seen(*time(0.04, 0.04), growing[0], over_n("share_exponent", (-0.1, 0.1))))
    assert steady.kind is REJECTED


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (-0.1, 0.1, "constant"),
        (0.9, 1.3, "linear"),
        (1.6, 2.4, "quadratic"),
        (2.7, 3.1, "cubic"),
        (3.8, 4.2, "n^4"),
        (0.8, 2.1, "between linear and quadratic"),
    ],
)
def test_an_exponent_has_a_plain_word(low: float, high: float, word: str) -> None:
    assert words.power(low, high) == word


# ------------------------------------------------------------------------------------------------
# Several workloads


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


# ------------------------------------------------------------------------------------------------
# Cost


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
    low, high = end if isinstance(end, tuple) else (end, end)
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
    assert verdict.reason == ("0.03 s of 0.07 s (43 %), but the workload ran only 0.07 s; run it for at least 0.12 s.")


def test_a_large_share_of_a_short_run_is_confirmed_at_the_length_asked_for() -> None:
    assert said(Cost(), seen(*time(0.052, 0.052, wall_s=0.12), wall_s=0.12)).kind is CONFIRMED


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
    assert said(Cost(), seen(*time(0.001, 2.0), gaps={"probes": "one process was killed"})).kind is NOT_MEASURABLE
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
    ],
)
def test_where_samples_are_narrowed_py_spy_speaks(probes: Range | None, spy: Range | None, kind: VerdictKind) -> None:
    assert said(Cost(below=("re/__init__.py:_compile",)), seen(*time(probes, spy))).kind is kind


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


# ------------------------------------------------------------------------------------------------
# Scaling

HOT, COLD, DOUBT = time(5, 5), time(0.001, 0.001), time((0.1, 0.5), (0.1, 0.5))


def sizes(least: float, most: float) -> tuple[Evidence, Evidence]:
    return row("size_min", least, unit="items"), row("size_max", most, unit="items")


@pytest.mark.parametrize(
    ("rows", "hits", "kind", "why"),
    [
        ((*HOT, row("growth", (0.9, 1.1))), 1000, CONFIRMED, "grows with size (exponent 1)"),
        ((*HOT, row("growth", (-0.1, 0.1))), 1000, REJECTED, "cost per execution stays constant"),
        ((*HOT, row("growth", (0.3, 0.7))), 1000, INCONCLUSIVE, "run it at least 4,000 times"),
        ((*HOT, *sizes(900, 1000), row("cost_ratio", (10, 14))), 1000, CONFIRMED, "12 times that of the constant-time"),
        ((*HOT, *sizes(900, 1000), row("cost_ratio", (3, 9))), 1000, INCONCLUSIVE, "8 to 8,000 items"),
        ((*HOT, *sizes(10, 1000), row("cost_ratio", 12)), 1000, INCONCLUSIVE, "do not tell whether cost per execution"),
        (HOT, 1000, INCONCLUSIVE, "no size was seen"),
        ((*COLD, *sizes(1, 1000)), 1000, REJECTED, "with up to 1,000 items"),
        ((*COLD, *sizes(1, 8)), 20, INCONCLUSIVE, "the largest size seen was 8 items; run it with at least 1,000"),
        ((*COLD, *sizes(1, 64)), 1000, REJECTED, "with up to 64 items"),
        ((*COLD, *sizes(200, 200)), 1000, REJECTED, "with up to 200 items"),
        ((*COLD, *sizes(100, 200)), 1000, INCONCLUSIVE, "the largest size seen was 200 items"),
        ((*COLD, row("growth", (-0.1, 0.1))), 20, REJECTED, "stays constant"),
        (COLD, 1000, INCONCLUSIVE, "no size was seen"),
        ((*DOUBT, row("growth", (0.9, 1.1))), 1000, INCONCLUSIVE, "run it for at least"),
        ((row("growth", (0.9, 1.1)),), 1000, NOT_MEASURABLE, "not timed"),
    ],
)
def test_growth_and_time_together(rows: tuple[Evidence, ...], hits: float, kind: VerdictKind, why: str) -> None:
    verdict = said(Scaling(), seen(*rows, hits=hits))
    assert verdict.kind is kind
    assert why.lower() in verdict.reason.lower()


# ------------------------------------------------------------------------------------------------
# Backlog


@pytest.mark.parametrize(
    ("depth", "slope", "puts", "kind"),
    [
        (20_000, (0.9, 1.0), 20_000, CONFIRMED),
        (1_000, (0.11, 0.2), 9_000, CONFIRMED),
        (20_000, (0.0, 0.01), 1_000_000, INCONCLUSIVE),
        (20_000, (0.05, 0.2), 200_000, INCONCLUSIVE),
        (1, (0.0, 0.0), 100, REJECTED),
        (1, (0.0, 0.0), 99, INCONCLUSIVE),
        (1, None, 100, REJECTED),
        (50, None, 100, INCONCLUSIVE),
        (99, (0.9, 1.0), 100, INCONCLUSIVE),
        (50, (0.9, 1.0), 50_000, INCONCLUSIVE),
        (500, (0.0, 0.01), 1_000, REJECTED),
        (500, (0.0, 0.01), 900, INCONCLUSIVE),
        (500, (0.0, 0.03), 5_000, INCONCLUSIVE),
    ],
)
def test_a_queue_fills_or_is_emptied(depth: float, slope: Range | None, puts: int, kind: VerdictKind) -> None:
    rows = [row("depth_max", depth, n=puts)] + ([row("depth_slope", slope, n=puts)] if slope is not None else [])
    verdict = said(Backlog(), seen(*rows, hits=1))
    assert verdict.kind is kind
    assert (kind is INCONCLUSIVE) == ("run it with at least" in verdict.reason)


@pytest.mark.parametrize(
    ("entries", "quiet", "calls", "kind"),
    [
        (20, 49_000, 50_000, REJECTED),
        (20, 999, 1_000, INCONCLUSIVE),
        (20, 1_000, 2_001, INCONCLUSIVE),
        (999, 1_000, 2_000, REJECTED),
        (1_000, 90_000, 100_000, REJECTED),
        (1_500, 4_500, 6_000, REJECTED),
        (1_500, 4_400, 5_900, INCONCLUSIVE),
        (20_000, 59_900, 90_000, INCONCLUSIVE),
        (20_000, 900, 21_000, CONFIRMED),
    ],
)
def test_a_cache_that_fills_and_stops_is_harmless(entries: int, quiet: int, calls: int, kind: VerdictKind) -> None:
    rows = row("depth_max", entries, n=entries), row("depth_slope", (0.9, 1.0)), row("quiet", quiet)
    verdict = said(Backlog(), seen(*rows, hits=calls))
    assert verdict.kind is kind
    assert (kind is REJECTED) <= ("none was added in the last" in verdict.reason)


@pytest.mark.parametrize(
    ("lasting", "calls", "kind", "why"),
    [
        ((0.8, 1.2), 5_000, CONFIRMED, "100 % of what is put in stays"),
        ((0.4, 0.8), 5_000, INCONCLUSIVE, "less and less with each execution"),
        ((0.0, 0.0), 5_000, INCONCLUSIVE, "run it with 10,000 executions"),
        ((0.0, 0.0), 1, INCONCLUSIVE, "all of it early in 1 call of the function around it"),
    ],
)
def test_what_leaks_does_so_to_the_end(lasting: Range, calls: int, kind: VerdictKind, why: str) -> None:
    rows = row("depth_max", 1_600), row("depth_slope", (0.99, 1.01)), row("lasting", lasting, n=calls)
    verdict = said(Backlog(), seen(*rows, hits=5_000))
    assert verdict.kind is kind
    assert why in verdict.reason


def test_a_row_of_puts_counts_before_the_number_of_measurements() -> None:
    few = row("depth_max", 1, n=5)
    assert said(Backlog(), seen(few, row("puts", 500))).kind is REJECTED
    assert said(Backlog(), seen(few)).kind is INCONCLUSIVE


def test_a_queue_seen_in_part_is_not_innocent() -> None:
    rows = row("depth_max", 1), row("depth_slope", 0.0)
    assert said(Backlog(), seen(*rows, gaps={"probes": "one process was killed"})).kind is NOT_MEASURABLE


# ------------------------------------------------------------------------------------------------
# Survivors


@pytest.mark.parametrize(
    ("rows", "kind", "why"),
    [
        (census(300, 300, 300), CONFIRMED, "300 of 300 tasks created were alive at the end"),
        (census(300, 0, 300, pending=253), CONFIRMED, "253 destroyed while pending"),
        (census(5, 5, 5), CONFIRMED, "5 of 5"),
        (census(300, 0, 300), REJECTED, "0 of 300"),
        (census(100, 4, 4), REJECTED, "4 of 100"),
        (census(1, 0), REJECTED, "0 of 1 task created"),
        (census(1, 1), INCONCLUSIVE, "run its unit of work at least 5 times"),
        (census(10, 3, 3), INCONCLUSIVE, "run its unit of work at least 20 times"),
        (census(100, 20, 20), INCONCLUSIVE, "run its unit of work 200 times"),
        (census(0, 0, 0), INCONCLUSIVE, "no tasks were created"),
        ([row("created", 100)], NOT_MEASURABLE, "was not counted"),
    ],
)
def test_what_is_left_at_the_end(rows: list[Evidence], kind: VerdictKind, why: str) -> None:
    verdict = said(Survivors("tasks"), seen(*rows, hits=300))
    assert verdict.kind is kind
    assert why.lower() in verdict.reason.lower()


@pytest.mark.parametrize(
    ("left", "spread", "kind"),
    [
        (8, 0.001, INCONCLUSIVE),
        (8, 0.049, INCONCLUSIVE),
        (8, 0.05, CONFIRMED),
        (8, 0.9, CONFIRMED),
        (32, 0.001, CONFIRMED),
    ],
)
def test_a_crew_made_at_once_is_no_leak_that_is_proven(left: int, spread: float, kind: VerdictKind) -> None:
    verdict = said(Survivors("tasks"), seen(*census(left, left, left), row("spread", spread), hits=left))
    assert verdict.kind is kind
    assert (kind is INCONCLUSIVE) == ("run its unit of work several times over" in verdict.reason)


@pytest.mark.parametrize(
    ("quiet", "rounds", "looks", "kind"),
    [
        (500, 1_000, False, INCONCLUSIVE),
        (499, 1_000, False, CONFIRMED),
        (500, 1_000, True, REJECTED),
        (499, 1_000, True, CONFIRMED),
        (60, 80, True, INCONCLUSIVE),
        (0, 20, False, CONFIRMED),
    ],
)
def test_what_is_made_when_it_is_needed_stops_being_made(
    quiet: int, rounds: int, looks: bool, kind: VerdictKind
) -> None:
    rows = [*census(20, 20, 20, unit="clients"), row("spread", 0.3), row("quiet", quiet), row("rounds", rounds)]
    verdict = said(Survivors("clients"), seen(*rows, *([row("found", rounds - 20)] if looks else []), hits=20))
    assert verdict.kind is kind
    assert (kind is CONFIRMED) != (f"none was created in the last {quiet} of" in verdict.reason)


def test_tasks_destroyed_while_pending_are_none_that_are_kept() -> None:
    rows = *census(20, 0, 20, pending=20), row("quiet", 900), row("rounds", 1_000), row("found", 980)
    assert said(Survivors("tasks"), seen(*rows, hits=20)).kind is CONFIRMED


@pytest.mark.parametrize(
    ("created", "peak", "unit", "kind"),
    [
        (60, 60, "threads", CONFIRMED),
        (1000, 32, "threads", CONFIRMED),
        (60, 60, "tasks", REJECTED),
        (20, 20, "threads", INCONCLUSIVE),
        (4, 4, "threads", REJECTED),
        (100, 8, "threads", REJECTED),
    ],
)
def test_threads_crowd_and_tasks_do_not(created: float, peak: float, unit: str, kind: VerdictKind) -> None:
    assert said(Survivors("threads"), seen(*census(created, 0, peak, unit=unit))).kind is kind


@pytest.mark.parametrize(
    ("churn", "created", "kind"),
    [
        ((2.0, 2.4), 300, CONFIRMED),
        ((2.0, 2.4), 1, REJECTED),
        ((0.0, 0.01), 300, REJECTED),
        ((0.1, 0.5), 300, INCONCLUSIVE),
        (None, 300, NOT_MEASURABLE),
    ],
)
def test_making_them_anew_may_be_the_cost(churn: Range | None, created: float, kind: VerdictKind) -> None:
    rows = census(created, 0, unit="executors") + ([row("churn", churn, "py-spy", "s")] if churn is not None else [])
    expects = Survivors("executors", churn=("threading.py:start",))
    assert said(expects, seen(*rows)).kind is kind


def test_a_census_with_a_hole_confirms_but_never_rejects() -> None:
    hole = {"probes": "one process was killed"}
    assert said(Survivors("tasks"), seen(*census(300, 300), gaps=hole)).kind is CONFIRMED
    assert said(Survivors("tasks"), seen(*census(300, 0), gaps=hole)).kind is NOT_MEASURABLE


# ------------------------------------------------------------------------------------------------
# Reuse


@pytest.mark.parametrize(
    ("hits", "connections", "peers", "per_hit", "kind"),
    [
        (100, 100, 1, (0.96, 1.0), CONFIRMED),
        (10, 10, 2, (0.7, 1.0), CONFIRMED),
        (9, 9, 1, (0.7, 1.0), INCONCLUSIVE),
        (5, 10, 1, (1.5, 2.5), INCONCLUSIVE),
        (100, 100, 100, (0.96, 1.0), REJECTED),
        (100, 100, 40, (0.96, 1.0), INCONCLUSIVE),
        (100, 2, 1, (0.0, 0.07), REJECTED),
        (100, 50, 1, (0.4, 0.6), INCONCLUSIVE),
        (1, 1, 1, (0.2, 1.0), REJECTED),
        (100, 0, 0, (0.0, 0.04), INCONCLUSIVE),
    ],
)
def test_connections_are_reused_or_not(
    hits: float, connections: float, peers: float, per_hit: Range, kind: VerdictKind
) -> None:
    rows = row("connections", connections), row("peers", peers), row("per_hit", per_hit)
    verdict = said(Reuse(), seen(*rows, hits=hits))
    assert verdict.kind is kind
    assert (kind is INCONCLUSIVE) == ("run it" in verdict.reason)


@pytest.mark.parametrize(
    ("opened", "at_once", "waited", "kind"),
    [
        (20, 8, 0.0, CONFIRMED),
        (20, 11, 0.0, REJECTED),
        (9, 1, 0.0, INCONCLUSIVE),
        (1, 1, 0.0, REJECTED),
        (1, 1, 0.5, CONFIRMED),
        (1, 1, (0.01, 0.5), INCONCLUSIVE),
        (1, 1, None, NOT_MEASURABLE),
        (0, 0, 0.0, INCONCLUSIVE),
    ],
)
def test_a_pool_has_room_or_not(opened: float, at_once: float, waited: Range | None, kind: VerdictKind) -> None:
    rows = [row("connections", opened), row("peers", 1), row("per_hit", opened), row("open_peak", at_once)]
    if waited is not None:
        low, high = waited if isinstance(waited, tuple) else (waited, waited)
        rows += [row("pool_waited", waited, unit="s"), row("pool_waited_share", (low / 10, high / 10))]
    assert said(Reuse(pooled=True), seen(*rows, hits=1)).kind is kind


@pytest.mark.parametrize(
    ("making", "hits", "kind"), [(0.5, 10, CONFIRMED), (0.5, 9, INCONCLUSIVE), (0.01, 100, INCONCLUSIVE)]
)
def test_what_connects_to_nobody_may_be_dear_to_make(making: float, hits: float, kind: VerdictKind) -> None:
    rows = row("connections", 0), row("peers", 0), row("per_hit", 0.0), row("making", making, unit="s")
    assert said(Reuse(making=True), seen(*rows, hits=hits)).kind is kind
    assert said(Reuse(), seen(*rows, hits=hits)).kind is INCONCLUSIVE


def test_sizes_that_were_seen_in_part_are_not_known_to_be_bounded() -> None:
    small = [*time(0.0, 0.0), row("size_min", 10), row("size_max", 10)]
    assert said(Scaling(), seen(*small)).kind is REJECTED
    assert said(Scaling(), seen(*small, gaps={"probes": "killed"})).kind is INCONCLUSIVE


def test_connections_that_were_counted_in_part_reject_nothing() -> None:
    rows = row("connections", 2), row("peers", 1), row("per_hit", (0.0, 0.07))
    assert said(Reuse(), seen(*rows, gaps={"probes": "one process was killed"})).kind is NOT_MEASURABLE


# ------------------------------------------------------------------------------------------------
# Stall


def stall(longest: float, total: Range, spy: Range | None = None, on_loop: float = 100) -> list[Evidence]:
    rows = [row("loop_hits", on_loop), row("stall_longest", longest, unit="s"), row("stall_total", total, unit="s")]
    return rows + ([row("stall", spy, "py-spy", "s")] if spy is not None else [])


@pytest.mark.parametrize(
    ("rows", "kind", "why"),
    [
        (stall(0.051, 5.0, (4.0, 6.0)), CONFIRMED, "stood still for 5 s of 10 s, at most 0.051 s at once"),
        (stall(0.001, 2.0, (1.0, 3.0)), CONFIRMED, "100 executions"),
        (stall(0.06, 0.18, on_loop=4), CONFIRMED, "by the probes alone"),
        (stall(0.06, 0.18, (0.02, 0.2), on_loop=4), CONFIRMED, "at most 0.06 s at once"),
        (stall(0.06, 0.18, (0.0, 0.03), on_loop=4), REJECTED, "at most 0.03 s in the unmodified program"),
        (stall(0.06, 0.06, (0.02, 0.2), on_loop=1), INCONCLUSIVE, "run it for 10 executions"),
        (stall(0.06, 0.07), INCONCLUSIVE, "may be the machine's doing"),
        (stall(0.001, 0.01, (0.0, 0.03)), REJECTED, "stood still for 0.01 s"),
        (stall(0.02, 0.02), REJECTED, "stood still for 0.02 s"),
        (stall(0.04, 0.04), INCONCLUSIVE, "run it with inputs 1.3 times as large"),
        (stall(0.001, (0.1, 0.3)), INCONCLUSIVE, "run it for at least"),
        ([*stall(0.0, 0.0, on_loop=0), row("seconds", 0.02)], REJECTED, "1,000 executions, and they took 0.02 s"),
        ([*stall(0.0, 0.0, on_loop=0), row("seconds", 0.03)], INCONCLUSIVE, "of asyncio or trio"),
        (stall(0.0, 0.0, on_loop=0), INCONCLUSIVE, "run it on one"),
        ([row("loop_hits", 100)], NOT_MEASURABLE, "not every stand-still"),
        ([row("stall_longest", 1.0)], NOT_MEASURABLE, "were not counted"),
    ],
)
def test_an_event_loop_stands_still_or_not(rows: list[Evidence], kind: VerdictKind, why: str) -> None:
    verdict = said(Stall(), seen(*rows))
    assert verdict.kind is kind
    assert why.lower() in verdict.reason.lower()


@pytest.mark.parametrize(
    ("on_loop", "rest", "rest_longest", "kind"),
    [
        (100, 0.01, 0.001, REJECTED),
        (99, 0.01, 0.001, INCONCLUSIVE),
        (20, 0.01, 0.001, INCONCLUSIVE),
        (19, 0.01, 0.001, CONFIRMED),
        (100, 0.01, 0.03, CONFIRMED),
        (100, 0.3, 0.001, CONFIRMED),
    ],
)
def test_what_blocks_at_its_first_use_only(on_loop: float, rest: float, rest_longest: float, kind: VerdictKind) -> None:
    rows = [*stall(0.5, 0.5 + rest, on_loop=on_loop), row("stall_rest", rest), row("stall_rest_longest", rest_longest)]
    assert said(Stall(), seen(*rows)).kind is kind


def test_no_execution_on_a_loop_means_little_where_not_all_was_seen() -> None:
    partly = seen(*stall(0.0, 0.0, on_loop=0), gaps={"probes": "one process was killed"})
    assert said(Stall(), partly).kind is NOT_MEASURABLE


@pytest.mark.parametrize("unit", ["clients", "files", "timers"])
@pytest.mark.parametrize(
    ("created", "end", "peak", "kind"),
    [
        (40, 40, 40, CONFIRMED),
        (40, 0, 32, CONFIRMED),
        (400, 0, 40, REJECTED),
        (400, 0, 200, CONFIRMED),
        (40, 0, 31, INCONCLUSIVE),
        (40, 0, 4, REJECTED),
    ],
)
def test_what_holds_descriptors_crowds_if_most_of_it_was_open_at_once(
    unit: str, created: float, end: float, peak: float, kind: VerdictKind
) -> None:
    assert said(Survivors(unit), seen(*census(created, end, peak, unit=unit))).kind is kind


# ------------------------------------------------------------------------------------------------
# Repetition


def repeated(repeats: Range, spent: Range, spy: Range | None = None, wall_s: float = 10.0) -> list[Evidence]:
    low, high = spent if isinstance(spent, tuple) else (spent, spent)
    rows = [row("repeats", repeats), row("repeat_seconds", (low, high), unit="s")]
    rows.append(row("repeat_share", (low / wall_s, high / wall_s)))
    return [*rows, *time(None, spy, wall_s)]


@pytest.mark.parametrize(
    ("repeats", "spent", "spy", "kind", "why"),
    [
        (900, 2.0, 2.2, CONFIRMED, "2 s of 10 s (20 %) in what was done before, 900 of 1,000 executions"),
        (500, 2.0, 2.2, CONFIRMED, "500 of 1,000"),
        (499, 2.0, 2.2, INCONCLUSIVE, "run it at least 2,000 times with inputs as they come in real use"),
        (99, 2.0, 2.2, REJECTED, "its input is hardly ever the same"),
        ((0, 700), (0.0, 2.0), 2.2, INCONCLUSIVE, "the inputs of 700 more cannot be compared"),
        (900, 0.001, 2.2, REJECTED, "at most 1 ms"),
        (900, 2.0, 0.002, INCONCLUSIVE, "the probes timed 2 s"),
        (900, 2.0, (0.1, 0.5), INCONCLUSIVE, "run it for at least 20 s"),
        (900, (0.1, 0.5), 2.0, INCONCLUSIVE, "run it for at least 20 s"),
        (900, 2.0, None, CONFIRMED, "by the probes alone"),
    ],
)
def test_repeating_counts_if_it_is_often_and_costs(
    repeats: Range, spent: Range, spy: Range | None, kind: VerdictKind, why: str
) -> None:
    verdict = said(Repetition(), seen(*repeated(repeats, spent, spy)))
    assert verdict.kind is kind
    assert why.lower() in verdict.reason.lower()


def test_nine_repeats_may_belong_to_starting_up() -> None:
    verdict = said(Repetition(), seen(*repeated(9, 2.0, 2.0), hits=10))
    assert verdict.kind is INCONCLUSIVE
    assert "run it at least 100 times" in verdict.reason


def test_few_new_inputs_refute_no_repetition() -> None:
    assert said(Repetition(), seen(*repeated(0, 2.0, 2.0), hits=99)).kind is INCONCLUSIVE
    assert said(Repetition(), seen(*repeated(0, 2.0, 2.0), hits=100)).kind is REJECTED


def test_repeats_that_may_cost_no_more_than_the_probe_are_not_measurable() -> None:
    verdict = said(Repetition(), seen(*repeated(900_000, 0.3), hits=1_000_000))
    assert verdict.kind is NOT_MEASURABLE
    assert "may be the probe's own cost" in verdict.reason


def test_of_a_call_that_is_awaited_the_sampler_sees_nothing() -> None:
    verdict = said(Repetition(), seen(*repeated(900, 2.0, 0.0), row("waited", 2.5)))
    assert verdict.kind is CONFIRMED
    assert "2 s of 10 s" in verdict.reason
    assert "py-spy does not see what is awaited" in verdict.reason


def test_repetition_needs_its_own_counts() -> None:
    assert said(Repetition(), seen(*time(2.0, 2.0))).kind is NOT_MEASURABLE
    later = said(Repetition(), seen(row("repeats", 99, unit="executions"), hits=100))
    assert later.kind is NOT_MEASURABLE
    assert "99 of 100 executions had an input seen before, but their items are made or read later" in later.reason
    partly = seen(*repeated(99, 2.0, 2.0), gaps={"probes": "one process was killed before it reported"})
    assert said(Repetition(), partly).kind is NOT_MEASURABLE
    cheap = seen(*repeated(99, 0.0, (0.1, 0.5)), gaps={"probes": "one process was killed before it reported"})
    assert said(Repetition(), cheap).kind is NOT_MEASURABLE


# ------------------------------------------------------------------------------------------------
# Polling


@pytest.mark.parametrize(("seconds", "kind"), [(1.0, CONFIRMED), (0.01, REJECTED), ((0.04, 0.4), INCONCLUSIVE)])
def test_what_asking_costs_in_a_coroutine_is_not_for_the_sampler_to_say(seconds: Range, kind: VerdictKind) -> None:
    low, high = seconds if isinstance(seconds, tuple) else (seconds, seconds)
    for spy in (0.0, 5.0):
        verdict = said(Cost(), seen(*time((low, high), spy), row("polled", seconds, unit="s")))
        assert verdict.kind is kind
    assert (kind is CONFIRMED) == ("py-spy does not see what the event loop does" in verdict.reason)


# ------------------------------------------------------------------------------------------------
# Wait


def waiting(waited: Range, wall_s: float = 10.0) -> list[Evidence]:
    low, high = waited if isinstance(waited, tuple) else (waited, waited)
    return [row("waited", (low, high), unit="s"), row("waited_share", (low / wall_s, high / wall_s))]


@pytest.mark.parametrize(
    ("waited", "hits", "wall_s", "kind", "why"),
    [
        (4.0, 5, 10.0, CONFIRMED, "it waited for 4 s of 10 s (40 %)"),
        (4.0, 4, 10.0, INCONCLUSIVE, "run it at least 5 times"),
        (0.001, 5, 10.0, REJECTED, "1 ms"),
        (0.1, 5, 10.0, REJECTED, "(1 %)"),
        (0.04, 5, 0.1, INCONCLUSIVE, "run it for at least 0.13 s"),
        ((0.1, 3.0), 5, 10.0, INCONCLUSIVE, "run it for at least"),
    ],
)
def test_waiting_counts_if_it_is_long_and_not_once(
    waited: Range, hits: float, wall_s: float, kind: VerdictKind, why: str
) -> None:
    verdict = said(Wait(), seen(*waiting(waited, wall_s), hits=hits, wall_s=wall_s))
    assert verdict.kind is kind
    assert why.lower() in verdict.reason.lower()


def test_waiting_in_part_unseen_confirms_but_rejects_nothing() -> None:
    gap = {"probes": "one process was killed before it reported"}
    assert said(Wait(), seen(*waiting(4.0), gaps=gap)).kind is CONFIRMED
    assert said(Wait(), seen(*waiting(0.0), gaps=gap)).kind is NOT_MEASURABLE
