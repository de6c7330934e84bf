"""Reviews a folder without the engine: looks for lines that occur in more than one place.

Run it as `python examples/review_folder.py FOLDER`.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple


class Line(NamedTuple):
    """A line of code and where it stands."""

    place: str
    text: str


def comment_prefix(suffix: str) -> str:
    """Return what starts a comment in files of that suffix."""
    prefixes = {
        ".c": "//",
        ".go": "//",
        ".js": "//",
        ".lua": "--",
        ".py": "#",
        ".rb": "#",
        ".rs": "//",
        ".sh": "#",
        ".sql": "--",
        ".ts": "//",
        ".yaml": "#",
        ".yml": "#",
    }
    return prefixes.get(suffix, "#")


def read_lines(folder: Path) -> Iterator[Line]:
    """Yield the lines of code below a folder, without comments and short lines."""
    for path in sorted(folder.rglob("*.py")):
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            text = text.strip()
            if len(text) > 40 and not text.startswith(comment_prefix(path.suffix)):
                yield Line(f"{path}:{number}", text)


def repeated(lines: Sequence[Line]) -> list[tuple[str, str]]:
    """Return the places of every two equal lines."""
    pairs = []
    for first in lines:
        for second in lines:
            if first.place < second.place and first.text == second.text:
                pairs.append((first.place, second.place))
    return pairs


def summary(pairs: Sequence[tuple[str, str]]) -> str:
    """Return a text with one line for every pair."""
    text = ""
    for first, second in pairs:
        text = f"{first} repeats {second}\n" + text
    return text


def main() -> None:
    """Review the folder named on the command line."""
    print(summary(repeated(list(read_lines(Path(sys.argv[1]))))), end="")


if __name__ == "__main__":
    main()
