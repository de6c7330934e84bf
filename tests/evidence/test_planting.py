"""A program with probes does what it does without them."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.evidence.base import Question, Session
from auditor.evidence.passes.probes import PASS
from auditor.model import Cost, Evidence, Site, Span, Suspect, Workload
from tests.evidence.probing import plainly, probe

PROGRAMS = {
    "recursion": ("timed", "walk(n - 1)", "def walk(n):\n    return 1 + walk(n - 1) if n else 0\nprint(walk(50))\n"),
    "generator": (
        "timed",
        "dict(a=i)",
        "def made():\n    for i in range(5):\n        yield dict(a=i)\nprint(list(made()))\n",
    ),
    "yield inside": (
        "timed",
        "list((yield 1))",
        "def talk():\n    print(list((yield 1)))\n"
        "t = talk()\nnext(t)\ntry:\n    t.send('ab')\nexcept StopIteration:\n    print('end')\n",
    ),
    "await inside": (
        "timed",
        "str(await value())",
        "import asyncio\nasync def value():\n    await asyncio.sleep(0)\n    return 7\n"
        "async def main():\n    return str(await value())\nprint(asyncio.run(main()))\n",
    ),
    "exception": (
        "timed",
        "int('x')",
        "def f():\n    try:\n        return int('x')\n    except ValueError as e:\n        return e.__traceback__.tb_lineno\n"
        "print(f(), f())\n",
    ),
    "locals and globals": (
        "operator",
        "s += x",
        "def f():\n    s = ''\n    for x in 'ab':\n        s += x\n    return sorted(locals()), s\n"
        "print(f(), sorted(globals()))\n",
    ),
    "class body": (
        "timed",
        "dict(a=1)",
        "import enum\nclass Colour(enum.Enum):\n    RED = dict(a=1)\nprint(list(Colour), sorted(vars(Colour)))\n",
    ),
    "dataclass": (
        "timed",
        "list('ab')",
        "from __future__ import annotations\nfrom dataclasses import dataclass, field\n@dataclass\nclass A:\n"
        "    x: list[str] = field(default_factory=lambda: list('ab'))\nprint(A(), A.__annotations__)\n",
    ),
    "docstring and future": (
        "timed",
        "len(__doc__)",
        '"""The doc."""\nfrom __future__ import annotations\ndef f(x: Missing): ...\nprint(len(__doc__), f.__annotations__)\n',
    ),
    "script attributes": (
        "timed",
        "len(sys.argv)",
        "import sys\nprint(__name__, __file__, __spec__, __package__, __cached__, type(__loader__).__name__)\n"
        "print(len(sys.argv), sys.path[0], sys.modules['__main__'].__dict__ is globals())\n",
    ),
    "pickle of main": (
        "timed",
        "pickle.loads(data)",
        "import pickle\nclass A:\n    pass\ndata = pickle.dumps(A())\nprint(type(pickle.loads(data)), A.__module__)\n",
    ),
    "spawned children": (
        "timed",
        "n * 2",
        "import multiprocessing\ndef double(n):\n    return n * 2\nif __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n        print(pool.map(double, range(4)))\n",
    ),
    "exit code": ("timed", "int('3')", "import sys\nprint('before')\nsys.exit(int('3'))\n"),
    "comparison operands": (
        "operator",
        "said('a') in said(['a'])",
        "def said(x):\n    print(x)\n    return x\nfor i in range(2):\n    print(said('a') in said(['a']))\n",
    ),
    "augmented item": (
        "operator",
        "table()[key()] += 'x'",
        "store = {'k': 'a'}\ndef table():\n    print('table')\n    return store\ndef key():\n    print('key')\n    return 'k'\n"
        "for i in range(3):\n    table()[key()] += 'x'\nprint(store)\n",
    ),
    "property": (
        "operator",
        "t.text += 'x'",
        "class T:\n    raw = ''\n    @property\n    def text(self):\n        print('read')\n        return self.raw\n"
        "    @text.setter\n    def text(self, value):\n        print('write')\n        self.raw = value\n"
        "t = T()\nfor i in range(2):\n    t.text += 'x'\n",
    ),
    "f-string and chains": (
        "operator",
        "s = s + a + b",
        "s, a, b = '', 'a', 'b'\nfor i in range(3):\n    s = s + a + b\nprint(s)\n",
    ),
    "break, continue, return, else": (
        "nested-loop",
        "for b in items[a:]:\n            if b == 3:\n                continue\n            if b == 5:\n                break\n"
        "            if b == 9:\n                return seen\n            seen.append((a, b))\n        else:\n            seen.append('else')",
        "def f(items):\n    seen = []\n    for a in items:\n        for b in items[a:]:\n            if b == 3:\n"
        "                continue\n            if b == 5:\n                break\n            if b == 9:\n                return seen\n"
        "            seen.append((a, b))\n        else:\n            seen.append('else')\n    return seen\nprint(f(range(12)))\n",
    ),
    "threads": (
        "timed",
        "sum(range(100))",
        "import threading\nout = []\ndef work():\n    for i in range(200):\n        out.append(sum(range(100)))\n"
        "threads = [threading.Thread(target=work) for _ in range(4)]\n[t.start() for t in threads]\n[t.join() for t in threads]\n"
        "print(len(out), set(out), threading.active_count(), [t.name for t in threading.enumerate()])\n",
    ),
    "nothing may block": (
        "timed",
        "len('a')",
        "import builtins, io, os, time\ndef refuse(*_, **__):\n    raise RuntimeError('this would block')\n"
        "for name in ('open', 'read', 'write', 'close', 'replace', 'rename', 'stat', 'lstat', 'getppid'):\n"
        "    setattr(os, name, refuse)\nos.path.abspath = os.path.realpath = refuse\n"
        "import colorsys\nbuiltins.open = io.open = time.perf_counter_ns = refuse\n"
        "for i in range(4):\n    print(len('a'))\n    time.sleep(0.3)\n",
    ),
    "unicode columns": ("timed", "len('ü')", "é = 'ä'; print(é, len('ü'))\n"),
    "traceback": (
        "timed",
        "boom()",
        "import traceback\ndef boom():\n    raise ValueError('x')\ndef f():\n    return boom(\n    )\n"
        "try:\n    f()\nexcept ValueError as e:\n    print([(s.name, s.lineno) for s in traceback.extract_tb(e.__traceback__)])\n",
    ),
}
PROGRAMS["traceback"] = ("timed", "boom(\n    )", PROGRAMS["traceback"][2])


@pytest.mark.parametrize("case", PROGRAMS)
def test_output_and_exit_code_stay_the_same(tmp_path: Path, case: str) -> None:
    kind, flagged, program = PROGRAMS[case]
    probed = probe(tmp_path, program, (kind, flagged))

    code, output = plainly(tmp_path)

    assert probed.outcome.run.exit_code == code
    assert list(probed.outcome.last_lines) == output.splitlines()
    assert probed.outcome.run.warnings == ()
    assert probed.gaps() == []
    assert probed.value("hits") > 0


def test_no_file_is_left_in_the_project_not_even_bytecode(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import program\n")
    probed = probe(tmp_path, "print(len('abc'))\n", ("timed", "len('abc')"), command="python3 main.py")

    assert probed.value("hits") == 1
    assert not list(tmp_path.rglob("program*.pyc"))


def test_stale_bytecode_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("import program\n")
    (tmp_path / "program.py").write_text("print(len('abc'))\n")
    plainly(tmp_path, "main.py")

    probed = probe(tmp_path, "print(len('abc'))\n", ("timed", "len('abc')"), command="python3 main.py")

    assert probed.value("hits") == 1


@pytest.mark.parametrize("command", ["python3 -m program", "python3 -m pack.program", "python3 pack"])
def test_modules_run_by_name_or_directory_are_reached(tmp_path: Path, command: str) -> None:
    name = {
        "python3 -m program": "program.py",
        "python3 -m pack.program": "pack/program.py",
        "python3 pack": "pack/__main__.py",
    }
    probed = probe(
        tmp_path, "print(__name__, len('abc'))\n", ("timed", "len('abc')"), name=name[command], command=command
    )

    assert probed.outcome.last_lines == ("__main__ 3",)
    assert probed.value("hits") == 1


def test_a_subprocess_is_reached(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        "import subprocess, sys\nsubprocess.run([sys.executable, 'program.py'], check=True)\n"
    )
    probed = probe(tmp_path, "print(len('abc'))\n", ("timed", "len('abc')"), command="python3 main.py")

    assert probed.value("hits") == 1


def test_forked_workers_count_only_what_they_did_themselves(tmp_path: Path) -> None:
    program = (
        "import multiprocessing\ndef work(n):\n    return len('abc')\nif __name__ == '__main__':\n    work(0)\n"
        "    children = [multiprocessing.get_context('fork').Process(target=work, args=(i,)) for i in range(3)]\n"
        "    [c.start() for c in children]\n    [c.join() for c in children]\n"
    )
    assert probe(tmp_path, program, ("timed", "len('abc')")).value("hits") == 4


def test_what_a_process_that_is_killed_at_once_may_have_done_unseen_is_short(tmp_path: Path) -> None:
    program = "import os\nfor i in range(3):\n    len('abc')\nos.kill(os.getpid(), 9)\n"
    probed = probe(tmp_path, program, ("timed", "len('abc')"))

    seconds = probed.row("seconds")
    assert 0.02 <= seconds.high - seconds.low < 0.2


def test_a_killed_process_leaves_what_it_had_counted(tmp_path: Path) -> None:
    program = "import os, time\nfor i in range(3):\n    len('abc')\n    time.sleep(0.4)\nos.kill(os.getpid(), 9)\n"
    probed = probe(tmp_path, program, ("timed", "len('abc')"))

    assert probed.outcome.run.exit_code == -9
    assert probed.value("hits") >= 2
    assert probed.row("seconds").high >= 0.08, "what it did after its last report is not known"


def test_last_words_that_fail_once_are_said_again(tmp_path: Path) -> None:
    program = """\
import json
known, failed = json.dumps, []

def work():
    str(5)

def fails_once(*given, **options):
    if not failed:
        failed.append(True)
        raise RuntimeError("dictionary changed size during iteration")
    return known(*given, **options)

for _ in range(50): work()
json.dumps = fails_once
work()
"""
    assert probe(tmp_path, program, ("timed", "str(5)")).value("hits") == 51


def test_a_line_that_never_runs_has_zero_hits_and_no_gap(tmp_path: Path) -> None:
    probed = probe(tmp_path, "def f():\n    return len('abc')\n", ("timed", "len('abc')"))

    assert probed.value("hits") == 0
    assert probed.gaps() == []


def test_a_module_that_is_never_imported_has_zero_hits(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("print('nothing')\n")
    probed = probe(tmp_path, "print(len('abc'))\n", ("timed", "len('abc')"), command="python3 main.py")

    assert probed.value("hits") == 0
    assert probed.gaps() == []


def test_test_modules_that_pytest_rewrites_are_reached_and_its_cache_stays_clean(tmp_path: Path) -> None:
    program = "def test_it():\n    n = 3\n    assert len('abc') == n + 1\n"
    command = "python3 -m pytest -q -p no:randomly"
    flagged = ("timed", "len('abc')")

    for _twice in range(2):
        probed = probe(tmp_path, program, flagged, name="test_program.py", command=command)

        assert probed.outcome.run.exit_code == 1
        assert any("assert 3 == (3 + 1)" in line for line in probed.outcome.last_lines)
        assert probed.value("hits") == 1
        assert probed.gaps() == []
    assert not list(tmp_path.rglob("test_program*.pyc"))


def test_code_under_pytest_is_reached(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("import program\n\ndef test_it():\n    assert program.f() == 3\n")
    program = "def f():\n    return len('abc')\n"
    probed = probe(tmp_path, program, ("timed", "len('abc')"), command="python3 -m pytest -q -p no:randomly")

    assert probed.outcome.run.exit_code == 0
    assert probed.value("hits") == 1


def test_an_interpreter_that_ignores_the_environment_is_a_gap(tmp_path: Path) -> None:
    probed = probe(tmp_path, "print(len('abc'))\n", ("timed", "len('abc')"), command="python3 -I program.py")

    assert probed.outcome.run.exit_code == 0
    assert "PYTHONPATH" in (probed.outcome.run.gap or "")


def test_a_file_that_changed_since_the_scan_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("open('program.py', 'w').write('# moved\\nx = 1\\n')\nimport program\n")
    probed = probe(tmp_path, "print(len('abc'))\n", ("timed", "len('abc')"), command="python3 main.py")

    assert not probed.has("hits")
    assert "changed since" in probed.gaps()[0]


def test_a_missing_probe_plugs_no_hole_silently(tmp_path: Path) -> None:
    probed = probe(tmp_path, "a = 1\nprint(a in [1] in [[1]])\n", ("operator", "a in [1] in [[1]]"))

    assert "chained comparison" in probed.gaps()[0]


def test_parts_of_one_operation_are_counted_once_and_timed_together(tmp_path: Path) -> None:
    program = "for i in range(3):\n    len('abc')\n    len('abcd')\n"
    (tmp_path / "program.py").write_text(program)
    sites = (Site("timed", Span(2, 5, 2, 15)), Site("timed", Span(3, 5, 3, 16)))
    suspect = Suspect("test", "program.py", Span(2, 5, 2, 15), "<module>", "", "f", sites)
    (tmp_path / "scratch").mkdir()
    session = Session(tmp_path, Workload("test", "python3 program.py", str(tmp_path)), tmp_path / "scratch")

    rows = PASS.measure([Question(suspect, Cost())], session).rows["f"]

    assert [row.value for row in rows if isinstance(row, Evidence) and row.metric == "hits"] == [3]
    assert [row.n for row in rows if isinstance(row, Evidence) and row.metric == "seconds"] == [6]


@pytest.mark.parametrize("plain_s", [0.02, 200.0])
def test_a_share_allows_for_a_plain_run_at_another_pace(tmp_path: Path, plain_s: float) -> None:
    (tmp_path / "program.py").write_text("import time\ntime.sleep(0.1)\n")
    span = Span(2, 1, 2, 16)
    suspect = Suspect("test", "program.py", span, "<module>", "", "f", (Site("called", span),))
    (tmp_path / "scratch").mkdir()
    workload = Workload("test", "python3 program.py", str(tmp_path))
    session = Session(tmp_path, workload, tmp_path / "scratch", plain_wall_s=plain_s)

    rows = PASS.measure([Question(suspect, Cost())], session).rows["f"]
    (share,) = [row for row in rows if isinstance(row, Evidence) and row.metric == "share"]

    assert 0 < share.value < 1
    assert share.high >= 5 if plain_s < 1 else share.low <= 0.001
