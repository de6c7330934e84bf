"""Evidence goes with the code it was measured on: into a renamed or another file, or elsewhere in its own.

What shows the move is that the same code stands here now and no longer there, so it needs no git and holds for as long
as nobody changes the code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from auditor.store.database import Row
from auditor.store.identity import Code, Home, hashes


def moved(
    rows: Sequence[Row], where: Mapping[str, Home], code: Mapping[str, Code], project: Path
) -> dict[str, list[Row]]:
    """By fingerprint, the rows that were measured elsewhere on what is that suspect now.

    `rows` are all of those places, and all that are alike. A copy is no move: rows whose code still stands where it
    was, or stands in several places now, go nowhere.
    """
    here = {(home.place, code[name].hash) for name, home in where.items() if name in code}
    free = [row for row in rows if row.alike and (row.place, row.code) not in here]
    by_code: dict[tuple[str, Code], list[Row]] = {}
    for row in free:
        by_code.setdefault((row.alike, Code(row.code, row.nth)), []).append(row)
    measured = {(row.place, row.code) for row in rows}
    asking: dict[tuple[str, Code], list[str]] = {}
    for name, home in where.items():
        if name in code and (home.place, code[name].hash) not in measured and (home.alike, code[name]) in by_code:
            asking.setdefault((home.alike, code[name]), []).append(name)
    left = _Left(project)
    return {
        names[0]: [row for row in by_code[key] if row.path == where[names[0]].file or left.by(row)]
        for key, names in asking.items()
        if len(names) == 1
    }


class _Left:
    """Whether code stands no longer in the file that it was measured in; each is read once."""

    def __init__(self, project: Path) -> None:
        self._project = project
        self._known: dict[str, frozenset[str]] = {}

    def by(self, row: Row) -> bool:
        if row.path not in self._known:
            self._known[row.path] = hashes(self._project / row.path)
        return row.code not in self._known[row.path]
