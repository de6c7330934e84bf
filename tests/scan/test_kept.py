"""Containers that outlive a call: where they live, and whether their module ever takes from them."""

from __future__ import annotations

import pytest

from auditor.catalog import find_rule
from auditor.scan import Engine

CACHE = find_rule("unbounded-cache")
GROWTH = find_rule("module-container-growth")
LISTENER = find_rule("listener-never-removed")
FILE = find_rule("unclosed-file")


def only_grows(further: str) -> bool:
    text = f"ROWS = []\n\ndef handle(row):\n    ROWS.append(row)\n\n{further}\n"
    return bool(Engine([GROWTH]).scan_text(text).suspects)


@pytest.mark.parametrize(
    "further",
    [
        "def flush():\n    ROWS.clear()",
        "def flush():\n    del ROWS[:100]",
        "def flush():\n    ROWS[:] = []",
        "def flush():\n    global ROWS\n    ROWS = []",
        "def flush():\n    global ROWS\n    ROWS = ROWS[-100:]",
        "def flush():\n    rows = ROWS\n    while rows:\n        rows.pop()",
        "def flush(task):\n    task.add_done_callback(ROWS.remove)",
        "def flush():\n    return lambda row: ROWS.remove(row)",
        "def flush():\n    prune_rows(ROWS)",
        "import heapq\n\ndef flush():\n    heapq.heappop(ROWS)",
    ],
)
def test_a_container_from_which_something_is_taken_does_not_only_grow(further: str) -> None:
    assert not only_grows(further)


@pytest.mark.parametrize(
    "further",
    [
        "",
        "def size():\n    return len(ROWS)",
        "def other():\n    ROWS = [1]\n    ROWS.pop()",
        "def start():\n    global ROWS\n    if ROWS is None:\n        ROWS = []",
        "def more(rows):\n    global ROWS\n    ROWS = ROWS + rows",
        "def more(rows):\n    global ROWS\n    ROWS = [*ROWS, *rows]",
    ],
)
def test_a_container_from_which_nothing_is_taken_only_grows(further: str) -> None:
    assert only_grows(further)


def listens_for_good(further: str) -> bool:
    text = (
        "class Source:\n    def __init__(self):\n        self.listeners = []\n\n"
        f"    def listen(self, listener):\n        self.listeners.append(listener)\n\n{further}\n"
    )
    return bool(Engine([LISTENER]).scan_text(text).suspects)


@pytest.mark.parametrize(
    "further",
    [
        "    def close(self):\n        self.listeners = []",
        "def close(source):\n    source.listeners.clear()",
        "class Closing(Source):\n    def close(self):\n        self.listeners.clear()",
        "    def drop(self, listener):\n        for mine in (self.listeners, []):\n            mine.remove(listener)",
    ],
)
def test_an_attribute_is_emptied_from_anywhere_in_its_module(further: str) -> None:
    assert not listens_for_good(further)


@pytest.mark.parametrize(
    "further",
    [
        "class Other:\n    def close(self):\n        self.listeners = []",
        "    def tell(self):\n        for listener in self.listeners:\n            listener()",
    ],
)
def test_an_attribute_of_that_name_elsewhere_is_another(further: str) -> None:
    assert listens_for_good(further)


@pytest.mark.parametrize(
    ("value", "kept"),
    [("work(key)", True), ("key.upper()", True), ("[]", False), ("dict()", False), ("Lock()", False), ("None", False)],
)
def test_what_is_stored_empty_is_to_be_filled_and_no_cache(value: str, kept: bool) -> None:
    stored = f"    if key not in CACHE:\n        CACHE[key] = {value}\n"
    text = f"CACHE = {{}}\n\ndef get(key):\n{stored}    return CACHE[key]\n"

    assert bool(Engine([CACHE]).scan_text(text).suspects) is kept


@pytest.mark.parametrize(
    ("body", "abandoned"),
    [
        ("file = open(path)\nreturn file.read()", True),
        ("file = other = open(path)\nprint(file.name, other.mode)", True),
        ("if (file := open(path)):\n    file.read()", True),
        ("file = open(path) if path else None\nif file:\n    file.read()", True),
        ("file = open(path)\nregister(file.close)", False),
        ("file = open(path)\nwith file:\n    pass", False),
        ("file = open(path)\ndef later():\n    return file.read()\nreturn later", False),
        ("global kept\nkept = open(path)", False),
        ("files[path] = open(path)", False),
        ("yield open(path)", False),
    ],
)
def test_a_value_is_abandoned_if_nobody_else_has_it_and_nothing_ends_it(body: str, abandoned: bool) -> None:
    lines = "".join(f"    {line}\n" for line in body.splitlines())

    assert bool(Engine([FILE]).scan_text(f"def f(path, files):\n{lines}").suspects) is abandoned
