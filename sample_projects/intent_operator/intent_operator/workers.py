"""The pool of workers that have intents planned."""

import asyncio
from collections.abc import Callable
from types import TracebackType

from intent_operator.model import Intent, Plan

DEADLINE = 600.0


class WorkerPool:
    """Calls a blocking planner in threads, for a bounded number of intents at a time.

    Use it as an async context manager.
    """

    def __init__(self, plan: Callable[[Intent], tuple[str, ...]], workers: int = 4) -> None:
        self.expired = 0
        self._plan = plan
        self._workers = workers
        self._tasks: list[asyncio.Task[None]] = []
        self._requests: asyncio.Queue[tuple[Intent, asyncio.Future[Plan]]] = asyncio.Queue(
            maxsize=2 * workers
        )

    async def __aenter__(self) -> "WorkerPool":
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._workers)]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()

    async def submit(self, intent: Intent) -> Plan:
        """Return the plan for an intent; raise `TimeoutError` when the deadline has passed."""
        answer: asyncio.Future[Plan] = asyncio.get_running_loop().create_future()
        asyncio.create_task(self._expire(answer))
        await self._requests.put((intent, answer))
        return await answer

    async def _expire(self, answer: "asyncio.Future[Plan]") -> None:
        await asyncio.sleep(DEADLINE)
        if not answer.done():
            answer.set_exception(TimeoutError("the deadline has passed"))
            self.expired += 1

    async def _work(self) -> None:
        while True:
            intent, answer = await self._requests.get()
            try:
                components = await asyncio.to_thread(self._plan, intent)
            except OSError as error:
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(Plan(intent, components))
