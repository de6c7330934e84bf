"""What names mean and what types are proven."""

from __future__ import annotations

import ast
import time

import pytest

from auditor.scan.facts import Function, ModuleFacts, Scope
from auditor.scan.infer import derives_from, qualified, type_of
from auditor.scan.scopes import Scopes
from auditor.scan.values import length_of


def last_expression(text: str, package: str = "") -> tuple[ast.expr, Scopes]:
    """The last expression statement of the text, with its place."""
    tree = ast.parse(text)
    found: list[tuple[ast.expr, tuple[Scope, ...]]] = []

    def visit(node: ast.AST, chain: tuple[Scope, ...]) -> None:
        inner = (*chain, node) if isinstance(node, Function | ast.ClassDef) else chain
        if isinstance(node, ast.Expr):
            found.append((node.value, chain))
        for child in ast.iter_child_nodes(node):
            visit(child, inner)

    visit(tree, (tree,))
    expression, chain = max(found, key=lambda item: item[0].lineno)
    return expression, Scopes(ModuleFacts(tree=tree, package=package), chain)


def meaning(text: str, package: str = "") -> str | None:
    return qualified(*last_expression(text, package))


def kind(text: str) -> str | None:
    return type_of(*last_expression(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import asyncio\nasyncio.Queue", "asyncio.Queue"),
        ("import urllib.request\nurllib.request.urlopen", "urllib.request.urlopen"),
        ("import http.client as c\nc.HTTPConnection", "http.client.HTTPConnection"),
        ("from asyncio import Queue as Q\nQ", "asyncio.Queue"),
        ("import asyncio\nA = asyncio.Queue\nB = A\nB", "asyncio.Queue"),
        ("def f():\n    from time import sleep\n    sleep", "time.sleep"),
        ("try:\n    import ujson as json\nexcept ImportError:\n    json = None\njson.loads", "ujson.loads"),
        ("len", "builtins.len"),
        ("def len(x): pass\nlen", "len"),
        ("def f(open):\n    open", None),
        ("nowhere.to_be_found", None),
        ("import requests\ns = requests.Session()\ns.get", "requests.Session.get"),
        ("a = b\nb = a\na.c", None),
    ],
)
def test_a_name_means_what_it_was_bound_to(text: str, expected: str | None) -> None:
    assert meaning(text) == expected


def test_relative_imports_are_made_absolute() -> None:
    assert meaning("from ..net import Client\nClient", "top.sub") == "top.net.Client"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = []\nx", "list"),
        ("x = None\nx = []\nx", "list"),
        ("x = []\nx = {}\nx", None),
        ("x = ''\nx += 'a'\nx", "str"),
        ("def f(x: 'str | None'):\n    x", "str"),
        ("from typing import Optional\ndef f(x: Optional[bytes]):\n    x", "bytes"),
        ("import queue\ndef f(q: queue.Queue[int]):\n    q", "queue.Queue"),
        ("','.join(x)", "str"),
        ("'a b'.split()", "list"),
        ("sorted(x)", "list"),
        ("for x in []:\n    pass\nx", None),
        ("class A:\n    x = 1\n    def f(self):\n        x", None),
        ("import sqlite3\nwith sqlite3.connect('x') as db:\n    db.cursor()", "sqlite3.Cursor"),
        ("from pathlib import Path\n(Path('a') / 'b').parent.with_suffix('.c')", "pathlib.Path"),
        ("import asyncio\nasyncio.get_running_loop()", "asyncio.AbstractEventLoop"),
    ],
)
def test_a_type_is_proven(text: str, expected: str | None) -> None:
    assert kind(text) == expected


def test_a_name_bound_by_way_of_itself_keeps_its_type() -> None:
    assert kind("x = ''\nx = x.strip()\nx") == "str"
    assert kind("x = ''\nx = x.split()\nx") is None


def test_what_rested_on_a_disproved_type_is_forgotten() -> None:
    expression, scopes = last_expression("x = ''\ny = x\nx = y.strip()\nx = 1\n(x, y)")
    assert isinstance(expression, ast.Tuple)

    assert [type_of(part, scopes) for part in expression.elts] == [None, None]


def test_module_level_names_are_bound_by_functions_too() -> None:
    text = "import requests\ns = None\ndef init():\n    global s\n    s = requests.Session()\ndef use():\n    s\n"

    assert kind(text) == "requests.Session"


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    def __init__(self, db: sqlite3.Connection):\n        self.db = db\n"
        "    def f(self):\n        self.db\n",
        "class A:\n    def open(self):\n        made = sqlite3.connect('x')\n        self.db = made\n"
        "    def f(self):\n        self.db\n",
        "class Base:\n    def __init__(self):\n        self.db = sqlite3.connect('x')\n"
        "class A(Base):\n    def f(self):\n        self.db\n",
        "class Store:\n    def __init__(self):\n        self.db = sqlite3.connect('x')\n"
        "class A:\n    def __init__(self):\n        self.store = Store()\n    def f(self):\n        self.store.db\n",
        "class A:\n    @property\n    def db(self) -> sqlite3.Connection:\n        return open_it()\n"
        "    def f(self):\n        self.db\n",
        "class A:\n    def db(self) -> sqlite3.Connection:\n        return open_it()\n"
        "    def f(self):\n        self.db()\n",
        "class A:\n    db: sqlite3.Connection\n    def f(self):\n        self.db\n",
        "def db() -> sqlite3.Connection:\n    return open_it()\ndb()\n",
    ],
)
def test_attributes_and_results_have_the_type_of_what_is_stored_or_declared(text: str) -> None:
    assert kind("import sqlite3\n" + text) == "sqlite3.Connection"


def test_an_attribute_that_holds_different_things_has_no_type() -> None:
    text = "class A:\n    def __init__(self):\n        self.x = []\n    def g(self):\n        self.x = {}\n"

    assert kind(text + "    def f(self):\n        self.x\n") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import threading\nthreading.Thread", True),
        ("import threading\nclass A(threading.Thread): pass\nclass B(A): pass\nB", True),
        ("import threading\ndef f():\n    class A(threading.Thread): pass\n    A", True),
        ("class Thread: pass\nThread", False),
        ("class A(B): pass\nclass B(A): pass\nA", False),
    ],
)
def test_derivation_is_followed_within_the_module(text: str, expected: bool) -> None:
    expression, scopes = last_expression(text)

    assert derives_from(expression, ("threading.Thread",), scopes) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x = [1, 2]\nx", 2),
        ("x = [1, 2]\nx = [1, 2, 3]\nx", 3),
        ("x = [1]\ny = x + [2, 3]\ny", 3),
        ("x = [1]\nx = f()\nx", None),
        ("x = [1]\nx += [2]\nx", None),
        ("x = [1]\nx.append(2)\nx", None),
        ("x = [1]\nfor x in y: pass\nx", None),
        ("x = x + [1]\nx", None),
        ("x = y + [1]\ny = x + [1]\ny = x + x\nx", None),
    ],
)
def test_the_greatest_length_is_known_if_every_binding_has_one(text: str, expected: int | None) -> None:
    expression, scopes = last_expression(text)

    assert length_of(expression, scopes) == expected


def test_names_bound_by_way_of_each_other_are_no_trouble() -> None:
    lines = [f"x{i} = x{(i + 1) % 30}.strip().a() + x{(i + 7) % 30}" for i in range(30)] * 3
    began = time.perf_counter()

    assert kind("\n".join([*lines, "x1"])) is None
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("rows = list(rows)", "list"),
        ("if not rows:\n        return\n    rows = [row for row in rows]", "list"),
        ("rows = sorted(rows)\n    rows = list(rows)", "list"),
        # used as what it was
        ("print(rows)\n    rows = list(rows)", None),
        # in one case only
        ("if rows is None:\n        rows = []", None),
        ("for row in rows:\n        print(row)\n    rows = list(rows)", None),
    ],
)
def test_a_parameter_that_is_bound_anew_is_what_it_is_bound_to(body: str, expected: str | None) -> None:
    assert kind(f"def f(rows):\n    {body}\n    rows\n") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(): return []\nf()", "list"),
        ("def f(x):\n    if x: return None\n    names = ['a']\n    return names\nf(1)", "list"),
        ("def f(x):\n    if x: return []\n    return ''\nf(1)", None),
        ("def f(x): return\nf(1)", None),
        ("def f(x): pass\nf(1)", None),
        ("def f(x):\n    yield ''\n    return ''\nf(1)", None),
        ("async def f(x): return ''\nf(1)", None),
        ("@cached\ndef f(x): return ''\nf(1)", None),
        ("def f(x):\n    def g(): return 1\n    return ''\nf(1)", "str"),
        ("def f(n): return f(n - 1) if n else ''\nf(3)", None),
        ("class A:\n    def names(self): return ['a']\n    def use(self):\n        self.names()", "list"),
        (
            "x = []\nclass A:\n    x = ''\n    def names(self): return x\n    def use(self):\n        self.names()",
            "list",
        ),
    ],
)
def test_a_function_of_the_module_gives_what_all_its_returns_give(text: str, expected: str | None) -> None:
    assert kind(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data.decode()", "str"),
        ("data.decode('utf-8')", "str"),
        ("decoder.decode(data)", None),
        ("model.encode(text)", None),
        ("text.encode('latin-1')", "bytes"),
        ("digest.hexdigest()", "str"),
        ("when.strftime('%d')", "str"),
        ("frame.day.dt.strftime('%d')", None),
        ("frame.name.str.decode('ascii')", None),
    ],
)
def test_some_methods_tell_what_they_give_whoever_has_them(text: str, expected: str | None) -> None:
    assert kind(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import os\ndef f(path):\n    path = os.fspath(path)\n    path[:3]", "str"),
        ("import re\nre.findall('a', text)", "list"),
        ("import pickle\npickle.dumps(x)", "bytes"),
    ],
)
def test_what_well_known_functions_give_is_known(text: str, expected: str) -> None:
    assert kind(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from collections import defaultdict\nx = defaultdict(list)\nx[key]", "list"),
        ("import collections\nx = collections.defaultdict(lambda: '')\nx[key]", "str"),
        ("x = {'a': '', 'n': 0}\nx['a']", "str"),
        ("x = {'a': '', 'n': 0}\nx[key]", None),
        ("x = [[] for _ in range(9)]\nx[0]", "list"),
        ("x = [''] * 9\nx[0]", "str"),
        ("x = dict.fromkeys(keys, [])\nx[key]", "list"),
        ("x = {}\nx[1] = []\nx[key]", "list"),
        ("x = {}\nx[1] = []\nx[2] = ()\nx[key]", None),
        ("x = {}\nx.setdefault(1, []).append(2)\nx[key]", "list"),
        ("x = {}\nx[key]", None),
        ("x = f()\nx[1] = []\nx[key]", None),
        ("def f(x: dict[str, list[int]]):\n    x[key]", "list"),
        ("from typing import Mapping, Optional\ndef f(x: Optional[Mapping[str, bytes]]):\n    x[key]", "bytes"),
        ("def f(x: 'list[str] | None'):\n    x[0]", "str"),
        ("def f(x: dict[str, str]):\n    x.get(key)", "str"),
        ("x.get(key, '')", "str"),
        ("x.get(key)", None),
        ("x.get(key, 0)", None),
        ("parts = line.strip().split()\nparts[0]", "str"),
        ("import sys\nsys.argv[1]", "str"),
        (
            "class A:\n    def __init__(self):\n        self.x = {}\n    def g(self, k):\n        self.x[k] = []\n"
            "    def f(self, k):\n        self.x[k]",
            "list",
        ),
        # what goes in under another name of the same
        ("x = x[1]\nx[0]", None),
    ],
)
def test_an_entry_has_the_type_of_all_that_its_container_holds(text: str, expected: str | None) -> None:
    assert kind(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("with open(path) as file:\n    file.read()", "str"),
        ("with open(path, 'rb') as file:\n    file.read(10)", "bytes"),
        ("from pathlib import Path\nwith Path(path).open(mode='rb') as file:\n    file.readline()", "bytes"),
        ("sock.recv(4096)", "bytes"),
        ("channel.recv()", None),
        ("word.strip().lower()", "str"),
        ("frame.name.str.strip()", None),
    ],
)
def test_what_is_read_and_stripped_is_text_or_bytes(text: str, expected: str | None) -> None:
    assert kind(text) == expected
