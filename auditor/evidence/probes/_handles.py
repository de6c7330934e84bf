"""What the probes `client`, `file` and `timer` share: a census of objects to be closed, by what they themselves say.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import gc
import os
from importlib.util import module_from_spec, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Dict, Optional

    from auditor.evidence.probes import _census, _creation
    from auditor.evidence.probes._census import Row
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_creation", os.path.join(os.path.dirname(__file__), "_creation.py"))
    _creation = module_from_spec(_spec)
    _spec.loader.exec_module(_creation)
    _census = _creation._census

plant = _creation.plant


class Untied:
    """A census of objects that cannot be referred to weakly (`sqlite3.Connection` before Python 3.11): the garbage
    collector finds them.

    Looking through all its objects takes milliseconds, so that is done when there may be half as many again alive as
    at the last look; the peak may be too low by that.
    """

    def __init__(self, alive: Callable[[Any], bool]) -> None:
        self._alive = alive
        self.forget()

    def __len__(self) -> int:
        """How many may be alive."""
        return len(self._kinds)

    def forget(self) -> None:
        """Begin anew."""
        self._kinds: Dict[int, Any] = {}
        self._due = 8
        self.peak = 0

    def add(self, thing: Any) -> None:
        """Watch an object from now on.

        Raises:
            TypeError: the garbage collector does not know it.
        """
        if not gc.is_tracked(thing):
            raise TypeError("neither weakly referred to nor known to the garbage collector")
        self._kinds[id(thing)] = type(thing)
        if len(self._kinds) >= self._due:
            self.sweep()

    def sweep(self) -> int:
        """Count those alive now, and forget the others."""
        kinds = self._kinds
        wanted = set(kinds.values())
        known = [one for one in gc.get_objects() if type(one) in wanted] if wanted else []
        alive = {id(one): type(one) for one in known if kinds.get(id(one)) is type(one) and self._alive(one)}
        self._kinds = alive
        self._due = len(alive) + len(alive) // 2 + 8
        self.peak = max(self.peak, len(alive))
        return len(alive)


class _ByPart:
    """Refers weakly to what cannot be referred to so itself, by a part of its own that lives as long as it is open.

    A `sqlite3.Connection` and its cache of statements refer to one another, until it is closed.
    """

    KIND = "_lru_cache_wrapper"

    @classmethod
    def part_of(cls, thing: Any) -> Any:
        """That part, None if it has none."""
        return next((one for one in gc.get_referents(thing) if type(one).__name__ == cls.KIND), None)

    @classmethod
    def whole_of(cls, part: Any) -> Any:
        """What the part belongs to; anything else itself."""
        if type(part).__name__ != cls.KIND:
            return part
        return next((one for one in gc.get_referents(part) if cls.part_of(one) is part), None)


class Recorder(_creation.Recorder):
    """The census of one site. `is_open` says True or False of an object, None if it cannot tell.

    `_past` are those that were left open by a part of the program that ended before the program did.
    """

    def __init__(self, runtime: Any, is_open: Callable[[Any], Optional[bool]]) -> None:
        super().__init__(runtime, _census.Census(self._is_surely_open, later=True))
        self._is_open = is_open
        self._unknown = self._past = 0
        self._untied = Untied(self._is_surely_open)
        self._untied_left = 0

    def watch(self, thing: Any) -> None:
        """A thing was made that is to be closed."""
        if self._ask(thing) is None:
            self._unknown += 1
            return
        try:
            self._hold(thing)
            self._tally.made()
        except TypeError:
            self._unknown += 1

    def _hold(self, thing: Any) -> None:
        try:
            self._tally.census.add(thing)
        except TypeError:
            part = _ByPart.part_of(thing)
            if part is None:
                self._untied.add(thing)
            else:
                self._tally.census.add(part)

    def _ask(self, thing: Any) -> Optional[bool]:
        try:
            return self._is_open(_ByPart.whole_of(thing))
        except Exception:
            return None

    def _is_surely_open(self, thing: Any) -> bool:
        return self._ask(thing) is True

    def standing(self) -> Optional[int]:
        """As for all that is made; the garbage collector takes too long to find its own."""
        if len(self._untied):
            return None
        return sum([not entry.counted for _, entry in self._tally.census.living()]) + self._past

    def end(self) -> None:
        """The program has come to its end."""
        super().end()
        self._untied_left = self._untied.sweep()

    def record(self, final: bool) -> Dict[str, Any]:
        """The census so far."""
        record = super().record(final)
        untied = self._untied_left if self._tally.ended else len(self._untied)
        ends = {"left": record["left"] + self._past + self._untied_left, "alive": record["alive"] + self._past + untied}
        return {**record, **ends, "peak": record["peak"] + self._untied.peak, "unknown": self._unknown}

    def reset(self) -> None:
        """What the parent made is the parent's to close."""
        super().reset()
        self._unknown = self._past = 0
        self._untied.forget()
        self._untied_left = 0


def handle_rows(records: Iterable[Mapping[str, Any]], unit: str) -> Iterator[Row]:
    """The census of all processes; only the hits, if there were objects that do not say whether they are open."""
    seen = list(records)
    rows = _creation.census_rows(seen, unit)
    if _census.total(seen, "unknown"):
        hits = _census.total(seen, "hits")
        return iter([_census.exact("hits", hits, "executions", hits)])
    return rows
