"""What commands beside `audit PATH...` take from the project's settings."""

from __future__ import annotations

from pathlib import Path


def team_sources(project: Path) -> tuple[str, ...]:
    """Directories of a team's rules: those of the nearest pyproject.toml, and those of installed packages.

    Raises:
        AuditError: the settings are unusable, or an installed package is broken.
    """
    from auditor.catalog import sources_of_rules
    from auditor.config import load_config

    return sources_of_rules(load_config(project).rules)
