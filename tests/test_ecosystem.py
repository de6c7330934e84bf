"""The ecosystem run compares with its record, and tells of rules that fail."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import benchmarks.ecosystem.__main__ as ecosystem

QUEUE = "import queue\n\njobs = queue.Queue()\n"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two packages that were downloaded before, one suspect each; nothing is recorded yet."""
    (tmp_path / "packages.txt").write_text("# a remark\none==1\ntwo==2\n")
    monkeypatch.setattr(ecosystem, "PINNED", tmp_path / "packages.txt")
    monkeypatch.setattr(ecosystem, "RECORDED", tmp_path / "recorded.txt")
    for name in ("one==1", "two==2"):
        (tmp_path / "store" / name).mkdir(parents=True)
        (tmp_path / "store" / name / "m.py").write_text(QUEUE)
    return tmp_path / "store"


def run(store: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["ecosystem", "--store", str(store), *arguments])
    return ecosystem.main()


def test_a_recorded_run_is_what_the_next_is_compared_with(
    store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(store, monkeypatch, "--record") == 0
    (store / "two==2" / "m.py").write_text(f"\n{QUEUE}")
    capsys.readouterr()

    assert run(store, monkeypatch) == 0

    shown = capsys.readouterr().out
    assert "unbounded-queue                         2         285.7143   +1 -1" in shown
    assert "+ unbounded-queue  two m.py:4" in shown
    assert "- unbounded-queue  two m.py:3" in shown


def test_recording_some_packages_keeps_what_is_known_of_the_others(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store, monkeypatch, "--record")
    (store / "two==2" / "m.py").write_text("x = 1\n")
    run(store, monkeypatch, "--record", "--only", "two")

    assert ecosystem.RECORDED.read_text() == "one unbounded-queue m.py:3\n"


def test_an_unknown_package_is_refused(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="three; there are one, two"):
        run(store, monkeypatch, "--only", "three")
