"""From two reports to a pull request: what is said, and what becomes of it where the token may not say it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from auditor.bot.change import compare
from auditor.bot.check import Check, check
from auditor.bot.comment import Subject, body, is_worth_saying, open_ones
from auditor.bot.event import BotError, DeniedError, Event, MovedOnError, UnreachableError
from auditor.bot.remarks import Remark, remarks

if TYPE_CHECKING:
    from auditor.model import Report
    from auditor.standing import Edited

T = TypeVar("T")


class Forge(Protocol):
    """One pull or merge request on a forge. Methods raise BotError: of which kind says what became of the request."""

    def changed(self) -> tuple[Edited, ...]:
        """The files that the request changes."""

    def comment(self, body: str, order: int, *, create: bool) -> str:
        """Write the one comment, posting it only if `create`; returns what was done."""

    def review(self, remarks: Sequence[Remark]) -> str:
        """Post the remarks that are not there yet, and bring the others up to date; returns what was done."""

    def check(self, check: Check) -> str:
        """Write the check run; returns what was done."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of it. `log` has a line for each step.

    `denied` says that the forge did not allow one of them, `failed` that one failed for another reason.
    `text` is the comment, for a job summary; `introduced` is the head's report with nothing but what was introduced.
    """

    log: tuple[str, ...]
    denied: bool
    failed: bool
    text: str
    introduced: Report


@dataclass(slots=True)
class _Steps:
    log: list[str] = field(default_factory=list)
    denied: bool = False
    failed: bool = False
    over: bool = False

    def take(self, name: str, step: Callable[[], T], default: T) -> T:
        if self.over:
            return default
        try:
            done: T = step()
        except BotError as error:
            self.log.append(f"{name}: {error}")
            self.denied |= isinstance(error, DeniedError)
            self.failed |= not isinstance(error, DeniedError | MovedOnError)
            self.over = isinstance(error, UnreachableError | MovedOnError)
            return default
        if isinstance(done, str):
            self.log.append(f"{name}: {done}")
        return done


def deliver(forge: Forge, event: Event, head: Report, base: Report | None) -> Delivered:
    """Comment, remark and check. A step that fails is logged; the others follow where there is a point in it."""
    if event.untrusted:
        # a suggestion is code that one click commits: never from a stranger's hand
        head = replace(head, findings=tuple(replace(one, fix=None) for one in head.findings))
    steps = _Steps()
    files: tuple[Edited, ...] = steps.take("changed files", forge.changed, ())
    change = compare(head, base, files)
    text = body(change, head, base, Subject(event.sha, event.order, event.link, event.base))
    # the check first: by it, runs that race for the one comment know of one another
    steps.take("check", lambda: forge.check(check(change, head, text)), "")
    steps.take("comment", lambda: forge.comment(text, event.order, create=is_worth_saying(change)), "")
    found = remarks(open_ones(change), head.prefix, files)
    if found:
        steps.take("remarks", lambda: forge.review(found), "")
    introduced = replace(head, findings=change.introduced)
    return Delivered(tuple(steps.log), steps.denied, steps.failed, text, introduced)
