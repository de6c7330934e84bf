"""`audit test-rules`: hold the project's own rules to the examples they carry."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code: 1 if an example does not come out as it should.

    Raises:
        AuditError: there is no rule to test, or the settings or a rule are unusable.
    """
    parser = argparse.ArgumentParser(
        prog="audit test-rules",
        description="Run the examples of the project's own rules: each invalid one must yield exactly one suspect,"
        " each valid one none.",
    )
    parser.add_argument(
        "directories", nargs="*", type=Path, metavar="DIR", help="directories of rules (default: those configured)"
    )
    options = parser.parse_args(arguments)
    from auditor.catalog import team_rules
    from auditor.cli.settings import team_sources
    from auditor.errors import ConfigError
    from auditor.examples import broken_promises

    for directory in options.directories:
        if not directory.is_dir():
            raise ConfigError(f"{directory} is not a directory; give one that holds rule files")
    sources = tuple(str(directory.resolve()) for directory in options.directories) or team_sources(Path.cwd())
    rules = team_rules(sources)
    if not rules:
        raise ConfigError("there are no rules to test; give their directory, or name it in [tool.audit] rules")
    broken = 0
    for rule, file in rules:
        complaints = list(broken_promises(rule))
        broken += bool(complaints)
        examples = len(rule.valid) + len(rule.invalid)
        outcome = f"{len(complaints)} broken" if complaints else "ok"
        print(f"{rule.id}  {os.path.relpath(file)}  {examples} examples: {outcome}")
        for complaint in complaints:
            print(f"    {complaint}")
    return int(broken > 0)
