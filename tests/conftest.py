"""Tests leave nothing behind: what audit remembers of scans goes to a directory of theirs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def own_cache() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="audit-cache-") as directory:
        before = os.environ.get("AUDIT_CACHE_DIR")
        os.environ["AUDIT_CACHE_DIR"] = directory
        yield
        if before is None:
            del os.environ["AUDIT_CACHE_DIR"]
        else:
            os.environ["AUDIT_CACHE_DIR"] = before
