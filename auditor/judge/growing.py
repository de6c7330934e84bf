"""How cost moved over the sizes at which a workload was run, where it was run at several."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.seen import PROBES, PY_SPY

if TYPE_CHECKING:
    from auditor.judge.seen import Seen
    from auditor.model import Evidence

# The operation's own size must follow n at least so far (its square root) to say that n drives it.
DRIVEN = 0.5
# How far beyond the greatest size that was run a power law is trusted: one decade.
BEYOND = 1.0


def per_execution(seen: Seen) -> Evidence | None:
    """The exponent of seconds per execution over n: that of the operation alone, or else that of its line."""
    return seen.row("hit_exponent", PROBES) or seen.row("hit_exponent", PY_SPY)


def is_driven(seen: Seen) -> bool:
    """Whether n drives the size of the operation. Where a probe sees no size, whoever gave the sizes is believed."""
    size = seen.row("input_exponent")
    return size is None or size.value >= DRIVEN


def in_total(seen: Seen) -> Evidence | None:
    """The exponent of all seconds over n."""
    return seen.row("size_exponent", PROBES) or seen.row("size_exponent", PY_SPY)


def described(seen: Seen) -> str:
    """As in "; over n its seconds grow as n^2.02 (quadratic)"; "" where they were not fitted."""
    row = in_total(seen)
    if row is None:
        return ""
    return f"; over n its seconds grow as n^{row.value:.2f} ({words.power(row.low, row.high)})"


def reach(seen: Seen) -> float | None:
    """How many times as large n would have to be for a cost that is small to reach seconds and share.

    None unless both surely grow, the seconds faster than n, and both thresholds lie within BEYOND.
    """
    total = in_total(seen)
    if total is None or total.low < 1 + seen.limits.growth:
        return None
    share = seen.row("share_exponent", total.collector)
    if share is None or share.low <= 0:
        return None
    seconds, part = seen.value("seconds", total.collector), seen.value("share", total.collector)
    if seconds <= 0 or part <= 0:
        return None
    decades = max(
        math.log10(seen.limits.seconds / seconds) / total.value, math.log10(seen.limits.share / part) / share.value, 0.0
    )
    return 10.0**decades if decades <= BEYOND else None
