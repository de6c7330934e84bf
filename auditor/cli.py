"""The command line: what the user typed becomes a request, the report becomes text and an exit code.

Everything heavy is imported where it is needed: `audit --version` must stay instant.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from auditor import __version__
from auditor.errors import AuditError, ConfigError, ReportError

if TYPE_CHECKING:
    from types import FrameType

    from auditor.config import Config
    from auditor.model import Report, Workload
    from auditor.pipeline import Progress, Request

_STDIN_WAIT_S = 0.5
_SUFFIXES = {
    ".json": "json",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".txt": "terminal",
}
_FORMATS = ("terminal", "json", "markdown", "html")

_DESCRIPTION = """\
Find suspect performance patterns in Python code, run your workload, and say which
of them are real: each one confirmed or rejected, with numbers.

  audit path/ --run "python bench.py"     audit a path under a workload
  audit path/ --run "pytest -q"           any command will do
  audit path/                             workloads of [tool.audit], else static only
  audit explain RULE                      what a rule looks for, and why
  audit rules                             all rules
  audit init                              propose a [tool.audit] table
  audit report FILE.json                  render a saved report again
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 nothing to act on, 1 findings, 2 the audit could not be done."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    command = _COMMANDS.get(arguments[0]) if arguments else None
    try:
        if command is not None:
            return command(arguments[1:])
        return _audit(arguments)
    except AuditError as error:
        print(f"audit: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("audit: interrupted", file=sys.stderr)
        return AuditError.exit_code
    except BrokenPipeError:
        # the reader of our output went away (`audit | head`): Python would complain at exit otherwise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return AuditError.exit_code


# ------------------------------------------------------------------------------------------------
# audit PATH...


def _audit_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="audit", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or directories (default: .)")
    parser.add_argument("--version", action="version", version=f"audit {__version__}")
    measuring = parser.add_argument_group("measuring")
    measuring.add_argument("--run", action="append", default=[], metavar="COMMAND", help="workload; may be repeated")
    measuring.add_argument("--static", action="store_true", help="run nothing, whatever is configured")
    measuring.add_argument("--timeout", type=float, metavar="SECONDS", help="end a workload's run after so long")
    measuring.add_argument("--allow-failure", action="store_true", help="judge a workload that fails, too")
    choosing = parser.add_argument_group("choosing")
    choosing.add_argument("--select", action="append", default=[], metavar="RULE", help="only these rules")
    choosing.add_argument("--ignore", action="append", default=[], metavar="RULE", help="not these rules")
    choosing.add_argument(
        "--exclude", action="append", default=[], metavar="PATTERN", help="leave out, as in .gitignore"
    )
    choosing.add_argument("--no-cache", action="store_true", help="scan every file, and keep nothing")
    choosing.add_argument("--jobs", type=int, metavar="N", help="processes that scan (default: one per core)")
    output = parser.add_argument_group("output")
    output.add_argument("--format", action="append", default=[], choices=_FORMATS, help="what to print or write")
    output.add_argument(
        "--output", action="append", default=[], type=Path, metavar="FILE",
        help="write to FILE, in the --format at the same place, else by its suffix; may be repeated",
    )  # fmt: skip
    output.add_argument(
        "--fail-on", metavar="GATE", help="exit with 1 on: confirmed (default), P0-P3 (and above), suspected, never"
    )
    output.add_argument("--exit-zero", action="store_true", help="the same as --fail-on never")
    return parser


def _audit(arguments: Sequence[str]) -> int:
    options = _audit_parser().parse_args(arguments)
    wanted = _outputs(options.format, options.output)
    from auditor.pipeline import Progress

    progress = Progress()
    with _spool() as spool, _interruptible(progress):
        request = _request(options, arguments, spool)
        with _shown(progress) as shown:
            report = _run(request, shown)
    _deliver(report, wanted)
    return _exit_code(report, request)


def _run(request: Request, progress: Progress) -> Report:
    from auditor.pipeline import audit

    return audit(request, progress)


def _request(options: argparse.Namespace, arguments: Sequence[str], spool: Path) -> Request:
    import shlex

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
        stdin=_standard_input(spool) if workloads else None,
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


def _outputs(formats: Sequence[str], files: Sequence[Path]) -> list[tuple[str, Path | None]]:
    """Pairs of format and file; None stands for standard output, which always gets one."""
    pairs: list[tuple[str, Path | None]] = []
    for index, file in enumerate(files):
        if index < len(formats):
            pairs.append((formats[index], file))
        elif file.suffix.lower() in _SUFFIXES:
            pairs.append((_SUFFIXES[file.suffix.lower()], file))
        else:
            raise ConfigError(f"--output {file}: its suffix does not tell the format; add --format")
    surplus = list(formats[len(files) :])
    if len(surplus) > 1:
        raise ConfigError(f"--format {' and '.join(surplus)} would both go to standard output; add --output FILE")
    return [*pairs, (surplus[0] if surplus else "terminal", None)]


@contextlib.contextmanager
def _spool() -> Iterator[Path]:
    import shutil
    import tempfile

    directory = tempfile.mkdtemp(prefix="audit-stdin-")
    try:
        yield Path(directory) / "stdin"
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _standard_input(spool: Path) -> Path | None:
    """What was piped into audit, kept so that every run of the workload reads the same; None if nothing was.

    A terminal is not handed on, and a pipe that stays silent counts as empty: some parents leave one open for ever.
    """
    import select
    import shutil
    import stat

    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return None
    if stat.S_ISREG(mode) or (stat.S_ISFIFO(mode) and select.select([sys.stdin], [], [], _STDIN_WAIT_S)[0]):
        with spool.open("wb") as kept:
            shutil.copyfileobj(sys.stdin.buffer, kept)
        return spool
    return None


# ------------------------------------------------------------------------------------------------
# Progress and interruption


@contextlib.contextmanager
def _interruptible(progress: Progress) -> Iterator[None]:
    """The first interrupt asks the audit to end and keep what it has; a second one ends it at once."""
    import signal

    def stop(_number: int, _frame: FrameType | None) -> None:
        if progress.stop.is_set():
            raise KeyboardInterrupt
        progress.stop.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _shown(progress: Progress) -> Iterator[Progress]:
    """Progress on standard error while it is a terminal."""
    if not sys.stderr.isatty():
        yield progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(20), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("starting", total=None)

        def step(what: str, done: int, total: int) -> None:
            bars.update(task, description=what, completed=done, total=total or None)

        yield replace(progress, step=step)


# ------------------------------------------------------------------------------------------------
# Results


def _deliver(report: Report, wanted: Sequence[tuple[str, Path | None]]) -> None:
    from auditor.report import reporters

    for name, file in wanted:
        if file is not None:
            _write(file, reporters()[name].render(report))
        elif name == "terminal":
            from rich.console import Console

            from auditor.report.reporters.terminal import print_report

            print_report(report, Console())
        else:
            sys.stdout.write(reporters()[name].render(report))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"{file} cannot be written: {error.strerror}") from error


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


# ------------------------------------------------------------------------------------------------
# The other commands


def _explain(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="audit explain", description="Print the page of a rule.")
    parser.add_argument("rule", metavar="RULE")
    options = parser.parse_args(arguments)
    from rich.console import Console
    from rich.markdown import Markdown

    from auditor.catalog import find_rule, page_markdown

    text = page_markdown(find_rule(options.rule))
    console = Console()
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        print(text)
    return 0


def _rules(arguments: Sequence[str]) -> int:
    argparse.ArgumentParser(prog="audit rules", description="List all rules.").parse_args(arguments)
    from auditor.catalog import bundled_rules

    rules = bundled_rules()
    width = max(len(rule.id) for rule in rules)
    for rule in rules:
        print(f"{rule.id:<{width}}  {rule.kind:<13}  {rule.title}")
    return 0


def _init(arguments: Sequence[str]) -> int:
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


def _report(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="audit report", description="Render a saved report. Nothing is run.")
    parser.add_argument("file", type=Path, metavar="FILE.json")
    parser.add_argument("--format", action="append", default=[], choices=_FORMATS)
    parser.add_argument("--output", action="append", default=[], type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    wanted = _outputs(options.format, options.output)
    from auditor.report.saved import from_json

    try:
        text = options.file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{options.file} cannot be read: {error}") from error
    _deliver(from_json(text, str(options.file)), wanted)
    return 0


_COMMANDS = {"explain": _explain, "rules": _rules, "init": _init, "report": _report}
