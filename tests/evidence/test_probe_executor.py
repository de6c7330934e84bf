"""Executors count as left over until they are shut down, before anything shuts them down for the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import Probed, plainly, probe

CREATION = "ThreadPoolExecutor(2)"
HEAD = """
from concurrent.futures import ThreadPoolExecutor, ProcessPoolExecutor
from multiprocessing.pool import Pool, ThreadPool
def work(i):
    return i
"""


def run(directory: Path, program: str, text: str = CREATION) -> Probed:
    return probe(directory, f'{HEAD}\nif __name__ == "__main__":\n{program}', ("executor", text))


OPEN = """
    kept = []
    for i in range(60):
        kept.append(ThreadPoolExecutor(2))
        kept[-1].submit(work, i).result()
    print("done")
"""


def test_executors_left_open_are_counted_before_they_are_joined(tmp_path: Path) -> None:
    seen = run(tmp_path, OPEN)

    assert (seen.value("hits"), seen.value("created")) == (60, 60)
    assert seen.value("alive_end") == seen.row("alive_end").low == 60
    assert seen.value("alive_peak") == 60
    assert seen.row("alive_end").unit == "executors"


def test_the_program_says_the_same_without(tmp_path: Path) -> None:
    seen = run(tmp_path, OPEN)

    assert plainly(tmp_path) == (seen.outcome.run.exit_code, "".join(f"{x}\n" for x in seen.outcome.last_lines))


@pytest.mark.parametrize("creation", [CREATION, "ProcessPoolExecutor(1)", "ThreadPool(1)", "Pool(1)"])
def test_executors_in_a_with_block_leave_nothing(tmp_path: Path, creation: str) -> None:
    method = "map" if "Pool(" in creation else "submit"
    argument = "[i]" if method == "map" else "i"
    program = f"""
    for i in range(6):
        with {creation} as pool:
            pool.{method}(work, {argument})
"""
    seen = run(tmp_path, program, creation)

    assert seen.value("created") == 6
    assert (seen.value("alive_peak"), seen.value("alive_end")) == (1, 0)


@pytest.mark.parametrize("creation", ["ProcessPoolExecutor(1)", "ThreadPool(1)", "Pool(1)"])
def test_every_kind_of_pool_can_be_left_open(tmp_path: Path, creation: str) -> None:
    seen = run(tmp_path, f"    kept = [{creation} for i in range(5)]\n", creation)

    assert (seen.value("alive_peak"), seen.value("alive_end")) == (5, 5)


def test_an_executor_that_was_collected_is_not_open(tmp_path: Path) -> None:
    seen = run(tmp_path, "    for i in range(20):\n        pool = ThreadPoolExecutor(2)\n")

    assert seen.value("created") == 20
    assert seen.value("alive_end") == 1


def test_workers_of_a_forked_pool_do_not_count_what_their_parent_left(tmp_path: Path) -> None:
    seen = run(
        tmp_path,
        """
    import multiprocessing
    kept = [ThreadPoolExecutor(2) for i in range(7)]
    crew = [multiprocessing.get_context("fork").Process(target=work, args=(i,)) for i in range(3)]
    for one in crew:
        one.start()
    for one in crew:
        one.join()
""",
    )

    assert (seen.value("created"), seen.value("alive_end")) == (7, 7)
