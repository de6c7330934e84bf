"""Evidence remembered: verdicts of earlier audits, kept in the project for audits that measure nothing.

A verdict is found again by its suspect, wherever that was moved, by workload and by version of Python. It holds as long
as the function around the suspect, the thresholds and the workload (command, sizes, service) are those it was made
with; else it is shown as stale. One that could say less than an earlier one on the same code does not take its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from auditor.model import Evidence, Later, Priority, Remembered, Suspect, Verdict, VerdictKind, Workload
from auditor.store.database import DIRECTORY, Database, Row, Trouble
from auditor.store.identity import Code, Home, codes, homes
from auditor.store.moves import moved

__all__ = ["Location", "Measured", "Store", "Trouble", "codes", "locate"]

FILE = "evidence.db"

KINDS = (VerdictKind.CONFIRMED, VerdictKind.INCONCLUSIVE, VerdictKind.REJECTED, VerdictKind.NOT_EXERCISED)
"""Verdicts worth remembering, the weightiest first."""

UNKNOWN = VerdictKind.NOT_MEASURABLE
"""That something could not be measured is no evidence; it is kept to be said beside what was measured before it."""

_DECIDED = (VerdictKind.CONFIRMED, VerdictKind.REJECTED)

_ROOTS = (".git", "pyproject.toml")


@dataclass(frozen=True, slots=True)
class Measured:
    """A verdict to be remembered: what one workload said of one suspect.

    `code` is what was measured, `python` the versions that the workload's processes ran under.
    """

    suspect: Suspect
    code: Code
    workload: Workload
    python: str
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
        where = self._homes()
        rows = [
            self._row(one, where[one.suspect.fingerprint], when, audit_version)
            for one in measured
            if one.verdict.kind in (*KINDS, UNKNOWN) and one.suspect.fingerprint in where
        ]
        if rows:
            self._database.add(rows)

    def recall(self, workloads: Sequence[Workload] = ()) -> dict[str, tuple[Remembered, ...]]:
        """What is known of the suspects, by fingerprint; `workloads` are those the project configures.

        Of each workload, under each Python, the strongest verdict on the present code, else on the code measured last;
        of equally strong ones the last. What holds comes before what is stale, then the weightiest, then the latest.

        Raises:
            Trouble: the store cannot be read.
        """
        if not self._location.file.exists():
            return {}
        where = self._homes()
        rows = self._database.find(
            place=sorted({home.place for home in where.values()}), alike=sorted({home.alike for home in where.values()})
        )
        met = {row.place for row in rows} | {row.alike for row in rows}
        known = {one.fingerprint for one in self._suspects if {*where.get(one.fingerprint, ())} & met}
        code = codes([one for one in self._suspects if one.fingerprint in known], self._target)
        own: dict[str, list[Row]] = {}
        for row in rows:
            own.setdefault(row.place, []).append(row)
        came = moved(rows, {name: where[name] for name in known}, code, self._location.project)
        configured = {workload.name: workload for workload in workloads}
        found = {
            name: self._of_suspect(
                [*own.get(where[name].place, ()), *came.get(name, ())],
                where[name],
                code[name].hash if name in code else "",
                configured,
            )
            for name in known
        }
        return {name: told for name, told in found.items() if told}

    def _homes(self) -> dict[str, Home]:
        return homes(self._suspects, self._target, self._location.project)

    def _of_suspect(
        self, rows: Sequence[Row], home: Home, code: str, configured: Mapping[str, Workload]
    ) -> tuple[Remembered, ...]:
        slots: dict[tuple[str, str, str], dict[str, list[tuple[str, Remembered]]]] = {}
        for row in sorted(rows, key=lambda row: row.measured):
            one = self._remembered(row, home, code, configured)
            # a name that is configured stands for any command and setting
            own = ("", "") if row.workload in configured else (row.command, row.setting)
            if one is not None:
                slots.setdefault((row.workload, *own), {}).setdefault(row.python, []).append((row.code, one))
        told = [known for by_python in slots.values() for known in _by_python(by_python)]
        found = [one for known in told if (one := _standing(known)) is not None]
        newest_first = sorted(
            found, key=lambda one: (one.measured, one.workload, one.command, one.sizes, one.python), reverse=True
        )
        return tuple(sorted(newest_first, key=lambda one: (one.stale is not None, KINDS.index(one.kind))))

    def _remembered(self, row: Row, home: Home, code: str, configured: Mapping[str, Workload]) -> Remembered | None:
        try:
            return Remembered(
                kind=(*KINDS, UNKNOWN)[(*KINDS, UNKNOWN).index(VerdictKind(row.kind))],
                reason=row.reason,
                measured=row.measured,
                workload=row.workload,
                command=row.command,
                priority=None if row.priority is None else Priority(row.priority),
                evidence=tuple(Evidence(**one) for one in json.loads(row.evidence)),
                stale=self._stale(row, code, configured),
                sizes=tuple(map(int, json.loads(row.setting)["sizes"])) if row.setting else (),
                python=row.python,
                path=row.path if row.place != home.place and row.path != home.file else "",
            )
        except (ValueError, TypeError, AttributeError, KeyError):
            return None  # not written by audit; as good as nothing

    def _stale(self, row: Row, code: str, configured: Mapping[str, Workload]) -> str | None:
        if row.code != code:
            return "the code has changed since"
        if any(self._thresholds.get(name, limit) != limit for name, limit in json.loads(row.thresholds).items()):
            return "the thresholds have changed since"
        if not row.setting and "{n}" in row.command:
            return "the sizes it was run at were not kept"
        workload = configured.get(row.workload)
        if workload is None:
            return None
        if workload.command != row.command:
            return "the workload's command has changed since"
        setting = _setting(workload)
        # rows without a setting are older than settings; a workload that has none is what they had
        if setting == row.setting or (not row.setting and not workload.sizes and workload.service is None):
            return None
        return "the workload's sizes or service have changed since"

    def _row(self, one: Measured, home: Home, when: str, audit_version: str) -> Row:
        from dataclasses import asdict

        return Row(
            place=home.place,
            workload=_storable(one.workload.name),
            command=_storable(one.workload.command),
            setting=_setting(one.workload),
            python=one.python,
            measured=when,
            code=one.code.hash,
            alike=home.alike,
            nth=one.code.nth,
            rule=one.suspect.rule,
            path=_storable(home.file),
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


def _setting(workload: Workload) -> str:
    """What makes a run under a workload another one, beside its command."""
    service = workload.service
    parts = None if service is None else [service.serve, service.ready, service.load]
    return _storable(json.dumps({"sizes": list(workload.sizes), "service": parts}))


def _by_python(known: Mapping[str, Sequence[tuple[str, Remembered]]]) -> list[list[tuple[str, Remembered]]]:
    """Verdicts under each version of Python, in order of time; those under an unknown one count under any."""
    unknown = known.get("", ())
    others = [versions for python, versions in known.items() if python] or [()]
    return [sorted((*versions, *unknown), key=lambda one: one[1].measured) for versions in others]


def _standing(known: Sequence[tuple[str, Remembered]]) -> Remembered | None:
    """What is to be shown of verdicts in order of time, each with the hash of its code; None if none says anything."""
    last_code = known[-1][0]
    told = [one for _, one in known if one.stale is None] or [one for code, one in known if code == last_code]
    strongest = min(reversed(told), key=lambda one: _weakness(one.kind))
    if strongest.kind is UNKNOWN:
        return None
    last = told[-1]
    later = None if _weakness(last.kind) <= _weakness(strongest.kind) else Later(last.kind, last.reason, last.measured)
    return replace(strongest, later=later)


def _weakness(kind: VerdictKind) -> int:
    return 0 if kind in _DECIDED else (*KINDS, UNKNOWN).index(kind)
