"""The tables that the calibration prints."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from auditor.stats import wilson
from benchmarks.calibration.truth import LIMITS, compared, counted, is_costly


def print_verdicts(rows: Sequence[dict[str, Any]]) -> None:
    words = ("confirmed", "rejected", "inconclusive", "not-measurable", "not-exercised")
    table: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        truth = {True: "costly", False: "harmless", None: "border"}[is_costly(row)]
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
        if (is_costly(row), row["verdict"]) in ((True, "rejected"), (False, "confirmed")):
            print(f"wrong: program {row['number']}, {row['kind']}: {row['reason']}")


def print_coverage(rows: Sequence[dict[str, Any]]) -> None:
    held: dict[tuple[str, str], list[bool]] = {}
    for row in rows:
        for evidence, low, high in compared(row):
            holds = evidence["low"] <= high and low <= evidence["high"]
            held.setdefault((evidence["metric"], evidence["collector"]), []).append(holds)
    print("\n| interval | by | compared | hold the truth |\n|---|---|---:|---:|")
    for (metric, collector), results in sorted(held.items()):
        print(f"| {metric} | {collector} | {len(results)} | {_ratio(sum(results), len(results))} |")
    every = [holds for results in held.values() for holds in results]
    print(f"\nintervals that hold the truth: {_ratio(sum(every), len(every))}")
    counts = [
        evidence["value"] == row["exact"].get(evidence["metric"], counted(row, evidence["metric"]))
        for row in rows
        for evidence in row["evidence"]
        if evidence["metric"] in row["exact"] or counted(row, evidence["metric"]) is not None
    ]
    print(f"counts that are exact: {_ratio(sum(counts), len(counts))}")


def print_noise(rows: Sequence[dict[str, Any]]) -> None:
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
    low, high = wilson(part, whole)
    return f"{part} of {whole} ({100 * part / whole:.1f} %, 95 % interval {100 * low:.1f} to {100 * high:.1f} %)"
