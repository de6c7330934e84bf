"""A workflow engine for code review: graphs of actions, fan-out, checkpoints and replay."""

from workflow_engine.emitter import BufferedEmitter, Event
from workflow_engine.engine import Engine, ReplayError
from workflow_engine.graph import Action, Graph, GraphError
from workflow_engine.state import Reducer, State
from workflow_engine.store import Checkpoint, FileStore

__all__ = [
    "Action",
    "BufferedEmitter",
    "Checkpoint",
    "Engine",
    "Event",
    "FileStore",
    "Graph",
    "GraphError",
    "Reducer",
    "ReplayError",
    "State",
]
