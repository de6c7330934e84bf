"""What is installed beside audit, read from the directories that say so.

`importlib.metadata` can tell all of it, but takes longer to import than a small file takes to scan. It is asked only
where something else than directories may know of packages.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator


def version(package: str) -> str:
    """The installed version of a package, "not installed" if there is none."""
    wanted = package.lower().replace("-", "_")
    for directory in _described(sys.path):
        name, _, rest = os.path.basename(directory).partition("-")  # noqa: PTH119
        if name.lower() == wanted and rest.endswith(".dist-info"):
            for line in _text(os.path.join(directory, "METADATA")).splitlines():  # noqa: PTH118
                if line.startswith("Version: "):
                    return line.removeprefix("Version: ").strip()
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def may_have_entry_points(group: str, path: Iterable[str]) -> bool:
    """Whether a package found on `path` may have entry points of the group. That there are none is certain."""
    listed = [entry for entry in path if os.path.exists(entry)]  # noqa: PTH110
    if any(hasattr(finder, "find_distributions") and not _is_standard(finder) for finder in sys.meta_path):
        return True
    if not all(map(os.path.isdir, listed)):
        # an archive, which may hold packages too
        return True
    return any(group in _text(os.path.join(found, "entry_points.txt")) for found in _described(listed))  # noqa: PTH118


def _is_standard(finder: object) -> bool:
    return getattr(finder, "__module__", "") == "_frozen_importlib_external"


def _described(path: Iterable[str]) -> Iterator[str]:
    """The directories that describe an installed package each."""
    for entry in dict.fromkeys(path):
        try:
            names = sorted(os.listdir(entry or "."))  # noqa: PTH208
        except OSError:
            continue
        for name in names:
            if name.lower().endswith((".dist-info", "egg-info")):
                yield os.path.join(entry, name)  # noqa: PTH118


def _text(file: str) -> str:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:  # noqa: PTH123
            return opened.read()
    except OSError:
        return ""
