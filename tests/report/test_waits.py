"""The sentence about waits for other threads."""

from __future__ import annotations

import pytest

from auditor.model import Waits
from auditor.report.waits import waited_for_threads
from tests.report.factory import a_run


@pytest.mark.parametrize("waits", [None, Waits(0.1, 4.0, (("queues", 0.1),))])
def test_nothing_is_said_of_what_hardly_waited(waits: Waits | None) -> None:
    assert waited_for_threads(a_run(waits=waits)) == ""


def test_seconds_kinds_and_lines_are_named() -> None:
    waits = Waits(
        2.9, 4.0, (("results", 2.5), ("queues", 0.3), ("locks", 0.1)), (("app.py:31", 2.5), ("app.py:40", 0.1))
    )
    assert waited_for_threads(a_run(waits=waits)) == (
        "the main thread waited 2.9 s of 4 s for other threads: results (2.5 s), queues (0.3 s),"
        " most at app.py:31 (2.5 s)"
    )
