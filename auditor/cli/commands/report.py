"""`audit report`: render a saved report again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from auditor.cli.delivery import deliver, outputs
from auditor.cli.gate import exit_code, known_gate
from auditor.errors import ReportError, why
from auditor.report import reporters


def run(arguments: Sequence[str]) -> int:
    """Render, and return what `--fail-on` makes of the report.

    Raises:
        ReportError: the file cannot be read, or is no report.
        ConfigError: an option is unusable.
    """
    parser = argparse.ArgumentParser(prog="audit report", description="Render a saved report. Nothing is run.")
    parser.add_argument("file", type=Path, metavar="FILE.json")
    parser.add_argument("--format", action="append", default=[], choices=tuple(reporters()))
    parser.add_argument("--output", action="append", default=[], type=Path, metavar="FILE")
    parser.add_argument("--fail-on", default="never", metavar="GATE", help="exit as `audit` would (default: never)")
    options = parser.parse_args(arguments)
    wanted = outputs(options.format, options.output)
    fail_on = known_gate(options.fail_on)
    from auditor.report.restored import from_json

    try:
        text = options.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{options.file} cannot be read: {why(error)}") from error
    report = from_json(text, str(options.file))
    deliver(report, wanted)
    return 0 if fail_on == "never" else exit_code(report, fail_on, allow_failure=False)
