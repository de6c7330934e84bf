"""How a pass reaches the Python processes of a workload: the environment it sets, and the traces found afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHILD_DIRECTORY = Path(__file__).parent.absolute() / "child"
CONFIG_VARIABLE = "AUDIT_CHILD"

NOT_REACHED = (
    "no Python process of the workload could be reached: it runs no Python, its command sets PYTHONPATH anew, its "
    "interpreter ignores PYTHONPATH (options -E, -I or -S), or it runs as another user, who may not read audit's "
    "files; start it without these options, set PYTHONPATH for audit as a whole, and run audit as the workload's user"
)


@dataclass(frozen=True, slots=True)
class Reached:
    """A Python process of the workload in which the sitecustomize ran."""

    pid: int
    executable: str
    version: str
    argv: tuple[str, ...]
    note: str = ""


def child_environment(mode: str, scratch: Path, settings: Mapping[str, object] | None = None) -> dict[str, str]:
    """The environment under which every Python process of the workload does what `mode` says.

    `mode` is "gate", "memray" or "probes"; `settings` go into its configuration. `scratch` is an existing directory
    of this pass alone; the configuration, and later the markers of the processes reached, lie there.
    """
    own = os.environ.get("PYTHONPATH")
    config = scratch / "child.json"
    config.write_text(
        json.dumps({**(settings or {}), "mode": mode, "scratch": str(scratch), "pythonpath": own}), encoding="utf-8"
    )
    # An empty entry would mean the current directory, so an empty PYTHONPATH is not carried over.
    path = os.pathsep.join(filter(None, (str(CHILD_DIRECTORY), own)))
    return {**os.environ, "PYTHONPATH": path, CONFIG_VARIABLE: str(config)}


def reached(scratch: Path) -> tuple[Reached, ...]:
    """The Python processes that left a marker in `scratch`, by process id."""
    found = []
    for file in scratch.glob("reached-*.json"):
        try:
            marker = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # its process was killed while writing; that it started is not worth a failure
        found.append(
            Reached(marker["pid"], marker["executable"], marker["version"], tuple(marker["argv"]), marker["note"])
        )
    return tuple(sorted(found, key=lambda process: process.pid))


def child_errors(scratch: Path) -> tuple[str, ...]:
    """One warning for each kind of error that audit's own code had inside the workload's processes."""
    kinds = set()
    for file in scratch.glob("child-error-*.txt"):
        lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        kinds.add(f"audit's own code failed in a process of the workload: {lines[-1] if lines else 'no details'}")
    return tuple(sorted(kinds))
