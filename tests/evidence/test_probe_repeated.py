"""How often a call has an input that it had before."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import Probed, plainly, probe


def counts(probed: Probed) -> tuple[float, float, float]:
    """Executions, surely repeated, possibly repeated."""
    row = probed.row("repeats")
    return probed.value("hits"), row.low, row.high


INPUTS = {
    "texts": ("for x in ['a', 'b', 'a', 'a']:\n    FLAGGED\n", "len(x)", (4, 2, 2)),
    "built anew": ("for i in range(6):\n    x = 'abc' + str(i % 2)\n    FLAGGED\n", "len(x)", (6, 4, 4)),
    "bytes and text differ": ("for x in ['a', b'a', 'a']:\n    FLAGGED\n", "len(x)", (3, 1, 1)),
    "numbers": ("for x in [1, 1.0, True, -1, -2, -1.0, -2.0, 1]:\n    FLAGGED\n", "abs(x)", (8, 1, 1)),
    "keywords": ("for x in [1, 2, 1]:\n    FLAGGED\n", "dict(a=x, b='b')", (3, 1, 1)),
    "order of arguments": ("for x, y in [(1, 2), (2, 1), (1, 2)]:\n    FLAGGED\n", "max(x, y)", (3, 1, 1)),
    "no arguments": ("for i in range(5):\n    FLAGGED\n", "dict()", (5, 4, 4)),
    "lists by content": ("for i in range(6):\n    x = [i % 3, {'a': (1, None)}]\n    FLAGGED\n", "len(x)", (6, 3, 3)),
    "a list that changes": ("x = []\nfor i in range(6):\n    x.append(i)\n    FLAGGED\n", "len(x)", (6, 0, 0)),
    "spread": ("for i in range(6):\n    x = ['ab', i % 2]\n    FLAGGED\n", "print(*x, **{'sep': '-'})", (6, 4, 4)),
    "paths": (
        "from pathlib import Path\nfor i in range(4):\n    x = Path('a%d' % (i % 2))\n    FLAGGED\n",
        "x.exists()",
        (4, 2, 2),
    ),
    "classes": (
        "import json\nfor i in range(4):\n    FLAGGED\n",
        "json.dumps(i // 2, cls=json.JSONEncoder)",
        (4, 2, 2),
    ),
    "text receiver": ("for x in ['a b', 'c', 'a b']:\n    FLAGGED\n", "x.split(' ')", (3, 1, 1)),
    "module receiver": ("import json\nfor x in ['1', '2', '1']:\n    FLAGGED\n", "json.loads(x)", (3, 1, 1)),
    "dates": (
        "import datetime\nfor i in range(4):\n    x = datetime.date(2020, 1, 1 + i % 2)\n    FLAGGED\n",
        "str(x)",
        (4, 2, 2),
    ),
    "objects": ("class A:\n    pass\nx = A()\nfor i in range(4):\n    FLAGGED\n", "repr(x)", (4, 0, 4)),
    "same object before the dot": (
        "class A:\n    def f(self, n):\n        return n\na = A()\nfor i in range(4):\n    FLAGGED\n",
        "a.f(i % 2)",
        (4, 2, 2),
    ),
    "another object before the dot each time": (
        "class A:\n    def f(self, n):\n        return n\nfor i in range(4):\n    FLAGGED\n",
        "A().f(i % 2)",
        (4, 0, 2),
    ),
    "ranges": ("for i in range(6):\n    x = range(i % 3, 9)\n    FLAGGED\n", "sum(x)", (6, 3, 3)),
    "views of a dict": ("for i in range(6):\n    x = {'a': i % 3}\n    FLAGGED\n", "sorted(x.values())", (6, 3, 3)),
    "keys and values of a dict": (
        "x = {1: 1}\nfor y in [x.keys(), x.values(), x.keys()]:\n    FLAGGED\n",
        "sorted(y)",
        (3, 1, 1),
    ),
    "generators made anew": (
        "def f(n, m=2):\n    yield n * m\nfor i in range(6):\n    FLAGGED\n",
        "list(f(i % 3))",
        (6, 3, 3),
    ),
    "a generator that has begun": (
        "def f(n):\n    yield n\n    yield n\nfor i in range(4):\n    x = f(1)\n    next(x)\n    FLAGGED\n",
        "list(x)",
        (4, 0, 4),
    ),
    "a generator that draws on another iterator": (
        "for i in range(4):\n    FLAGGED\n",
        "sum(n for n in iter([i]))",
        (4, 0, 4),
    ),
    "another function each time": (
        "def f(n):\n    return n\ndef g(n):\n    return n\nfor h in [f, g, f, g]:\n    FLAGGED\n",
        "h(1)",
        (4, 2, 2),
    ),
    "closures": (
        "def make(n):\n    def f(x):\n        return n + x\n    return f\nkept = [make(n) for n in (1, 2)]\n"
        "for f in kept * 2:\n    FLAGGED\n",
        "f(1)",
        (4, 2, 3),
    ),
}


@pytest.mark.parametrize("case", INPUTS)
def test_the_same_input(tmp_path: Path, case: str) -> None:
    template, flagged, expected = INPUTS[case]
    probed = probe(tmp_path, template.replace("FLAGGED", flagged), ("repeated", flagged))

    assert probed.outcome.run.exit_code == 0
    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert counts(probed) == expected
    assert probed.value("unknown") == (expected[2] - expected[1]) / expected[0]


def test_a_file_that_changed_is_another_input(tmp_path: Path) -> None:
    program = (
        "import os\nfrom pathlib import Path\nfile = Path('data.txt')\nfor i in range(6):\n    if i in (0, 3):\n"
        "        file.write_text('x' * i)\n    file.read_text()\n    with open('data.txt') as stream:\n        pass\n"
    )
    probed = probe(tmp_path, program, ("repeated", "file.read_text()"), ("repeated", "open('data.txt')"))

    assert [probed.value("hits", index) for index in (0, 1)] == [6, 6]
    assert [probed.value("repeats", index) for index in (0, 1)] == [4, 4]


def test_open_files_are_told_by_their_path_and_state(tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text("[1, 2]")
    program = (
        "import json\nfor i in range(6):\n    with open('data.json') as f:\n        json.load(f)\n"
        "    with open('data.json') as g:\n        g.read()\n    with open('program.py') as h:\n        for n in range(3):\n"
        "            h.read(4)\n"
    )
    flagged = ("json.load(f)", "g.read()", "h.read(4)")
    probed = probe(tmp_path, program, *(("repeated", text) for text in flagged))

    assert [probed.value("hits", index) for index in range(3)] == [6, 6, 18]
    # the second and third piece of a file are no repeats, whatever the first is
    assert [probed.value("repeats", index) for index in range(3)] == [5, 5, 5]
    assert [probed.value("unknown", index) for index in range(3)] == [0, 0, 0]


def test_a_call_that_is_awaited_takes_until_its_await_ends(tmp_path: Path) -> None:
    program = (
        "import asyncio\nasync def load(name):\n    await asyncio.sleep(0.02)\n    return name\nasync def one(url):\n"
        "    return await load(url)\nasync def main():\n    for i in range(6):\n        await one('a')\n"
        "    print(await asyncio.gather(*[one(str(i)) for i in range(4)]))\nasyncio.run(main())\n"
    )
    probed = probe(tmp_path, program, ("repeated", "load(url)"))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert counts(probed) == (10, 5, 5)
    assert probed.value("repeat_seconds") >= 0.1
    # four of them side by side take the time of one
    assert probed.value("seconds") == probed.value("waited") >= 0.14
    assert probed.row("seconds").high >= 0.2


def test_a_call_that_a_statement_enters_takes_until_its_body_begins(tmp_path: Path) -> None:
    program = (
        "import asyncio\nclass Answer:\n    async def __aenter__(self):\n        await asyncio.sleep(0.02)\n"
        "        return 'ok'\n    async def __aexit__(self, *error):\n        await asyncio.sleep(0.02)\n"
        "def get(url):\n    return Answer()\nasync def main():\n    for i in range(6):\n"
        "        async with get('a') as answer:\n            print(answer)\nasyncio.run(main())\n"
    )
    probed = probe(tmp_path, program, ("repeated", "get('a')"))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert counts(probed) == (6, 5, 5)
    assert probed.value("repeat_seconds") >= 0.1
    assert probed.value("seconds") == probed.value("waited") >= 0.12


def test_clients_of_http_are_told_apart_by_where_they_lead(tmp_path: Path) -> None:
    program = (
        "import requests\nclass Session(requests.Session):\n    pass\n"
        "def made(n):\n    client = requests.Session()\n    client._base_url = n\n    return client\n"
        "for n in (1, 1, 2, 1):\n    client = made(n)\n    client.close()\n    client.get_adapter('http://a/')\n"
    )
    probed = probe(tmp_path, program, ("repeated", "client.get_adapter('http://a/')"))

    assert counts(probed) == (4, 2, 2)


LATER = {
    "a for loop": "for x in items(3):\n        print(x)\n",
    "a comprehension": "print([x for x in items(3)])\n",
    "a generator expression": "print(sum(x for x in items(3)))\n",
    "a loop that ends early": "for x in items(30):\n        if x == 2: break\n    print(x)\n",
    "items that raise": "try:\n        for x in items(3, True): print(x)\n    except KeyError as e:\n        print(e)\n",
}


@pytest.mark.parametrize("case", LATER)
def test_items_made_later_take_until_the_loop_has_them(tmp_path: Path, case: str) -> None:
    program = (
        "import time\ndef items(n, fails=False):\n    for i in range(n):\n        time.sleep(0.01)\n        yield i\n"
        "    if fails: raise KeyError(n)\nfor i in range(4):\n    " + LATER[case] + "    time.sleep(0.05)\n"
    )
    flagged = next(text for text in ("items(3, True)", "items(30)", "items(3)") if text in program)
    probed = probe(tmp_path, program, ("repeated", flagged))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert counts(probed) == (4, 3, 3)
    assert probed.value("seconds") >= 0.12
    assert 0.09 <= probed.value("repeat_seconds") < 0.75 * probed.value("seconds") + 0.05


LINES = {
    "of the file": ("for line in FLAGGED:\n        print(line)\n", "open('lines.txt')"),
    "numbered": ("for n, line in FLAGGED:\n        print(n, line)\n", "enumerate(open('lines.txt'))"),
    "of a table": ("for row in FLAGGED:\n        print(row)\n", "csv.reader(open('lines.txt'))"),
}


@pytest.mark.parametrize("case", LINES)
def test_a_loop_over_a_file_is_the_time_of_reading_it(tmp_path: Path, case: str) -> None:
    (tmp_path / "lines.txt").write_text("a,b\n" * 3)
    template, flagged = LINES[case]
    program = "import csv\nfor i in range(4):\n    " + template.replace("FLAGGED", flagged)
    probed = probe(tmp_path, program, ("repeated", flagged), ("file", "open('lines.txt')"))

    assert plainly(tmp_path)[1].splitlines()[-len(probed.outcome.last_lines) :] == list(probed.outcome.last_lines)
    assert probed.value("hits") == probed.value("created", 1) == 4
    assert probed.has("repeat_seconds")


ELSEWHERE = {
    "kept": ("kept = items()\n    print(list(kept))\n", "items()"),
    "counted": ("for i, x in enumerate(items()):\n        print(x)\n", "items()"),
    "another line than the loop's": ("print([\n        x\n        for x in items()\n    ])\n", "items()"),
    "lines of a file": (
        "with open(__file__) as f:\n        print([line for line in f])\n",
        "open(__file__)",
    ),
    "entries of a directory": ("with os.scandir('.') as found:\n        print(len(list(found)))\n", "os.scandir('.')"),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_items_made_elsewhere_are_not_timed(tmp_path: Path, case: str) -> None:
    text, flagged = ELSEWHERE[case]
    program = "import os\ndef items(*_):\n    yield from 'abc'\nfor i in range(4):\n    " + text
    probed = probe(tmp_path, program, ("repeated", flagged))

    assert probed.outcome.run.exit_code == 0
    assert counts(probed)[0] == 4
    assert not probed.has("seconds")
    assert not probed.has("repeat_seconds")


def test_the_time_of_repeats_is_told_from_that_of_others(tmp_path: Path) -> None:
    program = (
        "import time\ndef work(x):\n    time.sleep(0.04 if x == 'slow' else 0.001)\n"
        "for name in ['slow'] * 4 + [str(i) for i in range(10)]:\n    work(name)\n"
    )
    probed = probe(tmp_path, program, ("repeated", "work(name)"))

    assert counts(probed) == (14, 3, 3)
    assert 0.11 < probed.value("repeat_seconds") < 0.16
    assert probed.value("seconds") > probed.value("repeat_seconds") + 0.045
    assert probed.value("repeat_share") < probed.value("share")


def test_the_time_of_inputs_that_cannot_be_compared_widens_the_upper_end(tmp_path: Path) -> None:
    program = "import time\nclass A:\n    pass\na = A()\ndef work(x):\n    time.sleep(0.02)\nfor i in range(5):\n    work(a)\n"
    row = probe(tmp_path, program, ("repeated", "work(a)")).row("repeat_seconds")

    assert row.value == row.low == 0
    assert row.high > 0.09


PROGRAMS = {
    "order": (
        "say('r', box).put(say('a', 1), *say('s', [2]), k=say('k', 3), **say('d', {'z': 4}))",
        "class Box:\n    def put(self, *args, **kwargs):\n        print(args, kwargs)\nbox = Box()\n"
        "def say(name, value):\n    print(name)\n    return value\nfor i in range(2):\n    FLAGGED\n",
        2,
    ),
    "recursion": ("walk(n - 1)", "def walk(n):\n    return 1 + FLAGGED if n else 0\nprint(walk(60), walk(60))\n", 120),
    "exceptions": (
        "int(text)",
        "for text in ('1', 'x', '1', 'x'):\n    try:\n        FLAGGED\n    except ValueError as e:\n"
        "        print(e.__traceback__.tb_lineno)\n",
        4,
    ),
    "await among the arguments": (
        "found.append(await value(i))",
        "import asyncio\nfound = []\nasync def value(i):\n    await asyncio.sleep(0.001 * (5 - i))\n    return i\n"
        "async def add(i):\n    FLAGGED\nasync def main():\n    await asyncio.gather(*map(add, range(5)))\n"
        "asyncio.run(main())\nprint(found)\n",
        5,
    ),
    "no code of the program runs": (
        "work(odd)",
        "class Odd:\n    __slots__ = ()\n    def __hash__(self):\n        print('hash')\n        return 1\n"
        "    def __eq__(self, other):\n        print('eq')\n        return True\n    @property\n    def __class__(self):\n"
        "        print('class')\n        return int\n    def __len__(self):\n        print('len')\n        return 1\n"
        "def work(x):\n    return 1\nodd = Odd()\nfor i in range(3):\n    FLAGGED\n",
        3,
    ),
    "nothing is kept": (
        "work(make())",
        "import gc, weakref\ngc.disable()\nclass A:\n    def f(self):\n        pass\nrefs = []\ndef make():\n    a = A()\n"
        "    refs.append(weakref.ref(a))\n    return a\ndef work(a):\n    return a.f()\nfor i in range(3):\n    FLAGGED\n"
        "print([r() for r in refs])\n",
        3,
    ),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_output_and_exit_code_stay_the_same(tmp_path: Path, case: str) -> None:
    flagged, template, hits = PROGRAMS[case]
    probed = probe(tmp_path, template.replace("FLAGGED", flagged), ("repeated", flagged))

    code, output = plainly(tmp_path)

    assert (probed.outcome.run.exit_code, code) == (0, 0)
    assert list(probed.outcome.last_lines) == output.splitlines()
    assert probed.outcome.run.warnings == ()
    assert probed.value("hits") == hits


def test_a_forked_child_begins_anew(tmp_path: Path) -> None:
    program = "import os\ndef work(x):\n    return len(x)\nwork('a')\nif os.fork() == 0:\n    work('a')\n    raise SystemExit\nos.wait()\n"
    assert counts(probe(tmp_path, program.replace("work('a')\nif", "work('b')\nif"), ("repeated", "len(x)"))) == (
        2,
        0,
        0,
    )


@pytest.mark.parametrize("version", ["3.8.18", "3.13.0"])
def test_other_versions_of_python(tmp_path: Path, version: str) -> None:
    python = Path.home() / ".pyenv" / "versions" / version / "bin" / "python"
    if not python.exists():
        pytest.skip(f"Python {version} is not here")
    program = (
        "import json\nfrom pathlib import Path\nfor i in range(10):\n    json.loads('[%d]' % (i % 2))\n"
        "    Path('program.py').read_text()\nprint('end')\n"
    )
    texts = ("json.loads('[%d]' % (i % 2))", "Path('program.py').read_text()")
    probed = probe(tmp_path, program, *(("repeated", text) for text in texts), python=str(python))

    assert probed.outcome.last_lines == ("end",)
    assert [probed.value("repeats", index) for index in (0, 1)] == [8, 9]
