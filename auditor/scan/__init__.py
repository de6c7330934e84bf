"""Files in, suspects out: a quick gate over `ast` finds candidates, LibCST rules decide on small slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.scan.files import discover
from auditor.scan.record import FileScan

if TYPE_CHECKING:
    from auditor.scan.engine import Engine

__all__ = ["Engine", "FileScan", "discover"]


def __getattr__(name: str) -> Any:
    # a run that the cache answers needs no engine, and is not to wait for its import
    if name == "Engine":
        from auditor.scan.engine import Engine

        return Engine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
