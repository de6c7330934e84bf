"""Scans of files seen before, kept in one SQLite file in the user's cache directory.

A scan is found by the hash of the file's content, and first by its time of change, size and inode, which spares reading
it. Trouble with the cache is never the user's: a damaged file is set aside, and what cannot be used is done without.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from auditor.scan.record import FileScan, Reading, load

MAX_BYTES = 256 * 2**20
"""Size of the file from which the scans that were not used for longest are dropped."""

_FORMAT = 3
_WAIT_S = 2.0
_RACY_NS = 2 * 10**9
_DAY_S = 86_400
_NOTE_DAYS = 30
_TABLES = """
CREATE TABLE IF NOT EXISTS scans (key BLOB PRIMARY KEY, scan TEXT NOT NULL, day INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outlines (key BLOB PRIMARY KEY, outline TEXT NOT NULL, day INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places (
    root BLOB NOT NULL, key BLOB NOT NULL, mtime INTEGER NOT NULL, size INTEGER NOT NULL, inode INTEGER NOT NULL,
    scan BLOB NOT NULL, day INTEGER NOT NULL, PRIMARY KEY (root, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notes (key BLOB PRIMARY KEY, note TEXT NOT NULL, day INTEGER NOT NULL) WITHOUT ROWID;
"""
_BELOW = (
    "SELECT places.key, mtime, size, inode, places.day, places.scan, scans.scan, scans.day"
    " FROM places JOIN scans ON scans.key = places.scan WHERE root = ?"
)


def cache_directory() -> Path:
    """Where the cache is kept: `AUDIT_CACHE_DIR`, or `audit` in the user's cache directory."""
    if chosen := os.environ.get("AUDIT_CACHE_DIR"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME", "")
    # the specification has relative paths ignored
    return (Path(base) if os.path.isabs(base) else Path(os.path.expanduser("~/.cache"))) / "audit"  # noqa: PTH111, PTH117


class Cache:
    """The cache as one set of rules sees it; `version` stands for everything beside the file that decides a scan."""

    def __init__(self, directory: Path, version: str) -> None:
        self._file = directory / f"scans-{_FORMAT}.db"
        self._version = version
        self._day = int(time.time() // _DAY_S)
        self._touched: list[tuple[str, tuple[bytes, ...]]] = []
        self._roots: dict[str, bytes] = {}
        self._below: dict[tuple[bytes, bytes], tuple[Any, ...]] = {}
        self._scans: list[tuple[bytes, str, int]] = []
        self._outlines: list[tuple[bytes, str, int]] = []
        self._places: list[tuple[bytes, bytes, int, int, int, bytes, int]] = []
        self._notes: list[tuple[bytes, str, int]] = []
        self._db: sqlite3.Connection | None = None
        with self._guarded():
            self._open()

    def gather(self, root: Path) -> None:
        """Take in all that is known of the files below `root`, which for many of them is quicker than one by one."""
        name = self._root(os.path.join(root, ""))  # noqa: PTH118
        with self._guarded():
            if self._db is not None:
                self._below.update(((name, row[0]), row) for row in self._db.execute(_BELOW, (name,)))

    def find(self, file: Path, path: str, package: str, outlook: str = "") -> FileScan | None:
        """The scan of the file as it lies there, None if it is not known. `path` and `package` as the scan has them.

        The scan is the one that took `outlook`, what the file draws from others, into account.
        """
        place = self._place(file, path, package, outlook)
        try:
            found = os.stat(file)  # noqa: PTH116 - half as long, once for every file
        except (OSError, ValueError):
            return None
        row = self._below.get(place) or self._row(f"{_BELOW} AND places.key = ?", *place)
        if row is not None and row[1:4] == (found.st_mtime_ns, found.st_size, found.st_ino):
            day, key, text, written = row[4:]
            with contextlib.suppress(ValueError):
                scan = load(text)
                self._use("places", day, *place)
                self._use("scans", written, key)
                return scan
        return self._find_by_content(file, path, package, outlook)

    def keep(self, file: Path, scan: FileScan, text: str, package: str, reading: Reading, outlook: str = "") -> None:
        """Remember the scan, written as `text`, of what `reading` says, and its outline."""
        key = self._key("scan", scan.path, package, outlook, reading.digest)
        self._scans.append((key, text, self._day))
        if scan.mark:
            self._outlines.append((self._key("outline", scan.mark), scan.outline, self._day))
        self._keep_place(self._place(file, scan.path, package, outlook), reading, key)

    def outline(self, mark: str) -> str | None:
        """The outline that the mark of a scan stands for."""
        key = self._key("outline", mark)
        row = self._row("SELECT outline, day FROM outlines WHERE key = ?", key)
        if row is None:
            return None
        self._use("outlines", row[1], key)
        return str(row[0])

    def note(self, name: str) -> str | None:
        """A text that was kept under that name with the same set of rules."""
        key = self._key("note", name)
        row = self._row("SELECT note, day FROM notes WHERE key = ?", key)
        if row is None:
            return None
        self._use("notes", row[1], key)
        return str(row[0])

    def keep_note(self, name: str, note: str) -> None:
        """Remember a text that depends on nothing but its name and the set of rules."""
        self._notes.append((self._key("note", name), note, self._day))

    def close(self) -> None:
        """Write down what is new; the cache is not to be used any more."""
        with self._guarded():
            self._write()
        self._shut()

    def _find_by_content(self, file: Path, path: str, package: str, outlook: str) -> FileScan | None:
        from auditor.scan.source import UnreadableError, read_bytes

        if self._db is None:
            return None
        try:
            _, reading = read_bytes(file)
        except UnreadableError:
            return None
        key = self._key("scan", path, package, outlook, reading.digest)
        row = self._row("SELECT scan, day FROM scans WHERE key = ?", key)
        if row is None:
            return None
        try:
            scan = load(row[0])
        except ValueError:
            return None
        self._use("scans", row[1], key)
        self._keep_place(self._place(file, path, package, outlook), reading, key)
        return scan

    def _place(self, file: Path, path: str, package: str, outlook: str) -> tuple[bytes, bytes]:
        """What the file is found under: the directory that `path` starts from, and the rest."""
        drawn = self._key("outlook", outlook) if outlook else b""
        return self._root(str(file)[: -len(path)]), f"{path}\0{package}\0".encode("utf-8", "surrogatepass") + drawn

    def _root(self, directory: str) -> bytes:
        if directory not in self._roots:
            self._roots[directory] = self._key("root", directory)
        return self._roots[directory]

    def _keep_place(self, place: tuple[bytes, bytes], reading: Reading, scan: bytes) -> None:
        # a change within the clock's grain would not show in the time of change
        if time.time_ns() - reading.mtime_ns > _RACY_NS:
            self._places.append((*place, reading.mtime_ns, reading.size, reading.inode, scan, self._day))

    def _use(self, table: str, day: int, *key: bytes) -> None:
        if day != self._day:
            self._touched.append((table, key))

    def _key(self, *parts: str) -> bytes:
        text = "\0".join((self._version, *parts))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:20]

    def _row(self, query: str, *key: bytes) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = None
        with self._guarded():
            if self._db is not None:
                row = self._db.execute(query, key).fetchone()
        return row

    def _open(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(self._file, timeout=_WAIT_S, isolation_level=None)
        # tables are only made where they are missing: making them needs the lock that another audit may hold
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'notes'").fetchone():
            self._db.executescript(_TABLES)

    def _write(self) -> None:
        if self._db is None or not (self._touched or self._scans or self._places or self._notes):
            return
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT OR REPLACE INTO scans VALUES (?, ?, ?)", self._scans)
        self._db.executemany("INSERT OR REPLACE INTO outlines VALUES (?, ?, ?)", self._outlines)
        self._db.executemany("INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?, ?, ?, ?)", self._places)
        self._db.executemany("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", self._notes)
        for table, key in self._touched:
            place = "root = ? AND key = ?" if table == "places" else "key = ?"
            self._db.execute(f"UPDATE {table} SET day = ? WHERE {place}", (self._day, *key))
        self._evict(self._db)
        self._db.execute("COMMIT")

    def _evict(self, db: sqlite3.Connection) -> None:
        """Drop the oldest quarter of each table, as often as it takes, and notes also by age.

        What was used today goes only when nothing older is left in any table: a table of a few rows is not at fault.
        """
        if self._touched:
            # on the first use of a day: it reads all notes
            db.execute("DELETE FROM notes WHERE day < ?", (self._day - _NOTE_DAYS,))
        for _ in range(16):
            pages, free, size = (
                db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
            )
            if (pages - free) * size <= MAX_BYTES:
                return
            if not self._drop_quarters(db, self._day):
                self._drop_quarters(db, self._day + 1)

    def _drop_quarters(self, db: sqlite3.Connection, before: int) -> int:
        """Drop a quarter of each table, rounded up, of what was last used before that day; returns how many rows."""
        dropped = 0
        for table in ("scans", "outlines", "places", "notes"):
            count = db.execute(f"SELECT count(*) FROM {table} WHERE day < ?", (before,)).fetchone()[0]
            key = "(root, key)" if table == "places" else "key"
            oldest = f"SELECT {key.strip('()')} FROM {table} WHERE day < ? ORDER BY day LIMIT ?"
            dropped += db.execute(f"DELETE FROM {table} WHERE {key} IN ({oldest})", (before, -(-count // 4))).rowcount
        return dropped

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """After any trouble with the file, go on without it; a damaged one is set aside."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            self._shut()
            # not by class: an OperationalError (locked, full, read-only) is a DatabaseError too, and passes
            if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                self._set_aside()
        except (OSError, ValueError, sqlite3.Error):
            self._shut()

    def _shut(self) -> None:
        db, self._db = self._db, None
        if db is not None:
            with contextlib.suppress(sqlite3.Error):
                db.close()

    def _set_aside(self) -> None:
        for suffix in ("", "-journal"):
            # a journal left behind would be played into the next file of that name
            broken = self._file.with_name(self._file.name + suffix)
            with contextlib.suppress(OSError):
                broken.replace(self._file.with_name(f"{self._file.name}{suffix}.broken"))


def version_of(files: Callable[[], Iterator[Path]], *chosen: str) -> str | None:
    """Hash of all that decides a scan beside the file: these files, what was chosen, the interpreter, LibCST.

    None if a file cannot be read.
    """
    import importlib.util
    import platform

    from auditor import __version__

    digest = hashlib.sha256("\0".join((__version__, platform.python_version(), *chosen)).encode())
    try:
        for file in files():
            digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
        # its place and time stand for its version, which would take longer to ask for
        library = importlib.util.find_spec("libcst")
        if library is not None and library.origin is not None:
            digest.update(f"{library.origin} {Path(library.origin).stat().st_mtime_ns}".encode())
    except OSError:
        return None
    return digest.hexdigest()
