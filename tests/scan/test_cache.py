"""The cache gives what a scan would give, and its troubles are nobody else's."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from auditor.catalog import chosen_rules
from auditor.rule import Rule
from auditor.scan import FileScan, cache, discover
from auditor.scan.parallel import RuleSet
from auditor.scan.project import Project

QUEUE = "import queue\n\njobs = queue.Queue()\n"
SELECT = (("unbounded-queue",), ())
CHOSEN = RuleSet(chosen_rules, SELECT)


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache's own directory."""
    monkeypatch.setenv("AUDIT_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A directory with one suspect, last changed long ago."""
    root = tmp_path / "code"
    root.mkdir()
    write(root / "a.py", QUEUE)
    write(root / "b.py", "x = 1\n")
    return root


def write(file: Path, text: str) -> None:
    file.write_text(text)
    os.utime(file, (time.time() - 100, time.time() - 100))


def scan(root: Path, rules: RuleSet = CHOSEN) -> list[FileScan]:
    project = Project(discover([root]), rules)
    try:
        project.expectations()
        return project.scan()
    finally:
        project.close()


def unloadable(_select: tuple[str, ...], _ignore: tuple[str, ...]) -> tuple[Rule, ...]:
    raise AssertionError("the rules were loaded")


def sealed() -> RuleSet:
    """The same rules by name, which fail if they are loaded."""
    unloadable.__module__, unloadable.__qualname__ = chosen_rules.__module__, chosen_rules.__qualname__
    return RuleSet(unloadable, SELECT)


def test_an_unchanged_file_is_not_scanned_again(code: Path) -> None:
    first = scan(code)

    assert scan(code, sealed()) == first
    assert [len(one.suspects) for one in first] == [1, 0]


def test_an_unchanged_content_is_not_scanned_again(code: Path) -> None:
    first = scan(code)
    os.utime(code / "a.py")

    assert scan(code, sealed()) == first


def test_a_changed_file_is_scanned(code: Path) -> None:
    scan(code)
    write(code / "b.py", QUEUE)

    assert [len(one.suspects) for one in scan(code)] == [1, 1]


def test_a_change_within_the_clocks_grain_is_seen(code: Path) -> None:
    (code / "b.py").write_text("x = 1\n")
    # as late as the scan may come on a busy machine
    os.utime(code / "b.py", (time.time() + 60, time.time() + 60))
    scan(code)
    found = (code / "b.py").stat()
    (code / "b.py").write_text("x = 2\n# y"[: found.st_size])
    os.utime(code / "b.py", ns=(found.st_atime_ns, found.st_mtime_ns))

    with pytest.raises(AssertionError, match="rules were loaded"):
        scan(code, sealed())


def test_other_rules_have_scans_of_their_own(code: Path) -> None:
    scan(code)

    assert not scan(code, RuleSet(chosen_rules, (("leaked-task",), ())))[0].suspects


@pytest.mark.parametrize("damage", [b"", b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_replaced(code: Path, directory: Path, damage: bytes) -> None:
    first = scan(code)
    (file,) = directory.glob("*.db")
    file.write_bytes(damage)

    assert scan(code) == first
    assert scan(code) == first
    assert scan(code, sealed()) == first


def test_a_half_damaged_file_does_no_harm(code: Path, directory: Path) -> None:
    first = scan(code)
    (file,) = directory.glob("*.db")
    data = bytearray(file.read_bytes())
    for start in range(4096, len(data), 512):
        data[start : start + 100] = b"\xa5" * 100
    file.write_bytes(data)

    assert [scan(code), scan(code)] == [first, first]


def test_records_of_another_shape_are_scanned_again(code: Path, directory: Path) -> None:
    first = scan(code)
    (file,) = directory.glob("*.db")
    with sqlite3.connect(file) as db:
        db.execute("UPDATE scans SET scan = '[1, 2]'")
        db.execute("UPDATE notes SET note = '{'")

    assert scan(code) == first


def test_a_directory_that_cannot_be_made_is_done_without(code: Path, directory: Path) -> None:
    directory.write_text("a file stands in the way")

    assert len(scan(code)[0].suspects) == 1


def test_a_locked_file_is_done_without(code: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_WAIT_S", 0.1)
    scan(code)
    (file,) = directory.glob("*.db")
    write(code / "b.py", QUEUE)
    with sqlite3.connect(file, isolation_level=None) as db:
        db.execute("BEGIN EXCLUSIVE")

        assert [len(one.suspects) for one in scan(code)] == [1, 1]


def test_what_was_not_used_for_longest_goes_first(code: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan(code)
    (file,) = directory.glob("*.db")
    with sqlite3.connect(file) as db:
        db.executemany("INSERT INTO scans VALUES (?, ?, 1)", [(b"%d" % n, "x" * 1000) for n in range(2000)])
        today = db.execute("SELECT max(day) FROM scans").fetchone()[0]
        db.executemany("INSERT INTO notes VALUES (?, 'used today', ?)", [(b"%d" % n, today) for n in range(20)])
    monkeypatch.setattr(cache, "MAX_BYTES", 2**20)
    write(code / "b.py", QUEUE)
    first = scan(code)

    with sqlite3.connect(file) as db:
        assert db.execute("SELECT count(*) FROM scans WHERE day = 1").fetchone()[0] < 1100
        assert db.execute("SELECT count(*) FROM notes WHERE note = 'used today'").fetchone()[0] == 20
    assert scan(code, sealed()) == first


def test_notes_that_were_not_used_for_a_month_go(code: Path, directory: Path) -> None:
    scan(code)
    (file,) = directory.glob("*.db")
    with sqlite3.connect(file) as db:
        db.execute("UPDATE notes SET day = day - 1")
        kept = db.execute("SELECT count(*) FROM notes").fetchone()[0]
        db.execute("INSERT INTO notes SELECT x'00', 'old', max(day) - 31 FROM scans")
    scan(code)

    with sqlite3.connect(file) as db:
        assert db.execute("SELECT count(*), max(note = 'old') FROM notes").fetchone() == (kept, 0)


def test_several_audits_share_the_cache_and_a_warm_one_loads_nothing_heavy(code: Path) -> None:
    program = (
        "import sys; from auditor.cli import main; code = main(sys.argv[1:]);"
        "print('HEAVY', sorted({'libcst', 'auditor.scan.engine', 'audit_rule_unbounded_queue'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, str(code / "b.py"), "--static", "--format", "json"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for process in running:
        assert "HEAVY" in process.communicate()[0]

    warm = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "HEAVY []" in warm.stdout
    assert warm.stderr == ""


def test_no_cache_leaves_it_alone(code: Path, directory: Path) -> None:
    from auditor.cli import main

    assert main([str(code), "--static", "--no-cache", "--format", "json"]) == 0
    assert not directory.exists()
