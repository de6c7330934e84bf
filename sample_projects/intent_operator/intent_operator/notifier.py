"""Tells subscribers what happened."""

import threading
from collections.abc import Callable, Iterable
from typing import TypeAlias

Subscriber: TypeAlias = Callable[[str], None]
Sink: TypeAlias = Callable[[], None]


class Notifier:
    """Delivers messages; a subscriber that is slow does not hold up the others."""

    def __init__(self, sinks: Iterable[Sink] = ()) -> None:
        self.delivered = 0
        self._lock = threading.Lock()
        self._sinks = list(sinks)
        self._subscribers: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> None:
        """Deliver all messages from now on to `subscriber` too."""
        self._subscribers.append(subscriber)

    def broadcast(self, message: str) -> None:
        """Deliver a message to every subscriber; returns when all of them have it."""
        threads = []
        for subscriber in self._subscribers:
            thread = threading.Thread(target=self._deliver, args=(subscriber, message), daemon=True)
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()

    def close(self) -> None:
        """Flush the sinks, all at the same time."""
        threads = []
        for sink in self._sinks:
            thread = threading.Thread(target=sink, daemon=True)
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()

    def _deliver(self, subscriber: Subscriber, message: str) -> None:
        subscriber(message)
        with self._lock:
            self.delivered += 1
