"""How many descriptors were open, over the tests of a session, or over the time of what is no session.

Looked at where a test has ended, else when records are written down. Standard library only, Python 3.8 to 3.14.
"""

from __future__ import annotations

from time import perf_counter_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Optional


class Growth:
    """One per process. `kept` is the module `_kept`, `others` the module `audit_open`."""

    def __init__(self, tools: Any, kept: Any, others: Any) -> None:
        self._tools = tools
        self._others = others
        self._course = kept.Course(self, self._open)
        self.reset()

    def reset(self) -> None:
        """Begin anew, after a fork."""
        self._course.reset()
        self._tests = self._looks = 0
        self._begun_ns = perf_counter_ns()

    def test_ended(self) -> None:
        """A test of pytest is over."""
        if not self._tests:
            self._course.reset()
        self._tests += 1
        self._tools.attempt(self._course.made, self._tests)

    def look(self) -> None:
        """Some time has passed."""
        if not self._tests:
            self._looks += 1
            self._tools.attempt(self._course.made, self._looks)

    def record(self) -> Dict[str, Any]:
        """As JSON-able data."""
        return {**self._course.record(self._looks), "per": "tests" if self._tests else "ms"}

    def now(self) -> int:
        """Tests, or milliseconds, so far."""
        return self._tests or (perf_counter_ns() - self._begun_ns) // 1_000_000

    def _open(self) -> Optional[int]:
        return len(self._others.numbers()) or None
