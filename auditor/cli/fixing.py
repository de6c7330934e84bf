"""`--fix` and `--diff-fixes`: what is changed, what is only shown, and what is said of it."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import ConfigError

if TYPE_CHECKING:
    from auditor.fix import Fixes
    from auditor.model import Report, Suspect
    from auditor.pipeline import Request
    from auditor.progress import Progress


@dataclass(frozen=True, slots=True)
class FixMode:
    """What the user asked for. `write`: change files instead of showing the changes; `unsafe`: with unsafe ones."""

    write: bool
    unsafe: bool


def fix_mode(options: argparse.Namespace, wanted: Sequence[tuple[str, Path | None]]) -> FixMode | None:
    """The mode, None if nothing is to be fixed.

    Raises:
        ConfigError: the options contradict one another.
    """
    if options.fix and options.diff_fixes:
        raise ConfigError("--fix changes files and --diff-fixes only shows the changes; give one of them")
    if options.unsafe_fixes and not (options.fix or options.diff_fixes):
        raise ConfigError("--unsafe-fixes says which fixes are made; add --fix or --diff-fixes")
    if options.diff_fixes and ("terminal", None) not in wanted:
        raise ConfigError("--diff-fixes and the --format given would both go to standard output; add --output FILE")
    return FixMode(options.fix, options.unsafe_fixes) if options.fix or options.diff_fixes else None


def fixed(mode: FixMode, request: Request, report: Report, progress: Progress) -> tuple[Report, Fixes | None]:
    """The report with a note of what was fixed, and what became of the fixes, None if there was nothing to go by."""
    from auditor.pipeline import fix_found

    failed = any(run.failed for run in report.workloads) and not request.allow_failure
    if report.interrupted or failed:
        why = "the audit was interrupted" if report.interrupted else "a workload failed"
        return replace(report, notes=(*report.notes, f"Nothing is fixed: {why}.")), None
    fixes = fix_found(request, report, mode.unsafe, mode.write, progress)
    return replace(report, notes=(*report.notes, *_said(fixes, mode))), fixes


def left(report: Report, fixes: Fixes) -> Report:
    """The report without the findings that were fixed."""
    gone = {(one.path, one.fingerprint) for one in fixes.fixed}
    return replace(report, findings=tuple(one for one in report.findings if _key(one.suspect) not in gone))


def show(fixes: Fixes | None, report: Report) -> None:
    """Print the diffs, and what there is to say of them on standard error."""
    if fixes is not None:
        text = "".join(fixes.diffs)
        # line ends and names are the files' own
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    for note in report.notes:
        print(f"audit: {note}", file=sys.stderr)


def _key(suspect: Suspect) -> tuple[str, str]:
    return suspect.path, suspect.fingerprint


def _said(fixes: Fixes, mode: FixMode) -> list[str]:
    files = len({one.path for one in fixes.fixed})
    rules = ", ".join(f"{count} {rule}" for rule, count in sorted(Counter(one.rule for one in fixes.fixed).items()))
    done = "Fixed" if mode.write else "Would fix"
    notes = [f"{done} {_counted(fixes.fixed)} in {files} file{'' if files == 1 else 's'}: {rules}."]
    if not fixes.fixed:
        notes = ["Nothing to fix: no suspect has a fix that was asked for."]
    if fixes.rejected:
        notes.append(f"{_counted(fixes.rejected)} left: measurement rejected the suspicion.")
    if fixes.unsafe:
        notes.append(
            f"{_counted(fixes.unsafe)} left: the fix may change what the program does; --unsafe-fixes makes it."
        )
    if fixes.clashed:
        notes.append(f"{_counted(fixes.clashed)} left: another fix changed the same code; run it again.")
    return [*notes, *fixes.warnings]


def _counted(suspects: Sequence[Suspect]) -> str:
    return f"{len(suspects):,} suspect{'' if len(suspects) == 1 else 's'}"
