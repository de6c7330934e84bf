"""The command line without a workload: what is said, and which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

QUEUE = "import queue\n\njobs = queue.Queue()\n"


def audit(
    *arguments: str | Path, cwd: Path, stdin: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "auditor", *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "100", **environment},
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "jobs.py").write_text(QUEUE)
    return tmp_path


def test_static_only_lists_suspects_and_says_that_nothing_was_measured(project: Path) -> None:
    result = audit(".", cwd=project)

    assert result.returncode == 0
    assert "jobs.py:3:8" in result.stdout
    assert "unbounded-queue" in result.stdout
    assert "nothing was measured" in result.stdout
    assert result.stderr == ""


def test_who_wants_nothing_run_is_not_told_how_to_run_something(project: Path) -> None:
    assert "--run" in audit(".", cwd=project).stdout
    assert "--run" not in audit(".", "--static", cwd=project).stdout


def test_rules_are_chosen_by_lists_and_by_repeated_options_alike(project: Path) -> None:
    (project / "names.py").write_text("def f(xs):\n    return sorted(xs)[0]\n")
    listed = audit(".", "--select", "unbounded-queue, sorted-for-min-max", cwd=project).stdout
    repeated = audit(".", "--select", "unbounded-queue", "--select", "sorted-for-min-max", cwd=project).stdout
    spared = audit(".", "--select", "unbounded-queue,sorted-for-min-max", "--ignore", "unbounded-queue", cwd=project)

    assert listed == repeated
    assert "2 suspected" in listed
    assert "1 suspected" in spared.stdout
    assert "names.py:2" in spared.stdout


def test_a_console_of_another_encoding_gets_escapes_for_what_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "größe→.py").write_text(QUEUE)
    result = audit(".", cwd=tmp_path, PYTHONIOENCODING="ascii:strict")

    assert result.returncode == 0
    assert r"gr\xf6\xdfe\u2192.py:3:8" in result.stdout


def test_a_gate_on_suspicion_fails(project: Path) -> None:
    assert audit(".", "--fail-on", "suspected", cwd=project).returncode == 1
    assert audit(".", "--fail-on", "suspected", "--exit-zero", cwd=project).returncode == 0


def test_json_goes_to_standard_output_and_is_complete(project: Path) -> None:
    result = audit("jobs.py", "--format", "json", cwd=project)

    saved = json.loads(result.stdout)
    (finding,) = saved["findings"]
    assert (finding["path"], finding["line"], finding["column"], finding["verdict"]) == ("jobs.py", 3, 8, "suspected")
    assert saved["summary"]["by_verdict"]["suspected"] == 1


def test_several_forms_come_from_one_run(project: Path) -> None:
    result = audit(".", "--output", "r.html", "--output", "r.md", "--output", "r.json", cwd=project)

    assert result.returncode == 0
    assert (project / "r.html").read_text().lower().startswith("<!doctype html>")
    assert "unbounded-queue" in (project / "r.md").read_text()
    assert "unbounded-queue" in result.stdout


def test_a_saved_report_renders_the_same_later(project: Path) -> None:
    audit(".", "--output", "r.json", "--output", "first.md", cwd=project)

    again = audit("report", "r.json", "--format", "markdown", cwd=project)

    assert again.returncode == 0
    assert again.stdout == (project / "first.md").read_text()


def test_static_runs_nothing_of_the_project(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.audit.workloads]\nbench = 'python bench.py'\n")
    (project / "bench.py").write_text("open('ran', 'w')\n")
    (project / "conftest.py").write_text("open('ran', 'w')\n")
    (project / "sitecustomize.py").write_text("open('ran', 'w')\n")

    result = audit(".", "--static", cwd=project)

    assert result.returncode == 0
    assert not (project / "ran").exists()
    assert "the configured workloads were not run" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere/"], "nowhere does not exist"),
        ([".", "--select", "unbounded-queues"], "did you mean 'unbounded-queue'?"),
        ([".", "--fail-on", "confirm"], "did you mean 'confirmed'?"),
        ([".", "--timeout", "-3"], "above zero"),
        ([".", "--output", "report.xyz"], "add --format"),
        ([".", "--format", "json", "--format", "html"], "both go to standard output"),
        ([".", "--output", "no/such/dir/r.json"], "cannot be written"),
        (["explain", "leaked-tusk"], "did you mean 'leaked-task'?"),
        (["report", "nothing.json"], "cannot be read: No such file or directory\n"),
        (["report", "jobs.py"], "jobs.py"),
        (["init", "nowhere"], "not a directory"),
        ([".", "--run", "no-such-program --x"], "no-such-program"),
        ([".", "--run", "python 'unclosed"], "unclosed"),
        (["basline"], "did you mean `audit baseline`?"),
        ([".", "--ignore", "leaked-task,unbounded-queues"], "unknown rule 'unbounded-queues'; did you mean"),
        ([".", "--select", "nosuch"], "unknown rule 'nosuch'; `audit rules` lists them"),
        ([os.devnull], "neither a file nor a directory"),
        ([".", "--diff", "HEAD"], "is not in a git repository"),
        (["hook", "jobs.py"], "is not in a git repository"),
        (["a\x1b[2Jb"], "a\\x1b[2Jb does not exist"),
        ([".", "--python", "/nowhere/python", "--run", "python jobs.py"], "(No such file or directory)"),
    ],
)
def test_bad_input_is_a_message_and_exit_code_2(project: Path, arguments: list[str], message: str) -> None:
    result = audit(*arguments, cwd=project)

    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert "[Errno" not in result.stderr


@pytest.mark.parametrize("text", ["tool = 3\n", "tool = 'audit'\n", "[tool.other]\n"])
def test_settings_of_other_shapes_are_not_audit_s(project: Path, text: str) -> None:
    (project / "pyproject.toml").write_text(text)

    assert audit(".", cwd=project).returncode == 0


def test_a_directory_without_python_is_told_to_be_one(tmp_path: Path) -> None:
    result = audit(".", cwd=tmp_path)

    assert result.returncode == 0
    assert "There was no Python file to look at." in result.stdout
    assert "--run" not in result.stdout


def test_a_bad_setting_is_named(project: Path) -> None:
    (project / "pyproject.toml").write_text("[tool.audit]\nexlude = ['x']\n")

    result = audit(".", cwd=project)

    assert result.returncode == 2
    assert "did you mean 'exclude'?" in result.stderr


def test_unreadable_files_cost_nothing_else(project: Path) -> None:
    (project / "broken.py").write_text("def f(:\n")
    (project / "nulls.py").write_bytes(b"x = 1\0")
    (project / "dangling.py").symlink_to("gone.py")

    result = audit(".", cwd=project)

    assert "jobs.py:3:8" in result.stdout
    assert "syntax error at line 1" in result.stdout
    assert "null bytes" in result.stdout
    assert "dangling.py" in result.stdout


def test_results_are_the_same_from_run_to_run(project: Path) -> None:
    for index in range(5):
        (project / f"m{index}.py").write_text(QUEUE)

    first, second = (json.loads(audit(".", "--format", "json", cwd=project).stdout) for _ in range(2))

    assert first["findings"] == second["findings"]


def test_every_rule_is_listed_and_explained(project: Path) -> None:
    listed = audit("rules", cwd=project).stdout.splitlines()

    assert any(line.startswith("unbounded-queue ") for line in listed)
    page = audit("explain", "unbounded-queue", cwd=project).stdout
    assert "## When it is harmless" in page


def test_init_proposes_what_the_project_has(project: Path) -> None:
    (project / "tests").mkdir()
    (project / "tests" / "test_a.py").write_text("")
    (project / "bench.py").write_text("if __name__ == '__main__':\n    pass\n")

    result = audit("init", cwd=project)

    assert 'command = "python bench.py"' in result.stdout
    assert 'command = "pytest -q"' in result.stdout


def test_the_version_is_printed(project: Path) -> None:
    assert audit("--version", cwd=project).stdout.startswith("audit 0.")


def test_the_version_is_told_without_loading_what_an_audit_needs(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom auditor.cli import main\n"
        "try: main(['--version'])\nexcept SystemExit: pass\n"
        "heavy = ('auditor.model', 'libcst', 'jinja2', 'rich', 'radon', 'memray')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert result.stdout.splitlines()[-1] == "[]"


def test_a_static_audit_loads_nothing_that_only_others_need(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("def f(xs):\n    text = ''\n    for x in xs:\n        text = text + str(x)\n")
    program = (
        "import sys\nfrom auditor.cli import main\n"
        "main(['slow.py', '--static', '--no-cache'])\n"
        "heavy = ('libcst', 'rich', 'jinja2', 'memray', 'psutil', 'statistics', 'email', 'importlib.metadata',"
        " 'subprocess', 'tempfile', 'difflib', 'asyncio')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "string-concat-in-loop" in result.stdout
    assert result.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["bad.py"], 2),
        (["bad.py", "jobs.py"], 2),
        (["."], 0),
        (["bad"], 2),
        (["bad.py", "--exit-zero"], 0),
        (["stub.pyi"], 0),
    ],
)
def test_what_was_asked_for_and_cannot_be_read_is_work_that_was_not_done(
    project: Path, arguments: list[str], code: int
) -> None:
    """One that was met in a directory is told; one that was named, or a directory with no other, was to be audited."""
    (project / "bad").mkdir()
    (project / "bad.py").write_text("def (:\n")
    (project / "bad" / "worse.py").write_text("def (:\n")
    (project / "stub.pyi").write_text("jobs = queue.Queue()\n")
    result = audit(*arguments, "--static", cwd=project)

    assert (result.returncode, "Skipped (" in result.stdout) == (code, True), result.stdout


def test_a_saved_report_keeps_what_could_not_be_read(project: Path) -> None:
    (project / "bad.py").write_text("def (:\n")
    audit("bad.py", "--output", "r.json", cwd=project)

    assert audit("report", "r.json", "--fail-on", "confirmed", cwd=project).returncode == 2
    assert "1 file could not be read" in audit("report", "r.json", cwd=project).stdout


def test_the_terminal_gives_places_from_where_the_user_stands(project: Path) -> None:
    (project / "pkg").mkdir()
    (project / "pkg" / "sup.py").write_text(QUEUE)

    assert "  pkg/sup.py:3:8" in audit("pkg/sup.py", "--static", cwd=project).stdout
    assert "  sup.py:3:8" in audit("../pkg", "--static", cwd=project / "pkg").stdout
    audit("pkg", "--static", "--output", "r.json", cwd=project)
    assert "  pkg/sup.py:3:8" in audit("report", "r.json", cwd=project).stdout
