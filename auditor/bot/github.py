"""Delivery to GitHub. PyGithub does the talking: retries, `Retry-After`, rate limits, pages."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any

import requests
from github import Auth, Github, GithubException, GithubRetry, UnknownObjectException
from github.Commit import Commit
from github.GithubObject import NotSet

from auditor.bot.comment import order_of
from auditor.bot.event import BotError, DeniedError, Event, MovedOnError, UnreachableError
from auditor.bot.remarks import changed_file
from auditor.bot.sticky import Posted, Text, keep, same
from auditor.bot.waiting import LONGEST_WAIT_S, asked_wait_s, too_long

if TYPE_CHECKING:
    from github.CheckRun import CheckRun
    from github.GithubApp import GithubApp
    from github.IssueComment import IssueComment
    from github.NamedUser import NamedUser
    from github.Organization import Organization
    from github.PullRequest import PullRequest, ReviewComment
    from github.PullRequestComment import PullRequestComment
    from github.Repository import Repository
    from urllib3 import BaseHTTPResponse, Retry

    from auditor.bot.check import Annotation, Check
    from auditor.bot.remarks import Remark
    from auditor.standing import Edited

CHECK_NAME = "audit"
TIMEOUT_S = 20
PAUSE_S = 5.0
"""Before looking again for what an earlier run may have written meanwhile, if no check run could be written."""

_RESET = "X-RateLimit-Reset"
_ATTEMPTS = 4
_MOST_LISTED = 3_000
_DENIED = (401, 403, 404)


class _Patience(GithubRetry):
    """PyGithub's way of trying again, which minds the longest wait for its own reading of a 403 alone."""

    def get_retry_after(self, response: BaseHTTPResponse) -> float | None:
        """Seconds that the answer asks to wait for, also where it only says when the limit ends."""
        limited = response.status == HTTPStatus.TOO_MANY_REQUESTS
        return asked_wait_s(response.headers, _RESET if limited else "")

    def increment(self, *arguments: Any, **options: Any) -> Retry:  # type: ignore[override]  # urllib3 names them
        """As PyGithub's, but no more waiting than LONGEST_WAIT_S.

        Raises:
            GithubException: the answer asks for a longer wait.
        """
        response: BaseHTTPResponse | None = options.get("response")
        wait_s = None if response is None else self.get_retry_after(response)
        if response is not None and wait_s is not None and wait_s > LONGEST_WAIT_S:
            raise GithubException(response.status, {"message": too_long(wait_s)}, dict(response.headers))
        return super().increment(*arguments, **options)


class GitHubForge:
    """One pull request. Methods raise BotError: of which kind says what became of the request."""

    def __init__(self, event: Event, backoff_s: float = 1.0) -> None:
        self._event = event
        retry = _Patience(
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
        self._me = _Me(self._client)
        self._pause_s = PAUSE_S * backoff_s
        self._app: int | None = None

    def changed(self) -> tuple[Edited, ...]:
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

        That of a later run stays, or is put back: the check runs tell what it is (see `auditor.bot.sticky`), so write
        the check first.
        """
        with _translated("comment on the pull request"):
            board = _Board(self._me, self._pull(), self._later)
            return keep(board, Text(order, body), create=create, pause_s=self._pause_s if self._app is None else 0.0)

    def review(self, remarks: Sequence[Remark]) -> str:
        """Post the remarks that are not there yet as one review, and bring the others up to date.

        Nothing is done on a commit that is no longer the head: the lines of the changed files are those of the head.
        """
        with _translated("review the pull request"):
            pull = self._pull()
            if pull.head.sha != self._event.sha:
                return "none: the pull request has moved on"
            there = self._remarks()
            new = [remark for remark in remarks if not any(remark.key in one.body for one in there)]
            if new:
                pull.create_review(
                    commit=self._commit(self._event.sha),
                    event="COMMENT",
                    comments=[_review_comment(one) for one in new],
                )
                self._remove_double_remarks(new)
            updated = sum(_update(remark, there) for remark in remarks if remark not in new)
            return f"{len(new)} new, {updated} updated"

    def _remarks(self) -> list[PullRequestComment]:
        found = islice(self._pull().get_review_comments(), _MOST_LISTED)
        return [one for one in found if self._me.wrote(one.user)]

    def _remove_double_remarks(self, new: Sequence[Remark]) -> None:
        """Of what two runs remarked at the same moment, leave the first."""
        there = self._remarks()
        for remark in new:
            for one in [one for one in there if remark.key in one.body][1:]:
                with contextlib.suppress(GithubException):
                    one.delete()

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
                        external_id=self._mark(),
                    )
                    self._app = _app(run)
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

    def _mark(self) -> str:
        """By which a check run is known to be about this pull request; a commit may be the head of several."""
        return f"audit-comment {self._pull().number}"

    def _commit(self, sha: str) -> Commit:
        """The commit by its name alone: to look it up takes a right that commenting does not."""
        repository = self._repository()
        known = {"sha": sha, "url": f"{repository.url}/commits/{sha}"}
        return Commit(repository.requester, {}, known, completed=True)

    def _later(self) -> Text | None:
        """What the latest run has said in its check of the head as it is by now, if it is later than this one."""
        if self._app is None:
            return None
        heads = {self._event.sha, self._repository().get_pull(self._pull().number).head.sha}
        runs = [
            run
            for sha in sorted(heads)
            for run in islice(self._commit(sha).get_check_runs(check_name=CHECK_NAME, filter="all"), _MOST_LISTED)
            if run.external_id == self._mark() and _app(run) == self._app
        ]
        texts = [Text(order_of(body) or 0, body) for run in runs if (body := run.output.summary or "")]
        later = [text for text in texts if text.order > self._event.order]
        return max(later, key=lambda text: text.order, default=None)


def _app(run: CheckRun) -> int | None:
    """Which app wrote the check run, if GitHub says."""
    app: GithubApp | None = run.app
    return None if app is None else app.id


class _Board:
    """The comments of one pull request."""

    def __init__(self, me: _Me, pull: PullRequest, later: Callable[[], Text | None]) -> None:
        self._me = me
        self._pull = pull
        self.announced = later
        self._known: dict[int, IssueComment] = {}

    def posted(self) -> list[Posted]:
        """This audit's own comments, oldest first. A person's that starts like one is left alone."""
        found = islice(self._pull.get_issue_comments(), _MOST_LISTED)
        mine = [
            (one, order)
            for one in found
            if (order := order_of(one.body or "")) is not None and self._me.wrote(one.user)
        ]
        self._known = {one.id: one for one, _ in mine}
        return [Posted(one.id, order, one.body) for one, order in mine]

    def post(self, body: str) -> None:
        self._pull.create_issue_comment(body)

    def edit(self, number: int, body: str) -> bool:
        try:
            self._known[number].edit(body)
        except UnknownObjectException:
            return False
        return True

    def remove(self, number: int) -> None:
        with contextlib.suppress(GithubException):
            self._known[number].delete()


class _Me:
    """Who the token speaks for."""

    def __init__(self, client: Github) -> None:
        self._client = client
        self._name: str | None = None

    def wrote(self, author: NamedUser | Organization | None) -> bool:
        return author is None or author.type == "Bot" or author.login == self._login()

    def _login(self) -> str:
        if self._name is None:
            try:
                self._name = self._client.get_user().login
            except GithubException:
                self._name = ""  # the token of a job is no user's
        return self._name


def _update(remark: Remark, there: Sequence[PullRequestComment]) -> bool:
    """Whether a remark on the same line said something else, and says this now."""
    for one in there:
        if remark.key in one.body and one.line == remark.end_line and not same(one.body, remark.text):
            one.edit(remark.text)
            return True
    return False


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
