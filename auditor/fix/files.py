"""The fixes of one file: found by scanning it anew, made together where they do not clash, and checked."""

from __future__ import annotations

import tokenize
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from auditor.fix.diff import unified
from auditor.fix.names import Names
from auditor.fix.repair import Draft, Repair, combined
from auditor.fix.text import Text, comments, moved
from auditor.model import Edit, Fix, Span, Suspect
from auditor.rule import CannotFix, Rule
from auditor.scan.engine import Engine, Found
from auditor.scan.source import Source, UnreadableError, parse_source

_ROUNDS = 10
"""Fixes of the same code are made one after the other, each on what the one before has left."""


@dataclass(frozen=True, slots=True)
class Version:
    """A file as it stands: bytes, text, parsed, and what the rules suspect in it."""

    data: bytes
    text: Text
    source: Source
    suspects: tuple[Suspect, ...]
    found: tuple[Found, ...]

    @property
    def counts(self) -> Counter[str]:
        """Suspects by rule."""
        return Counter(suspect.rule for suspect in self.suspects)


@dataclass(slots=True)
class FileFixes:
    """What became of the fixes of one file. `unsafe` were left as nobody asked for them, `clashed` for others."""

    path: str
    before: bytes
    after: bytes
    fixed: list[Suspect] = field(default_factory=list)
    unsafe: list[Suspect] = field(default_factory=list)
    clashed: list[Suspect] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def diff(self, path: str) -> str:
        """The change as a unified diff of the file by that name, "" if there is none."""
        old, new = Text.decode(self.before), Text.decode(self.after)
        return "" if old is None or new is None else unified(path, old.lines, new.lines)


class Fixing:
    """The rules whose suspects are to be fixed, in any file."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = {rule.id: rule for rule in rules if rule.fix is not None}
        self._engine = Engine(self._rules.values())

    def fix_file(
        self, data: bytes, path: str, package: str, wanted: Callable[[Suspect], bool], unsafe: bool
    ) -> FileFixes:
        """Make all the fixes of the suspects that are `wanted`, safe ones only unless `unsafe`."""
        outcome = FileFixes(path, data, data)
        version = self._read(data, path, package, outcome.warnings)
        if version is None:
            return outcome
        places = {(one.rule, one.span) for one in version.suspects if wanted(one)}
        for turn in range(_ROUNDS):
            drafted = self._repairs(version, _at(places), outcome.warnings)
            if turn == 0:
                outcome.unsafe += [one.suspect for one in drafted if not (one.safe or unsafe)]
            chosen, rest = _apart([one for one in drafted if one.safe or unsafe])
            made = self._made(version, chosen, package, outcome.warnings)
            if made is None:
                break
            version, edits, fixed, before = made
            outcome.fixed += [one.suspect for one in fixed]
            after = version.source.lines
            spots = [(one.suspect, moved(one.suspect.span, edits, before, after)) for one in rest]
            outcome.clashed += [suspect for suspect, span in spots if span is None]
            places = {(suspect.rule, span) for suspect, span in spots if span is not None}
        outcome.after = version.data
        return outcome

    def proposals(self, data: bytes, path: str, package: str, wanted: Callable[[Suspect], bool]) -> dict[str, Fix]:
        """A fix for each suspect that is `wanted` and has one, by fingerprint, each made and checked on its own."""
        warnings: list[str] = []
        version = self._read(data, path, package, warnings)
        if version is None:
            return {}
        fixes: dict[str, Fix] = {}
        for repair in self._repairs(version, wanted, warnings, apart=True):
            edits, after = self._check(version, [repair], package)
            if isinstance(after, Version):
                diff = unified(path, version.text.lines, after.text.lines)
                fixes[repair.suspect.fingerprint] = Fix(repair.safe, diff, edits)
        return fixes

    def _read(self, data: bytes, path: str, package: str, warnings: list[str]) -> Version | None:
        text = Text.decode(data)
        if text is None:
            warnings.append(f"{path} is left as it is: its bytes would not survive being read and written as text")
            return None
        try:
            source = parse_source(data, path)
        except UnreadableError as error:
            warnings.append(f"{path} is left as it is: {error}")
            return None
        found: list[Found] = []
        scan = self._engine.scan_source(source, package, found.append)
        return Version(data, text, source, scan.suspects, tuple(found))

    def _repairs(
        self, version: Version, wanted: Callable[[Suspect], bool], warnings: list[str], apart: bool = False
    ) -> list[Repair]:
        """The fixes of the suspects that are wanted, in source order; with `apart`, each as if it were the only one."""
        by_place: dict[tuple[str, Span], Found] = {}
        for one in version.found:
            by_place.setdefault((one.rule.id, one.suspect.span), one)
        names = Names(version.source.tree)
        taken: dict[str, str] = {}
        repairs = []
        for suspect in version.suspects:
            if wanted(suspect):
                claimed: dict[str, str] = {} if apart else taken
                found = by_place[suspect.rule, suspect.span]
                repair = _drafted(version.source, names, found, suspect, claimed, warnings)
                repairs += [] if repair is None else [repair]
        return repairs

    def _made(
        self, version: Version, repairs: Sequence[Repair], package: str, warnings: list[str]
    ) -> tuple[Version, tuple[Edit, ...], Sequence[Repair], Sequence[str]] | None:
        """The file with all of the repairs that hold, None if none does."""
        sound = self._sound(version, repairs, package, warnings)
        while sound:
            edits, after = self._check(version, sound, package)
            if isinstance(after, Version):
                return after, edits, sound, version.source.lines
            # sound one by one, not together
            dropped, *sound = sound
            warnings.append(_dropped(dropped, after))
        return None

    def _sound(self, version: Version, repairs: Sequence[Repair], package: str, warnings: list[str]) -> list[Repair]:
        """Those of the repairs that hold: all if they do together, else each half by itself."""
        if not repairs:
            return []
        _edits, after = self._check(version, repairs, package)
        if isinstance(after, Version):
            return list(repairs)
        if len(repairs) == 1:
            warnings.append(_dropped(repairs[0], after))
            return []
        middle = len(repairs) // 2
        return [
            *self._sound(version, repairs[:middle], package, warnings),
            *self._sound(version, repairs[middle:], package, warnings),
        ]

    def _check(
        self, version: Version, repairs: Sequence[Repair], package: str
    ) -> tuple[tuple[Edit, ...], Version | str]:
        """The file with the repairs made; or why not: it does not parse, loses comments, or is suspected still."""
        try:
            edits = combined(version.source, repairs)
            data = version.text.edited(edits).encode()
        except (CannotFix, UnicodeError):
            return (), "there is no place for what it needs"
        problems: list[str] = []
        after = self._read(data, version.source.path, package, problems)
        if after is None:
            return edits, "the result does not parse"
        try:
            if comments(version.source.lines) - comments(after.source.lines):
                return edits, "it would lose a comment"
        except (tokenize.TokenError, SyntaxError):
            return edits, "the result cannot be read"
        fixed = Counter(repair.suspect.rule for repair in repairs)
        if any(after.counts[rule] > version.counts[rule] - fixed[rule] for rule in fixed):
            return edits, "the result is still suspected"
        return edits, after


def _at(places: Collection[tuple[str, Span]]) -> Callable[[Suspect], bool]:
    return lambda suspect: (suspect.rule, suspect.span) in places


def _drafted(
    source: Source, names: Names, found: Found, suspect: Suspect, taken: dict[str, str], warnings: list[str]
) -> Repair | None:
    fixer = found.rule.fix
    assert fixer is not None
    draft = Draft(source, names, found, taken)
    try:
        safety = fixer.make(found.node, found.context, draft)
        return None if safety is None else draft.repair(suspect, safety)
    except CannotFix:
        return None
    except Exception as error:
        # a crash of a rule's fix costs only that fix
        where = f"{suspect.path}:{suspect.span.line}"
        warnings.append(f"{where}: the fix of {suspect.rule} failed: {type(error).__name__}: {error}")
        return None


def _apart(repairs: Sequence[Repair]) -> tuple[list[Repair], list[Repair]]:
    """Repairs that can be made at once, and those that clash with one of them."""
    chosen: list[Repair] = []
    rest: list[Repair] = []
    for repair in repairs:
        clashing = any(repair.clashes(other) for other in chosen)
        (rest if clashing else chosen).append(repair)
    return chosen, rest


def _dropped(repair: Repair, reason: str | Version) -> str:
    suspect = repair.suspect
    return f"{suspect.path}:{suspect.span.line}: no fix of {suspect.rule}: {reason}"
