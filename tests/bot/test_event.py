"""What the CI system tells of the pull request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.bot.event import BotError, github_event, gitlab_event


def actions(tmp_path: Path, payload: Any, **changes: str) -> dict[str, str]:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(payload))
    return {
        "GITHUB_REPOSITORY": "team/project",
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_TOKEN": "secret",
        "GITHUB_RUN_ID": "12",
        **changes,
    }


def pull(head: str | None) -> dict[str, Any]:
    repository = None if head is None else {"full_name": head}
    return {
        "number": 7,
        "head": {"sha": "abc", "repo": repository},
        "base": {"sha": "def", "repo": {"full_name": "team/project"}},
    }


@pytest.mark.parametrize("head", ["mallory/project", None])
def test_a_pull_request_from_a_fork_or_from_one_that_is_gone_is_untrusted(tmp_path: Path, head: str | None) -> None:
    assert github_event(actions(tmp_path, {"pull_request": pull(head)})).untrusted


def test_a_pull_request_names_itself(tmp_path: Path) -> None:
    event = github_event(actions(tmp_path, {"pull_request": pull("team/project")}))

    assert (event.number, event.sha, event.base, event.order, event.untrusted) == (7, "abc", "def", 12, False)
    assert event.link == "https://github.com/team/project/actions/runs/12"


def test_a_workflow_run_is_untrusted_and_is_found_by_its_head(tmp_path: Path) -> None:
    run = {"id": 9, "head_sha": "abc", "head_branch": "patch", "head_repository": {"owner": {"login": "mallory"}}}
    event = github_event(actions(tmp_path, {"workflow_run": {**run, "pull_requests": []}}))

    assert (event.number, event.sha, event.branch, event.untrusted) == (None, "abc", "mallory:patch", True)
    assert (event.order, event.link) == (9, "https://github.com/team/project/actions/runs/9")


@pytest.mark.parametrize("payload", [{}, [], {"pull_request": None}, {"push": {}}])
def test_any_other_event_is_refused(tmp_path: Path, payload: Any) -> None:
    with pytest.raises(BotError, match="no pull request"):
        github_event(actions(tmp_path, payload))


@pytest.mark.parametrize("missing", ["GITHUB_REPOSITORY", "GITHUB_EVENT_PATH"])
def test_outside_of_a_job_it_says_which_variable_is_missing(tmp_path: Path, missing: str) -> None:
    environment = actions(tmp_path, {})
    del environment[missing]
    with pytest.raises(BotError, match=f"{missing} is not set"):
        github_event(environment)


def test_a_merge_request_of_gitlab() -> None:
    environment = {
        "CI_MERGE_REQUEST_IID": "3",
        "CI_SERVER_URL": "https://gitlab.example",
        "CI_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "42",
        "CI_PIPELINE_ID": "8",
        "CI_COMMIT_SHA": "abc",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "def",
        "GITLAB_TOKEN": "secret",
    }
    event = gitlab_event(environment)

    assert (event.number, event.repository, event.order, event.untrusted) == (3, "42", 8, False)
    assert (event.sha, event.base) == ("abc", "def")
    assert gitlab_event({**environment, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "77"}).untrusted
    of_fork = {"CI_PROJECT_ID": "77", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "77", "CI_MERGE_REQUEST_PROJECT_ID": "42"}
    fork = gitlab_event({**environment, **of_fork})
    assert (fork.repository, fork.untrusted) == ("42", True)
    assert gitlab_event({**environment, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "def"}).sha == "def"
    with pytest.raises(BotError, match="CI_MERGE_REQUEST_IID is not set"):
        gitlab_event({})
