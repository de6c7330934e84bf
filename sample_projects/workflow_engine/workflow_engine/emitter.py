"""Events of a run, buffered until somebody asks for them."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run."""

    kind: str
    run_id: str
    detail: str = ""
    labels: dict[str, str] = field(default_factory=dict)


class BufferedEmitter:
    """Collects the events of many runs; safe to share between threads."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._lock = Lock()

    def run_started(self, run_id: str, labels: Mapping[str, str]) -> None:
        """Record the start of a run with a copy of the caller's labels."""
        copied: dict[str, str] = json.loads(json.dumps(labels))
        self.emit_batch([Event("run-started", run_id, labels=copied)])

    def nodes_finished(self, run_id: str, names: Iterable[str]) -> None:
        """Record that every node of a step is done."""
        self.emit_batch([Event("node-finished", run_id, name) for name in names])

    def run_finished(self, run_id: str, steps: int) -> None:
        """Record the end of a run."""
        self.emit_batch([Event("run-finished", run_id, f"{steps} steps")])

    def emit_batch(self, events: Iterable[Event]) -> None:
        """Record several events at once, so that they stay together."""
        with self._lock:
            self._events.extend(events)

    def select(self, kinds: list[str]) -> list[Event]:
        """Return the events of the given kinds, oldest first."""
        with self._lock:
            events = tuple(self._events)
        selected = []
        for event in events:
            if event.kind in kinds:
                selected.append(event)
        return selected
