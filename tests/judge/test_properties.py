"""What must hold of every verdict, whatever was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.config import Thresholds
from auditor.evidence.across import by_size, same_size
from auditor.judge import judge
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
    VerdictKind,
    Wait,
)
from auditor.triage import gain, triage

DECIDED = (VerdictKind.CONFIRMED, VerdictKind.REJECTED)
EXPECTATIONS: tuple[Expectation, ...] = (
    Cost(),
    Cost(below=("re/__init__.py:_compile",)),
    Cost(memory=True),
    Cost(memory=True, time=False),
    Scaling(),
    Scaling(steep=True),
    Backlog(),
    Survivors("tasks"),
    Survivors("executors", churn=("threading.py:start",)),
    Reuse(),
    Reuse(pooled=True),
    Reuse(making=True),
    Stall(),
    Repetition(),
    Wait(),
)
# Those that say how dear a suspect is, as against those that say how much of it was seen.
COSTS = {
    ("seconds", "probes"): "s",
    ("share", "probes"): "ratio",
    ("seconds", "py-spy"): "s",
    ("share", "py-spy"): "ratio",
    ("growth", "probes"): "exponent",
    ("cost_ratio", "probes"): "ratio",
    ("hit_exponent", "probes"): "exponent",
    ("hit_exponent", "py-spy"): "exponent",
    ("size_exponent", "probes"): "exponent",
    ("share_exponent", "probes"): "exponent",
    ("depth_max", "probes"): "items",
    ("depth_slope", "probes"): "items per put",
    ("depth_late", "probes"): "items",
    ("depth_end", "probes"): "items",
    ("alive_end", "probes"): "threads",
    ("alive_peak", "probes"): "threads",
    ("destroyed_pending", "probes"): "threads",
    ("left_most", "probes"): "threads",
    ("kept", "probes"): "threads",
    ("kept_rate", "probes"): "per execution",
    ("churn", "py-spy"): "s",
    ("connections", "probes"): "connections",
    ("per_hit", "probes"): "ratio",
    ("making", "probes"): "s",
    ("pool_waited", "probes"): "s",
    ("pool_waited_share", "probes"): "ratio",
    ("stall_total", "probes"): "s",
    ("stall_longest", "probes"): "s",
    ("stall_rest", "probes"): "s",
    ("stall_rest_longest", "probes"): "s",
    ("stall", "py-spy"): "s",
    ("repeats", "probes"): "executions",
    ("repeat_seconds", "probes"): "s",
    ("repeat_share", "probes"): "ratio",
    ("beyond", "probes"): "s",
    ("beyond_share", "probes"): "ratio",
    ("waited", "probes"): "s",
    ("waited_share", "probes"): "ratio",
    ("waited_longest", "probes"): "s",
    ("peak_bytes", "memray"): "B",
    ("peak_share", "memray"): "ratio",
    ("kept_bytes", "memray"): "B",
}
COUNTS = {
    ("hits", "probes"): "executions",
    ("size_min", "probes"): "items",
    ("size_max", "probes"): "items",
    ("input_exponent", "probes"): "exponent",
    ("puts", "probes"): "puts",
    ("filled_first", "probes"): "items",
    ("quiet", "probes"): "executions",
    ("rounds", "probes"): "executions",
    ("lasting", "probes"): "ratio",
    ("found", "probes"): "executions",
    ("created", "probes"): "threads",
    ("peers", "probes"): "peers",
    ("open_peak", "probes"): "connections",
    ("loop_hits", "probes"): "executions",
}
METRICS = COSTS | COUNTS
TIME = {("seconds", "probes"), ("share", "probes"), ("seconds", "py-spy"), ("share", "py-spy")}
OVER_SIZES = {(metric, "probes") for metric in ("hit_exponent", "size_exponent", "share_exponent", "input_exponent")}
# What each judge looks at beside the hits, so that all of its lines are met often.
NEEDED: dict[type[Expectation], set[tuple[str, str]]] = {
    Cost: {*TIME, *OVER_SIZES, ("peak_bytes", "memray"), ("peak_share", "memray")},
    Scaling: {
        *TIME,
        *OVER_SIZES,
        *((metric, "probes") for metric in ("growth", "cost_ratio", "size_min", "size_max", "beyond", "beyond_share")),
    },
    Backlog: {
        ("kept_bytes", "memray"),
        *((metric, "probes") for metric in ("depth_max", "depth_slope", "puts", "quiet", "rounds", "lasting")),
        *((metric, "probes") for metric in ("depth_late", "depth_end", "filled_first")),
    },
    Survivors: {
        ("churn", "py-spy"),
        *((metric, "probes") for metric in ("created", "alive_end", "alive_peak", "destroyed_pending")),
        *((metric, "probes") for metric in ("quiet", "rounds", "found", "lasting")),
        *((metric, "probes") for metric in ("left_most", "kept", "kept_rate")),
    },
    Reuse: {
        (metric, "probes")
        for metric in ("connections", "peers", "per_hit", "open_peak", "pool_waited", "pool_waited_share", "making")
    },
    Stall: {
        ("stall", "py-spy"),
        *((metric, "probes") for metric in ("loop_hits", "stall_total", "stall_longest")),
        *((metric, "probes") for metric in ("stall_rest", "stall_rest_longest")),
    },
    Repetition: {
        ("seconds", "py-spy"),
        ("share", "py-spy"),
        *((metric, "probes") for metric in ("repeats", "repeat_seconds", "repeat_share")),
    },
    Wait: {(metric, "probes") for metric in ("waited", "waited_share", "waited_longest")},
}
# The scales at which thresholds lie, so that all sides of them are met.
NUMBERS = st.one_of(
    st.sampled_from([0.0, 0.005, 0.02, 0.05, 0.1, 0.5, 1.0, 4.0, 5.0, 20.0, 32.0, 100.0, 1000.0, 1e5, 1e8]),
    st.floats(0, 2),
    st.floats(0, 1e9),
)
# Those of costs that stay constant lie around zero.
EXPONENTS = st.one_of(st.sampled_from([-0.2, 0.0, 0.14, 0.4, 0.5, 1.0, 1.6, 2.0]), st.floats(-0.5, 2.5))


@st.composite
def rows(draw: st.DrawFn, metric: str, collector: str) -> Evidence:
    numbers = EXPONENTS if METRICS[metric, collector] == "exponent" else NUMBERS
    low, value, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    exact = draw(st.booleans())
    return Evidence(
        metric=metric,
        value=value,
        low=value if exact else low,
        high=value if exact else high,
        unit=METRICS[metric, collector],
        n=draw(st.integers(0, 10**6)),
        collector=collector,
        workload="bench",
    )


@st.composite
def observations(draw: st.DrawFn, expects: Expectation, name: str = "bench") -> Observation:
    """What the judge needs, or any subset of all metrics; and any gaps, or none."""
    subset = st.lists(st.sampled_from(list(METRICS)), unique=True)
    needed = [("hits", "probes"), *sorted(NEEDED[type(expects)])]
    without_growth = [key for key in needed if key != ("growth", "probes")]
    keys = draw(st.one_of(st.just(needed), st.just(without_growth), subset))
    collectors = st.lists(st.sampled_from(["probes", "py-spy", "memray", "plain"]), unique=True)
    gaps = draw(st.one_of(st.just([]), st.just([]), collectors))
    return Observation(
        workload=name,
        wall_s=draw(st.one_of(st.just(0.0), st.just(10.0), st.floats(0, 100))),
        evidence=tuple(draw(rows(*key)) for key in keys),
        gaps=tuple(Gap(collector, name, "not allowed") for collector in gaps),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Expectation, Observation]:
    expects = draw(st.sampled_from(EXPECTATIONS))
    return expects, draw(observations(expects))


def kind(expects: Expectation, observation: Observation) -> VerdictKind:
    return judge(expects, [observation], Thresholds()).kind


def with_hits(observation: Observation, hits: float) -> Observation:
    others = tuple(row for row in observation.evidence if row.metric != "hits")
    count = Evidence("hits", hits, hits, hits, "executions", int(hits), "probes", observation.workload)
    return replace(observation, evidence=(count, *others))


@given(cases())
def test_nothing_is_decided_that_never_ran(case: tuple[Expectation, Observation]) -> None:
    expects, observation = case
    assert kind(expects, with_hits(observation, 0)) not in DECIDED
    uncounted = tuple(row for row in observation.evidence if row.metric != "hits")
    assert kind(expects, replace(observation, evidence=uncounted)) not in DECIDED


@given(cases(), st.data())
def test_the_order_of_the_rows_does_not_matter(case: tuple[Expectation, Observation], data: st.DataObject) -> None:
    expects, observation = case
    shuffled = data.draw(st.permutations(observation.evidence))
    other = replace(observation, evidence=tuple(shuffled), gaps=observation.gaps[::-1])
    assert judge(expects, [other], Thresholds()) == judge(expects, [observation], Thresholds())


@given(st.data())
def test_the_order_of_the_workloads_does_not_matter(data: st.DataObject) -> None:
    expects = data.draw(st.sampled_from(EXPECTATIONS))
    several = [data.draw(observations(expects, name)) for name in ("a", "b", "c")]
    verdict = judge(expects, several, Thresholds())
    assert judge(expects, data.draw(st.permutations(several)), Thresholds()) == verdict
    assert verdict.kind in {kind(expects, one) for one in several}


@pytest.mark.parametrize("expects", EXPECTATIONS, ids=lambda expects: type(expects).__name__)
@given(data=st.data())
def test_more_cost_never_rejects_and_less_never_confirms(expects: Expectation, data: st.DataObject) -> None:
    cheaper = with_hits(data.draw(observations(expects)), data.draw(st.sampled_from([1.0, 10.0, 1000.0, 1e6])))
    factors = data.draw(st.fixed_dictionaries({key: st.floats(1.0, 1e4) for key in sorted(NEEDED[type(expects)])}))
    dearer = scaled(cheaper, {key: by for key, by in factors.items() if key in COSTS})
    assert (kind(expects, cheaper), kind(expects, dearer)) != (VerdictKind.CONFIRMED, VerdictKind.REJECTED)


def scaled(observation: Observation, factors: dict[tuple[str, str], float]) -> Observation:
    def dearer(row: Evidence) -> Evidence:
        by = factors.get((row.metric, row.collector), 1.0)
        value, low, high = (end * by if end > 0 else end / by for end in (row.value, row.low, row.high))
        return replace(row, value=value, low=low, high=high)

    return replace(observation, evidence=tuple(dearer(row) for row in observation.evidence))


def surely(row: Evidence) -> bool:
    """Whether the judge reads both ends of the row, as against a count, of which it reads the value."""
    return (row.metric, row.collector) in COSTS


@st.composite
def narrowed(draw: st.DrawFn, observation: Observation) -> Observation:
    """The same with a part of each interval: what more samples might have shown."""

    def part(row: Evidence) -> Evidence:
        if not surely(row):
            return row
        low, value, high = sorted(row.low + draw(st.floats(0, 1)) * (row.high - row.low) for _ in range(3))
        low, value, high = (min(max(end, row.low), row.high) for end in (low, value, high))
        return replace(row, value=value, low=low, high=high)

    return replace(observation, evidence=tuple(part(row) for row in observation.evidence))


@pytest.mark.parametrize("expects", EXPECTATIONS, ids=lambda expects: type(expects).__name__)
@given(data=st.data())
def test_what_is_decided_is_not_turned_over_by_knowing_it_better(expects: Expectation, data: st.DataObject) -> None:
    """GIVEN a decision from intervals, THEN no truth within them decides the other way."""
    vague = with_hits(data.draw(observations(expects)), data.draw(st.sampled_from([1.0, 10.0, 1000.0, 1e6])))
    exact = data.draw(narrowed(vague))
    assert {kind(expects, vague), kind(expects, exact)} != set(DECIDED)


@pytest.mark.parametrize("expects", EXPECTATIONS, ids=lambda expects: type(expects).__name__)
@given(data=st.data())
def test_nothing_is_rejected_where_every_collector_missed_a_part(expects: Expectation, data: st.DataObject) -> None:
    seen = with_hits(data.draw(observations(expects)), data.draw(st.sampled_from([1.0, 10.0, 1000.0, 1e6])))
    gaps = tuple(Gap(collector, "bench", "killed") for collector in ("probes", "py-spy", "memray"))
    assert kind(expects, replace(seen, gaps=gaps)) is not VerdictKind.REJECTED


@pytest.mark.parametrize("expects", EXPECTATIONS, ids=lambda expects: type(expects).__name__)
@given(data=st.data())
def test_a_suspect_that_is_costly_in_one_workload_is_confirmed_whatever_the_others_say(
    expects: Expectation, data: st.DataObject
) -> None:
    several = [data.draw(observations(expects, name)) for name in ("a", "b")]
    kinds = {kind(expects, one) for one in several}
    together = kind_of(expects, several)
    assert (together is VerdictKind.CONFIRMED) == (VerdictKind.CONFIRMED in kinds)
    if together is VerdictKind.REJECTED:
        assert kinds.isdisjoint({VerdictKind.CONFIRMED, VerdictKind.INCONCLUSIVE})


def kind_of(expects: Expectation, several: list[Observation]) -> VerdictKind:
    return judge(expects, several, Thresholds()).kind


STRADDLED: dict[Expectation, dict[tuple[str, str], tuple[float, float]]] = {
    Cost(): {("seconds", "probes"): (0.05, 0.05), ("share", "probes"): (0.02, 0.02)},
    Scaling(): {("hit_exponent", "probes"): (0.5, 0.5), ("cost_ratio", "probes"): (4.0, 4.0)},
    Scaling(steep=True): {
        ("growth", "probes"): (1.5, 1.5),
        ("hit_exponent", "probes"): (1.5, 1.5),
        ("beyond", "probes"): (0.05, 0.05),
        ("beyond_share", "probes"): (0.02, 0.02),
    },
    Backlog(): {("depth_max", "probes"): (100.0, 1000.0), ("depth_slope", "probes"): (0.02, 0.1)},
    Survivors("threads"): {("alive_end", "probes"): (5.0, 5.0), ("alive_peak", "probes"): (5.0, 32.0)},
    Reuse(): {("per_hit", "probes"): (0.5, 0.5), ("connections", "probes"): (10.0, 100.0)},
    Stall(): {("stall_longest", "probes"): (0.01, 0.05), ("stall_total", "probes"): (0.05, 0.2)},
    Repetition(): {
        ("repeats", "probes"): (10.0, 50.0),
        ("repeat_seconds", "probes"): (0.05, 0.05),
        ("repeat_share", "probes"): (0.02, 0.02),
    },
    Wait(): {("waited", "probes"): (0.05, 0.05), ("waited_share", "probes"): (0.02, 0.02)},
}


@pytest.mark.parametrize("expects", STRADDLED, ids=lambda expects: type(expects).__name__)
@given(data=st.data())
def test_an_interval_around_its_thresholds_is_never_decided(expects: Expectation, data: st.DataObject) -> None:
    """GIVEN every number that the judge weighs in an interval around its threshold, THEN it is doubt."""
    certain = {
        ("hits", "probes"): 100.0,
        ("created", "probes"): 100.0,
        ("loop_hits", "probes"): 100.0,
        ("size_min", "probes"): 500.0,
        ("size_max", "probes"): 500.0,
        ("peers", "probes"): 5.0,
        ("seconds", "py-spy"): 5.0,
        ("share", "py-spy"): 0.5,
        ("seconds", "probes"): 5.0,
        ("share", "probes"): 0.5,
    }
    evidence = []
    for (metric, collector), (least, most) in STRADDLED[expects].items():
        floor = -0.5 if METRICS[metric, collector] == "exponent" else 0.0
        low, high = data.draw(st.floats(floor, least, exclude_max=True)), data.draw(st.floats(most, 1e6))
        value = data.draw(st.floats(low, high))
        evidence.append(Evidence(metric, value, low, high, METRICS[metric, collector], 50, collector, "bench"))
    held = {(row.metric, row.collector) for row in evidence}
    for (metric, collector), exact in certain.items():
        if (metric, collector) not in held:
            unit = METRICS[metric, collector]
            evidence.append(Evidence(metric, exact, exact, exact, unit, 50, collector, "bench"))
    assert kind(expects, Observation("bench", 10.0, tuple(evidence))) is VerdictKind.INCONCLUSIVE


@given(cases(), st.booleans())
def test_every_verdict_can_be_told_and_ranked(case: tuple[Expectation, Observation], twice: bool) -> None:
    expects, observation = case
    others = [replace(observation, workload="other")] if twice else []
    verdict = judge(expects, [observation, *others], Thresholds())
    assert verdict.reason.endswith(".")
    assert verdict.reason[0] == verdict.reason[0].upper()
    assert "\n" not in verdict.reason
    priority, bound = triage(expects, verdict, Thresholds()), gain(expects, verdict)
    assert (priority is not None) >= (verdict.kind is VerdictKind.CONFIRMED)
    assert bound is None or (verdict.kind is VerdictKind.CONFIRMED and 1 <= bound.low <= bound.high)


@given(cases())
def test_doubt_says_what_would_settle_it(case: tuple[Expectation, Observation]) -> None:
    expects, observation = case
    verdict = judge(expects, [observation], Thresholds())
    if verdict.kind is VerdictKind.INCONCLUSIVE:
        assert any(advice in verdict.reason for advice in ("run i", "no run under an hour", "compare the times"))
        assert any(sign.isdigit() for sign in verdict.reason)


@given(cases(), st.data())
def test_repeated_runs_give_one_verdict_in_any_order(
    case: tuple[Expectation, Observation], data: st.DataObject
) -> None:
    expects, observation = case
    runs = [observation, *(data.draw(observations(expects)) for _ in range(2))]
    verdict = judge(expects, [same_size(runs)], Thresholds())
    shuffled = data.draw(st.permutations(runs))
    assert judge(expects, [same_size(shuffled)], Thresholds()) == verdict


@given(cases())
def test_runs_of_which_none_came_there_decide_nothing_together(case: tuple[Expectation, Observation]) -> None:
    expects, observation = case
    never = with_hits(observation, 0)
    assert kind(expects, same_size([never, never])) not in DECIDED
    assert kind(expects, by_size({n: [never] for n in (1, 2, 4)})) not in DECIDED


@given(st.floats(0.5, 3), st.floats(0.3, 3))
def test_growth_over_sizes_that_is_surely_there_is_never_rejected_where_it_is_dear(exponent: float, at: float) -> None:
    """GIVEN seconds, share and growth over sizes beyond their thresholds, THEN it is confirmed."""
    rows = [
        Evidence(metric, value, value, value, unit, 100, collector, "bench")
        for metric, value, unit in (("seconds", at, "s"), ("share", at / 10, "ratio"))
        for collector in ("probes", "py-spy")
    ]
    rows.append(Evidence("hits", 1, 1, 1, "executions", 1, "probes", "bench"))
    rows.append(Evidence("hit_exponent", exponent, exponent, exponent, "exponent", 3, "probes", "bench"))
    assert kind(Scaling(), Observation("bench", 10.0, tuple(rows))) is VerdictKind.CONFIRMED
