"""What a capture of memray says of suspects. Nothing is run."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from auditor.errors import CaptureError
from auditor.evidence.base import Outcome, Question
from auditor.evidence.captures.cpu import COLLECTOR
from auditor.evidence.captures.homes import Homes, find_homes
from auditor.evidence.captures.lines import company
from auditor.evidence.passes.memory import ask_highwater, pattern_of
from auditor.evidence.speedscope import Frame
from auditor.model import Cost, Evidence, Gap, PassRun

OTHER_KIND = "a memory profile does not show what this rule asks for; give a workload with --run"


def judge_memory(
    file: Path,
    questions: Sequence[Question],
    target: Path,
    audited: Sequence[Path],
    workload: str,
    scratch: Path,
    stop: threading.Event,
) -> Outcome:
    """What the capture in `file` says of the memory held at its peak.

    Raises:
        CaptureError: it cannot be read.
    """
    if not file.is_file():
        raise CaptureError(f"{file} cannot be read: no such file")
    found, failure = ask_highwater({"capture": str(file.absolute())}, scratch / "frames", stop)
    if found is None:
        raise CaptureError(f"{file}: {failure}")
    homes = find_homes([Frame(name, path, line) for name, path, line in found["frames"]], audited)
    asked = [one for one in questions if isinstance(one.expects, Cost) and one.expects.memory]
    request = {
        "capture": str(file.absolute()),
        "homes": {name: os.path.realpath(home) for name, home in homes.of.items()},
        "patterns": [pattern_of(one, target) for one in asked],
    }
    peak, failure = ask_highwater(request, scratch / "peak", stop)
    if peak is None:
        raise CaptureError(f"{file}: {failure}")
    rows: dict[str, tuple[Evidence | Gap, ...]] = {
        one.suspect.fingerprint: (Gap(COLLECTOR, workload, OTHER_KIND),) for one in questions
    }
    for one, (size, count) in zip(asked, peak["found"], strict=True):
        rows[one.suspect.fingerprint] = _rows(one, target, homes, size, count, peak["peak"], workload)
    said = "read as memray; it does not say which version of the code it was taken from"
    run = PassRun(COLLECTOR, 0.0, None, warnings=(said, *homes.warnings(file.stat().st_mtime)))
    return Outcome(run, rows)


def _rows(
    question: Question, target: Path, homes: Homes, size: int, count: int, total: int, workload: str
) -> tuple[Evidence | Gap, ...]:
    file = target / question.suspect.path
    if file in homes.unused:
        return (Gap(COLLECTOR, workload, homes.unused[file]),)
    prefix = "" if company(question.suspect, file, loops=False).alone else "line_"
    share = size / total if total else 0.0
    return (
        Evidence(f"{prefix}peak_bytes", size, size, size, "B", count, COLLECTOR, workload),
        Evidence(f"{prefix}peak_share", share, share, share, "ratio", count, COLLECTOR, workload),
    )
