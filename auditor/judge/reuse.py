"""Reuse: is a connection opened anew although an earlier one could serve?

connections                 per execution                     per peer       verdict
10 or more, in 10 or more   lower end reaches the threshold   5 or more      confirmed; but rejected where each served
executions                                                                   10 requests or more on average, and
                                                                             inconclusive above 1 / threshold
1 or more                   upper end under the threshold     any            rejected: they are reused
1 or more                   any                               fewer than 2   rejected: there was nothing to reuse
none, in 10 executions or   making it is costly (seconds and  any            confirmed, if the rule asks for it
more                        share, see `timing`)
none                        anything else                     any            inconclusive: it never connected
not counted, or in part     any                               any            not-measurable
anything else                                                                inconclusive, with the executions wanted

A pool is made once and keeps connections for all who ask. The first line that holds decides; "waited" reads by the
table in `timing`, of the probes alone:

connections were not counted                                          not-measurable
10 or more, 5 or more per peer, twice as many as were open at once    confirmed: it did not keep them
callers waited for one, costly                                        confirmed
not all was seen, or how long callers wait                            not-measurable
none was opened                                                       inconclusive: it never connected
waited cheap, and under twice as many as were open at once            rejected
anything else                                                         inconclusive
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.judge import words
from auditor.judge.seen import PROBES, Opinion
from auditor.judge.timing import Reading, telling_run, weigh
from auditor.model import VerdictKind

if TYPE_CHECKING:
    from auditor.judge.seen import Seen
    from auditor.model import Reuse

# Fewer executions may all belong to starting up.
ENOUGH = 10.0
# Connections to one peer from which on a kept one would have saved most of them.
REPEATED = 5.0
TWICE = 2.0
# Connections per request up to which what is left to save is small: one in ten connects.
WELL = 0.1


def judge_reuse(expects: Reuse, seen: Seen) -> Opinion:
    """The tables above."""
    if expects.pooled:
        return _judge_pool(seen)
    opened, per_hit = seen.row("connections"), seen.row("per_hit")
    if opened is None:
        return Opinion(VerdictKind.NOT_MEASURABLE, f"connections were not counted: {seen.gap()}")
    peers = max(1.0, seen.value("peers"))
    runs = words.times(seen.hits, "executions")
    counted = f"{words.times(opened.value, 'connections')} to {words.times(peers, 'peers')} in {runs}"
    enough = seen.hits >= ENOUGH and opened.low >= ENOUGH and opened.low / peers >= REPEATED
    if enough and per_hit is not None and per_hit.low >= seen.limits.reuse:
        return _opened_each_time(seen, opened.value, counted)
    if not seen.complete(PROBES):
        return Opinion(VerdictKind.NOT_MEASURABLE, f"{counted}, but not all was seen: {seen.gap()}")
    if expects.making and opened.high <= 0 and (costly := _made_at_a_cost(seen)) is not None:
        return costly
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


def _opened_each_time(seen: Seen, opened: float, counted: str) -> Opinion:
    """Each execution opens its own, which may serve many requests before it is closed."""
    requests = seen.value("requests")
    if requests * seen.limits.reuse <= opened:
        return Opinion(VerdictKind.CONFIRMED, f"{counted}: they are not reused")
    counted = f"{counted}, which served {words.times(requests, 'requests')}"
    if opened <= WELL * requests:
        return Opinion(VerdictKind.REJECTED, f"{counted}: each is reused many times before the next is opened")
    advice = "time it with one client for all, as connecting may or may not be worth saving"
    return Opinion(VerdictKind.INCONCLUSIVE, f"{counted}: each is reused a few times; {advice}")


def _made_at_a_cost(seen: Seen) -> Opinion | None:
    """What connects to no peer, such as an engine of SQLite, may be dear to make; what else it costs is not known."""
    making = seen.row("making")
    if making is None or seen.hits < ENOUGH or seen.wall_s <= 0:
        return None
    share = making.low / seen.wall_s, making.high / seen.wall_s
    reading = weigh(seen, (making.low, making.high), share)
    if reading is not Reading.COSTLY:
        between = f"{words.seconds(making.low)} to {words.seconds(making.high)}"
        reason = f"no connection to a peer in {words.times(seen.hits, 'executions')}, and making it took {between}"
        advice = "what its first use makes anew is not counted; compare with one that is made once"
        return Opinion(VerdictKind.INCONCLUSIVE, f"{reason}; {advice}")
    spent = f"{words.seconds(making.value)} of {words.seconds(seen.wall_s)} ({words.percent(share[0])})"
    runs = words.times(seen.hits, "executions")
    return Opinion(VerdictKind.CONFIRMED, f"no connection to a peer, but making it took {spent} in {runs}")


def _judge_pool(seen: Seen) -> Opinion:
    opened, at_once = seen.row("connections"), seen.row("open_peak")
    if opened is None or at_once is None:
        return Opinion(VerdictKind.NOT_MEASURABLE, f"connections were not counted: {seen.gap()}")
    peers = max(1.0, seen.value("peers"))
    counted = f"{words.times(opened.value, 'connections')} to {words.times(peers, 'peers')}"
    counted = f"{counted}, at most {words.count(at_once.value)} open at once"
    if opened.low >= ENOUGH and opened.low / peers >= REPEATED and opened.low >= TWICE * at_once.high > 0:
        return Opinion(VerdictKind.CONFIRMED, f"{counted}: the pool had no room to keep them")
    waited, share = seen.row("pool_waited"), seen.row("pool_waited_share")
    if waited is None:
        reason = f"{counted}, but how long callers wait for one is not measured for this library"
        return Opinion(VerdictKind.NOT_MEASURABLE, reason)
    reading = weigh(seen, (waited.low, waited.high), None if share is None else (share.low, share.high))
    stood = f"{counted}; callers waited for one for {words.seconds(waited.value)} of {words.seconds(seen.wall_s)}"
    if reading is Reading.COSTLY:
        return Opinion(VerdictKind.CONFIRMED, stood)
    if not seen.complete(PROBES):
        return Opinion(VerdictKind.NOT_MEASURABLE, f"{stood}, but not all was seen: {seen.gap()}")
    if opened.high <= 0:
        return Opinion(VerdictKind.INCONCLUSIVE, "no connection was opened; run it against a peer that answers")
    if reading is Reading.CHEAP and opened.high < TWICE * at_once.low:
        return Opinion(VerdictKind.REJECTED, stood)
    wanted = words.seconds(words.at_least(max(telling_run(seen), 2 * seen.wall_s)))
    return Opinion(VerdictKind.INCONCLUSIVE, f"{stood}, which leaves it in doubt; run it for at least {wanted}")
