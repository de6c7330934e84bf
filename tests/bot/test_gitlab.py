"""GitLab's merge requests, against a server on loopback that answers as GitLab's REST documentation says."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from auditor.bot.comment import order_of
from auditor.bot.deliver import Delivered, deliver
from auditor.bot.event import Event
from auditor.bot.gitlab import GitLabForge
from auditor.model import Edit, Finding, Fix, Report, Span, VerdictKind
from tests.report.factory import a_finding, a_report

BOT = {"id": 1, "username": "project_42_bot"}
HERE = "/api/v4/projects/42/merge_requests/3"
DIFF = "@@ -1,2 +1,3 @@\n import json\n+one = json.loads(json.dumps(given))\n x = 1\n"
FIX = Fix(
    safe=True,
    diff="--- a/shop/a.py\n+++ b/shop/a.py\n@@ -2,1 +2,1 @@\n-one = json.loads(json.dumps(given))\n+one = given\n",
    edits=(Edit(Span(2, 1, 2, 4), "one"),),
)


@dataclass
class FakeGitLab:
    notes: list[dict[str, Any]] = field(default_factory=list)
    discussions: list[dict[str, Any]] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    failing: int = 0
    old_path: str = "shop/a.py"
    url: str = ""

    def answer(self, method: str, path: str, data: dict[str, Any]) -> tuple[int, Any]:
        if method in self.denied:
            return 403, {"message": "403 Forbidden"}
        match f"{method} {path.removeprefix(HERE)}":
            case "GET ":
                refs = {"base_sha": "b", "start_sha": "s", "head_sha": "h"}
                return 200, {"iid": 3, "project_id": 42, "diff_refs": refs}
            case "GET /changes":
                change = {
                    "old_path": self.old_path,
                    "new_path": "shop/a.py",
                    "new_file": False,
                    "deleted_file": False,
                    "diff": DIFF,
                }
                return 200, {"iid": 3, "changes": [change]}
            case "GET /notes":
                return 200, self.notes
            case "POST /notes":
                self.notes.append({"id": len(self.notes) + 1, "body": data["body"], "author": BOT})
                return 201, self.notes[-1]
            case "GET /api/v4/user":
                return 200, BOT
            case "GET /discussions":
                return 200, self.discussions
            case "POST /discussions" if data["position"]["old_path"] != self.old_path:
                return 400, {"message": '400 Bad request - Note {:line_code=>["can\'t be blank"]}'}
            case "POST /discussions":
                thread = {"id": str(len(self.discussions)), "notes": [{"body": data["body"], **data["position"]}]}
                self.discussions.append(thread)
                return 201, thread
        if found := re.fullmatch(r"PUT /notes/(\d+)", f"{method} {path.removeprefix(HERE)}"):
            for note in self.notes:
                if note["id"] == int(found[1]):
                    note["body"] = data["body"]
                    return 200, note
        return 404, {"message": "404 Not found"}


@pytest.fixture
def gitlab() -> Iterator[FakeGitLab]:
    fake = FakeGitLab()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def handle_any(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if fake.failing > 0:
                fake.failing -= 1
                status, body = 503, {"message": "sorry"}
            else:
                status, body = fake.answer(self.command, self.path.partition("?")[0], json.loads(raw) if raw else {})
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


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


def test_a_change_gets_a_note_and_a_discussion_with_a_suggestion(gitlab: FakeGitLab) -> None:
    assert not delivered(gitlab, a_report(introduced(fix=FIX))).denied
    assert [order_of(note["body"]) for note in gitlab.notes] == [5]
    ((remark,),) = [thread["notes"] for thread in gitlab.discussions]
    assert (remark["new_path"], remark["new_line"], remark["head_sha"]) == ("shop/a.py", 2, "h")
    assert "```suggestion:-0+0\none = given\n```" in remark["body"]


def test_the_next_run_edits_the_note_and_repeats_no_discussion(gitlab: FakeGitLab) -> None:
    delivered(gitlab, a_report(introduced()))
    delivered(gitlab, a_report(introduced()), order=6)

    assert [order_of(note["body"]) for note in gitlab.notes] == [6]
    assert len(gitlab.discussions) == 1


def test_an_earlier_run_leaves_the_note_alone(gitlab: FakeGitLab) -> None:
    delivered(gitlab, a_report(introduced()), order=6)
    delivered(gitlab, a_report(), order=5)

    assert [order_of(note["body"]) for note in gitlab.notes] == [6]


def test_a_person_s_note_that_looks_alike_is_left_alone(gitlab: FakeGitLab) -> None:
    mine = {"id": 1, "body": "<!-- audit-comment 99 aa --> look here", "author": {"id": 9, "username": "mallory"}}
    gitlab.notes.append(mine)
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


def test_a_token_without_rights_is_denied_and_the_result_is_kept(gitlab: FakeGitLab) -> None:
    gitlab.denied = {"POST"}
    result = delivered(gitlab, a_report(introduced()))

    assert result.denied
    assert order_of(result.text) == 5


def test_nobody_there_is_an_error_that_says_so() -> None:
    result = delivered(FakeGitLab(url="http://127.0.0.1:9"), a_report(introduced()))

    assert result.failed
    assert ["could not be reached" in line for line in result.log] == [True]
