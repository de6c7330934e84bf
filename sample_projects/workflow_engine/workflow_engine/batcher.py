"""Scans paths into source files and splits them into batches for the reviewers."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from workflow_engine.ignore import IgnoreRules
from workflow_engine.language import detect_language


class SourceFile(NamedTuple):
    """A file to be reviewed."""

    path: str
    language: str


def scan(paths: Iterable[str], rules: IgnoreRules) -> list[SourceFile]:
    """Return the files that the rules let through, in the order given."""
    return [SourceFile(path, detect_language(path)) for path in paths if not rules.ignores(path)]


def create_batches(files: Sequence[SourceFile], size: int) -> list[list[SourceFile]]:
    """Split files into batches of at most `size`, keeping their order."""
    if size < 1:
        raise ValueError("a batch holds at least one file")
    count = -(-len(files) // size)
    batches: list[list[SourceFile]] = [[] for _ in range(count)]
    for index, file in enumerate(files):
        batches[index // size].append(file)
    return batches
