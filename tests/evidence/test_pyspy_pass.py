"""What py-spy sees of real programs, and what is said where it sees nothing."""

from __future__ import annotations

import importlib.util
import json
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from auditor.evidence import gate
from auditor.evidence.base import Pass, Question
from auditor.evidence.chains import end_of
from auditor.evidence.gate import explain
from auditor.evidence.passes import pyspy
from auditor.evidence.passes.pyspy import PASS
from auditor.model import Backlog, Cost, Evidence, Reuse, Scaling, Stall, Survivors
from tests.evidence.asking import gaps, measure, question, row

SPIN = """\
import sys, time

def hot():
    end = time.process_time() + 1.0
    while time.process_time() < end:
        sum(range(200_000))  # hot

def rare():
    return 1  # rare

rare()
hot()
sys.exit(3)
"""


@pytest.fixture
def fake_pyspy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that stands in for py-spy; a test writes its text."""
    program = tmp_path / "fake-py-spy"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(gate, "pyspy_program", lambda: str(program))
    return program


def test_a_hot_line_gets_most_of_the_time(tmp_path: Path) -> None:
    outcome = measure(PASS, tmp_path, SPIN, question(SPIN, "# hot", Cost()))
    assert outcome.run.gap is None
    assert outcome.run.exit_code == 3
    share, seconds = row(outcome, "# hot", "share"), row(outcome, "# hot", "seconds")
    assert share.low < share.value <= share.high
    assert share.high > 0.5
    assert seconds.value == pytest.approx(share.value * outcome.run.wall_s)
    assert 0 < seconds.value <= outcome.run.wall_s
    assert (seconds.unit, share.unit, seconds.collector) == ("s", "ratio", "py-spy")


def test_a_line_that_was_never_seen_still_has_a_ceiling(tmp_path: Path) -> None:
    outcome = measure(PASS, tmp_path, SPIN, question(SPIN, "# rare", Cost()))
    share = row(outcome, "# rare", "share")
    assert (share.value, share.low) == (0, 0)
    assert 0 < share.high < 0.9  # on a busy machine, it comes down but slowly
    assert share.n > 20


def test_output_and_input_are_untouched(tmp_path: Path) -> None:
    outcome = measure(PASS, tmp_path, "import sys; print(sys.stdin.read() == ''); print('err', file=sys.stderr)")
    assert outcome.last_lines == ("True", "err")
    assert outcome.run.exit_code == 0


def test_waiting_is_seen(tmp_path: Path) -> None:
    source = "import time\ntime.sleep(0.6)  # wait\n"
    seconds = row(measure(PASS, tmp_path, source, question(source, "# wait", Cost())), "# wait", "seconds")
    assert seconds.value == pytest.approx(0.6, abs=0.2)
    assert seconds.low > 0.05


def test_of_a_statement_over_several_lines_only_these_lines_count(tmp_path: Path) -> None:
    source = """\
import time
def pause(s):
    time.sleep(s)
for s in (  # first
    0.3,
):
    pause(s)  # last
pause(0.6)
"""
    asked = question(source, "# first", Cost(), last="# last")
    seconds = row(measure(PASS, tmp_path, source, asked), "# first", "seconds")
    assert seconds.value == pytest.approx(0.3, abs=0.15)


def test_a_line_counts_once_however_often_it_recurs(tmp_path: Path) -> None:
    source = """\
import time
def down(n):
    if n:
        down(n - 1)  # recurse
    else:
        time.sleep(0.5)
down(50)
"""
    share = row(measure(PASS, tmp_path, source, question(source, "# recurse", Cost())), "# recurse", "share")
    assert 0.5 < share.value <= 1


def test_the_sites_of_a_scaling_suspect_count_too(tmp_path: Path) -> None:
    source = "import time\nx = []  # flagged\ntime.sleep(0.4)  # site\n"
    asked = question(source, "# flagged", Scaling(), sites=("# site",))
    assert row(measure(PASS, tmp_path, source, asked), "# flagged", "seconds").value > 0.2


def test_only_samples_with_the_named_function_below_count(tmp_path: Path) -> None:
    source = """\
import json, time
def both():
    time.sleep(0.4); json.dumps([Slow()], default=lambda _: time.sleep(0.4))  # both
class Slow: pass
both()
"""
    narrowed = question(source, "# both", Cost(below=("json/__init__.py:dumps",)))
    seconds = row(measure(PASS, tmp_path, source, narrowed), "# both", "seconds")
    assert seconds.value == pytest.approx(0.4, abs=0.2)


def test_of_a_chain_the_statement_at_its_end_is_told_apart(tmp_path: Path) -> None:
    source = """\
import time
def helper():
    time.sleep(1.2)
    return ask()
def ask():
    return (time
        .sleep(0.4))
helper()  # flagged
time.sleep(0.4)
"""
    asked = question(source, "# flagged", Cost())
    chain = ("helper (work.py:2)", "ask (work.py:5)", "time.sleep (work.py:6)")
    asked = replace(asked, suspect=replace(asked.suspect, chain=chain))
    outcome = measure(PASS, tmp_path, source, asked)
    whole, end = row(outcome, "# flagged", "seconds"), row(outcome, "# flagged", "end_seconds")
    assert 0 < end.value < whole.value / 2
    assert end.value == pytest.approx(row(outcome, "# flagged", "end_share").value * outcome.run.wall_s)


def test_a_cursor_works_where_rows_are_taken_from_it(tmp_path: Path) -> None:
    source = """\
def other(cursor):
    return cursor.fetchall()

def ask(cursor):
    prepare()
    if cursor.execute(
        "SELECT 1"
    ):
        work()
    for row in cursor:
        work()
    work()
    return cursor.fetchall()
"""
    (tmp_path / "work.py").write_text(source)
    place = end_of(("ask (work.py:4)", ".execute (work.py:6)"), tmp_path)
    assert place == (str((tmp_path / "work.py").resolve()), ((6, 8), (10, 10), (13, 13)))


@pytest.mark.parametrize("chain", [(), ("gone (gone.py:3)",), ("broken (broken.py:1)",)])
def test_without_an_end_that_can_be_read_none_is_told_apart(tmp_path: Path, chain: tuple[str, ...]) -> None:
    (tmp_path / "broken.py").write_text("def :")
    assert end_of(chain, tmp_path) is None


def test_churn_is_the_time_in_named_functions_below_the_flagged_one(tmp_path: Path) -> None:
    source = """\
import threading, time
def work():
    time.sleep(0.3)
    for _ in range(300):
        one = threading.Thread(target=int)  # thread
        one.start()
        one.join()
work()
"""
    asked = question(source, "# thread", Survivors("threads", churn=("threading.py:start",)), function="def work")
    outcome = measure(PASS, tmp_path, source, asked)
    (churn,) = outcome.rows["# thread"]
    assert isinstance(churn, Evidence)
    assert churn.metric == "churn"
    assert churn.high < outcome.run.wall_s - 0.2


def test_churn_of_a_script_is_the_time_in_what_its_module_starts(tmp_path: Path) -> None:
    source = """\
import threading, time
def work():
    for _ in range(300):
        other = threading.Thread(target=int)
        other.start()
        other.join()
for _ in range(300):
    one = threading.Thread(target=int)  # thread
    one.start()
    one.join()
time.sleep(0.3)
work()
"""
    asked = question(source, "# thread", Survivors("threads", churn=("threading.py:start",)))
    outcome = measure(PASS, tmp_path, source, asked)
    (churn,) = outcome.rows["# thread"]
    assert isinstance(churn, Evidence)
    assert churn.metric == "churn"
    assert churn.high < outcome.run.wall_s - 0.2


LOOP = """\
import asyncio, time

def work():
    time.sleep(0.4)  # blocks

async def main():
    for _ in range(1):
        work()
    await asyncio.sleep(0.4)  # yields

asyncio.run(main())
work()
"""


def test_a_stall_is_time_below_the_event_loop_only(tmp_path: Path) -> None:
    outcome = measure(PASS, tmp_path, LOOP, question(LOOP, "# blocks", Stall()), question(LOOP, "# yields", Stall()))
    assert row(outcome, "# blocks", "stall").value == pytest.approx(0.4, abs=0.15)
    assert row(outcome, "# blocks", "seconds").value == pytest.approx(0.8, abs=0.25)
    assert row(outcome, "# yields", "stall").value < 0.1


LOOPS = {
    "uvloop.run": "import uvloop\nuvloop.run(main())",
    "asyncio.run": "import asyncio\nasyncio.run(main())",
    "asyncio.run on uvloop": "import asyncio, uvloop\nuvloop.install()\nasyncio.run(main())",
    "trio.run": "import trio\ntrio.run(main)",
}
STALLS = """\
import asyncio, sys, time
sys.path.insert(0, LIBRARY)
async def main():
    time.sleep(0.4)  # stalls
    if asyncio._get_running_loop():
        await asyncio.sleep(0.3)
RUN
time.sleep(0.1)  # after
"""


@pytest.mark.parametrize("how", LOOPS)
def test_whatever_loop_calls_a_coroutine_its_stand_still_is_seen(tmp_path: Path, how: str) -> None:
    if "uvloop" in how and importlib.util.find_spec("uvloop") is None:
        pytest.skip("uvloop is not available here")
    # a trio of three lines, whose frames are named as those of the real one
    core = tmp_path / "library" / "trio" / "_core"
    core.mkdir(parents=True)
    (core / "__init__.py").touch()
    (core.parent / "__init__.py").write_text("from trio._core._run import run\n")
    (core / "_run.py").write_text(
        "def run(main):\n    try:\n        main().send(None)\n    except StopIteration:\n        pass\n"
    )
    source = STALLS.replace("LIBRARY", repr(str(tmp_path / "library"))).replace("RUN", LOOPS[how])
    outcome = measure(
        PASS, tmp_path, source, question(source, "# stalls", Stall()), question(source, "# after", Stall())
    )
    assert outcome.run.exit_code == 0, outcome.last_lines
    assert row(outcome, "# stalls", "stall").value == pytest.approx(0.4, abs=0.15)
    assert row(outcome, "# after", "stall").value == 0
    assert gaps(outcome, "# stalls") == []


def test_a_loop_that_does_not_show_gives_a_gap(tmp_path: Path) -> None:
    source = "import time\nasync def main():\n    time.sleep(0.3)  # loop\ntry:\n    main().send(None)\nexcept StopIteration: pass\n"
    outcome = measure(PASS, tmp_path, source, question(source, "# loop", Stall()))
    assert row(outcome, "# loop", "seconds").value > 0
    assert "no event loop shows" in gaps(outcome, "# loop")[0]


def test_a_short_program_is_watched_from_its_first_line_on(tmp_path: Path) -> None:
    source = "import time\ntime.sleep(0.1)  # short\n"
    seconds = row(measure(PASS, tmp_path, source, question(source, "# short", Cost())), "# short", "seconds")
    assert seconds.n >= 3
    assert seconds.value > 0.04


def test_a_program_too_short_to_be_judged_says_so(tmp_path: Path) -> None:
    outcome = measure(PASS, tmp_path, "", question("x  # x", "# x", Cost()))
    assert "ran so short" in outcome.run.warnings[0]
    assert row(outcome, "# x", "seconds").low == 0


def test_programs_one_after_another_are_each_watched(tmp_path: Path) -> None:
    source = "import time\ntime.sleep(0.3)  # wait\n"
    command = f"sh -c '{sys.executable} work.py; {sys.executable} work.py; exit 5'"
    outcome = measure(PASS, tmp_path, source, question(source, "# wait", Cost()), command=command)
    assert outcome.run.exit_code == 5
    seconds = row(outcome, "# wait", "seconds")
    assert seconds.value == pytest.approx(0.6, abs=0.2)
    assert seconds.low > 0.2


def test_threads_side_by_side_do_not_exceed_the_run(tmp_path: Path) -> None:
    source = """\
import threading, time
def wait():
    time.sleep(0.5)  # wait
threads = [threading.Thread(target=wait) for _ in range(8)]
[one.start() for one in threads]
[one.join() for one in threads]
time.sleep(0.5)
"""
    outcome = measure(PASS, tmp_path, source, question(source, "# wait", Cost()))
    seconds, share = row(outcome, "# wait", "seconds"), row(outcome, "# wait", "share")
    assert share.high <= 1
    assert seconds.low < 0.5, "the threads waited together for half a second, no longer is proven"
    assert seconds.high > 0.5


def test_children_of_the_program_are_watched(tmp_path: Path) -> None:
    source = """\
import multiprocessing, time
def wait():
    time.sleep(0.8)  # wait
if __name__ == "__main__":
    child = multiprocessing.get_context("fork").Process(target=wait)
    child.start()
    child.join()
"""
    seconds = row(measure(PASS, tmp_path, source, question(source, "# wait", Cost())), "# wait", "seconds")
    assert seconds.value > 0.3


@pytest.mark.parametrize("command", [f"{sys.executable} -I work.py", "sh -c 'exit 0'"])
def test_a_workload_without_a_python_that_can_be_reached_gives_a_gap(tmp_path: Path, command: str) -> None:
    outcome = measure(PASS, tmp_path, "x = 1  # x\n", question("x  # x", "# x", Cost()), command=command)
    assert outcome.run.gap is not None
    assert "no Python process" in outcome.run.gap
    assert outcome.run.exit_code == 0
    assert not outcome.rows


# ------------------------------------------------------------------------------------------------
# A py-spy that does not work


def test_without_pyspy_the_workload_runs_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "pyspy_program", lambda: None)
    outcome = measure(PASS, tmp_path, SPIN, question(SPIN, "# hot", Cost()))
    assert outcome.run.exit_code == 3
    assert outcome.run.gap is not None
    assert "pip install py-spy" in outcome.run.gap


def test_a_pyspy_without_permission_gives_a_gap(tmp_path: Path, fake_pyspy: Path) -> None:
    fake_pyspy.write_text(
        "#!/bin/sh\necho 'Permission Denied: Try running again with elevated permissions' >&2\nexit 1\n"
    )
    outcome = measure(PASS, tmp_path, SPIN, question(SPIN, "# hot", Cost()))
    assert outcome.run.exit_code == 3
    assert outcome.run.gap is not None
    assert "ptrace" in outcome.run.gap or "root" in outcome.run.gap


def test_a_pyspy_that_never_attaches_does_not_hold_the_workload_for_ever(
    tmp_path: Path, fake_pyspy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_pyspy.write_text("#!/bin/sh\nexec sleep 600\n")
    monkeypatch.setattr(pyspy, "PATIENCE_S", 0.3)
    monkeypatch.setattr(gate, "_FLUSH_S", 0.3)
    outcome = measure(PASS, tmp_path, "raise SystemExit(3)")
    assert outcome.run.exit_code == 3
    assert outcome.run.gap is not None


def test_a_pyspy_that_writes_nonsense_gives_a_gap(tmp_path: Path, fake_pyspy: Path) -> None:
    fake_pyspy.write_text('#!/bin/sh\nfor last; do :; done\necho "Sampling process"\necho "{}" > "$last"\n')
    outcome = measure(PASS, tmp_path, "raise SystemExit(3)")
    assert outcome.run.exit_code == 3
    assert outcome.run.gap is not None
    assert "cannot be read" in outcome.run.gap


EMPTY = json.dumps({"shared": {"frames": []}, "profiles": []})


def test_a_pyspy_that_sees_next_to_nothing_gives_a_gap(tmp_path: Path, fake_pyspy: Path) -> None:
    fake_pyspy.write_text(
        f"#!/bin/sh\nfor last; do :; done\necho 'Sampling process'\nsleep 1\necho '{EMPTY}' > \"$last\"\n"
    )
    outcome = measure(PASS, tmp_path, "import time; time.sleep(1)")
    assert outcome.run.gap is not None
    assert "0 times" in outcome.run.gap


def test_a_pyspy_that_takes_a_living_process_for_dead_gives_a_gap(tmp_path: Path, fake_pyspy: Path) -> None:
    """As it does, without a word, with a process that forbids to be read while audit is not root."""
    fake_pyspy.write_text(
        "#!/bin/sh\nfor last; do :; done\necho 'Sampling process'\necho 'Stopped sampling because process exited'\n"
        f"echo '{EMPTY}' > \"$last\"\n"
    )
    outcome = measure(PASS, tmp_path, "import time; time.sleep(2)")
    assert outcome.run.exit_code == 0
    assert outcome.run.gap is not None
    assert "lost sight" in outcome.run.gap


def test_where_only_a_part_was_sampled_each_row_is_accompanied_by_a_gap(
    tmp_path: Path, fake_pyspy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    real = gate.pyspy_program()
    assert real is not None
    once = tmp_path / "once"
    fake_pyspy.write_text(
        f'#!/bin/sh\nmkdir {once} 2>/dev/null && exec {real} "$@"\necho "Permission denied"\nexit 1\n'
    )
    monkeypatch.setattr(gate, "pyspy_program", lambda: str(fake_pyspy))
    source = "import time\ntime.sleep(0.3)  # wait\n"
    command = f"sh -c '{sys.executable} work.py; {sys.executable} work.py'"
    outcome = measure(PASS, tmp_path, source, question(source, "# wait", Cost()), command=command)
    assert outcome.run.gap is None
    assert row(outcome, "# wait", "seconds").value > 0.1
    assert "part of the processes" in gaps(outcome, "# wait")[0]


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        (["py-spy was not found"], "pip install"),
        (["Error: Failed to suspend process", "Reason: EPERM: Operation not permitted"], "root"),
        (["Error: Failed to find python version from target process"], "upgrade"),
        (["Error: No child process (os error 10)"], "No child process"),
        ([], "no reason"),
    ],
)
def test_a_failure_is_explained(said: list[str], advice: str) -> None:
    assert advice in explain(said)


def test_a_stopped_run_keeps_what_it_has(tmp_path: Path) -> None:
    source = "import time\nopen('started', 'w').close()\ntime.sleep(600)  # wait\n"
    stop = threading.Event()

    def stop_when_started() -> None:
        while not (tmp_path / "target" / "started").exists():
            stop.wait(0.05)
        stop.wait(0.5)
        stop.set()

    threading.Thread(target=stop_when_started, daemon=True).start()
    outcome = measure(PASS, tmp_path, source, question(source, "# wait", Cost()), stop=stop)
    assert outcome.run.exit_code == -signal.SIGTERM
    assert outcome.run.warnings
    assert row(outcome, "# wait", "seconds").value > 0.1


# ------------------------------------------------------------------------------------------------
# Which suspects are worth a run


ASKED = "x = 1  # x"


@pytest.mark.parametrize(
    ("asked", "hits", "wanted"),
    [
        (Cost(), None, True),
        (Cost(), {"# x": 0}, False),
        (Cost(), {"# x": 1}, True),
        (Cost(), {}, True),
        (Scaling(), None, True),
        (Stall(), None, True),
        (Survivors("threads", churn=("threading.py:start",)), None, True),
        (Survivors("tasks"), None, False),
        (Backlog(), None, False),
        (Reuse(), None, False),
    ],
)
def test_it_is_wanted_where_time_is_in_question(
    asked: Cost | Scaling | Stall | Survivors | Backlog | Reuse, hits: dict[str, int] | None, wanted: bool
) -> None:
    questions: list[Question] = [question(ASKED, "# x", asked)]
    spy: Pass = PASS
    assert spy.wanted(questions, hits) is wanted


@pytest.mark.parametrize(("late", "is_read"), [(0.9, True), (0.05, False), (0.0, False), (None, False)])
def test_few_looks_are_no_process_that_forbids_them_where_the_sampler_got_no_processor(
    tmp_path: Path, late: float | None, is_read: bool
) -> None:
    frames = [{"name": "f", "file": "a.py", "line": 1}]
    profile = {"type": "sampled", "name": 'Process 7 Thread 7 "MainThread"', "samples": [[0]] * 155}
    recording = tmp_path / "recording.json"
    recording.write_text(json.dumps({"shared": {"frames": frames}, "profiles": [profile]}))
    watch = SimpleNamespace(failure=None, recording=recording, watched_s=8.4, late=late)

    found, failure = pyspy._recording(cast("gate.Watch", watch))

    assert (found is not None) is is_read
    assert is_read or "could look only 155 times" in failure
