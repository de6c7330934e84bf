"""The check run's conclusion and annotations."""

from __future__ import annotations

from dataclasses import replace

from auditor.bot.change import compare
from auditor.bot.check import MOST_ANNOTATIONS, MOST_CHARACTERS, Check, check
from auditor.model import Report, VerdictKind
from tests.report.factory import a_finding, a_report, a_run


def concluded(head: Report, summary: str = "") -> Check:
    return check(compare(head, a_report(), ()), head, summary)


def test_it_fails_on_what_is_confirmed_and_is_neutral_on_what_is_unproven() -> None:
    assert concluded(a_report(a_finding(VerdictKind.CONFIRMED))).conclusion == "failure"
    assert concluded(a_report(a_finding(VerdictKind.SUSPECTED))).conclusion == "neutral"
    assert concluded(a_report(a_finding(VerdictKind.REJECTED))).conclusion == "success"
    assert concluded(a_report()).conclusion == "success"


def test_a_workload_that_failed_is_never_a_success() -> None:
    assert concluded(replace(a_report(), workloads=(a_run(exit_code=1),))).conclusion == "neutral"
    assert concluded(replace(a_report(), interrupted=True)).conclusion == "neutral"
    assert "the workload failed" in concluded(replace(a_report(), workloads=(a_run(exit_code=1),))).title


def test_what_was_there_before_does_not_fail_it() -> None:
    same = a_report(a_finding(VerdictKind.CONFIRMED, context="x:1"))

    assert check(compare(same, same, ()), same, "").conclusion == "success"


def test_thousands_of_findings_do_not_use_up_the_requests_of_an_hour() -> None:
    found = concluded(a_report(*(a_finding(VerdictKind.SUSPECTED, line=n + 1) for n in range(1000))))

    assert len(found.annotations) == 500
    assert found.said == "neutral, 500 more lines not marked"


def test_annotations_come_in_portions_worst_first_and_the_summary_fits() -> None:
    kinds = [VerdictKind.SUSPECTED] * 70 + [VerdictKind.CONFIRMED] * 50
    found = concluded(a_report(*(a_finding(kind, line=n + 1) for n, kind in enumerate(kinds))), "s" * 70_000)
    batches = list(found.batches())

    assert [len(batch) for batch in batches] == [MOST_ANNOTATIONS, MOST_ANNOTATIONS, 20]
    assert {one.level for one in batches[0]} == {"failure"}
    assert len(found.summary) == MOST_CHARACTERS
