"""Evidence goes where the code goes that it was measured on, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from auditor.model import Span, Suspect, Verdict, VerdictKind
from auditor.store import Location, Measured, Store, codes
from tests.store.keeping import BENCH, LIMITS, MONDAY, ROW

FUNCTION = "def f(rows):\n    return sorted(rows)[0]\n"
LOOP = "for row in {name}:\n    rows.pop(0)\n"


def suspects(project: Path, symbol: str = "f", text: str = "sorted(rows)") -> list[Suspect]:
    """One for each time that the text stands in a file of the project."""
    return [
        Suspect(
            "r",
            file.name,
            Span(number, start + 1, number, start + 1 + len(text)),
            symbol,
            "",
            f"{file.stem}:{number}",
            (),
        )
        for file in sorted(project.glob("*.py"))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if (start := line.find(text)) >= 0
    ]


def a_store(project: Path, found: list[Suspect]) -> Store:
    return Store(Location(project / "evidence.db", project), found, project, LIMITS)


def measure(project: Path, found: list[Suspect], *kinds: VerdictKind) -> None:
    code = codes(found, project)
    verdicts = zip(found, kinds or [VerdictKind.REJECTED] * len(found), strict=True)
    a_store(project, found).remember(
        [
            Measured(one, code[one.fingerprint], BENCH, "3.11", Verdict(kind, "0.2 ms.", (ROW,)), None)
            for one, kind in verdicts
        ],
        MONDAY,
        "1",
    )


def known(project: Path, found: list[Suspect]) -> dict[str, tuple[str, str, bool]]:
    """By fingerprint: the verdict, the file in which it was measured if that was another one, and whether it holds."""
    told = a_store(project, found).recall()
    return {name: (one.kind.value, one.path, one.stale is None) for name, (one, *_rest) in told.items()}


def test_it_goes_into_a_renamed_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(FUNCTION)
    measure(tmp_path, suspects(tmp_path))
    (tmp_path / "a.py").rename(tmp_path / "b.py")

    assert known(tmp_path, suspects(tmp_path)) == {"b:2": ("rejected", "a.py", True)}


def test_it_goes_with_a_function_that_is_moved_to_another_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(FUNCTION + "X = 1\n")
    measure(tmp_path, suspects(tmp_path))
    (tmp_path / "a.py").write_text("X = 1\n")
    (tmp_path / "b.py").write_text("# here now\n" + FUNCTION)

    assert known(tmp_path, suspects(tmp_path)) == {"b:3": ("rejected", "a.py", True)}


def test_a_copy_has_to_be_measured_by_itself(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(FUNCTION)
    measure(tmp_path, suspects(tmp_path))
    (tmp_path / "b.py").write_text(FUNCTION)
    both = suspects(tmp_path)

    assert known(tmp_path, both) == {"a:2": ("rejected", "", True)}
    # a hook is given changed files alone
    assert known(tmp_path, both[1:]) == {}


def test_code_that_went_to_two_places_is_measured_in_neither(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(FUNCTION)
    measure(tmp_path, suspects(tmp_path))
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    (tmp_path / "c.py").write_text(FUNCTION)

    assert known(tmp_path, suspects(tmp_path)) == {}


def test_code_that_was_changed_on_its_way_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(FUNCTION)
    measure(tmp_path, suspects(tmp_path))
    (tmp_path / "a.py").unlink()
    (tmp_path / "b.py").write_text(FUNCTION.replace("[0]", "[1]"))

    assert known(tmp_path, suspects(tmp_path)) == {}


def test_equal_lines_of_one_function_keep_theirs(tmp_path: Path) -> None:
    text = "def f(rows):\n    a = sorted(rows)[0]\n    return sorted(rows)[a]\n"
    (tmp_path / "a.py").write_text(text)
    measure(tmp_path, suspects(tmp_path), VerdictKind.CONFIRMED, VerdictKind.REJECTED)
    (tmp_path / "a.py").rename(tmp_path / "m.py")

    found = known(tmp_path, suspects(tmp_path))

    assert {name: kind for name, (kind, _, _) in found.items()} == {"m:2": "confirmed", "m:3": "rejected"}


def test_in_its_own_file_it_goes_with_the_code_and_not_with_the_order(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(LOOP.format(name="one") + LOOP.format(name="two"))
    measure(tmp_path, suspects(tmp_path, "", "rows.pop(0)"), VerdictKind.CONFIRMED, VerdictKind.REJECTED)
    (tmp_path / "a.py").write_text(LOOP.format(name="new") + LOOP.format(name="one") + LOOP.format(name="two"))

    found = known(tmp_path, suspects(tmp_path, "", "rows.pop(0)"))

    assert found == {"a:2": ("confirmed", "", False), "a:4": ("confirmed", "", True), "a:6": ("rejected", "", True)}


def test_one_copy_more_in_its_own_file_is_not_measured(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(LOOP.format(name="one"))
    measure(tmp_path, suspects(tmp_path, "", "rows.pop(0)"))
    (tmp_path / "a.py").write_text(LOOP.format(name="one") * 2)

    assert known(tmp_path, suspects(tmp_path, "", "rows.pop(0)")) == {"a:2": ("rejected", "", True)}


def test_what_was_measured_anew_at_the_new_place_counts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(FUNCTION)
    measure(tmp_path, suspects(tmp_path), VerdictKind.CONFIRMED)
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    measure(tmp_path, suspects(tmp_path), VerdictKind.REJECTED)

    assert known(tmp_path, suspects(tmp_path)) == {"b:2": ("rejected", "", True)}
