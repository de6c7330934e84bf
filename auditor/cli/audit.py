"""`audit PATH...`: what the user typed becomes a request, the report an exit code."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.cli.delivery import deliver, outputs
from auditor.cli.fixing import fix_mode, fixed, left, show
from auditor.cli.gate import exit_code, known_gate
from auditor.cli.options import audit_parser
from auditor.errors import ConfigError

if TYPE_CHECKING:
    from auditor.comparing import Against
    from auditor.config import Config
    from auditor.model import Report, Workload
    from auditor.pipeline import Request
    from auditor.progress import Progress


def run(arguments: Sequence[str]) -> int:
    """Audit and return the exit code.

    Raises:
        AuditError: a path, rule, setting or workload is unusable.
    """
    options = audit_parser().parse_args(arguments)
    wanted = outputs(options.format, options.output)
    mode = fix_mode(options, wanted)
    from auditor.cli.progress import interruptible, shown
    from auditor.progress import Progress

    progress = Progress()
    with contextlib.ExitStack() as stack, interruptible(progress):
        if options.python is not None:
            from auditor.cli.interpreter import interpreter

            stack.enter_context(interpreter(options.python))
        request = _request(options, arguments, stack)
        with shown(progress) as watched:
            report = _run(request, watched)
            fixes = None
            if mode is not None:
                report, fixes = fixed(mode, request, report, watched)
    from auditor.pipeline import root_of_request

    if mode is not None and not mode.write:
        deliver(report, [one for one in wanted if one[1] is not None])
        show(fixes, report)
    else:
        deliver(report, wanted, root_of_request(request))
    remaining = left(report, fixes) if fixes is not None and mode is not None and mode.write else report
    return exit_code(remaining, request.config.fail_on, allow_failure=request.allow_failure)


def _run(request: Request, progress: Progress) -> Report:
    from auditor.pipeline import audit

    return audit(request, progress)


def _request(options: argparse.Namespace, arguments: Sequence[str], stack: contextlib.ExitStack) -> Request:
    import shlex

    from auditor.config import load_config
    from auditor.model import Source
    from auditor.pipeline import Request
    from auditor.report import reporters
    from auditor.store import locate

    paths = tuple(options.paths) or (Path(),)
    start = Path(os.path.abspath(paths[0]))  # noqa: PTH100 - keeps symlinks as typed
    config = _override(load_config(start), options)
    workloads = (*_workloads(options, config), *_recorded(options))
    return Request(
        paths=paths,
        target=" ".join(str(path) for path in paths),
        command=shlex.join(["audit", *arguments]),
        config=config,
        workloads=workloads,
        allow_failure=options.allow_failure,
        repeat=_repeat(options.repeat),
        stdin=_stdin(stack) if any(one.source is Source.COMMAND for one in workloads) else None,
        cache=not options.no_cache,
        static=options.static,
        jobs=options.jobs,
        against=_against(options.diff, config.baseline, workloads),
        fixes=options.diff_fixes
        or any(reporters()[name].fixes for name, _file in outputs(options.format, options.output)),
        store=None if options.no_store else locate(start, config.root if config.source else None, config.store),
    )


def _stdin(stack: contextlib.ExitStack) -> Path | None:
    from auditor.cli.standard_input import spool, standard_input

    return standard_input(stack.enter_context(spool()))


def _against(diff: str | None, baseline: Path | None, workloads: tuple[Workload, ...]) -> Against:
    from auditor.comparing import Against

    if diff != "-":
        return Against(revision=diff, baseline=baseline)
    if workloads:
        raise ConfigError("--diff -: standard input cannot be both the diff and the workload's; add --static")
    return Against(patch=sys.stdin.buffer.read(), baseline=baseline)


def _override(config: Config, options: argparse.Namespace) -> Config:
    from auditor.config import Exclusion

    fail_on = known_gate("never" if options.exit_zero else (options.fail_on or config.fail_on))
    if options.timeout is not None and options.timeout <= 0:
        raise ConfigError(f"--timeout {options.timeout:g}: give a number of seconds above zero")
    return replace(
        config,
        fail_on=fail_on,
        select=tuple(options.select) or config.select,
        ignore=(*config.ignore, *options.ignore),
        exclude=(*config.exclude, Exclusion(Path.cwd(), tuple(options.exclude))),
        timeout=options.timeout or config.timeout,
    )


def _is_recorded(options: argparse.Namespace) -> bool:
    return bool(options.cpu_profile or options.memory_profile or options.pid)


def _recorded(options: argparse.Namespace) -> tuple[Workload, ...]:
    """Profiles and running processes to be judged: they take the place of the configured workloads."""
    from auditor.model import Source, Workload

    if options.seconds <= 0:
        raise ConfigError(f"--seconds {options.seconds:g}: give a number of seconds above zero")
    profiles = [(Source.CPU_PROFILE, file) for file in options.cpu_profile]
    profiles += [(Source.MEMORY_PROFILE, file) for file in options.memory_profile]
    here = str(Path.cwd())
    return (
        *(Workload(str(file), str(file), here, source=source) for source, file in profiles),
        *(Workload(f"process {pid}", str(pid), here, options.seconds, source=Source.PROCESS) for pid in options.pid),
    )


def _workloads(options: argparse.Namespace, config: Config) -> tuple[Workload, ...]:
    from auditor.config import workload_sizes
    from auditor.model import Workload

    sizes = _sizes(options.sizes)
    if sizes is not None and not options.run:
        raise ConfigError("--sizes goes with --run; configured workloads have sizes of their own in [tool.audit]")
    if options.static or (not options.run and _is_recorded(options)):
        return ()
    if options.run:
        names = ["run"] if len(options.run) == 1 else [f"run-{number}" for number in range(1, len(options.run) + 1)]
        return tuple(
            Workload(
                name=name,
                command=command,
                cwd=str(Path.cwd()),
                timeout_s=config.timeout,
                sizes=() if sizes is None else workload_sizes(sizes, command, "--sizes"),
            )
            for name, command in zip(names, options.run, strict=True)
        )
    if options.timeout is not None:
        return tuple(replace(workload, timeout_s=options.timeout) for workload in config.workloads)
    return config.workloads


def _repeat(times: int) -> int:
    if times < 1:
        raise ConfigError(f"--repeat {times}: give a number of runs, 1 or more")
    return times


def _sizes(given: str | None) -> list[int] | None:
    try:
        return None if given is None else [int(size) for size in given.split(",")]
    except ValueError:
        raise ConfigError(f"--sizes {given}: give whole numbers with commas between, as in 1000,2000,4000") from None
