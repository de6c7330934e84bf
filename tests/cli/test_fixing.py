"""`--fix` and `--diff-fixes`, from the command line to the files."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from .test_static import audit

FRONT = """\
def path(node):
    out = []
    while node:
        out.insert(0, node)  # the parent
        node = node.parent
    return out
"""
FIXED = FRONT.replace("out.insert(0, node)", "out.append(node)").replace("    return", "    out.reverse()\n    return")
ENDS = "\n\ndef first(rows):\n    return sorted(rows)[0]\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "nodes.py").write_text(FRONT + ENDS)
    return tmp_path


def test_fix_makes_safe_fixes_and_says_what_is_left(project: Path) -> None:
    result = audit(".", "--fix", "--no-store", cwd=project)

    assert result.returncode == 0
    assert (project / "nodes.py").read_text() == FIXED + ENDS
    assert "Fixed 1 suspect in 1 file: 1 list-insert-front." in " ".join(result.stdout.split())
    assert "1 suspect left: the fix may change what the program does" in " ".join(result.stdout.split())


def test_unsafe_fixes_are_made_on_request_and_then_there_is_nothing_left(project: Path) -> None:
    first = audit(".", "--fix", "--unsafe-fixes", "--fail-on", "suspected", "--no-store", cwd=project)
    once = (project / "nodes.py").read_text()
    second = audit(".", "--fix", "--unsafe-fixes", "--fail-on", "suspected", "--no-store", cwd=project)

    assert (first.returncode, second.returncode) == (0, 0)
    assert once == FIXED + ENDS.replace("sorted(rows)[0]", "min(rows)")
    assert (project / "nodes.py").read_text() == once
    assert "Nothing to fix" in second.stdout


def test_what_is_not_fixed_still_fails_the_gate(project: Path) -> None:
    assert audit(".", "--fix", "--fail-on", "suspected", "--no-store", cwd=project).returncode == 1


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_diff_is_one_that_git_applies_and_no_file_is_changed(project: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    (project / "crlf.py").write_bytes(FRONT.replace("\n", "\r\n").rstrip().encode())
    before = {file.name: file.read_bytes() for file in project.glob("*.py")}

    result = subprocess.run(
        [*audit_command(), ".", "--diff-fixes", "--unsafe-fixes", "--no-store"],
        cwd=project,
        capture_output=True,
        check=False,
        timeout=120,
    )

    assert {file.name: file.read_bytes() for file in project.glob("*.py")} == before
    subprocess.run(["git", "apply", "-"], input=result.stdout, cwd=project, check=True)
    assert (project / "nodes.py").read_text() == FIXED + ENDS.replace("sorted(rows)[0]", "min(rows)")
    assert (project / "crlf.py").read_bytes() == FIXED.replace("\n", "\r\n").rstrip().encode()
    assert b"Would fix 3 suspects in 2 files" in result.stderr


def test_mode_and_links_stay(project: Path) -> None:
    target = project / "real" / "tool.py"
    target.parent.mkdir()
    target.write_text(FRONT)
    target.chmod(0o750)
    link = project / "link.py"
    link.symlink_to(target)

    audit("link.py", "--fix", "--no-store", cwd=project)

    assert link.is_symlink()
    assert target.read_text() == FIXED
    assert stat.S_IMODE(target.stat().st_mode) == 0o750
    assert sorted(file.name for file in target.parent.iterdir()) == ["tool.py"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anything")
def test_a_file_without_permission_is_left_and_said(project: Path) -> None:
    (project / "nodes.py").chmod(0o444)

    result = audit(".", "--fix", "--no-store", cwd=project)

    assert (project / "nodes.py").read_text() == FRONT + ENDS
    assert "nodes.py is left as it is: no permission to write" in " ".join(result.stdout.split())


def test_a_confirmed_finding_carries_its_fix_and_a_rejected_one_is_not_fixed(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(
        "import sys\n\n\ndef hot(count):\n    out = []\n    for row in range(count):\n        out.insert(0, row)\n"
        "    return out\n\n\ndef cold(rows):\n    out = []\n    for row in rows:\n        out.insert(0, row)\n"
        "    return out\n\n\nhot(60_000)\nfor _ in range(400):\n    cold(range(40))\n"
    )

    result = audit(
        "work.py", "--run", "python work.py", "--fix", "--format", "json", "--no-store", "--fail-on", "never",
        cwd=tmp_path,
    )  # fmt: skip

    report = json.loads(result.stdout)
    by_symbol = {finding["symbol"]: finding for finding in report["findings"]}
    text = (tmp_path / "work.py").read_text()
    assert by_symbol["cold"]["verdict"] == "rejected"
    assert by_symbol["cold"]["fix"] is None
    assert "1 suspect left: measurement rejected the suspicion." in report["notes"]
    assert text.partition("def cold")[2].count("insert(0, row)") == 1
    assert by_symbol["hot"]["verdict"] == "confirmed"
    assert by_symbol["hot"]["fix"]["safe"] is True
    assert "+        out.append(row)\n" in by_symbol["hot"]["fix"]["diff"]
    assert "out.append(row)\n    out.reverse()\n" in text.partition("def cold")[0]


def test_nothing_is_fixed_after_a_workload_that_failed(project: Path) -> None:
    result = audit(".", "--run", "python -c 'raise SystemExit(3)'", "--fix", "--no-store", cwd=project)

    assert result.returncode == 2
    assert (project / "nodes.py").read_text() == FRONT + ENDS
    assert "Nothing is fixed: a workload failed." in " ".join(result.stdout.split())


def test_a_static_report_has_fixes_where_its_readers_can_apply_them(project: Path) -> None:
    sarif = json.loads(audit(".", "--format", "sarif", "--no-store", cwd=project).stdout)
    plain = json.loads(audit(".", "--format", "json", "--no-store", cwd=project).stdout)

    assert all("fixes" in result for result in sarif["runs"][0]["results"])
    assert [finding["fix"] for finding in plain["findings"]] == [None, None]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fix", "--diff-fixes"], "give one of them"),
        (["--unsafe-fixes"], "add --fix or --diff-fixes"),
        (["--diff-fixes", "--format", "json"], "add --output FILE"),
    ],
)
def test_options_that_contradict_one_another_are_refused(project: Path, options: list[str], said: str) -> None:
    result = audit(".", *options, cwd=project)

    assert result.returncode == 2
    assert said in result.stderr
    assert (project / "nodes.py").read_text() == FRONT + ENDS


def audit_command() -> list[str]:
    import sys

    return [sys.executable, "-m", "auditor"]
