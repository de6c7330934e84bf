"""Whatever befalls the store's file, no audit fails and nothing is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from auditor.model import VerdictKind, Workload
from auditor.store import Trouble
from auditor.store import database as database_module
from tests.store.keeping import BENCH, MONDAY, TUESDAY, keep, recalled

ROOT = Path(__file__).parents[2]
SIZED = Workload("bench", "python bench.py {n}", "/x", sizes=(1000, 2000, 4000))


WRITER = """
    import sys
    from pathlib import Path
    from auditor.model import Workload
    from tests.store import keeping as t
    t.keep(Path(sys.argv[1]), workload=Workload(sys.argv[2], "c", "/x"))
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_several_audits_at_once_lose_nothing(project: Path) -> None:
    writers = [start(WRITER, project, f"w{number}") for number in range(6)]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors

    assert {one.workload for one in recalled(project)} == {f"w{number}" for number in range(6)}


def test_a_writer_killed_in_its_transaction_leaves_what_was_there(project: Path) -> None:
    keep(project, VerdictKind.CONFIRMED)
    killed = start(
        """
        import sqlite3, sys, time
        db = sqlite3.connect(sys.argv[1], isolation_level=None)
        db.execute("PRAGMA cache_size = 1")
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE verdicts SET kind = 'rejected'")
        big = "x" * 4000
        for n in range(200):  # more than the cache holds, so that it spills into the file
            db.execute(
                "INSERT INTO verdicts SELECT place || ?, workload, command, setting, python, measured, code, alike,"
                " nth, rule, path, symbol, kind, ?, priority, evidence, thresholds,"
                " audit_version FROM verdicts LIMIT 1",
                (n, big),
            )
        print("in the middle", flush=True)
        time.sleep(600)
        """,
        project / ".audit" / "evidence.db",
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == "in the middle\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert (project / ".audit" / "evidence.db-journal").exists()

    assert [one.kind for one in recalled(project)] == [VerdictKind.CONFIRMED]
    keep(project, workload=Workload("after", "c", "/x"))
    assert len(recalled(project)) == 2


def test_a_disk_that_takes_no_more_is_said_and_costs_nothing_stored(project: Path) -> None:
    keep(project, VerdictKind.CONFIRMED)
    size = (project / ".audit" / "evidence.db").stat().st_size
    full = start(
        """
        import resource, sys
        from pathlib import Path
        from auditor.model import Workload
        from auditor.store import Trouble
        from tests.store import keeping as t
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
        try:
            t.keep(Path(sys.argv[1]), workload=Workload("w" * 100_000, "c", "/x"))
        except Trouble as trouble:
            print(trouble)
        """,
        project,
        size,
    )
    said, errors = full.communicate(timeout=120)

    assert "cannot be used" in said, errors
    assert [one.kind for one in recalled(project)] == [VerdictKind.CONFIRMED]


@pytest.mark.parametrize("damage", [b"this is no database at all, not even nearly" * 100, None])
def test_a_damaged_file_is_kept_aside_and_said(project: Path, damage: bytes | None) -> None:
    keep(project)
    file = project / ".audit" / "evidence.db"
    whole = file.read_bytes()
    broken = damage or whole[:4096] + os.urandom(len(whole) - 4096)
    file.write_bytes(broken)

    with pytest.raises(Trouble, match=r"is damaged; it was set aside as evidence\.db\.broken-"):
        keep(project)

    (aside,) = file.parent.glob("*.broken-*")
    assert aside.read_bytes() == broken
    assert not file.exists()
    keep(project)
    assert len(recalled(project)) == 1


FIRST_SCHEMA = """
CREATE TABLE verdicts (
    place TEXT NOT NULL, workload TEXT NOT NULL, command TEXT NOT NULL, measured TEXT NOT NULL, code TEXT NOT NULL,
    rule TEXT NOT NULL, path TEXT NOT NULL, symbol TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL,
    priority TEXT, evidence TEXT NOT NULL, thresholds TEXT NOT NULL, audit_version TEXT NOT NULL,
    PRIMARY KEY (place, workload, command, measured)
) WITHOUT ROWID;
CREATE INDEX by_age ON verdicts (measured);
PRAGMA application_id = 0x61756474;
PRAGMA user_version = 1;
"""


def of_the_first_schema(project: Path, workload: Workload = BENCH) -> Path:
    """The store with one confirmation, as an audit wrote it that knew neither sizes nor versions of Python."""
    keep(project, VerdictKind.CONFIRMED, MONDAY, workload)
    file = project / ".audit" / "evidence.db"
    added = ("setting", "python", "alike", "nth")
    with sqlite3.connect(file) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(verdicts)") if row[1] not in added]
        rows = db.execute(f"SELECT {', '.join(columns)} FROM verdicts").fetchall()
    file.unlink()
    with sqlite3.connect(file) as db:
        db.executescript(FIRST_SCHEMA)
        db.executemany(f"INSERT INTO verdicts ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows)
    return file


def version_of(file: Path) -> int:
    with sqlite3.connect(file) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def test_a_file_of_an_older_audit_is_read_as_it_is_and_brought_up_to_date_by_a_writer(project: Path) -> None:
    file = of_the_first_schema(project)
    before = file.read_bytes()

    assert [(one.kind.value, one.stale, one.python) for one in recalled(project, BENCH)] == [("confirmed", None, "")]
    assert file.read_bytes() == before

    keep(project, VerdictKind.INCONCLUSIVE, TUESDAY)
    (one,) = recalled(project, BENCH)
    assert (one.kind.value, one.later and one.later.kind.value) == ("confirmed", "inconclusive")
    assert version_of(file) == database_module.SCHEMA_VERSION == 3


def test_of_a_file_of_an_older_audit_it_is_not_known_at_which_sizes_it_was_measured(project: Path) -> None:
    of_the_first_schema(project, SIZED)

    assert [one.stale for one in recalled(project, SIZED)] == ["the sizes it was run at were not kept"]


def test_several_audits_at_once_bring_an_older_file_up_to_date_and_lose_nothing(project: Path) -> None:
    file = of_the_first_schema(project)
    writers = [start(WRITER, project, f"w{number}") for number in range(4)]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors

    assert {one.workload for one in recalled(project)} == {"bench", "w0", "w1", "w2", "w3"}
    assert version_of(file) == 3


def test_a_writer_killed_while_it_brings_an_older_file_up_to_date_leaves_that(project: Path) -> None:
    file = of_the_first_schema(project)
    killed = start(
        """
        import sys, time
        from pathlib import Path
        from auditor.store.database import Database
        def half_way(db):
            db.execute("PRAGMA cache_spill = 1")
            print(db.execute("SELECT count(*) FROM verdicts").fetchone()[0], flush=True)
            time.sleep(600)
        Database(Path(sys.argv[1]))._use(half_way, writing=True, empty=None)
        """,
        file,
    )
    assert killed.stdout is not None
    assert killed.stdout.readline() == "1\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)

    assert [one.kind.value for one in recalled(project)] == ["confirmed"]
    assert version_of(file) == 1


def test_a_file_of_a_newer_audit_is_left_as_it_is(project: Path) -> None:
    keep(project)
    file = project / ".audit" / "evidence.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 99")
    before = file.read_bytes()

    for use in (recalled, keep):
        with pytest.raises(Trouble, match=r"newer audit \(schema 99, this one knows 3\).*upgrade"):
            use(project)
    assert file.read_bytes() == before


def test_somebody_elses_database_is_never_written_to(project: Path) -> None:
    (project / ".audit").mkdir()
    file = project / ".audit" / "evidence.db"
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE users (name)")
    before = file.read_bytes()

    with pytest.raises(Trouble, match="no evidence store"):
        keep(project)
    assert file.read_bytes() == before


def test_a_place_that_cannot_hold_a_store_is_said(project: Path) -> None:
    (project / ".audit").write_text("a file where the directory should be")

    with pytest.raises(Trouble, match="cannot be used"):
        keep(project)


def test_rows_that_audit_did_not_write_are_passed_over(project: Path) -> None:
    keep(project)
    keep(project, workload=Workload("other", "c", "/x"))
    with sqlite3.connect(project / ".audit" / "evidence.db") as db:
        db.execute("UPDATE verdicts SET evidence = '[{\"metric\": 1}]', kind = 'nonsense' WHERE workload = 'bench'")

    assert [one.workload for one in recalled(project)] == ["other"]
