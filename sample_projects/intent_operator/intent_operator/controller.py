"""The control loop: takes an intent through planning, policy, validation and start."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from intent_operator.clients import PolicyClient
from intent_operator.journal import Journal, StatusBoard
from intent_operator.model import Intent, Plan
from intent_operator.tickers import LeaseTicker, ProgressTicker
from intent_operator.validator import validate
from intent_operator.workers import WorkerPool

ROLL_OUT = ("scheduled", "image pulled", "configured", "started", "probed", "ready")


@dataclass(frozen=True, slots=True)
class Services:
    """What a controller works with."""

    pool: WorkerPool
    policies: PolicyClient
    journal: Journal
    board: StatusBoard


class Controller:
    """Reconciles intents, at most `limit` at a time."""

    def __init__(self, services: Services, token: Path, limit: int = 8) -> None:
        self.components: dict[str, LeaseTicker] = {}
        self.reports = 0
        self._services = services
        self._token = token
        self._verdicts: dict[Plan, bool] = {}
        self._turn = asyncio.Semaphore(limit)

    async def reconcile_all(self, intents: Iterable[Intent]) -> None:
        """Reconcile intents side by side; the first error cancels the others.

        Raises `PermissionError` if the operator has no token.
        """
        if not await self.read_token():
            raise PermissionError("the token is empty")
        async with asyncio.TaskGroup() as group:
            for intent in intents:
                group.create_task(self.reconcile(intent))

    async def reconcile(self, intent: Intent) -> None:
        """Have one intent planned and checked, and start the components of its plan."""
        async with self._turn:
            progress = ProgressTicker(self._report)
            progress.start()
            try:
                await self._apply(intent)
            finally:
                progress.stop()

    async def read_token(self) -> str:
        """Return the token of the service account, which is replaced from time to time."""
        with open(self._token, encoding="ascii") as file:
            return file.read().strip()

    async def _apply(self, intent: Intent) -> None:
        services = self._services
        services.board.publish(intent.name, "planning")
        plan = await services.pool.submit(intent)
        limits = await asyncio.to_thread(services.policies.fetch, intent.namespace)
        valid = self._verdicts.get(plan)
        if valid is None:
            valid = await asyncio.wrap_future(validate(plan, limits["max_replicas"]))
            self._verdicts[plan] = valid
        await services.journal.record(f"{intent.name}: {'valid' if valid else 'refused'}")
        if valid:
            self._start(plan)
            for component in plan.components:
                for step in ROLL_OUT:
                    await services.journal.record(f"{intent.name}/{component}: {step}")
        services.board.publish(intent.name, "running" if valid else "refused")

    def _start(self, plan: Plan) -> None:
        for name in plan.components:
            ticker = LeaseTicker(name)
            ticker.start()
            self.components[name] = ticker

    def _report(self) -> None:
        self.reports += 1
