"""Lengths of containers after what is added to them, and nothing kept alive by looking."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import plainly, probe

GROWING = {
    "list": ("kept = []\n", "kept.append(i)"),
    "set": ("kept = set()\n", "kept.add(i)"),
    "dict": ("kept = {}\n", "kept[i] = i"),
    "setdefault": ("kept = {}\n", "kept.setdefault(i, []).append(1)"),
    "update": ("kept = {}\n", "kept.update({i: i})"),
    "deque": ("from collections import deque\nkept = deque()\n", "kept.appendleft(i)"),
    "counter": ("from collections import Counter\nkept = Counter()\n", "kept[i] += 1"),
    "attribute": (
        "class Box:\n    def __init__(self):\n        self.kept = {}\nbox = Box()\n",
        "box.kept[i] = i",
    ),
    "heap": ("import heapq\nkept = []\n", "heapq.heappush(kept, i)"),
    "augmented": ("kept = []\n", "kept += [i]"),
    "alias": ("kept = []\nadd = kept.append\n", "add(i)"),
    "subclass": ("class Mine(dict):\n    def __len__(self):\n        raise KeyError\nkept = Mine()\n", "kept[i] = i"),
}


@pytest.mark.parametrize("case", GROWING)
def test_a_container_that_only_grows(tmp_path: Path, case: str) -> None:
    setting, statement = GROWING[case]
    flagged = "kept.setdefault(i, [])" if case == "setdefault" else statement
    program = f"{setting}for i in range(2000):\n    {statement}\n"
    probed = probe(tmp_path, program, ("container", flagged))

    assert probed.outcome.run.exit_code == 0
    assert (probed.value("hits"), probed.value("puts"), probed.value("depth_max")) == (2000, 2000, 2000)
    assert probed.value("depth_slope") == pytest.approx(1.0)
    assert probed.row("depth_slope").low > 0.9


BOUNDED = {
    "deque": ("from collections import deque\nkept = deque(maxlen=50)\n", "kept.append(i)", ""),
    "evicting": ("kept = {}\n", "kept[i] = i", "if len(kept) > 50:\n        kept.pop(next(iter(kept)))"),
    "cleared": ("kept = []\n", "kept.append(i)", "if len(kept) > 50:\n        kept.clear()"),
    "few keys": ("kept = {}\n", "kept[i % 50] = i", ""),
}


@pytest.mark.parametrize("case", BOUNDED)
def test_a_bounded_container(tmp_path: Path, case: str) -> None:
    setting, statement, removal = BOUNDED[case]
    program = f"{setting}for i in range(20_000):\n    {statement}\n    {removal}\n"
    probed = probe(tmp_path, program, ("container", statement))

    assert probed.value("puts") == 20_000
    assert probed.value("depth_max") in (50, 51)
    assert probed.row("depth_slope").high < 0.02


def test_the_longest_of_many_containers_speaks(tmp_path: Path) -> None:
    program = (
        "class Bus:\n    def __init__(self):\n        self.listeners = []\n    def listen(self, f):\n"
        "        self.listeners.append(f)\nbuses = [Bus() for _ in range(300)]\n"
        "for i in range(40):\n    for bus in buses:\n        bus.listen(i)\nfor i in range(100):\n    buses[7].listen(i)\n"
    )
    probed = probe(tmp_path, program, ("container", "self.listeners.append(f)"))

    assert (probed.value("puts"), probed.value("depth_max")) == (12_100, 140)


@pytest.mark.parametrize(
    ("setting", "statement"),
    [
        ("from collections import defaultdict\nkept = defaultdict(list)\n", "kept[i].append(i)"),
        ("kept = {}\n", "kept.setdefault(i, []).append(i)"),
        ("from collections import defaultdict\nkept = defaultdict(dict)\n", "kept[i]['a'] = i"),
    ],
)
def test_of_containers_in_a_container_the_outer_one_may_be_what_grows(
    tmp_path: Path, setting: str, statement: str
) -> None:
    probed = probe(tmp_path, f"{setting}for i in range(2000):\n    {statement}\n", ("container", statement))

    assert (probed.value("hits"), probed.value("puts")) == (2000, 2000)
    assert probed.value("depth_max") == 1999
    assert probed.row("depth_slope").low > 0.9


def test_a_container_whose_length_is_code_of_the_program_is_not_asked(tmp_path: Path) -> None:
    program = (
        "class Mine:\n    def __len__(self):\n        print('asked')\n        return 1\n    def add(self, v):\n        pass\n"
        "kept = Mine()\nfor i in range(3):\n    kept.add(i)\n"
    )
    probed = probe(tmp_path, program, ("container", "kept.add(i)"))

    assert probed.outcome.last_lines == ()
    assert probed.value("hits") == 3
    assert not probed.has("depth_max")


ALIVE = """\
import gc, weakref
gc.disable()
class Kept(TYPE):
    pass
class Odd:
    def __hash__(self):
        raise TypeError
for bad in (False, True):
    kept = Kept()
    look = weakref.ref(kept)
    try:
        STATEMENT
    except TypeError:
        print("raised")
    del kept
    print(look())
"""


@pytest.mark.parametrize(
    ("kind", "flagged"), [("set", "kept.add(Odd() if bad else 1)"), ("dict", "kept[Odd() if bad else 1] = 1")]
)
def test_a_container_dies_when_it_would_have_died(tmp_path: Path, kind: str, flagged: str) -> None:
    program = ALIVE.replace("TYPE", kind, 1).replace("STATEMENT", flagged)
    probed = probe(tmp_path, program, ("container", flagged))

    assert probed.outcome.last_lines == ("None", "raised", "None")
    assert probed.value("hits") == 1


PROGRAMS = {
    "order of a call": (
        "say('x', box).append(say('v', 1))",
        "box = []\ndef say(name, value):\n    print(name)\n    return value\nfor i in range(2):\n    FLAGGED\nprint(box)\n",
    ),
    "order of an assignment": (
        "say('x', box)[say('k', i)] = say('v', 1)",
        "box = {}\ndef say(name, value):\n    print(name)\n    return value\nfor i in range(2):\n    FLAGGED\nprint(box)\n",
    ),
    "several targets": ("a = box[i] = c = i", "box = {}\nfor i in range(3):\n    FLAGGED\nprint(a, c, box)\n"),
    "recursion": (
        "found.append(walk(n - 1))",
        "found = []\ndef walk(n):\n    if n:\n        FLAGGED\n    return n\nprint(walk(40), found)\n",
    ),
    "await": (
        "found[await value(i)] = await value(i)",
        "import asyncio\nfound = {}\nasync def value(i):\n    await asyncio.sleep(0.001 * (5 - i))\n    return i\n"
        "async def add(i):\n    FLAGGED\nasync def main():\n    await asyncio.gather(*map(add, range(5)))\n"
        "asyncio.run(main())\nprint(found)\n",
    ),
    "one-line body": ("box[i] = i", "box = {}\nfor i in range(3): FLAGGED\nelse: print(box)\n"),
    "handler and else": (
        "box[n] = 'e'",
        "box = {}\nfor n in range(3):\n    try:\n        1 / n\n    except ZeroDivisionError:\n        FLAGGED\nprint(box)\n",
    ),
    "class body": ("table['a'] = 1", "class A:\n    table = {}\n    FLAGGED\nprint(A.table, sorted(vars(A)))\n"),
    "error": (
        "box[0] = 1",
        "import traceback\ndef f(box):\n    FLAGGED\nbox = {}\nf(box)\ntry:\n    f(None)\n"
        "except TypeError as e:\n    print(e, [(s.name, s.lineno) for s in traceback.extract_tb(e.__traceback__)])\n",
    ),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_output_and_exit_code_stay_the_same(tmp_path: Path, case: str) -> None:
    flagged, template = PROGRAMS[case]
    probed = probe(tmp_path, template.replace("FLAGGED", flagged), ("container", flagged))

    code, output = plainly(tmp_path)

    assert (probed.outcome.run.exit_code, code) == (0, 0)
    assert list(probed.outcome.last_lines) == output.splitlines()
    assert probed.outcome.run.warnings == ()
    assert probed.gaps() == []
    assert probed.value("hits") > 0


@pytest.mark.parametrize("others", [["container"], ["operator"], ["container", "operator", "container"]])
def test_other_probes_in_the_same_statement(tmp_path: Path, others: list[str]) -> None:
    program = "box = {0: 'a'}\nfor i in range(5):\n    box[0] = box[0] + 'b'\nprint(box)\n"
    flagged = [(name, "box[0] = box[0] + 'b'") for name in ("container", *others)]
    probed = probe(tmp_path, program, *flagged)

    assert probed.outcome.last_lines == ("{0: 'abbbbb'}",)
    assert [probed.value("hits", index) for index in range(len(flagged))] == [5] * len(flagged)


def test_a_plain_assignment_is_a_gap(tmp_path: Path) -> None:
    assert "subscript" in probe(tmp_path, "x = [1]\n", ("container", "x = [1]")).gaps()[0]


@pytest.mark.parametrize("version", ["3.8.18", "3.13.0"])
def test_other_versions_of_python(tmp_path: Path, version: str) -> None:
    python = Path.home() / ".pyenv" / "versions" / version / "bin" / "python"
    if not python.exists():
        pytest.skip(f"Python {version} is not here")
    program = "x, y = [], {}\nfor i in range(100):\n    x.append(i)\n    y[i] = i\nprint(len(x), len(y))\n"
    probed = probe(tmp_path, program, ("container", "x.append(i)"), ("container", "y[i] = i"), python=str(python))

    assert probed.outcome.last_lines == ("100 100",)
    assert [probed.value("depth_max", index) for index in (0, 1)] == [100, 100]
