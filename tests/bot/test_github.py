"""GitHub as its users meet it: every request is held against GitHub's published description."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from auditor.bot import github as forge
from auditor.bot.check import MOST_ANNOTATIONS
from auditor.bot.comment import order_of
from auditor.bot.deliver import Delivered, deliver
from auditor.bot.event import Event
from auditor.bot.github import GitHubForge
from auditor.model import Edit, Finding, Fix, Report, Span, VerdictKind
from tests.bot.github_server import SHA, FakeGitHub, Fault, running
from tests.report.factory import a_finding, a_report

PATCH = "@@ -1,2 +1,3 @@\n import json\n+copied = json.loads(json.dumps(given))\n x = 1"
FIX = Fix(
    safe=True,
    diff="--- a/shop/a.py\n+++ b/shop/a.py\n@@ -2,1 +2,1 @@\n-copied = json.loads(json.dumps(given))\n"
    "+copied = given\n",
    edits=(Edit(Span(2, 1, 2, 5), "x"),),
)


@pytest.fixture
def github() -> Iterator[FakeGitHub]:
    with running() as found:
        found.files = [{"filename": "shop/a.py", "status": "modified", "patch": PATCH}]
        yield found
        assert found.complaints == []


def an_event(github: FakeGitHub, **changes: Any) -> Event:
    event = Event(
        api=github.url,
        repository="team/project",
        token="secret",
        number=7,
        sha=SHA,
        branch="",
        order=5,
        link="https://ci.example/runs/5",
        untrusted=False,
    )
    return replace(event, **changes)


def introduced(line: int = 2, **changes: Any) -> Finding:
    return a_finding(VerdictKind.CONFIRMED, path="shop/a.py", line=line, context=f"{line}:1", **changes)


def delivered(github: FakeGitHub, head: Report, base: Report | None = None, **changes: Any) -> Delivered:
    event = an_event(github, **changes)
    return deliver(GitHubForge(event, backoff_s=0.01), event, head, base or a_report())


def test_a_change_gets_a_comment_a_remark_with_a_suggestion_and_a_check(github: FakeGitHub) -> None:
    result = delivered(github, a_report(introduced(fix=FIX)))

    assert not result.denied
    assert [order_of(text) for text in github.bodies()] == [5]
    ((remark,),) = [review["comments"] for review in github.reviews]
    assert (remark["path"], remark["line"], remark["side"]) == ("shop/a.py", 2, "RIGHT")
    assert "```suggestion\ncopied = given\n```" in remark["body"]
    assert [(one["name"], one["head_sha"], one["conclusion"]) for one in github.checks] == [("audit", SHA, "failure")]
    assert [one["start_line"] for one in github.checks[0]["annotations"]] == [2]


def test_the_next_run_edits_the_comment_and_repeats_no_remark(github: FakeGitHub) -> None:
    delivered(github, a_report(introduced()), order=5)
    delivered(github, a_report(introduced()), order=6)

    assert [order_of(text) for text in github.bodies()] == [6]
    assert len(github.review_comments) == 1


def test_a_remark_says_what_the_latest_run_has_found(github: FakeGitHub) -> None:
    delivered(github, a_report(introduced(reason="0.5 s of 1 s")))
    delivered(github, a_report(introduced(reason="0.7 s of 1 s")), order=6)

    (remark,) = github.review_comments
    assert "0.7 s of 1 s" in remark["body"]


def test_a_person_s_remark_that_looks_alike_is_left_alone(github: FakeGitHub) -> None:
    delivered(github, a_report(introduced()))
    github.review_comments[0]["user"] = {"login": "mallory", "type": "User", "id": 9}
    before = github.review_comments[0]["body"]
    delivered(github, a_report(introduced(reason="other")), order=6)

    assert [one["body"] == before for one in github.review_comments] == [True, False]


def test_what_two_runs_remark_at_the_same_moment_stands_once(github: FakeGitHub) -> None:
    def the_other() -> None:
        delivered(github, a_report(introduced()))

    github.before["POST /repos/team/project/pulls/7/reviews"] = the_other
    delivered(github, a_report(introduced()))

    assert len(github.reviews) == 2
    assert len(github.review_comments) == 1


def test_a_finding_that_is_gone_is_said_in_the_same_comment(github: FakeGitHub) -> None:
    delivered(github, a_report(introduced()))
    delivered(github, a_report(), order=6)

    assert len(github.comments) == 1
    assert "nothing introduced" in github.bodies()[0]


def test_where_nothing_is_to_be_said_nothing_is_posted(github: FakeGitHub) -> None:
    same = a_report(introduced())
    delivered(github, same, same)

    assert github.comments == []
    assert [one["conclusion"] for one in github.checks] == ["success"]


def test_an_earlier_run_that_ends_later_leaves_the_comment_alone(github: FakeGitHub) -> None:
    delivered(github, a_report(introduced()), order=6)
    before = github.bodies()
    result = delivered(github, a_report(), order=5)

    assert github.bodies() == before
    assert any("later run" in line for line in result.log)


def test_two_runs_that_race_leave_one_comment_that_of_the_later(github: FakeGitHub) -> None:
    def the_other() -> None:
        delivered(github, a_report(introduced()), order=6)

    github.before["POST /repos/team/project/issues/7/comments"] = the_other
    delivered(github, a_report(introduced(line=3)), order=5)

    assert [order_of(text) for text in github.bodies()] == [6]


def test_a_comment_that_a_human_deletes_meanwhile_is_posted_anew(github: FakeGitHub) -> None:
    delivered(github, a_report(introduced()))
    number = github.comments[0]["id"]
    github.before[f"PATCH /repos/team/project/issues/comments/{number}"] = github.comments.clear
    delivered(github, a_report(introduced()), order=6)

    assert [order_of(text) for text in github.bodies()] == [6]


def test_a_person_s_comment_that_looks_alike_is_left_alone(github: FakeGitHub) -> None:
    text = "<!-- audit-comment 99 aa --> look here"
    github.add_comment(text, {"login": "mallory", "type": "User", "id": 9})
    delivered(github, a_report(introduced()))

    assert github.bodies()[0] == text
    assert order_of(github.bodies()[1]) == 5


def test_the_comment_is_found_among_hundreds(github: FakeGitHub) -> None:
    for n in range(150):
        github.add_comment(f"talk {n}", {"login": "ann", "type": "User", "id": 9})
    delivered(github, a_report(introduced()))
    delivered(github, a_report(introduced()), order=6)

    assert sum(order_of(text) is not None for text in github.bodies()) == 1


def test_a_huge_result_is_cut_to_what_github_takes(github: FakeGitHub) -> None:
    many = a_report(*(introduced(line=n, message="m" * 2000, reason="r" * 2000) for n in range(1, 400)))
    result = delivered(github, many)

    assert not result.denied
    assert len(github.comments) == 1
    assert len(github.checks) == 1
    assert len(github.checks[0]["annotations"]) == 399 > MOST_ANNOTATIONS


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_that_stumbles_is_asked_again(github: FakeGitHub, status: int) -> None:
    github.faults = [
        Fault("GET /repos/team/project/pulls/7", status, {"message": "sorry"}, times=2),
        Fault("POST /repos/team/project/issues/7/comments", status, {"message": "sorry"}, {"Retry-After": "0"}),
    ]
    delivered(github, a_report(introduced()))

    assert len(github.comments) == 1


def test_an_answer_that_does_not_come_is_asked_for_again(github: FakeGitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forge, "TIMEOUT_S", 1)
    github.faults = [Fault("GET /repos/team/project/pulls/7", 200, delay_s=3)]
    delivered(github, a_report(introduced()))

    assert len(github.comments) == 1


def test_retry_after_is_honoured(github: FakeGitHub) -> None:
    limited = {"message": "You have exceeded a secondary rate limit."}
    github.faults = [Fault("POST /repos/team/project/issues/7/comments", 403, limited, {"Retry-After": "1"})]
    began = time.monotonic()
    delivered(github, a_report(introduced()))

    assert time.monotonic() - began >= 1
    assert len(github.comments) == 1


def test_a_rate_limit_that_ends_soon_is_waited_for(github: FakeGitHub) -> None:
    limited = {"message": "API rate limit exceeded for installation."}
    reset = {"X-RateLimit-Reset": str(int(time.time()) + 2), "X-RateLimit-Remaining": "0"}
    github.faults = [Fault("GET /repos/team/project/pulls/7", 403, limited, reset)]

    assert not delivered(github, a_report(introduced())).failed
    assert time.time() >= int(reset["X-RateLimit-Reset"])
    assert len(github.comments) == 1


def test_a_429_that_says_when_the_limit_ends_is_waited_for(github: FakeGitHub) -> None:
    reset = {"X-RateLimit-Reset": str(int(time.time()) + 2)}
    github.faults = [Fault("GET /repos/team/project/pulls/7", 429, {"message": "slow down"}, reset)]

    assert not delivered(github, a_report(introduced())).failed
    assert time.time() >= int(reset["X-RateLimit-Reset"])
    assert len(github.comments) == 1


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (403, {"Retry-After": "3600"}),
        (429, {"Retry-After": "3600"}),
        (503, {"Retry-After": formatdate(time.time() + 9 * 3600, usegmt=True)}),
        (429, {"X-RateLimit-Reset": str(int(time.time()) + 9 * 3600)}),
    ],
)
def test_an_hour_is_not_waited_for_however_it_is_asked(
    github: FakeGitHub, status: int, headers: dict[str, str]
) -> None:
    github.faults = [Fault("GET /repos/team/project", status, {"message": "later"}, headers, times=99)]

    result = delivered(github, a_report(introduced()))

    assert (result.failed, result.denied) == (True, False)
    assert "rate limit: it asks to wait for" in "".join(result.log)
    assert len(github.requests) == 1


def test_a_secondary_limit_that_names_no_time_is_waited_out(github: FakeGitHub) -> None:
    limited = {"message": "You have exceeded a secondary rate limit."}
    github.faults = [Fault("POST /repos/team/project/issues/7/comments", 403, limited)]

    assert not delivered(github, a_report(introduced())).failed
    assert len(github.comments) == 1


def test_a_rate_limit_that_ends_in_an_hour_is_told_at_once(github: FakeGitHub) -> None:
    limited = {"message": "API rate limit exceeded for installation."}
    reset = {"X-RateLimit-Reset": str(int(time.time()) + 3600), "X-RateLimit-Remaining": "0"}
    github.faults = [Fault("GET /repos/team/project", 403, limited, reset, times=99)]

    result = delivered(github, a_report(introduced()))

    assert result.failed
    assert not result.denied
    assert "rate limit" in "".join(result.log)
    assert len(github.requests) == 1


def test_a_server_that_stays_down_is_an_error_that_says_so(github: FakeGitHub) -> None:
    github.faults = [Fault("GET /repos", 503, {"message": "down"}, times=99)]
    result = delivered(github, a_report(introduced()))

    assert result.failed
    assert len(result.log) == 1
    assert "read the changed files" in result.log[0]
    assert order_of(result.text) == 5


def test_nobody_there_is_an_error_that_says_so(github: FakeGitHub) -> None:
    result = delivered(github, a_report(introduced()), api="http://127.0.0.1:9")

    assert result.failed
    assert ["could not be reached" in line for line in result.log] == [True]


def test_a_read_only_token_is_denied_step_by_step_and_the_result_is_kept(github: FakeGitHub) -> None:
    denied = {"message": "Resource not accessible by integration"}
    github.faults = [Fault("POST", 403, denied, times=99)]
    result = delivered(github, a_report(introduced()))

    assert result.denied
    assert len([line for line in result.log if "not accessible" in line]) == 3
    assert order_of(result.text) == 5
    assert [one.suspect.path for one in result.introduced.findings] == ["shop/a.py"]


def test_the_pull_request_of_a_fork_is_found_by_its_head(github: FakeGitHub) -> None:
    delivered(github, a_report(introduced(fix=FIX)), number=None, branch="mallory:patch", untrusted=True)

    assert len(github.comments) == 1
    assert "suggestion" not in github.reviews[0]["comments"][0]["body"]


def test_a_fork_that_has_moved_on_gets_nothing(github: FakeGitHub) -> None:
    github.head_sha = "b" * 40
    result = delivered(github, a_report(introduced()), number=None, branch="mallory:patch")

    assert ["moved on" in line for line in result.log] == [True]
    assert (result.failed, result.denied, github.comments, github.checks) == (False, False, [], [])


def test_no_line_is_remarked_on_once_the_pull_request_has_moved_on(github: FakeGitHub) -> None:
    github.head_sha = "b" * 40
    result = delivered(github, a_report(introduced()))

    assert not result.failed
    assert github.reviews == []
    assert [one["head_sha"] for one in github.checks] == [SHA]


def test_a_review_that_is_refused_leaves_the_comment_and_the_check(github: FakeGitHub) -> None:
    refused = {"message": "Unprocessable Entity", "errors": ["Line could not be resolved"]}
    github.faults = [Fault("POST /repos/team/project/pulls/7/reviews", 422, refused)]
    result = delivered(github, a_report(introduced()))

    assert result.failed
    assert "422 Unprocessable Entity" in "".join(result.log)
    assert len(github.comments) == len(github.checks) == 1
