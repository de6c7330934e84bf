"""`pytest --audit`: the session of tests is the workload.

The user's own session runs as it would without the option, and is the reference for wall time and exit code. When it is
over, `audit pytest-session` runs the same command line again under the measuring passes, in processes of its own, and
its report is printed below the session's summary. The exit code stays that of the tests.

Imported into every session of pytest in this environment: standard library only, and nothing that costs time unless
the option is given. Works with pytest 7, 8 and 9.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

STARTED_WITH = dict(os.environ)
"""The environment as pytest was started with, before conftests and plug-ins changed it."""

BEGUN_AT = time.perf_counter() - time.process_time()
"""When the process started, in the clock of `time.perf_counter`: until here it was busy starting."""

MEASURED = "AUDIT_RUN" in os.environ
"""Whether this session is itself being measured, so that it is not audited again."""

WITHIN = "PYTEST_CURRENT_TEST" in os.environ
"""Whether a test of another session started this one."""

CACHE_VARIABLE = "AUDIT_PYTEST_CACHE"
OUTCOMES_VARIABLE = "AUDIT_PYTEST_OUTCOMES"

_WRITTEN_FILES = (
    ("xmlpath", "--junit-xml"),
    ("log_file", "--log-file"),
    ("htmlpath", "--html"),
    ("report_log", "--report-log"),
    ("json_report_file", "--json-report-file"),
    ("allure_report_dir", "--alluredir"),
    ("basetemp", "--basetemp"),
)
"""Where well-known options name a file that a session writes: the measured ones write theirs elsewhere."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--audit` and what belongs to it."""
    if "--audit" in _taken(parser):
        return
    group = parser.getgroup("audit", "performance audit")
    try:
        group.addoption(
            "--audit", action="store_true", dest="audit_session",
            help="run the tests again under measurement, and say which suspect patterns of the code are costly",
        )  # fmt: skip
    except (ValueError, argparse.ArgumentError):
        return  # another plug-in has an option of that name, and keeps it
    group.addoption(
        "--audit-path", action="append", default=[], metavar="PATH",
        help="what to audit; may be repeated (default: the root directory without test modules)",
    )  # fmt: skip
    group.addoption(
        "--audit-output", action="append", default=[], metavar="FILE",
        help="write the report to FILE, too, in the format its suffix tells; may be repeated",
    )  # fmt: skip


def _taken(parser: pytest.Parser) -> set[str]:
    """Names of options there are already; before pytest 9 a conflict shows only when it is too late to give way."""
    try:
        groups = [parser._anonymous, *parser._groups]
        return {name for group in groups for option in group.options for name in option.names()}
    except AttributeError:
        return set()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Watch the session if it is to be audited, or is being measured."""
    if hasattr(config, "workerinput"):
        return  # a worker of pytest-xdist; the session is its controller's
    if MEASURED:
        if OUTCOMES_VARIABLE in os.environ:
            config.pluginmanager.register(Measured(), "audit-measured")
    elif not WITHIN and config.getoption("audit_session", False) and not config.getoption("collectonly", False):
        config.pluginmanager.register(Audited(config), "audit-session")


class Outcomes:
    """How each test of a session ended."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a test is over; a phase that did not pass speaks for the test."""
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.nodeid] = report.outcome


class Measured(Outcomes):
    """A session that is run again under a measuring pass: its cache is its own, and it tells how its tests ended."""

    def __init__(self) -> None:
        super().__init__()
        self._run = os.environ["AUDIT_RUN"]
        pristine = os.environ.get(CACHE_VARIABLE, "")
        if os.path.isdir(pristine):  # noqa: PTH112 - what is not needed is not imported
            import shutil

            shutil.copytree(pristine, f"{pristine}-{self._run}", dirs_exist_ok=True)

    def pytest_sessionfinish(self) -> None:
        """Leave the outcomes for audit."""
        import json

        with open(os.path.join(os.environ[OUTCOMES_VARIABLE], f"{self._run}.json"), "w", encoding="utf-8") as stream:  # noqa: PTH118, PTH123
            json.dump(self.outcomes, stream)


class Audited(Outcomes):
    """The user's own session."""

    def __init__(self, config: pytest.Config) -> None:
        import tempfile
        from pathlib import Path

        super().__init__()
        self._config = config
        self._session: Any = None
        self._paths = [str(config.invocation_params.dir / path) for path in config.getoption("audit_path")]
        self._outputs = [str(config.invocation_params.dir / file) for file in config.getoption("audit_output")]
        self._check()
        self._scratch = Path(tempfile.mkdtemp(prefix="audit-pytest-"))
        config.add_cleanup(self._clean)
        self._keep_cache()

    def _clean(self) -> None:
        import shutil

        shutil.rmtree(self._scratch, ignore_errors=True)

    def _check(self) -> None:
        """A mistake is told before the tests run, not after.

        Raises:
            pytest.UsageError: a path to audit does not exist, or an output file's suffix tells no format.
        """
        import subprocess

        for path in self._paths:
            if not os.path.exists(path):  # noqa: PTH110
                raise pytest.UsageError(f"--audit-path {path} does not exist")
        if self._outputs:
            command = [sys.executable, "-P", "-m", "auditor", "pytest-session", "--check", *self._outputs]
            checked = subprocess.run(command, env=STARTED_WITH, capture_output=True, text=True, check=False)
            if checked.returncode:
                raise pytest.UsageError(checked.stderr.strip())

    def _keep_cache(self) -> None:
        """What --last-failed and the like go by, as it is before this session changes it."""
        import shutil

        try:
            cache = os.path.expandvars(os.path.expanduser(self._config.getini("cache_dir")))  # noqa: PTH111
        except ValueError:
            return  # switched off
        kept = self._scratch / "cache"
        kept.mkdir()
        if (self._config.rootpath / cache).is_dir():
            shutil.copytree(self._config.rootpath / cache, kept, dirs_exist_ok=True)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """The session knows its exit code in the end, whoever changes it until then."""
        self._session = session

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Audit, now that everything the session itself has to say has been said."""
        try:
            self._audit(time.perf_counter() - BEGUN_AT)
        except KeyboardInterrupt:
            self._say("audit: interrupted\n")
        except Exception as error:
            self._say(f"audit: it could not be done: {type(error).__name__}: {error}\n")

    def _audit(self, wall_s: float) -> None:
        reason = self._reason_against()
        if reason:
            self._say(f"audit: nothing was measured, because {reason}\n")
            return
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.section("audit")
        self._say("if there are suspects, the tests run again under measurement; the result above stands\n")
        self._run(self._task(wall_s))

    def _reason_against(self) -> str:
        if self._session is None:
            return "the session did not start"
        if int(self._session.exitstatus) not in (0, 1):
            return f"the session ended with exit code {int(self._session.exitstatus)}"
        return "" if self.outcomes else "no test was run"

    def _task(self, wall_s: float) -> dict[str, Any]:
        config, writer = self._config, self._config.get_terminal_writer()
        return {
            "command": self._command(),
            "shown": self._shown(),
            "cwd": str(config.invocation_params.dir),
            "scratch": str(self._scratch),
            "wall_s": wall_s,
            "cpu_s": sum(os.times()[:4]),
            "exit_code": int(self._session.exitstatus),
            "is_reference": not self._is_covered(),
            "paths": self._paths or [str(config.rootpath)],
            "exclude": [] if self._paths else [*config.getini("python_files"), "conftest.py"],
            "outputs": self._outputs,
            "outcomes": self.outcomes,
            "width": writer.fullwidth,
            "colour": writer.hasmarkup,
        }

    def _is_covered(self) -> bool:
        return bool(self._config.pluginmanager.hasplugin("_cov"))

    def _shown(self) -> str:
        import shlex

        return shlex.join(["pytest", *map(str, self._config.invocation_params.args)])

    def _command(self) -> list[str]:
        """The command line of this session, for another one that leaves this one's files alone."""
        arguments = [str(one) for one in self._config.invocation_params.args]
        at = arguments.index("--") if "--" in arguments else len(arguments)
        return [*self._program(arguments), *arguments[:at], *self._changes(), *arguments[at:]]

    def _program(self, arguments: list[str]) -> list[str]:
        """As pytest was started, options of the interpreter included, if it was from the command line."""
        given = sys.orig_argv
        head = given[1 : len(given) - len(arguments)]
        main = sys.modules["__main__"]
        is_module = getattr(getattr(main, "__spec__", None), "name", "") == "pytest.__main__"
        is_script = os.path.basename(getattr(main, "__file__", None) or "") in ("pytest", "py.test")  # noqa: PTH119
        if (is_module or is_script) and given[1 + len(head) :] == arguments:
            return [sys.executable, *head]
        return [sys.executable, "-m", "pytest"]

    def _changes(self) -> list[str]:
        option, plugins = self._config.option, self._config.pluginmanager
        changes = []
        if (self._scratch / "cache").is_dir():
            # pytest itself expands the variable, which tells the runs apart
            changes += ["-o", f"cache_dir={self._scratch / 'cache'}-$AUDIT_RUN"]
        for name, flag in _WRITTEN_FILES:
            if getattr(option, name, None) or (name == "log_file" and self._config.getini(name)):
                changes.append(f"{flag}={self._scratch / name}")
        if self._is_covered():
            changes.append("--no-cov")  # its tracer would be measured along
        seed = getattr(option, "randomly_seed", None)
        if plugins.hasplugin("randomly") and isinstance(seed, int):
            changes.append(f"--randomly-seed={seed}")
        return changes

    def _environment(self) -> dict[str, str]:
        """What the sessions to come do not share with this one: temporary directories, the cache."""
        temporary, told = self._scratch / "tmp", self._scratch / "outcomes"
        temporary.mkdir()
        told.mkdir()
        own = {
            "PYTEST_DEBUG_TEMPROOT": str(temporary),
            CACHE_VARIABLE: str(self._scratch / "cache"),
            OUTCOMES_VARIABLE: str(told),
        }
        return {**STARTED_WITH, **own}

    def _run(self, task: dict[str, Any]) -> None:
        """Have it done by a process of its own, so that nothing of it is imported here."""
        import json
        import subprocess

        file = self._scratch / "task.json"
        file.write_text(json.dumps(task), encoding="utf-8")
        command = [sys.executable, "-P", "-m", "auditor", "pytest-session", str(file)]
        with subprocess.Popen(
            command, cwd=task["cwd"], env=self._environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            encoding="utf-8", errors="replace",
        ) as process:  # fmt: skip
            try:
                said, _ = process.communicate()
            except KeyboardInterrupt:
                # it got the interrupt, too, and reports what it has
                said, _ = process.communicate()
        self._say(said)
        if process.returncode not in (0, 1):
            self._say(f"audit: it ended with exit code {process.returncode}\n")

    def _say(self, text: str) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.ensure_newline()
            terminal.write(text, flush=True)
        else:
            sys.stderr.write(text)
