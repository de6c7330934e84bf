"""Other copies of audited files that a workload ran: an installed package instead of a checkout, or the other way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any


def module_names(files: Iterable[str]) -> dict[str, str]:
    """The name by which each file is imported, by its path, as the packages around it say."""
    return {file: _module_name(Path(file)) for file in files}


def _module_name(file: Path) -> str:
    parts = [] if file.stem == "__init__" else [file.stem]
    above = file.parent
    while (above / "__init__.py").is_file() and above != above.parent:
        parts.insert(0, above.name)
        above = above.parent
    return ".".join(parts)


def copies_warning(states: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What to say of audited files of which all processes loaded another copy; `states` is what these wrote down."""
    loaded = {file for state in states for file in state["loaded"]}
    copies = {
        file: other
        for state in states
        for file, other in state["copies"].items()
        if file not in loaded and _is_copy(Path(file), Path(other))
    }
    if not copies:
        return ()
    file, other = min(copies.items())
    which = (
        f"{other}, not {file}"
        if len(copies) == 1
        else f"other copies of {len(copies)} audited files: {other}, not {file}, and so on"
    )
    return (
        f"it loaded {which}; what ran there was not looked at: audit that copy, or have the workload load this one",
    )


def _is_copy(file: Path, other: Path) -> bool:
    """Modules of no package are copies only if they say the same: any program may have a `utils.py`."""
    if (file.parent / "__init__.py").is_file():
        return True
    try:
        return file.read_bytes() == other.read_bytes()
    except OSError:
        return False
