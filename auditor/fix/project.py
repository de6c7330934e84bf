"""The fixes of a whole audit: what to fix follows from what was found, and from what the evidence says of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from auditor.fix.chosen import is_confirmed, is_rejected
from auditor.fix.files import FileFixes, Fixing
from auditor.fix.write import UnwritableError, replace_file
from auditor.model import Finding, Fix, Suspect
from auditor.rule import Rule
from auditor.scan.files import package_of


@dataclass(frozen=True, slots=True)
class Fixes:
    """What became of the fixes of an audit. `rejected` were left since measurement rejected the suspicion.

    `unsafe` were left since only safe ones were asked for, `clashed` since another fix changed the same code.
    """

    diffs: tuple[str, ...] = ()
    fixed: tuple[Suspect, ...] = ()
    rejected: tuple[Suspect, ...] = ()
    unsafe: tuple[Suspect, ...] = ()
    clashed: tuple[Suspect, ...] = ()
    warnings: tuple[str, ...] = ()


def with_fixes(
    findings: Sequence[Finding], rules: Iterable[Rule], root: Path, *, everything: bool
) -> tuple[Finding, ...]:
    """The findings, with the fixes that their rules have: confirmed ones, with `everything` all but the rejected."""
    rules = [rule for rule in rules if rule.fix is not None]
    fixing = Fixing(rules)
    fixes: dict[tuple[str, str], Fix] = {}
    chosen = [one for one in findings if is_confirmed(one) or (everything and not is_rejected(one))]
    for path, group in _by_file(chosen, {rule.id for rule in rules}).items():
        data = _read(root / path)
        if data is not None:
            wanted = {finding.suspect.fingerprint for finding in group}
            package = package_of(root / path, root)
            # a report without this file's fixes is worth more than none
            with contextlib.suppress(Exception):
                proposals = fixing.proposals(data, path, package, _among(wanted))
                fixes.update(((path, fingerprint), fix) for fingerprint, fix in proposals.items())
    return tuple(
        replace(finding, fix=fixes.get((finding.suspect.path, finding.suspect.fingerprint))) for finding in findings
    )


def fix_all(
    findings: Sequence[Finding],
    rules: Iterable[Rule],
    root: Path,
    unsafe: bool,
    write: bool,
    stop: threading.Event,
) -> Fixes:
    """Fix what was found except what measurement rejected; the files are written only if `write` says so."""
    rules = [rule for rule in rules if rule.fix is not None]
    fixing = Fixing(rules)
    files: list[FileFixes] = []
    rejected: list[Suspect] = []
    warnings: list[str] = []
    for path, group in sorted(_by_file(findings, {rule.id for rule in rules}).items()):
        if stop.is_set():
            break
        data = _read(root / path)
        if data is None:
            warnings.append(f"{path} is left as it is: it cannot be read")
            continue
        open_ = {one.suspect.fingerprint for one in group if not is_rejected(one)}
        package = package_of(root / path, root)
        try:
            one = fixing.fix_file(data, path, package, _among(open_), unsafe)
            rejected += _fixable(fixing, data, path, package, group, unsafe)
        except Exception as error:
            warnings.append(f"{path} is left as it is: {type(error).__name__}: {error}")
            continue
        if write and one.fixed:
            try:
                replace_file(root / path, data, one.after)
            except UnwritableError as error:
                warnings.append(f"{path} is left as it is: {error}")
                continue
        files.append(one)
    return Fixes(
        diffs=tuple(one.diff(_from_here(root / one.path, one.path)) for one in files if one.fixed),
        fixed=tuple(suspect for one in files for suspect in one.fixed),
        rejected=tuple(rejected),
        unsafe=tuple(suspect for one in files for suspect in one.unsafe),
        clashed=tuple(suspect for one in files for suspect in one.clashed),
        warnings=(*warnings, *(text for one in files for text in one.warnings)),
    )


def _from_here(file: Path, path: str) -> str:
    """The way to the file from the working directory, as `git apply` is called there, else from the target."""
    here = Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else path


def _fixable(
    fixing: Fixing, data: bytes, path: str, package: str, group: Sequence[Finding], unsafe: bool
) -> list[Suspect]:
    """The rejected suspects of the file that would have been fixed."""
    settled = {one.suspect.fingerprint: one.suspect for one in group if is_rejected(one)}
    if not settled:
        return []
    fixes = fixing.proposals(data, path, package, _among(settled))
    return [settled[fingerprint] for fingerprint, fix in fixes.items() if fix.safe or unsafe]


def _among(fingerprints: Collection[str]) -> Callable[[Suspect], bool]:
    return lambda suspect: suspect.fingerprint in fingerprints


def _by_file(findings: Iterable[Finding], rules: set[str]) -> dict[str, list[Finding]]:
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        # a notebook's cells are no lines of its file
        if finding.suspect.rule in rules and not finding.suspect.path.endswith(".ipynb"):
            groups.setdefault(finding.suspect.path, []).append(finding)
    return groups


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except (OSError, ValueError):
        return None
