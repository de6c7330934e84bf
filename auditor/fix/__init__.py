"""Fixes of what was found: LibCST nodes in, edits of the file's text out, each checked before it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditor.fix.project import Fixes, fix_all, with_fixes

__all__ = ["Fixes", "fix_all", "with_fixes"]


def __getattr__(name: str) -> Any:
    # an audit that fixes nothing is not to wait for the import of LibCST
    if name in __all__:
        from auditor.fix import project

        return getattr(project, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
