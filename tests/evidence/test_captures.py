"""Profiles from elsewhere: read whatever their form, brought home to the right files, and never taken for more."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import pytest

from auditor.config import Thresholds
from auditor.errors import CaptureError
from auditor.evidence.base import Question
from auditor.evidence.captures.cpu import judge_file
from auditor.evidence.captures.formats import Sampled, Traced, read_cpu_profile
from auditor.evidence.captures.homes import find_homes
from auditor.evidence.captures.lines import company
from auditor.evidence.speedscope import Frame
from auditor.judge import judge
from auditor.model import Cost, Evidence, Expectation, Gap, Observation, Scaling, Site, Span, Stall, Suspect, Verdict

SOURCE = """\
import json
import requests


def clone(item):
    return json.loads(json.dumps(item))


def mixed(item):
    return other(json.loads(json.dumps(item)))


async def fetch(url):
    return requests.get(url)


async def fetch_more(url):
    return await client.get(url)
"""
FAR = "/srv/app/pkg/lib.py"


def a_suspect(line: int, code: str, symbol: str) -> Suspect:
    text = SOURCE.split("\n")[line - 1]
    column = text.index(code) + 1
    span = Span(line, column, line, column + len(code))
    return Suspect(
        "rule", "pkg/lib.py", span, symbol, "m", f"f{line}", (Site("timed", span),), Span(line - 1, 1, line, 99)
    )


CLONE = a_suspect(6, "json.loads(json.dumps(item))", "clone")
MIXED = a_suspect(10, "json.loads(json.dumps(item))", "mixed")
FETCH = a_suspect(14, "requests.get(url)", "fetch")
MORE = a_suspect(18, "client.get(url)", "fetch_more")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "home" / "pkg").mkdir(parents=True)
    (tmp_path / "home" / "pkg" / "lib.py").write_text(SOURCE)
    return tmp_path / "home"


Stacks = dict[tuple[tuple[str, str, int], ...], int]


def speedscope(stacks: Stacks, rate: int = 100, **more: Any) -> str:
    """As py-spy writes it; stacks are of (function, file, line), the outermost first."""
    frames: list[tuple[str, str, int]] = []
    samples = []
    for stack, times in stacks.items():
        frames += [frame for frame in stack if frame not in frames]
        samples += [[frames.index(frame) for frame in stack]] * times
    document = {
        "exporter": "py-spy@0.4.3",
        "shared": {"frames": [{"name": name, "file": file, "line": line} for name, file, line in frames]},
        "profiles": [
            {
                "type": "sampled",
                "name": 'Process 7 Thread 1 "MainThread"',
                "unit": "seconds",
                "startValue": 0.0,
                "endValue": len(samples) / rate,
                "samples": samples,
                "weights": [1 / rate] * len(samples),
            }
        ],
    }
    return json.dumps(document | more)


MAIN = ("<module>", "/srv/app/bench.py", 9)
SELECT = ("select", "/usr/lib/python3.12/selectors.py", 452)
RUN = ("_run", "/usr/lib/python3.12/asyncio/events.py", 84)


def opinion(target: Path, text: str | bytes, suspect: Suspect, expects: Expectation) -> Verdict:
    file = target.parent / "profile"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    outcome = judge_file(file, [Question(suspect, expects)], target, [target / "pkg" / "lib.py"], "profile")
    rows = outcome.rows[suspect.fingerprint]
    seen = Observation(
        "profile",
        outcome.run.wall_s,
        tuple(row for row in rows if isinstance(row, Evidence)),
        tuple(row for row in rows if isinstance(row, Gap)),
    )
    return judge(expects, [seen], Thresholds())


def in_clone(line: int = 6, name: str = "clone", file: str = FAR) -> tuple[tuple[str, str, int], ...]:
    return MAIN, (name, file, line)


def test_a_line_of_its_own_that_is_costly_is_confirmed(target: Path) -> None:
    verdict = opinion(target, speedscope({(MAIN,): 700, in_clone(): 300}), CLONE, Cost())

    assert verdict.kind == "confirmed"
    assert "3 s of 10 s sampled (30 %), in 300 samples" in verdict.reason


def test_a_line_that_holds_other_code_is_not_confirmed(target: Path) -> None:
    verdict = opinion(target, speedscope({(MAIN,): 700, in_clone(10, "mixed"): 300}), MIXED, Cost())

    assert verdict.kind == "inconclusive"
    assert "the line holds other code too" in verdict.reason


def test_what_was_seen_but_seldom_is_rejected(target: Path) -> None:
    verdict = opinion(target, speedscope({(MAIN,): 5000, in_clone(): 5}), CLONE, Cost())

    assert verdict.kind == "rejected"


@pytest.mark.parametrize("samples", [50, 5000, 500_000])
def test_without_a_sample_nothing_is_rejected_nor_called_not_exercised_however_long_the_profile(
    target: Path, samples: int
) -> None:
    verdict = opinion(target, speedscope({(MAIN,): samples}), CLONE, Cost())

    assert verdict.kind == "inconclusive"
    assert "it did not run, or took at most" in verdict.reason


def test_what_may_wait_is_not_rejected_unless_the_profile_shows_waiting(target: Path) -> None:
    seldom = {(MAIN,): 5000, (MAIN, ("fetch", FAR, 14)): 5}

    assert opinion(target, speedscope(seldom), FETCH, Cost()).kind == "inconclusive"
    idle = seldom | {(MAIN, SELECT): 5000}
    assert opinion(target, speedscope(idle), FETCH, Cost()).kind == "rejected"


def test_what_is_awaited_is_never_rejected(target: Path) -> None:
    idle: Stacks = {(MAIN, SELECT): 5000, (MAIN, ("fetch_more", FAR, 18)): 5}

    assert company(MORE, target / "pkg" / "lib.py").awaits
    assert opinion(target, speedscope(idle), MORE, Cost()).kind == "inconclusive"


def test_growth_is_neither_confirmed_nor_rejected(target: Path) -> None:
    for stacks in ({(MAIN,): 700, in_clone(): 300}, {(MAIN,): 5000, in_clone(): 5}):
        verdict = opinion(target, speedscope(stacks), CLONE, Scaling())
        assert verdict.kind == "inconclusive"
        assert "does not tell how it grows" in verdict.reason


def test_a_call_below_the_event_loop_stalls_it(target: Path) -> None:
    below = {(MAIN, RUN, ("fetch", FAR, 14)): 300, (MAIN,): 700}
    beside = {(MAIN, ("fetch", FAR, 14)): 300, (MAIN, RUN, MAIN): 700}
    without = {(MAIN, ("fetch", FAR, 14)): 300, (MAIN,): 700}

    assert opinion(target, speedscope(below), FETCH, Stall()).kind == "confirmed"
    assert opinion(target, speedscope(beside), FETCH, Stall()).kind == "inconclusive"
    unseen = opinion(target, speedscope(without), FETCH, Stall())
    assert unseen.kind == "not-measurable"
    assert "no event loop shows" in unseen.reason.lower()


def test_moved_code_is_a_gap_and_never_evidence(target: Path) -> None:
    for line, name in ((6, "total"), (10, "clone")):
        verdict = opinion(target, speedscope({in_clone(line, name): 900}), CLONE, Cost())
        assert verdict.kind == "not-measurable"
        assert "he code has changed since: line" in verdict.reason


def test_a_profile_by_function_is_no_profile_by_line(target: Path) -> None:
    verdict = opinion(target, speedscope({in_clone(5): 900}), CLONE, Cost())

    assert verdict.kind == "not-measurable"
    assert "functions, not lines" in verdict.reason


def test_collapsed_stacks_tell_no_seconds_and_so_confirm_nothing(target: Path) -> None:
    raw = f"<module> (bench.py:9);clone ({FAR}:6) 300\n<module> (bench.py:9) 700\n"

    assert opinion(target, raw, CLONE, Cost()).kind == "inconclusive"
    assert "does not tell seconds" in opinion(target, raw, CLONE, Cost()).reason
    seldom = f"<module> (bench.py:9);clone ({FAR}:6) 3\n<module> (bench.py:9) 9000\n"
    assert opinion(target, seldom, CLONE, Cost()).kind == "rejected"


def test_threads_that_cannot_be_told_apart_reject_nothing(target: Path) -> None:
    worker = "_bootstrap (threading.py:1002);work (w.py:3)"
    raw = f"<module> (bench.py:9);clone ({FAR}:6) 30\n<module> (bench.py:9) 70\n{worker} 900000\n"

    assert opinion(target, raw, CLONE, Cost()).kind == "inconclusive"


def test_collapsed_stacks_of_several_processes_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "raw"
    file.write_text(
        'process 11:"python a.py";<module> (a.py:1) 5\nprocess 12:"python b.py";thread (0x1): T;<module> (b.py:1) 7\n'
    )

    profile = read_cpu_profile(file)

    assert isinstance(profile, Sampled)
    assert [(lane.pid, lane.samples) for lane in profile.recording.lanes] == [(11, 5), (12, 7)]


def test_events_become_the_time_between_them(tmp_path: Path) -> None:
    event = {"type": "evented", "name": "x", "unit": "milliseconds", "startValue": 0, "endValue": 100}
    events = [("O", 0, 0), ("O", 1, 20), ("C", 1, 50), ("C", 0, 100)]
    event["events"] = [{"type": kind, "frame": frame, "at": at} for kind, frame, at in events]
    file = tmp_path / "p.json"
    frames = [{"name": "<module>", "file": "a.py", "line": 1}, {"name": "f", "file": "a.py", "line": 5}]
    file.write_text(json.dumps({"shared": {"frames": frames}, "profiles": [event]}))

    profile = read_cpu_profile(file)

    assert isinstance(profile, Sampled)
    assert profile.seconds == pytest.approx(0.1)
    assert sum(lane.samples for lane in profile.recording.lanes) == 3


def test_pstats_tells_calls_and_decides_nothing(target: Path) -> None:
    import cProfile
    import importlib.util

    spec = importlib.util.spec_from_file_location("lib", target / "pkg" / "lib.py")
    code = compile(SOURCE.replace("import requests", ""), str(target / "pkg" / "lib.py"), "exec")
    assert spec is not None
    names: dict[str, Any] = {}
    exec(code, names)
    profiler = cProfile.Profile()
    for _ in range(7):
        profiler.runcall(names["clone"], {})
    file = target.parent / "p"
    profiler.dump_stats(file)

    assert isinstance(read_cpu_profile(file), Traced)
    called = opinion(target, file.read_bytes(), CLONE, Cost())
    uncalled = opinion(target, file.read_bytes(), MIXED, Cost())
    assert called.kind == "inconclusive"
    assert "in 7 calls under a tracer" in called.reason
    assert uncalled.kind == "not-exercised"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is no CPU profile that audit reads"),
        (b"hello\nworld\n", "is no CPU profile that audit reads"),
        (b'{"a": 1}', "cannot be understood"),
        (b"{(\x01\x02\x03", "cannot be understood"),
        (b"{\xa8" + bytes(range(128, 192)), "cannot be understood"),
        (speedscope({(MAIN,): 5}).replace('"unit": "seconds"', '"unit": "bytes"').encode(), "not of time"),
        (b"main;f 12\n", "frames have no lines"),
    ],
)
def test_any_other_file_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / "profile"
    file.write_bytes(content)

    with pytest.raises(CaptureError, match=complaint):
        read_cpu_profile(file)
    with pytest.raises(CaptureError, match="cannot be read"):
        read_cpu_profile(tmp_path / "missing")


# ------------------------------------------------------------------------------------------------
# Whose file is it?


def homes_of(root: Path, audited: list[str], *profiled: str) -> tuple[dict[str, str], dict[str, str]]:
    files = []
    for name in audited:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x = 1\n")
        files.append(file)
    found = find_homes([Frame("<module>", name, 1) for name in profiled], files)
    return (
        {name: home.relative_to(root).as_posix() for name, home in found.of.items()},
        {file.relative_to(root).as_posix(): why for file, why in found.unused.items()},
    )


def test_the_longest_common_end_counts(tmp_path: Path) -> None:
    homes, unused = homes_of(
        tmp_path, ["a/util.py", "b/util.py"], "/srv/x/a/util.py", "C:\\app\\b\\util.py", "/srv/x/c/other.py"
    )

    assert homes == {"/srv/x/a/util.py": "a/util.py", "C:\\app\\b\\util.py": "b/util.py"}
    assert unused == {}


def test_an_end_that_several_files_share_is_said_and_not_used(tmp_path: Path) -> None:
    homes, unused = homes_of(tmp_path, ["a/util.py", "b/util.py"], "/srv/x/c/util.py")

    assert homes == {}
    assert "may be any of 2 files audited" in unused["a/util.py"]


def test_a_file_that_two_of_the_profile_may_be_is_said_and_not_used(tmp_path: Path) -> None:
    homes, unused = homes_of(tmp_path, ["util.py"], "/srv/x/util.py", "/srv/y/util.py")

    assert homes == {}
    assert "/srv/x/util.py, /srv/y/util.py" in unused["util.py"]


def test_the_library_is_not_taken_for_the_project_nor_ruled_out(tmp_path: Path) -> None:
    homes, unused = homes_of(
        tmp_path, ["queue.py", "six.py"], "/usr/lib/python3.11/queue.py", "/v/lib/python3.11/site-packages/six.py"
    )

    assert homes == {}
    assert "may be it, or a library's file" in unused["queue.py"]
    assert "may be it, or a library's file" in unused["six.py"]


def test_a_module_of_a_package_is_none_of_another_package(tmp_path: Path) -> None:
    homes, unused = homes_of(
        tmp_path, ["shop/__init__.py", "shop/util.py"], "/v/lib/python3.11/site-packages/other/util.py", "/srv/util.py"
    )

    assert (homes, unused) == ({}, {})


def test_an_installed_package_is_its_source_tree(tmp_path: Path) -> None:
    installed = "/v/lib/python3.11/site-packages/shop/orders.py"
    homes, unused = homes_of(tmp_path, ["src/shop/orders.py", "src/shop/views.py"], installed)

    assert homes == {installed: "src/shop/orders.py"}
    assert unused == {}


def test_the_very_file_is_its_own_home_whatever_else_ends_like_it(tmp_path: Path) -> None:
    homes, unused = homes_of(tmp_path, ["util.py"], "/srv/x/util.py", str(tmp_path / "util.py"))

    assert homes == {str(tmp_path / "util.py"): "util.py"}
    assert unused == {}


def test_files_younger_than_the_profile_are_named(tmp_path: Path) -> None:
    file = tmp_path / "util.py"
    file.write_text("x = 1\n")
    found = find_homes([Frame("<module>", "/srv/util.py", 1)], [file])

    assert any("util.py" in said for said in found.warnings(time.time() - 3600))
    assert found.warnings(math.inf) == []
