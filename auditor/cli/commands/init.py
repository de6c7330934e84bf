"""`audit init`: propose a `[tool.audit]` table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="audit init", description="Look at a project and propose a [tool.audit] table. Nothing is run or written."
    )
    parser.add_argument("path", nargs="?", type=Path, default=Path(), metavar="PATH")
    options = parser.parse_args(arguments)
    from auditor.errors import TargetError
    from auditor.initialise import is_configured, propose

    if not options.path.is_dir():
        raise TargetError(f"{options.path} is not a directory; give the project's")
    if is_configured(options.path):
        print(f"# {options.path / 'pyproject.toml'} has a [tool.audit] table already; this is what init would propose.")
    print(propose(options.path), end="")
    return 0
