"""Delivery to GitHub. PyGithub does the talking: retries, `Retry-After`, rate limits, pages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import requests
from github import Auth, Github, GithubException, GithubRetry, UnknownObjectException
from github.GithubObject import NotSet

from auditor.bot.comment import order_of
from auditor.bot.event import BotError, DeniedError, Event, MovedOnError, UnreachableError
from auditor.bot.remarks import changed_file

if TYPE_CHECKING:
    from github.IssueComment import IssueComment
    from github.PullRequest import PullRequest, ReviewComment
    from github.Repository import Repository

    from auditor.bot.check import Annotation, Check
    from auditor.bot.remarks import ChangedFile, Remark

CHECK_NAME = "audit"
TIMEOUT_S = 20
LONGEST_WAIT_S = 120.0
"""For a rate limit to end: a job should not stand for an hour, the summary has the result too."""

_ATTEMPTS = 4
_MOST_LISTED = 3_000
_DENIED = (401, 403, 404)


class GitHubForge:
    """One pull request. Methods raise BotError: of which kind says what became of the request."""

    def __init__(self, event: Event, backoff_s: float = 1.0) -> None:
        self._event = event
        retry = GithubRetry(
            total=_ATTEMPTS,
            backoff_factor=backoff_s,
            secondary_rate_wait=60 * backoff_s,
            max_rate_limit_wait=LONGEST_WAIT_S,
            # 429 and Retry-After are urllib3's own; GithubRetry knows GitHub's 403
            status_forcelist=[429, *range(500, 600)],
        )
        self._client = Github(
            auth=Auth.Token(event.token) if event.token else None,
            base_url=event.api,
            timeout=TIMEOUT_S,
            retry=retry,
            per_page=100,
            seconds_between_requests=0,
            seconds_between_writes=backoff_s,
        )
        self._found: tuple[Repository, PullRequest] | None = None
        self._name: str | None = None

    def changed(self) -> tuple[ChangedFile, ...]:
        """The files that the pull request changes."""
        with _translated("read the changed files"):
            return tuple(
                changed_file(
                    None if file.status == "added" else file.previous_filename or file.filename,
                    None if file.status == "removed" else file.filename,
                    file.patch,
                )
                for file in islice(self._pull().get_files(), _MOST_LISTED)
            )

    def comment(self, body: str, order: int, *, create: bool) -> str:
        """Write the one comment: edit the one that is there, else post it if `create`. Returns what was done.

        A comment of a later run stays. Of several that runs posted at the same moment, the latest run's stays.
        """
        with _translated("comment on the pull request"):
            pull = self._pull()
            mine = self._comments(pull)
            if any((order_of(one.body) or 0) > order for one in mine):
                return "left alone: a later run has commented already"
            done = "updated" if self._edit_first(mine, body) else "posted"
            if done == "posted" and not create:
                return "not written: nothing to say"
            if done == "posted":
                pull.create_issue_comment(body)
            self._remove_doubles(pull)
            return done

    def review(self, remarks: Sequence[Remark]) -> int:
        """Post the remarks that are not there yet as one review. Returns their number.

        None are posted on a commit that is no longer the head: the lines of the changed files are those of the head.
        """
        with _translated("review the pull request"):
            pull = self._pull()
            if pull.head.sha != self._event.sha:
                return 0
            there = "\n".join(one.body for one in islice(pull.get_review_comments(), _MOST_LISTED))
            new = [remark for remark in remarks if remark.key not in there]
            if new:
                commit = self._repository().get_commit(self._event.sha)
                pull.create_review(commit=commit, event="COMMENT", comments=[_review_comment(one) for one in new])
            return len(new)

    def check(self, check: Check) -> str:
        """Write the check run, its annotations in portions."""
        with _translated("write the check run"):
            run = None
            for batch in check.batches():
                output: dict[str, Any] = {
                    "title": check.title,
                    "summary": check.summary,
                    "annotations": [_annotation(one) for one in batch],
                }
                if run is None:
                    run = self._repository().create_check_run(
                        CHECK_NAME,
                        self._event.sha,
                        status="completed",
                        conclusion=check.conclusion,
                        output=output,
                        details_url=self._event.link or NotSet,
                    )
                else:
                    run.edit(output=output)
        return check.said

    def _repository(self) -> Repository:
        return self._both()[0]

    def _pull(self) -> PullRequest:
        return self._both()[1]

    def _both(self) -> tuple[Repository, PullRequest]:
        if self._found is None:
            repository = self._client.get_repo(self._event.repository)
            self._found = repository, self._search(repository)
        return self._found

    def _search(self, repository: Repository) -> PullRequest:
        """The pull request itself, or the open one whose head is the commit: for forks the event does not name it."""
        event = self._event
        if event.number is not None:
            return repository.get_pull(event.number)
        heads = {"head": event.branch} if event.branch else {}
        for pull in islice(repository.get_pulls(state="open", sort="updated", direction="desc", **heads), 500):
            if pull.head.sha == event.sha:
                return pull
        raise MovedOnError(f"no open pull request of {event.repository} has the head {event.sha}; it may have moved on")

    def _edit_first(self, comments: Sequence[IssueComment], body: str) -> bool:
        for one in comments:
            try:
                if one.body != body:
                    one.edit(body)
            except UnknownObjectException:
                continue  # a human deleted it meanwhile
            return True
        return False

    def _comments(self, pull: PullRequest) -> list[IssueComment]:
        """This audit's own comments, oldest first. A person's that starts like one is left alone."""
        found = islice(pull.get_issue_comments(), _MOST_LISTED)
        return [one for one in found if order_of(one.body or "") is not None and self._is_mine(one)]

    def _is_mine(self, comment: IssueComment) -> bool:
        return comment.user is None or comment.user.type == "Bot" or comment.user.login == self._login()

    def _login(self) -> str:
        if self._name is None:
            try:
                self._name = self._client.get_user().login
            except GithubException:
                self._name = ""  # the token of a job is no user's
        return self._name

    def _remove_doubles(self, pull: PullRequest) -> None:
        comments = self._comments(pull)
        kept = max(comments, key=lambda one: (order_of(one.body) or 0, -one.id), default=None)
        for one in comments:
            if one is not kept:
                with contextlib.suppress(GithubException):
                    one.delete()


def _review_comment(remark: Remark) -> ReviewComment:
    comment: ReviewComment = {
        "path": remark.path,
        "body": remark.text,
        "line": remark.end_line,
        "side": "RIGHT",
    }
    if remark.end_line > remark.line:
        comment["start_line"] = remark.line
        comment["start_side"] = "RIGHT"
    return comment


def _annotation(one: Annotation) -> dict[str, str | int]:
    return {
        "path": one.path,
        "start_line": one.line,
        "end_line": one.end_line,
        "annotation_level": one.level,
        "title": one.title[:255],
        "message": one.message,
    }


@contextlib.contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except GithubException as error:
        said = error.data.get("message", "") if isinstance(error.data, dict) else str(error.data or "")
        limited = error.status == 429 or "rate limit" in said.lower()
        kind = BotError
        if limited or error.status >= 500:
            kind = UnreachableError
        elif error.status in _DENIED:
            kind = DeniedError
        raise kind(f"GitHub did not let audit {what}: {error.status} {said}".rstrip()) from error
    except requests.RequestException as error:
        raise UnreachableError(f"GitHub could not be reached to {what}: {error}") from error
