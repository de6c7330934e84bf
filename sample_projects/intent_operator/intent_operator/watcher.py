"""Finds intents that users put into a folder."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

from intent_operator.model import Intent


class IntentWatcher:
    """Reads the intents of a folder once their files are no longer written to."""

    def __init__(self, folder: Path, settle: float = 0.05) -> None:
        self._folder = folder
        self._settle = settle

    async def scan(self) -> AsyncIterator[Intent]:
        """Yield the intents in the order of their file names."""
        for path in await asyncio.to_thread(self._paths):
            if await self.is_stable(path):
                with open(path, encoding="utf-8") as file:
                    documents = json.load(file)
                for document in documents:
                    yield Intent(**document)

    async def is_stable(self, path: Path) -> bool:
        """Say whether a file keeps its size for the time that files take to settle."""
        before = path.stat().st_size
        time.sleep(self._settle)
        return path.stat().st_size == before

    def _paths(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"))
