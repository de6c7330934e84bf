"""Brings together what several reviewers say about the same code."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a reviewer found; equal fingerprints mean the same defect."""

    number: int
    fingerprint: str
    title: str


@dataclass(frozen=True, slots=True)
class Vote:
    """What one reviewer thinks of a change."""

    reviewer: str
    verdict: str


def find_duplicates(findings: Sequence[Finding]) -> list[tuple[int, int]]:
    """Return the numbers of every two findings that report the same defect."""
    pairs = []
    for first in findings:
        for second in findings:
            if first.number < second.number and first.fingerprint == second.fingerprint:
                pairs.append((first.number, second.number))
    return pairs


def count_agreements(votes: Sequence[Vote]) -> int:
    """Return how many pairs of reviewers came to the same verdict."""
    agreements = 0
    for first in votes:
        for second in votes:
            if first.reviewer < second.reviewer and first.verdict == second.verdict:
                agreements += 1
    return agreements
