"""Standard input of the workload: what was piped into audit, the same for every run."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_WAIT_S = 0.5


@contextlib.contextmanager
def spool() -> Iterator[Path]:
    """A path for what comes in on standard input, gone with the audit."""
    from auditor.evidence.guardian import temporary_directory

    with temporary_directory("audit-stdin-") as directory:
        yield Path(directory) / "stdin"


def standard_input(spool: Path) -> Path | None:
    """What was piped into audit, kept so that every run of the workload reads the same; None if nothing was.

    A terminal is not handed on, and a pipe that stays silent counts as empty: some parents leave one open for ever.
    """
    import select
    import shutil
    import stat

    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError, AttributeError):
        return None
    if stat.S_ISREG(mode) or (stat.S_ISFIFO(mode) and select.select([sys.stdin], [], [], _WAIT_S)[0]):
        with spool.open("wb") as kept:
            shutil.copyfileobj(sys.stdin.buffer, kept)
        return spool
    return None
