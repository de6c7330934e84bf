"""A GitHub on loopback that holds one pull request, and complains of what GitHub's own description does not allow."""

from __future__ import annotations

import functools
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest
from werkzeug.datastructures import ImmutableMultiDict

DESCRIPTION = Path(__file__).parents[1] / "data" / "github" / "description.json"
SHA = "a" * 40
APP = {"id": 15368, "slug": "github-actions"}
BOT = {"login": "github-actions[bot]", "type": "Bot", "id": 1}


@dataclass
class Fault:
    """An answer given instead of GitHub's, `times` times, to requests whose "METHOD path" holds `request`."""

    request: str
    status: int
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1
    delay_s: float = 0.0


@dataclass
class FakeGitHub:
    """What the repository holds. `complaints`: requests that break the description, of which there are to be none."""

    files: list[dict[str, Any]] = field(default_factory=list)
    comments: list[dict[str, Any]] = field(default_factory=list)
    review_comments: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    checks: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    head_sha: str = SHA
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)
    _next: int = 100

    def identify(self) -> int:
        self._next += 1
        return self._next

    def add_comment(self, body: str, user: dict[str, Any] | None = None) -> dict[str, Any]:
        number = self.identify()
        comment = {
            "id": number,
            "body": body,
            "user": user or BOT,
            "url": f"{self.url}/repos/team/project/issues/comments/{number}",
        }
        self.comments.append(comment)
        return comment

    def bodies(self) -> list[str]:
        return [one["body"] for one in self.comments]

    def answer(self, method: str, path: str, query: dict[str, str], data: dict[str, Any]) -> tuple[int, Any]:
        here = f"{self.url}/repos/team/project"
        pull = {"number": 7, "url": f"{here}/pulls/7", "issue_url": f"{here}/issues/7", "head": {"sha": self.head_sha}}
        match f"{method} {path}":
            case "GET /repos/team/project":
                return 200, {"id": 1, "name": "project", "full_name": "team/project", "url": here}
            case "GET /user":
                return 403, {"message": "Resource not accessible by integration"}
            case "GET /repos/team/project/pulls":
                return 200, self._page([pull] if query.get("page", "1") == "1" else [], query)
            case "GET /repos/team/project/pulls/7":
                return 200, pull
            case "GET /repos/team/project/pulls/7/files":
                return 200, self._page(self.files, query)
            case "GET /repos/team/project/pulls/7/comments":
                return 200, self._page(self.review_comments, query)
            case "POST /repos/team/project/pulls/7/reviews":
                self.reviews.append(data)
                self.review_comments += [self._remark(one) for one in data["comments"]]
                return 200, {"id": self.identify()}
            case "GET /repos/team/project/issues/7/comments":
                return 200, self._page(self.comments, query)
            case "POST /repos/team/project/issues/7/comments":
                if len(data["body"]) > 65_536:
                    return 422, {"message": "Validation Failed"}
                return 201, self.add_comment(data["body"])
            case "POST /repos/team/project/check-runs":
                check = {**data, "id": self.identify()}
                check["annotations"] = list(data["output"].get("annotations", []))
                check["url"] = f"{here}/check-runs/{check['id']}"
                check["app"] = APP
                self.checks.append(check)
                return 201, check
        if match := re.fullmatch(r"/repos/team/project/commits/([0-9a-f]+)/check-runs", path):
            found = [one for one in self.checks if (one["head_sha"], one["name"]) == (match[1], query["check_name"])]
            return 200, {"total_count": len(found), "check_runs": self._page(found, query)}
        if match := re.fullmatch(r"/repos/team/project/check-runs/(\d+)", path):
            check = next(one for one in self.checks if one["id"] == int(match[1]))
            check["annotations"] += data["output"].get("annotations", [])
            return 200, check
        if match := re.fullmatch(r"/repos/team/project/issues/comments/(\d+)", path):
            return self._edited(self.comments, method, int(match[1]), data)
        if match := re.fullmatch(r"/repos/team/project/pulls/comments/(\d+)", path):
            return self._edited(self.review_comments, method, int(match[1]), data)
        return 404, {"message": "Not Found"}

    def _remark(self, given: dict[str, Any]) -> dict[str, Any]:
        number = self.identify()
        url = f"{self.url}/repos/team/project/pulls/comments/{number}"
        return {"id": number, "user": BOT, "url": url, **given}

    def _edited(self, among: list[dict[str, Any]], method: str, number: int, data: dict[str, Any]) -> tuple[int, Any]:
        found = next((one for one in among if one["id"] == number), None)
        if found is None:
            return 404, {"message": "Not Found"}
        if method == "DELETE":
            among.remove(found)
            return 204, None
        found["body"] = data["body"]
        return 200, found

    def _page(self, rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        return rows[(page - 1) * size : page * size]


@contextmanager
def running() -> Iterator[FakeGitHub]:
    """The server, up for as long as the block lasts."""
    github = FakeGitHub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(github))
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@functools.cache
def _described(url: str) -> OpenAPI:
    description = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return OpenAPI.from_dict({**description, "servers": [{"url": url}]})


def _handler(github: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def handle_any(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            request = f"{self.command} {parts.path}"
            with github.lock:
                github.requests.append(request)
                self.complain(parts.path, parts.query, raw)
                fault = next((one for one in github.faults if one.times > 0 and one.request in request), None)
                hook = None if fault else github.before.pop(request, None)
                if fault is not None:
                    fault.times -= 1
            if fault is not None:
                time.sleep(fault.delay_s)
                self.reply(fault.status, fault.body, fault.headers)
                return
            if hook is not None:
                hook()
            with github.lock:
                status, body = github.answer(
                    self.command, parts.path, dict(parse_qsl(parts.query)), json.loads(raw) if raw else {}
                )
            self.reply(status, body, self.next_page(parts.path, parts.query, body))

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def next_page(self, path: str, query: str, body: Any) -> dict[str, str]:
            asked = dict(parse_qsl(query))
            if not isinstance(body, list) or len(body) < int(asked.get("per_page", "30")):
                return {}
            asked["page"] = str(int(asked.get("page", "1")) + 1)
            return {"Link": f'<{github.url}{path}?{urlencode(asked)}>; rel="next"'}

        def complain(self, path: str, query: str, raw: bytes) -> None:
            request = MockRequest(
                github.url,
                self.command.lower(),
                path,
                args=ImmutableMultiDict(parse_qsl(query)),
                data=raw or None,
                content_type="application/json",
            )
            try:
                _described(github.url).validate_request(request)
            except OpenAPIError as error:
                github.complaints.append(f"{self.command} {self.path}: {error} {error.__cause__}")

        def reply(self, status: int, body: Any, headers: dict[str, str]) -> None:
            text = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    return Handler
