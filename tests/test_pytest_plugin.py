"""`pytest --audit`: the session is the user's own, and what it exercised is judged beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_workloads import LIBRARY

TESTS = """\
import lib
import pytest

def test_growing():
    assert lib.growing(9000) == 0

@pytest.mark.parametrize("n", [10, 20])
def test_small(n):
    lib.small(n)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\npythonpath = ['src']\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "lib.py").write_text(LIBRARY)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_lib.py").write_text(TESTS)
    return tmp_path


def run(
    *arguments: str, cwd: Path, start: tuple[str, ...] = ("-m", "pytest"), **environment: str
) -> subprocess.CompletedProcess[str]:
    """A session of pytest as from the command line, with no other plug-in than those named."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV", "PYTHONPATH"))}
    own = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "100", **environment}
    return subprocess.run(
        [sys.executable, *start, "-p", "audit", *arguments],
        cwd=cwd, env={**env, **own}, capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def audited(*arguments: str, cwd: Path) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """The same under `--audit`, and the report."""
    file = cwd.parent / f"{cwd.name}-report.json"
    result = run("--audit", "--audit-output", str(file), *arguments, cwd=cwd)
    assert file.exists(), result.stdout + result.stderr
    return result, json.loads(file.read_text())


def by_symbol(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {finding["symbol"]: finding for finding in report["findings"]}


def passes(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    assert report["workloads"][0]["warnings"] == []
    return {one["name"]: one for one in report["workloads"][0]["passes"]}


def without_time(text: str) -> str:
    return text.rpartition(" in ")[0]


def test_the_session_is_as_without_it_and_the_report_stands_below(project: Path) -> None:
    plain = run("-q", cwd=project)
    result, report = audited("-q", cwd=project)

    session, _, below = result.stdout.partition("= audit =")
    assert result.returncode == plain.returncode == 0
    assert without_time(session) == without_time(plain.stdout)
    assert "lib.py" in below
    found = by_symbol(report)
    assert found["growing"]["verdict"] == "confirmed", found["growing"]
    assert found["never"]["verdict"] == "not-exercised"
    assert found["growing"]["tests"][0]["most"] == [{"test": "tests/test_lib.py::test_growing", "hits": 9000}]
    assert {test["test"]: test["hits"] for test in found["small"]["tests"][0]["most"]} == {
        "tests/test_lib.py::test_small[10]": 10,
        "tests/test_lib.py::test_small[20]": 20,
    }
    assert set(passes(report)) >= {"plain", "probes", "py-spy"}
    assert {finding["path"] for finding in report["findings"]} == {"src/lib.py"}


def test_without_the_option_nothing_is_added(project: Path) -> None:
    code = (
        "import sys\n\ndef test_it():\n    assert not {'auditor.cli', 'auditor.model', 'libcst'} & set(sys.modules)\n"
    )
    (project / "tests" / "test_lib.py").write_text(code)

    result = run("-q", cwd=project)

    assert result.returncode == 0, result.stdout
    assert "audit" not in result.stdout


def test_failing_tests_are_measured_and_the_exit_code_is_theirs(project: Path) -> None:
    (project / "tests" / "test_lib.py").write_text(TESTS + "\ndef test_fails():\n    assert lib.small(3) == 1\n")

    result, report = audited("-q", cwd=project)

    assert result.returncode == 1
    assert {one["exit_code"] for one in passes(report).values()} == {1}
    assert by_symbol(report)["growing"]["verdict"] == "confirmed"


def test_the_next_run_of_the_users_finds_its_own_state(project: Path) -> None:
    (project / "tests" / "test_lib.py").write_text(
        "import os, pathlib, lib\n\n"
        "def test_a():\n    lib.growing(10)\n    assert 'AUDIT_RUN' in os.environ\n\n"
        "def test_b(tmp_path):\n    lib.small(10)\n    assert 'AUDIT_RUN' not in os.environ\n"
    )

    result, report = audited("-q", "--junit-xml=junit.xml", "--basetemp=kept", cwd=project)

    # what failed last is what failed in the user's session, not in those that were measured
    assert "tests/test_lib.py::test_a" in (project / ".pytest_cache/v/cache/lastfailed").read_text()
    assert "test_b" not in (project / ".pytest_cache/v/cache/lastfailed").read_text()
    assert 'name="test_a" time' in (project / "junit.xml").read_text()
    assert "<failure" in (project / "junit.xml").read_text().partition('name="test_a"')[2].partition("<testcase")[0]
    assert (project / "kept").is_dir()
    (warning,) = report["workloads"][0]["warnings"]
    assert "test_a (failed, then passed)" in warning
    assert "test_b (passed, then failed)" in warning
    assert result.returncode == 1


def test_each_measured_session_selects_what_the_users_did(project: Path) -> None:
    (project / "tests" / "test_lib.py").write_text(TESTS + "\ndef test_fails():\n    assert lib.small(3) == 1\n")
    assert run("-q", cwd=project).returncode == 1

    result, report = audited("-q", "--lf", cwd=project)

    assert "passed" not in result.stdout.partition("= audit =")[0]
    assert passes(report)
    assert [one["test"] for one in by_symbol(report)["small"]["tests"][0]["most"]] == ["tests/test_lib.py::test_fails"]


def test_it_works_with_the_options_of_the_configuration_and_from_elsewhere(project: Path) -> None:
    (project / "pyproject.toml").write_text(
        "[tool.pytest.ini_options]\npythonpath = ['src']\naddopts = '-q -x --audit'\ntestpaths = ['tests']\n"
    )
    (project / "other").mkdir()
    file = project / "r.json"

    result = run("--audit-output=../r.json", "--rootdir=..", "-c", "../pyproject.toml", "..", cwd=project / "other")

    assert result.returncode == 0, result.stdout
    found = by_symbol(json.loads(file.read_text()))
    assert found["growing"]["tests"][0]["most"][0]["hits"] == 9000


def test_what_to_audit_can_be_named(project: Path) -> None:
    (project / "src" / "other.py").write_text(LIBRARY)

    _, report = audited("--audit-path=src/other.py", cwd=project)

    assert {finding["path"] for finding in report["findings"]} == {"other.py"}


def test_test_modules_are_not_what_is_audited(project: Path) -> None:
    (project / "tests" / "test_more.py").write_text(LIBRARY)

    _, report = audited(cwd=project)

    assert {finding["path"] for finding in report["findings"]} == {"src/lib.py"}


@pytest.mark.parametrize(
    ("option", "word"), [("--audit-path=nowhere", "does not exist"), ("--audit-output=x.unknown", "suffix")]
)
def test_a_mistake_is_told_before_the_tests_run(project: Path, option: str, word: str) -> None:
    result = run("--audit", option, cwd=project)

    assert result.returncode == 4
    assert word in result.stderr
    assert "passed" not in result.stdout


def test_a_session_without_tests_is_not_measured(project: Path) -> None:
    result = run("--audit", "-k", "nothing", cwd=project)

    assert result.returncode == 5
    assert "nothing was measured" in result.stdout


def test_another_plug_in_may_have_the_option(project: Path) -> None:
    (project / "other_audit.py").write_text("def pytest_addoption(parser):\n    parser.addoption('--audit')\n")

    result = run(
        "--audit=full", "-q", cwd=project, start=("-m", "pytest", "-p", "other_audit"), PYTHONPATH=str(project)
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "= audit =" not in result.stdout


def test_workers_of_xdist_are_measured_and_the_order_is_the_users(project: Path) -> None:
    result, report = audited("-p", "xdist", "-p", "randomly", "-n2", "-q", cwd=project)

    assert result.returncode == 0, result.stdout
    assert passes(report)["probes"]["exit_code"] == 0
    assert by_symbol(report)["growing"]["tests"][0]["most"] == [
        {"test": "tests/test_lib.py::test_growing", "hits": 9000}
    ]


def test_coverage_is_the_users_and_not_measured_along(project: Path) -> None:
    arguments = ("-p", "pytest_cov", "--cov=lib", "--cov-report=xml:cov.xml", "-q")
    result, report = audited(*arguments, cwd=project)

    assert result.returncode == 0, result.stdout
    assert 'lib.py" complexity="0" line-rate="0.' in (project / "cov.xml").read_text()
    # the user's session was traced, so the reference is another one
    assert {one["exit_code"] for one in passes(report).values()} == {0}
    assert by_symbol(report)["growing"]["verdict"] == "confirmed"


def test_the_script_named_pytest_starts_it_as_well(project: Path) -> None:
    script = project / "pytest"
    script.write_text("import sys\nimport pytest\nsys.exit(pytest.console_main())\n")

    result = run("--audit", "-q", "--audit-output=r.json", cwd=project, start=("-X", "dev", str(script)))

    assert result.returncode == 0, result.stdout + result.stderr
    assert by_symbol(json.loads((project / "r.json").read_text()))["growing"]["tests"]
