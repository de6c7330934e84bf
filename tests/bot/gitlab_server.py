"""A GitLab on loopback that holds one merge request, and answers as GitLab's REST documentation says.

Each request is held against the attributes that the documentation lists (`tests/data/gitlab.requests.json`).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema

BOT = {"id": 1, "username": "project_42_bot"}
HERE = "/api/v4/projects/42/merge_requests/3"
DOCUMENTED = json.loads((Path(__file__).parents[1] / "data" / "gitlab.requests.json").read_text(encoding="utf-8"))


def complaint(method: str, path: str, query: str, data: dict[str, Any]) -> str:
    """What the documentation has against the request, "" if nothing."""
    if f"{method} {path}" == "GET /api/v4/user":
        return ""
    operation = f"{method} {re.sub(r'/[0-9]+(?=/|$)', '/{}', path.removeprefix(HERE))}"
    if not path.startswith(HERE) or operation not in DOCUMENTED:
        return f"{method} {path}: not documented"
    documented = DOCUMENTED[operation]
    unknown = {name for name, _value in parse_qsl(query)} - set(documented.get("query", ()))
    found = [f"unknown: {name}" for name in sorted(unknown)]
    schema = {**DOCUMENTED, **documented.get("body", {"maxProperties": 0})}
    found += [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(data)]
    return f"{operation}: {'; '.join(found)}" if found else ""


@dataclass
class FakeGitLab:
    """What the project holds. `complaints`: requests that GitLab does not document, of which there are to be none.

    `before` is called before a request ("METHOD path") is answered, once.

    `drafts` are None where it knows no draft notes, as GitLab did until 15.9; those of others are never told.
    """

    diff: str = ""
    notes: list[dict[str, Any]] = field(default_factory=list)
    drafts: list[dict[str, Any]] | None = field(default_factory=list)
    discussions: list[dict[str, Any]] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    failing: int = 0
    failure: tuple[int, dict[str, str]] = (503, {})
    old_path: str = "shop/a.py"
    url: str = ""
    complaints: list[str] = field(default_factory=list)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _next: int = 0

    def add_note(self, body: str, author: dict[str, Any] | None = None) -> dict[str, Any]:
        self._next += 1
        note = {"id": self._next, "body": body.strip(), "author": author or BOT}
        self.notes.append(note)
        return note

    def bodies(self) -> list[str]:
        return [one["body"] for one in self.notes]

    def answer(self, method: str, path: str, data: dict[str, Any]) -> tuple[int, Any]:
        if method in self.denied:
            return 403, {"message": "403 Forbidden"}
        way = path.removeprefix(HERE)
        match f"{method} {way}":
            case "GET ":
                refs = {"base_sha": "b", "start_sha": "s", "head_sha": "h"}
                return 200, {"iid": 3, "project_id": 42, "diff_refs": refs}
            case "GET /changes":
                change = {
                    "old_path": self.old_path,
                    "new_path": "shop/a.py",
                    "new_file": False,
                    "deleted_file": False,
                    "diff": self.diff,
                }
                return 200, {"iid": 3, "changes": [change]}
            case "GET /notes":
                return 200, self.notes
            case "POST /notes":
                return 201, self.add_note(data["body"])
            case "GET /api/v4/user":
                return 200, BOT
            case "GET /discussions":
                return 200, self.discussions
            case "POST /discussions" if data["position"]["old_path"] != self.old_path:
                return 400, {"message": '400 Bad request - Note {:line_code=>["can\'t be blank"]}'}
            case "POST /discussions":
                note = {"id": 1000 + len(self.discussions), "author": BOT, **data}
                self.discussions.append({"id": str(len(self.discussions)), "notes": [note]})
                return 201, self.discussions[-1]
            case "GET /draft_notes" if self.drafts is not None:
                return 200, self.drafts
            case "POST /draft_notes" if self.drafts is not None:
                self._next += 1
                self.drafts.append({"id": self._next, "author_id": BOT["id"], "note": data["note"].strip()})
                return 201, self.drafts[-1]
        if (found := re.fullmatch(r"/draft_notes/(\d+)", way)) and method == "DELETE":
            self.drafts = [one for one in self.drafts or [] if one["id"] != int(found[1])]
            return 204, None
        if found := re.fullmatch(r"(?:/discussions/\d+)?/notes/(\d+)", way):
            remarks = [note for one in self.discussions for note in one["notes"]]
            return self._note(method, self.notes if way.startswith("/notes") else remarks, int(found[1]), data)
        return 404, {"message": "404 Not found"}

    def _note(self, method: str, among: list[dict[str, Any]], number: int, data: dict[str, Any]) -> tuple[int, Any]:
        for note in among:
            if note["id"] == number:
                if method == "DELETE":
                    among.remove(note)
                    return 204, None
                note["body"] = data["body"].strip()
                return 200, note
        return 404, {"message": "404 Not found"}


@contextmanager
def running() -> Iterator[FakeGitLab]:
    """The server, up for as long as the block lasts."""
    fake = FakeGitLab()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(fake: FakeGitLab) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def handle_any(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            data = json.loads(raw) if raw else {}
            with fake.lock:
                hook = fake.before.pop(f"{self.command} {path}", None)
            if hook is not None:
                hook()
            with fake.lock:
                headers: dict[str, str] = {}
                fake.complaints += filter(None, [complaint(self.command, path, query, data)])
                if fake.failing > 0:
                    fake.failing -= 1
                    (status, headers), body = fake.failure, {"message": "sorry"}
                else:
                    status, body = fake.answer(self.command, path, data)
            text = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

    return Handler
