"""Delivery to GitLab. python-gitlab does the talking: retries, `Retry-After`, pages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import islice
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

if TYPE_CHECKING:
    from gitlab.v4.objects import ProjectMergeRequest

    from auditor.bot.check import Check
    from auditor.bot.remarks import ChangedFile, Remark

TIMEOUT_S = 20
_ATTEMPTS = 5
_MOST_LISTED = 3_000


class _Client(Gitlab):
    """python-gitlab with fewer attempts: its ten double the pause each time, and go on for minutes."""

    def http_request(self, *arguments: Any, **options: Any) -> requests.Response:
        return super().http_request(*arguments, **{"max_retries": _ATTEMPTS, **options})


class GitLabForge:
    """One merge request. Methods raise BotError: of which kind says what became of the request."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self._client = _Client(
            event.api, private_token=event.token or None, timeout=TIMEOUT_S, retry_transient_errors=True, per_page=100
        )
        self._found: ProjectMergeRequest | None = None

    def changed(self) -> tuple[ChangedFile, ...]:
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
            request = self._request()
            mine = self._notes(request)
            if any((order_of(one.body) or 0) > order for one in mine):
                return "left alone: a later run has commented already"
            for one in mine:
                try:
                    one.body = body
                    one.save()
                except GitlabUpdateError as error:
                    if error.response_code == 404:
                        continue  # a human deleted it meanwhile
                    raise
                return "updated"
            if not create:
                return "not written: nothing to say"
            request.notes.create({"body": body})
            self._remove_doubles(request)
            return "posted"

    def review(self, remarks: Sequence[Remark]) -> int:
        """Start a discussion for each remark that is not there yet. Returns their number."""
        with _translated("remark on the merge request"):
            request = self._request()
            discussions = islice(request.discussions.list(iterator=True), _MOST_LISTED)
            there = "\n".join(note["body"] for one in discussions for note in one.attributes["notes"])
            new = [remark for remark in remarks if remark.key not in there]
            return sum(self._discuss(request, remark) for remark in new)

    def check(self, check: Check) -> str:
        """GitLab has no check runs: the Code Quality report of the job (`--format gitlab`) marks the lines."""
        return f"{check.said} (see the job's Code Quality report)"

    def _request(self) -> ProjectMergeRequest:
        if self._found is None:
            project = self._client.projects.get(self._event.repository, lazy=True)
            self._found = project.mergerequests.get(self._event.number or 0)
        return self._found

    def _notes(self, request: ProjectMergeRequest) -> list[Any]:
        """Audit's own notes, oldest first. A person's that starts like one is left alone."""
        if self._client.user is None:
            self._client.auth()
        me = None if self._client.user is None else self._client.user.id
        found = islice(request.notes.list(iterator=True, sort="asc", order_by="created_at"), _MOST_LISTED)
        return [one for one in found if order_of(one.body or "") is not None and one.author["id"] == me]

    def _discuss(self, request: ProjectMergeRequest, remark: Remark) -> bool:
        """Whether the discussion was started: GitLab takes no place that is not in the diff as it is by now."""
        try:
            request.discussions.create({"body": _text(remark), "position": self._position(request, remark)})
        except GitlabCreateError as error:
            if error.response_code == 400:
                return False
            raise
        return True

    def _remove_doubles(self, request: ProjectMergeRequest) -> None:
        notes = self._notes(request)
        kept = max(notes, key=lambda one: (order_of(one.body) or 0, -one.id), default=None)
        for one in notes:
            if one is not kept:
                with contextlib.suppress(GitlabDeleteError):
                    one.delete()

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
