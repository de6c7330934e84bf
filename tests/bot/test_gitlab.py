"""GitLab's merge requests, against a server on loopback that answers as GitLab's REST documentation says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import pytest

from auditor.bot import gitlab as forge
from auditor.bot.comment import order_of
from auditor.bot.deliver import Delivered, deliver
from auditor.bot.event import Event
from auditor.bot.gitlab import GitLabForge
from auditor.model import Edit, Finding, Fix, Report, Span, VerdictKind
from tests.bot.gitlab_server import HERE, FakeGitLab, complaint, running
from tests.report.factory import a_finding, a_report

DIFF = "@@ -1,2 +1,3 @@\n import json\n+one = json.loads(json.dumps(given))\n x = 1\n"
FIX = Fix(
    safe=True,
    diff="--- a/shop/a.py\n+++ b/shop/a.py\n@@ -2,1 +2,1 @@\n-one = json.loads(json.dumps(given))\n+one = given\n",
    edits=(Edit(Span(2, 1, 2, 4), "one"),),
)


@pytest.fixture
def gitlab(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitLab]:
    monkeypatch.setattr(forge, "PAUSE_S", 0.0)
    with running() as found:
        found.diff = DIFF
        yield found
        assert found.complaints == []


def introduced(**changes: Any) -> Finding:
    return a_finding(VerdictKind.CONFIRMED, path="shop/a.py", line=2, context="x:1", **changes)


def delivered(gitlab: FakeGitLab, head: Report, **changes: Any) -> Delivered:
    event = Event(
        api=gitlab.url,
        repository="42",
        token="secret",
        number=3,
        sha="abc",
        branch="",
        order=5,
        link="",
        untrusted=False,
    )
    event = replace(event, **changes)
    return deliver(GitLabForge(event), event, head, a_report())


@pytest.mark.parametrize(
    ("request_line", "query", "data", "said"),
    [
        ("POST /notes", "", {"body": "x"}, ""),
        ("POST /notes", "", {"text": "x"}, "'body' is a required property"),
        ("POST /notes", "", {"body": "x" * 1_000_001}, "is too long"),
        ("GET /notes", "since=1", {}, "unknown: since"),
        ("POST /discussions", "", {"body": "x", "position": {"new_line": 0}}, "'start_sha' is a required property"),
        ("PUT /discussions/1/notes/2", "", {"body": "x", "resolved": True}, "too many properties"),
        ("POST /checks", "", {}, "not documented"),
    ],
)
def test_the_server_complains_of_what_gitlab_does_not_document(
    request_line: str, query: str, data: dict[str, Any], said: str
) -> None:
    method, _, path = request_line.partition(" ")
    found = complaint(method, HERE + path, query, data)

    assert said in found
    assert bool(said) == bool(found)


def test_a_change_gets_a_note_and_a_discussion_with_a_suggestion(gitlab: FakeGitLab) -> None:
    assert not delivered(gitlab, a_report(introduced(fix=FIX))).denied
    assert [order_of(note["body"]) for note in gitlab.notes] == [5]
    ((remark,),) = [thread["notes"] for thread in gitlab.discussions]
    place = remark["position"]
    assert (place["new_path"], place["new_line"], place["head_sha"]) == ("shop/a.py", 2, "h")
    assert "```suggestion:-0+0\none = given\n```" in remark["body"]


def test_the_next_run_edits_the_note_and_repeats_no_discussion(gitlab: FakeGitLab) -> None:
    delivered(gitlab, a_report(introduced()))
    delivered(gitlab, a_report(introduced()), order=6)

    assert [order_of(note["body"]) for note in gitlab.notes] == [6]
    assert len(gitlab.discussions) == 1


def test_a_remark_says_what_the_latest_run_has_found(gitlab: FakeGitLab) -> None:
    delivered(gitlab, a_report(introduced(reason="0.5 s of 1 s")))
    delivered(gitlab, a_report(introduced(reason="0.7 s of 1 s")), order=6)

    ((remark,),) = [thread["notes"] for thread in gitlab.discussions]
    assert "0.7 s of 1 s" in remark["body"]


def test_a_note_that_a_human_deletes_meanwhile_is_posted_anew(gitlab: FakeGitLab) -> None:
    delivered(gitlab, a_report(introduced()))
    gitlab.before[f"PUT {HERE}/notes/1"] = gitlab.notes.clear
    delivered(gitlab, a_report(introduced()), order=6)

    assert [order_of(text) for text in gitlab.bodies()] == [6]


def test_an_earlier_run_leaves_the_note_alone(gitlab: FakeGitLab) -> None:
    delivered(gitlab, a_report(introduced()), order=6)
    delivered(gitlab, a_report(), order=5)

    assert [order_of(note["body"]) for note in gitlab.notes] == [6]


def test_a_person_s_note_that_looks_alike_is_left_alone(gitlab: FakeGitLab) -> None:
    gitlab.add_note("<!-- audit-comment 99 aa --> look here", {"id": 9, "username": "mallory"})
    delivered(gitlab, a_report(introduced()))

    assert [order_of(note["body"]) for note in gitlab.notes] == [99, 5]


def test_a_line_of_a_renamed_file_is_remarked_on(gitlab: FakeGitLab) -> None:
    gitlab.old_path = "shop/before.py"
    assert not delivered(gitlab, a_report(introduced())).failed

    assert len(gitlab.discussions) == 1


def test_a_server_that_stumbles_is_asked_again(gitlab: FakeGitLab) -> None:
    gitlab.failing = 2
    delivered(gitlab, a_report(introduced()))

    assert len(gitlab.notes) == 1


def test_retry_after_is_honoured(gitlab: FakeGitLab) -> None:
    gitlab.failing, gitlab.failure = 1, (429, {"Retry-After": "1"})
    began = time.monotonic()
    result = delivered(gitlab, a_report(introduced()))

    assert time.monotonic() - began >= 1
    assert (result.failed, len(gitlab.notes)) == (False, 1)


def test_retry_after_may_be_a_date(gitlab: FakeGitLab) -> None:
    gitlab.failing, gitlab.failure = 1, (429, {"Retry-After": formatdate(time.time() + 2, usegmt=True)})
    began = time.monotonic()

    assert not delivered(gitlab, a_report(introduced())).failed
    assert time.monotonic() - began >= 1
    assert len(gitlab.notes) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "3600"},
        {"Retry-After": formatdate(time.time() + 9 * 3600, usegmt=True)},
        {"RateLimit-Reset": str(int(time.time()) + 9 * 3600)},
    ],
)
def test_an_hour_is_not_waited_for_however_it_is_asked(gitlab: FakeGitLab, headers: dict[str, str]) -> None:
    gitlab.failing, gitlab.failure = 99, (429, headers)

    result = delivered(gitlab, a_report(introduced()))

    assert (result.failed, result.denied) == (True, False)
    assert "rate limit: it asks to wait for" in "".join(result.log)


def test_a_server_that_stays_down_is_asked_a_few_times_and_then_no_more(
    gitlab: FakeGitLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forge, "_ATTEMPTS", 1)
    gitlab.failing = 99
    result = delivered(gitlab, a_report(introduced()))

    assert (result.failed, result.denied) == (True, False)
    assert ["503" in line for line in result.log] == [True]
    assert gitlab.failing == 99 - 2
    assert order_of(result.text) == 5


def test_a_token_without_rights_is_denied_and_the_result_is_kept(gitlab: FakeGitLab) -> None:
    gitlab.denied = {"POST"}
    result = delivered(gitlab, a_report(introduced()))

    assert result.denied
    assert order_of(result.text) == 5


def test_nobody_there_is_an_error_that_says_so() -> None:
    result = delivered(FakeGitLab(url="http://127.0.0.1:9"), a_report(introduced()))

    assert result.failed
    assert ["could not be reached" in line for line in result.log] == [True]
