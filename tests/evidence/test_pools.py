"""A worker of a pool that is killed while it has nothing to do has written down what it did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import plainly, probe

PROGRAM = """\
import multiprocessing, time
def work(number):
    time.sleep(0.03)
    str(number)
    if number == 5:
        raise ValueError(number)
    return number
if __name__ == '__main__':
    with multiprocessing.get_context('METHOD').Pool(2) as pool:
        print(pool.map(work, range(5)), pool.apply(len, ('ab',)))
        try:
            pool.apply(work, (5,))
        except ValueError as error:
            print(repr(error), str(error.__cause__).count('audit'))
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_nothing_that_a_worker_did_is_unseen(tmp_path: Path, method: str) -> None:
    program = PROGRAM.replace("METHOD", method)
    probed = probe(tmp_path, program, ("timed", "multiprocessing.get_context"), ("timed", "str(number)"))
    seconds = probed.row("seconds", 1)

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert probed.value("hits", 1) == 6
    # what may have been done since records were last written down is in the upper end
    assert seconds.high < 0.01


def test_a_pool_of_threads_works_as_before(tmp_path: Path) -> None:
    program = (
        "from multiprocessing.pool import ThreadPool\ndef work(number):\n    return str(number)\n"
        "with ThreadPool(2) as pool:\n    print(pool.map(work, range(30)))\n"
    )
    probed = probe(tmp_path, program, ("timed", "str(number)"))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert probed.value("hits") == 30
