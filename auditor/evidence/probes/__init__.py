"""The probes, one file each, found by their place. The same files are loaded, by path, in the measured program."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

_PLACE = Path(__file__).parent


@cache
def probe_files() -> dict[str, Path]:
    """Probe name, as rules write it, to its file."""
    names = sorted(module.name for module in pkgutil.iter_modules([str(_PLACE)]) if not module.name.startswith("_"))
    return {name.replace("_", "-"): _PLACE / f"{name}.py" for name in names}


def probe_names() -> tuple[str, ...]:
    """All probe names."""
    return tuple(probe_files())


def probe_module(name: str) -> ModuleType:
    """The probe's module, for the part that turns records into rows."""
    return importlib.import_module(f"{__name__}.{probe_files()[name].stem}")
