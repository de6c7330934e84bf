"""Which pull or merge request this run belongs to, as the environment of the CI system tells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.errors import AuditError, why

_MOST_BYTES = 16 * 1024 * 1024


class BotError(AuditError):
    """Nothing can be said on the pull request."""


class DeniedError(BotError):
    """The token may not do this: that of a pull request from a fork is read-only."""


class UnreachableError(BotError):
    """The forge does not answer, or takes nothing more for now: to ask it for anything else is in vain."""


class MovedOnError(BotError):
    """The change that was measured is no longer that of an open pull request: a newer run has the word."""


@dataclass(frozen=True, slots=True)
class Event:
    """Where to comment. `number` is None where it has to be found by `sha` and `branch` ("owner:name").

    `base` is the commit that the change is compared with, "" if the event does not tell.

    untrusted: the report was made by a stranger's code: in a `workflow_run`, or for a request from a fork.
    """

    api: str
    repository: str
    token: str
    number: int | None
    sha: str
    branch: str
    order: int
    link: str
    untrusted: bool
    base: str = ""


def github_event(environment: Mapping[str, str]) -> Event:
    """The event of a GitHub Actions job, from its documented environment variables.

    Raises:
        BotError: a variable is missing, or the event belongs to no pull request.
    """
    remedy = "run this in a GitHub Actions job, or set it to OWNER/NAME"
    if environment.get("GITLAB_CI"):
        remedy = "this is a job of GitLab CI: add --gitlab"
    repository = _needed(environment, "GITHUB_REPOSITORY", remedy)
    token = environment.get("GITHUB_TOKEN") or environment.get("GH_TOKEN") or ""
    payload = _payload(environment.get("GITHUB_EVENT_PATH", ""))
    run = environment.get("GITHUB_RUN_ID", "")
    server = environment.get("GITHUB_SERVER_URL", "https://github.com")
    pull, after = _object(payload, "pull_request"), _object(payload, "workflow_run")
    number = _number(pull.get("number"))
    branch = ""
    if pull:
        sha = _text(_object(pull, "head").get("sha"))
    elif after:
        sha = _text(after.get("head_sha"))
        owner = _text(_object(_object(after, "head_repository"), "owner").get("login"))
        branch = f"{owner}:{_text(after.get('head_branch'))}" if owner else ""
        run = str(_number(after.get("id")) or run)
    else:
        raise BotError(
            "this event belongs to no pull request; run `audit comment` on the events pull_request or workflow_run"
        )
    return Event(
        api=environment.get("GITHUB_API_URL", "https://api.github.com"),
        repository=repository,
        token=token,
        number=number,
        sha=sha,
        branch=branch,
        order=int(run) if run.isdecimal() else 0,
        link=f"{server}/{repository}/actions/runs/{run}" if run.isdecimal() else "",
        untrusted=bool(after) or _is_from_fork(pull),
        base=_text(_object(pull, "base").get("sha")),
    )


def gitlab_event(environment: Mapping[str, str]) -> Event:
    """The merge request of a GitLab CI job, from its predefined variables.

    Raises:
        BotError: a variable is missing, or the pipeline belongs to no merge request.
    """
    number = environment.get("CI_MERGE_REQUEST_IID", "")
    if not number.isdecimal():
        raise BotError(
            "CI_MERGE_REQUEST_IID is not set; run `audit comment --gitlab` in a job with"
            ' `rules: - if: $CI_PIPELINE_SOURCE == "merge_request_event"`'
        )
    order = environment.get("CI_PIPELINE_ID", "")
    # in a pipeline of the fork, CI_PROJECT_ID is the fork, which has no such merge request, or another one
    project = environment.get("CI_MERGE_REQUEST_PROJECT_ID") or _needed(
        environment, "CI_PROJECT_ID", "run this in a GitLab CI job"
    )
    return Event(
        api=_needed(environment, "CI_SERVER_URL", "run this in a GitLab CI job"),
        repository=project,
        token=environment.get("AUDIT_GITLAB_TOKEN") or environment.get("GITLAB_TOKEN") or "",
        number=int(number),
        # that of the merge, in a pipeline of merged results
        sha=environment.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environment.get("CI_COMMIT_SHA", ""),
        branch="",
        order=int(order) if order.isdecimal() else 0,
        link=environment.get("CI_PIPELINE_URL", ""),
        untrusted=environment.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") != project,
        base=environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""),
    )


def _is_from_fork(pull: Mapping[str, Any]) -> bool:
    """Whether the head lies in another repository, or in one that is gone."""
    names = [_object(_object(pull, side), "repo").get("full_name") for side in ("head", "base")]
    return bool(pull) and (names[0] is None or names[0] != names[1])


def _needed(environment: Mapping[str, str], name: str, remedy: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise BotError(f"{name} is not set; {remedy}")
    return value


def _payload(path: str) -> dict[str, Any]:
    if not path:
        raise BotError("GITHUB_EVENT_PATH is not set; run this in a GitHub Actions job")
    try:
        with Path(path).open("rb") as file:
            found = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise BotError(f"GITHUB_EVENT_PATH {path} cannot be read: {why(error)}") from error
    return found if isinstance(found, dict) else {}


def _object(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
