"""Reports for people: the transcript of a session and the list of findings."""

import re
from collections.abc import Iterable

from workflow_engine.consolidator import Finding


class Transcript:
    """The log of a session as one text, which may be read at any time."""

    def __init__(self) -> None:
        self.text = ""
        self.lines = 0

    def extend(self, lines: Iterable[str]) -> None:
        """Add lines at the end."""
        for line in lines:
            self.text += f"{line}\n"
            self.lines += 1


def slug(title: str) -> str:
    """Return a title in the form that anchors have."""
    gaps = re.compile(r"[^a-z0-9]+")
    return gaps.sub("-", title.lower()).strip("-")


def render_report(findings: Iterable[Finding]) -> str:
    """Return a Markdown list with a link for every finding."""
    return "\n".join(f"- [{item.title}](#{slug(item.title)}-{item.number})" for item in findings)
