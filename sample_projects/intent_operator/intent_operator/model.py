"""What the operator works on."""

from dataclasses import dataclass
from enum import IntEnum


class Priority(IntEnum):
    """How urgent a piece of work is; lower numbers go first."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3
    IDLE = 4


@dataclass(frozen=True, slots=True)
class Intent:
    """What a user wants to have running."""

    name: str
    namespace: str
    replicas: int


@dataclass(frozen=True, slots=True)
class Plan:
    """How the model service proposes to fulfil an intent."""

    intent: Intent
    components: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of a component's telemetry."""

    component: str
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """A comparison of what a component is with what it should be."""

    component: str
    manifest: bytes
    digest: str
