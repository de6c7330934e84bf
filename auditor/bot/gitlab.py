"""Delivery to GitLab. python-gitlab does the talking: retries, `Retry-After`, pages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, Any

import requests
from gitlab import Gitlab
from gitlab.exceptions import (
    GitlabAuthenticationError,
    GitlabCreateError,
    GitlabDeleteError,
    GitlabError,
    GitlabUpdateError,
)

from auditor.bot.comment import order_of
from auditor.bot.event import BotError, DeniedError, Event, UnreachableError
from auditor.bot.remarks import changed_file
from auditor.bot.sticky import Posted, Text, keep, same
from auditor.bot.waiting import LONGEST_WAIT_S, asked_wait_s, too_long

if TYPE_CHECKING:
    from gitlab.v4.objects import ProjectMergeRequest

    from auditor.bot.check import Check
    from auditor.bot.remarks import Remark
    from auditor.standing import Edited

TIMEOUT_S = 20
PAUSE_S = 5.0
"""Before looking again for what an earlier run may have written meanwhile, if no draft note could be written."""

_ATTEMPTS = 5
_MOST_LISTED = 3_000


class _Client(Gitlab):
    """python-gitlab with fewer attempts: its ten double the pause each time, and go on for minutes."""

    def http_request(self, *arguments: Any, **options: Any) -> requests.Response:
        return super().http_request(*arguments, **{"max_retries": _ATTEMPTS, **options})


def _mind_wait(response: requests.Response, *_arguments: Any, **_options: Any) -> None:
    """Look at an answer before python-gitlab does, which sleeps for as long as it is asked to, and knows seconds alone.

    Raises:
        GitlabError: the answer asks for more than LONGEST_WAIT_S.
    """
    if response.status_code < HTTPStatus.BAD_REQUEST:
        return
    wait_s = asked_wait_s(response.headers, "RateLimit-Reset")
    if wait_s is not None and wait_s > LONGEST_WAIT_S:
        raise GitlabError(too_long(wait_s), response.status_code)
    if "Retry-After" in response.headers:
        response.headers["Retry-After"] = str(ceil(wait_s or 0))


class GitLabForge:
    """One merge request. Methods raise BotError: of which kind says what became of the request."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self._client = _Client(
            event.api, private_token=event.token or None, timeout=TIMEOUT_S, retry_transient_errors=True, per_page=100
        )
        self._client.session.hooks["response"].append(_mind_wait)
        self._found: ProjectMergeRequest | None = None

    def changed(self) -> tuple[Edited, ...]:
        """The files that the merge request changes."""
        with _translated("read the changed files"):
            changes: list[dict[str, Any]] = self._request().changes()["changes"]  # type: ignore[index]
        return tuple(
            changed_file(
                None if one["new_file"] else one["old_path"],
                None if one["deleted_file"] else one["new_path"],
                one.get("diff"),
            )
            for one in changes
        )

    def comment(self, body: str, order: int, *, create: bool) -> str:
        """Write the one note: edit the one that is there, else post it if `create`. Returns what was done."""
        with _translated("comment on the merge request"):
            board = _Board(self._request(), self._me(), order)
            pause_s = 0.0 if board.announce(Text(order, body)) else PAUSE_S
            return keep(board, Text(order, body), create=create, pause_s=pause_s)

    def review(self, remarks: Sequence[Remark]) -> str:
        """Start a discussion for each remark that is not there yet, and bring the others up to date."""
        with _translated("remark on the merge request"):
            request, me = self._request(), self._me()
            discussions = islice(request.discussions.list(iterator=True), _MOST_LISTED)
            there = [
                (one, note)
                for one in discussions
                for note in one.attributes["notes"][:1]
                if note.get("author", {}).get("id") == me
            ]
            new = [remark for remark in remarks if not any(remark.key in note["body"] for _, note in there)]
            started = sum(self._discuss(request, remark) for remark in new)
            updated = sum(_update(remark, there) for remark in remarks if remark not in new)
            return f"{started} new, {updated} updated"

    def check(self, check: Check) -> str:
        """GitLab has no check runs: the Code Quality report of the job (`--format gitlab`) marks the lines."""
        return f"{check.said} (see the job's Code Quality report)"

    def _request(self) -> ProjectMergeRequest:
        if self._found is None:
            project = self._client.projects.get(self._event.repository, lazy=True)
            self._found = project.mergerequests.get(self._event.number or 0)
        return self._found

    def _me(self) -> int | None:
        if self._client.user is None:
            self._client.auth()
        return None if self._client.user is None else self._client.user.id

    def _discuss(self, request: ProjectMergeRequest, remark: Remark) -> bool:
        """Whether the discussion was started: GitLab takes no place that is not in the diff as it is by now."""
        try:
            request.discussions.create({"body": _text(remark), "position": self._position(request, remark)})
        except GitlabCreateError as error:
            if error.response_code == 400:
                return False
            raise
        return True

    def _position(self, request: ProjectMergeRequest, remark: Remark) -> dict[str, Any]:
        refs = request.diff_refs
        return {
            "position_type": "text",
            "base_sha": refs["base_sha"],
            "start_sha": refs["start_sha"],
            "head_sha": refs["head_sha"],
            "old_path": remark.old_path,
            "new_path": remark.path,
            "new_line": remark.end_line,
        }


class _Board:
    """The notes of one merge request. Runs announce their texts in draft notes, which only their author ever sees.

    That of the latest run stays there for earlier ones that come late; the others are taken away.
    """

    def __init__(self, request: ProjectMergeRequest, me: int | None, order: int) -> None:
        self._request = request
        self._me = me
        self._order = order
        self._known: dict[int, Any] = {}
        self._has_drafts = False

    def announce(self, text: Text) -> bool:
        """Whether the text could be put where other runs find it, and nobody writes over it."""
        try:
            self._request.draft_notes.create({"note": text.body})
            for _order, one in self._drafts()[:-1]:
                with contextlib.suppress(GitlabDeleteError):
                    one.delete()
        except GitlabError:
            return False
        self._has_drafts = True
        return True

    def _drafts(self) -> list[tuple[int, Any]]:
        """Audit's own drafts with the orders of their runs, that of the latest run last."""
        found = islice(self._request.draft_notes.list(iterator=True), _MOST_LISTED)
        mine = [(order, one) for one in found if (order := order_of(one.note or "")) is not None]
        return sorted(mine, key=lambda pair: (pair[0], pair[1].id))

    def posted(self) -> list[Posted]:
        """Audit's own notes, oldest first. A person's that starts like one is left alone."""
        found = islice(self._request.notes.list(iterator=True, sort="asc", order_by="created_at"), _MOST_LISTED)
        mine = [
            (one, order)
            for one in found
            if (order := order_of(one.body or "")) is not None and one.author["id"] == self._me
        ]
        self._known = {one.id: one for one, _ in mine}
        return [Posted(one.id, order, one.body) for one, order in mine]

    def announced(self) -> Text | None:
        """What the latest run has announced, if it is later than this one."""
        if not self._has_drafts:
            return None
        later = [Text(order, one.note) for order, one in self._drafts() if order > self._order]
        return max(later, key=lambda text: text.order, default=None)

    def post(self, body: str) -> None:
        self._request.notes.create({"body": body})

    def edit(self, number: int, body: str) -> bool:
        note = self._known[number]
        note.body = body
        try:
            note.save()
        except GitlabUpdateError as error:
            if error.response_code == 404:
                return False
            raise
        return True

    def remove(self, number: int) -> None:
        with contextlib.suppress(GitlabDeleteError):
            self._known[number].delete()


def _update(remark: Remark, there: Sequence[tuple[Any, dict[str, Any]]]) -> bool:
    """Whether a remark on the same line said something else, and says this now."""
    for discussion, note in there:
        place = note.get("position") or {}
        if (
            remark.key in note["body"]
            and place.get("new_line") == remark.end_line
            and not same(note["body"], _text(remark))
        ):
            discussion.notes.update(note["id"], {"body": _text(remark)})
            return True
    return False


def _text(remark: Remark) -> str:
    """GitLab counts a suggestion's lines from the one remarked on."""
    above = remark.end_line - remark.line
    return remark.text.replace("```suggestion\n", f"```suggestion:-{above}+0\n")


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except GitlabError as error:
        status = error.response_code or 0
        kind = BotError
        if isinstance(error, GitlabAuthenticationError) or status in (401, 403, 404):
            kind = DeniedError
        elif status == 429 or status >= 500:
            kind = UnreachableError
        raise kind(f"GitLab did not let audit {what}: {error.response_code} {error.error_message}") from error
    except requests.RequestException as error:
        raise UnreachableError(f"GitLab could not be reached to {what}: {error}") from error
