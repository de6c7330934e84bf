"""Reuse: is a connection opened anew although an earlier one could serve?

connections                 per execution                     per peer       verdict
10 or more, in 10 or more   lower end reaches the threshold   5 or more      confirmed
executions
1 or more                   upper end under the threshold     any            rejected: they are reused
1 or more                   any                               fewer than 2   rejected: there was nothing to reuse
none                        any                               any            inconclusive: it never connected
not counted, or in part     any                               any            not-measurable
anything else                                                                inconclusive, with the executions wanted
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.seen import PROBES, Opinion
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen

# Fewer executions may all belong to starting up.
ENOUGH = 10.0
# Connections to one peer from which on a kept one would have saved most of them.
REPEATED = 5.0
TWICE = 2.0


def judge_reuse(seen: Seen) -> Opinion:
    """The table above."""
    opened, per_hit = seen.row("connections"), seen.row("per_hit")
    if opened is None:
        return Opinion(VerdictKind.NOT_MEASURABLE, f"connections were not counted: {seen.gap()}")
    peers = max(1.0, seen.value("peers"))
    runs = words.times(seen.hits, "executions")
    counted = f"{words.times(opened.value, 'connections')} to {words.times(peers, 'peers')} in {runs}"
    enough = seen.hits >= ENOUGH and opened.low >= ENOUGH and opened.low / peers >= REPEATED
    if enough and per_hit is not None and per_hit.low >= seen.limits.reuse:
        return Opinion(VerdictKind.CONFIRMED, f"{counted}: they are not reused")
    if not seen.complete(PROBES):
        return Opinion(VerdictKind.NOT_MEASURABLE, f"{counted}, but not all was seen: {seen.gap()}")
    if opened.high <= 0:
        advice = f"run it {words.times(ENOUGH, 'times')} against a peer that answers"
        return Opinion(VerdictKind.INCONCLUSIVE, f"no connection in {runs}; {advice}")
    if opened.low > 0 and per_hit is not None and per_hit.high < seen.limits.reuse:
        return Opinion(VerdictKind.REJECTED, f"{counted}: they are reused")
    if opened.low > 0 and opened.high / peers < TWICE:
        return Opinion(
            VerdictKind.REJECTED, f"{counted}: no peer was connected to twice, so there was nothing to reuse"
        )
    wanted = max(ENOUGH, 2 * seen.hits, REPEATED * peers)
    return Opinion(
        VerdictKind.INCONCLUSIVE,
        f"{counted} leave it in doubt; run it at least {words.times(words.at_least(wanted), 'times')}",
    )
