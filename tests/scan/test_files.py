"""Which files are audited."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from auditor.config import Exclusion
from auditor.errors import TargetError
from auditor.scan import discover


def write(root: Path, *names: str) -> None:
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x = 1\n")


def names(root: Path, *paths: Path, exclude: tuple[str, ...] = ()) -> list[str]:
    target = discover(paths or (root,), [Exclusion(root, exclude)])
    return [file.relative_to(target.root).as_posix() for file in target.files]


def test_python_files_are_found_in_order(tmp_path: Path) -> None:
    write(tmp_path, "b.py", "a/z.py", "a/notes.txt", "c.pyi")

    assert names(tmp_path) == ["a/z.py", "b.py"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
def test_a_pipe_is_not_read_and_said_to_be_one(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")

    target = discover([tmp_path])

    assert target.files == ()
    assert [(skip.path, skip.reason) for skip in target.skipped] == [("pipe.py", "a pipe or device, not a file")]


def test_files_that_git_ignores_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "kept.py", "built/made.py", "new.py")
    (tmp_path / ".gitignore").write_text("built/\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)

    assert names(tmp_path) == ["kept.py", "new.py"]


def test_a_file_named_itself_is_audited_even_if_git_ignores_it(tmp_path: Path) -> None:
    write(tmp_path, "made.py")
    (tmp_path / ".gitignore").write_text("*.py\n")
    subprocess.run(["git", "init", "-q", tmp_path], check=True)

    assert names(tmp_path, tmp_path / "made.py") == ["made.py"]


def test_virtual_environments_and_caches_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "env/lib/b.py", "__pycache__/c.py", "node_modules/d.py")
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = /usr\n")

    assert names(tmp_path) == ["a.py"]


def test_exclude_patterns_work_as_in_gitignore(tmp_path: Path) -> None:
    write(tmp_path, "a.py", "vendor/b.py", "x/test_c.py", "x/d.py")

    assert names(tmp_path, exclude=("vendor/", "test_*.py")) == ["a.py", "x/d.py"]


def test_exclude_patterns_count_from_where_they_are_written_whatever_is_audited(tmp_path: Path) -> None:
    write(tmp_path, "src/shop/a.py", "src/shop/made/b.py", "src/made/c.py")

    shop = tmp_path / "src" / "shop"
    assert names(tmp_path, shop, exclude=("src/shop/made/",)) == ["a.py"]
    assert names(tmp_path, shop / "made" / "b.py", exclude=("src/shop/made/",)) == []
    assert names(tmp_path, shop, exclude=("/made/",)) == ["a.py", "made/b.py"]


def test_exclude_patterns_from_elsewhere_count_from_what_is_audited(tmp_path: Path) -> None:
    write(tmp_path, "project/a.py", "project/made/b.py")
    elsewhere = Exclusion(tmp_path / "elsewhere", ("/made/",))

    assert discover([tmp_path / "project"], [elsewhere]).files == (tmp_path / "project" / "a.py",)


def test_several_paths_share_a_root_and_no_file_counts_twice(tmp_path: Path) -> None:
    write(tmp_path, "a/x.py", "b/y.py")

    assert names(tmp_path, tmp_path / "a", tmp_path / "b", tmp_path / "a" / "x.py") == ["a/x.py", "b/y.py"]


def test_a_symlink_loop_ends(tmp_path: Path) -> None:
    write(tmp_path, "a/x.py")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)

    assert names(tmp_path) == ["a/x.py"]


def test_a_pipe_named_like_a_module_is_not_opened(tmp_path: Path) -> None:
    write(tmp_path, "a.py")
    os.mkfifo(tmp_path / "pipe.py")

    assert names(tmp_path) == ["a.py"]


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="nowhere does not exist"):
        discover([tmp_path / "nowhere"])
