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


def test_nothing_is_said_where_processor_time_is_not_known() -> None:
    assert not boundness(a_run(cpu_s=None))
    assert not boundness(a_run(wall_s=0.0, cpu_s=0.0))
