"""What the probes `client`, `file` and `timer` share: a census of objects to be closed, by what they themselves say.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import os
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Dict, Optional

    from auditor.evidence.probes import _census
    from auditor.evidence.probes._census import Row
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_census", os.path.join(os.path.dirname(__file__), "_census.py"))
    _census = module_from_spec(_spec)
    _spec.loader.exec_module(_census)


class Recorder:
    """The census of one site. `is_open` says True or False of an object, None if it cannot tell.

    `_past` are those that were left open by a part of the program that ended before the program did.
    """

    def __init__(self, runtime: Any, is_open: Callable[[Any], Optional[bool]]) -> None:
        self._runtime = runtime
        self._is_open = is_open
        self._unknown = self._past = 0
        self._tally = _census.Tally(_census.Census(self._is_surely_open))
        runtime.on_exit(self._end)

    def functions(self) -> Dict[str, Callable[..., Any]]:
        """What the planted code calls."""
        return {"made": self.made}

    def made(self, thing: Any) -> Any:
        """An object was made."""
        _census.attempt(self._register, thing)
        return thing

    def _register(self, thing: Any) -> None:
        self._tally.hits += 1
        if self._ask(thing) is None:
            self._unknown += 1
        else:
            try:
                self._tally.census.add(thing)
                self._tally.created += 1
            except TypeError:
                self._unknown += 1
        self._runtime.tick()

    def _ask(self, thing: Any) -> Optional[bool]:
        try:
            return self._is_open(thing)
        except Exception:
            return None

    def _is_surely_open(self, thing: Any) -> bool:
        return self._ask(thing) is True

    def _end(self) -> None:
        self._tally.end()

    def hits(self) -> int:
        """Executions so far."""
        return self._tally.hits

    def record(self, final: bool) -> Dict[str, Any]:
        """The census so far."""
        record = self._tally.record()
        ends = {"left": record["left"] + self._past, "alive": record["alive"] + self._past}
        return {**record, **ends, "unknown": self._unknown}

    def reset(self) -> None:
        """What the parent made is the parent's to close."""
        self._unknown = self._past = 0
        self._tally.reset()


def handle_rows(records: Iterable[Mapping[str, Any]], unit: str) -> Iterator[Row]:
    """The census of all processes; only the hits, if there were objects that do not say whether they are open."""
    seen = list(records)
    rows = _census.census_rows(seen, unit)
    if _census.total(seen, "unknown"):
        hits = _census.total(seen, "hits")
        return iter([_census.exact("hits", hits, "executions", hits)])
    return rows
