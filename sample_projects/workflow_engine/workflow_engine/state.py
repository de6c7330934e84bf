"""Workflow state: plain JSON data, forked for every branch and merged by reducers."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

State: TypeAlias = dict[str, Any]
Reducer: TypeAlias = Callable[[Any, Any], Any]


def fork(state: State) -> State:
    """Return a copy that shares nothing with `state`, for a branch to work on."""
    copied: State = json.loads(json.dumps(state))
    return copied


def collect(existing: list[Any] | None, update: list[Any]) -> list[Any]:
    """Reducer that keeps what is there and adds every item of the update that is not `None`."""
    items = list(existing or ())
    for item in update:
        if item is not None:
            items.append(item)
    return items


def merge(state: State, update: State, reducers: Mapping[str, Reducer]) -> None:
    """Apply `update` to `state`; a key without a reducer is replaced."""
    for key, value in update.items():
        reducer = reducers.get(key)
        state[key] = value if reducer is None else reducer(state.get(key), value)
