"""The workload: one shift of the operator against services on the loopback."""

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from intent_operator import Controller, Priority, Services
from intent_operator.clients import ModelClient, PolicyClient, resolve_images, wait_until_ready
from intent_operator.devserver import DevServer
from intent_operator.journal import Journal, StatusBoard
from intent_operator.model import DriftCheck, Sample
from intent_operator.notifier import Notifier
from intent_operator.scheduler import DriftScheduler, fingerprint
from intent_operator.telemetry import TelemetryInbox
from intent_operator.validator import count_valid, load_catalogue
from intent_operator.watcher import IntentWatcher
from intent_operator.workers import WorkerPool

INTENT_FILES = 12
INTENTS_EACH = 5
ROUNDS = 3
IMAGES = 200
SAMPLES = 10000
CHECKS = 8000
BURST = 400  # checks asked for at once
PAUSE = 6  # turns of the event loop, in which 300 checks are done
SUBSCRIBERS = 80


def prepare(folder: Path) -> None:
    """Write the files that the operator reads: token, catalogue and intents."""
    (folder / "token").write_text("s3cr3t\n", encoding="ascii")
    for part in range(4):
        images = "\n".join(f"image{number}" for number in range(part, IMAGES, 4))
        (folder / f"catalogue{part}.txt").write_text(images, encoding="ascii")
    for part in range(INTENT_FILES):
        intents = [
            {
                "name": f"intent-{part}-{number}",
                "namespace": f"team{number}",
                "replicas": 1 + number % 4,
            }
            for number in range(INTENTS_EACH)
        ]
        (folder / f"intents{part:02d}.json").write_text(json.dumps(intents), encoding="ascii")


def samples() -> Iterator[Sample]:
    """Yield the telemetry of one shift."""
    for sequence in range(SAMPLES):
        yield Sample(f"component{sequence % 40}", sequence, sequence.to_bytes(4) * 64)


def drift_checks() -> Iterator[tuple[Priority, DriftCheck]]:
    """Yield a check for every component; one in ten has drifted."""
    for number in range(CHECKS):
        manifest = number.to_bytes(4) * 32
        digest = fingerprint(manifest) if number % 10 else ""
        priority = Priority(min(number % 7, Priority.IDLE))
        yield priority, DriftCheck(f"component{number}", manifest, digest)


async def reconcile(folder: Path, server: DevServer) -> None:
    """Take all intents of the folder through the controller."""
    base = f"http://127.0.0.1:{server.port}"
    await asyncio.to_thread(wait_until_ready, base)
    intents = [intent async for intent in IntentWatcher(folder).scan()]
    async with AsyncExitStack() as stack:
        model = ModelClient("127.0.0.1", server.port)
        pool = await stack.enter_async_context(WorkerPool(model.complete))
        journal = await stack.enter_async_context(Journal())
        board = StatusBoard()
        services = Services(pool, PolicyClient(base), journal, board)
        controller = Controller(services, folder / "token")
        for _ in range(ROUNDS):
            await controller.reconcile_all(intents)
    print(f"reconcile: {len(intents)} intents, {count_valid()} valid")
    print(f"journal: {journal.written} records, {board.published} statuses")
    print(f"components: {len(controller.components)}, expired: {pool.expired}")


async def resolve(folder: Path, server: DevServer) -> None:
    """Resolve every image of the catalogue."""
    images = await asyncio.to_thread(load_catalogue, folder)
    digests = await asyncio.to_thread(resolve_images, "127.0.0.1", server.port, images)
    print(f"registry: {len(digests)} digests")


async def observe() -> None:
    """Take in the telemetry of the shift."""
    inbox = TelemetryInbox()
    await asyncio.gather(inbox.ingest(samples()), inbox.aggregate())
    print(f"telemetry: {len(inbox.totals)} components, {inbox.totals.total()} odd samples")


async def resync(checks: Sequence[tuple[Priority, DriftCheck]]) -> None:
    """Check everything for drift, while components go on asking for it."""
    scheduler = DriftScheduler()

    async def ask() -> None:
        for first in range(0, len(checks), BURST):
            scheduler.post(checks[first : first + BURST])
            for _ in range(PAUSE):
                await asyncio.sleep(0)

    _, done = await asyncio.gather(ask(), scheduler.drain())
    print(f"resync: {done} checks, {scheduler.drifted} drifted")


async def notify() -> None:
    """Tell everybody that the shift is over."""
    flushed: list[str] = []
    notifier = Notifier([lambda: flushed.append("journal"), lambda: flushed.append("metrics")])
    for _ in range(SUBSCRIBERS):
        notifier.subscribe(lambda message: time.sleep(0.2))
    await asyncio.to_thread(notifier.broadcast, "the shift is over")
    await asyncio.to_thread(notifier.close)
    print(f"notify: {notifier.delivered} messages, {len(flushed)} sinks flushed")


async def shift(folder: Path, checks: Sequence[tuple[Priority, DriftCheck]]) -> None:
    """Run every part of the workload once."""
    async with DevServer().running() as server:
        await resolve(folder, server)
        await reconcile(folder, server)
        print(f"server: {server.requests} requests")
    await observe()
    await resync(checks)
    await notify()


def main() -> None:
    """Prepare a folder and run a shift in it."""
    checks = list(drift_checks())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        asyncio.run(shift(folder, checks))


if __name__ == "__main__":
    main()
