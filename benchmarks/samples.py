"""How often the sample projects get the verdict that each twin should get.

    python benchmarks/samples.py [--runs 10]

Audits each sample project anew for every run, and prints for every twin how many runs said what.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.samples.expected import EXPECTED

SAMPLES = Path(__file__).parent.parent / "sample_projects"


def verdicts(project: str) -> dict[tuple[str, str, str], str]:
    """One audit of a sample: verdict by (file, symbol, rule)."""
    with tempfile.TemporaryDirectory() as scratch:
        saved = Path(scratch) / "report.json"
        command = [sys.executable, "-m", "auditor", str(SAMPLES / project), "--output", str(saved), "--exit-zero"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        findings = json.loads(saved.read_text(encoding="utf-8"))["findings"]
    return {(found["path"], found["symbol"], found["rule"]): found["verdict"] for found in findings}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    runs: int = parser.parse_args().runs
    said: dict[tuple[str, str, str, str], Counter[str]] = {}
    for _ in range(runs):
        for project in sorted({row.project for row in EXPECTED}):
            found = verdicts(project)
            for row in EXPECTED:
                if row.project == project:
                    verdict = found.get((row.file, row.symbol, row.rule), "not flagged")
                    said.setdefault((project, row.file, row.symbol, row.rule), Counter())[verdict] += 1
    right = 0
    for row in EXPECTED:
        counts = said[row.project, row.file, row.symbol, row.rule]
        right += counts[row.verdict]
        print(f"{row.rule:<24} {row.symbol:<32} {row.verdict:<14} {dict(counts)}")
    print(f"{right} of {runs * len(EXPECTED)} verdicts are as expected, in {runs} runs of {len(EXPECTED)} twins")
    return 0 if right == runs * len(EXPECTED) else 1


if __name__ == "__main__":
    sys.exit(main())
