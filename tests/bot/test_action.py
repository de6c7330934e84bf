"""The composite action and the workflows: valid for the forge, and their steps run for real in a repository."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.bot.comment import order_of
from tests.bot.github_server import FakeGitHub, Fault, running

ROOT = Path(__file__).parents[2]

HARMLESS = """\
def joined(rows):
    text = ""
    for row in rows:
        text += str(row)
    return text
"""

COSTLY = """\
class Page:
    def __init__(self):
        self.text = ""

    def joined(self, rows):
        for row in rows:
            self.text += str(row) * 20
        return self.text


def joined(rows):
    return Page().joined(rows)
"""

BENCH = """\
from shop import joined

print(len(joined(range(8_000))))
"""


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-actions", "action.yml"),
        ("vendor.github-workflows", "docs/ci/github-pull-request.yml"),
        ("vendor.github-workflows", "docs/ci/github-fork-measure.yml"),
        ("vendor.github-workflows", "docs/ci/github-fork-comment.yml"),
        ("vendor.gitlab-ci", "docs/ci/gitlab.yml"),
    ],
)
def test_the_files_are_what_the_forges_take(schema: str, file: str) -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(ROOT / file)]
    result = subprocess.run(checker, capture_output=True, text=True, timeout=120, check=False)

    assert result.returncode == 0, result.stdout


def test_the_job_that_comments_on_forks_checks_nothing_out() -> None:
    workflow = yaml.safe_load((ROOT / "docs/ci/github-fork-comment.yml").read_text())
    steps = workflow["jobs"]["comment"]["steps"]

    assert not [step for step in steps if "checkout" in step.get("uses", "")]
    assert "head_branch" not in json.dumps(steps)
    assert "contents" not in workflow["permissions"]


def test_no_step_pastes_an_expression_into_a_script() -> None:
    """A branch may be named `$(curl evil)`: values reach scripts through the environment alone."""
    for step in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def git(directory: Path, *arguments: str) -> str:
    identity = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    names = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", *names, *arguments],
        cwd=directory,
        env={**os.environ, **identity},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.strip()


def commit(repository: Path, shop: str) -> str:
    (repository / "shop.py").write_text(shop)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", "change")
    return git(repository, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    git(directory, "init", "-q")
    (directory / "bench.py").write_text(BENCH)
    return directory


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with running() as found:
        yield found
        assert found.complaints == []


def act(repository: Path, github: FakeGitHub, base: str, head: str, **inputs: str) -> subprocess.CompletedProcess[str]:
    """What a runner does with the action's steps, apart from the installation, until one fails."""
    temporary = repository.parent / "runner"
    binaries = temporary / "audit-venv" / "bin"
    binaries.mkdir(parents=True, exist_ok=True)
    for name in ("audit", "python"):
        script = binaries / name
        if not script.exists():
            module = "-m auditor" if name == "audit" else ""
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
            script.chmod(0o755)
    here = {"full_name": "team/project"}
    payload = {"pull_request": {"number": 7, "head": {"sha": head, "repo": here}, "base": {"sha": base, "repo": here}}}
    (temporary / "event.json").write_text(json.dumps(payload))
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    values = {f"inputs.{name}": str(one.get("default", "")) for name, one in action["inputs"].items()}
    values |= {f"inputs.{name}": value for name, value in inputs.items()}
    values |= {"github.event.pull_request.base.sha": base, "github.token": "secret", "github.action_path": str(ROOT)}
    values["steps.measure.outputs.reports"] = str(temporary / "audit-reports")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "RUNNER_TEMP": str(temporary),
        "GITHUB_OUTPUT": str(temporary / "output"),
        "GITHUB_STEP_SUMMARY": str(temporary / "summary.md"),
        "GITHUB_EVENT_PATH": str(temporary / "event.json"),
        "GITHUB_REPOSITORY": "team/project",
        "GITHUB_API_URL": github.url,
        "GITHUB_RUN_ID": "5",
    }
    github.head_sha = head
    result = subprocess.CompletedProcess([], 0, "", "")
    for step in action["runs"]["steps"][1:]:
        if "inputs.comment" in step.get("if", "") and values["inputs.comment"] != "true":
            continue
        given = {name: substituted(value, values) for name, value in step.get("env", {}).items()}
        result = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=repository,
            env={**environment, **given},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if result.returncode:
            break
    return result


def substituted(text: Any, values: dict[str, str]) -> str:
    whole = str(text)
    while found := re.search(r"\$\{\{ ([\w.-]+) \}\}", whole):
        whole = whole.replace(found.group(), values[found[1]])
    return whole


def test_a_commit_that_makes_it_costly_is_commented_on_and_fails_the_gate(repository: Path, github: FakeGitHub) -> None:
    base, head = commit(repository, HARMLESS), commit(repository, COSTLY)
    github.files = [{"filename": "shop.py", "status": "modified", "patch": git(repository, "diff", base, head, "-U3")}]
    github.files[0]["patch"] = "@@" + github.files[0]["patch"].partition("@@")[2]
    command = f"{sys.executable} bench.py"
    result = act(repository, github, base, head, run=command, **{"fail-on": "confirmed"})

    assert result.returncode == 1, result.stdout + result.stderr
    (text,) = github.bodies()
    assert order_of(text) == 5
    assert "1 confirmed introduced, 1 fixed" in text or "1 confirmed introduced" in text
    assert [one["conclusion"] for one in github.checks] == ["failure"]
    assert [one["path"] for one in github.review_comments] == ["shop.py"]
    assert "### audit" in (repository.parent / "runner" / "summary.md").read_text()
    assert git(repository, "worktree", "list").count("\n") == 0


def test_a_commit_that_makes_it_harmless_is_praised(repository: Path, github: FakeGitHub) -> None:
    base, head = commit(repository, COSTLY), commit(repository, HARMLESS)
    result = act(repository, github, base, head, run=f"{sys.executable} bench.py", **{"fail-on": "confirmed"})

    assert result.returncode == 0, result.stdout + result.stderr
    (text,) = github.bodies()
    assert "1 fixed" in text
    assert [one["conclusion"] for one in github.checks] == ["success"]


@pytest.mark.parametrize("comment", ["true", "false"])
def test_what_was_there_before_fails_no_gate(repository: Path, github: FakeGitHub, comment: str) -> None:
    base = commit(repository, COSTLY)
    edited = COSTLY.replace("self.text += str(row) * 20", "self.text += str(row) * 30")
    head = commit(repository, f"X = 1\n{edited}")
    inputs = {"fail-on": "confirmed", "comment": comment}
    result = act(repository, github, base, head, run=f"{sys.executable} bench.py", **inputs)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "No new suspect" in result.stdout


def test_a_read_only_token_leaves_the_summary_and_annotations(repository: Path, github: FakeGitHub) -> None:
    base, head = commit(repository, HARMLESS), commit(repository, COSTLY)
    denied = {"message": "Resource not accessible by integration"}
    github.faults = [Fault("POST", 403, denied, times=99)]
    result = act(repository, github, base, head)

    assert result.returncode == 0, result.stdout + result.stderr
    assert github.comments == []
    assert "### audit" in (repository.parent / "runner" / "summary.md").read_text()


def test_what_github_refuses_leaves_the_summary_and_annotations_and_fails(repository: Path, github: FakeGitHub) -> None:
    base, head = commit(repository, HARMLESS), commit(repository, COSTLY)
    github.faults = [Fault("POST /repos/team/project/issues/7/comments", 422, {"message": "Validation Failed"})]
    result = act(repository, github, base, head)

    assert result.returncode == 2, result.stdout + result.stderr
    assert "422 Validation Failed" in result.stderr
    assert "::notice title=" in result.stdout
    assert [one["head_sha"] for one in github.checks] == [head]
    assert "### audit" in (repository.parent / "runner" / "summary.md").read_text()
