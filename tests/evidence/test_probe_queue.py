"""The length of a queue is that after each put, of every kind of queue, without anybody noticing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from auditor.evidence.probes.queue import slope_of
from tests.evidence.probing import Probed, plainly, probe

HEAD = "import asyncio, collections, copy, gc, multiprocessing, pickle, queue, sys, threading, weakref\n"
KINDS = ("queue.Queue()", "queue.LifoQueue()", "queue.PriorityQueue()", "queue.SimpleQueue()", "asyncio.Queue()")
BETWEEN = ("multiprocessing.Queue()", "multiprocessing.JoinableQueue()")


def run(directory: Path, program: str, creation: str = KINDS[0]) -> Probed:
    return probe(directory, HEAD + program.replace("NEW", creation), ("queue", creation))


@pytest.mark.parametrize("creation", [*KINDS, *BETWEEN])
def test_a_queue_that_nobody_empties_grows_by_one_per_put(tmp_path: Path, creation: str) -> None:
    seen = run(tmp_path, "jobs = NEW\nfor i in range(2000):\n    jobs.put_nowait(i)\njobs.get_nowait", creation)
    slope = seen.row("depth_slope")

    assert (seen.value("hits"), seen.value("puts"), seen.value("depth_max")) == (1, 2000, 2000)
    assert (slope.low, slope.value, slope.high) == pytest.approx((1, 1, 1))
    assert slope.unit == "items per put"


@pytest.mark.parametrize("creation", KINDS)
def test_a_queue_that_is_emptied_as_fast_stays_short(tmp_path: Path, creation: str) -> None:
    seen = run(tmp_path, "jobs = NEW\nfor i in range(2000):\n    jobs.put_nowait(i)\n    jobs.get_nowait()\n", creation)
    slope = seen.row("depth_slope")

    assert (seen.value("puts"), seen.value("depth_max")) == (2000, 1)
    assert (slope.low, slope.value, slope.high) == (0, 0, 0)


WORK = """
jobs = NEW
for i in range(1500):
    jobs.put_nowait(i)
for i in range(1480):
    jobs.get_nowait()
try:
    while True:
        jobs.get(block=False) if i % 2 and SYNC else jobs.get_nowait()
        i += 1
        if jobs.qsize() == 7:
            break
except Exception as error:
    print(type(error))
"""


@pytest.mark.parametrize("creation", KINDS)
def test_what_is_put_in_before_anything_is_taken_is_told_from_what_is_left(tmp_path: Path, creation: str) -> None:
    seen = run(tmp_path, WORK.replace("SYNC", str(not creation.startswith("asyncio"))), creation)

    assert list(seen.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert (seen.value("filled_first"), seen.value("depth_max"), seen.value("depth_end")) == (1500, 1500, 7)


SHARED = """
def work(jobs):
    while jobs.get() is not None:
        pass
if __name__ == "__main__":
    jobs = NEW
    for i in range(1500):
        jobs.put(i)
    workers = [multiprocessing.get_context("fork").Process(target=work, args=(jobs,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        jobs.put(None)
    for worker in workers:
        worker.join()
"""


@pytest.mark.parametrize("creation", BETWEEN)
def test_what_other_processes_take_is_counted_there(tmp_path: Path, creation: str) -> None:
    seen = run(tmp_path, SHARED, creation)

    assert (seen.value("puts"), seen.value("depth_end")) == (1502, 0)
    assert 1500 <= seen.value("filled_first") <= seen.value("depth_max") <= 1502


PRODUCER = """
async def producer(jobs):
    for i in range(3000):
        await jobs.put(i)
        await asyncio.sleep(0)
async def consumer(jobs, every):
    taken = 0
    while True:
        await jobs.get()
        taken += 1
        for _ in range(every):
            await asyncio.sleep(0)
async def main():
    jobs = NEW
    worker = asyncio.create_task(consumer(jobs, EVERY))
    await producer(jobs)
    worker.cancel()
    print(jobs.qsize())
asyncio.run(main())
"""


def test_a_consumer_that_keeps_up_keeps_the_slope_at_nothing(tmp_path: Path) -> None:
    seen = run(tmp_path, PRODUCER.replace("EVERY", "0"), "asyncio.Queue()")

    assert seen.value("depth_max") <= 2
    assert seen.row("depth_slope").high < 0.02


def test_a_consumer_that_falls_behind_shows_in_the_slope(tmp_path: Path) -> None:
    seen = run(tmp_path, PRODUCER.replace("EVERY", "4"), "asyncio.Queue()")

    assert seen.value("depth_max") > 2000
    assert seen.row("depth_slope").low > 0.7


def test_the_program_says_the_same_without(tmp_path: Path) -> None:
    seen = run(tmp_path, PRODUCER.replace("EVERY", "4"), "asyncio.Queue()")

    assert plainly(tmp_path) == (seen.outcome.run.exit_code, "".join(f"{x}\n" for x in seen.outcome.last_lines))


@pytest.mark.parametrize("creation", KINDS)
def test_a_queue_looks_and_dies_as_it_does_without(tmp_path: Path, creation: str) -> None:
    seen = run(
        tmp_path,
        """
gc.disable()
jobs = NEW
print(type(jobs).__module__, type(jobs).__qualname__, type(jobs).__mro__[-2:])
print(sorted(getattr(jobs, "__dict__", ())), isinstance(jobs, queue.SimpleQueue), jobs.put.__name__)
jobs.put_nowait(1)
if isinstance(jobs, asyncio.Queue):
    twin = copy.deepcopy(jobs)
    twin.put_nowait(2)
    print(jobs.qsize(), twin.qsize())
known = weakref.ref(jobs)
del jobs
print(known() is None)
""",
        creation,
    )

    assert plainly(tmp_path)[1] == "".join(f"{x}\n" for x in seen.outcome.last_lines)
    assert seen.value("puts") == 1


def test_of_many_queues_the_longest_tells(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
for length in (5, 300, 20):
    jobs = NEW
    for i in range(length):
        jobs.put(i)
""",
    )

    assert (seen.value("hits"), seen.value("puts"), seen.value("depth_max")) == (3, 325, 300)


def test_queues_made_elsewhere_do_not_count(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
other = queue.LifoQueue().__class__.__mro__[1]()
jobs = NEW
for i in range(50):
    other.put(i)
""",
    )

    assert (seen.value("puts"), seen.value("depth_max")) == (0, 0)


def test_an_overridden_method_that_calls_its_base_counts_once(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
class Audited(queue.Queue):
    def _put(self, item):
        super()._put(item)
queue.Queue().put(0)
jobs = Audited()
for i in range(50):
    jobs.put(i)
""",
        "Audited()",
    )

    assert (seen.value("puts"), seen.value("depth_max")) == (50, 50)


def test_threads_share_a_queue(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
def fill():
    for i in range(1000):
        jobs.put(i)
jobs = NEW
crew = [threading.Thread(target=fill) for i in range(4)]
for one in crew:
    one.start()
for one in crew:
    one.join()
""",
    )

    assert (seen.value("puts"), seen.value("depth_max")) == (4000, 4000)


def test_forked_processes_share_a_queue_between_processes(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
def fill():
    for i in range(500):
        jobs.put(i)
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    jobs = context.Queue()
    crew = [context.Process(target=fill) for i in range(2)]
    for one in crew:
        one.start()
    for i in range(1000):
        jobs.get()
    for one in crew:
        one.join()
""",
        "context.Queue()",
    )

    assert seen.value("hits") == 1
    assert seen.value("puts") == 1000
    assert 1 <= seen.value("depth_max") <= 1000


@pytest.mark.parametrize("creation", ["context.SimpleQueue()", "context.Queue()"])
def test_what_cannot_be_seen_is_not_given(tmp_path: Path, creation: str) -> None:
    seen = run(
        tmp_path,
        """
def fill(jobs):
    jobs.put(1)
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    jobs = NEW
    one = context.Process(target=fill, args=(jobs,))
    one.start()
    print(jobs.get())
    one.join()
""",
        creation,
    )

    assert seen.outcome.last_lines == ("1",)
    assert seen.value("hits") == 1
    assert not seen.has("depth_max")


def test_a_failing_put_fails_as_it_does_without(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
import traceback
jobs = NEW
jobs.put((1, 2))
try:
    jobs.put((1, "x"))
except TypeError as error:
    print(error, [frame.name for frame in traceback.extract_tb(error.__traceback__)])
""",
        "queue.PriorityQueue()",
    )

    assert plainly(tmp_path)[1] == "".join(f"{x}\n" for x in seen.outcome.last_lines)


def test_few_points_have_no_slope() -> None:
    assert slope_of([(number, number) for number in range(1, 11)]) is None


@pytest.mark.parametrize("slowness", [0.0, 0.2, 0.5])
def test_nineteen_in_twenty_intervals_hold_the_slope_of_a_random_walk(slowness: float) -> None:
    dice = random.Random(7)
    held = 0
    for _ in range(200):
        length = 0.0
        points = []
        for put in range(1, 257):
            length += slowness + dice.gauss(0, 1)
            points.append((put, length))
        _, low, high = slope_of(points) or (0, 1, -1)
        held += low <= slowness <= high

    assert 184 <= held <= 198
