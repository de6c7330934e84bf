"""Sentences that name code between backticks, as the messages of rules do."""

from __future__ import annotations


def pieces(text: str) -> tuple[tuple[bool, str], ...]:
    """`text` as (is code, text) pieces. A backtick without a partner stays text."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = ["`".join(parts[-2:])]
    return tuple((index % 2 == 1, part) for index, part in enumerate(parts) if part)
