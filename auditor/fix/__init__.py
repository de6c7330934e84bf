"""Fixes of what was found: LibCST nodes in, edits of the file's text out, each checked before it counts."""

from __future__ import annotations

from auditor.fix.project import Fixes, fix_all, with_fixes

__all__ = ["Fixes", "fix_all", "with_fixes"]
