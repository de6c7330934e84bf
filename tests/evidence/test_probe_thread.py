"""Threads are counted while they run, whenever they are started."""

from __future__ import annotations

from pathlib import Path

from tests.evidence.probing import Probed, plainly, probe

CREATION = "threading.Thread(target=work, args=(i,), daemon=True)"


def run(directory: Path, program: str, text: str = CREATION) -> Probed:
    return probe(directory, "import threading, time\n" + program, ("thread", text))


TOGETHER = """
def work(i):
    barrier.wait()
barrier = threading.Barrier(81)
for i in range(80):
    threading.Thread(target=work, args=(i,), daemon=True).start()
barrier.wait()
while threading.active_count() > 1:
    time.sleep(0.001)
print("done")
"""


def test_threads_that_run_together_give_their_number_as_peak(tmp_path: Path) -> None:
    seen = run(tmp_path, TOGETHER)

    assert (seen.value("hits"), seen.value("created")) == (80, 80)
    assert seen.value("alive_peak") == 80
    assert seen.value("alive_end") == 0
    assert seen.row("alive_peak").unit == "threads"


def test_the_program_says_the_same_without(tmp_path: Path) -> None:
    seen = run(tmp_path, TOGETHER)

    assert plainly(tmp_path) == (seen.outcome.run.exit_code, "".join(f"{x}\n" for x in seen.outcome.last_lines))


def test_a_crew_made_first_and_started_later_counts_in_full(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
def work(i):
    barrier.wait()
barrier = threading.Barrier(21)
crew = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(20)]
for one in crew:
    one.start()
barrier.wait()
for one in crew:
    one.join()
""",
    )

    assert (seen.value("alive_peak"), seen.value("alive_end")) == (20, 0)


def test_threads_one_after_another_have_a_peak_of_one(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
def work(i):
    pass
for i in range(300):
    thread = threading.Thread(target=work, args=(i,), daemon=True)
    thread.start()
    thread.join()
""",
    )

    assert seen.value("created") == 300
    assert seen.value("alive_peak") <= 1
    assert seen.value("alive_end") == 0


def test_threads_that_still_run_when_the_program_ends_are_left(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
def work(i):
    threading.main_thread().join() if i % 2 else time.sleep(1000)
for i in range(60):
    threading.Thread(target=work, args=(i,), daemon=i % 2 == 0).start()
""",
        "threading.Thread(target=work, args=(i,), daemon=i % 2 == 0)",
    )

    assert seen.value("alive_end") == 60


def test_a_thread_that_was_never_started_is_not_alive(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
def work(i):
    pass
kept = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(10)]
""",
    )

    assert seen.value("created") == 10
    assert (seen.value("alive_peak"), seen.value("alive_end")) == (0, 0)


def test_a_subclass_that_starts_itself_is_counted(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
class Worker(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        self.start()
    def start(self):
        super().start()
    def run(self):
        release.wait()
release = threading.Event()
for i in range(9):
    Worker()
""",
        "Worker()",
    )

    assert (seen.value("alive_peak"), seen.value("alive_end")) == (9, 9)


def test_a_failing_start_fails_as_it_does_without(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
import traceback
def work(i):
    pass
i = 1
thread = threading.Thread(target=work, args=(i,), daemon=True)
thread.start()
try:
    thread.start()
except RuntimeError as error:
    print(error, len(traceback.extract_tb(error.__traceback__)), threading.Thread.start.__qualname__)
""",
    )

    assert plainly(tmp_path)[1] == "".join(f"{x}\n" for x in seen.outcome.last_lines)


def test_a_crew_made_before_the_work_is_told_from_threads_made_along_with_it(tmp_path: Path) -> None:
    program = """
stop = threading.Event()
def work(i):
    stop.wait()
def make(i):
    threading.Thread(target=work, args=(i,), daemon=True).start()
for i in range(6):
    make(i)
    time.sleep({between})
time.sleep({after})
"""
    (tmp_path / "crew").mkdir()
    (tmp_path / "leak").mkdir()
    crew = run(tmp_path / "crew", program.format(between=0, after=3))
    leak = run(tmp_path / "leak", program.format(between=0.2, after=0))

    assert crew.value("spread") < 0.05
    assert leak.value("spread") > 0.5
