"""Descriptors that no probe watches: whether they became more from test to test, or as a program went on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from auditor.evidence.census import census_of
from auditor.model import Gained
from tests.evidence.probing import probe

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="descriptors are known on Linux alone")

ACROSS_TESTS = {
    "each test leaves one": ("os.dup(0)", 300, (150, 300)),
    "each second test leaves two": ("n % 2 or [os.dup(0), os.dup(0)]", 300, (150, 300)),
    "the first thirty leave one each": ("n < 30 and os.dup(0)", 300, None),
    "each is closed": ("os.close(os.dup(0))", 300, None),
    "a pool of twenty that are replaced": (
        "KEPT.append(os.dup(0)); len(KEPT) > 20 and os.close(KEPT.pop(0))",
        300,
        None,
    ),
    "too few tests to tell": ("os.dup(0)", 20, None),
}


@pytest.mark.parametrize("how", ACROSS_TESTS)
def test_growth_from_test_to_test(tmp_path: Path, how: str) -> None:
    body, tests, said = ACROSS_TESTS[how]
    (tmp_path / "test_it.py").write_text(
        "import os, pytest\nfrom helper import work\nKEPT = []\n"
        f"@pytest.mark.parametrize('n', range({tests}))\ndef test_one(n):\n    work()\n    {body}\n"
    )
    command = f"{sys.executable} -m pytest -q -p no:cacheprovider -p no:randomly test_it.py"
    probed = probe(
        tmp_path, "def work():\n    return sorted([])\n", ("timed", "sorted([])"), name="helper.py", command=command
    )

    assert probed.outcome.run.exit_code == 0, probed.outcome.last_lines
    assert probed.outcome.census is not None
    gained = probed.outcome.census.gained
    if said is None:
        assert gained is None
    else:
        assert gained is not None
        assert (round(gained.count), gained.over, gained.unit) == (*said, "tests")


AS_TIME_GOES_ON = {
    "it goes on": ("os.dup(0)", True),
    "it stops": ("n < 60 and os.dup(0)", False),
    "a child of it does": ("CHILD and os.dup(0)", True),
}


@pytest.mark.parametrize("how", AS_TIME_GOES_ON)
def test_growth_of_a_program_without_tests(tmp_path: Path, how: str) -> None:
    body, grows = AS_TIME_GOES_ON[how]
    program = (
        "import os, time\nCHILD = 'CHILD' in BODY and os.fork() == 0\n"
        "for n in range(400):\n    sorted([])\n    exec(BODY)\n    time.sleep(0.004)\nCHILD or os.waitpid(-1, 0) if 'CHILD' in BODY else 0\n"
    ).replace("BODY", repr(body))
    probed = probe(tmp_path, program, ("timed", "sorted([])"))

    assert probed.outcome.run.exit_code == 0, probed.outcome.last_lines
    assert probed.outcome.census is not None
    gained = probed.outcome.census.gained
    assert (gained is not None) == grows
    if gained is not None:
        assert 100 <= gained.count <= 300
        assert gained.unit == "seconds"


def state(*points: tuple[int, int]) -> dict[str, object]:
    census = {"tasks": 0, "threads": 1, "files": 0, "sockets": 0, "alive": []}
    return {"census": census, "pid": 1, "growth": {"points": points, "per": "tests"}}


def test_the_process_that_gained_most_speaks(tmp_path: Path) -> None:
    slow, fast = ([(n, 5 + n * each) for n in range(0, 401, 10)] for each in (1, 3))
    found = census_of([state(*slow), state(*fast)], 2, tmp_path)
    assert found is not None
    assert found.gained == Gained(600.0, 400, "tests")


def test_a_pool_that_fills_ever_more_slowly_is_not_named(tmp_path: Path) -> None:
    filling = [(n, round(500 * (1 - 2.718 ** (-n / 150)))) for n in range(0, 401, 10)]
    found = census_of([state(*filling)], 1, tmp_path)
    assert found is not None
    assert found.gained is None
