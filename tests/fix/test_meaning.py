"""Code before and after its fix is run on the same values and must give the same."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.catalog import find_rule
from auditor.fix.files import Fixing

INTEGERS = st.lists(st.integers(-20, 20), min_size=1, max_size=30)
TEXTS = st.lists(st.text("ab c\n%{", max_size=5), max_size=12)
LISTS = st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=8)

BEST = "def f(rows):\n    return sorted(rows, key=abs)[0], sorted(rows, key=abs, reverse=True)[0]\n"
FEW = "def f(rows):\n    return sorted(rows, key=abs)[:3], sorted(rows, key=abs, reverse=True)[:3]\n"
LAST = "def f(rows: list[int]):\n    return sorted(rows, key=abs)[-1], sorted(rows, key=abs, reverse=True)[-1]\n"
JOINED = "def f(rows):\n    return sum(rows, []), sum((tuple(row) for row in rows), ())\n"
CONCAT = """\
def f(rows):
    text = '<'
    text += 'x'
    for row in rows:
        if row == 'a':
            continue
        if row == 'b':
            break
        text = text + row + ','
        text += '!'
    else:
        rows = []
    return text + '>', rows
"""
BYTES = """\
def f(rows):
    data = b''
    rows = iter(rows)
    while True:
        part = next(rows, 'a').encode()
        if part == b'a':
            return data
        data += part
"""
TUPLE = """\
def f(rows):
    out = ()
    for row in rows:
        out += (row, 1)
        out += tuple(row)
    return out
"""
COPIED = "def f(rows):\n    out = []\n    for row in rows:\n        out = out + [row] + row\n    return out\n"
FRONT = """\
def f(rows):
    out = []
    for row in rows:
        if row < 0:
            out.insert(0, row)
            continue
        if row == 7:
            return out_of(row)
        out.insert(0, -row)
        if row == 9:
            break
    return out[1:], out

def out_of(row):
    return row
"""
QUEUE = """\
def f(rows):
    queue = list(rows)
    out = []
    while queue and len(out) < 50:
        first = queue.pop(0)
        out.append((first, len(queue), queue[0] if queue else None))
        if first > 3:
            queue.append(first - 5)
            queue.extend([1, 2])
        if first in queue:
            queue.remove(first)
    return out, [row for row in queue]
"""
MEMBER = """\
def f(rows):
    known = [row * 2 for row in rows]
    return [row for row in rows if row in known], [row for row in rows if row not in known]
"""
DEDUP = """\
def f(rows):
    out = [3]
    for row in rows:
        if row in out:
            continue
        out.append(row)
    return out
"""
INVARIANT = """\
def f(rows):
    out = []
    for row in rows:
        for other in rows:
            out.append((row - max(rows), other in set(rows)))
    return out
"""
REGEX = """\
import re

def f(rows):
    found = [(re.findall('[ab]+', row), re.sub('a', 'b', row, count=1)) for row in rows]
    return found, [re.split(r' |\\n', row, flags=re.M) for row in rows]
"""
MAP = """\
def f(rows):
    names = {'a': 1, 'b': 2, 'c': 3, ' ': 4, 'x': 5, 'y': 6, 'z': 7, '%': 8}
    return [names.get(sign) for row in rows for sign in row]
"""
ANY = "def f(rows):\n    return any([row > 3 for row in rows]), all([row > 3 for row in rows if row])\n"

CASES = [
    ("sorted-for-min-max", BEST, INTEGERS, 2),
    ("sorted-for-min-max", FEW, INTEGERS, 2),
    ("sorted-for-min-max", LAST, INTEGERS, 2),
    ("sum-lists", JOINED, LISTS, 2),
    ("string-concat-in-loop", CONCAT, TEXTS, 1),
    ("sequence-concat-in-loop", BYTES, TEXTS, 1),
    ("sequence-concat-in-loop", TUPLE, LISTS, 1),
    ("sequence-concat-in-loop", COPIED, LISTS, 1),
    ("list-insert-front", FRONT, INTEGERS, 2),
    ("list-pop-front", QUEUE, INTEGERS, 1),
    ("list-membership-in-loop", MEMBER, INTEGERS, 2),
    ("quadratic-dedup", DEDUP, INTEGERS, 1),
    ("invariant-call-in-loop", INVARIANT, INTEGERS, 2),
    ("regex-compiled-per-call", REGEX, TEXTS, 3),
    ("map-built-per-call", MAP, TEXTS, 1),
    ("list-for-any-all", ANY, INTEGERS, 2),
]


def fixed(rule: str, text: str, count: int) -> str:
    outcome = Fixing([find_rule(rule)]).fix_file(text.encode(), "a.py", "", lambda _suspect: True, unsafe=True)
    assert len(outcome.fixed) == count
    return outcome.after.decode()


def function(text: str) -> Callable[[Any], Any]:
    names: dict[str, Any] = {}
    exec(compile(text, "a.py", "exec"), names)
    made: Callable[[Any], Any] = names["f"]
    return made


@pytest.mark.parametrize(("rule", "text", "values", "count"), CASES)
def test_a_fix_keeps_the_result(rule: str, text: str, values: st.SearchStrategy[Any], count: int) -> None:
    before, after = function(text), function(fixed(rule, text, count))

    @settings(max_examples=100, deadline=None)
    @given(values)
    def same(rows: Any) -> None:
        assert after(copy.deepcopy(rows)) == before(copy.deepcopy(rows))

    same()


@pytest.mark.parametrize(
    "body",
    [
        "        return [line.strip() for line in file.readlines()]\n",
        "        out = []\n        for line in file.readlines():\n            if line.startswith('a'):\n"
        "                continue\n            out.append(line.rstrip().upper())\n        return out\n",
        "        return {line.lower() for line in file.readlines() if line}\n",
    ],
)
def test_reading_line_by_line_is_safe_and_keeps_the_result(body: str, tmp_path: Path) -> None:
    text = f"def f(path):\n    with open(path) as file:\n{body}"
    (fix,) = (
        Fixing([find_rule("readlines-whole-file")]).proposals(text.encode(), "a.py", "", lambda _suspect: True).values()
    )
    file = tmp_path / "lines"
    file.write_bytes(b"b 1\na 2\r\n\n\x0c c\nlast")

    assert fix.safe
    assert function(fixed("readlines-whole-file", text, 1))(file) == function(text)(file)


@pytest.mark.parametrize(
    "body",
    [
        "        for line in file.readlines():\n            print(line)\n",
        "        return [parse(line) for line in file.readlines()]\n",
        "        return [int(line) for line in file.readlines()]\n",
        "        for line in file.readlines():\n            self.lines.append(line)\n",
        "        try:\n            return [line.strip() for line in file.readlines()]\n        except OSError:\n"
        "            pass\n",
        "        out = []\n        self.out = out\n        for line in file.readlines():\n"
        "            out.append(line)\n",
        "        out = []\n        with quiet():\n            for line in file.readlines():\n"
        "                out.append(line)\n",
        "        return [line == self for line in file.readlines()]\n",
        "        out = self.out\n        for line in file.readlines():\n            out.append(line)\n",
    ],
)
def test_reading_line_by_line_is_unsafe_where_turns_have_effects_or_can_fail(body: str) -> None:
    text = f"def f(self, path, parse):\n    with open(path) as file:\n{body}"
    (fix,) = (
        Fixing([find_rule("readlines-whole-file")]).proposals(text.encode(), "a.py", "", lambda _suspect: True).values()
    )

    assert not fix.safe


@pytest.mark.parametrize(
    "body",
    [
        # reads on in the loop
        "        for line in file.readlines():\n            print(line, file.tell())\n",
        # reads on below it
        "        for line in file.readlines():\n            if line:\n                break\n"
        "        print(file.read())\n",
        # both have the lines to themselves
        "        for a, b in zip(file.readlines(), file.readlines()):\n            print(a, b)\n",
    ],
)
def test_lines_are_still_read_at_once_where_the_loop_would_notice(body: str) -> None:
    text = f"def f(path):\n    with open(path) as file:\n{body}"

    fixed_file = Fixing([find_rule("readlines-whole-file")]).fix_file(
        text.encode(), "a.py", "", lambda _suspect: True, unsafe=True
    )

    assert fixed_file.fixed == []


@pytest.mark.parametrize(
    "text",
    [
        # used in the loop, between, in a handler, by another function, as a global name
        "def f(rows):\n    out = []\n    for row in rows:\n        out.insert(0, row)\n        print(len(out))\n",
        "def f(rows):\n    out = []\n    out.append(1)\n    for row in rows:\n        out.insert(0, row)\n",
        "def f(rows):\n    out = []\n    try:\n        for row in rows:\n            out.insert(0, row)\n    finally:\n"
        "        print(out)\n",
        "def f(rows, call):\n    out = []\n    call(lambda: out)\n    for row in rows:\n        out.insert(0, row)\n",
        "def f(rows):\n    with quiet():\n        out = []\n        for row in rows:\n            out.insert(0, row)\n"
        "    return out\n",
        "def f(rows):\n    global out\n    out = []\n    for row in rows:\n        out.insert(0, row)\n",
        "def f(rows):\n    out = []\n    for row in rows:\n        for part in row:\n            out.insert(0, part)\n"
        "        yield out\n",
    ],
)
def test_a_list_that_something_sees_half_made_keeps_its_insertions(text: str) -> None:
    outcome = Fixing([find_rule("list-insert-front")]).fix_file(
        text.encode(), "a.py", "", lambda _suspect: True, unsafe=True
    )

    assert outcome.fixed == []
