"""How often the intervals hold the truth and the verdicts are right, on programs whose truth is known.

    python benchmarks/calibration [--programs 240] [--seed 1] [--seconds 5] [--jobs 1] [--keep calibration.jsonl]

Every program (`programs.py`) has three suspects and is audited as a user would, by the command line, with all passes.
Results are kept one line a suspect, and a run that was broken off goes on where it stopped; `--summary` only reads
them, `--minutes` ends early.

What is compared: an interval against the books that the program kept *in the run of that pass*, since on a shared
machine runs differ by more than any interval of one run can know; by how much is printed, too. A verdict is right or
wrong where the suspect was costly, or harmless, in every one of its runs; where its runs lie on both sides of a
threshold it is on the border, and any verdict will do.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.calibration.part import Part
from benchmarks.calibration.programs import Program, program
from benchmarks.calibration.tables import print_coverage, print_noise, print_verdicts

ROOT = Path(__file__).parents[2]


def main() -> None:
    options = _options()
    if not options.summary:
        _measure(options)
    rows = [json.loads(line) for line in options.keep.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["seed"] == options.seed and row["seconds"] == options.seconds]
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}"
    )
    programs = len({row["number"] for row in rows})
    print(f"{programs} programs of about {options.seconds:g} s, {len(rows)} suspects, seed {options.seed}\n")
    print_verdicts(rows)
    print_coverage(rows)
    print_noise(rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5.0, help="about how long a program runs")
    parser.add_argument("--jobs", type=int, default=1, help="audits at the same time, which disturb one another")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no further audit after that")
    parser.add_argument("--keep", type=Path, default=Path("calibration.jsonl"), help="where results are kept")
    parser.add_argument("--summary", action="store_true", help="run nothing, print what is kept")
    return parser.parse_args()


def _measure(options: argparse.Namespace) -> None:
    done = set()
    if options.keep.exists():
        for line in options.keep.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            done.add((row["seed"], row["seconds"], row["number"]))
    lock = threading.Lock()
    until = time.monotonic() + 60 * options.minutes

    def measure(number: int) -> None:
        if time.monotonic() >= until:
            return
        rows = _audited(program(number, options.seed, options.seconds))
        which = {"seed": options.seed, "seconds": options.seconds, "number": number}
        with lock, options.keep.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps({**which, **row}) + "\n" for row in rows))
        said = ", ".join(f"{row['kind']}: {row['verdict']}" for row in rows)
        print(f"{number + 1}/{options.programs} {said}", file=sys.stderr)

    left = [number for number in range(options.programs) if (options.seed, options.seconds, number) not in done]
    with ThreadPoolExecutor(options.jobs) as pool:
        for _ in pool.map(measure, left):
            pass


def _audited(one: Program) -> list[dict[str, Any]]:
    """What the audit said of the parts of a program, and what their books say.

    Raises:
        RuntimeError: the audit did not give a report with one finding for each part.
    """
    with tempfile.TemporaryDirectory(prefix="calibration-") as directory:
        Path(directory, "program.py").write_text(one.main, encoding="utf-8")
        for name, part in one.parts.items():
            Path(directory, f"{name}.py").write_text(part.code, encoding="utf-8")
        rules = sorted({rule for part in one.parts.values() for rule in part.rules})
        report = _report(directory, rules)
        return [
            _row(part, _finding(part, name, report), report, Path(directory, f"{name}.books"))
            for name, part in one.parts.items()
        ]


def _finding(part: Part, name: str, report: dict[str, Any]) -> dict[str, Any]:
    found = [one for one in report["findings"] if one["path"] == f"{name}.py" and one["rule"] in part.rules]
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} findings of {part.rules} in {name}")
    return dict(found[0])


def _report(directory: str, rules: list[str]) -> dict[str, Any]:
    chosen = [part for rule in rules for part in ("--select", rule)]
    command = [".", "--run", f"{sys.executable} program.py", "--format", "json", "--no-cache", "--no-store"]
    result = subprocess.run(
        [sys.executable, "-m", "auditor", *command, *chosen],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )
    if result.returncode not in (0, 1):
        raise RuntimeError(f"the audit failed: {result.stderr[-2000:]}{result.stdout[-2000:]}")
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def _row(part: Part, finding: dict[str, Any], report: dict[str, Any], books: Path) -> dict[str, Any]:
    passes = report["workloads"][0]["passes"]
    kept = [json.loads(line) for line in books.read_text(encoding="utf-8").splitlines()]
    return {
        **{key: value for key, value in asdict(part).items() if key not in ("code", "rules")},
        "verdict": finding["verdict"],
        "reason": finding["reason"],
        "evidence": finding["evidence"],
        "walls": {run["name"]: run["wall_s"] for run in passes},
        "books": dict(zip((run["name"] for run in passes), kept, strict=True)),
    }


if __name__ == "__main__":
    main()
