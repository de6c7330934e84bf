"""Work that recurs: leases of components and progress of reconciliations."""

import asyncio
from collections.abc import Callable


class LeaseTicker:
    """Renews the lease of a component."""

    def __init__(self, component: str, interval: float = 0.5) -> None:
        self.component = component
        self.renewals = 0
        self._interval = interval

    def start(self) -> None:
        """Begin to renew."""
        asyncio.create_task(self._renew())

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            self.renewals += 1


class ProgressTicker:
    """Reports that a reconciliation is still going on, until it is stopped."""

    def __init__(self, report: Callable[[], None], interval: float = 0.02) -> None:
        self._report = report
        self._interval = interval
        self._stopped = False

    def start(self) -> None:
        """Begin to report."""
        asyncio.create_task(self._run())

    def stop(self) -> None:
        """Make the report that is due the last one."""
        self._stopped = True

    async def _run(self) -> None:
        while not self._stopped:
            await asyncio.sleep(self._interval)
            self._report()
