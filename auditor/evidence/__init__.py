"""Running workloads and turning what was seen into evidence."""

from __future__ import annotations

import importlib
import pkgutil

from auditor.evidence import passes as package
from auditor.evidence.base import Pass


def passes() -> tuple[Pass, ...]:
    """Every pass, in the order in which they are run: one `PASS` in each module of `auditor/evidence/passes/`."""
    modules = (
        importlib.import_module(f"{package.__name__}.{info.name}") for info in pkgutil.iter_modules(package.__path__)
    )
    return tuple(sorted((module.PASS for module in modules), key=lambda one: (one.order, one.name)))
