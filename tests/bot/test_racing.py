"""Jobs that comment on the same pull request at the same instant: real processes against the servers of the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.bot.comment import order_of
from auditor.model import VerdictKind
from auditor.report.saved import to_json
from tests.bot import github_server, gitlab_server
from tests.bot.github_server import SHA, FakeGitHub, Fault
from tests.bot.gitlab_server import HERE, FakeGitLab
from tests.report.factory import a_finding, a_report

LONGEST_S = 60
ISSUE = "/repos/team/project/issues"
EARLIER = "b" * 40


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with github_server.running() as found:
        yield found
        assert found.complaints == []


@pytest.fixture
def gitlab() -> Iterator[FakeGitLab]:
    with gitlab_server.running() as found:
        yield found
        assert found.complaints == []


class Jobs:
    """CI jobs, each a process of its own that says something else."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def github(self, server: FakeGitHub, order: int, sha: str) -> subprocess.Popen[str]:
        repository = {"repo": {"full_name": "team/project"}}
        event = {"pull_request": {"number": 7, "head": {"sha": sha, **repository}, "base": repository}}
        (self.directory / f"event-{order}.json").write_text(json.dumps(event))
        return self._start(
            order,
            GITHUB_API_URL=server.url,
            GITHUB_EVENT_PATH=f"event-{order}.json",
            GITHUB_REPOSITORY="team/project",
            GITHUB_RUN_ID=str(order),
            GITHUB_TOKEN="secret",
        )

    def gitlab(self, server: FakeGitLab, order: int) -> subprocess.Popen[str]:
        return self._start(
            order,
            "--gitlab",
            CI_MERGE_REQUEST_IID="3",
            CI_PROJECT_ID="42",
            CI_SERVER_URL=server.url,
            CI_PIPELINE_ID=str(order),
            CI_COMMIT_SHA=SHA,
            GITLAB_TOKEN="secret",
        )

    def _start(self, order: int, *options: str, **variables: str) -> subprocess.Popen[str]:
        report = a_report(a_finding(VerdictKind.CONFIRMED, path=f"of_run_{order}.py"))
        (self.directory / f"{order}.json").write_text(to_json(report))
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("CI", "GITHUB", "GITLAB"))}
        return subprocess.Popen(
            [sys.executable, "-m", "auditor", "comment", f"{order}.json", *options],
            cwd=self.directory,
            env={**kept, **variables, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def void(_result: object) -> None:
    """For hooks, which return nothing."""


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path)


def ended(job: subprocess.Popen[str]) -> str:
    """What it logged."""
    said = job.communicate(timeout=LONGEST_S)
    assert job.returncode == 0, said
    return "".join(said)


def test_an_earlier_job_that_writes_over_a_later_one_s_comment_puts_it_back(github: FakeGitHub, jobs: Jobs) -> None:
    number = github.add_comment("<!-- audit-comment 4 aa --> that of run 4")["id"]
    said: dict[str, str] = {}
    github.before[f"PATCH {ISSUE}/comments/{number}"] = lambda: said.update(later=ended(jobs.github(github, 6, SHA)))
    earlier = ended(jobs.github(github, 5, EARLIER))

    (body,) = github.bodies()
    assert (order_of(body), "of_run_6.py" in body) == (6, True)
    assert "comment: updated\n" in said["later"]
    assert "comment: updated, then given the text of a later run\n" in earlier


def test_an_earlier_job_that_posts_beside_a_later_one_s_comment_leaves_one(github: FakeGitHub, jobs: Jobs) -> None:
    def the_later() -> None:
        ended(jobs.github(github, 6, SHA))

    github.before[f"POST {ISSUE}/7/comments"] = the_later
    ended(jobs.github(github, 5, EARLIER))

    assert ["of_run_6.py" in body for body in github.bodies()] == [True]


class _Thrice(dict[str, Callable[[], None]]):
    """Hooks that are called three times each."""

    left = 3

    def pop(self, key: str, default: Any = None) -> Any:
        found = self.get(key) if self.left else None
        self.left -= found is not None
        return found or default


def test_of_jobs_that_start_at_the_same_instant_the_latest_has_the_word(github: FakeGitHub, jobs: Jobs) -> None:
    at_once = threading.Barrier(3)

    def meet() -> None:
        at_once.wait(LONGEST_S)

    github.before = _Thrice({f"GET {ISSUE}/7/comments": meet})
    started = [jobs.github(github, order, SHA if order == 7 else EARLIER) for order in (7, 5, 6)]
    for job in started:
        ended(job)

    assert ["of_run_7.py" in body for body in github.bodies()] == [True]


def test_a_token_that_may_write_no_check_looks_again_after_a_pause(github: FakeGitHub, jobs: Jobs) -> None:
    number = github.add_comment("<!-- audit-comment 4 aa --> that of run 4")["id"]
    denied = {"message": "Resource not accessible by integration"}
    github.faults = [Fault("POST /repos/team/project/check-runs", 403, denied, times=9)]
    later: list[subprocess.Popen[str]] = []

    def the_later() -> None:
        later.append(jobs.github(github, 6, SHA))
        while order_of(github.bodies()[0]) != 6:
            assert later[0].poll() is None

    github.before[f"PATCH {ISSUE}/comments/{number}"] = the_later
    ended(jobs.github(github, 5, EARLIER))
    ended(later[0])

    assert ["of_run_6.py" in body for body in github.bodies()] == [True]


def test_on_gitlab_an_earlier_job_that_writes_long_after_a_later_one_puts_it_back(
    gitlab: FakeGitLab, jobs: Jobs
) -> None:
    gitlab.add_note("<!-- audit-comment 4 aa --> that of run 4")
    gitlab.before[f"PUT {HERE}/notes/1"] = lambda: void(ended(jobs.gitlab(gitlab, 6)))
    earlier = ended(jobs.gitlab(gitlab, 5))

    assert ["of_run_6.py" in body for body in gitlab.bodies()] == [True]
    assert "comment: updated, then given the text of a later run\n" in earlier


def test_on_gitlab_an_earlier_job_that_posts_long_after_a_later_one_leaves_one_note(
    gitlab: FakeGitLab, jobs: Jobs
) -> None:
    gitlab.before[f"POST {HERE}/notes"] = lambda: void(ended(jobs.gitlab(gitlab, 6)))
    ended(jobs.gitlab(gitlab, 5))

    assert ["of_run_6.py" in body for body in gitlab.bodies()] == [True]


def test_on_gitlab_the_latest_of_jobs_that_start_at_the_same_instant_has_the_word(
    gitlab: FakeGitLab, jobs: Jobs
) -> None:
    at_once = threading.Barrier(3)
    gitlab.before = _Thrice({f"GET {HERE}/notes": lambda: void(at_once.wait(LONGEST_S))})
    started = [jobs.gitlab(gitlab, order) for order in (7, 5, 6)]
    for job in started:
        ended(job)

    assert ["of_run_7.py" in body for body in gitlab.bodies()] == [True]
    assert [order_of(one["note"]) for one in gitlab.drafts or ()] == [7]


def test_where_gitlab_knows_no_drafts_the_later_job_puts_its_note_back_after_a_pause(
    gitlab: FakeGitLab, jobs: Jobs
) -> None:
    gitlab.drafts = None
    gitlab.add_note("<!-- audit-comment 4 aa --> that of run 4")
    later: list[subprocess.Popen[str]] = []

    def the_later() -> None:
        later.append(jobs.gitlab(gitlab, 6))
        while order_of(gitlab.bodies()[0]) != 6:
            assert later[0].poll() is None

    gitlab.before[f"PUT {HERE}/notes/1"] = the_later
    ended(jobs.gitlab(gitlab, 5))
    ended(later[0])

    assert ["of_run_6.py" in body for body in gitlab.bodies()] == [True]
