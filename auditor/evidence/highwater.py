"""Reads one memray capture: how many bytes were alive at its peak on behalf of which lines.

Run as a program of its own, `python highwater.py REQUEST ANSWER`, because a damaged capture may crash its reader.
REQUEST and ANSWER are JSON files: `{"capture", "cwd", "patterns": [{"file", "lines"}]}` and
`{"peak", "found": [[bytes, allocations]]}`, one pair for each pattern. With `"homes"`, a table from files as the
capture names them to real ones, no other file counts. Without `"patterns"` the answer is
`{"frames": [[function, file, line]]}`.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import memray


def main(request: str, answer: str) -> None:
    """Answer the request.

    Raises:
        OSError: the capture is not one of memray's.
    """
    asked = json.loads(Path(request).read_text(encoding="utf-8"))
    with memray.FileReader(asked["capture"]) as reader:
        records = reader.get_high_watermark_allocation_records(merge_threads=True)
        result = measure(records, asked) if "patterns" in asked else {"frames": frames(records)}
    Path(answer).write_text(json.dumps(result), encoding="utf-8")


def frames(records: Iterable[Any]) -> list[tuple[str, str, int]]:
    """Every function, file and line on the stacks of the peak."""
    return sorted({(name, file, line) for record in records for name, file, line in record.stack_trace()})


def measure(records: Iterable[Any], asked: dict[str, Any]) -> dict[str, Any]:
    """The size of the peak, and the bytes and allocations in it that have a pattern's lines on their stack."""

    @functools.cache
    def real(file: str) -> str:
        if "homes" in asked:
            return str(asked["homes"].get(file, ""))
        return os.path.realpath(os.path.join(asked["cwd"], file))  # noqa: PTH118 - compared as strings

    flagged: dict[str, list[tuple[int, int, int]]] = {}
    for number, pattern in enumerate(asked["patterns"]):
        for first, last in pattern["lines"]:
            flagged.setdefault(pattern["file"], []).append((number, first, last))
    peak = 0
    found = [[0, 0] for _ in asked["patterns"]]
    for record in records:
        peak += record.size
        matching = {
            number
            for _, file, line in record.stack_trace()
            for number, first, last in flagged.get(real(file), ())
            if first <= line <= last
        }
        for number in matching:
            found[number][0] += record.size
            found[number][1] += record.n_allocations
    return {"peak": peak, "found": found}


if __name__ == "__main__":
    main(*sys.argv[1:])
