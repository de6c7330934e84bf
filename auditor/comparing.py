"""What one audit compares with: the old side of a change, scanned like the new one, and the baseline."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from auditor import baseline
from auditor.change import Block, Comparison, FileChange, blocks, compare
from auditor.history import Side, merging, renames, since
from auditor.model import Change, Fixed, Suspect, Unflagged
from auditor.patch import sides as sides_of_patch
from auditor.scan.files import SUFFIXES, Target, repository_of
from auditor.scan.parallel import RuleSet
from auditor.scan.project import Project
from auditor.scan.record import FileScan
from auditor.standing import Edited, Standing, code_of, telling_word


@dataclass(frozen=True, slots=True)
class Against:
    """What to compare with: a revision, or a unified diff as it came in, and the baseline's file."""

    revision: str | None = None
    patch: bytes | None = None
    baseline: Path | None = None

    @property
    def is_change(self) -> bool:
        """Whether only a change is to be audited."""
        return self.revision is not None or self.patch is not None


@dataclass(frozen=True, slots=True)
class Scope:
    """What was audited, and of which change.

    target: all files that were scanned. changed: the files that the change is about. read: paths (from the root on)
    that could be read. scans: those made, by path and outlook. ran: ids of the rules. paths: what the user named.
    """

    target: Target
    changed: tuple[Side, ...]
    read: frozenset[str]
    scans: Mapping[tuple[str, str], FileScan]
    rules: RuleSet
    ran: frozenset[str]
    lasting: frozenset[str]
    paths: tuple[Path, ...]
    cache: bool
    jobs: int | None

    @property
    def edited(self) -> frozenset[str]:
        """Paths that the change is about, on either side."""
        return frozenset(path for side in self.changed for path in (side.old, side.new) if path is not None)

    def covers(self, path: str) -> bool:
        """Whether the file was audited, or is gone from where it would have been."""
        if path in self.read:
            return True
        file = self.target.root / path
        return not os.path.lexists(file) and any(file.is_relative_to(Path(os.path.abspath(one))) for one in self.paths)  # noqa: PTH100


@dataclass(frozen=True, slots=True)
class Compared:
    """By fingerprint, what the comparison says of each suspect, and which of them ask for nothing; and what is gone."""

    changes: dict[str, Change] = field(default_factory=dict)
    set_aside: frozenset[str] = frozenset()
    fixed: tuple[Fixed, ...] = ()
    unflagged: tuple[Unflagged, ...] = ()


def root_of_change(paths: Sequence[Path]) -> Path:
    """The directory that paths of a change lead from: that of the repository, else the working directory."""
    first = Path(os.path.abspath(paths[0]))  # noqa: PTH100 - symlinks stay as the user wrote them
    return repository_of(first if first.is_dir() else first.parent) or Path.cwd()


def sides(against: Against, root: Path) -> list[Side]:
    """The files that the change is about.

    Raises:
        HistoryError: the revision or the diff is unusable.
    """
    if against.patch is not None:
        return sides_of_patch(against.patch, root, SUFFIXES)
    assert against.revision is not None
    return since(root, against.revision, SUFFIXES)


def narrowed(target: Target, changed: Iterable[Side]) -> Target:
    """Only those files of the target that the change is about."""
    names = {side.new for side in changed}
    return replace(
        target, files=tuple(file for file in target.files if file.relative_to(target.root).as_posix() in names)
    )


def compared(against: Against, suspects: Sequence[Suspect], scope: Scope, stop: threading.Event) -> Compared:
    """Tell introduced from pre-existing suspects, and name the fixed ones.

    Raises:
        HistoryError: the baseline cannot be read.
    """
    found = Compared()
    if against.is_change:
        found = _with_old_side(suspects, scope, stop)
        for other in merging(scope.target.root, against.revision) if against.revision is not None else ():
            found = _less(found, _with_old_side(suspects, _since(other, scope), stop))
    if against.baseline is None:
        return found
    held = baseline.hold(
        [one for one in baseline.read(against.baseline) if one.rule in scope.ran],
        suspects,
        scope.target.root,
        against.baseline,
        scope.covers,
        lambda: _renames(against.baseline),
    )
    states = {one.fingerprint: found.changes.get(one.fingerprint, Change.INTRODUCED) for one in suspects}
    states |= dict.fromkeys(held.known, Change.PRE_EXISTING)
    fixed = found.fixed if against.is_change else held.fixed
    return Compared(states, found.set_aside | held.known, fixed, found.unflagged)


def _since(revision: str, scope: Scope) -> Scope:
    return replace(scope, changed=tuple(since(scope.target.root, revision, SUFFIXES)))


def _less(found: Compared, other: Compared) -> Compared:
    """A comparison in which nothing is introduced that the other side of a merge has, too."""
    brought = {name for name, change in other.changes.items() if change is not Change.INTRODUCED}
    there = {name for name in found.changes if name in brought and found.changes[name] is Change.INTRODUCED}
    states = found.changes | dict.fromkeys(there, Change.PRE_EXISTING)
    return replace(found, changes=states, set_aside=found.set_aside | there)


def _renames(file: Path | None) -> dict[str, str]:
    """New paths by old ones, both from the directory of the baseline on."""
    repository = None if file is None else repository_of(file.parent)
    if file is None or repository is None:
        return {}
    return {
        os.path.relpath(repository / old, file.parent): os.path.relpath(repository / new, file.parent)
        for old, new in renames(repository, file).items()
    }


# ------------------------------------------------------------------------------------------------
# The old side


def _with_old_side(suspects: Sequence[Suspect], scope: Scope, stop: threading.Event) -> Compared:
    """Files outside the scope are looked at only if something seems new or gone: code may have been moved."""
    inside = [
        side for side in scope.changed if side.new in scope.read or (side.new is None and scope.covers(side.old or ""))
    ]
    now = list(suspects)
    comparison = _compare(inside, inside, suspects, scope, stop)
    outside = [side for side in scope.changed if side not in inside]
    if outside and (comparison.introduced or comparison.fixed):
        # what led through files that were not looked up on the new side is not gone
        gone = {one.fingerprint for one in comparison.fixed}
        # in an order that is the same for every part of the change, so that all parts pair alike
        now = sorted((*suspects, *_now(outside, scope, stop)), key=lambda one: (one.path, one.span, one.rule))
        comparison = _compare([*inside, *outside], inside, now, scope, stop)
        still_gone = tuple(one for one in comparison.fixed if one.fingerprint in gone)
        comparison = replace(comparison, fixed=still_gone)
    states = {
        one.fingerprint: Change.INTRODUCED if one.fingerprint in comparison.introduced else Change.PRE_EXISTING
        for one in suspects
    }
    untouched = frozenset(states) - comparison.introduced - comparison.touched
    lost = list(_gone(comparison, now, scope))
    return Compared(
        states,
        untouched,
        fixed=tuple(Fixed(one.rule, one.path, one.symbol, one.message) for one, place in lost if place is None),
        unflagged=tuple(
            Unflagged(one.rule, one.path, one.symbol, one.message, place) for one, place in lost if place is not None
        ),
    )


def _gone(comparison: Comparison, now: Iterable[Suspect], scope: Scope) -> Iterator[tuple[Suspect, str | None]]:
    """What is flagged no longer, and where its code stands, if nothing shows that it is fixed."""
    gone = comparison.fixed
    if not gone:
        return
    root = scope.target.root
    own = {side.old: _numbered(side.before) for side in scope.changed if side.old in {one.path for one in gone}}
    codes = [code_of(one, own[one.path] if one.path in own else _numbered(_bytes(root / one.path))) for one in gone]
    # why a file that stays as it is lost a finding may stand in any other
    is_anywhere = any(one.chain or one.path not in own for one in gone)
    words = {telling_word(code).encode() for code in codes}
    edited = [
        _edited(side, root) for side in scope.changed if is_anywhere or side.old in own or _gained(side, root, words)
    ]
    flagged = {(one.path, one.span.line, one.rule): one.fingerprint in comparison.introduced for one in now}
    standing = Standing(edited, scope.lasting, flagged)
    for one, code in zip(gone, codes, strict=True):
        yield one, standing.place(one, code)


def edited_since(repository: Path, revision: str) -> tuple[Edited, ...]:
    """The files that differ between a commit and the work tree.

    Raises:
        HistoryError: there is no such commit, or git does not answer.
    """
    return tuple(_edited(side, repository) for side in since(repository, revision, SUFFIXES))


def _gained(side: Side, root: Path, words: Iterable[bytes]) -> bool:
    """Whether any of the words stands in the file more often than it did: a look that costs less than a diff."""
    after = b"" if side.new is None else _bytes(root / side.new)
    return any(after.count(word) > side.before.count(word) for word in words)


def _edited(side: Side, root: Path) -> Edited:
    after = b"" if side.new is None else _bytes(root / side.new)
    change = FileChange(side.old, side.new, _blocks(side, root))
    return Edited(change, _numbered(side.before), _numbered(after))


def _numbered(text: bytes) -> dict[int, str]:
    return {number: line.decode("utf-8", "replace") for number, line in enumerate(text.splitlines(), 1)}


def _bytes(file: Path) -> bytes:
    """What the file holds, nothing if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _compare(
    changed: Sequence[Side],
    inside: Sequence[Side],
    suspects: Sequence[Suspect],
    scope: Scope,
    stop: threading.Event,
) -> Comparison:
    before, unread = _before(changed, scope, stop)
    interesting = {one.path for one in (*before, *suspects)}
    changes = [
        FileChange(side.old, side.new, _blocks(side, scope.target.root))
        for side in changed
        if {side.old, side.new} & interesting
    ]
    # what a file says of others can change though it stays as it is
    same = scope.read - scope.edited
    changes += [FileChange(path, path) for path in sorted(same & interesting)]
    unknown = {side.new for side in inside if side.old in unread and side.new is not None}
    comparison = compare(before, suspects, changes, unknown, (_code_before(changed, scope), _code_now(scope)))
    own = same | {side.old for side in inside}
    return replace(comparison, fixed=tuple(one for one in comparison.fixed if one.path in own))


def _code_before(changed: Sequence[Side], scope: Scope) -> Callable[[Suspect], str]:
    texts = {side.old: side.before for side in changed}

    @functools.cache
    def lines(path: str) -> dict[int, str]:
        return _numbered(texts[path] if path in texts else _bytes(scope.target.root / path))

    return lambda one: code_of(one, lines(one.path))


def _code_now(scope: Scope) -> Callable[[Suspect], str]:
    @functools.cache
    def lines(path: str) -> dict[int, str]:
        return _numbered(_bytes(scope.target.root / path))

    return lambda one: code_of(one, lines(one.path))


def _blocks(side: Side, root: Path) -> tuple[Block, ...]:
    if side.new is None:
        return ()
    after = _bytes(root / side.new)
    return blocks(side.before.splitlines(keepends=True), after.splitlines(keepends=True))


def _now(outside: Iterable[Side], scope: Scope, stop: threading.Event) -> list[Suspect]:
    """Suspects of changed files outside the scope, as they are."""
    root = scope.target.root
    paths = {side.new for side in outside if side.new is not None}
    files = tuple(sorted(root / path for path in paths if (root / path).is_file()))
    beside = tuple(sorted({*scope.target.files, *scope.target.beside} - set(files)))
    project = Project(Target(root, files, beside=beside), scope.rules, scope.cache, dict(scope.scans))
    try:
        scans = project.scan(stop, jobs=scope.jobs)
    finally:
        project.close()
    return [suspect for scan in scans if scan.path in paths for suspect in scan.suspects]


def _before(changed: Sequence[Side], scope: Scope, stop: threading.Event) -> tuple[list[Suspect], set[str]]:
    """Suspects of all files as they were, and the paths of those that could not be read."""
    old = [side for side in changed if side.old is not None]
    import tempfile

    with tempfile.TemporaryDirectory(prefix="audit-old-") as directory:
        root = Path(directory)
        same = tuple(sorted(_unchanged(scope, root)))
        files = [*(file for file in same if _is_read(file, root, scope)), *_written(old, root)]
        beside = tuple(file for file in same if not _is_read(file, root, scope))
        _mark_packages([*files, *beside], changed, root, scope.target.root)
        target = Target(root, tuple(sorted(files)), beside=beside)
        project = Project(target, scope.rules, scope.cache, _reusable(scope))
        try:
            scans = project.scan(stop, jobs=scope.jobs)
        finally:
            project.close()
    asked = {side.old for side in old} | (scope.read - scope.edited)
    unread = {scan.path for scan in scans if scan.skipped and not scan.lines}
    return [suspect for scan in scans if scan.path in asked for suspect in scan.suspects], unread


def _unchanged(scope: Scope, root: Path) -> Iterator[Path]:
    """Files that are the same on both sides, put where the old side is made."""
    for file in scope.target.files:
        path = file.relative_to(scope.target.root)
        if path.as_posix() not in scope.edited:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            try:
                (root / path).symlink_to(file)
            except OSError:  # not everywhere may everybody make links
                import shutil

                with contextlib.suppress(OSError):
                    shutil.copyfile(file, root / path)
            yield root / path


def _is_read(file: Path, root: Path, scope: Scope) -> bool:
    """Whether the file's suspects are asked for, and not only what it says to others."""
    return file.relative_to(root).as_posix() in scope.read


def _written(old: Iterable[Side], root: Path) -> Iterator[Path]:
    for side in old:
        assert side.old is not None
        file = root / side.old
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(side.before)
        yield file


def _reusable(scope: Scope) -> dict[tuple[str, str], FileScan]:
    """The scans that hold for the old side, too; none where the change makes or unmakes a package."""
    packages = [side for side in scope.changed if side.old != side.new and _marks_package(side)]
    edited = scope.edited
    return {} if packages else {key: scan for key, scan in scope.scans.items() if key[0] not in edited}


def _marks_package(side: Side) -> bool:
    return any(PurePosixPath(path).name == "__init__.py" for path in (side.old, side.new) if path is not None)


def _mark_packages(files: Iterable[Path], changed: Sequence[Side], root: Path, now: Path) -> None:
    """What is a package now was one, unless the change made it one: relative imports count from there."""
    made = {side.new for side in changed if side.old is None}
    for directory in {above for file in files for above in file.parents if above.is_relative_to(root)}:
        name = (PurePosixPath(directory.relative_to(root).as_posix()) / "__init__.py").as_posix()
        if name not in made and (now / name).is_file() and not (root / name).exists():
            (root / name).touch()
