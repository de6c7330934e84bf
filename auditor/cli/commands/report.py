"""`audit report`: render a saved report again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from auditor.cli.delivery import deliver, outputs
from auditor.errors import ReportError
from auditor.report import reporters


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="audit report", description="Render a saved report. Nothing is run.")
    parser.add_argument("file", type=Path, metavar="FILE.json")
    parser.add_argument("--format", action="append", default=[], choices=tuple(reporters()))
    parser.add_argument("--output", action="append", default=[], type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    wanted = outputs(options.format, options.output)
    from auditor.report.saved import from_json

    try:
        text = options.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{options.file} cannot be read: {error}") from error
    deliver(from_json(text, str(options.file)), wanted)
    return 0
