"""Telemetry of components, taken in at the pace at which it arrives."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable

from intent_operator.model import Sample


class TelemetryInbox:
    """Decouples those who send samples from the aggregation of them."""

    def __init__(self, rounds: int = 80) -> None:
        self.totals: Counter[str] = Counter()
        self._rounds = rounds
        self._samples: asyncio.Queue[Sample | None] = asyncio.Queue()

    async def ingest(self, samples: Iterable[Sample], burst: int = 16) -> None:
        """Take in samples, `burst` at a time, and then the end of the stream."""
        for index, sample in enumerate(samples):
            await self._samples.put(sample)
            if index % burst == 0:
                await asyncio.sleep(0)
        await self._samples.put(None)

    async def aggregate(self) -> None:
        """Verify and count samples until the stream ends."""
        while (sample := await self._samples.get()) is not None:
            digest = sample.payload
            for _ in range(self._rounds):
                digest = hashlib.blake2b(digest, digest_size=32).digest()
            self.totals[sample.component] += digest[0] & 1
            await asyncio.sleep(0)
