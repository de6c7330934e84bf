"""What is said of a workload's processor time."""

from __future__ import annotations

import pytest

from auditor.report.boundness import boundness
from tests.report.factory import a_run


@pytest.mark.parametrize(
    ("cpu_s", "said"),
    [
        (1.9, "CPU-bound: 1.9 s of processor time in 2 s (95 %)"),
        (3.8, "CPU-bound: 3.8 s of processor time in 2 s (1.9 cores)"),
        (1.0, "Mixed: 1 s of processor time in 2 s (50 %), the rest is waiting"),
        (0.1, "I/O-bound: 0.1 s of processor time in 2 s (5 %), the rest is waiting"),
    ],
)
def test_the_share_of_processor_time_says_what_holds_a_workload_up(cpu_s: float, said: str) -> None:
    assert boundness(a_run(wall_s=2.0, cpu_s=cpu_s)).startswith(said)


def test_a_busy_machine_does_not_make_computing_look_like_waiting() -> None:
    said = boundness(a_run(wall_s=2.0, cpu_s=1.0, queued_s=0.9))
    assert said == "CPU-bound: 1 s of processor time in 2 s (50 %), 0.9 s ready while other programs had the processors"


def test_nothing_is_said_where_processor_time_is_not_known() -> None:
    assert not boundness(a_run(cpu_s=None))
    assert not boundness(a_run(wall_s=0.0, cpu_s=0.0))
