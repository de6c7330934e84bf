"""`audit baseline`: write down what is known today, so that only new findings fail."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path


def run(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code.

    Raises:
        AuditError: a path or setting is unusable, or the file cannot be read or written.
    """
    parser = argparse.ArgumentParser(
        prog="audit baseline",
        description="Scan, and write all findings that are not suppressed to the baseline. Nothing is run. What the"
        " baseline knows of files outside PATH stays in it.",
    )
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or directories (default: .)")
    parser.add_argument(
        "--output", type=Path, metavar="FILE",
        help="the baseline (default: that of [tool.audit], else audit-baseline.jsonl in the project's directory)",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    from auditor import baseline
    from auditor.config import load_config
    from auditor.errors import HistoryError
    from auditor.pipeline import Request, audit
    from auditor.progress import Progress
    from auditor.report.figures import counted
    from auditor.scan.files import root_of
    from auditor.store import locate

    paths = tuple(options.paths) or (Path(),)
    start = Path(os.path.abspath(paths[0]))  # noqa: PTH100 - keeps symlinks as typed
    config = load_config(start)
    project = locate(start, config.root if config.source else None).project
    chosen = options.output or config.baseline or project / baseline.NAME
    file = Path(os.path.abspath(chosen))  # noqa: PTH100
    before = baseline.read(file, conflicts=True) if file.exists() else ()
    report = audit(Request(paths, "", "", config), Progress())
    found = baseline.entries((one.suspect for one in report.findings), root_of(paths), file)
    inside = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100
    kept = [one for one in before if not any(_lies_in(file.parent / one.path, path) for path in inside)]
    try:
        file.write_text(baseline.written((*found, *kept)), encoding="utf-8")
    except OSError as error:
        raise HistoryError(f"{file} cannot be written: {error.strerror}") from error
    added, gone = len(set(found) - set(before)), len(set(before) - {*found, *kept})
    known = counted(len({*found, *kept}), "known finding")
    print(f"{os.path.relpath(file)}: {known} ({added:,} new, {gone:,} gone).")
    if config.baseline is None:
        print(f"For audit to use it, {os.path.relpath(project / 'pyproject.toml')} needs:")
        print(f'  [tool.audit]\n  baseline = "{Path(os.path.relpath(file, project)).as_posix()}"')
    return 0


def _lies_in(file: Path, directory: Path) -> bool:
    return Path(os.path.normpath(file)).is_relative_to(directory)
