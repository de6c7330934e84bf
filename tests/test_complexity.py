"""Effort follows complexity."""

from __future__ import annotations

import pytest

from auditor.complexity import effort_of
from auditor.model import Effort


@pytest.mark.parametrize(
    ("complexity", "effort"),
    [
        (None, None),
        (1, Effort.LOW),
        (10, Effort.LOW),
        (11, Effort.MEDIUM),
        (20, Effort.MEDIUM),
        (21, Effort.HIGH),
        (61, Effort.HIGH),
    ],
)
def test_effort_follows_radons_ranks(complexity: int | None, effort: Effort | None) -> None:
    assert effort_of(complexity) is effort
