"""Both sides of a change, from git's object store or from a unified diff. Nothing is ever checked out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import HistoryError

if TYPE_CHECKING:
    import subprocess

_LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Side:
    """One changed file: its paths from the root on, None where it does not exist, and what it held before."""

    old: str | None
    new: str | None
    before: bytes = b""


def is_revision(repository: Path, name: str) -> bool:
    """Whether git knows a commit of that name."""
    return (
        _run(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").returncode == 0
    )


def head(repository: Path) -> str:
    """The commit that is checked out; "" if there is none, or git cannot tell."""
    try:
        answer = _run(repository, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except HistoryError:
        return ""
    return answer.stdout.strip().decode() if answer.returncode == 0 else ""


def since(repository: Path, revision: str, wanted: Sequence[str]) -> list[Side]:
    """What differs between the work tree and a commit; files that git does not track yet are new.

    `revision` may end in "..." for the commit at which HEAD left it. Only files whose names end in one of `wanted`
    (suffixes) are told.

    Raises:
        HistoryError: there is no such revision, or git does not answer.
    """
    base = _resolved(repository, revision)
    options = ("--raw", "-z", "-M", "--no-abbrev", "--no-ext-diff", "--no-textconv", "--ignore-submodules")
    fields = _git(repository, "diff", *options, base, "--").split(b"\0")
    sides: list[tuple[str | None, str | None, bytes]] = []
    position = 0
    while position < len(fields) and fields[position].startswith(b":"):
        _mode, _new_mode, blob, _new_blob, status = fields[position].split(b" ")
        old = os.fsdecode(fields[position + 1])
        renamed = status[:1] in (b"R", b"C")
        new = os.fsdecode(fields[position + 2]) if renamed else old
        position += 3 if renamed else 2
        copied = status[:1] == b"C"
        sides.append((None if status == b"A" or copied else old, None if status == b"D" else new, blob))
    sides = [side for side in sides if _is_wanted(side[:2], wanted)]
    contents = _contents(repository, [blob for old, _new, blob in sides if old is not None])
    found = [Side(old, new, contents.get(blob, b"") if old is not None else b"") for old, new, blob in sides]
    others = _git(repository, "ls-files", "-z", "--others", "--exclude-standard").split(b"\0")
    return found + [Side(None, name) for name in map(os.fsdecode, others) if name and name.endswith(tuple(wanted))]


def merging(repository: Path, revision: str) -> tuple[str, ...]:
    """The commits that are being merged into HEAD, if `revision` is HEAD and such a merge is under way."""
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options")
    named, head = (_run(repository, *asked, f"{name}^{{commit}}").stdout for name in (revision, "HEAD"))
    place = _run(repository, "rev-parse", "--path-format=absolute", "--git-path", "MERGE_HEAD")
    if named != head or place.returncode != 0:
        return ()
    try:
        return tuple(Path(os.fsdecode(place.stdout.rstrip(b"\n"))).read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return ()


def renames(repository: Path, file: Path) -> dict[str, str]:
    """New names of the files that were renamed since `file` was last committed, by their old ones; {} if unknown."""
    last = _run(repository, "log", "-1", "--format=%H", "--", str(file))
    base = last.stdout.strip().decode()
    if last.returncode != 0 or not base:
        base = "HEAD"
    if not is_revision(repository, base):
        return {}
    options = ("--name-status", "-z", "-M", "--diff-filter=R", "--no-ext-diff")
    fields = _git(repository, "diff", *options, base, "--").split(b"\0")
    return {os.fsdecode(old): os.fsdecode(new) for old, new in zip(fields[1::3], fields[2::3], strict=False)}


def _resolved(repository: Path, revision: str) -> str:
    if revision.endswith("..."):
        commit = revision.removesuffix("...")
        answer = _run(repository, "merge-base", "HEAD", commit) if not commit.startswith("-") else None
    else:
        answer = _run(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{tree}}")
    if answer is None or answer.returncode != 0:
        if _run(repository, "rev-parse", "--git-dir").returncode != 0:
            raise HistoryError(f"{repository} is not in a git repository, so there is nothing to compare with")
        raise HistoryError(
            f"--diff {revision}: git knows no such revision in {repository}; name a commit, branch or tag that is there"
            " (in a shallow clone, fetch it first), or pipe a unified diff in with --diff -"
        )
    return answer.stdout.strip().decode()


def _is_wanted(paths: Iterable[str | None], wanted: Sequence[str]) -> bool:
    return any(path is not None and path.endswith(tuple(wanted)) for path in paths)


def _contents(repository: Path, blobs: Sequence[bytes]) -> dict[bytes, bytes]:
    asked = [blob for blob in dict.fromkeys(blobs) if set(blob) != {ord("0")}]
    if not asked:
        return {}
    data = _git(repository, "cat-file", "--batch", stdin=b"\n".join(asked) + b"\n")
    found: dict[bytes, bytes] = {}
    position = 0
    for blob in asked:
        end = data.index(b"\n", position)
        header = data[position:end].split(b" ")
        position = end + 1
        if len(header) == 3 and header[1] == b"blob":
            size = int(header[2])
            found[blob] = data[position : position + size]
            position += size + 1
    return found


def _git(repository: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    answer = _run(repository, *arguments, stdin=stdin)
    if answer.returncode != 0:
        said = answer.stderr.decode("utf-8", "replace").strip()
        raise HistoryError(f"git {arguments[0]} failed in {repository}: {said or answer.returncode}")
    return answer.stdout


def _run(repository: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    import subprocess

    command = ["git", "-C", str(repository), *arguments]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=_LIMIT_S, env=environment)
    except OSError as error:
        raise HistoryError(f"git cannot be run: {error.strerror}; install it, or give a diff with --diff -") from error
    except subprocess.TimeoutExpired as error:
        raise HistoryError(f"git {arguments[0]} did not end within {_LIMIT_S} s in {repository}") from error
