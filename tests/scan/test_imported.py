"""A file that is named by itself is seen with what it imports, as in a scan of its whole project."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.catalog import chosen_rules
from auditor.scan import discover
from auditor.scan.files import Target
from auditor.scan.imported import MAX_BYTES, imported
from auditor.scan.outline import COROUTINE, FUNCTION, Called, Outline, Routine
from auditor.scan.parallel import RuleSet
from auditor.scan.project import Project

BLOCKS = "import time\n\n\ndef wait():\n    time.sleep(1)\n"
CALLS = "{imports}\n\n\nasync def main():\n    {call}()\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def rules_found(target: Target, path: str) -> list[str]:
    project = Project(target, RuleSet(chosen_rules, ((), (), ())), use_cache=False)
    return [one.rule for scan in project.scan(jobs=1) if scan.path == path for one in scan.suspects]


@pytest.mark.parametrize(
    ("caller", "imports", "call", "callee"),
    [
        ("main.py", "from waits import wait", "wait", "waits.py"),
        ("main.py", "import waits", "waits.wait", "waits.py"),
        ("main.py", "import pkg.waits", "pkg.waits.wait", "pkg/waits.py"),
        ("pkg/main.py", "from .waits import wait", "wait", "pkg/waits.py"),
        ("pkg/main.py", "from pkg.waits import wait", "wait", "pkg/waits.py"),
        ("pkg/inner/main.py", "from ..waits import wait as pause", "pause", "pkg/waits.py"),
        ("src/pkg/main.py", "from pkg.waits import wait", "wait", "src/pkg/waits.py"),
        ("main.py", "from pkg import wait", "wait", "pkg/__init__.py"),
    ],
)
def test_a_file_named_alone_is_judged_as_in_its_project(
    tmp_path: Path, caller: str, imports: str, call: str, callee: str
) -> None:
    inits = {f"{prefix}pkg/{inner}__init__.py": "" for prefix in ("", "src/") for inner in ("", "inner/")}
    packages = {name: text for name, text in inits.items() if "src" not in name or caller.startswith("src")}
    write(tmp_path, {**packages, caller: CALLS.format(imports=imports, call=call), callee: BLOCKS})

    alone = rules_found(Target(tmp_path, (tmp_path / caller,), follow=True), caller)

    assert alone == rules_found(discover([tmp_path]), caller) == ["blocking-call-in-async"]


def test_a_re_export_is_followed_to_where_it_leads(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "main.py": CALLS.format(imports="from pkg import wait", call="wait"),
            "pkg/__init__.py": "from pkg.waits import wait\n",
            "pkg/waits.py": BLOCKS,
        },
    )

    assert rules_found(Target(tmp_path, (tmp_path / "main.py",), follow=True), "main.py") == ["blocking-call-in-async"]


def test_what_is_imported_is_not_audited_itself(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": "import waits\n", "waits.py": CALLS.format(imports="import time", call="time.sleep")})
    project = Project(
        Target(tmp_path, (tmp_path / "main.py",), follow=True), RuleSet(chosen_rules, ((), (), ())), use_cache=False
    )

    assert [scan.path for scan in project.scan(jobs=1)] == ["main.py"]
    assert project.files == (tmp_path / "main.py", tmp_path / "waits.py")


def test_large_imports_are_left_out_and_broken_ones_do_no_harm(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "main.py": CALLS.format(imports="import broken\nimport large\nimport waits", call="waits.wait"),
            "large.py": "#" * (MAX_BYTES + 1),
            "broken.py": "def f(:\n",
            "waits.py": BLOCKS,
        },
    )
    target = Target(tmp_path, (tmp_path / "main.py",), follow=True)
    project = Project(target, RuleSet(chosen_rules, ((), (), ())), use_cache=False)

    (scan,) = project.scan(jobs=1)

    assert [one.rule for one in scan.suspects] == ["blocking-call-in-async"]
    assert tmp_path / "large.py" not in project.files


def test_what_a_coroutine_calls_comes_before_the_other_imports(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "", "z.py": "", "main.py": ""})
    calls = [Called("a.g", (1, 0, 1, 3), FUNCTION), Called("z.g", (2, 0, 2, 3), COROUTINE)]
    outline = Outline(names={"a": "a", "z": "z"}, routines={"f": Routine(1, runs=True, calls=calls)})

    assert list(imported(outline, tmp_path / "main.py", tmp_path)) == [tmp_path / "z.py", tmp_path / "a.py"]
