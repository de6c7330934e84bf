"""Which findings the source itself sets aside, and which of its comments do nothing. Pure functions over data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from auditor.config import suggestion
from auditor.model import Remark, Suppression, Suspect


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Fingerprints of suppressed suspects with the reason of each ("" if none is given), and what is to be said."""

    reasons: dict[str, str]
    remarks: tuple[Remark, ...]


def suppress(
    suspects: Iterable[Suspect],
    suppressions: Sequence[Suppression],
    active: Collection[str],
    known: Callable[[], Collection[str]],
    *,
    incomplete: Collection[str] = (),
    require_reason: bool = False,
) -> Suppressed:
    """Hold each suppression against the suspects on the lines that it is about.

    `active` are the ids of the rules that ran: what another rule would find is not known, nor what there is in the
    files that are `incomplete`. `known` gives all ids, and is asked only where a comment names one that did not run.
    """
    lines: dict[tuple[str, int | None, int], list[Suspect]] = {}
    for suspect in suspects:
        lines.setdefault((suspect.path, suspect.cell, suspect.span.line), []).append(suspect)
    reasons: dict[str, str] = {}
    remarks: list[Remark] = []
    for one in suppressions:
        if not one.rules:
            remarks.append(_remark(one, "it names no rule, so it suppresses nothing; name one: `audit: ignore[rule]`"))
        elif require_reason and not one.reason:
            remarks.append(_remark(one, "it gives no reason, which the settings require; write it behind `--`"))
        else:
            said = _hold(one, lines, reasons, active, known)
            remarks += () if one.path in incomplete else said
    return Suppressed(reasons, tuple(remarks))


def _hold(
    one: Suppression,
    lines: dict[tuple[str, int | None, int], list[Suspect]],
    reasons: dict[str, str],
    active: Collection[str],
    known: Callable[[], Collection[str]],
) -> list[Remark]:
    met = [
        suspect
        for line in range(one.first, one.last + 1)
        for suspect in lines.get((one.path, one.cell, line), ())
        if suspect.rule in one.rules
    ]
    reasons.update((suspect.fingerprint, one.reason) for suspect in met)
    used = {suspect.rule for suspect in met}
    said = []
    for rule in one.rules:
        if rule in active and rule not in used:
            said.append(_remark(one, f"{rule} finds nothing here; remove it"))
        elif rule not in active and rule not in known():
            said.append(
                _remark(
                    one, f"there is no rule {rule!r}; {suggestion(rule, tuple(known()), '`audit rules` lists them')}"
                )
            )
    return said


def _remark(one: Suppression, text: str) -> Remark:
    return Remark(one.path, one.line, one.column, f"suppression: {text}", one.cell)
