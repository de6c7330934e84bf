"""Whether an audit bears it that processes are killed: at random moments, one of its own or of the workload's.

    python benchmarks/faults.py [--kills 100] [--seed 1]

Each round audits a small project and kills something at a random moment: the workload, a child of it, py-spy, or audit
itself. A round fails if audit prints a traceback, says of a suspect what cannot be true of it, leaves a process
or a file in the temporary directory behind, or loses what the evidence store held before. Exits with 1 if any fails.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent

LIBRARY = """\
def growing(n):
    seen = []
    found = 0
    for i in range(n):
        if i in seen:
            found += 1
        seen.append(i)
    return found


def small(n):
    names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
    return sum(1 for i in range(n) if i in names)


def never(n):
    text = ""
    for i in range(n):
        text += str(i)
    return text
"""
BENCH = """\
import subprocess, sys
import lib

child = subprocess.Popen([sys.executable, "child.py"])
print(lib.growing(9000), lib.small(4000))
child.wait()
"""
CHILD = "import lib\nprint(lib.growing(4000), lib.small(1000))\n"

POSSIBLE = {
    "growing": {"confirmed", "inconclusive", "not-measurable"},
    "small": {"rejected", "inconclusive", "not-measurable"},
    "never": {"not-exercised", "not-measurable"},
}
"""What may truly be said of each function, whatever happened to the run."""

_GONE_WITHIN_S = 30.0


@dataclass(slots=True)
class Round:
    """How one audit ended. `exit_code` is None if it was killed itself."""

    exit_code: int | None
    out: str
    err: str
    problems: list[str] = field(default_factory=list)

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict on each function; none if there is no report."""
        return {str(one["symbol"]): str(one["verdict"]) for one in self._report().get("findings", ())}

    def _report(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.out)
        except ValueError:
            return {}
        return found


def make_project(directory: Path) -> Path:
    """A project with a costly, a harmless and an unused function, and a workload of two processes."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in (("lib.py", LIBRARY), ("bench.py", BENCH), ("child.py", CHILD)):
        (directory / name).write_text(text)
    return directory


def start_audit(project: Path, scratch: Path, *words: str, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Start an audit of the project; `words` are further options, `before` are words of a program that runs it."""
    scratch.mkdir(exist_ok=True)
    return subprocess.Popen(
        [*before, sys.executable, "-m", "auditor", ".", "--format", "json", *words],
        cwd=project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch), "COLUMNS": "100"},
    )


def finish(process: subprocess.Popen[str], project: Path, scratch: Path) -> Round:
    """Wait for the audit and look at what it said and left behind."""
    try:
        out, err = process.communicate(timeout=300)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        err += "\nit hung"
    done = Round(process.returncode if process.returncode >= 0 else None, out, err)
    if "Traceback" in err or "it hung" in err:
        done.problems.append(f"it printed: {err[-2000:]}")
    if done.exit_code not in (None, 0, 1, 2):
        done.problems.append(f"its exit code is {done.exit_code}")
    if done.exit_code is not None and done.exit_code < 2 and not done.verdicts:
        done.problems.append("it made no report")
    for name, verdict in done.verdicts.items():
        if verdict not in POSSIBLE[name]:
            done.problems.append(f"it says of {name} that it is {verdict}")
    done.problems += left_behind(project, scratch)
    return done


def left_behind(project: Path, scratch: Path) -> list[str]:
    """What is still there after some time; processes are known by their working or temporary directory."""
    deadline = time.monotonic() + _GONE_WITHIN_S
    while found := [*(f"left running: {one}" for one in living(project, scratch)), *_files(scratch)]:
        if time.monotonic() > deadline:
            return found
        time.sleep(0.05)
    return []


def living(project: Path, scratch: Path) -> Iterator[str]:
    """Command lines of the processes of an audit of this project."""
    for one in family(project, scratch):
        try:
            yield f"{one.pid} {' '.join(one.cmdline())}"
        except psutil.Error:
            continue


def family(project: Path, scratch: Path) -> Iterator[psutil.Process]:
    """Living processes of an audit of this project."""
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
                continue
            if process.cwd() == str(project.resolve()) or process.environ().get("TMPDIR") == str(scratch):
                yield process
        except (psutil.Error, OSError):
            continue


def _files(scratch: Path) -> Iterator[str]:
    # os.walk bears it that directories disappear meanwhile
    return (f"left in the temporary directory: {where}/{one}" for where, _, files in os.walk(scratch) for one in files)


def is_workload(process: psutil.Process) -> bool:
    """The main process of the workload."""
    return process.cmdline()[1:2] == ["bench.py"]


def is_child(process: psutil.Process) -> bool:
    """What the workload starts."""
    return process.cmdline()[1:2] == ["child.py"]


def is_pyspy(process: psutil.Process) -> bool:
    """A py-spy that watches the workload."""
    return "py-spy" in process.name()


def is_audit(process: psutil.Process) -> bool:
    """The audit itself."""
    return process.cmdline()[1:3] == ["-m", "auditor"]


VICTIMS: dict[str, Callable[[psutil.Process], bool]] = {
    "the workload": is_workload,
    "its child": is_child,
    "py-spy": is_pyspy,
    "audit": is_audit,
}


def kill_when(
    project: Path, scratch: Path, victim: Callable[[psutil.Process], bool], until: subprocess.Popen[str]
) -> bool:
    """Kill the first such process that is found while the audit runs; whether there was one."""
    while until.poll() is None:
        for process in family(project, scratch):
            try:
                if victim(process):
                    process.kill()
                    return True
            except psutil.Error:
                continue
        time.sleep(0.005)
    return False


def remembered(project: Path, scratch: Path) -> set[str]:
    """The functions of which the evidence store knows a verdict."""
    process = start_audit(project, scratch, "--static")
    out, _ = process.communicate(timeout=120)
    return {str(one["symbol"]) for one in json.loads(out)["findings"] if one["remembered"]}


def main() -> int:
    """Kill so often, print what happened, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    counts: Counter[str] = Counter()
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="faults-") as directory:
        project, scratch = make_project(Path(directory, "project")), Path(directory, "tmp")
        started = time.monotonic()
        first = finish(start_audit(project, scratch, "--run", "python bench.py"), project, scratch)
        whole_s = time.monotonic() - started
        stored = remembered(project, scratch)
        print(f"undisturbed, {whole_s:.1f} s: {first.verdicts}; remembered: {sorted(stored)}", flush=True)
        problems += first.problems
        while counts.total() < options.kills:
            name = chance.choice(list(VICTIMS))
            process = start_audit(project, scratch, "--run", "python bench.py")
            time.sleep(chance.random() * 0.8 * whole_s)
            was_killed = kill_when(project, scratch, VICTIMS[name], process)
            done = finish(process, project, scratch)
            problems += [f"{name} killed: {one}" for one in done.problems]
            counts[name if was_killed else "nothing was left to kill"] += was_killed
            print(
                f"{name}: killed {was_killed}, exit code {done.exit_code}, {done.verdicts}", *done.problems, flush=True
            )
        if lost := stored - remembered(project, scratch):
            problems.append(f"no longer remembered: {sorted(lost)}")
    print(f"\n{counts.total()} kills ({', '.join(f'{count} of {name}' for name, count in counts.items() if count)})")
    print(f"{len(problems)} problems", *problems, sep="\n")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
