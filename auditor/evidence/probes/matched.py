"""Probe `matched`: a call that matches a regular expression, and the time of those that no pass over the text explains.

As `sized-call`, which it builds on, it times the call from the last operand on and looks at the text's length. A match
that takes each character once costs some tens of nanoseconds for each. One that takes longer than so many set look-ups
for each character goes over the text again and again. The time of these is kept apart: among many that match at once, a
single one may be what is costly. That the processor was away for so long does not count; where garbage was collected
meanwhile, it may have been that, or not.
"""

from __future__ import annotations

import gc
import math
import os
from importlib.util import module_from_spec, spec_from_file_location
from time import get_clock_info, perf_counter_ns, thread_time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from auditor.evidence.probes import sized_call
else:
    # found by its path: in the program's processes there is no package around this file
    _spec = spec_from_file_location("audit_sized_call", os.path.join(os.path.dirname(__file__), "sized_call.py"))
    sized_call = module_from_spec(_spec)
    _spec.loader.exec_module(sized_call)

NAME = "matched"
NODES = sized_call.NODES[:1]
plant = sized_call.plant
LOOKUPS = 100
"""What a pass may cost at most for each character, in set look-ups: a step with a group takes about five, and a choice
among many words several steps."""
SHORT = 16
"""Shorter texts may take as long as one of so many characters."""
Z95 = 1.959964
_now = thread_time_ns if get_clock_info("thread_time").resolution < 1e-6 else perf_counter_ns


class Recorder(sized_call.Recorder):
    """Counts one site."""

    def __init__(self, runtime: Any, site: dict[str, Any]) -> None:
        super().__init__(runtime, site)
        self._clock = self._matching = _Clock(
            self._samples, runtime.tick, self._skips.plan, runtime.timing.set_lookup_ns
        )

    def record(self, final: bool) -> dict[str, Any]:
        """What was seen so far."""
        clock = self._matching
        clock.comparable = False
        beyond = [clock.beyond, clock.beyond_ns, clock.beyond_squares, clock.unknown_ns]
        return {**super().record(final), "beyond": beyond}

    def reset(self) -> None:
        """Forget everything, after a fork."""
        super().reset()
        self._matching.forget()


class _Clock(sized_call.Clock):
    """The executions under way, and those that took longer than a pass explains."""

    def __init__(self, samples: Any, tick: Any, plan: Any, lookup_ns: Any) -> None:
        super().__init__(samples, tick, plan)
        self._lookup_ns = lookup_ns
        self._per_character = 0.0
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._begun: dict[int, tuple[int, tuple[int, int, int]]] = {}
        self.beyond = self.beyond_ns = self.beyond_squares = self.unknown_ns = 0

    def begin(self, key: int, argument: Any = None, is_asked: bool = False) -> None:
        """The last operand is there."""
        if len(self._begun) >= sized_call.FORGOTTEN:
            self._begun.clear()
        if not self._per_character:
            self._per_character = LOOKUPS * min(self._lookup_ns() for _ in range(3))
        self._begun[key] = _now(), gc.get_count()
        super().begin(key, argument, is_asked)

    def end(self, now: int, key: int) -> None:
        """The call returned."""
        entry, begun = self.opened.get(key), self._begun.pop(key, None)
        super().end(now, key)
        if entry is None or begun is None or not entry.begun:
            return
        spent, stands_for = now - entry.begun, entry.gap
        if entry.size < 0:
            self.unknown_ns += spent * stands_for
            return
        explained = self._per_character * max(SHORT, entry.size)
        if spent <= explained:
            return
        # one that the processor left for a while took little more than others, however late it ended
        spent = min(spent, _now() - begun[0])
        if spent > explained and _collected_since(begun[1]):
            self.unknown_ns += spent * stands_for
        elif spent > explained:
            self.beyond += stands_for
            self.beyond_ns += spent * stands_for
            self.beyond_squares += spent * spent * stands_for * (stands_for - 1)


def _collected_since(before: tuple[int, int, int]) -> bool:
    """Whether garbage was collected: the youngest generation is emptied then, and the next one counts it."""
    now = gc.get_count()
    return now[0] < before[0] or now[1:] != before[1:]


def rows(records: Sequence[dict[str, Any]]) -> Iterable[tuple[str, float, float, float, str, int]]:
    """Hits, seconds, sizes, growth, and the seconds of executions that no pass over the text explains."""
    yield from sized_call.rows([{**record, "lookup_ns": 0.0} for record in records])
    hits, spent, squares, unknown = (sum(record["beyond"][index] for record in records) for index in range(4))
    error = Z95 * math.sqrt(squares)
    least, most = max(0.0, spent - error), spent + error + unknown
    yield "beyond", spent / 1e9, least / 1e9, most / 1e9, "s", hits
