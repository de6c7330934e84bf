"""What a change introduced and fixed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from auditor.bot.change import compare, held_against
from auditor.bot.remarks import changed_file
from auditor.change import FileChange
from auditor.model import Change as Introduction
from auditor.model import Finding, Fixed, PassRun, Span, VerdictKind
from auditor.standing import Edited
from tests.report.factory import a_finding, a_report, a_row, a_run

CONFIRMED, REJECTED, SUSPECTED = VerdictKind.CONFIRMED, VerdictKind.REJECTED, VerdictKind.SUSPECTED


def finding(context: str = "abc:1", line: int = 10, path: str = "shop/a.py", kind: VerdictKind = SUSPECTED) -> Finding:
    return a_finding(kind, context=context, line=line, path=path)


def test_a_finding_that_the_base_lacks_is_introduced_and_one_that_the_head_lacks_is_fixed() -> None:
    change = compare(a_report(finding("new:1")), a_report(finding("old:1")), ())

    assert [one.suspect.context for one in change.introduced] == ["new:1"]
    assert [one.suspect.context for one in change.fixed] == ["old:1"]
    assert change.kept == ()


def test_what_a_baseline_set_aside_at_the_base_was_there_all_the_same() -> None:
    base = replace(a_report(), set_aside=(finding("known:1"), finding("gone:1", line=30)))
    change = compare(a_report(finding("known:1"), finding("new:1", line=20)), base, ())

    assert [one.suspect.context for one in change.introduced] == ["new:1"]
    assert [one.suspect.context for one in change.kept] == ["known:1"]
    assert [one.suspect.context for one in change.fixed] == ["gone:1"]


def test_what_the_base_sets_aside_by_a_comment_is_introduced_where_the_comment_is_gone() -> None:
    base = replace(a_report(), set_aside=(replace(finding("old:1"), suppressed="seldom"),))

    assert len(compare(a_report(finding("old:1")), base, ()).introduced) == 1


def test_a_report_held_against_its_base_keeps_what_was_introduced() -> None:
    head, base = (
        a_report(finding("old:1"), finding("new:1", line=20)),
        a_report(finding("old:1"), finding("gone:1", line=30)),
    )
    held = held_against(head, base, ())

    assert [(one.suspect.context, one.change) for one in held.findings] == [("new:1", Introduction.INTRODUCED)]
    assert [(one.suspect.context, one.change) for one in held.set_aside] == [("old:1", Introduction.PRE_EXISTING)]
    assert [one.path for one in held.fixed] == ["shop/a.py"]


def test_a_finding_that_moved_down_the_file_is_the_same() -> None:
    change = compare(a_report(finding(line=90)), a_report(finding(line=10)), ())

    assert (change.introduced, change.fixed) == ((), ())
    assert [one.suspect.span.line for one in change.kept] == [90]


def test_a_finding_in_a_renamed_file_is_the_same() -> None:
    head, base = a_report(finding(path="shop/new.py")), a_report(finding(path="shop/old.py"))

    assert compare(head, base, [Edited(FileChange("shop/old.py", "shop/new.py"), {}, {})]).introduced == ()


def test_audits_started_in_different_directories_are_compared_by_path_of_the_repository() -> None:
    head = replace(a_report(finding(path="a.py")), prefix="shop")
    base = a_report(finding(path="shop/a.py"))

    assert compare(head, base, ()).introduced == ()


def test_of_three_equal_ones_where_there_were_two_one_is_introduced() -> None:
    head = a_report(*(finding(f"abc:{n}", line=n) for n in (1, 2, 3)))
    base = a_report(*(finding(f"abc:{n}", line=n) for n in (1, 2)))
    change = compare(head, base, ())

    assert (len(change.introduced), len(change.kept), len(change.fixed)) == (1, 2, 0)
    assert len(compare(base, head, ()).fixed) == 1


def test_what_a_narrowed_audit_did_not_look_at_is_not_fixed() -> None:
    base = a_report(finding("a:1"), finding("b:1", path="shop/b.py"))
    head = a_report()
    files = [Edited(FileChange("shop/a.py", "shop/a.py"), {}, {})]

    assert len(compare(head, base, files).fixed) == 2
    for command in ("audit shop --diff main", "audit shop --diff=main"):
        fixed = compare(replace(head, command=command), base, files).fixed
        assert [one.suspect.path for one in fixed] == ["shop/a.py"]


def test_what_a_narrowed_audit_says_is_fixed_in_a_file_that_the_change_does_not_touch_is_fixed() -> None:
    gone = finding("b:1", path="shop/b.py")
    suspect = gone.suspect
    head = replace(
        a_report(),
        command="audit . --diff main",
        fixed=(Fixed(suspect.rule, "b.py", suspect.symbol, suspect.message),),
        prefix="shop",
    )

    fixed = compare(
        head, a_report(gone, finding("c:1", path="shop/c.py")), [Edited(FileChange("shop/a.py", "shop/a.py"), {}, {})]
    ).fixed

    assert [one.suspect.path for one in fixed] == ["shop/b.py"]


def test_a_finding_whose_code_went_into_a_helper_is_not_called_fixed() -> None:
    patch = "@@ -8,4 +8,6 @@ def load(paths):\n x = 1\n y = 2\n-    for path in paths: open(path)\n"
    patch += "+    map(read, paths)\n+def read(name):\n+    return open(name)\n z = 3\n"
    files = [changed_file("shop/a.py", "shop/a.py", patch)]
    gone = replace(finding(), excerpt=((10, "    for path in paths: open(path)"),))
    gone = replace(gone, suspect=replace(gone.suspect, span=Span(10, 24, 10, 34)))
    other = replace(gone, suspect=replace(gone.suspect, fingerprint="o", context="o:1"), excerpt=((10, "x" * 40),))

    change = compare(a_report(), a_report(gone, other), files)

    assert [(one.finding, one.stands) for one in change.unflagged] == [(gone, "shop/a.py:12")]
    assert change.fixed == (other,)


def test_a_finding_that_the_head_suppresses_is_not_fixed() -> None:
    aside = replace(a_report(), set_aside=(replace(finding(), suppressed="known"),))
    change = compare(aside, a_report(finding()), ())

    assert (change.introduced, change.fixed, change.kept) == ((), (), ())


def test_what_the_head_sets_aside_is_there() -> None:
    aside = replace(a_report(), set_aside=(finding(),))
    change = compare(aside, a_report(finding()), ())

    assert (change.introduced, change.fixed, change.kept) == ((), (), ())


def test_without_a_base_everything_counts_as_found() -> None:
    change = compare(a_report(finding()), None, ())

    assert (len(change.introduced), change.compared) == (1, False)


def test_a_figure_differs_only_if_the_intervals_are_apart() -> None:
    slow = a_finding(CONFIRMED, a_row(value=0.5, low=0.45, high=0.55), context="abc:1")
    fast = a_finding(REJECTED, a_row(value=0.1, low=0.09, high=0.11), context="abc:1")
    vague = a_finding(CONFIRMED, a_row(value=0.3, low=0.1, high=0.5), context="abc:1")

    (moved,) = compare(a_report(fast), a_report(slow), ()).moved
    assert (moved.before.value, moved.after.value, moved.differs) == (0.5, 0.1, True)
    (moved,) = compare(a_report(vague), a_report(slow), ()).moved
    assert not moved.differs


def timed(value: float, *, sampled: float | None = None, kind: VerdictKind = CONFIRMED) -> Finding:
    rows = [a_row(value=value, low=value * 0.99, high=value * 1.01)]
    if sampled is not None:
        rows.append(a_row(value=sampled, low=sampled * 0.8, high=sampled * 1.2, collector="py-spy"))
    return a_finding(kind, *rows, context="abc:1")


def test_what_a_machine_does_to_a_single_run_is_no_difference() -> None:
    """Intervals of one run say how exactly that run was measured, not how the next one turns out."""
    (moved,) = compare(a_report(timed(1.2)), a_report(timed(1.0)), ()).moved
    assert not moved.differs

    run = a_run(passes=(PassRun("probes", 2.0, 0),) * 3)
    sure = [a_report(timed(value), workloads=(run,)) for value in (1.2, 1.0)]
    (moved,) = compare(sure[0], sure[1], ()).moved
    assert moved.differs


def test_a_figure_on_which_probes_and_samples_disagree_does_not_differ() -> None:
    (moved,) = compare(a_report(timed(2.0, sampled=1.0)), a_report(timed(1.0, sampled=1.0)), ()).moved
    assert not moved.differs
    (moved,) = compare(a_report(timed(3.0, sampled=3.0)), a_report(timed(1.0, sampled=1.0)), ()).moved
    assert moved.differs


def test_a_run_at_another_pace_of_the_machine_costs_no_less() -> None:
    """The same code twice, while the machine was busy and when it was not: all of the run took half the time."""

    def part(value: float, share: float) -> Finding:
        rows = [
            a_row("share", share, low=share * 0.97, high=share * 1.03, unit="ratio"),
            *timed(value).verdict.evidence,
        ]
        return a_finding(CONFIRMED, *rows, context="abc:1")

    (moved,) = compare(a_report(part(1.0, 0.54)), a_report(part(2.5, 0.55)), ()).moved
    assert not moved.differs
    (moved,) = compare(a_report(part(1.0, 0.34)), a_report(part(2.5, 0.55)), ()).moved
    assert moved.differs


def test_what_one_instrument_alone_measured_once_has_to_double() -> None:
    """Nothing else contradicts it, and a stand-still or a wait differs from run to run by more than the pace."""
    for value, differs in ((1.6, False), (2.5, True)):
        (moved,) = compare(a_report(timed(value)), a_report(timed(1.0)), ()).moved
        assert moved.differs is differs


def test_of_several_figures_that_is_told_which_most_instruments_measured() -> None:
    def both(value: float) -> Finding:
        rows = timed(value, sampled=value).verdict.evidence
        return a_finding(CONFIRMED, a_row("beyond", value / 9), *rows, context="abc:1")

    (moved,) = compare(a_report(both(3.0)), a_report(both(1.0)), ()).moved
    assert (moved.after.metric, moved.after.value) == ("seconds", 3.0)


def test_an_arena_more_or_less_is_no_difference_of_memory() -> None:
    def peak(value: float) -> Finding:
        return a_finding(CONFIRMED, a_row("peak_bytes", value, unit="B", collector="memray"), context="abc:1")

    (moved,) = compare(a_report(peak(2**20)), a_report(peak(0)), ()).moved
    assert not moved.differs
    (moved,) = compare(a_report(peak(20 * 2**20)), a_report(peak(2**20)), ()).moved
    assert moved.differs


def test_what_is_rejected_on_both_sides_is_no_figure_to_tell() -> None:
    cheap, cheaper = timed(0.02, kind=REJECTED), timed(0.01, kind=REJECTED)

    assert compare(a_report(cheap), a_report(cheaper), ()).moved == ()


def test_what_was_measured_on_one_side_only_is_no_change_of_a_figure() -> None:
    measured = a_finding(CONFIRMED, a_row(), context="abc:1")
    other_workload = a_finding(CONFIRMED, a_row(workload="other"), context="abc:1")

    assert compare(a_report(measured), a_report(finding()), ()).moved == ()
    assert compare(a_report(measured), a_report(other_workload), ()).moved == ()


places = st.lists(
    st.builds(finding, context=st.sampled_from(["a:1", "b:1", "b:2"]), line=st.integers(1, 50)),
    max_size=6,
    unique_by=lambda one: one.suspect.span.line,
)


@given(places, places)
def test_every_finding_is_in_exactly_one_class(head: list[Finding], base: list[Finding]) -> None:
    change = compare(a_report(*head), a_report(*base), ())
    back = compare(a_report(*base), a_report(*head), ())

    assert len(change.introduced) + len(change.kept) == len(head)
    assert len(change.fixed) + len(change.kept) == len(base)
    assert (len(change.introduced), len(change.fixed)) == (len(back.fixed), len(back.introduced))
