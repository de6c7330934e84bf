"""The sentence about what was alive at the end."""

from __future__ import annotations

from dataclasses import replace

from auditor.model import Alive, Census, Gained, VerdictKind
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


def test_one_worker_in_each_of_many_processes_is_no_crowd() -> None:
    workers = (Alive("thread", 12, "beat (app.py:4)", "app.py:9", "sleep", most=1),)
    assert said(Census(0, 24, 0, workers)).startswith("no leak detected: 0 tasks, 24 threads")


def test_threads_of_compiled_code_are_said_not_to_have_been_looked_into() -> None:
    crew = (Alive("thread", 16, "compiled code", "", "", most=16),)
    sentence = said(Census(0, 17, 1, crew))
    assert sentence == (
        "no leak detected: 0 tasks, 17 threads, all accounted for "
        "(16 threads of compiled code; 1 process ended too early to be counted)"
    )


def test_many_files_and_sockets_are_named_few_are_not() -> None:
    def descriptors(count: int) -> Census:
        files = Alive("file", count, "/data", "", "", most=count)
        sockets = Alive("socket", count, "to 127.0.0.1", "app.py:9", "", most=count)
        return Census(0, 1, 0, (files, sockets), files=count, sockets=count)

    assert said(descriptors(19)).startswith("no leak detected")
    assert said(descriptors(20)) == (
        "alive at the end: 0 tasks, 1 thread, 20 files, 20 sockets; 20 files in /data; "
        "20 sockets to 127.0.0.1, opened at app.py:9"
    )


def test_descriptors_that_became_more_and_more_are_named_first() -> None:
    files = Alive("file", 40, "/tmp", "", "", most=40)
    alone = Census(0, 1, 0, files=400, gained=Gained(150.4, 300, "tests"))
    sentence = "open descriptors became more and more: 150 in the middle half of 300 tests"
    assert said(alone) == f"alive at the end: 0 tasks, 1 thread, 400 files, 0 sockets; {sentence}"
    assert f"; {sentence}; 40 files in /tmp" in said(replace(alone, alive=(files,)))
    seconds = replace(alone, gained=Gained(80.0, 4.21, "seconds"))
    assert "80 in the middle half of 4.2 seconds" in said(seconds)
