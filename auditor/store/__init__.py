"""Evidence remembered: verdicts of earlier audits, kept in the project for audits that measure nothing.

A verdict is found again by its suspect and workload. It holds as long as the function around the suspect, the
thresholds and the workload's command are those it was made with; else it is shown as stale.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from auditor.model import Evidence, Priority, Remembered, Suspect, Verdict, VerdictKind, Workload
from auditor.records import dataclass
from auditor.store.database import DIRECTORY, Database, Row, Trouble
from auditor.store.identity import codes, places

__all__ = ["Location", "Measured", "Store", "Trouble", "codes", "locate"]

FILE = "evidence.db"

KINDS = (VerdictKind.CONFIRMED, VerdictKind.INCONCLUSIVE, VerdictKind.REJECTED, VerdictKind.NOT_EXERCISED)
"""Verdicts worth remembering, the weightiest first. That something could not be measured is no evidence."""

_ROOTS = (".git", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Measured:
    """A verdict to be remembered: what one workload said of one suspect. `code` is the hash of what was measured."""

    suspect: Suspect
    code: str
    workload: Workload
    verdict: Verdict
    priority: Priority | None


@dataclass(frozen=True, slots=True)
class Location:
    """The store's file, and the directory that paths of suspects are compared relative to."""

    file: Path
    project: Path


def locate(start: Path, project: Path | None = None, file: Path | None = None) -> Location:
    """The store that holds for `start` (absolute); `project` and `file` are what is configured.

    A project that is not configured is the nearest directory with a `.git` or a pyproject.toml, at `start` or above it;
    else that of `start`.
    """
    directory = start if start.is_dir() else start.parent
    root = project or next(
        (one for one in (directory, *directory.parents) if any((one / name).exists() for name in _ROOTS)), directory
    )
    return Location(file or root / DIRECTORY / FILE, root)


class Store:
    """The evidence store at a location.

    `suspects` are all that were found, their paths relative to `target`. `thresholds` are those of this audit, by name.
    """

    def __init__(
        self, location: Location, suspects: Sequence[Suspect], target: Path, thresholds: Mapping[str, float]
    ) -> None:
        self._location = location
        self._database = Database(location.file)
        self._suspects = suspects
        self._target = target
        self._thresholds = dict(thresholds)

    def remember(self, measured: Iterable[Measured], when: str, audit_version: str) -> None:
        """Keep the verdicts; `when` is UTC in ISO 8601.

        Raises:
            Trouble: they could not be written; what was stored before is still there.
        """
        where = self._places()
        rows = [
            self._row(one, where[one.suspect.fingerprint], when, audit_version)
            for one in measured
            if one.verdict.kind in KINDS and one.suspect.fingerprint in where
        ]
        if rows:
            self._database.add(rows)

    def recall(self, workloads: Sequence[Workload] = ()) -> dict[str, tuple[Remembered, ...]]:
        """What is known of the suspects, by fingerprint; `workloads` are those the project configures.

        Of each workload the last verdict on the present code, else its last one. What holds comes before what is stale,
        then the weightiest, then the latest.

        Raises:
            Trouble: the store cannot be read.
        """
        if not self._location.file.exists():
            return {}
        where = self._places()
        by_place: dict[str, list[Row]] = {}
        for row in self._database.find(sorted(set(where.values()))):
            by_place.setdefault(row.place, []).append(row)
        known = [one for one in self._suspects if where.get(one.fingerprint) in by_place]
        code = codes(known, self._target)
        commands = {workload.name: workload.command for workload in workloads}
        return {
            one.fingerprint: self._of_suspect(by_place[where[one.fingerprint]], code.get(one.fingerprint, ""), commands)
            for one in known
        }

    def _places(self) -> dict[str, str]:
        return places(self._suspects, self._target, self._location.project)

    def _of_suspect(self, rows: Sequence[Row], code: str, commands: Mapping[str, str]) -> tuple[Remembered, ...]:
        chosen: dict[tuple[str, str], Remembered] = {}
        for row in sorted(rows, key=lambda row: row.measured):
            one = self._remembered(row, code, commands)
            # a name that is not configured stands for any command
            key = (row.workload, "" if row.workload in commands else row.command)
            former = chosen.get(key)
            if one is not None and (former is None or one.stale is None or former.stale is not None):
                chosen[key] = one
        newest_first = sorted(chosen.values(), key=lambda one: (one.measured, one.workload, one.command), reverse=True)
        return tuple(sorted(newest_first, key=lambda one: (one.stale is not None, KINDS.index(one.kind))))

    def _remembered(self, row: Row, code: str, commands: Mapping[str, str]) -> Remembered | None:
        try:
            return Remembered(
                kind=KINDS[KINDS.index(VerdictKind(row.kind))],
                reason=row.reason,
                measured=row.measured,
                workload=row.workload,
                command=row.command,
                priority=None if row.priority is None else Priority(row.priority),
                evidence=tuple(Evidence(**one) for one in json.loads(row.evidence)),
                stale=self._stale(row, code, commands),
            )
        except (ValueError, TypeError, AttributeError):
            return None  # not written by audit; as good as nothing

    def _stale(self, row: Row, code: str, commands: Mapping[str, str]) -> str | None:
        if row.code != code:
            return "the code has changed since"
        if any(self._thresholds.get(name, limit) != limit for name, limit in json.loads(row.thresholds).items()):
            return "the thresholds have changed since"
        if commands.get(row.workload, row.command) != row.command:
            return "the workload's command has changed since"
        return None

    def _row(self, one: Measured, place: str, when: str, audit_version: str) -> Row:
        from dataclasses import asdict

        return Row(
            place=place,
            workload=_storable(one.workload.name),
            command=_storable(one.workload.command),
            measured=when,
            code=one.code,
            rule=one.suspect.rule,
            path=_storable(one.suspect.path),
            symbol=_storable(one.suspect.symbol),
            kind=one.verdict.kind.value,
            reason=_storable(one.verdict.reason),
            priority=one.priority and one.priority.value,
            evidence=json.dumps([asdict(row) for row in one.verdict.evidence]),
            thresholds=json.dumps(self._thresholds),
            audit_version=audit_version,
        )


def _storable(text: str) -> str:
    """Names that are not UTF-8 hold lone surrogates, which SQLite does not take."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
