"""Which files are audited: those git does not ignore, without virtual environments and excluded patterns."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.config import Exclusion
from auditor.errors import TargetError
from auditor.model import Skip

NEVER = frozenset(
    {
        "__pycache__",
        ".git",
        ".hg",
        ".svn",
        ".tox",
        ".nox",
        ".mypy_cache",
        "node_modules",
        "site-packages",
        ".ipynb_checkpoints",
    }
)


SUFFIXES = (".py", ".ipynb")


@dataclass(frozen=True, slots=True)
class Target:
    """The files to audit. Paths of findings are relative to `root`, an absolute directory.

    `follow` is whether what the files import from below `root` is looked up, as there is more to the project than they.
    `beside` are files that are asked for nothing but what they say to the others.
    """

    root: Path
    files: tuple[Path, ...]
    skipped: tuple[Skip, ...] = ()
    follow: bool = False
    beside: tuple[Path, ...] = ()


def discover(paths: Sequence[Path], exclude: Iterable[Exclusion] = (), root: Path | None = None) -> Target:
    """Python files and notebooks below `paths`, in order. `root` (absolute) is by default what all of them lie in.

    A file named itself is audited even if git ignores it or its name ends otherwise.

    Raises:
        TargetError: a path does not exist, or lies outside `root`.
    """
    resolved = []
    for path in paths:
        if not path.exists():
            raise TargetError(f"{path} does not exist; give a file or directory to audit")
        if not path.is_file() and not path.is_dir():
            raise TargetError(f"{path} is neither a file nor a directory; give one to audit")
        resolved.append(Path(os.path.abspath(path)))  # noqa: PTH100 - symlinks stay as the user wrote them
        if root is not None and not resolved[-1].is_relative_to(root):
            raise TargetError(f"{path} lies outside {root}, of which the change is; give paths inside it")
    root = root or root_of(paths)
    excluded = _matcher(exclude, root)
    found: dict[Path, None] = {}
    skipped: list[Skip] = []
    for path in resolved:
        for file in [path] if path.is_file() else _walk(path, skipped, root):
            if not excluded(file):
                found[file] = None
    return Target(root=root, files=tuple(sorted(found, key=lambda file: file.parts)), skipped=tuple(skipped))


def repository_of(directory: Path) -> Path | None:
    """The work tree of git that `directory` (absolute) lies in, None if it lies in none."""
    for candidate in (directory, *directory.parents):
        # a file in a linked work tree and in a submodule
        if (candidate / ".git").exists():
            return candidate
    return None


def root_of(paths: Sequence[Path]) -> Path:
    """The directory that all of the paths lie in."""
    # symlinks stay as the user wrote them
    whole = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100
    return Path(os.path.commonpath([path if path.is_dir() else path.parent for path in whole]))


def _matcher(exclude: Iterable[Exclusion], root: Path) -> Callable[[Path], bool]:
    """Whether a file below `root` is excluded. Of one that is not below the base of a pattern, `root` is the base."""
    given = [exclusion for exclusion in exclude if exclusion.patterns]
    if not given:
        return lambda _file: False
    from pathspec import GitIgnoreSpec

    specs = [(exclusion.base, GitIgnoreSpec.from_lines(exclusion.patterns)) for exclusion in given]

    def excluded(file: Path) -> bool:
        return any(
            spec.match_file(file.relative_to(base if file.is_relative_to(base) else root).as_posix())
            for base, spec in specs
        )

    return excluded


def _walk(directory: Path, skipped: list[Skip], root: Path) -> Iterator[Path]:
    listed = _git_files(directory)
    allowed = None if listed is None else set(listed)

    def unreadable(error: OSError) -> None:
        path = os.path.relpath(error.filename, root)
        skipped.append(Skip(path=path, reason=f"directory cannot be read: {error.strerror}"))

    for parent, directories, files in os.walk(directory, onerror=unreadable):
        here = Path(parent)
        directories[:] = sorted(d for d in directories if d not in NEVER and not (here / d / "pyvenv.cfg").is_file())
        for name in sorted(files):
            file = here / name
            if not name.endswith(SUFFIXES) or (allowed is not None and file not in allowed):
                continue
            if _special(file):
                skipped.append(Skip(path=file.relative_to(root).as_posix(), reason="a pipe or device, not a file"))
            else:
                yield file


def _special(file: Path) -> bool:
    """Whether it is a pipe or device, which reading could hang on (a dangling symlink is reported when read)."""
    with contextlib.suppress(OSError):
        return not stat.S_ISREG(os.stat(file).st_mode)  # noqa: PTH116 - half as long, once for every file
    return False


def _git_files(directory: Path) -> list[Path] | None:
    """Files that git tracks or would track below `directory`; None outside a work tree or without git."""
    import subprocess

    command = ["git", "-C", str(directory), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if listing.returncode != 0:
        return None
    names = [os.fsdecode(name) for name in listing.stdout.split(b"\0") if name]
    return [directory / name for name in names] if names else None


def package_of(file: Path, root: Path, known: dict[Path, str] | None = None) -> str:
    """Dotted package that relative imports in `file` count from, by the directories above it that are packages.

    `known` remembers the packages of directories from one call to the next.
    """
    directory = file.parent
    if known is not None and directory in known:
        return known[directory]
    parts: list[str] = []
    above = directory
    while above != root.parent and (above / "__init__.py").is_file():
        parts.insert(0, above.name)
        above = above.parent
    package = ".".join(parts)
    if known is not None:
        known[directory] = package
    return package
