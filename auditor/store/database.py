"""The evidence store's file: one SQLite database that several audits may use at once.

Trouble with the file never costs the audit its report: it is said, and the audit goes on without the store. A killed
writer leaves a journal that SQLite rolls back; a full disk leaves the file as it was.
"""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

SCHEMA_VERSION = 3
"""Rises with every change of the tables. A file of a later version is left as it is; an older one is brought up to it
by the first writer.

2: `setting` and `python`; 3: `alike` and `nth`, and `path` leads from the project. The
new ones are empty in rows that were written before.
"""

APPLICATION_ID = 0x61756474
"""Marks the file as an evidence store ("audt"), so that no other database is ever written to."""

DIRECTORY = ".audit"
"""Where a project's own store lies."""

KEPT = 10
"""Verdicts of each kind kept for one suspect under one workload; the oldest go first."""

MAX_ROWS = 200_000
"""Verdicts kept in all: about 200 MB."""

_ALIKE = " AND ".join(f"{name} = :{name}" for name in ("place", "workload", "command", "setting", "python", "kind"))
_WAIT_S = 20.0
_CHUNK = 500
_TABLES = """
CREATE TABLE verdicts (
    place TEXT NOT NULL,
    workload TEXT NOT NULL,
    command TEXT NOT NULL,
    setting TEXT NOT NULL,
    python TEXT NOT NULL,
    measured TEXT NOT NULL,
    code TEXT NOT NULL,
    alike TEXT NOT NULL,
    nth INTEGER NOT NULL,
    rule TEXT NOT NULL,
    path TEXT NOT NULL,
    symbol TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    priority TEXT,
    evidence TEXT NOT NULL,
    thresholds TEXT NOT NULL,
    audit_version TEXT NOT NULL,
    PRIMARY KEY (place, workload, command, setting, python, measured)
) WITHOUT ROWID;
CREATE INDEX by_age ON verdicts (measured);
CREATE INDEX by_alike ON verdicts (alike);
"""


class Row(NamedTuple):
    """One verdict as it is stored. Times are UTC in ISO 8601, so that they sort as text; evidence is JSON."""

    place: str
    workload: str
    command: str
    setting: str
    python: str
    measured: str
    code: str
    alike: str
    nth: int
    rule: str
    path: str
    symbol: str
    kind: str
    reason: str
    priority: str | None
    evidence: str
    thresholds: str
    audit_version: str


class Trouble(Exception):  # noqa: N818 - it is said in the report, not raised to the user
    """The store cannot be used; the message says why, and what to do."""


class Database:
    """The rows of one file. Every method opens it, does its work in one transaction, and closes it.

    Raises (every method):
        Trouble: the file cannot be used. A damaged one has been set aside.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def find(self, **wanted: Sequence[str]) -> list[Row]:
        """All rows with one of the `wanted` values in a column of that name; none if there is no file."""
        if not self._file.exists():
            return []

        def read(db: sqlite3.Connection) -> list[Row]:
            rows: dict[Row, None] = {}
            there = _names(db)
            for column, values in wanted.items():
                for start in range(0, len(values) if column in there else 0, _CHUNK):
                    some = values[start : start + _CHUNK]
                    marks = ", ".join("?" * len(some))
                    query = f"SELECT {_columns(db)} FROM verdicts WHERE {column} IN ({marks})"
                    rows.update(dict.fromkeys(Row(*found) for found in db.execute(query, some)))
            return list(rows)

        return self._use(read, writing=False, empty=[])

    def add(self, rows: Sequence[Row]) -> None:
        """Store the rows, all or none, and drop the oldest beyond `KEPT` and `MAX_ROWS`."""

        def write(db: sqlite3.Connection) -> None:
            marks = ", ".join("?" * len(Row._fields))
            db.executemany(f"INSERT OR REPLACE INTO verdicts VALUES ({marks})", rows)
            for row in rows:
                db.execute(
                    f"DELETE FROM verdicts WHERE {_ALIKE} AND measured NOT IN"
                    f" (SELECT measured FROM verdicts WHERE {_ALIKE} ORDER BY measured DESC LIMIT {KEPT})",
                    row._asdict(),
                )
            surplus = db.execute("SELECT count(*) FROM verdicts").fetchone()[0] - MAX_ROWS
            if surplus > 0:
                oldest = f"SELECT measured FROM verdicts ORDER BY measured LIMIT 1 OFFSET {surplus}"
                db.execute(f"DELETE FROM verdicts WHERE measured < ({oldest})")

        self._use(write, writing=True, empty=None)

    def _use(self, work: Callable[[sqlite3.Connection], T], *, writing: bool, empty: T) -> T:
        inode: int | None = None
        try:
            if writing:
                _make_directory(self._file.parent)
            with contextlib.closing(_connect(self._file, writing)) as db:
                inode = self._file.stat().st_ino
                db.execute("BEGIN IMMEDIATE" if writing else "BEGIN")
                found = work(db) if self._is_ready(db, writing) else empty
                db.execute("COMMIT")
                return found
        except _DamagedError as error:
            raise Trouble(self._set_aside(inode)) from error
        except sqlite3.Error as error:
            if _primary_code(error) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                raise Trouble(self._set_aside(inode)) from error
            advice = _ADVICE.get(_primary_code(error), "")
            raise Trouble(f"the evidence store {self._file} cannot be used: {error}{advice}") from error
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise Trouble(f"the evidence store {self._file} cannot be used: {reason}") from error

    def _is_ready(self, db: sqlite3.Connection, writing: bool) -> bool:
        """Whether the tables are there; they are made for a writer."""
        application, version = (_pragma(db, name) for name in ("application_id", "user_version"))
        if application != APPLICATION_ID and db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise Trouble(f"{self._file} is a database, but no evidence store; name another file as store")
        if application == APPLICATION_ID and version > SCHEMA_VERSION:
            raise Trouble(
                f"the evidence store {self._file} was written by a newer audit (schema {version}, this one knows"
                f" {SCHEMA_VERSION}); it is left as it is; upgrade audit to use it"
            )
        if writing and application == APPLICATION_ID and _pragma(db, "quick_check(1)") != "ok":
            raise _DamagedError
        if writing and application != APPLICATION_ID:
            _make_tables(db)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        elif writing and version < SCHEMA_VERSION:
            db.execute("ALTER TABLE verdicts RENAME TO former")
            for index in ("by_age", "by_alike"):
                db.execute(f"DROP INDEX IF EXISTS {index}")
            _make_tables(db)
            db.execute(f"INSERT INTO verdicts SELECT {_columns(db, 'former')} FROM former")
            db.execute("DROP TABLE former")
        return writing or bool(application == APPLICATION_ID)

    def _set_aside(self, inode: int | None) -> str:
        """Move the damaged file away, unless another audit did so already; what to say of it."""
        said = f"the evidence store {self._file} is damaged"
        stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S%f")
        aside = self._file.with_name(f"{self._file.name}.broken-{stamp}")
        try:
            if inode is not None and self._file.stat().st_ino != inode:
                return f"{said}, and was set aside by another audit"
            self._file.replace(aside)
            # a journal left behind would be played into the next file of that name
            journal = self._file.with_name(f"{self._file.name}-journal")
            if journal.exists():
                journal.replace(aside.with_name(f"{aside.name}-journal"))
        except OSError as error:
            return f"{said}, and cannot be set aside ({error.strerror}); remove it"
        return f"{said}; it was set aside as {aside.name}, and the next measurement starts a new one"


def _make_tables(db: sqlite3.Connection) -> None:
    for statement in filter(str.strip, _TABLES.split(";")):
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _names(db: sqlite3.Connection, table: str = "verdicts") -> set[str]:
    return {row[1] for row in db.execute(f"PRAGMA table_info({table})")}


def _columns(db: sqlite3.Connection, table: str = "verdicts") -> str:
    """The columns of a row, as SQL; those that an older schema lacks are empty."""
    there = _names(db, table)
    return ", ".join(name if name in there else "''" for name in Row._fields)


class _DamagedError(Exception):
    """SQLite's own check found damage."""


_ADVICE = {
    sqlite3.SQLITE_BUSY: "; another process holds it",
    sqlite3.SQLITE_FULL: "; free some space on its disk",
}


def _connect(file: Path, writing: bool) -> sqlite3.Connection:
    # a reader opens it for writing too, or it could not roll back what a killed writer left
    uri = f"{file.absolute().as_uri()}?mode={'rwc' if writing else 'rw'}"
    return sqlite3.connect(uri, uri=True, timeout=_WAIT_S, isolation_level=None)


def _pragma(db: sqlite3.Connection, name: str) -> Any:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def _primary_code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _make_directory(directory: Path) -> None:
    """Make the store's directory; one of audit's own is hidden from git."""
    directory.mkdir(parents=True, exist_ok=True)
    hidden = directory / ".gitignore"
    if directory.name == DIRECTORY and not hidden.exists():
        hidden.write_text("*\n", encoding="utf-8")
