"""Python's cyclic collector while files are scanned."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Without the collector, which would walk trees and outlines many times while they grow.

    They hold no cycles; what little garbage there is besides, such as tracebacks, goes at the end.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        # the young only: what is older was there before, and is not worth another walk
        gc.collect(0)
        if enabled:
            gc.enable()
