"""The options of `audit PATH...`."""

from __future__ import annotations

import argparse
from pathlib import Path

from auditor import __version__
from auditor.report import reporters
from auditor.report.sheet import terminal_width

DESCRIPTION = """\
Find suspect performance patterns in Python code, run your workload, and say
which of them are real: each one confirmed or rejected, with numbers.

  audit path/ --run "python bench.py"     audit a path under a workload
  audit path/ --run "pytest -q"           any command will do
  audit path/                             workloads of [tool.audit], else static only
  audit path/ --diff-fixes                show what can be fixed; --fix does it
  audit explain RULE                      what a rule looks for, and why
  audit rules                             all rules
  audit new-rule NAME                     a rule of your own to start from
  audit test-rules PATH                   hold your rules to their examples
  audit init                              propose a [tool.audit] table
  audit report FILE.json                  render a saved report again
  audit baseline                          write down what is known, to fail on new findings only
  audit hook                              what a hook of pre-commit runs
  audit comment HEAD.json                 say on a pull request what its change brought
"""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """One that need not import how wide the terminal is: it is made for every argument, and seldom has to print."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=terminal_width() - 2)


def audit_parser() -> argparse.ArgumentParser:
    """All options, in the groups that `--help` shows."""
    parser = argparse.ArgumentParser(prog="audit", description=DESCRIPTION, formatter_class=_Formatter)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or directories (default: .)")
    parser.add_argument("--version", action="version", version=f"audit {__version__}")
    _measuring(parser.add_argument_group("measuring"))
    _recorded(parser.add_argument_group("judging what was recorded, without running anything"))
    _choosing(parser.add_argument_group("choosing"))
    _fixing(parser.add_argument_group("fixing"))
    _output(parser.add_argument_group("output"))
    return parser


def _measuring(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--run", action="append", default=[], metavar="COMMAND", help="workload; may be repeated")
    group.add_argument("--static", action="store_true", help="run nothing, whatever is configured")
    group.add_argument("--timeout", type=float, metavar="SECONDS", help="end a workload's run after so long")
    group.add_argument(
        "--sizes", metavar="N,N,N", help="run each --run at these sizes, which replace {n} in it: how does cost grow?"
    )
    group.add_argument(
        "--repeat", type=int, default=1, metavar="N", help="make every pass N times (default 1): surer numbers"
    )
    group.add_argument("--python", type=Path, metavar="PATH", help="what `python` means in the commands of workloads")
    group.add_argument("--allow-failure", action="store_true", help="judge a workload that fails, too")


def _recorded(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--cpu-profile", action="append", default=[], type=Path, metavar="FILE",
        help="speedscope JSON, collapsed stacks (py-spy raw) or pstats; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--memory-profile", action="append", default=[], type=Path, metavar="FILE", help="a capture of memray"
    )
    group.add_argument("--pid", action="append", default=[], type=int, help="watch a running process with py-spy")
    group.add_argument("--seconds", type=float, default=30.0, help="for how long to watch it (default: 30)")


def _choosing(group: argparse._ArgumentGroup) -> None:
    for flag, told in (("--select", "only these rules"), ("--ignore", "not these rules")):
        group.add_argument(flag, action="extend", type=_listed, default=[], metavar="RULE,RULE", help=told)
    group.add_argument(
        "--exclude", action="append", default=[], metavar="PATTERN", help="leave out, as in a .gitignore here"
    )
    group.add_argument(
        "--diff", metavar="REV",
        help="only what changed since REV (REV...: since HEAD left it); -: the unified diff on standard input",
    )  # fmt: skip
    group.add_argument("--no-cache", action="store_true", help="scan every file, and keep nothing")
    group.add_argument("--no-store", action="store_true", help="neither show nor keep remembered evidence")
    group.add_argument("--jobs", type=int, metavar="N", help="processes that scan (default: one per core)")


def _listed(text: str) -> list[str]:
    """The names in a list separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _fixing(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--fix", action="store_true", help="make the safe fixes of all that is not rejected")
    group.add_argument("--diff-fixes", action="store_true", help="print what --fix would change, as a diff")
    group.add_argument("--unsafe-fixes", action="store_true", help="with either: also fixes that may change meaning")


def _output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--format", action="append", default=[], choices=tuple(reporters()), help="what to print or write"
    )
    group.add_argument(
        "--output", action="append", default=[], type=Path, metavar="FILE",
        help="write to FILE, in the --format at the same place, else by its suffix; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--fail-on", metavar="GATE", help="exit with 1 on: confirmed (default), P0-P3 (and above), suspected, never"
    )
    group.add_argument("--exit-zero", action="store_true", help="the same as --fail-on never")
