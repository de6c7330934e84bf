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
    # as text: paths take long to make, to join and to compare, and there may be many
    found: set[str] = set()
    skipped: list[Skip] = []
    for path in resolved:
        if path.suffix == ".pyi" and path.is_file():
            skipped.append(Skip(path_below(root, path), ".pyi is ignored: a stub holds no code that runs"))
            continue
        listed = [str(path)] if path.is_file() else _walk(str(path), skipped, root)
        found.update(file for file in listed if not excluded(file))
    files = sorted(found, key=lambda file: file.split(os.sep))  # noqa: PTH206
    return Target(root=root, files=tuple(map(Path, files)), skipped=tuple(skipped))


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


def path_below(root: Path, file: Path) -> str:
    """The path of a file relative to `root`, with slashes."""
    # a third of the time of `relative_to`
    start, text = os.path.join(root, ""), str(file)  # noqa: PTH118
    return text[len(start) :].replace(os.sep, "/") if text.startswith(start) else file.relative_to(root).as_posix()


def _matcher(exclude: Iterable[Exclusion], root: Path) -> Callable[[str], bool]:
    """Whether a file below `root` is excluded. Of one that is not below the base of a pattern, `root` is the base."""
    given = [exclusion for exclusion in exclude if exclusion.patterns]
    if not given:
        return lambda _file: False
    from pathspec import GitIgnoreSpec

    specs = [(exclusion.base, GitIgnoreSpec.from_lines(exclusion.patterns)) for exclusion in given]

    def excluded(name: str) -> bool:
        file = Path(name)
        return any(
            spec.match_file(path_below(base if file.is_relative_to(base) else root, file)) for base, spec in specs
        )

    return excluded


def _walk(directory: str, skipped: list[Skip], root: Path) -> Iterator[str]:
    allowed = _git_files(directory)
    pending = [directory]
    while pending:
        parent = pending.pop()
        try:
            with os.scandir(parent) as listing:
                entries = list(listing)
        except OSError as error:
            path = os.path.relpath(parent, root)
            skipped.append(Skip(path=path, reason=f"directory cannot be read: {error.strerror}"))
            continue
        if parent != directory and any(entry.name == "pyvenv.cfg" and entry.is_file() for entry in entries):
            continue
        for entry in entries:
            kind = _kind_of(entry)
            if kind == "directory":
                if entry.name not in NEVER:
                    pending.append(entry.path)
            elif entry.name.endswith(SUFFIXES) and (allowed is None or entry.path in allowed):
                if kind == "file":
                    yield entry.path
                elif kind == "special":
                    skipped.append(Skip(path=path_below(root, Path(entry.path)), reason="a pipe or device, not a file"))


def _kind_of(entry: os.DirEntry[str]) -> str:
    """A "file", "directory" or "link" to one, or "special": a pipe or device, which reading could hang on."""
    with contextlib.suppress(OSError):
        if entry.is_file(follow_symlinks=False):
            return "file"
        if entry.is_dir(follow_symlinks=False):
            return "directory"
        mode = entry.stat().st_mode
        return "link" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "special"
    # a dangling link is reported when it is read
    return "file"


def _git_files(directory: str) -> set[str] | None:
    """Files that git tracks or would track below `directory`; None outside a work tree or without git."""
    import subprocess

    command = ["git", "-C", directory, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if listing.returncode != 0:
        return None
    names = os.fsdecode(listing.stdout).replace("/", os.sep).split("\0")[:-1]
    start = os.path.join(directory, "")  # noqa: PTH118
    return {start + name for name in names} or None


def package_of(file: Path, root: Path, known: dict[str, str] | None = None) -> str:
    """Dotted package that relative imports in `file` count from, by the directories above it that are packages.

    `known` remembers the packages of directories from one call to the next.
    """
    directory = str(file).rpartition(os.sep)[0] or file.anchor
    if known is not None and directory in known:
        return known[directory]
    return _package_at(directory, str(root.parent), {} if known is None else known)


def _package_at(directory: str, end: str, known: dict[str, str]) -> str:
    """The package that a directory is, "" for none. None reaches to `end`."""
    package = known.get(directory)
    if package is None:
        above, name = os.path.split(directory)
        package = ""
        if name and directory != end and os.path.isfile(os.path.join(directory, "__init__.py")):  # noqa: PTH113, PTH118
            package = f"{_package_at(above, end, known)}.{name}".lstrip(".")
        known[directory] = package
    return package
