"""For how long the main threads of a run waited for other threads, and for what, as py-spy saw them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from auditor.evidence.loops import places_of
from auditor.evidence.speedscope import Frame, Lane, Recording
from auditor.evidence.stacks import is_function
from auditor.model import Waits

SHOWN = 3
FEWEST = 5
"""Samples; fewer tell no seconds."""

THREAD = "threading.py:_bootstrap"
"""At the outer end of all threads of `threading` but the main one."""

WAITING = {
    "threading.py": ("wait", "wait_for", "join", "_wait_for_tstate_lock", "_shutdown", "acquire", "__enter__"),
    "queue.py": ("get", "put", "join"),
    "logging/__init__.py": ("acquire",),
    "multiprocessing/synchronize.py": ("acquire", "__enter__", "wait"),
    "multiprocessing/queues.py": ("get", "put"),
}
"""Innermost functions in which nothing happens but waiting, by file."""

KINDS = (
    (
        "connection pools",
        (
            *("sqlalchemy/util/queue.py:get", "sqlalchemy/pool/impl.py:_do_get", "urllib3/connectionpool.py:_get_conn"),
            *("psycopg_pool/pool.py:getconn", "redis/connection.py:get_connection", "pymongo/pool.py:_get_conn"),
            *("pymongo/synchronous/pool.py:_get_conn", "httpcore/_sync/connection_pool.py:wait_for_connection"),
        ),
    ),
    (
        "queues",
        (
            *("queue.py:get", "queue.py:put", "queue.py:join"),
            *("multiprocessing/queues.py:get", "multiprocessing/queues.py:put"),
        ),
    ),
    (
        "results",
        (
            *(f"concurrent/futures/_base.py:{name}" for name in ("result", "exception", "wait", "as_completed")),
            *("concurrent/futures/_base.py:result_iterator", "multiprocessing/pool.py:wait"),
            "multiprocessing/pool.py:next",
        ),
    ),
    (
        "threads to end",
        (
            *("threading.py:join", "threading.py:_wait_for_tstate_lock", "threading.py:_shutdown"),
            "concurrent/futures/thread.py:shutdown",
        ),
    ),
    (
        "locks",
        (
            *("threading.py:__enter__", "threading.py:acquire", "logging/__init__.py:acquire"),
            *("multiprocessing/synchronize.py:__enter__", "multiprocessing/synchronize.py:acquire"),
        ),
    ),
)
"""What they wait for, by the functions that do; the first that any of the innermost frames belongs to."""
OTHER = "events and conditions"


def waits_of(recordings: Iterable[tuple[Recording, float]], cwd: str, target: Path) -> Waits | None:
    """Recordings come with the seconds that they were watched for; None if hardly anything was waited for.

    A bare lock (`with lock:`) waits in no function of Python's, and is not among them.
    """
    kinds: dict[str, float] = {}
    lines: dict[str, float] = {}
    samples, watched = 0, 0.0
    for recording, watched_s in recordings:
        watched += watched_s
        for kind, place, times in _waiting(recording, places_of(recording, cwd, target)):
            spent = times / recording.ticks * watched_s
            samples += times
            kinds[kind] = kinds.get(kind, 0.0) + spent
            if place:
                lines[place] = lines.get(place, 0.0) + spent
    if samples < FEWEST:
        return None
    return Waits(sum(kinds.values()), watched, _greatest(kinds), _greatest(lines)[:SHOWN])


def _waiting(recording: Recording, places: Mapping[int, str]) -> Iterator[tuple[str, str, int]]:
    """What a main thread waits for, the innermost line of what is audited ("" if none), and in how many samples."""
    waiting = _numbers(recording.frames, [f"{file}:{name}" for file, names in WAITING.items() for name in names])
    kinds = [(kind, _numbers(recording.frames, names)) for kind, names in KINDS]
    for lane in _main_threads(recording):
        for stack, times in lane.stacks.items():
            if not stack or stack[-1] not in waiting:
                continue
            depth = next((depth for depth in range(len(stack) - 1, -1, -1) if stack[depth] in places), -1)
            inner = stack[depth + 1 :]
            kind = next((kind for kind, numbers in kinds if not numbers.isdisjoint(inner)), OTHER)
            yield kind, places[stack[depth]] if depth >= 0 else "", times


def _numbers(frames: Sequence[Frame], names: Sequence[str]) -> set[int]:
    return {number for number, frame in enumerate(frames) if any(is_function(frame, name) for name in names)}


def _greatest(spent: dict[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(spent.items(), key=lambda item: (-item[1], item[0])))


def _main_threads(recording: Recording) -> Iterator[Lane]:
    """Of each process, the thread that was there for longest and is none of `threading`'s."""
    started = _numbers(recording.frames, [THREAD])
    longest: dict[int, Lane] = {}
    for lane in recording.lanes:
        if any(not started.isdisjoint(stack) for stack in lane.stacks):
            continue
        if lane.pid not in longest or lane.samples > longest[lane.pid].samples:
            longest[lane.pid] = lane
    yield from longest.values()
