"""Drift checks, done in the order of their priority."""

import asyncio
import hashlib
import time
from collections.abc import Iterable

from intent_operator.model import DriftCheck, Priority

_BREATH = 0.0001


def fingerprint(manifest: bytes, rounds: int = 60) -> str:
    """Return the hash that stands for a manifest, stretched by `rounds`."""
    digest = manifest
    for _ in range(rounds):
        digest = hashlib.blake2b(digest, digest_size=32).digest()
    return digest.hex()


class DriftScheduler:
    """Queues of checks, one for every priority."""

    def __init__(self) -> None:
        self.drifted = 0
        self._queues: dict[Priority, asyncio.Queue[DriftCheck]] = {
            priority: asyncio.Queue() for priority in Priority
        }

    def post(self, checks: Iterable[tuple[Priority, DriftCheck]]) -> None:
        """Add checks behind those of the same priority."""
        for priority, check in checks:
            self._queues[priority].put_nowait(check)

    async def drain(self) -> int:
        """Do all checks that wait, the most urgent first, and return how many there were.

        Other tasks have a turn after every 50 checks, other threads after every 500.
        """
        done = 0
        while (check := self._next()) is not None:
            self.drifted += fingerprint(check.manifest) != check.digest
            done += 1
            if done % 50 == 0:
                await asyncio.sleep(0)
            if done % 500 == 0:
                time.sleep(_BREATH)
        return done

    def _next(self) -> DriftCheck | None:
        for queue in self._queues.values():
            if not queue.empty():
                return queue.get_nowait()
        return None
