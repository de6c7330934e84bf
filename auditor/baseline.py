"""The baseline: what was known on the day somebody decided to act on new findings only.

One JSON object a line. Git merges what two branches add or take away only if a line lies between that neither has
changed; so the lines are spread by a hash over sections, whose headings are always there. An entry is named by rule,
path, symbol and flagged text, and which of its equals in the file it is: none of which changes when lines move. Paths
lead from the directory of the file.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.errors import HistoryError, why
from auditor.model import Fixed, Suspect

NAME = "audit-baseline.jsonl"
_SECTIONS = 256
_HEADING = re.compile(r'\{"section": "[0-9a-f]{2}"\}')
_MARK = re.compile(r"(?:<{7}|\|{7}|={7}|>{7})(?: |$)")
_NO_ENTRY = "is no entry of a baseline; remove that line, or the file, and write it anew with `audit baseline`"
_KEYS = ("path", "rule", "symbol", "context", "message")


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A finding that is known. `path` leads from the directory of the baseline, in POSIX form."""

    path: str
    rule: str
    symbol: str
    context: str
    message: str


@dataclass(frozen=True, slots=True)
class Held:
    """Fingerprints of the suspects that the baseline knows, and what it knows and is gone."""

    known: frozenset[str]
    fixed: tuple[Fixed, ...]


def read(file: Path, *, conflicts: bool = False) -> tuple[Entry, ...]:
    """The entries of a baseline, each once; with `conflicts`, those of both sides where a merge left some.

    Raises:
        HistoryError: the file cannot be read, or a line is no entry; the message names it.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise HistoryError(
            f"the baseline {file} cannot be read: {why(error)}; write it with `audit baseline`"
        ) from error
    wanted = ((number, line) for number, line in enumerate(lines, 1) if _is_entry(line))
    return tuple(
        sorted(
            {_entry(line, f"{file}, line {number}") for number, line in wanted if not (conflicts and _MARK.match(line))}
        )
    )


def _is_entry(line: str) -> bool:
    return bool(line.strip()) and not _HEADING.fullmatch(line.strip())


def _entry(line: str, where: str) -> Entry:
    try:
        value = json.loads(line)
        texts = [value[key] for key in _KEYS]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        if _MARK.match(line):
            raise HistoryError(f"{where} is a conflict of a merge; write it anew with `audit baseline`") from error
        raise HistoryError(f"{where} {_NO_ENTRY}") from error
    if not all(isinstance(text, str) for text in texts):
        raise HistoryError(f"{where} {_NO_ENTRY}")
    return Entry(*texts)


def written(entries: Iterable[Entry]) -> str:
    """The text of a baseline."""
    import hashlib
    from dataclasses import astuple

    sections: list[list[str]] = [[] for _ in range(_SECTIONS)]
    for one in sorted(set(entries)):
        line = json.dumps(dict(zip(_KEYS, astuple(one), strict=True)))
        sections[hashlib.sha256(line.encode()).digest()[0]].append(line)
    return "".join(
        f"{line}\n"
        for number, section in enumerate(sections)
        for line in (json.dumps({"section": f"{number:02x}"}), *section)
    )


def entries(suspects: Iterable[Suspect], root: Path, file: Path) -> tuple[Entry, ...]:
    """The suspects, whose paths lead from `root`, as entries of the baseline in `file`."""
    way = _way(root, file.parent)
    return tuple(Entry(way(one.path), one.rule, one.symbol, one.context, one.message) for one in suspects)


def hold(
    known: Sequence[Entry],
    suspects: Sequence[Suspect],
    root: Path,
    file: Path,
    covered: Callable[[str], bool],
    renamed: Callable[[], Mapping[str, str]],
) -> Held:
    """Match suspects with the entries of the baseline in `file`: by path, by renames, then wherever they went.

    `covered` says of a path (from `root` on) whether it was audited, or would have been if it were there: only then is
    a missing entry fixed. `renamed` gives new paths (from the directory of the baseline) by old ones, and is asked only
    if something is left to match.
    """
    names = entries(suspects, root, file)
    listed = {_key(one, one.path): one for one in known}
    met = {_key(one, one.path) for one in names} & set(listed)
    left = [one for key, one in listed.items() if key not in met]
    if left and len(met) < len(names):
        ways = renamed()
        moved = {_key(one, ways[one.path]): one for one in left if one.path in ways}
        found = {_key(one, one.path) for one in names} & set(moved)
        met |= found
        gone = {id(moved[key]) for key in found}
        left = [one for one in left if id(one) not in gone]
    back = _way(file.parent, root)
    strays = [one for one in names if _key(one, one.path) not in met]
    moved_away = _moves([one for one in left if covered(back(one.path))], strays)
    met |= {_key(name, name.path) for name in moved_away.values()}
    left = [one for one in left if one not in moved_away]
    fixed = [(back(one.path), one) for one in left]
    return Held(
        known=frozenset(
            one.fingerprint for one, name in zip(suspects, names, strict=True) if _key(name, name.path) in met
        ),
        fixed=tuple(Fixed(one.rule, path, one.symbol, one.message) for path, one in fixed if covered(path)),
    )


def _moves(gone: Sequence[Entry], strays: Iterable[Entry]) -> dict[Entry, Entry]:
    """Which of those that nothing was listed for is each of those that are gone: the same code in another file."""
    found: dict[Entry, Entry] = {}
    free: dict[tuple[str, str], list[Entry]] = {}
    for one in strays:
        free.setdefault((one.rule, one.context), []).append(one)
    for one in gone:
        if alike := free.get((one.rule, one.context)):
            found[one] = alike.pop(0)
    return found


def _key(one: Entry, path: str) -> tuple[str, str, str]:
    return path, one.rule, one.context


def _way(start: Path, end: Path) -> Callable[[str], str]:
    """How paths from `start` on look from `end` on."""
    prefix = Path(os.path.relpath(start, end)).as_posix()
    return lambda path: os.path.normpath(f"{prefix}/{path}").replace(os.sep, "/")
