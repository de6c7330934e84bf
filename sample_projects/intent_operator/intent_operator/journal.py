"""The journal of what the operator did, and the board of what it does now."""

import asyncio
from types import TracebackType


class Journal:
    """Writes records in the background, in the order in which they came.

    Use it as an async context manager; on exit the records that wait are written first.
    """

    def __init__(self) -> None:
        self.written = 0
        self._records: asyncio.Queue[str] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Journal":
        self._task = asyncio.create_task(self._write())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._records.join()
        if self._task is not None:
            self._task.cancel()

    async def record(self, text: str) -> None:
        """Add a record."""
        await self._records.put(text)

    async def _write(self) -> None:
        while True:
            await self._records.get()
            self.written += 1
            self._records.task_done()


class StatusBoard:
    """The latest status of every intent."""

    def __init__(self) -> None:
        self.statuses: dict[str, str] = {}
        self.published = 0

    def publish(self, name: str, status: str) -> None:
        """Set a status without waiting until everybody has seen it."""
        asyncio.create_task(self._publish(name, status))

    async def _publish(self, name: str, status: str) -> None:
        self.statuses[name] = status
        await asyncio.sleep(0)
        self.published += 1
