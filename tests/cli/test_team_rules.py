"""A team's own rules: found, run, tested, scaffolded, and clear about what is wrong with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.cli import main

CODE = "import copy\n\ndef f(rows):\n    for row in rows:\n        print(copy.deepcopy(row))\n"
LONER = ("--static", "--exit-zero", "--select", "own-copy", "--format", "json")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one scaffolded rule of its own, configured, which is also the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIT_CACHE_DIR", str(tmp_path / "cache"))
    assert main(["new-rule", "own-copy"]) == 0
    (tmp_path / "pyproject.toml").write_text('[tool.audit]\nrules = ["tools/audit_rules"]\n')
    (tmp_path / "app.py").write_text(CODE)
    return tmp_path


def edit(project: Path, old: str, new: str, name: str = "own_copy") -> None:
    file = project / "tools" / "audit_rules" / f"{name}.py"
    text = (project / "tools" / "audit_rules" / "own_copy.py").read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def audited(capsys: pytest.CaptureFixture[str], *arguments: str) -> Mapping[str, Any]:
    capsys.readouterr()
    assert main([*arguments, *LONER]) == 0
    report: Mapping[str, Any] = json.loads(capsys.readouterr().out)
    return report


def messages(report: Mapping[str, Any]) -> list[str]:
    return [finding["message"] for finding in report["findings"]]


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["app.py", "--static"]) == 2
    return capsys.readouterr().err


def test_a_scaffolded_rule_holds_its_examples_at_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["test-rules"]) == 0
    assert "own-copy" in capsys.readouterr().out


def test_a_configured_rule_is_run_listed_and_explained(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert messages(audited(capsys, "app.py")) == ["`copy.deepcopy(row)` runs at every turn of the loop"]
    assert main(["rules"]) == 0
    assert f"({Path('tools/audit_rules/own_copy.py')})" in capsys.readouterr().out
    assert main(["explain", "own-copy"]) == 0
    assert "A call of `copy.deepcopy` in a loop." in capsys.readouterr().out


def test_a_finding_of_a_teams_rule_is_measured(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "app.py").write_text(f"{CODE}\nf([[1] * 100] * 500)\n")
    capsys.readouterr()

    main(["app.py", "--run", f"{sys.executable} app.py", "--select", "own-copy", "--exit-zero", "--format", "json"])
    (finding,) = json.loads(capsys.readouterr().out)["findings"]

    assert {row["metric"]: row["value"] for row in finding["evidence"]}["hits"] == 500


def test_a_changed_rule_is_not_answered_from_the_cache(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audited(capsys, "app.py")
    edit(project, "runs at every", "is made at every")

    assert "is made at every" in messages(audited(capsys, "app.py"))[0]


def test_a_changed_helper_of_a_rule_is_not_answered_from_the_cache(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    helper = project / "tools" / "audit_rules" / "_words.py"
    helper.write_text("EVERY = 'at every turn'\n")
    edit(project, "import libcst as cst\n", "import libcst as cst\n\nfrom ._words import EVERY\n")
    edit(project, "runs at every turn of the loop", "runs {EVERY}")
    assert messages(audited(capsys, "app.py")) == ["`copy.deepcopy(row)` runs at every turn"]
    helper.write_text("EVERY = 'again'\n")
    # a process of its own, as the helper is imported once
    command = [sys.executable, "-m", "auditor", "app.py", *LONER]

    again = subprocess.run(command, capture_output=True, text=True, check=True)

    assert messages(json.loads(again.stdout)) == ["`copy.deepcopy(row)` runs again"]


def test_worker_processes_run_it_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(45):
        (project / f"m{number:02}.py").write_text(CODE)

    report = audited(capsys, *(f"m{number:02}.py" for number in range(45)), "--jobs", "2")

    assert len(report["findings"]) == 45


@pytest.mark.parametrize("crash", ["1 / 0", "raise SystemExit(3)", "return 7", "return Match(7, ())"])
def test_a_crash_costs_the_rule_on_that_file_and_names_it(
    project: Path, capsys: pytest.CaptureFixture[str], crash: str
) -> None:
    edit(project, "    # every loop", f"    if 'row' in ctx.code(node):\n        {crash}\n    # every loop")
    (project / "other.py").write_text(CODE.replace("row", "item"))
    (project / "app.py").write_text(CODE + CODE.replace("def f", "def g"))

    report = audited(capsys, "app.py", "other.py")

    assert [finding["path"] for finding in report["findings"]] == ["other.py"]
    (skip,) = report["skipped"]
    assert skip["path"] == "app.py"
    assert skip["reason"].startswith("rule own-copy failed at line 5: ")
    assert "1 more of its candidates" in skip["reason"]


def test_a_rule_that_asks_for_no_probe_of_audit_is_not_measurable_and_says_why(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(project, 'Plant("timed"', 'Plant("tmied"')
    (project / "app.py").write_text(f"{CODE}\nf([1])\n")
    assert main(["test-rules"]) == 1
    assert "there is no probe 'tmied'" in capsys.readouterr().out

    main(["app.py", "--run", f"{sys.executable} app.py", "--select", "own-copy", "--exit-zero", "--format", "json"])
    (finding,) = json.loads(capsys.readouterr().out)["findings"]

    assert finding["verdict"] not in {"confirmed", "rejected"}
    assert "probe tmied, which does not exist" in finding["reason"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("RULE = Rule(", "OTHER = Rule(", "has no RULE"),
        ("RULE = Rule(", "RULE = Rule((", "never closed"),
        ("import libcst", "import no_such_module\nimport libcst", "No module named 'no_such_module'"),
        ("import libcst", "raise SystemExit(0)\nimport libcst", "cannot be loaded: SystemExit"),
        ('id="own-copy"', 'id="Own Copy"', "id is 'Own Copy'"),
        ('id="own-copy"', 'id="leaked-task"', "is taken by a rule of audit's own"),
        ('"copy.deepcopy",', '"copy.deepcopy"', "names is 'copy.deepcopy'"),
        ('Calls(("copy.deepcopy",), Where(loop=True))', 'Nodes(("Cal",))', "ast has no 'Cal'"),
        ("expects=Cost()", "expects=Cost", "expects is"),
        ("kind=Kind.OVERHEAD", "kind='slow'", "give a Kind"),
        ("check=check", "check='check'", "check is 'check'"),
        ("check=check", "check=check, fix='x'", "fix is 'x'"),
        ("check=check", "check=check, fix=Fixer(check, '', ('x',))", "an entry for each of the invalid examples"),
    ],
)
def test_a_broken_rule_file_is_named_with_what_is_wrong(
    project: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    edit(project, "from auditor.rule import Calls", "from auditor.rule import Fixer, Nodes, Calls")
    edit(project, old, new)

    text = complaint(capsys)

    assert "own_copy.py" in text
    assert said in text


def test_two_rules_of_one_id_are_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project, "copy", "copy", name="again")

    text = complaint(capsys)

    assert "again.py" in text
    assert "own_copy.py" in text


def test_a_directory_that_is_missing_is_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text('[tool.audit]\nrules = ["tools/rules"]\n')

    assert f"{Path('tools/rules')} is not a directory" in complaint(capsys)


def test_an_example_that_does_not_hold_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    edit(project, "return copy.deepcopy(rows)", "return [copy.deepcopy(row) for row in rows]")

    assert main(["test-rules"]) == 1
    assert "valid[0]: 1 suspects (line 4) instead of 0" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["own-copy", "leaked-task", "Upper", "under_score", "../x", ""])
def test_a_name_that_is_taken_or_none_is_refused(project: Path, name: str) -> None:
    assert main(["new-rule", name]) == 2


def test_rules_of_a_project_below_are_not_loaded(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inner = project / "vendored" / "rules"
    inner.mkdir(parents=True)
    (inner / "evil.py").write_text(f"open({str(project / 'ran')!r}, 'w')\n")
    (inner.parent / "pyproject.toml").write_text('[tool.audit]\nrules = ["rules"]\n')

    audited(capsys, ".")

    assert not (project / "ran").exists()


def test_loading_a_rule_writes_nothing_beside_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audited(capsys, "app.py")

    assert [file.name for file in (project / "tools" / "audit_rules").iterdir()] == ["own_copy.py"]


def install(directory: Path, value: str) -> None:
    """What installing a package leaves in its directory, as far as entry points go."""
    (directory / "acme-1.0.dist-info").mkdir(parents=True)
    (directory / "acme-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (directory / "acme-1.0.dist-info" / "entry_points.txt").write_text(f"[audit.rules]\nacme = {value}\n")


def listing(path: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(path)}
    command = [sys.executable, "-m", "auditor", "rules"]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd, check=False)


def test_an_installed_package_brings_rules(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    site = tmp_path_factory.mktemp("site")
    install(site, "acme.rules")
    (site / "acme" / "rules").mkdir(parents=True)
    (site / "acme" / "__init__.py").write_text("")
    edit(project, 'id="own-copy"', 'id="acme-copy"')
    (project / "tools" / "audit_rules" / "own_copy.py").rename(site / "acme" / "rules" / "acme_copy.py")

    assert "acme-copy " in listing(site, project).stdout


def test_a_package_that_names_no_rules_is_told(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    site = tmp_path_factory.mktemp("site")
    install(site, "acme_is_gone")

    told = listing(site, project)

    assert told.returncode == 2
    assert "of the package acme" in told.stderr


def test_the_working_directory_is_no_place_of_installed_packages(project: Path) -> None:
    install(project, "acme_is_gone")

    assert listing(project, project).returncode == 0
