"""Python's cyclic collector while files are scanned."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected(lasting: bool = False) -> Iterator[None]:
    """Without the collector, which would walk trees and outlines many times while they grow.

    They hold no cycles; what little garbage there is besides, such as tracebacks, goes at the end. If what was made is
    `lasting`, it is not even looked at.
    """
    enabled = gc.isenabled()
    gc.disable()
    _age()
    try:
        yield
    finally:
        if lasting:
            _age()
        else:
            # the young only: what is older was there before, and is not worth another walk
            gc.collect(0)
        if enabled:
            gc.enable()


def _age() -> None:
    """Count all there is as old, without a walk. Where a program has frozen objects, they stay so."""
    if not gc.get_freeze_count():
        gc.freeze()
        gc.unfreeze()
