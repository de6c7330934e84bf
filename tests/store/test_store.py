"""Verdicts are found again as long as they hold, each under what it was measured with."""

from __future__ import annotations

import sqlite3
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.model import Later, Priority, Remembered, Service, Span, VerdictKind, Workload
from auditor.store import Location, Store, locate
from auditor.store import database as database_module
from tests.store.keeping import BENCH, KINDS, LIMITS, MONDAY, ROW, SOURCE, SUSPECT, TUESDAY, keep, recalled


def test_what_was_measured_is_recalled_whole(project: Path) -> None:
    keep(project, VerdictKind.CONFIRMED, priority=Priority.P1)

    (one,) = recalled(project, BENCH)

    assert one == Remembered(
        VerdictKind.CONFIRMED, "0.2 ms of 41 s.", MONDAY, "bench", "python bench.py", Priority.P1, (ROW,), python="3.11"
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


WEAKER = [
    (strong, weak)
    for strong in (VerdictKind.CONFIRMED, VerdictKind.REJECTED, VerdictKind.INCONCLUSIVE, VerdictKind.NOT_EXERCISED)
    for weak in (VerdictKind.INCONCLUSIVE, VerdictKind.NOT_EXERCISED, VerdictKind.NOT_MEASURABLE)
    if KINDS.index(weak) > KINDS.index(strong) or weak is VerdictKind.NOT_MEASURABLE or strong is VerdictKind.REJECTED
]


@pytest.mark.parametrize(("strong", "weak"), WEAKER)
def test_what_could_say_less_later_stands_beside_what_was_known(
    project: Path, strong: VerdictKind, weak: VerdictKind
) -> None:
    keep(project, strong, MONDAY)
    keep(project, weak, TUESDAY)

    (one,) = recalled(project)

    assert (one.kind, one.measured, one.stale) == (strong, MONDAY, None)
    assert one.later == Later(weak, "0.2 ms of 41 s.", TUESDAY)


@pytest.mark.parametrize(("weak", "strong"), [(weak, strong) for strong, weak in WEAKER])
def test_what_can_say_more_later_takes_the_place_of_what_was_known(
    project: Path, weak: VerdictKind, strong: VerdictKind
) -> None:
    keep(project, weak, MONDAY)
    keep(project, strong, TUESDAY)

    (one,) = recalled(project)

    assert (one.kind, one.measured, one.later) == (strong, TUESDAY, None)


@pytest.mark.parametrize("kinds", [("confirmed", "rejected"), ("rejected", "confirmed")])
def test_of_two_that_decide_the_last_holds(project: Path, kinds: tuple[str, str]) -> None:
    for kind, when in zip(kinds, (MONDAY, TUESDAY), strict=True):
        keep(project, VerdictKind(kind), when)

    assert [(one.kind.value, one.later) for one in recalled(project)] == [(kinds[1], None)]


def test_what_could_say_less_about_changed_code_leaves_no_older_verdict_standing(project: Path) -> None:
    keep(project, VerdictKind.CONFIRMED, MONDAY)
    (project / "m.py").write_text(SOURCE.replace("[0]", "[ 1 - 1 ]"))
    keep(project, VerdictKind.INCONCLUSIVE, TUESDAY)

    assert [(one.kind.value, one.stale) for one in recalled(project)] == [("inconclusive", None)]
    (project / "m.py").write_text(SOURCE.replace("[0]", "[-1]"))
    assert [(one.kind.value, one.stale) for one in recalled(project)] == [
        ("inconclusive", "the code has changed since")
    ]


def test_that_nothing_could_be_measured_is_by_itself_no_evidence(project: Path) -> None:
    keep(project, VerdictKind.NOT_MEASURABLE)

    assert recalled(project) == ()


def test_many_weak_verdicts_do_not_push_a_strong_one_out(project: Path) -> None:
    keep(project, VerdictKind.CONFIRMED, MONDAY)
    for day in range(1, 29):
        keep(project, VerdictKind.INCONCLUSIVE, f"2027-02-{day:02}T00:00:00+00:00")

    (one,) = recalled(project)
    assert one.kind is VerdictKind.CONFIRMED
    assert one.later is not None
    assert one.later.measured.startswith("2027-02-28")


# ------------------------------------------------------------------------------------------------
# What a workload is


SIZED = Workload("bench", "python bench.py {n}", "/x", sizes=(1000, 2000, 4000))
SERVED = Workload(
    "bench", "python app.py", "/x", service=Service("python app.py", "http://127.0.0.1/", "python load.py")
)
OTHERWISE = [
    (SIZED, replace(SIZED, sizes=(1000, 2000, 8000))),
    (SIZED, replace(SIZED, sizes=())),
    (SERVED, replace(SERVED, service=Service("python app.py", "http://127.0.0.1/", "python load.py -n 9"))),
    (SERVED, replace(SERVED, service=Service("python app.py", "tcp://127.0.0.1:9", "python load.py"))),
    (SERVED, replace(SERVED, service=None)),
]


@pytest.mark.parametrize(("former", "present"), OTHERWISE)
def test_other_sizes_or_another_service_make_another_workload(
    project: Path, former: Workload, present: Workload
) -> None:
    keep(project, VerdictKind.CONFIRMED, MONDAY, former)

    assert [one.stale for one in recalled(project, former)] == [None]
    assert [one.stale for one in recalled(project, present)] == ["the workload's sizes or service have changed since"]
    keep(project, VerdictKind.REJECTED, TUESDAY, present)
    # neither is configured: each stands for itself
    assert {(one.kind.value, one.sizes) for one in recalled(project)} == {
        ("confirmed", former.sizes),
        ("rejected", present.sizes),
    }
    assert [one.kind.value for one in recalled(project, present)] == ["rejected"]
    assert [one.kind.value for one in recalled(project, former)] == ["confirmed"]


def test_verdicts_under_different_pythons_stand_side_by_side(project: Path) -> None:
    keep(project, VerdictKind.CONFIRMED, MONDAY, python="3.8")
    keep(project, VerdictKind.REJECTED, TUESDAY, python="3.13")
    keep(project, VerdictKind.INCONCLUSIVE, "2026-11-04T10:00:00+00:00", python="3.8")

    assert [(one.python, one.kind.value, one.later is not None) for one in recalled(project, BENCH)] == [
        ("3.8", "confirmed", True),
        ("3.13", "rejected", False),
    ]


def test_a_run_of_which_no_python_was_reached_is_said_beside_each(project: Path) -> None:
    keep(project, VerdictKind.CONFIRMED, MONDAY)
    keep(project, VerdictKind.NOT_MEASURABLE, TUESDAY, python="")

    (one,) = recalled(project)
    assert (one.kind, one.python) == (VerdictKind.CONFIRMED, "3.11")
    assert one.later is not None
    assert one.later.kind is VerdictKind.NOT_MEASURABLE


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
