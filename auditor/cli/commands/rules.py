"""`audit rules`: list all rules."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    argparse.ArgumentParser(prog="audit rules", description="List all rules.").parse_args(arguments)
    from auditor.catalog import bundled_rules

    rules = bundled_rules()
    width = max(len(rule.id) for rule in rules)
    for rule in rules:
        print(f"{rule.id:<{width}}  {rule.kind:<13}  {rule.title}")
    return 0
