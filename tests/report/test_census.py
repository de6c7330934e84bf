"""The sentence about what was alive at the end."""

from __future__ import annotations

from auditor.model import Alive, Census, VerdictKind
from auditor.report.census import alive_at_end
from tests.report.factory import a_finding, a_report, a_row, a_run


def said(census: Census | None, *findings: object) -> str:
    run = a_run(census=census)
    return alive_at_end(a_report(*findings, workloads=(run,)), run)  # type: ignore[arg-type]


def test_nothing_is_said_where_nothing_was_counted() -> None:
    assert said(None) == ""


def test_a_fixed_crew_is_no_leak() -> None:
    crew = (
        Alive("task", 4, "beat (app.py:3)", "", "sleep (app.py:5)"),
        Alive("thread", 64, "_worker", "", "_worker", 2),
    )
    assert said(Census(4, 65, 0, crew)) == "no leak detected: 4 tasks, 65 threads, all accounted for"


def test_many_of_a_kind_are_named_with_their_place_and_what_they_wait_for() -> None:
    many = (Alive("thread", 60, "work (app.py:4)", "app.py:9", "Event.wait (app.py:5)"),)
    assert said(Census(0, 61, 0, many)) == (
        "alive at the end: 0 tasks, 61 threads; 60 threads running work (app.py:4), started at app.py:9, "
        "waiting in Event.wait (app.py:5)"
    )


def test_workers_of_many_pools_are_named() -> None:
    pools = (Alive("thread", 7, "_worker", "app.py:9", "_worker", 7),)
    assert "7 threads of 7 pools" in said(Census(0, 8, 0, pools))


def test_what_a_finding_says_is_not_contradicted() -> None:
    row = a_row("alive_end", 5.0, unit="tasks", high=5.0)
    for kind, clean in (
        (VerdictKind.CONFIRMED, False),
        (VerdictKind.INCONCLUSIVE, False),
        (VerdictKind.REJECTED, True),
    ):
        sentence = said(Census(2, 1, 0), a_finding(kind, row))
        assert sentence.startswith("no leak detected") is clean


def test_processes_that_were_not_counted_are_named() -> None:
    assert said(Census(0, 1, 2)).endswith("all accounted for (2 processes ended too early to be counted)")
