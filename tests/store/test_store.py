"""Verdicts are found again as long as they hold, and whatever befalls the file, no audit fails and nothing is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.model import Evidence, Priority, Remembered, Span, Suspect, Verdict, VerdictKind, Workload
from auditor.store import Location, Measured, Store, Trouble, codes, locate
from auditor.store import database as database_module

ROOT = Path(__file__).parents[2]
SOURCE = "def f(rows):\n    return sorted(rows)[0]\n"
SUSPECT = Suspect("sort-for-extreme", "m.py", Span(2, 12, 2, 24), "f", "message", "print", ())
BENCH = Workload("bench", "python bench.py", "/x")
ROW = Evidence("seconds", 0.0002, 0.0001, float("inf"), "s", 3, "probes", "bench", 0.05)
LIMITS = {"seconds": 0.05, "share": 0.02}
MONDAY, TUESDAY = "2026-11-02T10:00:00+00:00", "2026-11-03T10:00:00+00:00"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "m.py").write_text(SOURCE)
    return tmp_path


def a_store(project: Path, **limits: float) -> Store:
    return Store(Location(project / ".audit" / "evidence.db", project), [SUSPECT], project, {**LIMITS, **limits})


def keep(
    project: Path,
    kind: VerdictKind = VerdictKind.REJECTED,
    when: str = MONDAY,
    workload: Workload = BENCH,
    priority: Priority | None = None,
) -> None:
    verdict = Verdict(kind, "0.2 ms of 41 s.", (ROW,))
    a_store(project).remember(
        [Measured(SUSPECT, codes([SUSPECT], project)["print"], workload, verdict, priority)], when, "1"
    )


def recalled(project: Path, *workloads: Workload, **limits: float) -> tuple[Remembered, ...]:
    return a_store(project, **limits).recall(workloads).get("print", ())


def test_what_was_measured_is_recalled_whole(project: Path) -> None:
    keep(project, VerdictKind.CONFIRMED, priority=Priority.P1)

    (one,) = recalled(project, BENCH)

    assert one == Remembered(
        VerdictKind.CONFIRMED, "0.2 ms of 41 s.", MONDAY, "bench", "python bench.py", Priority.P1, (ROW,), None
    )


def test_changed_code_makes_it_stale_and_changing_back_makes_it_hold_again(project: Path) -> None:
    keep(project)
    (project / "m.py").write_text(SOURCE.replace("(rows):", "(rows, key=None):"))

    (stale,) = recalled(project)
    (project / "m.py").write_text("# above\n" + SOURCE)
    moved = replace(SUSPECT, span=Span(3, 12, 3, 24))
    store = Store(Location(project / ".audit" / "evidence.db", project), [moved], project, LIMITS)

    assert stale.stale == "the code has changed since"
    assert store.recall()["print"][0].stale is None


def test_other_thresholds_or_another_command_make_it_stale(project: Path) -> None:
    keep(project)

    assert recalled(project, share=0.001)[0].stale == "the thresholds have changed since"
    assert recalled(project, growth=0.5)[0].stale is None
    changed = replace(BENCH, command="python bench.py -n 9")
    assert recalled(project, changed)[0].stale == "the workload's command has changed since"


def test_the_last_verdict_on_the_present_code_counts(project: Path) -> None:
    keep(project, VerdictKind.CONFIRMED, TUESDAY)
    keep(project, VerdictKind.REJECTED, MONDAY)
    (project / "m.py").write_text(SOURCE.replace("[0]", "[ 1 - 1 ]"))
    keep(project, VerdictKind.INCONCLUSIVE, "2026-11-04T10:00:00+00:00")
    (project / "m.py").write_text(SOURCE)

    assert [one.kind for one in recalled(project)] == [VerdictKind.CONFIRMED]


def test_workloads_stand_side_by_side_the_weightiest_first(project: Path) -> None:
    keep(project, VerdictKind.REJECTED, TUESDAY)
    keep(project, VerdictKind.CONFIRMED, MONDAY, Workload("smoke", "pytest", "/x"))

    assert [(one.workload, one.kind.value) for one in recalled(project)] == [
        ("smoke", "confirmed"),
        ("bench", "rejected"),
    ]


def test_that_nothing_could_be_measured_is_not_remembered(project: Path) -> None:
    keep(project, VerdictKind.CONFIRMED)
    keep(project, VerdictKind.NOT_MEASURABLE, TUESDAY)

    assert [one.kind for one in recalled(project)] == [VerdictKind.CONFIRMED]


def test_the_file_lies_in_the_project_and_is_hidden_from_git(project: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    (project / "pkg").mkdir()
    keep(project)

    assert locate(project / "pkg").file == project / ".audit" / "evidence.db"
    status = subprocess.run(["git", "status", "--porcelain"], cwd=project, capture_output=True, text=True, check=True)
    assert status.stdout == "?? m.py\n"


def test_reading_makes_no_file(project: Path) -> None:
    assert recalled(project) == ()
    assert not (project / ".audit").exists()


def test_old_verdicts_give_way_to_new_ones(project: Path) -> None:
    for day in range(1, 21):
        keep(project, when=f"2026-10-{day:02}T00:00:00+00:00")

    with sqlite3.connect(project / ".audit" / "evidence.db") as db:
        kept = [row[0] for row in db.execute("SELECT measured FROM verdicts ORDER BY measured")]
    assert len(kept) == database_module.KEPT
    assert kept[-1].startswith("2026-10-20")


def test_names_that_are_not_utf8_are_kept(project: Path) -> None:
    keep(project, workload=Workload("w\udcff", "python b\udcff.py", "/x"))

    assert recalled(project)[0].workload == "w\\udcff"


# ------------------------------------------------------------------------------------------------
# Trouble


WRITER = """
    import sys
    from pathlib import Path
    from auditor.model import Workload
    from tests.store import test_store as t
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
                "INSERT INTO verdicts SELECT place || ?, workload, command, measured, code, rule, path, symbol, kind,"
                " ?, priority, evidence, thresholds, audit_version FROM verdicts LIMIT 1",
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
        from tests.store import test_store as t
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


def test_a_file_of_a_newer_audit_is_left_as_it_is(project: Path) -> None:
    keep(project)
    file = project / ".audit" / "evidence.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA user_version = 99")
    before = file.read_bytes()

    for use in (recalled, keep):
        with pytest.raises(Trouble, match=r"newer audit \(schema 99, this one knows 1\).*upgrade"):
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
