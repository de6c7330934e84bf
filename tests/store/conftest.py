"""A project with one suspect in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.keeping import SOURCE


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "m.py").write_text(SOURCE)
    return tmp_path
