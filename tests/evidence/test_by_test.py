"""Which tests ran a suspect: in one process, in xdist's workers, in processes that tests start, and when one dies."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

from auditor.evidence.probes import probe_module, probe_names
from auditor.model import Exercise
from tests.evidence.probing import Probed, probe

LIBRARY = "def work(n):\n    return [str(i) for i in range(n)]\n"
TESTS = """\
import os, signal, subprocess, sys
import pytest
from lib import work

@pytest.fixture(scope="session")
def made():
    return work(5)

def test_much(): work(1000)

@pytest.mark.parametrize("n", [1, 2])
def test_some(n): work(n)

def test_none(): pass

def test_fixture(made): pass
"""


def run_tests(directory: Path, *arguments: str, tests: str = TESTS) -> Probed:
    (directory / "test_lib.py").write_text(tests)
    command = " ".join(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *arguments]
    )
    return probe(directory, LIBRARY, ("timed", "str(i)"), name="lib.py", command=command)


def ran(result: Probed) -> dict[str, int]:
    exercise = result.outcome.tests.get("f0", Exercise("test", 0, ()))
    assert exercise.total >= len(exercise.most)
    return {test.removeprefix("test_lib.py::"): hits for test, hits in exercise.most}


@pytest.mark.parametrize("name", probe_names())
def test_every_probe_tells_its_executions_so_far(name: str) -> None:
    assert callable(probe_module(name).Recorder.hits)


def test_each_test_is_given_what_it_ran_and_fixtures_count_for_the_test_that_asked(tmp_path: Path) -> None:
    result = run_tests(tmp_path)

    assert result.outcome.run.exit_code == 0
    assert ran(result) == {"test_much": 1000, "test_some[1]": 1, "test_some[2]": 2, "test_fixture": 5}


def test_what_runs_outside_of_tests_is_no_tests(tmp_path: Path) -> None:
    assert ran(run_tests(tmp_path, tests="from lib import work\nwork(7)\ndef test_one(): work(3)\n")) == {"test_one": 3}


def test_many_tests_are_counted_and_the_busiest_named(tmp_path: Path) -> None:
    tests = (
        "import pytest\nfrom lib import work\n@pytest.mark.parametrize('n', range(1, 41))\ndef test_it(n): work(n)\n"
    )
    exercise = run_tests(tmp_path, tests=tests).outcome.tests["f0"]

    assert exercise.total == 40
    assert exercise.most[:2] == (("test_lib.py::test_it[40]", 40), ("test_lib.py::test_it[39]", 39))


def test_a_test_whose_clean_up_fails_does_not_swallow_the_next(tmp_path: Path) -> None:
    tests = """\
import pytest
from lib import work

@pytest.fixture
def broken():
    yield
    work(10)
    raise ValueError

def test_a(broken): work(1)

def test_b(): work(2)
"""
    assert ran(run_tests(tmp_path, tests=tests)) == {"test_a": 11, "test_b": 2}


def test_processes_that_a_test_starts_count_for_it(tmp_path: Path) -> None:
    tests = """\
import multiprocessing, os, subprocess, sys
from lib import work

def test_subprocess():
    subprocess.run([sys.executable, "-c", "from lib import work; work(30)"], check=True)
    work(1)

def test_spawn():
    child = multiprocessing.get_context("spawn").Process(target=work, args=(20,))
    child.start()
    child.join()

def test_fork():
    work(1)
    child = os.fork()
    if not child:
        work(9)
        os._exit(0)
    os.waitpid(child, 0)
"""
    assert ran(run_tests(tmp_path, tests=tests)) == {"test_subprocess": 31, "test_spawn": 20, "test_fork": 10}


def test_a_session_within_a_test_counts_for_the_outer_test(tmp_path: Path) -> None:
    tests = """\
pytest_plugins = "pytester"

def test_outer(pytester):
    from lib import work
    pytester.makepyfile("from lib import work\\ndef test_inner(): work(4)\\ndef test_second(): work(2)")
    assert pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly").ret == 0
    work(1)

def test_after():
    from lib import work
    work(3)
"""
    assert ran(run_tests(tmp_path, "-p", "pytester", tests=tests)) == {"test_outer": 7, "test_after": 3}


def test_a_killed_process_leaves_the_test_it_was_in(tmp_path: Path) -> None:
    tests = """\
import os, time
from lib import work

def test_before(): work(50)

def test_deadly():
    work(5)
    time.sleep(0.3)
    work(5)
    os._exit(9)
"""
    found = ran(run_tests(tmp_path, tests=tests))

    assert found["test_before"] == 50
    assert found["test_deadly"] >= 5


@pytest.mark.skipif(importlib.util.find_spec("xdist") is None, reason="needs pytest-xdist")
def test_workers_of_xdist_tell_theirs(tmp_path: Path) -> None:
    result = run_tests(tmp_path, "-n2")

    assert result.outcome.run.exit_code == 0
    assert ran(result) == {"test_much": 1000, "test_some[1]": 1, "test_some[2]": 2, "test_fixture": 5}


def test_audit_run_by_a_test_does_not_take_the_outer_test_for_one(tmp_path: Path) -> None:
    assert os.environ["PYTEST_CURRENT_TEST"]
    result = probe(tmp_path, f"{LIBRARY}\nwork(3)\n", ("timed", "str(i)"))

    assert ran(result) == {}
