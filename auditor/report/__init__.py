"""How a report becomes text: each reporter is a file of `auditor/report/reporters/`."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.report.reporter import Reporter

# Importing a subpackage binds its name here. It is imported now so that this happens before the function of that name.
_PACKAGE = importlib.import_module(f"{__name__}.reporters")


class _Reporters(Mapping[str, "Reporter"]):
    """Reporters by name. Names are known at once; a reporter and what it needs is imported when it is asked for."""

    def __init__(self) -> None:
        # `pkgutil` would ask the same, and import much for it
        files = (file for place in _PACKAGE.__path__ for file in Path(place).glob("*.py"))
        self._names = tuple(sorted(file.stem for file in files if file.stem != "__init__"))

    def __getitem__(self, name: str) -> Reporter:
        if name not in self._names:
            raise KeyError(name)
        reporter: Reporter = importlib.import_module(f"{_PACKAGE.__name__}.{name}").REPORTER
        return reporter

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@cache
def reporters() -> Mapping[str, Reporter]:
    """Every reporter by its name, in alphabetical order."""
    return _Reporters()
