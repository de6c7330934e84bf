"""`audit hook`: what a hook of pre-commit runs: static rules and remembered evidence, on what is new in the change."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

_WAYS_OUT = """\
What is new in the change blocks it until it is measured and rejected (audit PATH --run "COMMAND"), or set aside:
  # audit: ignore[RULE] -- reason"""

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def run(arguments: Sequence[str]) -> int:
    """Audit the change under way, or the one that pre-commit names, and return the exit code of `audit PATH...`.

    Raises:
        AuditError: a path, rule or setting is unusable, or git does not answer.
    """
    from auditor.cli.audit import run as audit

    code = audit(["--static", "--fail-on", "suspected", "--diff", _revision(), *arguments])
    if code == 1:
        print(_WAYS_OUT, file=sys.stderr)
    return code


def _revision() -> str:
    """What the change started from; before the first commit, nothing."""
    from auditor.history import is_revision

    # `pre-commit run --from-ref A --to-ref B` is about what B has done since it left A
    named = os.environ.get("PRE_COMMIT_FROM_REF")
    if named:
        return f"{named}..."
    return "HEAD" if is_revision(Path.cwd(), "HEAD") else _EMPTY_TREE
