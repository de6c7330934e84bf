"""What the user sees and can stop while the audit is under way."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

    from auditor.progress import Progress


@contextlib.contextmanager
def interruptible(progress: Progress) -> Iterator[None]:
    """The first interrupt asks the audit to end and keep what it has; a second one ends it at once."""
    import signal

    def stop(_number: int, _frame: FrameType | None) -> None:
        if progress.stop.is_set():
            raise KeyboardInterrupt
        progress.stop.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def shown(progress: Progress) -> Iterator[Progress]:
    """Progress on standard error while it is a terminal."""
    if not sys.stderr.isatty():
        yield progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(20), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("starting", total=None)

        def step(what: str, done: int, total: int) -> None:
            bars.update(task, description=what, completed=done, total=total or None)

        yield replace(progress, step=step)
