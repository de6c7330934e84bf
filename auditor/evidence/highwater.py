"""Reads one memray capture: how many bytes were alive at its peak on behalf of which lines, and which of them stayed.

Run as a program of its own, `python highwater.py REQUEST ANSWER`, because a damaged capture may crash its reader.
REQUEST and ANSWER are JSON files: `{"capture", "cwd", "patterns": [{"file", "lines"}]}` and
`{"peak", "found": [[bytes, allocations]]}`, one pair for each pattern. With `"homes"`, a table from files as the
capture names them to real ones, no other file counts. Without `"patterns"` the answer is
`{"frames": [[function, file, line]]}`.

With `"stays"` in the request, the answer has `"stayed"`: for each pattern that held LEAST bytes at the peak
`[all, early, late]`, else None. All are the bytes that were still there at the end; early and late are those of them
that were allocated in the second and in the third quarter of the time since the pattern's first allocation. The arenas
that CPython allots small objects to are left out: each is charged to whoever happened to need the next one.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import memray

LEAST = 1_000_000
"""Bytes at the peak below which nobody asks how much stayed: it takes a second reading."""


def main(request: str, answer: str) -> None:
    """Answer the request.

    Raises:
        OSError: the capture is not one of memray's.
    """
    asked = json.loads(Path(request).read_text(encoding="utf-8"))
    with memray.FileReader(asked["capture"]) as reader:
        records = reader.get_high_watermark_allocation_records(merge_threads=True)
        result: dict[str, Any] = measure(records, asked) if "patterns" in asked else {"frames": frames(records)}
        if "stays" in asked:
            result["stayed"] = stayed(reader, asked, [size for size, _ in result["found"]])
    Path(answer).write_text(json.dumps(result), encoding="utf-8")


def frames(records: Iterable[Any]) -> list[tuple[str, str, int]]:
    """Every function, file and line on the stacks of the peak."""
    return sorted({(name, file, line) for record in records for name, file, line in record.stack_trace()})


def measure(records: Iterable[Any], asked: dict[str, Any]) -> dict[str, Any]:
    """The size of the peak, and the bytes and allocations in it that have a pattern's lines on their stack."""
    matching = _matcher(asked)
    peak = 0
    found = [[0, 0] for _ in asked["patterns"]]
    for record in records:
        peak += record.size
        for number in matching(record):
            found[number][0] += record.size
            found[number][1] += record.n_allocations
    return {"peak": peak, "found": found}


def stayed(reader: Any, asked: dict[str, Any], peaks: Sequence[int]) -> list[list[int] | None]:
    """What is said of "stayed" above."""
    if max(peaks, default=0) < LEAST:
        return [None for _ in peaks]
    times = [snapshot.time for snapshot in reader.get_memory_snapshots()]
    matching = _matcher(asked)
    # of each pattern, snapshots and the bytes allocated before each of them that stayed
    kept: list[dict[int, int]] = [{} for _ in peaks]
    first = [len(times)] * len(peaks)
    for record in reader.get_temporal_allocation_records(merge_threads=True):
        if record.allocator == memray.AllocatorType.MMAP:
            continue
        numbers = [number for number in matching(record) if peaks[number] >= LEAST]
        for span in record.intervals if numbers else ():
            for number in numbers:
                first[number] = min(first[number], span.allocated_before_snapshot)
                if span.deallocated_before_snapshot is None:
                    bytes_of = kept[number]
                    bytes_of[span.allocated_before_snapshot] = (
                        bytes_of.get(span.allocated_before_snapshot, 0) + span.n_bytes
                    )
    return [
        _by_quarter(of, times, start) if peak >= LEAST and start < len(times) - 1 else None
        for of, start, peak in zip(kept, first, peaks, strict=True)
    ]


def _by_quarter(kept: Mapping[int, int], times: Sequence[int], start: int) -> list[int]:
    begin, span = times[start], max(1, times[-1] - times[start])
    quarters = [0, 0, 0, 0, 0]
    for snapshot, size in kept.items():
        at = times[min(snapshot, len(times) - 1)]
        quarters[4 * (at - begin) // span] += size
    return [sum(quarters), quarters[1], quarters[2]]


def _matcher(asked: dict[str, Any]) -> Callable[[Any], set[int]]:
    """The patterns that a record's stack has lines of."""

    @functools.cache
    def real(file: str) -> str:
        if "homes" in asked:
            return str(asked["homes"].get(file, ""))
        return os.path.realpath(os.path.join(asked["cwd"], file))  # noqa: PTH118 - compared as strings

    flagged: dict[str, list[tuple[int, int, int]]] = {}
    for number, pattern in enumerate(asked["patterns"]):
        for first, last in pattern["lines"]:
            flagged.setdefault(pattern["file"], []).append((number, first, last))

    def matching(record: Any) -> set[int]:
        return {
            number
            for _, file, line in record.stack_trace()
            for number, first, last in flagged.get(real(file), ())
            if first <= line <= last
        }

    return matching


if __name__ == "__main__":
    main(*sys.argv[1:])
