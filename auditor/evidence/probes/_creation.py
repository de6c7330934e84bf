"""What the probes at creation expressions share: `made` around the expression, a census of what came of it, its rows.

Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

import ast
import os
from abc import ABC, abstractmethod
from importlib.util import module_from_spec, spec_from_file_location
from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, Dict, Optional

    from auditor.evidence.probes import _census, _kept, _units
    from auditor.evidence.probes._census import Row
else:
    # found by their paths: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_census", os.path.join(os.path.dirname(__file__), "_census.py"))
    _census = module_from_spec(_spec)
    _spec.loader.exec_module(_census)
    _spec = spec_from_file_location("audit_units", os.path.join(os.path.dirname(__file__), "_units.py"))
    _units = module_from_spec(_spec)
    _spec.loader.exec_module(_units)
    _spec = spec_from_file_location("audit_kept", os.path.join(os.path.dirname(__file__), "_kept.py"))
    _kept = module_from_spec(_spec)
    _spec.loader.exec_module(_kept)


def plant(node: ast.AST, parents: Mapping[ast.AST, ast.AST], call: Callable[..., ast.expr]) -> Dict[ast.AST, Any]:
    """Let what is made pass through `made`, and count the executions of the code around."""
    units = _units.plant_units(node, parents, call, lambda one, around: _is_kept_by_key(one, around, parents))
    return _units.merged({node: lambda made: call("made", made)}, units)


def _is_kept_by_key(node: ast.AST, function: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether it goes into a container, `X[k] = node`, that the function around it looks into: one for each key."""
    statement: Any = node
    while isinstance(statement, (ast.expr, ast.keyword)):
        statement = parents.get(statement)
    if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Expr)):
        return False
    names = {target.id for target in getattr(statement, "targets", ()) if isinstance(target, ast.Name)}
    stores = [
        target.value
        for store in ast.walk(function)
        if isinstance(store, ast.Assign) and (store is statement or getattr(store.value, "id", None) in names)
        for target in store.targets
        if isinstance(target, ast.Subscript)
    ]
    return any(_units.is_asked(store, function) for store in stores)


class Tally:
    """What a recorder of a census counts, in the form in which it is recorded and added up.

    `left` were alive at a proper end, `alive` when last looked at; a process that was killed had no proper end.
    `standing` as `_kept.Course` asks for it.
    """

    def __init__(self, census: Any, units: Any, standing: Callable[[], Optional[int]]) -> None:
        self.census = census
        self._units = units
        self._course = _kept.Course(units, standing)
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.census.forget()
        self._course.reset()
        self.hits = self.created = self.left = 0
        self._first = self._last = self._grew = 0
        self.ended = False

    def made(self) -> None:
        """An object was created."""
        self.created += 1
        self._grew = self._units.now()
        self._last = perf_counter_ns()
        if not self._first:
            self._first = self._last
        self._course.made(self.created)

    def end(self) -> None:
        """The program has come to its end."""
        self.left = self.census.sweep()
        self.ended = True

    def record(self) -> Dict[str, Any]:
        """What was counted so far."""
        alive = self.left if self.ended else self.census.sweep()
        units = self._units.now()
        return {
            "hits": self.hits,
            "created": self.created,
            "peak": self.census.peak,
            "left": self.left,
            "alive": max(alive, self.left),
            "ended": self.ended,
            "spread": (self._last - self._first) / max(1, perf_counter_ns() - self._first) if self._first else 0.0,
            "units": units,
            "quiet": units - self._grew,
            "asks": self._units.asks,
            **self._course.record(self.created),
        }


class Recorder(ABC):
    """The census of one site. `watch` is a probe's own: it looks whether a thing is one of those it counts."""

    def __init__(self, runtime: Any, census: Any) -> None:
        self._runtime = runtime
        self._units = _units.Units()
        self._tally = Tally(census, self._units, self.standing)
        runtime.on_exit(self.end)

    def functions(self) -> Dict[str, Callable[..., Any]]:
        """What the planted code calls."""
        return {"made": self.made, **self._units.functions()}

    def made(self, thing: Any) -> Any:
        """A thing was made."""
        _census.attempt(self._register, thing)
        return thing

    def _register(self, thing: Any) -> None:
        self._tally.hits += 1
        self.watch(thing)
        self._runtime.tick()

    def standing(self) -> Optional[int]:
        """How many are alive now or were left for good; None where that takes too long to tell."""
        return int(self._tally.census.sweep())

    @abstractmethod
    def watch(self, thing: Any) -> None:
        """Count it, and follow it from now on."""

    def end(self) -> None:
        """The program has come to its end."""
        self._tally.end()

    def hits(self) -> int:
        """Executions so far."""
        return self._tally.hits

    def record(self, final: bool) -> Dict[str, Any]:
        """The census so far."""
        return self._tally.record()

    def reset(self) -> None:
        """A forked process has none of what its parent made."""
        self._units.reset()
        self._tally.reset()


def census_rows(records: Iterable[Mapping[str, Any]], unit: str) -> Iterator[Row]:
    """Rows of a census. Processes add up, except for the peak: they need not have lived at the same time.

    Of a process that came to no proper end, what was alive when last looked at may be left or may not.
    """
    seen = list(records)
    hits, created = _census.total(seen, "hits"), _census.total(seen, "created")
    ends = [(int(record["left"]), int(record["left" if record["ended"] else "alive"])) for record in seen]
    left, at_most = sum(least for least, _ in ends), sum(most for _, most in ends)
    yield _census.exact("hits", hits, "executions", hits)
    yield _census.exact("created", created, unit, created)
    yield "alive_end", at_most, left, at_most, unit, created
    least, most = max((least for least, _ in ends), default=0), max((most for _, most in ends), default=0)
    yield "left_most", most, least, most, unit, created
    if created > 1:
        yield _census.exact("spread", max(float(record["spread"]) for record in seen), "ratio", created)
    yield _census.exact("alive_peak", max((int(record["peak"]) for record in seen), default=0), unit, created)
    yield from _kept.kept_rows(seen, unit, _units)
    counted = [record for record in seen if record["created"] and record["units"]]
    if counted:
        # another process may have gone on for as long as this one made none
        quietest = min(counted, key=lambda record: int(record["quiet"]))
        yield _census.exact("quiet", quietest["quiet"], "executions", quietest["units"])
        yield _census.exact("rounds", quietest["units"], "executions", quietest["units"])
        if quietest["asks"]:
            found = max(0, quietest["units"] - quietest["created"])
            yield _census.exact("found", found, "executions", quietest["units"])
