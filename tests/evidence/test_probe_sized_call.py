"""The clock of `sized-call` starts after the operands and ends with the call; sizes are those before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import plainly, probe

POP = "queue = list(range(60_000))\nwhile queue:\n    queue.pop(0)\n"
DELETE = "queue = list(range(60_000))\nwhile queue:\n    del queue[0]\n"
DELETE_SLICE = "queue = list(range(60_000))\nwhile queue:\n    del queue[:2]\n"
REST = "queue = list(range(8_000))\nwhile queue:\n    first, *queue = queue\n"
STORE = "front = []\nfor i in range(20_000):\n    front[:0] = [i]\n"
INSERT = "front = []\nfor i in range(20_000):\n    front.insert(0, i)\n"
SORT = (
    "import random\nrandom.seed(1)\nitems = []\nfor i in range(1500):\n    items.append(random.random())\n"
    "    shuffled = random.sample(items, len(items))\n    shuffled.sort()\n"
)
SUM = "for n in range(1, 400):\n    sum([[i] for i in range(n)], [])\n"
SCAN = "items = []\nfor i in range(2500):\n    items.append(i)\n    [y for y in items if y == i][0]\n"
SLICE = "data = bytes(400_000)\nwhile data:\n    data = data[200:]\n"


SCANS = (
    "next(filter(lambda x: x == 7, items), None)",
    "next((x for x in items if x == 7), None)",
    "any(x == 7 for x in items)",
    "[x for x in items if x == 7][0]",
    "[x for x in items if x == 7]",
)


@pytest.mark.parametrize("flagged", SCANS)
def test_a_scan_of_many_items_is_held_against_a_look_up(tmp_path: Path, flagged: str) -> None:
    program = f"items = list(range(900))[::-1]\nfor i in range(200):\n    {flagged}\n"

    assert probe(tmp_path, program, ("sized-call", flagged)).row("cost_ratio").low > 10


def test_what_is_done_with_each_of_few_items_may_be_dear(tmp_path: Path) -> None:
    program = f"items = [5, 6, 7]\nfor i in range(200):\n    {SCANS[0]}\n"

    assert not probe(tmp_path, program, ("sized-call", SCANS[0])).has("cost_ratio")


JOINS = ["sum(parts, [])", "sum(parts, start=[])", "reduce(add, parts, [])", "functools.reduce(add, parts)"]
PARTS = "import functools\nfrom functools import reduce\nfrom operator import add\nparts = [[5, 6]] * {}\n"


@pytest.mark.parametrize("flagged", JOINS)
def test_one_join_of_many_parts_is_held_against_a_look_up_for_each(tmp_path: Path, flagged: str) -> None:
    probed = probe(tmp_path, f"{PARTS.format(3000)}{flagged}\n", ("sized-call", flagged))

    assert probed.value("size_max") == 3000
    # 3,000 items are copied for each part on average
    assert 10 < probed.row("cost_ratio").low < 3000


@pytest.mark.parametrize("flagged", JOINS)
def test_a_join_of_few_parts_may_be_as_cheap_as_any(tmp_path: Path, flagged: str) -> None:
    assert not probe(tmp_path, f"{PARTS.format(30)}{flagged}\n", ("sized-call", flagged)).has("cost_ratio")


@pytest.mark.parametrize(
    ("program", "flagged", "hits", "largest", "least", "most"),
    [
        (POP, "queue.pop(0)", 60_000, 60_000, 0.6, 1.5),
        (DELETE, "del queue[0]", 60_000, 60_000, 0.6, 1.5),
        (DELETE_SLICE, "del queue[:2]", 30_000, 60_000, 0.6, 1.5),
        (REST, "first, *queue = queue", 8_000, 8_000, 0.6, 1.5),
        (STORE, "front[:0] = [i]", 20_000, 19_999, 0.6, 1.5),
        (INSERT, "front.insert(0, i)", 20_000, 19_999, 0.6, 1.5),
        (SORT, "shuffled.sort()", 1500, 1500, 0.7, 1.5),
        (SUM, "sum([[i] for i in range(n)], [])", 399, 399, 1.3, 2.3),
        (SCAN, "[y for y in items if y == i][0]", 2500, 2500, 0.6, 1.5),
        (SLICE, "data[200:]", 2000, 400_000, 0.6, 1.7),
    ],
)
def test_the_cost_of_one_execution_grows_with_size(
    tmp_path: Path, program: str, flagged: str, hits: int, largest: int, least: float, most: float
) -> None:
    probed = probe(tmp_path, program, ("sized-call", flagged))

    assert probed.value("hits") == hits
    assert probed.value("size_max") == largest
    assert least < probed.value("growth") < most


def test_a_deletion_is_the_same_with_the_probe_also_where_it_fails(tmp_path: Path) -> None:
    program = (
        "table, rows = {0: 1}, [1, 2, 3]\nfor items in (rows, table, table, rows, ()):\n    try:\n        del items[0]\n"
        "    except Exception as error:\n        print(repr(error))\n    print(items)\n"
    )
    probed = probe(tmp_path, program, ("sized-call", "del items[0]"))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert probed.value("hits") == 5


def test_an_assignment_is_the_same_with_the_probe_also_where_it_fails(tmp_path: Path) -> None:
    program = (
        "rows = [1, 2, 3]\nfor items in (rows, (), {}, rows):\n    try:\n        items[:0] = [0]\n"
        "    except Exception as error:\n        print(type(error).__name__)\nprint(rows)\n"
        "for items in ([1], 'ab', (), 3):\n    try:\n        first, *rest = items\n        print(first, rest)\n"
        "    except Exception as error:\n        print(error)\n"
    )

    probed = probe(tmp_path, program, ("sized-call", "items[:0] = [0]"), ("sized-call", "first, *rest = items"))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert [probed.value("hits", index) for index in (0, 1)] == [4, 4]


def test_taking_the_last_item_costs_the_same_at_any_size(tmp_path: Path) -> None:
    program = "stack = list(range(60_000))\nwhile stack:\n    stack.pop()\n"
    probed = probe(tmp_path, program, ("sized-call", "stack.pop()"))

    assert probed.value("hits") == 60_000
    assert probed.value("size_min") < 1_000
    assert probed.value("size_max") == 60_000
    assert probed.row("growth").high < 0.5
    assert probed.has("cost_ratio")


@pytest.mark.parametrize(
    ("setting", "flagged", "size"),
    [
        ("x = [3, 1, 2]", "sorted(x)", 3),
        ("x = [3, 1, 2]", "sorted(x, key=lambda v: -v)", 3),
        ("import heapq\nx = [3, 1, 2, 9]", "heapq.nsmallest(2, x)", 4),
        ("import re\np = re.compile('a')", "p.search('bbbba')", 5),
        ("import re", "re.search('a', 'bbbba')", 5),
        ("import re", "re.sub('a', 'ccc', 'bbbbba')", 6),
        ("import re\np = re.compile('a')", "p.sub('ccc', 'bbbbba')", 6),
        ("x = [3, 1, 2]", "print(*x)", None),
        ("x = {'sep': '-'}", "print('abc', **x)", 3),
        ("x = [1, 2, 3, 4]", "x[1:3]", 4),
        ("x = [1, 2, 3, 4]", "x[:]", 4),
        ("x = [1, 2, 3, 4]", "x[-1]", 4),
        ("class Own(list):\n    def __len__(self):\n        raise ValueError\nx = Own('ab')", "x.copy()", None),
        ("class Own:\n    __module__ = 5\n    def f(self, y):\n        return y\nx = Own()", "x.f('abcd')", 4),
        ("class Own:\n    def __matmul__(self, y):\n        return y\nx = [Own(), [1, 2, 3]]", "len(x)", 3),
        ("f = int", "f()", None),
        ("x = [[5], [6, 7]]", "sum((y for y in iter(x)), [])", None),
        ("x = [[5], [6, 7, 8]]", "sum(x, [1, 2, 3, 4, 5])", 3),
        ("x = [5, 6, 7, 8]", "next((y for y in x if y > 5), None)", 4),
        ("x = {5: 6, 7: 8}", "next(y for y in x.values() if y > 6)", 2),
        ("x = [5, 6, 7, 8]", "any(y > 5 for y in x)", 4),
        ("x = [5, 6, 7, 8]", "any([y > 5 for y in x])", 4),
        ("x = [5, 6, 7, 8]", "[y for y in x if y > 6][0]", 4),
    ],
)
def test_the_size_is_that_of_the_receiver_else_of_an_argument(
    tmp_path: Path, setting: str, flagged: str, size: int | None
) -> None:
    probed = probe(tmp_path, f"{setting}\nfor _ in range(3):\n    print({flagged})\n", ("sized-call", flagged))

    assert probed.outcome.run.warnings == ()
    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert probed.value("hits") == 3
    assert probed.has("seconds")
    assert probed.has("size_max") == (size is not None)
    assert size is None or probed.value("size_max") == size


def test_a_table_in_a_list_gives_its_rows(tmp_path: Path) -> None:
    package = tmp_path / "pandas"
    package.mkdir()
    (package / "__init__.py").write_text(
        "class DataFrame:\n    def __init__(self, n):\n        self.n = n\n    def __len__(self):\n        return self.n\n"
        "def concat(frames):\n    return DataFrame(sum(map(len, frames)))\n"
    )
    program = (
        "import pandas as pd\ndf = pd.DataFrame(0)\nfor i in range(50):\n    df = pd.concat([df, pd.DataFrame(10)])\n"
    )
    probed = probe(tmp_path, program, ("sized-call", "pd.concat([df, pd.DataFrame(10)])"))

    assert (probed.value("hits"), probed.value("size_min"), probed.value("size_max")) == (50, 10, 490)


PROGRAMS = {
    "order": (
        "say('r', box).put(say('a', 1), *say('s', [2]), k=say('k', 3), **say('d', {'z': 4}))",
        "class Box:\n    def put(self, *args, **kwargs):\n        print(args, kwargs)\nbox = Box()\n"
        "def say(name, value):\n    print(name)\n    return value\nfor i in range(2):\n    FLAGGED\n",
    ),
    "recursion": (
        "tree.walk(n, walk(n - 1))",
        "class Tree:\n    def walk(self, n, m):\n        return n + m\ntree = Tree()\n"
        "def walk(n):\n    return FLAGGED if n else 0\nprint(walk(60))\n",
    ),
    "recursion below the call": (
        "apply(walk, n - 1)",
        "def apply(f, n):\n    return f(n)\ndef walk(n):\n    return 1 + FLAGGED if n else 0\nprint(walk(60))\n",
    ),
    "exceptions": (
        "items.pop(n)",
        "items = list(range(5))\nmissed = 0\nfor n in (0, 9, 0, 9, 9, 0):\n    try:\n        FLAGGED\n"
        "    except IndexError as error:\n        missed += error.__traceback__.tb_lineno\nprint(items, missed)\n",
    ),
    "await among the arguments": (
        "items.insert(0, await value(i))",
        "import asyncio\nitems = []\nasync def value(i):\n    await asyncio.sleep(0.001 * (5 - i))\n    return i\n"
        "async def add(i):\n    FLAGGED\nasync def main():\n    await asyncio.gather(*map(add, range(5)))\n"
        "asyncio.run(main())\nprint(items)\n",
    ),
    "super, class body, walrus": (
        "super().insert(0, (seen := item))",
        "class Mine(list):\n    def add(self, item):\n        FLAGGED\n        return seen\nm = Mine()\n"
        "print(m.add(1), m.add(2), m)\n",
    ),
    "private names": (
        "self.__items.pop(0)",
        "class Mine:\n    def __init__(self):\n        self.__items = [1, 2]\n    def take(self):\n        return FLAGGED\n"
        "m = Mine()\nprint(m.take(), m.take())\n",
    ),
    "threads": (
        "items.insert(0, n)",
        "import threading\ndef work(n):\n    items = []\n    for i in range(300):\n        FLAGGED\n    total.append(len(items))\n"
        "total = []\nthreads = [threading.Thread(target=work, args=(n,)) for n in range(4)]\n"
        "[t.start() for t in threads]\n[t.join() for t in threads]\nprint(total)\n",
    ),
    "comprehension": ("sorted(row)", "print([FLAGGED for row in ([2, 1], [4, 3])])\n"),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_output_and_exit_code_stay_the_same(tmp_path: Path, case: str) -> None:
    flagged, template = PROGRAMS[case]
    probed = probe(tmp_path, template.replace("FLAGGED", flagged), ("sized-call", flagged))

    code, output = plainly(tmp_path)

    assert (probed.outcome.run.exit_code, code) == (0, 0)
    assert list(probed.outcome.last_lines) == output.splitlines()
    assert probed.outcome.run.warnings == ()
    assert probed.gaps() == []
    assert probed.value("hits") > 0


def test_time_before_the_call_is_not_counted_and_time_in_it_is(tmp_path: Path) -> None:
    program = (
        "import time\ndef slowly(x):\n    time.sleep(0.05)\n    return x\ndef work(x):\n    time.sleep(0.02)\n"
        "for i in range(4):\n    work(slowly([1]))\n"
    )
    probed = probe(tmp_path, program, ("sized-call", "work(slowly([1]))"))

    assert probed.value("hits") == 4
    assert 0.07 < probed.value("seconds") < 0.2


def test_an_execution_that_raised_lends_its_start_to_no_other(tmp_path: Path) -> None:
    program = (
        "import time\ndef work(y):\n    if y:\n        raise KeyError(y)\n"
        "def attempt(x):\n    try:\n        work(x)\n    except KeyError:\n        time.sleep(0.03)\n"
        "for i in range(10):\n    attempt(1)\n    attempt(0)\n"
    )
    probed = probe(tmp_path, program, ("sized-call", "work(x)"))

    assert probed.value("hits") == 20
    assert probed.value("seconds") < 0.02


def test_two_suspicions_of_one_call_are_both_counted(tmp_path: Path) -> None:
    program = "items = [3, 1]\nfor i in range(7):\n    print(sorted(items))\n"
    probed = probe(tmp_path, program, ("sized-call", "sorted(items)"), ("sized-call", "sorted(items)"))

    assert (probed.value("hits", 0), probed.value("hits", 1)) == (7, 7)
    assert (probed.value("size_max", 0), probed.value("size_max", 1)) == (2, 2)


def test_a_subscript_that_is_assigned_to_is_a_gap(tmp_path: Path) -> None:
    probed = probe(tmp_path, "x = [1]\nx[0] = 2\n", ("sized-call", "x[0]"))

    assert "assigned to" in probed.gaps()[0]


@pytest.mark.parametrize("version", ["3.8.18", "3.13.0"])
def test_other_versions_of_python(tmp_path: Path, version: str) -> None:
    python = Path.home() / ".pyenv" / "versions" / version / "bin" / "python"
    if not python.exists():
        pytest.skip(f"Python {version} is not here")
    program = (
        "x = list(range(50))\nwhile x:\n    x.pop(0)\n    y = x[1:]\n    y = x[0:2]\n    z = {0: 1}[0]\nprint(len(x))\n"
    )
    flagged = ("x.pop(0)", "x[1:]", "x[0:2]", "{0: 1}[0]")
    probed = probe(tmp_path, program, *(("sized-call", text) for text in flagged), python=str(python))

    assert probed.outcome.last_lines == ("0",)
    assert [probed.gaps(index) for index in range(4)] == [[], [], [], []]
    assert [probed.value("hits", index) for index in range(4)] == [50, 50, 50, 50]
