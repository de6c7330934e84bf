"""The sentence about event loops that stood still."""

from __future__ import annotations

from auditor.model import Standstill
from auditor.report.standstill import stood_still
from tests.report.factory import a_run


def test_nothing_is_said_of_loops_that_did_not() -> None:
    assert stood_still(a_run()) == ""


def test_turns_seconds_and_the_lines_that_matter_are_named() -> None:
    lines = (("app.py:33", 0.72), ("app.py:42", 0.2), ("app.py:50", 0.01))
    assert stood_still(a_run(standstill=Standstill(12, 1.0, 0.25, lines))) == (
        "the event loop stood still 12 times for 0.05 s or more, 1 s in all and 0.25 s at most; "
        "it was busiest at app.py:33 (0.72 s), app.py:42 (0.2 s)"
    )


def test_without_lines_the_turns_stand_alone() -> None:
    assert stood_still(a_run(standstill=Standstill(1, 0.25, 0.25))).endswith("0.25 s in all and 0.25 s at most")


def test_a_loop_whose_turns_are_not_timed_is_known_by_its_lines_alone() -> None:
    unknown = "how long the event loop, uvloop, stood still is not known"
    assert stood_still(a_run(standstill=Standstill(0, 0.0, 0.0, hidden=True))) == unknown
    lines = (("app.py:33", 0.72), ("app.py:42", 0.2))
    told = stood_still(a_run(standstill=Standstill(0, 0.0, 0.0, lines, hidden=True)))
    assert told == f"{unknown}; it was busiest at app.py:33 (0.72 s), app.py:42 (0.2 s)"
    both = stood_still(a_run(standstill=Standstill(2, 0.3, 0.2, lines, hidden=True)))
    assert "stood still 2 times" in both
    assert "how long uvloop stood still is not known" in both
