"""Reading what py-spy wrote, and counting the samples that speak of a suspect."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from auditor.evidence.speedscope import Frame, read_recording
from auditor.evidence.stacks import Pattern, Tallies, Tally, is_function


def recording(directory: Path, frames: list[Frame], lanes: dict[str, list[list[int]]]) -> Path:
    file = directory / "recording.json"
    file.write_text(
        json.dumps(
            {
                "shared": {"frames": [frame._asdict() for frame in frames]},
                "profiles": [
                    {"type": "sampled", "name": f'Process {lane} "MainThread"', "samples": samples}
                    for lane, samples in lanes.items()
                ],
            }
        )
    )
    return file


def test_samples_at_the_gate_do_not_count(tmp_path: Path) -> None:
    frames = [Frame("<module>", "/a.py", 1), Frame("_gate", "/child/sitecustomize.py", 9)]
    file = recording(tmp_path, frames, {"7 Thread 7": [[0, 1], [0, 1], [0]]})
    assert read_recording(file, ignore=Path("/child/sitecustomize.py")).ticks == 1


def test_lines_are_matched_through_links_and_relative_paths(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text("")
    (tmp_path / "link.py").symlink_to(tmp_path / "real.py")
    frames = [Frame("f", "real.py", 3), Frame("f", str(tmp_path / "link.py"), 3), Frame("f", "/other/real.py", 3)]
    file = recording(tmp_path, frames, {"7 Thread 7": [[0], [1], [2]]})
    pattern = Pattern(os.path.realpath(tmp_path / "real.py"), ((3, 3),))
    tallies = Tallies((pattern,), str(tmp_path))
    tallies.add(read_recording(file, ignore=Path("/")), 3.0, late=0.5)
    assert tallies.of[pattern] == Tally(ticks=3, hits=2, busiest=2, watched_s=3.0, hit_s=2.0, busy_s=3.0, late_s=1.5)


def test_an_interval_is_wider_if_the_sampler_was_late_and_if_that_is_not_known(tmp_path: Path) -> None:
    file = recording(
        tmp_path, [Frame("f", "/a.py", 3), Frame("g", "/a.py", 9)], {"7 Thread 7": [[0]] * 50 + [[1]] * 50}
    )
    pattern = Pattern("/a.py", ((3, 3),))

    def interval(*lates: float | None) -> tuple[float, float]:
        tallies = Tallies((pattern,), str(tmp_path))
        for late in lates:
            tallies.add(read_recording(file, ignore=Path("/")), 1.0, late)
        _, low, high = tallies.of[pattern].seconds(float(len(lates)))
        return low, high

    in_time, late, unknown = interval(0.0), interval(0.2), interval(None)
    assert late[0] < in_time[0] < 0.5 < in_time[1] < late[1]
    assert unknown[0] < in_time[0] < 0.5 < in_time[1] < unknown[1]
    # one process of which it is not known leaves all of them in doubt
    assert interval(0.0, None) == interval(None, None)


@pytest.mark.parametrize(
    ("frame", "name", "is_it"),
    [
        (Frame("start", "/lib/threading.py", 1), "threading.py:start", True),
        (Frame("Thread.start", "/lib/threading.py", 1), "threading.py:start", True),
        (Frame("restart", "/lib/threading.py", 1), "threading.py:start", False),
        (Frame("start", "/lib/my_threading.py", 1), "threading.py:start", False),
        (Frame("run", "C:\\lib\\asyncio\\runners.py", 1), "asyncio/runners.py:run", True),
    ],
)
def test_functions_are_known_by_the_end_of_path_and_name(frame: Frame, name: str, is_it: bool) -> None:
    assert is_function(frame, name) is is_it


@pytest.mark.parametrize(
    ("runner", "is_below"),
    [
        (Frame("run_app", "/lib/aiohttp/web.py", 502), True),
        (Frame("Server.run", "/lib/uvicorn/server.py", 67), True),
        (Frame("run", "/lib/anyio/_backends/_asyncio.py", 1110), False),
        (Frame("run", "/lib/threading.py", 982), False),
    ],
)
def test_who_runs_a_loop_is_known_by_file_and_function(tmp_path: Path, runner: Frame, is_below: bool) -> None:
    frames = [runner, Frame("fetch", "/a.py", 3)]
    pattern = Pattern("/a.py", ((3, 3),), in_loop=True)
    tallies = Tallies((pattern,), str(tmp_path))
    tallies.add(read_recording(recording(tmp_path, frames, {"7 Thread 7": [[0, 1]] * 9}), ignore=Path("/")), 1.0)
    assert tallies.of[pattern].hits == (9 if is_below else 0)
    tallies.add(read_recording(recording(tmp_path, frames, {"7 Thread 7": [[1, 0]] * 9}), ignore=Path("/")), 1.0)
    assert tallies.of[pattern].hits == (9 if is_below else 0)


def test_what_a_module_starts_itself_is_told_from_what_its_functions_start(tmp_path: Path) -> None:
    script, pool = str(tmp_path / "script.py"), "/lib/python3/concurrent/futures/thread.py"
    frames = [
        Frame("<module>", script, 9),
        Frame("Thread.start", "/lib/python3/threading.py", 5),
        Frame("work", script, 3),
        Frame("<module>", str(tmp_path / "other.py"), 9),
        Frame("submit", pool, 7),
    ]
    stacks = [[0, 1], [0, 4, 1], [0, 2, 1], [0, 3, 1], [3, 1], [0, 4], [0]]
    pattern = Pattern(script, ((1, 99),), ("threading.py:start",), at_module=True)

    tallies = Tallies((pattern,), str(tmp_path))
    tallies.add(read_recording(recording(tmp_path, frames, {"7 Thread 7": stacks}), ignore=Path("/child")), 7.0)

    # by the module itself, and through the executor that it asks
    assert tallies.of[pattern].hits == 2
