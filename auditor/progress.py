"""How whoever asked for an audit hears of what is under way, and ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Progress:
    """`step` gets (what, done, total); total is 0 where unknown. Once `stop` is set, the audit ends early."""

    step: Callable[[str, int, int], None] = lambda _what, _done, _total: None
    stop: threading.Event = field(default_factory=threading.Event)
