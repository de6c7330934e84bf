"""Checkpoints on disk: one JSON file for every step of a run."""

import json
from dataclasses import dataclass
from pathlib import Path

from workflow_engine.state import State


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a run after a step, with the nodes that ran in that step."""

    run_id: str
    step: int
    nodes: list[str]
    state: State


class FileStore:
    """Keeps checkpoints as files `<run>/<step>.json` below a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def save(self, checkpoint: Checkpoint) -> None:
        """Write one checkpoint, replacing an earlier one of the same step."""
        path = self._path(checkpoint.run_id, checkpoint.step)
        if not path.parent.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "run_id": checkpoint.run_id,
            "step": checkpoint.step,
            "nodes": checkpoint.nodes,
            "state": checkpoint.state,
        }
        path.write_text(json.dumps(document), encoding="utf-8")

    def load(self, run_id: str, step: int) -> Checkpoint | None:
        """Read one checkpoint, or return `None` if the run never came to that step."""
        try:
            text = self._path(run_id, step).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return Checkpoint(**json.loads(text))

    def _path(self, run_id: str, step: int) -> Path:
        return self._root / run_id / f"{step:06d}.json"
