"""What is installed, read without the module that is slow to import: the same answers."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from pathlib import Path

import pytest

from auditor.installed import may_have_entry_points, version
from auditor.machine import this_machine


@pytest.mark.parametrize("package", ["libcst", "py-spy", "PyGithub", "python-gitlab", "memray", "radon", "pytest"])
def test_versions_are_those_that_importlib_gives(package: str) -> None:
    assert version(package) == importlib.metadata.version(package)


def test_what_is_not_installed_is_said_to_be_so() -> None:
    assert version("no-such-package") == "not installed"


def described(site: Path, name: str, text: str) -> None:
    directory = site / name
    directory.mkdir(parents=True)
    (directory / "entry_points.txt").write_text(text)


@pytest.mark.parametrize("name", ["acme-1.0.dist-info", "acme.egg-info", "EGG-INFO"])
def test_a_package_with_an_entry_point_of_the_group_is_seen(name: str, tmp_path: Path) -> None:
    described(tmp_path, name, "[audit.rules]\nacme = acme.rules\n")
    assert may_have_entry_points("audit.rules", [str(tmp_path)])


def test_packages_without_one_are_known_to_have_none(tmp_path: Path) -> None:
    described(tmp_path, "acme-1.0.dist-info", "[console_scripts]\nacme = acme:main\n")
    assert not may_have_entry_points("audit.rules", [str(tmp_path), str(tmp_path / "gone")])


def test_what_is_no_directory_may_have_any(tmp_path: Path) -> None:
    archive = tmp_path / "packages.zip"
    archive.touch()
    assert may_have_entry_points("audit.rules", [str(archive)])


def test_a_finder_of_its_own_may_have_any(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Finder:
        def find_distributions(self) -> None: ...

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert may_have_entry_points("audit.rules", [str(tmp_path)])


def test_the_platform_is_named_as_python_names_it() -> None:
    assert this_machine().platform == platform.platform(terse=True)
