"""Where the documentation is read, as far as the package that is installed says so ([project.urls])."""

from __future__ import annotations

import functools

_DISTRIBUTION = "audit"


@functools.cache
def documentation() -> str:
    """The URL that the package gives for its documentation, without a slash at its end; "" if it gives none."""
    from importlib import metadata

    try:
        stated = metadata.metadata(_DISTRIBUTION).get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        return ""
    named: dict[str, str] = {
        label.strip().lower(): url.strip() for label, _, url in (one.partition(",") for one in stated)
    }
    return named.get("documentation", "").rstrip("/")


def rule_page(rule: str) -> str:
    """The URL of a rule's page; "" if there is none, as for a team's own rules."""
    if not documentation():
        return ""
    from auditor.catalog import find_rule
    from auditor.errors import RuleError

    try:
        find_rule(rule)
    except RuleError:
        return ""
    return f"{documentation()}/rules/{rule}.md"
