"""Worker processes: the same answers as one process, and a death costs one file."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import psutil
import pytest

from auditor.model import Skip
from auditor.scan import FileScan, parallel
from auditor.scan.parallel import RuleSet, Scanned, Scanner
from tests.scan.hostile import hostile_rules, no_rules

QUEUE = "import queue\n\njobs = queue.Queue()\n"
HOSTILE = RuleSet(hostile_rules)


def write(root: Path, count: int, **special: str) -> list[Path]:
    """Files f000.py ... with a suspect each; `special` are files of their own, by stem."""
    for number in range(count):
        (root / f"f{number:03}.py").write_text(QUEUE + "# more\n" * number)
    for stem, word in special.items():
        (root / f"{stem}.py").write_text(f"import queue\n\ndef f({word}):\n    jobs = queue.Queue()\n")
    return sorted(root.glob("*.py"))


def scans(files: list[Path], root: Path, jobs: int, rules: RuleSet = HOSTILE) -> list[FileScan]:
    """The scans in the order of the files."""
    found: dict[int, FileScan] = {}
    scanner = Scanner(root, rules, threading.Event(), jobs)
    try:
        scanner.scan(files, lambda one: found.update({one.index: one.scan}))
    finally:
        scanner.close()
    return [found[index] for index in range(len(files))]


def children() -> set[int]:
    """Processes of this one; other tests may have left the guardian, which lives as long as they do."""
    return {child.pid for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE}


def test_any_number_of_processes_gives_the_same(tmp_path: Path) -> None:
    files = write(tmp_path, 45, loud="chatter")
    before = children()

    alone = scans(files, tmp_path, 1)

    assert scans(files, tmp_path, 3) == alone
    assert [scan.path for scan in alone] == [file.name for file in files]
    assert all(scan.suspects for scan in alone)
    assert children() <= before


def test_processes_stay_for_more_files_and_end_when_the_scanner_is_closed(tmp_path: Path) -> None:
    files = write(tmp_path, 45)
    before = children()
    scanner = Scanner(tmp_path, HOSTILE, threading.Event(), 2)
    found: list[FileScan] = []

    scanner.scan(files, lambda one: found.append(one.scan))
    first = children() - before
    scanner.scan(files[:3], lambda one: found.append(one.scan))
    second = children() - before
    scanner.close()

    assert len(first) == 2
    assert second == first
    assert children() <= before
    assert len(found) == 48


def test_a_process_that_was_killed_while_it_waited_costs_no_file(tmp_path: Path) -> None:
    files = write(tmp_path, 45)
    before = children()
    scanner = Scanner(tmp_path, HOSTILE, threading.Event(), 2)
    found: list[FileScan] = []

    scanner.scan(files, lambda one: None)
    for pid in children() - before:
        process = psutil.Process(pid)
        process.kill()
        process.wait()
    scanner.scan(files[:5], lambda one: found.append(one.scan))
    scanner.close()

    assert all(scan.suspects and not scan.skipped for scan in found)
    assert len(found) == 5


def test_a_worker_that_dies_costs_only_the_file_it_was_on(tmp_path: Path) -> None:
    files = write(tmp_path, 45, f007b="die", f030b="die")

    found = scans(files, tmp_path, 2)

    reason = "the process that scanned it died (signal 11)"
    assert [scan.skipped for scan in found if scan.skipped] == [
        (Skip("f007b.py", reason),),
        (Skip("f030b.py", reason),),
    ]
    assert sum(bool(scan.suspects) for scan in found) == 45


def test_a_file_that_takes_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "FILE_LIMIT_S", 10.0)
    files = write(tmp_path, 40, slow="hang")

    found = scans(files, tmp_path, 2)

    assert found[-1].skipped == (Skip("slow.py", "took more than 10 s"),)
    assert all(scan.suspects for scan in found[:-1])


def test_a_stop_ends_all_processes_at_once(tmp_path: Path) -> None:
    files = write(tmp_path, 40, a="hang", b="hang")
    before = children()
    stop = threading.Event()
    found: list[Scanned] = []

    def note(one: Scanned) -> None:
        found.append(one)
        stop.set()

    began = time.monotonic()
    Scanner(tmp_path, HOSTILE, stop, 3).scan(files, note)

    assert time.monotonic() - began < 120, "the hanging files were waited for"
    assert len(found) < len(files)
    assert children() <= before


def test_rules_that_no_worker_can_load_are_used_in_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_TEST_HERE", str(os.getpid()))
    files = write(tmp_path, 40)

    assert all(scan.suspects for scan in scans(files, tmp_path, 2, RuleSet(no_rules)))


def test_a_large_file_is_scanned_in_a_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "RISKY_BYTES", 10)
    files = write(tmp_path, 0, f="die")

    assert "died" in scans(files, tmp_path, 1)[0].skipped[0].reason
