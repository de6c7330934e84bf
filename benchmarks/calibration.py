"""How often the intervals hold the truth and the verdicts are right, on programs whose truth is known.

    python benchmarks/calibration.py [--programs 240] [--seed 1] [--seconds 1.5] [--jobs 1] [--keep calibration.jsonl]

Every program (`calibration_programs.py`) is audited as a user would, by the command line, with all passes. Results are
kept one line each, and a run that was broken off goes on where it stopped; `--summary` only reads them.

What is compared: an interval against the books that the program kept *in the run of that pass*, since on a shared
machine runs differ by more than any interval of one run can know; by how much is printed, too. A verdict is right or
wrong where the program was costly, or harmless, in every one of its runs; where its runs lie on both sides of a
threshold it is on the border, and any verdict will do.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from auditor.config import Thresholds
from auditor.stats import wilson

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.calibration_programs import Program, program

ROOT = Path(__file__).parent.parent
LIMITS = Thresholds()
SHARES = {"seconds": "share", "repeat_seconds": "repeat_share", "waited": "waited_share"}
VAGUE = 0.1
"""Books whose inside and outside lie further apart (over the outside) say too little about an interval."""
REPEATED_OFTEN = 0.5
LONG_STALL_S = LIMITS.stall


def main() -> None:
    options = _options()
    if not options.summary:
        _measure(options)
    rows = [json.loads(line) for line in options.keep.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["seed"] == options.seed and row["seconds"] == options.seconds]
    print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}"
    )
    print(f"{len(rows)} programs of about {options.seconds:g} s, seed {options.seed}\n")
    _print_verdicts(rows)
    _print_coverage(rows)
    _print_noise(rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=240)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.5, help="about how long a program runs")
    parser.add_argument("--jobs", type=int, default=1, help="audits at the same time, which disturb one another")
    parser.add_argument("--keep", type=Path, default=Path("calibration.jsonl"), help="where results are kept")
    parser.add_argument("--summary", action="store_true", help="run nothing, print what is kept")
    return parser.parse_args()


# ------------------------------------------------------------------------------------------------
# Running


def _measure(options: argparse.Namespace) -> None:
    done = set()
    if options.keep.exists():
        for line in options.keep.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            done.add((row["seed"], row["seconds"], row["number"]))
    lock = threading.Lock()

    def measure(number: int) -> None:
        row = _audited(program(number, options.seed, options.seconds))
        with lock, options.keep.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"seed": options.seed, "seconds": options.seconds, **row}) + "\n")
        print(f"{number + 1}/{options.programs} {row['kind']}: {row['verdict']}", file=sys.stderr)

    left = [number for number in range(options.programs) if (options.seed, options.seconds, number) not in done]
    with ThreadPoolExecutor(options.jobs) as pool:
        for _ in pool.map(measure, left):
            pass


def _audited(one: Program) -> dict[str, Any]:
    """What the audit said of a program, and what its books say.

    Raises:
        RuntimeError: the audit did not give a report with one finding.
    """
    known = {key: value for key, value in asdict(one).items() if key not in ("code", "rules")}
    with tempfile.TemporaryDirectory(prefix="calibration-") as directory:
        Path(directory, "program.py").write_text(one.code, encoding="utf-8")
        chosen = [part for rule in one.rules for part in ("--select", rule)]
        command = ["program.py", "--run", f"{sys.executable} program.py", "--format", "json", "--no-cache"]
        result = subprocess.run(
            [sys.executable, "-m", "auditor", *command, *chosen],
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            encoding="utf-8",
            timeout=600,
            check=False,
        )
        if result.returncode not in (0, 1):
            raise RuntimeError(f"program {one.number} ({one.kind}): {result.stderr[-2000:]}{result.stdout[-2000:]}")
        report = json.loads(result.stdout)
        books = [json.loads(line) for line in Path(directory, "books.jsonl").read_text(encoding="utf-8").splitlines()]
    (finding,) = report["findings"]
    return {
        **known,
        "verdict": finding["verdict"],
        "reason": finding["reason"],
        "evidence": finding["evidence"],
        "walls": {run["name"]: run["wall_s"] for run in report["workloads"][0]["passes"]},
        "books": dict(zip((run["name"] for run in report["workloads"][0]["passes"]), books, strict=True)),
    }


# ------------------------------------------------------------------------------------------------
# The truth


def _spent(row: dict[str, Any], of: str, *, again: bool = False) -> tuple[float, float] | None:
    """Seconds of the flagged operation in the run of that pass, at least and at most; None if it kept no books."""
    book = row["books"].get(of)
    which = "_again" if again else ""
    return None if book is None else (book[f"inside{which}"], book[f"outside{which}"])


def _is_costly(row: dict[str, Any]) -> bool | None:
    """By construction, or if its books say so in all runs; None if it is on the border."""
    if row["costly"] is not None:
        return bool(row["costly"])
    said = {_costly_run(row, of) for of in row["books"]}
    return said.pop() if len(said) == 1 else None


def _costly_run(row: dict[str, Any], of: str) -> bool | None:
    spent = _spent(row, of, again=row["kind"] == "Repetition")
    assert spent is not None
    wall_s = row["walls"][of]
    long = row["kind"] == "Stall" and spent[0] / row["exact"]["loop_hits"] >= LONG_STALL_S
    if row["kind"] == "Repetition" and row["exact"]["repeats"] < REPEATED_OFTEN * row["exact"]["hits"]:
        return False
    if long or (spent[0] >= LIMITS.seconds and spent[0] / wall_s >= LIMITS.share):
        return True
    if spent[1] < LIMITS.seconds or spent[1] / wall_s < LIMITS.share:
        # a stand-still in doubt, between half of the threshold and all of it, is not harmless
        return None if row["kind"] == "Stall" and spent[1] / row["exact"]["loop_hits"] >= LONG_STALL_S / 2 else False
    return None


# ------------------------------------------------------------------------------------------------
# Printing


def _print_verdicts(rows: Sequence[dict[str, Any]]) -> None:
    words = ("confirmed", "rejected", "inconclusive", "not-measurable", "not-exercised")
    table: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        truth = {True: "costly", False: "harmless", None: "border"}[_is_costly(row)]
        table[row["kind"], truth, row["verdict"]] += 1
        table["all", truth, row["verdict"]] += 1
    print("| expectation | truth | programs | " + " | ".join(words) + " |")
    print("|---|---|---:|" + "---:|" * len(words))
    for kind in (*sorted({row["kind"] for row in rows}), "all"):
        for truth in ("costly", "harmless", "border"):
            counts = [table[kind, truth, word] for word in words]
            if sum(counts):
                print(f"| {kind} | {truth} | {sum(counts)} | " + " | ".join(map(str, counts)) + " |")
    for truth, wrong in (("costly", "rejected"), ("harmless", "confirmed")):
        total = sum(table["all", truth, word] for word in words)
        print(f"\n{truth} and {wrong}: {_ratio(table['all', truth, wrong], total)}")
    told = sum(table["all", truth, word] for truth in ("costly", "harmless") for word in words)
    undecided = told - sum(table["all", truth, word] for truth in ("costly", "harmless") for word in words[:2])
    print(f"\nneither confirmed nor rejected: {_ratio(undecided, told)}\n")
    for row in rows:
        if (_is_costly(row), row["verdict"]) in ((True, "rejected"), (False, "confirmed")):
            print(f"wrong: program {row['number']}, {row['kind']}: {row['reason']}")


def _print_coverage(rows: Sequence[dict[str, Any]]) -> None:
    held: dict[tuple[str, str], list[bool]] = {}
    for row in rows:
        for evidence, low, high in _compared(row):
            holds = evidence["low"] <= high and low <= evidence["high"]
            held.setdefault((evidence["metric"], evidence["collector"]), []).append(holds)
    print("\n| interval | by | compared | hold the truth |\n|---|---|---:|---:|")
    for (metric, collector), results in sorted(held.items()):
        print(f"| {metric} | {collector} | {len(results)} | {_ratio(sum(results), len(results))} |")
    every = [holds for results in held.values() for holds in results]
    print(f"\nintervals that hold the truth: {_ratio(sum(every), len(every))}")
    counts = [
        evidence["value"] == row["exact"].get(evidence["metric"], _counted(row, evidence["metric"]))
        for row in rows
        for evidence in row["evidence"]
        if evidence["metric"] in row["exact"] or _counted(row, evidence["metric"]) is not None
    ]
    print(f"counts that are exact: {_ratio(sum(counts), len(counts))}")


def _counted(row: dict[str, Any], metric: str) -> float | None:
    """What the program itself counted in the run with probes."""
    book = row["books"].get("probes")
    return None if book is None else book["exact"].get(metric)


def _compared(row: dict[str, Any]) -> Iterator[tuple[dict[str, Any], float, float]]:
    """Each interval with the truth, at least and at most."""
    for evidence in row["evidence"]:
        metric, collector = evidence["metric"], evidence["collector"]
        if metric == "growth" and row["growth"] is not None:
            yield evidence, row["growth"], row["growth"]
        for timed, again in ((row["timed"], False), (row["again"], True)):
            for name in timed:
                spent = _spent(row, collector, again=again)
                if spent is None or spent[1] - spent[0] > VAGUE * spent[1]:
                    continue
                if metric == name:
                    yield evidence, *spent
                elif metric == SHARES.get(name):
                    wall_s = row["walls"][collector]
                    yield evidence, spent[0] / wall_s, spent[1] / wall_s


def _print_noise(rows: Sequence[dict[str, Any]]) -> None:
    """How far the seconds of the same work lie from run to run, where the work is not timed by the clock itself."""
    logs = []
    for row in rows:
        books = [book["outside"] for book in row["books"].values() if book["outside"] > LIMITS.seconds]
        if row["kind"] in ("Scaling", "Repetition") and len(books) >= 2:
            logs.append(statistics.stdev(math.log(spent) for spent in books))
    if logs:
        print(
            f"\nstandard deviation of seconds between runs, over the mean: {statistics.median(logs):.2f} (median)",
            end="",
        )
        print(f", {max(logs):.2f} (greatest) of {len(logs)} programs")


def _ratio(part: int, whole: int) -> str:
    if not whole:
        return "none"
    low, high = wilson(part, whole, design_effect=1.0)
    return f"{part} of {whole} ({100 * part / whole:.1f} %, 95 % interval {100 * low:.1f} to {100 * high:.1f} %)"


if __name__ == "__main__":
    main()
