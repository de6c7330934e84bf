"""`audit rules`: list all rules."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code.

    Raises:
        AuditError: the settings or a team's rule are unusable.
    """
    argparse.ArgumentParser(
        prog="audit rules", description="List all rules, with the file of each that is the project's own."
    ).parse_args(arguments)
    from auditor.catalog import bundled_rules, team_rules
    from auditor.cli.settings import team_sources

    rows = [(rule, "") for rule in bundled_rules()]
    rows += [(rule, f"  ({os.path.relpath(file)})") for rule, file in team_rules(team_sources(Path.cwd()))]
    width = max(len(rule.id) for rule, _origin in rows)
    for rule, origin in sorted(rows, key=lambda row: row[0].id):
        print(f"{rule.id:<{width}}  {rule.kind:<13}  {rule.title}{origin}")
    return 0
