"""Whether a rule holds what its examples promise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.evidence.probes import probe_names
from auditor.scan import Engine
from auditor.scan.source import UnreadableError

if TYPE_CHECKING:
    from auditor.rule import Rule


def broken_promises(rule: Rule) -> Iterator[str]:
    """One sentence for each example that does not come out as it should."""
    for kind, texts in (("valid", rule.valid), ("invalid", rule.invalid)):
        for number, text in enumerate(texts):
            for complaint in _complaints(rule, text, expected=int(kind == "invalid")):
                yield f"{kind}[{number}]: {complaint}"


def _complaints(rule: Rule, text: str, expected: int) -> Iterator[str]:
    try:
        scan = Engine([rule]).scan_text(text)
    except UnreadableError as error:
        yield str(error)
        return
    yield from (skip.reason for skip in scan.skipped)
    lines = ", ".join(str(suspect.span.line) for suspect in scan.suspects)
    if len(scan.suspects) != expected:
        yield f"{len(scan.suspects)} suspects{f' (line {lines})' if lines else ''} instead of {expected}"
    known = probe_names()
    for suspect in scan.suspects:
        if not suspect.sites:
            yield f"the suspect at line {suspect.span.line} names no probe, so nothing could be measured"
        yield from (
            f"there is no probe {site.probe!r}; known: {', '.join(known)}"
            for site in suspect.sites
            if site.probe not in known
        )
