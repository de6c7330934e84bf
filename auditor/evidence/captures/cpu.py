"""What a CPU profile says of suspects. Nothing is run."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from auditor.evidence.base import Outcome, Question
from auditor.evidence.captures.formats import Sampled, Traced, read_cpu_profile
from auditor.evidence.captures.homes import Homes, find_homes
from auditor.evidence.captures.lines import company
from auditor.evidence.passes.pyspy import HIDDEN_LOOP, patterns_of
from auditor.evidence.speedscope import Frame
from auditor.evidence.stacks import Pattern, Tallies, Tally, loop_frames
from auditor.model import Cost, Evidence, Gap, PassRun, Repetition, Scaling, Stall
from auditor.stats import Estimate

COLLECTOR = "capture"

OTHER_KIND = "a CPU profile does not show what this rule asks for; give a workload with --run"

Rows = tuple[Evidence | Gap, ...]


def judge_file(
    file: Path, questions: Sequence[Question], target: Path, audited: Sequence[Path], workload: str
) -> Outcome:
    """What the profile in `file` says. `audited` are all files of the audit; paths of suspects are below `target`.

    Raises:
        CaptureError: it cannot be read, or its format is not known.
    """
    profile = read_cpu_profile(file)
    taken = file.stat().st_mtime
    if isinstance(profile, Traced):
        frames = [Frame(name, path, line) for path, line, name in profile.functions]
        homes = find_homes(frames, audited, by_line=False)
        rows = {one.suspect.fingerprint: _traced(one, profile, homes, target, workload) for one in questions}
        return Outcome(_run(profile, homes, taken), rows)
    return judge_samples(profile, questions, target, audited, workload, taken)


def judge_samples(
    profile: Sampled, questions: Sequence[Question], target: Path, audited: Sequence[Path], workload: str, taken: float
) -> Outcome:
    """What samples say. `taken` is when they were, in seconds since the epoch."""
    homes = find_homes(profile.recording.frames, audited)
    frames = tuple(replace_file(frame, homes) for frame in profile.recording.frames)
    recording = replace(profile.recording, frames=frames)
    patterns = {pattern: None for one in questions for pattern in patterns_of(one, target).values()}
    tallies = Tallies(tuple(patterns), "/")
    tallies.add(recording, profile.seconds or float(recording.ticks))
    hidden = not loop_frames(recording.frames)
    rows = {}
    for one in questions:
        rows[one.suspect.fingerprint] = _sampled(one, profile, homes, tallies, target, workload, hidden)
    return Outcome(_run(profile, homes, taken), rows)


def replace_file(frame: Frame, homes: Homes) -> Frame:
    """The frame with the audited file that it is in."""
    home = homes.of.get(frame.file)
    return frame if home is None else frame._replace(file=os.path.realpath(home))


def _run(profile: Sampled | Traced, homes: Homes, taken: float) -> PassRun:
    return PassRun(COLLECTOR, profile.seconds or 0.0, None, warnings=tuple(_warnings(profile, homes, taken)))


def _warnings(profile: Sampled | Traced, homes: Homes, taken: float) -> list[str]:
    said = [f"read as {profile.tool}; it does not say which version of the code it was taken from"]
    said += homes.warnings(taken)
    if isinstance(profile, Sampled) and not profile.waits:
        said.append("it may leave out waiting, so what may wait is not rejected from it; py-spy record --idle shows it")
    if isinstance(profile, Sampled) and profile.seconds is None:
        said.append("it does not tell its rate, so seconds are not known; py-spy record --format speedscope tells it")
    return said


def _sampled(
    question: Question,
    profile: Sampled,
    homes: Homes,
    tallies: Tallies,
    target: Path,
    workload: str,
    hidden: bool,
) -> Rows:
    suspect = question.suspect
    file = target / suspect.path
    patterns = patterns_of(question, target)
    if not isinstance(question.expects, Cost | Scaling | Repetition | Stall):
        return (Gap(COLLECTOR, workload, OTHER_KIND),)
    if file in homes.unused:
        return (Gap(COLLECTOR, workload, homes.unused[file]),)
    if hidden and isinstance(question.expects, Stall):
        return (Gap(COLLECTOR, workload, HIDDEN_LOOP),)
    beside = company(suspect, file)
    narrowed = bool(patterns["seconds"].below)
    seen_whole = profile.apart and not beside.awaits and (profile.waits or beside.computes)
    prefix = "" if beside.alone or narrowed else "line_"
    # whether it ran is told by the line, also where only a part of it is wanted
    ran = tallies.of[patterns["seconds"]]
    rows: list[Evidence | Gap] = [
        Evidence("samples", ran.hits, ran.hits, ran.hits, "samples", ran.ticks, COLLECTOR, workload)
    ]
    for metric, pattern in patterns.items():
        rows += _times(metric, prefix, pattern, tallies.of[pattern], profile, seen_whole, workload)
    return tuple(rows)


def _times(
    metric: str, prefix: str, _pattern: Pattern, tally: Tally, profile: Sampled, whole: bool, workload: str
) -> list[Evidence]:
    wall_s = profile.seconds or float(tally.ticks)
    spent = tally.seconds(wall_s)
    share = spent.over(wall_s)
    if not whole:
        spent, share = spent._replace(high=math.inf), share._replace(high=1.0)
    rows = []
    if profile.seconds is not None:
        rows.append(_row(f"{prefix}{metric}", spent, "s", tally.ticks, workload))
    if metric == "seconds":
        rows.append(_row(f"{prefix}share", share, "ratio", tally.ticks, workload))
    return rows


def _row(metric: str, estimate: Estimate, unit: str, ticks: int, workload: str) -> Evidence:
    return Evidence(metric, *estimate, unit, ticks, COLLECTOR, workload)


def _traced(question: Question, profile: Traced, homes: Homes, target: Path, workload: str) -> Rows:
    """Calls of the function around the suspect, and the seconds in it: a tracer knows no lines and distorts times."""
    suspect = question.suspect
    file = target / suspect.path
    if not isinstance(question.expects, Cost | Scaling | Repetition | Stall):
        return (Gap(COLLECTOR, workload, OTHER_KIND),)
    if file in homes.unused:
        return (Gap(COLLECTOR, workload, homes.unused[file]),)
    if suspect.function is None:
        return (Gap(COLLECTOR, workload, "pstats tells functions apart, and this code is in none"),)
    name = suspect.symbol.rpartition(".")[2]
    calls = 0
    seconds = 0.0
    for (path, line, function), (times, spent) in profile.functions.items():
        if homes.of.get(path) == file and function == name and _is_head(suspect.function.line, line, file):
            calls += times
            seconds += spent
    return (
        Evidence("calls", calls, calls, calls, "calls", calls, COLLECTOR, workload),
        Evidence("function_seconds", seconds, 0.0, math.inf, "s", calls, COLLECTOR, workload),
    )


def _is_head(defined: int, line: int, file: Path) -> bool:
    """Whether a function of that first line (its first decorator's) is the one whose `def` stands on `defined`."""
    lines = file.read_text(encoding="utf-8", errors="replace").split("\n")[line - 1 : defined - 1]
    return line <= defined and not any(one.lstrip().startswith(("def ", "async def ", "class ")) for one in lines)
