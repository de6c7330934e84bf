"""`audit pytest-session TASK`: the part of `pytest --audit` that measures; the plug-in starts it after the tests.

TASK is the JSON file that `auditor/pytest_plugin.py` writes. `--check FILE...` only says whether reports can be written
in the formats that the suffixes tell.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.cli.delivery import deliver, outputs

if TYPE_CHECKING:
    from auditor.evidence.base import Outcome
    from auditor.model import Report
    from auditor.pipeline import Request

_NAMED = 5


def run(arguments: Sequence[str]) -> int:
    """Audit the session and return 0.

    Raises:
        AuditError: a path, setting or output is unusable, or the tests cannot be started again.
    """
    if arguments[0] == "--check":
        outputs((), tuple(map(Path, arguments[1:])))
        return 0
    task = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    wanted = outputs((), tuple(map(Path, task["outputs"])))
    from auditor.cli.progress import interruptible, shown
    from auditor.pipeline import audit
    from auditor.progress import Progress

    progress = Progress()
    with interruptible(progress), shown(progress) as watched:
        report = audit(_request(task), watched)
    report = _warned(report, _differences(task["outcomes"], Path(task["scratch"]) / "outcomes"))
    deliver(report, [pair for pair in wanted if pair[1] is not None])
    _print(report, task)
    return 0


def _request(task: dict[str, Any]) -> Request:
    from auditor.config import Exclusion, load_config
    from auditor.model import Workload
    from auditor.pipeline import Request
    from auditor.store import locate

    paths = tuple(map(Path, task["paths"]))
    config = load_config(paths[0])
    return Request(
        paths=paths,
        target=" ".join(map(_near, paths)),
        command=task["shown"],
        config=replace(config, exclude=(*config.exclude, Exclusion(paths[0], tuple(task["exclude"])))),
        workloads=(Workload("pytest", task["shown"], task["cwd"], config.timeout, argv=tuple(task["command"])),),
        # tests that fail are measured, too: what counts is that they end alike each time
        allow_failure=True,
        plain=_plain(task) if task["is_reference"] else None,
        store=locate(paths[0], config.root if config.source else None, config.store),
    )


def _near(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _plain(task: dict[str, Any]) -> Outcome:
    """The session that the user ran."""
    from auditor.evidence.base import Outcome
    from auditor.model import PassRun

    return Outcome(PassRun("plain", task["wall_s"], task["exit_code"], cpu_s=task["cpu_s"]))


def _warned(report: Report, warnings: Sequence[str]) -> Report:
    runs = tuple(replace(run, warnings=(*run.warnings, *warnings)) for run in report.workloads)
    return replace(report, workloads=runs)


def _differences(expected: dict[str, str], told: Path) -> tuple[str, ...]:
    """One warning if tests ended otherwise under measurement than in the user's own session."""
    otherwise: dict[str, set[str]] = {}
    for file in sorted(told.glob("*.json")):
        seen = json.loads(file.read_text(encoding="utf-8"))
        for test in expected.keys() | seen.keys():
            if seen.get(test, "not run") != expected.get(test, "not run"):
                otherwise.setdefault(test, set()).add(seen.get(test, "not run"))
    if not otherwise:
        return ()
    named = [
        f"{test} ({expected.get(test, 'not run')}, then {' and '.join(sorted(ends))})"
        for test, ends in sorted(otherwise.items())[:_NAMED]
    ]
    more = f" and {len(otherwise) - _NAMED:,} more" if len(otherwise) > _NAMED else ""
    return (f"tests ended otherwise under measurement than in your session: {', '.join(named)}{more}",)


def _print(report: Report, task: dict[str, Any]) -> None:
    from rich.console import Console

    from auditor.report.relocated import seen_from
    from auditor.report.reporters.terminal import print_report
    from auditor.report.sheet import Coloured
    from auditor.scan.files import root_of

    print_report(
        seen_from(Path.cwd(), report, root_of([Path(one) for one in task["paths"]])),
        Coloured(
            Console(
                file=sys.stdout,
                width=task["width"],
                force_terminal=task["colour"],
                no_color=not task["colour"],
                legacy_windows=False,
            )
        ),
    )
