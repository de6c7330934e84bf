"""How much work a change of a function is, by its cyclomatic complexity."""

from __future__ import annotations

from auditor.model import Effort

# radon's ranks: A and B up to 10, C up to 20 ("moderate risk"), D and worse above.
_LOW, _MEDIUM = 10, 20


def effort_of(complexity: int | None) -> Effort | None:
    """The effort, None where no complexity is known."""
    if complexity is None:
        return None
    if complexity <= _LOW:
        return Effort.LOW
    return Effort.MEDIUM if complexity <= _MEDIUM else Effort.HIGH
