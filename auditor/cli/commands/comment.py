"""`audit comment`: say on a pull or merge request what its change introduced and fixed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import AuditError

if TYPE_CHECKING:
    from auditor.bot.deliver import Delivered, Forge
    from auditor.bot.event import Event


def run(arguments: Sequence[str]) -> int:
    """Comment from inside a CI job and return 0, even where the token allowed nothing but the job summary.

    Returns 2 if the forge could not be reached or refused for another reason; the job summary has the result then, too.

    Raises:
        BotError: the job belongs to no pull request.
        ReportError: a report cannot be read.
    """
    parser = argparse.ArgumentParser(
        prog="audit comment",
        description="Say on the pull request of this CI job what its change introduced and fixed: one comment that is"
        " kept up to date, remarks on changed lines, a check. Nothing is run, and no file of the project is read.",
    )
    parser.add_argument("head", type=Path, metavar="HEAD.json", help="report on the change")
    parser.add_argument("--base", type=Path, metavar="BASE.json", help="report on what it is compared with")
    parser.add_argument("--gitlab", action="store_true", help="a GitLab merge request (default: GitHub)")
    options = parser.parse_args(arguments)
    from auditor.bot.artifact import load_report
    from auditor.bot.event import github_event, gitlab_event

    event = gitlab_event(os.environ) if options.gitlab else github_event(os.environ)
    head = load_report(options.head)
    base = load_report(options.base) if options.base else None
    forge = _forge(event, gitlab=options.gitlab)
    from auditor.bot.deliver import deliver

    delivered = deliver(forge, event, head, base)
    for line in delivered.log:
        print(f"audit comment: {line}", file=sys.stderr)
    _summarise(delivered)
    return AuditError.exit_code if delivered.failed else 0


def _forge(event: Event, *, gitlab: bool) -> Forge:
    from auditor.bot.event import BotError

    try:
        if gitlab:
            from auditor.bot.gitlab import GitLabForge

            return GitLabForge(event)
        from auditor.bot.github import GitHubForge

        return GitHubForge(event)
    except ModuleNotFoundError as error:
        raise BotError(f'{error.name} is not installed; install it with: pip install "audit[bot]"') from error


def _summarise(delivered: Delivered) -> None:
    """The job summary gets the comment; where the forge took less, annotations take its place."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(delivered.text + "\n")
    if delivered.denied or delivered.failed:
        where = "the job summary and annotations" if summary else "annotations"
        why = "the token may not do all of it" if delivered.denied else "not all of it arrived"
        print(f"audit comment: {why}, so {where} have the result", file=sys.stderr)
        from auditor.report import reporters

        sys.stdout.write(reporters()["github"].render(delivered.introduced))
