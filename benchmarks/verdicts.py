"""How often measurements bear out what each rule suspects, counted over saved reports.

    python benchmarks/verdicts.py REPORT.json ...

Takes what `audit PATH --run ... --format json` wrote and prints a table, in Markdown, of the verdicts by rule. A rule
whose suspects are rejected more than nine times in ten is marked, where at least `--least` of them were decided.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

VERDICTS = ("confirmed", "rejected", "inconclusive", "not-exercised", "not-measurable")
OFTEN = 0.9


def counted(reports: Iterable[Path]) -> dict[str, Counter[str]]:
    """The verdicts by rule."""
    found: dict[str, Counter[str]] = {}
    for report in reports:
        for finding in json.loads(report.read_text(encoding="utf-8"))["findings"]:
            found.setdefault(finding["rule"], Counter())[finding["verdict"]] += 1
    return found


def table(verdicts: dict[str, Counter[str]], least: int) -> list[str]:
    """Rows of Markdown, the rules with most decisions first, and a sum."""
    total = sum(verdicts.values(), Counter[str]())
    ordered = sorted(verdicts.items(), key=lambda item: (-_decided(item[1]), item[0]))
    rows = ["| rule | confirmed | rejected | inconclusive | not exercised | not measurable | rejected too often |"]
    rows.append(f"|---|{'---:|' * len(VERDICTS)}---|")
    for name, counts in (*((f"`{rule}`", counts) for rule, counts in ordered), ("all", total)):
        decided = _decided(counts)
        marked = decided >= least and counts["rejected"] > OFTEN * decided
        cells = (str(counts[verdict]) for verdict in VERDICTS)
        rows.append(f"| {name} | {' | '.join(cells)} | {'yes' if marked else ''} |")
    return rows


def _decided(counts: Counter[str]) -> int:
    return counts["confirmed"] + counts["rejected"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", nargs="+", type=Path)
    parser.add_argument("--least", type=int, default=10, help="decisions below which no rule is marked")
    given = parser.parse_args()
    print("\n".join(table(counted(given.reports), given.least)))


if __name__ == "__main__":
    main()
