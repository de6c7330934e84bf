"""Which flagged lines ran in code that has no probes, such as code from a cache of the program's own.

From CPython 3.12 on, `sys.monitoring` tells. It calls back once for each function, and in functions of flagged files
that have no probes once for each line, after which both are switched off. Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import sys
from types import CodeType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

TOOLS = (4, 3)
"""Numbers that CPython keeps for no debugger, profiler, coverage tool or optimizer."""


def all_code(code: CodeType) -> Iterator[CodeType]:
    """The code and all that is defined within."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from all_code(constant)


def sites(code: CodeType) -> set[int]:
    """Ids of the sites that were planted in the code and in what is defined within."""
    names = (name for one in all_code(code) for name in one.co_names if name.startswith("__audit_"))
    return {int(name.split("_")[3]) for name in names if name.split("_")[3].isdigit()}


def has_probes(code: CodeType) -> bool:
    """Whether probes were planted in the code or in what is defined within."""
    return bool(sites(code))


class Unplanted:
    """Lines of flagged files that ran without probes: none before CPython 3.12, or where others took all numbers."""

    def __init__(self, runtime: Any) -> None:
        self.ran = set()  # type: set[tuple[str, int]]
        self._runtime = runtime
        self._paths = {}  # type: dict[str, str]
        self._planted = {}  # type: dict[int, CodeType]
        self._monitoring = getattr(sys, "monitoring", None)  # type: Any
        if self._monitoring is not None:
            self._watch(self._monitoring)

    def _watch(self, monitoring: Any) -> None:
        events = monitoring.events
        free = [tool for tool in TOOLS if monitoring.get_tool(tool) is None]
        if not free:
            return
        self._tool = tool = free[0]
        monitoring.use_tool_id(tool, "audit")
        monitoring.register_callback(tool, events.PY_START, self._on_start)
        monitoring.register_callback(tool, events.LINE, self._on_line)
        monitoring.set_events(tool, events.PY_START)

    def _on_start(self, code: CodeType, _offset: int) -> Any:
        try:
            if self._path(code) and id(code) not in self._planted:
                self._look(code)
        except Exception:
            pass  # the program is not to hear of us
        return self._monitoring.DISABLE

    def _look(self, code: CodeType) -> None:
        """Where some has probes, all has that could be: a module is the first of its code to run."""
        if has_probes(code):
            self._planted.update({id(one): one for one in all_code(code)})
        else:
            self._monitoring.set_local_events(self._tool, code, self._monitoring.events.LINE)

    def _on_line(self, code: CodeType, line: int) -> Any:
        self.ran.add((self._path(code), line))
        return self._monitoring.DISABLE

    def _path(self, code: CodeType) -> str:
        file = code.co_filename
        if file not in self._paths:
            self._paths[file] = self._runtime.flagged(file)
        return self._paths[file]
