"""Which flagged lines ran in code that has no probes, such as code from a cache of the program's own, and how often.

From CPython 3.12 on, `sys.monitoring` tells. It calls back once for each function, and in functions of flagged files
that have no probes once for each line and instruction, after which these are switched off. The instructions that make
a flagged call stay switched on and are counted, where the code is what the file compiles to. Lines are not counted: a
line may do the same many times over. Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import sys
from types import CodeType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Dict, List

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
    """Lines of flagged files that ran without probes: none before CPython 3.12, or where others took all numbers.

    `counted` has how often flagged calls were made there, by the ids of their sites.
    """

    def __init__(self, runtime: Any) -> None:
        self.ran = set()  # type: set[tuple[str, int]]
        self.counted = {}  # type: Dict[int, int]
        self._runtime = runtime
        self._paths = {}  # type: dict[str, str]
        self._planted = {}  # type: dict[int, CodeType]
        self._calls = {}  # type: Dict[str, _Calls]
        self._offsets = {}  # type: Dict[int, Dict[int, List[int]]]
        self._kept = []  # type: List[CodeType]
        self._monitoring = getattr(sys, "monitoring", None)  # type: Any
        if self._monitoring is not None:
            self._watch(self._monitoring)

    def reset(self) -> None:
        """Count anew, after a fork."""
        self.counted = dict.fromkeys(self.counted, 0)

    def _watch(self, monitoring: Any) -> None:
        events = monitoring.events
        free = [tool for tool in TOOLS if monitoring.get_tool(tool) is None]
        if not free:
            return
        self._tool = tool = free[0]
        monitoring.use_tool_id(tool, "audit")
        monitoring.register_callback(tool, events.PY_START, self._on_start)
        monitoring.register_callback(tool, events.LINE, self._on_line)
        monitoring.register_callback(tool, events.INSTRUCTION, self._on_instruction)
        monitoring.set_events(tool, events.PY_START)

    def _on_start(self, code: CodeType, _offset: int) -> Any:
        try:
            path = self._path(code)
            if path and id(code) not in self._planted:
                self._look(code, path)
        except Exception:
            pass  # the program is not to hear of us
        return self._monitoring.DISABLE

    def _look(self, code: CodeType, path: str) -> None:
        """Where some has probes, all has that could be: a module is the first of its code to run."""
        if has_probes(code):
            self._planted.update({id(one): one for one in all_code(code)})
            return
        events = self._monitoring.events.LINE
        if path not in self._calls:
            self._calls[path] = _Calls(self._runtime, path)
        offsets = self._calls[path].offsets(code)
        if offsets:
            self._offsets[id(code)] = offsets
            self._kept.append(code)
            self.counted.update({site: 0 for found in offsets.values() for site in found if site not in self.counted})
            events |= self._monitoring.events.INSTRUCTION
        self._monitoring.set_local_events(self._tool, code, events)

    def _on_line(self, code: CodeType, line: int) -> Any:
        self.ran.add((self._path(code), line))
        return self._monitoring.DISABLE

    def _on_instruction(self, code: CodeType, offset: int) -> Any:
        found = self._offsets[id(code)].get(offset)
        if not found:
            return self._monitoring.DISABLE
        for site in found:
            self.counted[site] += 1
        self._runtime.tick()
        return None

    def _path(self, code: CodeType) -> str:
        file = code.co_filename
        if file not in self._paths:
            self._paths[file] = self._runtime.flagged(file)
        return self._paths[file]


class _Calls:
    """Where a flagged file's code makes its flagged calls."""

    def __init__(self, runtime: Any, path: str) -> None:
        self._opname, self._codes, self._sites = [], set(), {}  # type: Any, set[CodeType], Dict[Any, List[int]]
        try:
            import opcode

            self._opname = opcode.opname
            self._codes = set(all_code(runtime.plain_code(path)))
            self._sites = runtime.spans(path)
        except Exception:
            pass  # nothing is counted then

    def offsets(self, code: CodeType) -> Dict[int, List[int]]:
        """The instructions that make flagged calls, with the ids of their sites; none of code that the file is not."""
        if code not in self._codes:
            return {}
        found = {}  # type: Dict[int, List[int]]
        for index, span in enumerate(code.co_positions()):
            name = self._opname[code.co_code[2 * index]]
            if name.startswith("CALL") and "INTRINSIC" not in name and span in self._sites:
                found[2 * index] = self._sites[span]
        return found
