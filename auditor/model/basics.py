"""The words of a verdict, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class VerdictKind(StrEnum):
    """What the audit says of a suspect."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"
    NOT_EXERCISED = "not-exercised"
    NOT_MEASURABLE = "not-measurable"
    SUSPECTED = "suspected"


class Priority(StrEnum):
    """How soon a finding deserves attention; P0 first."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Change(StrEnum):
    """What a change, or the time since the baseline, has to do with a finding."""

    INTRODUCED = "introduced"
    PRE_EXISTING = "pre-existing"


class Effort(StrEnum):
    """How much work and risk a change of the function is, from its cyclomatic complexity."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of source text: lines and columns count from 1, columns in characters, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int
