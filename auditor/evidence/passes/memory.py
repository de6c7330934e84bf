"""Tracking allocations with memray: what was alive when the program needed most memory.

Its times are not used: a tracer slows some lines more than others. Neither are its totals, which count each resize in
full.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.evidence import highwater
from auditor.evidence.base import Outcome, Pass, Question, Session
from auditor.evidence.launch import NOT_REACHED, Reached, child_environment, child_errors, reached
from auditor.evidence.running import run_workload
from auditor.evidence.supervise import run_child
from auditor.model import Backlog, Cost, Evidence, Gap, PassRun

GAVE_UP = ("Failed to write output, deactivating tracking", "Memray ERROR: Failed to ")
"""What memray says on standard error when it cannot write any more; its file then looks as if it were whole."""

DISK_FULL = (
    "memray ran out of room in {} and tracked no further; free some space there, or set TMPDIR to where there is"
)


@dataclass(frozen=True, slots=True)
class _Peak:
    """One process at its high-water mark: all its bytes, and (bytes, allocations) of each question.

    `stayed`: of each question, the bytes there at the end, and those of them allocated in the second and in the third
    quarter of the time; None where that was not asked, or not worth it.
    """

    total: int
    found: tuple[tuple[int, int], ...]
    stayed: tuple[tuple[int, int, int] | None, ...]


@dataclass(slots=True)
class _Seen:
    peaks: list[_Peak] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class MemrayPass:
    """Starts memray in every Python process of the workload and reads the captures afterwards."""

    name = "memray"
    order = 30
    doing = "tracking memory with memray"
    over_sizes = False
    # the dearest pass: memory may confirm what time left open, and refutes no cost
    if_open = True

    def wanted(self, questions: Sequence[Question], hits: Mapping[str, int] | None) -> bool:
        """If a suspect that may have run is expected to hold memory."""
        return any(
            _is_about_memory(question) and (hits is None or hits.get(question.suspect.fingerprint, 1) > 0)
            for question in questions
        )

    def measure(self, questions: Sequence[Question], session: Session) -> Outcome:
        """Run the workload once, tracked.

        Raises:
            WorkloadError: its program cannot be found or started.
        """
        result = run_workload(session, child_environment("memray", session.scratch, _own_memray()))
        asked = [question for question in questions if _is_about_memory(question)]
        processes = reached(session.scratch)
        seen = _Seen(failures=[*_without_memray(processes), *child_errors(session.scratch)])
        if any(line.startswith(GAVE_UP) for line in result.last_lines):
            seen.failures.append(DISK_FULL.format(tempfile.gettempdir()))
        for capture in sorted(session.scratch.glob("memray-*.bin*")):
            _read(capture, asked, session, seen)
        partial = seen.failures if seen.peaks else ()
        run = PassRun(
            self.name,
            result.wall_s,
            result.exit_code,
            gap=None if seen.peaks else (seen.failures or [NOT_REACHED])[0],
            warnings=(*result.warnings, *partial),
        )
        rows = {
            question.suspect.fingerprint: row
            for number, question in enumerate(asked)
            if run.gap is None and (row := _rows(question, number, seen, session.workload.name))
        }
        return Outcome(run, rows, result.last_lines)


def _is_about_memory(question: Question) -> bool:
    return isinstance(question.expects, Backlog) or (isinstance(question.expects, Cost) and question.expects.memory)


def _own_memray() -> dict[str, str]:
    """Where audit's own memray lies, for interpreters of the same version that have none."""
    spec = importlib.util.find_spec("memray")
    site = Path(spec.origin).parent.parent if spec is not None and spec.origin is not None else Path()
    return {"memray_site": str(site), "memray_tag": sys.implementation.cache_tag or ""}


def _without_memray(processes: Sequence[Reached]) -> list[str]:
    lacking = sorted({process.executable for process in processes if process.note})
    return [
        f"memray is not installed in {python}; install it there: {python} -m pip install memray"
        if python
        else "an interpreter that does not tell where it lies has no memray"
        for python in lacking
    ]


def _read(capture: Path, asked: Sequence[Question], session: Session, seen: _Seen) -> None:
    """Add what a capture holds to `seen`. A capture that was cut off, by SIGKILL say, is read as far as it goes."""
    patterns = [pattern_of(question, session.target) for question in asked]
    request: dict[str, object] = {"capture": str(capture), "cwd": session.workload.cwd, "patterns": patterns}
    if any(isinstance(question.expects, Backlog) for question in asked):
        request["stays"] = True
    found, failure = ask_highwater(request, session.scratch / capture.name, session.stop)
    if found is None:
        seen.failures.append(failure)
    else:
        stayed = found.get("stayed", [None] * len(asked))
        seen.peaks.append(
            _Peak(
                total=found["peak"],
                found=tuple((size, count) for size, count in found["found"]),
                stayed=tuple(one and (one[0], one[1], one[2]) for one in stayed),
            )
        )


def pattern_of(question: Question, target: Path) -> dict[str, object]:
    """The flagged lines, as the reader of captures is asked about them; of a cached function, all of its lines."""
    suspect = question.suspect
    functions = [site.span for site in suspect.sites if site.probe == "cache"]
    lines = [(span.line, span.end_line) for span in (suspect.span, *functions)]
    return {"file": os.path.realpath(target / suspect.path), "lines": lines}


def ask_highwater(
    asked: Mapping[str, object], scratch: Path, stop: threading.Event
) -> tuple[dict[str, Any] | None, str]:
    """What the reader of captures answers (see `highwater`), or None and why it cannot. `scratch` begins file names."""
    request, answer = (scratch.with_name(f"{scratch.name}.{suffix}") for suffix in ("request", "answer"))
    request.write_text(json.dumps(asked), encoding="utf-8")
    result = run_child(
        [sys.executable, "-P", highwater.__file__, str(request), str(answer)],
        cwd=scratch.parent,
        env=os.environ,
        timeout_s=None,
        stdin=None,
        stop=stop,
    )
    if result.exit_code == 0:
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found, ""
    if result.stopped:
        return None, "interrupted before memray's capture was read"
    reason = result.last_lines[-1] if result.last_lines else f"its reader ended with {result.exit_code}"
    return None, f"a capture of memray cannot be read ({reason}); the process may have been killed early"


def _rows(question: Question, number: int, seen: _Seen, workload: str) -> tuple[Evidence | Gap, ...]:
    """The process in which the suspect held most: peaks of several processes need not be at the same time."""
    peak = max(seen.peaks, key=lambda peak: peak.found[number])
    size, count = peak.found[number]
    if isinstance(question.expects, Backlog) and not size:
        return ()  # what fills a queue is allocated elsewhere, so nothing here says nothing
    share = size / peak.total if peak.total else 0.0
    rows: list[Evidence | Gap] = [
        Evidence("peak_bytes", float(size), float(size), float(size), "B", count, MemrayPass.name, workload),
        Evidence("peak_share", share, share, share, "ratio", count, MemrayPass.name, workload),
    ]
    stayed = max((one for process in seen.peaks if (one := process.stayed[number])), key=_steady, default=None)
    if stayed is not None and isinstance(question.expects, Backlog):
        total, middle, steady = float(stayed[0]), float(stayed[1] + stayed[2]), _steady(stayed)
        rows.append(Evidence("retained_bytes", total, total, total, "B", count, MemrayPass.name, workload))
        rows.append(Evidence("kept_bytes", middle, steady, middle, "B", count, MemrayPass.name, workload))
    if seen.failures:
        rows.append(Gap(MemrayPass.name, workload, f"a part of the processes was not tracked: {seen.failures[0]}"))
    return tuple(rows)


def _steady(stayed: tuple[int, int, int]) -> float:
    """What surely goes on: twice what the lesser of the two quarters added."""
    return 2.0 * min(stayed[1:])


PASS: Pass = MemrayPass()
