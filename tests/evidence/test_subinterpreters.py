"""Interpreters within one process: what each executes is counted, and none touches what another one owns."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import PYTHONS, plainly, probe

PROGRAM = """\
try:
    import _interpreters
    run = _interpreters.exec
except ImportError:
    import _xxsubinterpreters as _interpreters
    run = _interpreters.run_string

if __name__ == "__main__":
    for _ in range(5):
        one = _interpreters.create()
        run(one, "import sys; sys.path.insert(0, '.'); import program; program.work()")
        _interpreters.destroy(one)
    print("ok")

def work():
    import queue
    jobs = queue.Queue()
    for i in range(30):
        jobs.put(i)
"""


@pytest.mark.parametrize("python", PYTHONS)
def test_what_other_interpreters_execute_is_counted_and_the_program_ends_as_it_does(
    tmp_path: Path, python: str
) -> None:
    seen = probe(tmp_path, PROGRAM, ("queue", "queue.Queue()"), python=python)

    assert (seen.outcome.run.exit_code, seen.outcome.last_lines) == (0, ("ok",))
    assert plainly(tmp_path, python=python) == (0, "ok\n")
    assert (seen.value("hits"), seen.value("puts")) == (5, 150)
