"""Workloads run to their end, are ended in time, and leave nothing behind. Real processes throughout."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from auditor.errors import WorkloadError
from auditor.evidence.supervise import LAST_LINES, LINE_WIDTH, ChildResult, resolve_command, run_child

DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {keep_pipes} or [os.close(fd) for fd in (0, 1, 2)]
        with open(sys.argv[1] + ".new", "w") as file:
            file.write(str(os.getpid()))
        os.rename(sys.argv[1] + ".new", sys.argv[1])
        time.sleep(600)
    os._exit(0)
os.wait()
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
{then}
"""


def run(
    code: str,
    *arguments: str,
    cwd: Path | None = None,
    timeout_s: float | None = None,
    stdin: Path | None = None,
    stop: threading.Event | None = None,
    on_start: Callable[[int], None] | None = None,
) -> ChildResult:
    return run_child(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd or Path.cwd(),
        env=os.environ,
        timeout_s=timeout_s,
        stdin=stdin,
        stop=stop or threading.Event(),
        on_start=on_start,
    )


def run_until(mark: Path, code: str) -> ChildResult:
    """Run until the workload has made the file `mark`, then stop it."""
    stop = threading.Event()

    def wait_for_mark() -> None:
        while not mark.exists():
            time.sleep(0.01)
        stop.set()

    return run(
        code, str(mark), stop=stop, on_start=lambda _: threading.Thread(target=wait_for_mark, daemon=True).start()
    )


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_the_exit_code_is_the_workloads(code: int) -> None:
    assert run(f"raise SystemExit({code})").exit_code == code


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
def test_a_signal_is_a_negative_exit_code(number: signal.Signals) -> None:
    assert run(f"import os; os.kill(os.getpid(), {int(number)})").exit_code == -number


def test_output_is_counted_and_hashed_as_it_was_written() -> None:
    result = run(r"import sys; sys.stdout.buffer.write(b'a\r\n\xff\0'); sys.stderr.write('not this')")
    assert result.stdout_bytes == 5
    assert result.stdout_sha256 == hashlib.sha256(b"a\r\n\xff\0").hexdigest()


def test_the_last_lines_end_with_what_went_to_standard_error() -> None:
    result = run("import sys; print('progress'); sys.exit('it broke')")
    assert result.last_lines == ("progress", "it broke")


def test_a_talkative_stream_does_not_crowd_out_the_other() -> None:
    result = run(
        "import sys; [print('out', i) for i in range(99)]; [print('err', i, file=sys.stderr) for i in range(99)]"
    )
    assert len(result.last_lines) == LAST_LINES
    assert result.last_lines[0] == "out 89"
    assert result.last_lines[-1] == "err 98"


def test_a_single_stream_gets_all_the_room() -> None:
    assert run("[print(i) for i in range(99)]").last_lines == tuple(map(str, range(99 - LAST_LINES, 99)))


def test_long_lines_are_cut() -> None:
    assert run("print('x' * 100_000)").last_lines == ("x" * LINE_WIDTH,)


def test_hundreds_of_megabytes_of_output_do_not_fill_memory() -> None:
    own = psutil.Process()
    before = own.memory_info().rss
    result = run("import sys; b = b'x' * 2**20\nfor _ in range(300): sys.stdout.buffer.write(b)")
    assert result.stdout_bytes == 300 * 2**20
    assert result.exit_code == 0
    assert own.memory_info().rss - before < 50 * 2**20


def test_standard_input_is_the_given_file(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("hello")
    assert run("print(input().upper())", stdin=tmp_path / "input").last_lines == ("HELLO",)


def test_standard_input_is_empty_without_a_file() -> None:
    assert run("import sys; print(repr(sys.stdin.read()))").last_lines == ("''",)


def test_the_wall_time_is_that_of_the_main_process() -> None:
    result = run("import time; time.sleep(0.3)")
    assert 0.3 <= result.wall_s < 30


@pytest.mark.skipif(sys.platform == "win32", reason="no processor time of other processes there")
def test_processor_time_tells_computing_from_waiting_and_counts_children_waited_for() -> None:
    busy = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    computing = run(busy)
    assert computing.cpu_s is not None
    assert 0.3 <= computing.cpu_s < 0.3 + computing.wall_s
    handed_on = run("import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])", busy)
    assert handed_on.cpu_s is not None
    assert handed_on.cpu_s >= 0.3
    waiting = run("import time; time.sleep(2)")
    assert waiting.cpu_s is not None
    assert waiting.cpu_s < waiting.wall_s / 2


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_waiting_for_a_processor_is_told_from_waiting_for_anything_else() -> None:
    if not Path("/proc/self/schedstat").exists():
        pytest.skip("a kernel without scheduler statistics")
    computing = "import os, time; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); pid = os.fork()\n"
    computing += "end = time.process_time() + 0.5\nwhile time.process_time() < end: pass\nif pid: os.wait()"
    crowded = run(computing)
    assert crowded.queued_s is not None
    assert crowded.queued_s > 0.1
    alone = run("import time; time.sleep(1)")
    assert alone.queued_s is not None
    assert alone.queued_s < 0.9


def test_a_timeout_ends_the_workload() -> None:
    result = run("import time; time.sleep(600)", timeout_s=0.2)
    assert result.timed_out
    assert not result.stopped
    assert result.exit_code == -signal.SIGTERM
    assert "timeout" in result.warnings[0]


def test_a_workload_that_ignores_the_request_to_end_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nopen(sys.argv[1], 'w').close()\ntime.sleep(600)"
    )
    assert run_until(tmp_path / "deaf", code).exit_code == -signal.SIGKILL


def test_a_workload_may_clean_up_when_it_is_ended(tmp_path: Path) -> None:
    code = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\nopen(sys.argv[1], 'w').close()\ntime.sleep(600)"
    )
    assert run_until(tmp_path / "ready", code).exit_code == 7


def test_a_grandchild_that_became_a_daemon_is_ended_too(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    result = run_until(mark, DAEMON.format(keep_pipes=False, then="time.sleep(600)"))
    assert result.stopped
    assert not is_running(int(mark.read_text()))


@pytest.mark.parametrize("keep_pipes", [True, False])
def test_a_daemon_does_not_outlive_the_workload(tmp_path: Path, keep_pipes: bool) -> None:
    mark = tmp_path / "pid"
    result = run(DAEMON.format(keep_pipes=keep_pipes, then="sys.exit(4)"), str(mark))
    assert result.exit_code == 4
    assert not result.timed_out
    assert not is_running(int(mark.read_text()))


def test_children_live_as_long_as_the_main_process(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(0.6); print(1)'], process_group=0)\n"
        "sys.exit(child.wait())"
    )
    result = run(code)
    assert result.exit_code == 0
    assert result.last_lines == ("1",)


def test_processes_of_others_are_left_alone() -> None:
    other = psutil.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        run("import time; time.sleep(600)", timeout_s=0.2)
        assert is_running(other.pid)
    finally:
        other.kill()
        other.wait()


def test_a_stop_ends_the_workload() -> None:
    stop = threading.Event()
    result = run("import time; time.sleep(600)", stop=stop, on_start=lambda _: stop.set())
    assert result.stopped
    assert result.exit_code == -signal.SIGTERM
    assert result.warnings == ("this run was interrupted",)


def test_nothing_is_started_after_a_stop(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    result = run("import sys; open(sys.argv[1], 'w')", str(tmp_path / "mark"), stop=stop)
    assert result.exit_code is None
    assert result.stopped
    assert not (tmp_path / "mark").exists()


def test_the_process_id_is_told_at_the_start() -> None:
    pids: list[int] = []
    result = run("import os; print(os.getpid())", on_start=pids.append)
    assert result.last_lines == (str(pids[0]),)


def test_an_exception_while_running_leaves_no_process_behind() -> None:
    pids: list[int] = []

    def fail(pid: int) -> None:
        pids.append(pid)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("import time; time.sleep(600)", on_start=fail)
    assert not is_running(pids[0])


def test_a_run_inside_a_run_is_known_to_both() -> None:
    env = {**os.environ, "AUDIT_RUN": "outer"}
    code = "import os; print(os.environ['AUDIT_RUN'])"
    result = run_child(
        [sys.executable, "-c", code], cwd=".", env=env, timeout_s=None, stdin=None, stop=threading.Event()
    )
    assert result.last_lines[0].startswith("outer:")


def test_a_file_that_is_no_program_is_reported(tmp_path: Path) -> None:
    program = tmp_path / "bench"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    with pytest.raises(WorkloadError, match="cannot be started"):
        run_child([str(program)], cwd=tmp_path, env=os.environ, timeout_s=None, stdin=None, stop=threading.Event())


# ------------------------------------------------------------------------------------------------
# Finding the program


def program(directory: Path, name: str) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_a_program_is_found_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = program(tmp_path / "bin", "python")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert resolve_command("python bench.py 'two words'", tmp_path) == [str(python), "bench.py", "two words"]


def test_a_program_is_found_relative_to_the_working_directory(tmp_path: Path) -> None:
    bench = program(tmp_path / "scripts", "bench")
    quoted = resolve_command("scripts/bench '1 < 2' '|' \"<\"", tmp_path)
    assert quoted == [str(bench), "1 < 2", "|", "<"]
    assert resolve_command("scripts/bench -v", tmp_path) == [str(bench), "-v"]
    assert resolve_command("./scripts/bench", tmp_path) == [str(bench)]


def test_a_link_into_a_virtual_environment_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert resolve_command("python", tmp_path) == [str(tmp_path / "bin" / "python")]


@pytest.mark.parametrize(
    ("command", "start"), [("python x.py", []), ("python3 x.py", []), ("pytest x.py", ["-m", "pytest"])]
)
def test_python_and_pytest_fall_back_to_the_auditors_own(
    command: str, start: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert resolve_command(command, tmp_path) == [sys.executable, *start, "x.py"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "empty"),
        ("python 'x", "quotes"),
        ("no-such-program", "not on PATH; install it or activate its environment"),
        ("FLAG=1 python x.py", "variables"),
        ("python x.py | cat", r"only a shell knows what \| means"),
        ("python - < x.py", "only a shell knows what < means"),
        ("python x.py && python y.py", "only a shell knows what && means"),
        ("./missing", "does not exist"),
        ("./data", "not executable"),
        ("data", "write ./data, or python data"),
    ],
)
def test_what_cannot_be_run_is_explained(command: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(WorkloadError, match=message):
        resolve_command(command, tmp_path)


def test_ending_takes_no_longer_than_it_must() -> None:
    start = time.monotonic()
    run("import time; time.sleep(600)", timeout_s=0.1)
    assert time.monotonic() - start < 30
