"""`audit PATH...`: what the user typed becomes a request, the report an exit code."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.cli.delivery import deliver, outputs
from auditor.cli.options import audit_parser
from auditor.errors import AuditError, ConfigError

if TYPE_CHECKING:
    from auditor.config import Config
    from auditor.model import Report, Workload
    from auditor.pipeline import Progress, Request


def run(arguments: Sequence[str]) -> int:
    """Audit and return the exit code.

    Raises:
        AuditError: a path, rule, setting or workload is unusable.
    """
    options = audit_parser().parse_args(arguments)
    wanted = outputs(options.format, options.output)
    from auditor.cli.progress import interruptible, shown
    from auditor.cli.standard_input import spool
    from auditor.pipeline import Progress

    progress = Progress()
    with spool() as spooled, interruptible(progress):
        request = _request(options, arguments, spooled)
        with shown(progress) as watched:
            report = _run(request, watched)
    deliver(report, wanted)
    return _exit_code(report, request)


def _run(request: Request, progress: Progress) -> Report:
    from auditor.pipeline import audit

    return audit(request, progress)


def _request(options: argparse.Namespace, arguments: Sequence[str], spooled: Path) -> Request:
    import shlex

    from auditor.cli.standard_input import standard_input
    from auditor.config import load_config
    from auditor.pipeline import Request

    paths = tuple(options.paths) or (Path(),)
    config = _override(load_config(Path(os.path.abspath(paths[0]))), options)  # noqa: PTH100 - keeps symlinks as typed
    workloads = _workloads(options, config)
    return Request(
        paths=paths,
        target=" ".join(str(path) for path in paths),
        command=shlex.join(["audit", *arguments]),
        config=config,
        workloads=workloads,
        allow_failure=options.allow_failure,
        stdin=standard_input(spooled) if workloads else None,
        cache=not options.no_cache,
        jobs=options.jobs,
    )


def _override(config: Config, options: argparse.Namespace) -> Config:
    from auditor.config import FAIL_ON, suggestion

    fail_on = "never" if options.exit_zero else (options.fail_on or config.fail_on)
    if fail_on not in FAIL_ON:
        raise ConfigError(f"--fail-on {fail_on}: no such gate; {suggestion(fail_on, FAIL_ON)}")
    if options.timeout is not None and options.timeout <= 0:
        raise ConfigError(f"--timeout {options.timeout:g}: give a number of seconds above zero")
    return replace(
        config,
        fail_on=fail_on,
        select=tuple(options.select) or config.select,
        ignore=(*config.ignore, *options.ignore),
        exclude=(*config.exclude, *options.exclude),
        timeout=options.timeout or config.timeout,
    )


def _workloads(options: argparse.Namespace, config: Config) -> tuple[Workload, ...]:
    from auditor.model import Workload

    if options.static:
        return ()
    if options.run:
        names = ["run"] if len(options.run) == 1 else [f"run-{number}" for number in range(1, len(options.run) + 1)]
        return tuple(
            Workload(name=name, command=command, cwd=str(Path.cwd()), timeout_s=config.timeout)
            for name, command in zip(names, options.run, strict=True)
        )
    if options.timeout is not None:
        return tuple(replace(workload, timeout_s=options.timeout) for workload in config.workloads)
    return config.workloads


def _exit_code(report: Report, request: Request) -> int:
    from auditor.model import VerdictKind

    fail_on = request.config.fail_on
    failed = any(run.exit_code != 0 for run in report.workloads)
    if report.interrupted or (failed and not request.allow_failure):
        return AuditError.exit_code
    if fail_on == "never":
        return 0
    confirmed = [finding for finding in report.findings if finding.verdict.kind is VerdictKind.CONFIRMED]
    if fail_on == "suspected":
        return int(bool(confirmed) or any(f.verdict.kind is VerdictKind.SUSPECTED for f in report.findings))
    if fail_on == "confirmed":
        return int(bool(confirmed))
    return int(any(finding.priority is not None and finding.priority <= fail_on for finding in confirmed))
