"""What the scan of one file gave, and how it is written down for the cache and between processes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from auditor.model import Site, Skip, Span, Suppression, Suspect


@dataclass(frozen=True, slots=True)
class FileScan:
    """What one file gave. `lines` counts its physical lines, 0 if it could not be read.

    `complexities` are those of the functions around the suspects, one for each, None outside of any function.
    `outline` is what it says to the rest of its project, `mark` stands for that; `dump` writes the mark alone. A scan
    that took into account what others say has none.
    """

    path: str
    lines: int = 0
    suspects: tuple[Suspect, ...] = ()
    skipped: tuple[Skip, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    complexities: tuple[int | None, ...] = ()
    outline: str = field(default="", compare=False, repr=False)
    mark: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """Which content of a file was scanned: its time of change (ns), size (bytes), inode, and hash."""

    mtime_ns: int
    size: int
    inode: int
    digest: str


def dump(scan: FileScan) -> str:
    """The scan as one line of ASCII."""
    suspects = [
        [
            suspect.rule,
            _plain(suspect.span),
            suspect.symbol,
            suspect.message,
            suspect.fingerprint,
            [[site.probe, _plain(site.span)] for site in suspect.sites],
            None if suspect.function is None else _plain(suspect.function),
            list(suspect.chain),
            suspect.cell,
            suspect.context,
            complexity,
        ]
        for suspect, complexity in zip(scan.suspects, scan.complexities, strict=True)
    ]
    skipped = [[skip.path, skip.reason] for skip in scan.skipped]
    # ASCII only: names that are not UTF-8 hold lone surrogates, which nothing but an escape can carry
    suppressed = [
        [one.line, one.column, list(one.rules), one.reason, one.cell, one.first, one.last] for one in scan.suppressions
    ]
    parts = [scan.path, scan.lines, suspects, skipped, suppressed, scan.mark]
    return json.dumps(parts, separators=(",", ":"), ensure_ascii=True)


def load(text: str | bytes) -> FileScan:
    """The scan that `dump` wrote.

    Raises:
        ValueError: the text is none of `dump`'s.
    """
    try:
        path, lines, suspects, skipped, suppressed, mark = json.loads(text)
        return FileScan(
            path=path,
            lines=lines,
            suspects=tuple(_suspect(path, row) for row in suspects),
            complexities=tuple(row[-1] for row in suspects),
            skipped=tuple(Skip(*row) for row in skipped),
            suppressions=tuple(
                Suppression(path, line, column, tuple(rules), *rest) for line, column, rules, *rest in suppressed
            ),
            mark=mark,
        )
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise ValueError(f"not a record of a scan: {error}") from error


def _plain(span: Span) -> list[int]:
    return [span.line, span.column, span.end_line, span.end_column]


def _suspect(path: str, row: Any) -> Suspect:
    rule, span, symbol, message, fingerprint, sites, function, chain, cell, context, _complexity = row
    return Suspect(
        rule=rule,
        path=path,
        span=Span(*span),
        symbol=symbol,
        message=message,
        fingerprint=fingerprint,
        sites=tuple(Site(probe, Span(*at)) for probe, at in sites),
        function=None if function is None else Span(*function),
        chain=tuple(chain),
        cell=cell,
        context=context,
    )
