"""Tests leave nothing behind (what audit remembers of scans goes to a directory of theirs) and bear a busy machine."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

_MEASURING = {"evidence", "samples", "cli", "faults"}
"""Directories whose tests run programs and sample them. Now and then the machine takes the cores away for half of a
run of one second: such a test gets two more attempts, and the summary shows that it needed them."""

# a shell that runs the tests in the background has them ignore the interrupt by which servers are asked to end
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# how long an example takes says something of the machine
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _MEASURING & set(item.path.parent.parts):
            item.add_marker(pytest.mark.flaky(reruns=2))


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
