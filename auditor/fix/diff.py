"""A change of a file as a diff that `git apply` and `patch` take."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def unified(path: str, before: Sequence[str], after: Sequence[str]) -> str:
    """The unified diff of two versions of the file, "" if they are equal. Lines keep their own ends."""
    lines = difflib.unified_diff(before, after, f"a/{path}", f"b/{path}", lineterm="\n")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
