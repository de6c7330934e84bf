"""What the baseline knows fails nobody; what is new does; what is gone is told. Real repositories, real merges."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from auditor.baseline import Entry, written

from .test_diff import COSTLY, FILLER, HEAD, audit, commit, git, told
from .test_static import audit as run

FILE = "audit-baseline.jsonl"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "pyproject.toml").write_text(f'[tool.audit]\nbaseline = "{FILE}"\n')
    (tmp_path / "a.py").write_text(HEAD + COSTLY.format(name="one") + COSTLY.format(name="two") + FILLER)
    (tmp_path / "b.py").write_text(HEAD + COSTLY.format(name="three"))
    assert run("baseline", cwd=tmp_path).returncode == 0
    commit(tmp_path)
    return tmp_path


def test_what_is_known_fails_nobody_and_is_counted(project: Path) -> None:
    result = run(".", "--fail-on", "suspected", cwd=project)

    assert result.returncode == 0
    assert "3 pre-existing" in result.stdout


def known(project: Path) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in (project / FILE).read_text().splitlines()]
    return [line for line in lines if "path" in line]


def test_the_file_has_one_finding_a_line_and_is_the_same_each_time(project: Path) -> None:
    lines = (project / FILE).read_text().splitlines()

    assert len(known(project)) == 3
    again = run("baseline", cwd=project)
    assert (project / FILE).read_text().splitlines() == lines
    assert "3 known findings (0 new, 0 gone)" in again.stdout


def test_lines_may_move_and_only_a_new_finding_fails(project: Path) -> None:
    (project / "a.py").write_text(HEAD + FILLER + COSTLY.format(name="one") + COSTLY.format(name="two"))
    assert audit(project, ".")[0] == 0

    (project / "a.py").write_text((project / "a.py").read_text() + COSTLY.format(name="four"))
    code, report, _ = audit(project, ".")

    assert code == 1
    assert told(report)["introduced"] == ["a.py:53"]


def test_an_equal_finding_more_in_the_same_function_is_new(project: Path) -> None:
    text = HEAD + "def one():\n    return queue.Queue(), queue.Queue()\n\n\n" + COSTLY.format(name="two") + FILLER
    (project / "a.py").write_text(text)
    code, report, _ = audit(project, ".")

    assert (code, told(report)["introduced"]) == (1, ["a.py:5"])


def test_a_rename_is_followed(project: Path) -> None:
    (project / "pack").mkdir()
    git(project, "mv", "a.py", "pack/c.py")

    for state in ("staged", "committed"):
        code, report, _ = audit(project, ".")
        assert (code, report["fixed"]) == (0, []), state
        if state == "staged":
            git(project, "commit", "-q", "-m", "rename")


def test_a_function_that_went_to_another_file_is_known_there(project: Path) -> None:
    code_of = (project / "a.py").read_text()
    (project / "a.py").write_text("")
    (project / "moved.py").write_text(f"import os\n\n\n{code_of}")

    code, report, _ = audit(project, ".")
    assert (code, report["fixed"], report["findings"]) == (0, [], [])

    (project / "a.py").write_text(code_of)
    code, report, _ = audit(project, ".")
    assert code == 1, "a copy is new"
    assert {place.partition(":")[0] for place in told(report)["introduced"]} == {"moved.py"}


def test_a_copy_is_new_where_the_first_was_not_looked_at(project: Path) -> None:
    (project / "copy.py").write_text((project / "a.py").read_text())

    code, report, _ = audit(project, "copy.py")
    assert (code, len(told(report)["introduced"])) == (1, 2)


def test_what_is_gone_is_fixed_but_not_what_nobody_looked_at(project: Path) -> None:
    (project / "a.py").write_text(HEAD + COSTLY.format(name="one") + FILLER)
    assert told(audit(project, ".")[1])["fixed"] == ["a.py two"]
    assert audit(project, "b.py")[1]["fixed"] == []
    assert audit(project, ".", "--ignore", "unbounded-queue")[1]["fixed"] == []

    (project / "b.py").unlink()
    assert told(audit(project, ".")[1])["fixed"] == ["a.py two", "b.py three"]


def test_it_counts_from_any_directory(project: Path) -> None:
    (project / "sub").mkdir()
    (project / "sub" / "s.py").write_text(HEAD + COSTLY.format(name="s"))
    assert audit(project / "sub", ".")[0] == 1

    assert run("baseline", "sub", cwd=project).returncode == 0

    assert len(known(project)) == 4
    for directory, path in ((project, "."), (project, "sub"), (project / "sub", "."), (project / "sub", "s.py")):
        assert audit(directory, path)[0] == 0


def test_branches_that_both_change_it_merge(project: Path) -> None:
    """Whatever they add to or take from it: what lies beside one another in the source does not in the file."""
    git(project, "checkout", "-q", "-b", "topic")
    (project / "n1.py").write_text(HEAD + COSTLY.format(name="left"))
    (project / "b.py").unlink()
    run("baseline", cwd=project)
    commit(project)
    git(project, "checkout", "-q", "main")
    (project / "n2.py").write_text(HEAD + COSTLY.format(name="right"))
    (project / "a.py").write_text(HEAD + COSTLY.format(name="two"))
    run("baseline", cwd=project)
    commit(project)

    git(project, "merge", "-q", "topic", "-m", "merge")

    code, report, _ = audit(project, ".")
    assert (code, report["fixed"], told(report).get("introduced")) == (0, [], None)
    assert sorted(one["path"] for one in known(project)) == ["a.py", "n1.py", "n2.py"]


def test_few_pairs_of_findings_are_so_near_that_git_asks() -> None:
    entries = [Entry(f"shop/m{n}.py", "unbounded-queue", "f", f"{n}:1", "m") for n in range(2_000)]
    places: dict[str, int] = {}
    for line in written(entries).splitlines():
        if "section" in json.loads(line):
            section = line
        else:
            places[section] = places.get(section, 0) + 1

    assert max(places.values()) < 2_000 / 256 * 4


def test_a_file_without_sections_is_read(project: Path) -> None:
    (project / FILE).write_text("".join(json.dumps(one) + "\n" for one in known(project)))

    assert audit(project, ".")[0] == 0


def test_suppressed_findings_stay_out_of_it(project: Path) -> None:
    (project / "b.py").write_text(HEAD + "q = queue.Queue()  # audit: ignore[unbounded-queue] -- by hand\n")
    run("baseline", cwd=project)

    assert "b.py" not in (project / FILE).read_text()


def test_a_change_is_held_against_it_as_well(project: Path) -> None:
    commit(project, b=HEAD)
    (project / "b.py").write_text(HEAD + COSTLY.format(name="three") + COSTLY.format(name="four"))

    code, report, _ = audit(project, ".", "--diff", "HEAD")

    assert (code, told(report)) == (1, {"introduced": ["b.py:9"], "pre-existing": ["(b.py:5)"]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<<<<<<< HEAD\n", "line 1 is a conflict of a merge"),
        ('{"path": 3}\n', "line 1 is no entry"),
        ("[]\n", "line 1 is no entry"),
        ("[" * 100_000, "line 1 is no entry"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(project: Path, text: str, message: str) -> None:
    (project / FILE).write_text(text)
    result = run(".", cwd=project)

    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_conflict_of_a_merge_is_settled_by_writing_it_anew(project: Path) -> None:
    lines = (project / FILE).read_text().splitlines(keepends=True)
    middle = len(lines) // 2
    both = ["<<<<<<< HEAD\n", *lines[:middle], "||||||| 1234567\n", "=======\n", *lines[middle:], ">>>>>>> topic\n"]
    (project / FILE).write_text("".join(both))
    (project / "c.py").write_text(HEAD + COSTLY.format(name="four"))

    assert "write it anew with `audit baseline`" in run(".", cwd=project).stderr
    assert "4 known findings (1 new, 0 gone)" in run("baseline", "c.py", cwd=project).stdout
    assert run(".", "--fail-on", "suspected", cwd=project).returncode == 0


def test_what_is_no_baseline_is_not_written_over(project: Path) -> None:
    (project / FILE).write_text("a letter\n")

    result = run("baseline", cwd=project)

    assert (result.returncode, (project / FILE).read_text()) == (2, "a letter\n")
    assert "remove that line, or the file" in result.stderr


def test_a_missing_file_is_refused_with_what_to_do(project: Path) -> None:
    (project / FILE).unlink()
    result = run(".", cwd=project)

    assert result.returncode == 2
    assert "audit baseline" in result.stderr
    assert run("baseline", cwd=project).returncode == 0


def test_without_a_setting_it_is_written_and_the_setting_is_told(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(HEAD + COSTLY.format(name="f"))
    result = run("baseline", cwd=tmp_path)

    assert result.returncode == 0
    assert f'baseline = "{FILE}"' in result.stdout


def test_what_is_said_of_a_first_baseline_can_be_followed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text(HEAD + COSTLY.format(name="one"))
    said = run("baseline", "src", cwd=tmp_path).stdout
    advice = textwrap.dedent(said[said.index("  [tool.audit]") :])

    assert "For audit to use it, pyproject.toml needs:" in said
    with (tmp_path / "pyproject.toml").open("a") as file:
        file.write(advice)
    result = run("src", "--fail-on", "suspected", cwd=tmp_path)
    assert (result.returncode, "1 pre-existing" in result.stdout) == (0, True), result.stderr
