"""Time for which other programs have the processor falls upon the instrument as it does on what is timed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auditor.evidence.probes import _timing
from auditor.evidence.timing import time_rows

HITS = 1_000_000


def record(spent_ns: int, dilation: float) -> dict[str, Any]:
    """A million hits that took so long together, the instrument along with them."""
    return {
        "hits": HITS,
        "full": [HITS, spent_ns],
        "thin": [0, 0, 0, 0],
        "instrument": [200, 300, 400],
        "dilation": dilation,
    }


def seconds(spent_ns: int, dilation: float) -> tuple[float, float, float]:
    ((_, value, low, high, _, _),) = [row for row in time_rows([record(spent_ns, dilation)]) if row[0] == "seconds"]
    return value, low, high


def test_what_is_taken_off_grows_with_the_wait_for_a_processor() -> None:
    # 50 ns each, and six times as long by the clock
    value, low, high = seconds(HITS * 6 * (50 + 300), 6.0)

    assert value == pytest.approx(0.3)
    assert low == 0
    assert high >= 1.8


def test_where_the_processor_was_there_nothing_changes() -> None:
    value, low, high = seconds(HITS * 350, 1.0)

    assert (value, low, high) == pytest.approx((0.05, 0, 0.15))


def test_the_kernel_tells_for_how_long_each_thread_waited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "schedstat"
    monkeypatch.setattr(_timing.Pace, "SOURCE", str(source))
    pace = _timing.Pace()

    pace.look()
    assert pace.dilation == 1
    source.write_text("0 0 0\n")
    pace.look()
    assert pace.dilation == 1
    source.write_text("1000 5000 3\n")
    pace.look()
    assert pace.dilation == 6
    source.write_text("nothing\n")
    pace.look()
    assert pace.dilation == 6
    pace.reset()
    assert pace.dilation == 1


def test_timings_are_rationed_by_the_processors_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def timed(dilation: float) -> int:
        monkeypatch.setattr(_timing.pace, "dilation", dilation)
        samples = _timing.Samples()
        now = 0
        while samples.hits < 200_000:
            samples.hits += 1
            now += 1_000
            if samples.hits >= samples.next:
                samples.add(samples.stands_for(), now, now + 100)
        return samples.full_n + samples.thin_n

    assert timed(8.0) - _timing.FULL_HITS < (timed(1.0) - _timing.FULL_HITS) / 4
