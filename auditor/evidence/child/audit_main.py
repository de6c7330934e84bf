"""Running a flagged script with its probes, as `python script.py` would run it.

CPython runs a path that an importer claims through `runpy`, with that path as sys.path[0]; what differs from the plain
way is put right again just before the script's first line.
"""

from __future__ import annotations

import builtins
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any, Optional

PROLOGUE = "__audit_main_restore__"


class MainFinder:
    """The importer of exactly one script, under the name `__main__`."""

    def __init__(self, runtime: Any, given: str, path: str) -> None:
        self._runtime = runtime
        self._given = given
        self._path = path

    def find_spec(self, name: str, target: Any = None) -> Optional[ModuleSpec]:
        """The spec of the script for `__main__`, nothing else."""
        if name != "__main__":
            return None
        return ModuleSpec(name, self, origin=self._given)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Let the import system make the module."""

    def exec_module(self, module: Any) -> None:
        """Never called: runpy asks for the code."""

    def get_code(self, name: str) -> CodeType:
        """The script's code, which begins by putting things as a plain script finds them."""
        setattr(builtins, PROLOGUE, self._restore)
        return self._runtime.planted_code(self._path, self._given, PROLOGUE)  # type: ignore[no-any-return]

    def _restore(self) -> None:
        delattr(builtins, PROLOGUE)
        main = sys.modules["__main__"].__dict__
        main.update(__spec__=None, __package__=None, __file__=self._given)
        main["__loader__"] = SourceFileLoader("__main__", self._given)
        main["__cached__"] = None
        if sys.path and sys.path[0] == self._given:
            directory = os.path.dirname(self._path)
            safe = getattr(sys.flags, "safe_path", False) or sys.flags.isolated
            sys.path[:1] = [] if safe else [directory]
        sys.path_importer_cache.pop(self._given, None)
