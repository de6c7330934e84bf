"""What a reporter is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.model import Report


@dataclass(frozen=True, slots=True)
class Reporter:
    """One way to write a report down. `name` is the module's own, `suffixes` what a file of that kind ends in.

    `fixes` says that its readers can apply fixes, also of what was not measured.
    """

    name: str
    suffixes: tuple[str, ...]
    render: Callable[[Report], str]
    fixes: bool = False
