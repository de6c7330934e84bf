"""Whether `pytest --audit` leaves test suites as they are: each is run plainly, then audited; outcomes are compared.

    python benchmarks/same_outcomes.py [--python PYTHON] DIRECTORY... [-- OPTION...]

Each DIRECTORY is a project whose tests run by `PYTHON -m pytest OPTION...` there; audit is installed beside pytest.
Prints a line for each: tests, exit codes, outcomes that differ, what was found. Exits with 1 if any differs. Where some
do, the suite runs plainly once more: tests that do not end as in the first plain run are unsteady by themselves (a time
of day in their name, a deadline that a busy machine misses), and are told apart.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path


def main() -> int:
    """Run the comparison and return the exit code."""
    own, options = _split(sys.argv[1:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("directories", nargs="+", type=Path, metavar="DIRECTORY")
    arguments = parser.parse_args(own)
    differing = sum(not _compare(arguments.python, directory, options) for directory in arguments.directories)
    return int(differing > 0)


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _compare(python: str, directory: Path, options: list[str]) -> bool:
    with tempfile.TemporaryDirectory(prefix="audit-same-") as scratch:
        report = Path(scratch) / "report.json"
        plain_code, plain, plain_s = _session(python, directory, options, Path(scratch) / "plain.xml")
        with_audit = [*options, "--audit", "--audit-output", str(report)]
        code, audited, audited_s = _session(python, directory, with_audit, Path(scratch) / "audited.xml")
        counts = json.loads(report.read_text())["summary"]["by_verdict"] if report.exists() else {}
        different, unsteady = differing(plain, audited), set[str]()
        if different:
            _, again, _ = _session(python, directory, options, Path(scratch) / "again.xml")
            # a name that comes and goes is unsteady whichever run it came in
            unsteady = differing(plain, again) | (
                audited.keys() - plain.keys() if plain.keys() != again.keys() else set()
            )
    different -= unsteady
    found = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count) or "no suspect"
    print(
        f"{directory.resolve().name}: {len(plain)} tests, exit codes {plain_code} and {code}, "
        f"{len(different)} outcomes differ{_without(unsteady)}, {plain_s:.1f} s and {audited_s:.1f} s in all; "
        f"{found if counts else 'not audited'}",
        flush=True,
    )
    for test in sorted(different)[:10]:
        print(f"    {test}: {plain.get(test, 'not run')}, audited {audited.get(test, 'not run')}")
    return (plain_code == code or bool(unsteady)) and not different


def differing(one: dict[str, str], other: dict[str, str]) -> set[str]:
    """The tests that ended in another way, or ran once only."""
    return {test for test in one.keys() | other.keys() if one.get(test) != other.get(test)}


def _without(unsteady: set[str]) -> str:
    return f" ({len(unsteady)} are unsteady in plain runs, too)" if unsteady else ""


def _session(python: str, directory: Path, options: list[str], outcomes: Path) -> tuple[int, dict[str, str], float]:
    started = time.perf_counter()
    command = [python, "-m", "pytest", "-q", f"--junit-xml={outcomes}", *options]
    code = subprocess.run(command, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode
    return code, read(outcomes), time.perf_counter() - started


def read(outcomes: Path) -> dict[str, str]:
    """How each test of a JUnit file ended; of a run that wrote none, nothing."""
    if not outcomes.exists():
        return {}
    found: dict[str, str] = {}
    for case in ET.parse(outcomes).iter("testcase"):
        kinds = sorted(child.tag for child in case if child.tag in ("failure", "error", "skipped"))
        found[f"{case.get('classname')}::{case.get('name')}"] = " and ".join(kinds) or "passed"
    return found


if __name__ == "__main__":
    sys.exit(main())
