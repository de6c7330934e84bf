"""`audit explain`: print the page of a rule."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code.

    Raises:
        AuditError: there is no such rule, or the settings or a team's rule are unusable.
    """
    parser = argparse.ArgumentParser(prog="audit explain", description="Print the page of a rule.")
    parser.add_argument("rule", metavar="RULE")
    options = parser.parse_args(arguments)
    from rich.console import Console
    from rich.markdown import Markdown

    from auditor.catalog import all_rules, find_rule, page_markdown
    from auditor.cli.settings import team_sources

    text = page_markdown(find_rule(options.rule, all_rules(team_sources(Path.cwd()))))
    console = Console()
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        print(text)
    return 0
