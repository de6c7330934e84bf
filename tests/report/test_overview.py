"""What a reader sees first, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.model import Change, Evidence, Finding, Gain, PassRun, Priority, Report, Skip, Span, VerdictKind
from auditor.report.headline import headline
from auditor.report.overview import flagged, location, overview
from auditor.report.strengths import strengths

from .factory import a_finding, a_realistic_report, a_report, a_row, a_run

CONFIRMED, REJECTED = VerdictKind.CONFIRMED, VerdictKind.REJECTED


def headline_of(report: Report) -> str:
    return overview(report).headline


def order(findings: tuple[Finding, ...]) -> list[str]:
    return [location(finding) for finding in findings]


def test_confirmed_findings_come_by_priority_then_by_cost_then_by_place() -> None:
    cheap = a_finding(CONFIRMED, a_row(value=0.1), path="z.py", priority=Priority.P1)
    dear = a_finding(CONFIRMED, a_row(value=0.9), path="b.py", priority=Priority.P1)
    other = a_finding(CONFIRMED, a_row(value=0.1), path="a.py", priority=Priority.P1)
    urgent = a_finding(CONFIRMED, path="y.py", priority=Priority.P0)
    unranked = a_finding(CONFIRMED, a_row(value=9.0), path="c.py")
    view = overview(a_report(cheap, unranked, dear, other, urgent))
    assert order(view.confirmed) == ["y.py:42:12", "b.py:42:12", "a.py:42:12", "z.py:42:12", "c.py:42:12"]
    assert [(group.name, len(group.findings)) for group in view.groups] == [("P0", 1), ("P1", 3), ("", 1)]


def test_only_seconds_count_as_cost() -> None:
    much_memory = a_finding(CONFIRMED, a_row("peak_bytes", 9e9, unit="B"), path="a.py", priority=Priority.P1)
    slow = a_finding(CONFIRMED, a_row(value=0.1), path="b.py", priority=Priority.P1)
    assert order(overview(a_report(much_memory, slow)).confirmed) == ["b.py:42:12", "a.py:42:12"]


def test_rejected_findings_come_by_rule_then_by_place() -> None:
    report = a_report(
        a_finding(REJECTED, rule="b", path="a.py"),
        a_finding(REJECTED, rule="a", path="z.py", line=100),
        a_finding(REJECTED, rule="a", path="z.py", line=9),
    )
    assert order(overview(report).rejected) == ["z.py:9:12", "z.py:100:12", "a.py:42:12"]


def test_the_order_of_findings_in_the_report_does_not_matter() -> None:
    report = a_realistic_report()
    backwards = replace(report, findings=report.findings[::-1], skipped=report.skipped[::-1])
    there, back = overview(report), overview(backwards)
    assert replace(there, report=report) == replace(back, report=report)


def test_every_finding_is_shown_once() -> None:
    report = a_realistic_report()
    view = overview(report)
    shown = (
        *view.confirmed,
        *view.rejected,
        *view.inconclusive,
        *view.not_exercised,
        *view.not_measurable,
        *view.suspected,
    )
    assert sorted(finding.suspect.fingerprint for finding in shown) == sorted(
        finding.suspect.fingerprint for finding in report.findings
    )


def test_the_stats_count_what_is_there_and_leave_out_what_is_not() -> None:
    stats = dict(overview(a_realistic_report()).stats)
    assert stats["Files"] == "31"
    assert stats["Lines"] == "8,412"
    assert stats["Confirmed"] == "3 (1 P0, 1 P1, 1 P2)"
    assert stats["Rejected"] == "24"
    assert "Suspected" not in stats
    assert dict(overview(a_report()).stats)["Confirmed"] == "0"


def test_the_file_of_the_worst_finding_is_to_be_opened_first() -> None:
    report = a_report(
        a_finding(CONFIRMED, path="a.py", line=1, priority=Priority.P2),
        a_finding(CONFIRMED, path="a.py", line=2, priority=Priority.P2),
        a_finding(CONFIRMED, path="b.py", priority=Priority.P0),
        a_finding(REJECTED, path="c.py"),
    )
    assert overview(report).first_files == (("b.py", 1), ("a.py", 2))


# ------------------------------------------------------------------------------------------------
# The headline


def test_the_headline_says_what_to_do_first() -> None:
    finding = a_finding(CONFIRMED, priority=Priority.P0, gain=Gain(1.2, 1.4))
    text = headline_of(a_report(finding, a_finding(CONFIRMED, path="z.py")))
    assert text.startswith("Start with shop/orders.py:42 (json-deepcopy, P0): 1.2x to 1.4x as fast if it cost nothing.")
    assert text.endswith("1 further finding is confirmed.")


def test_the_headline_bounds_no_gain_that_was_not_measured() -> None:
    assert headline_of(a_report(a_finding(CONFIRMED))) == (
        "Start with shop/orders.py:42 (json-deepcopy). Nothing else is confirmed."
    )


def test_the_headline_says_plainly_that_nothing_is_confirmed() -> None:
    report = a_report(*(a_finding(REJECTED, line=line) for line in (1, 2)))
    assert headline_of(report) == "Nothing is confirmed: 2 suspects were all measured and rejected."


def test_the_headline_does_not_count_what_is_open_as_good() -> None:
    report = a_report(a_finding(REJECTED), a_finding(VerdictKind.INCONCLUSIVE), a_finding(VerdictKind.NOT_MEASURABLE))
    assert headline_of(report) == (
        "Nothing is confirmed: 1 of 3 suspects were measured and rejected, 2 suspects remain open."
    )


def test_the_headline_of_a_workload_that_reaches_nothing_claims_nothing() -> None:
    unreached = [a_finding(VerdictKind.NOT_EXERCISED, line=line) for line in (1, 2)]
    assert headline_of(a_report(*unreached)).endswith("the workload reached none of the 2 suspects.")
    assert headline_of(a_report(unreached[0])).endswith("the workload did not reach the one suspect.")


def test_the_headline_without_a_workload_asks_for_one() -> None:
    text = headline_of(a_report(a_finding(VerdictKind.SUSPECTED), workloads=()))
    assert text.startswith("Nothing was measured: 1 suspect unproven.")


def test_the_headline_without_suspects_counts_the_files() -> None:
    assert headline_of(a_report()) == "No suspect was found in 31 files."
    skipped = (Skip("a.py", "syntax error at line 1"), Skip("b.py", "not UTF-8"))
    assert (
        headline_of(a_report(skipped=skipped))
        == "No suspect was found in 31 files, of which 2 were skipped, all or in part."
    )


def test_what_is_set_aside_is_not_called_absent() -> None:
    known = replace(a_finding(VerdictKind.SUSPECTED), change=Change.PRE_EXISTING)
    suppressed = replace(a_finding(VerdictKind.SUSPECTED), suppressed="")

    assert headline_of(a_report(set_aside=(known,))) == "No new suspect was found in 31 files."
    assert headline_of(a_report(set_aside=(suppressed,))) == "No suspect was found in 31 files but what is suppressed."


@pytest.mark.parametrize(("code", "ended"), [(3, "ended with exit code 3"), (None, "was stopped")])
def test_the_headline_doubts_the_numbers_of_a_failed_workload(code: int | None, ended: str) -> None:
    report = a_report(a_finding(REJECTED), workloads=(a_run(), a_run(exit_code=code), a_run(exit_code=code)))
    assert f"Workload load (and 1 more) {ended}" in headline_of(report)


def test_the_headline_of_an_interrupted_audit_says_so_first() -> None:
    assert headline(a_report(interrupted=True), ()).startswith("The audit was interrupted")


# ------------------------------------------------------------------------------------------------
# What is marked, what is good


def test_the_flagged_lines_are_those_of_the_span_whose_end_is_exclusive() -> None:
    whole_lines = a_finding(span=Span(3, 1, 5, 1))
    assert [line for line in range(1, 8) if flagged(whole_lines, line)] == [3, 4]
    one_line = a_finding(span=Span(3, 5, 3, 9))
    assert [line for line in range(1, 8) if flagged(one_line, line)] == [3]
    empty = a_finding(span=Span(3, 1, 3, 1))
    assert [line for line in range(1, 8) if flagged(empty, line)] == [3]


def census(kind: VerdictKind, created: float, alive: float) -> Finding:
    rows: tuple[Evidence, ...] = (
        a_row("created", created, unit="tasks"),
        a_row("alive_end", alive, unit="tasks"),
    )
    return a_finding(kind, *rows)


def test_no_leak_is_said_when_the_census_shows_none() -> None:
    said = strengths(a_report(census(REJECTED, 100, 0), census(REJECTED, 20, 0)))
    assert "No leak detected: of 120 tasks created at the watched places, none was alive at the end." in said


@pytest.mark.parametrize(
    "leak", [census(CONFIRMED, 10, 10), census(REJECTED, 10, 1), census(VerdictKind.INCONCLUSIVE, 10, 0)]
)
def test_no_leak_is_not_said_when_any_place_leaves_doubt(leak: Finding) -> None:
    said = " ".join(strengths(a_report(census(REJECTED, 100, 0), leak)))
    assert "No leak" not in said


def test_no_leak_is_not_said_when_nothing_was_watched() -> None:
    assert "No leak" not in " ".join(strengths(a_report(a_finding(REJECTED, a_row()))))


def test_strengths_count_rejected_suspects_and_clean_files() -> None:
    assert strengths(a_report(a_finding(REJECTED), a_finding(CONFIRMED, path="z.py"), files=5)) == (
        "1 of 2 suspects was rejected by measurement.",
        "3 of 5 files have no suspect at all.",
        "1 workload ended with exit code 0.",
    )


def test_a_failed_workload_is_no_strength() -> None:
    failed = a_run(exit_code=1, passes=(PassRun("plain", 1.0, 1),))
    assert strengths(a_report(workloads=(failed,), files=0, skipped=(Skip("a.py", "odd"),))) == ()
