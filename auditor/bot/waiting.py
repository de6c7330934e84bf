"""How long a forge asks to be left alone: a job waits for minutes, and is told at once of more."""

from __future__ import annotations

import time
from collections.abc import Mapping

from urllib3 import Retry
from urllib3.exceptions import InvalidHeader

LONGEST_WAIT_S = 120
"""For a rate limit to end: a job should not stand for an hour, the summary has the result too."""


def asked_wait_s(headers: Mapping[str, str], reset: str) -> float | None:
    """Seconds to wait before the next request, None if the answer does not tell.

    `Retry-After` has them, or a date (RFC 9110, section 10.2.3); the header `reset` has the second in which the present
    limit ends, counted from 1970.
    """
    try:
        if "Retry-After" in headers:
            # its own longest wait of six hours is more than ours
            return Retry().parse_retry_after(headers["Retry-After"])
        return max(0.0, int(headers[reset]) - time.time()) if reset in headers else None
    except (InvalidHeader, ValueError):
        return None


def too_long(wait_s: float) -> str:
    """What to say of a wait that is not kept."""
    return f"rate limit: it asks to wait for {wait_s / 60:,.0f} minutes, audit waits for at most {LONGEST_WAIT_S // 60}"
