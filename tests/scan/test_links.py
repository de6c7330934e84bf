"""What is found across the functions and files of a project, each suspect with the chain that leads to it."""

from __future__ import annotations

import os
import random
import sysconfig
import time
from pathlib import Path

import pytest

from auditor.catalog import bundled_rules, chosen_rules
from auditor.model import Suspect
from auditor.scan import Engine, discover
from auditor.scan.joining import Joining
from auditor.scan.links import Outlook, link
from auditor.scan.outline import Outline, Places
from auditor.scan.parallel import RuleSet
from auditor.scan.project import Project

HELPERS = "import requests\n\n\ndef pull(url):\n    return requests.get(url)\n"
CALLER = "from helpers import pull\n\n\nasync def handler(url):\n    return pull(url)\n"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def code(tmp_path: Path) -> Path:
    root = tmp_path / "code"
    root.mkdir()
    return root


def write(root: Path, **files: str) -> None:
    """Files by name, with `__` for a slash, last changed long ago."""
    for name, text in files.items():
        path = name.replace("____init__", "/#").replace("__", "/").replace("#", "__init__")
        file = root / f"{path}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        os.utime(file, (time.time() - 100, time.time() - 100))


def scan(root: Path, *rules: str, use_cache: bool = True, jobs: int | None = None) -> list[Suspect]:
    project = Project(discover([root]), RuleSet(chosen_rules, (rules, (), ())), use_cache)
    try:
        return [suspect for one in project.scan(jobs=jobs) for suspect in one.suspects]
    finally:
        project.close()


def found(root: Path, *rules: str) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(suspect.path, suspect.span.line, suspect.chain) for suspect in scan(root, *rules)]


def test_a_blocking_helper_two_calls_away_is_flagged_in_the_coroutine(code: Path) -> None:
    write(
        code,
        app__net="import time\n\n\ndef wait():\n    time.sleep(1)\n",
        app__tools="from . import net\n\n\ndef settle(device):\n    net.wait()\n",
        app__main="from app.tools import settle as rest\n\n\nasync def switch(device):\n    rest(device)\n",
        app____init__="",
    )

    assert found(code, "blocking-call-in-async") == [
        (
            "app/main.py",
            5,
            ("settle (app/tools.py:4)", "wait (app/net.py:4)", "time.sleep (app/net.py:5)"),
        )
    ]


def test_the_probe_stands_at_the_call_that_is_flagged(code: Path) -> None:
    write(code, helpers=HELPERS, caller=CALLER)

    (suspect,) = scan(code, "blocking-call-in-async")

    assert [(site.probe, site.span) for site in suspect.sites] == [("blocking", suspect.span)]
    assert "requests.get" in suspect.message


def test_a_query_in_a_helper_is_flagged_where_the_loop_is(code: Path) -> None:
    write(
        code,
        store=(
            "import sqlite3\n\n\nclass Store:\n    def __init__(self, db: sqlite3.Connection):\n"
            "        self.db = db\n\n    def one(self, key):\n"
            "        return self.db.execute(QUERY, (key,)).fetchone()\n"
        ),
        views="from store import Store\n\n\ndef page(store: Store, keys):\n    return [store.one(k) for k in keys]\n",
    )

    assert found(code, "query-in-loop") == [("views.py", 5, ("Store.one (store.py:8)", "self.db.execute (store.py:9)"))]


def test_a_client_made_by_a_factory_is_flagged_where_it_serves_one_call(code: Path) -> None:
    write(
        code,
        clients=(
            "import httpx\n\n\ndef client():\n    return httpx.Client()\n\n\ndef polite():\n"
            "    made = client()\n    return made\n"
        ),
        views=(
            "import clients\n\n\ndef handler(url):\n    with clients.polite() as client:\n"
            "        return client.get(url)\n"
        ),
    )

    assert found(code, "http-client-per-call") == [
        ("views.py", 5, ("polite (clients.py:8)", "client (clients.py:4)", "httpx.Client (clients.py:4)"))
    ]


@pytest.mark.parametrize(
    "helper",
    [
        "async def pull(url):\n    return await fetch(url)\n",
        "def pull(url):\n    yield requests.get(url)\n",
        "@run_in_executor\ndef pull(url):\n    return requests.get(url)\n",
        "def pull(url):\n    return lambda: requests.get(url)\n",
        "def pull(url):\n    def inner():\n        return requests.get(url)\n    return inner\n",
    ],
)
def test_a_helper_that_does_not_run_its_body_at_once_leads_nowhere(code: Path, helper: str) -> None:
    write(code, helpers="import requests\n\n\n" + helper, caller=CALLER)

    assert found(code, "blocking-call-in-async") == []


def test_helpers_that_call_one_another_in_a_circle_are_followed_once(code: Path) -> None:
    write(
        code,
        helpers=(
            "import time\n\n\ndef a(n):\n    b(n)\n\n\ndef b(n):\n    a(n - 1)\n    c()\n\n\n"
            "def c():\n    time.sleep(n)\n"
        ),
        caller="from helpers import a\n\n\nasync def go():\n    a(3)\n",
    )

    assert found(code, "blocking-call-in-async") == [
        ("caller.py", 5, ("a (helpers.py:4)", "b (helpers.py:8)", "c (helpers.py:13)", "time.sleep (helpers.py:14)"))
    ]


def test_chains_are_bounded(code: Path) -> None:
    steps = "".join(f"def f{n}():\n    f{n + 1}()\n\n\n" for n in range(6))
    write(
        code, deep=f"import time\n\n\n{steps}def f6():\n    time.sleep(1)\n\n\nasync def far():\n    f0()\n    f3()\n"
    )

    (suspect,) = scan(code, "blocking-call-in-async")

    assert len(suspect.chain) == 5
    assert suspect.chain[0].startswith("f3 ")


def test_a_change_in_a_helper_refreshes_its_callers(code: Path) -> None:
    write(code, helpers=HELPERS, caller=CALLER)
    assert len(found(code, "blocking-call-in-async")) == 1

    write(code, helpers="def pull(url):\n    return url\n")
    assert found(code, "blocking-call-in-async") == []

    write(code, helpers="# moved down\n" + HELPERS)
    assert found(code, "blocking-call-in-async") == [
        ("caller.py", 5, ("pull (helpers.py:5)", "requests.get (helpers.py:6)"))
    ]


def test_the_cache_gives_what_a_scan_without_it_gives(code: Path) -> None:
    write(code, helpers=HELPERS, caller=CALLER, views="import helpers\n\n\nasync def go(u):\n    helpers.pull(u)\n")

    plain = scan(code, use_cache=False)

    assert len(plain) >= 2
    assert scan(code) == plain
    assert scan(code) == plain


def test_an_outline_that_the_cache_has_lost_is_made_again(code: Path, tmp_path: Path) -> None:
    import sqlite3

    write(code, helpers=HELPERS, caller=CALLER)
    scan(code, "blocking-call-in-async")
    (file,) = (tmp_path / "cache").glob("*.db")
    with sqlite3.connect(file) as db:
        db.execute("DELETE FROM outlines")
        db.execute("DELETE FROM notes")

    assert len(found(code, "blocking-call-in-async")) == 1


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_any_number_of_processes_finds_the_same(code: Path, jobs: int) -> None:
    chance = random.Random(7)
    names = [f"m{n}" for n in range(60)]
    for name in names:
        other = chance.choice(names)
        text = f"import time\nfrom {other} import step as further\n\n\ndef step():\n    further()\n"
        if chance.random() < 0.3:
            text += "    time.sleep(1)\n"
        write(code, **{name: f"{text}\n\nasync def go():\n    step()\n    further()\n"})

    suspects = scan(code, "blocking-call-in-async", use_cache=False, jobs=jobs)

    assert any(suspect.chain for suspect in suspects)
    assert suspects == scan(code, "blocking-call-in-async", use_cache=False, jobs=1)


def test_a_library_of_the_name_of_a_file_is_the_library(code: Path) -> None:
    write(
        code,
        tools__requests="import time\n\n\ndef get(url):\n    time.sleep(1)\n",
        app__main="import requests\n\n\nasync def go(url):\n    requests.get(url)\n",
    )

    assert [suspect[2] for suspect in found(code, "blocking-call-in-async")] == [()]


@pytest.mark.parametrize(
    "code",
    [
        "def f(x: 'a..b', y: '.a', z: 'class', w: '') -> 'None.':\n    return x()\n",
        f"def f(db):\n    db.execute({'+'.join(['x'] * 900)})\n",
        f"def f(db):\n    db{'.a' * 900}.execute('select 1')\n",
        f"def f(db):\n    db{'.a()' * 400}.execute('select 1')\n",
        f"x: {'Optional[' * 90}int{']' * 90} = 1\n",
        "def f(): pass\nf = f\ng = g\na = b\nb = a\na()\nclass A(A): pass\nA().x()\n",
        "from . import *\nfrom .. import m\nm()\n",
        "".join(f"def f{n}():\n    return f{n + 1}()\n\n\n" for n in range(900)) + "f0().x()\n",
    ],
)
def test_odd_code_is_joined_too(tmp_path: Path, code: str) -> None:
    write(tmp_path / "code", odd=code, helpers=HELPERS, caller=CALLER + "\n\nimport odd\n\nodd.f(1)\nodd.a()\n")

    assert [suspect.path for suspect in scan(tmp_path / "code", "blocking-call-in-async")] == ["caller.py"]


# ------------------------------------------------------------------------------------------------
# Names


@pytest.mark.parametrize(
    ("other", "here"),
    [
        ("from asyncio import Queue\n", "from other import Queue\n\njobs = Queue()\n"),
        ("import asyncio\n\nInbox = asyncio.Queue\n", "import other\n\njobs = other.Inbox()\n"),
        ("import asyncio as aio\n", "from other import aio\n\njobs = aio.Queue()\n"),
        ("import asyncio\n\n\nclass Inbox(asyncio.Queue):\n    pass\n", "from other import Inbox\n\njobs = Inbox()\n"),
        (
            "import asyncio\n\n\nclass Inbox(asyncio.Queue):\n    pass\n",
            "from other import Inbox\n\n\nclass Jobs(Inbox):\n    pass\n\n\njobs = Jobs()\n",
        ),
    ],
)
def test_a_name_is_followed_through_another_file(code: Path, other: str, here: str) -> None:
    write(code, other=other, here=here)

    assert [suspect.path for suspect in scan(code, "unbounded-queue")] == ["here.py"]


def test_an_object_that_another_file_has_made_has_its_type(code: Path) -> None:
    write(
        code,
        other="import requests\n\nsession = requests.Session()\n",
        here="from other import session\n\n\nasync def go(url):\n    return session.get(url)\n",
    )

    assert found(code, "blocking-call-in-async") == [("here.py", 5, ())]


def test_a_re_export_by_a_package_is_followed(code: Path) -> None:
    write(
        code,
        pkg____init__="from .net import *\n",
        pkg__net="import time\n\n\ndef wait():\n    time.sleep(1)\n",
        main="import pkg\n\n\nasync def go():\n    pkg.wait()\n",
    )

    assert [suspect[:2] for suspect in found(code, "blocking-call-in-async")] == [("main.py", 5)]


# ------------------------------------------------------------------------------------------------
# What other files do to an attribute

HUB = (
    "class Hub:\n    def __init__(self):\n        self.sessions = {}\n\n"
    "    def join(self, session_id, session):\n        self.sessions[session_id] = session\n"
)


def test_an_attribute_that_another_file_prunes_does_not_only_grow(code: Path) -> None:
    write(code, hub=HUB)
    assert len(found(code, "registry-never-pruned")) == 1

    write(code, server="from hub import Hub\n\n\ndef leave(hub: Hub, key):\n    hub.sessions.pop(key, None)\n")
    assert found(code, "registry-never-pruned") == []


def test_what_a_file_prunes_that_does_not_know_this_one_counts_for_nothing(code: Path) -> None:
    write(code, hub=HUB, other="def leave(pool, key):\n    del pool.sessions[key]\n")

    assert len(found(code, "registry-never-pruned")) == 1


# ------------------------------------------------------------------------------------------------
# What runs once

FETCH = "import requests\n\n\ndef fetch(url):\n    return requests.get(url)\n"


@pytest.mark.parametrize("name", ["test_net", "net_test", "conftest", "tests__net", "pkg__tests__deep__net"])
def test_what_a_file_of_tests_makes_is_made_once(code: Path, name: str) -> None:
    write(code, **{name: FETCH})

    assert found(code, "http-client-per-call") == []


@pytest.mark.parametrize(("name", "flagged"), [("test_get", False), ("testGet", False), ("testify", True)])
def test_a_function_named_as_a_test_is_one(code: Path, name: str, flagged: bool) -> None:
    write(code, checks=FETCH.replace("fetch", name))

    assert bool(found(code, "http-client-per-call")) is flagged


@pytest.mark.parametrize(
    ("end", "flagged"),
    [
        ("if __name__ == '__main__':\n    fetch('http://localhost')\n", False),
        ("def run():\n    fetch('x')\n\n\nif __name__ == '__main__':\n    run()\n", False),
        ("if __name__ == '__main__':\n    for url in URLS:\n        fetch(url)\n", True),
        ("def other(url):\n    fetch(url)\n\n\nif __name__ == '__main__':\n    fetch('x')\n", True),
        ("if __name__ == '__main__':\n    serve(fetch)\n", True),
    ],
)
def test_a_function_that_only_the_main_guard_calls_runs_once(code: Path, end: str, flagged: bool) -> None:
    write(code, net=f"{FETCH}\n\n{end}")

    assert bool(found(code, "http-client-per-call")) is flagged


def test_a_function_that_another_file_calls_too_runs_often(code: Path) -> None:
    write(
        code,
        net=f"{FETCH}\n\nif __name__ == '__main__':\n    fetch('http://localhost')\n",
        views="from net import fetch\n\n\ndef view(request):\n    return fetch(request.url)\n",
    )

    assert [suspect[:2] for suspect in found(code, "http-client-per-call")] == [("net.py", 5)]


def test_lines_that_move_change_the_chain_and_are_not_linked_anew(code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(code, helpers=HELPERS, caller=CALLER)
    before = found(code, "blocking-call-in-async")
    assert before == [("caller.py", 5, ("pull (helpers.py:4)", "requests.get (helpers.py:5)"))]

    write(code, helpers=f"\n\n{HELPERS}", caller=f"# said above\n{CALLER}")
    with monkeypatch.context() as patch:
        patch.setattr(Joining, "all", None)
        assert found(code, "blocking-call-in-async") == [
            ("caller.py", 6, ("pull (helpers.py:6)", "requests.get (helpers.py:7)"))
        ]
    assert scan(code, "blocking-call-in-async") == scan(code, "blocking-call-in-async", use_cache=False)


def test_outlooks_linked_without_places_are_those_linked_with_them(code: Path) -> None:
    library = Path(sysconfig.get_paths()["stdlib"])
    engine = Engine(bundled_rules())
    write(code, helpers=HELPERS + "\n\ndef twice(url):\n    return pull(url), pull(url + '2')\n")
    write(code, caller=CALLER + "\n\nasync def both(url):\n    pull(url), helpers.twice(url)\n\n\nimport helpers\n")
    names = ("asyncio", "concurrent/futures", "http", "urllib")
    files = [(file, library) for name in names for file in sorted((library / name).glob("*.py"))]
    texts = {}
    for file, root in [*files, (code / "helpers.py", code), (code / "caller.py", code)]:
        one = engine.scan_file(file, root)
        texts[one.path] = one.outline
    outlines = {path: Outline.load(text) for path, text in texts.items()}
    shapes = {path: Outline.shape(text) for path, text in texts.items()}
    places = {path: Places.load(text) for path, text in texts.items()}

    direct = link(outlines, engine.gate.wanted, engine.gate.words)
    shaped = link(shapes, engine.gate.wanted, engine.gate.words)

    assert any(outlook.ways for outlook in direct.values())
    assert {path: Outlook.load(one.dump()).placed(places[path], places) for path, one in shaped.items()} == direct


def test_names_of_a_star_import_are_those_of_the_module(code: Path) -> None:
    write(
        code,
        helpers=f"from queue import *\nfrom queue import LifoQueue as Stack\n{HELPERS}",
        caller=CALLER.replace("import pull", "import *") + "\n\ndef make():\n    return Queue(), Stack()\n",
        alone="from time import *\n\n\nasync def wait():\n    sleep(1)\n",
    )

    assert [(path, line) for path, line, _chain in found(code, "blocking-call-in-async")] == [
        ("alone.py", 5),
        ("caller.py", 5),
    ]
    assert [(path, line) for path, line, _chain in found(code, "unbounded-queue")] == [("caller.py", 9)] * 2


@pytest.mark.parametrize(
    "caller",
    [
        "from helpers import *\n\ndef pull(url):\n    pass\n\nasync def go(url):\n    pull(url)\n",
        "from helpers import *\n\nasync def go(url, pull):\n    pull(url)\n",
        "from helpers import *\nfrom other import pull\n\nasync def go(url):\n    pull(url)\n",
    ],
)
def test_a_name_that_the_file_binds_is_none_of_a_star_import(code: Path, caller: str) -> None:
    write(code, helpers=HELPERS, caller=caller)

    assert found(code, "blocking-call-in-async") == []


CLEAN = (
    "import re\n\n\ndef clean(text):\n    return strip(text)\n\n\ndef strip(text):\n    return re.sub('x', '', text)\n"
)


@pytest.mark.parametrize(
    ("caller", "flagged"),
    [
        ("from helpers import clean\n\ndef f(rows):\n    return [clean(row) for row in rows]\n", True),
        ("import helpers\n\ndef f(rows):\n    for row in rows:\n        helpers.clean(row)\n", True),
        ("from helpers import clean\n\ndef f(rows):\n    return list(map(clean, rows))\n", True),
        ("from helpers import clean\n\ndef f(row):\n    return clean(row)\n", False),
    ],
)
def test_what_a_loop_of_another_file_calls_runs_often(code: Path, caller: str, flagged: bool) -> None:
    write(code, helpers=CLEAN, caller=caller)

    assert [path for path, _line, _chain in found(code, "regex-compiled-per-call")] == ["helpers.py"] * flagged


def test_a_function_that_a_loop_elsewhere_calls_by_way_of_others_runs_often(code: Path) -> None:
    helpers = f"{CLEAN}\n\ndef tidy(row):\n    return strip(row)\n"
    caller = "from helpers import tidy\n\ndef f(rows):\n    return [tidy(row) for row in rows]\n"
    write(code, helpers=helpers, caller=caller)

    assert [path for path, _line, _chain in found(code, "regex-compiled-per-call")] == ["helpers.py"]


def test_the_first_parameter_of_a_static_method_is_no_receiver(code: Path) -> None:
    config = (
        "import subprocess\n\n\nclass Config:\n    def write(self, text):\n        subprocess.run(['show', text])\n\n"
        "    @staticmethod\n    def print(file, lines):\n        for line in lines:\n            file.write(line)\n"
    )
    write(code, config=config)

    assert not found(code, "subprocess-per-item")


SEARCHED = "def find(items, key):\n    for item in items:\n        if item.id == key:\n            return item\n"


@pytest.mark.parametrize(
    ("caller", "flagged"),
    [
        ("from helpers import find\n\ndef f(rows, items):\n    return [find(items, row.id) for row in rows]\n", True),
        ("import helpers\n\ndef f(rows, items):\n    for row in rows:\n        helpers.find(items, row.id)\n", True),
        ("from helpers import find\n\ndef f(rows, key):\n    return [find(row.cells, key) for row in rows]\n", False),
        ("from helpers import find\n\ndef f(items, key):\n    return find(items, key)\n", False),
        ("from helpers import find\n\ndef f(rows, lists):\n    return [find(*lists, row.id) for row in rows]\n", False),
    ],
)
def test_a_search_runs_often_where_a_loop_of_another_file_gives_it_the_same_items(
    code: Path, caller: str, flagged: bool
) -> None:
    write(code, helpers=SEARCHED, caller=caller)

    assert [path for path, _line, _chain in found(code, "linear-search-in-loop")] == ["helpers.py"] * flagged


def test_a_method_that_searches_its_object_runs_often_where_a_loop_of_another_file_calls_it(code: Path) -> None:
    helpers = (
        "class Store:\n    def __init__(self):\n        self.rows = []\n\n    def find(self, key):\n"
        "        for row in self.rows:\n            if row.key == key:\n                return row\n"
    )
    caller = "from helpers import Store\n\ndef f(store: Store, keys):\n    return [store.find(key) for key in keys]\n"
    write(code, helpers=helpers, caller=caller)

    assert [path for path, _line, _chain in found(code, "linear-search-in-loop")] == ["helpers.py"]


def test_loops_elsewhere_count_for_nothing_where_no_rule_asks_for_them(code: Path) -> None:
    caller = "from helpers import other\n\ndef f(rows):\n    return [other(row) for row in rows]\n"
    write(code, helpers=f"{CLEAN}\n\ndef other(row):\n    return row\n", caller=caller)
    project = Project(discover([code]), RuleSet(chosen_rules), use_cache=False)
    project.scan()

    assert {outlook for _path, outlook in project.scans} == {""}


def test_a_loop_that_comes_or_goes_elsewhere_is_noticed(code: Path) -> None:
    once = "from helpers import clean\n\ndef f(row):\n    return clean(row)\n"
    looped = "from helpers import clean\n\ndef f(rows):\n    return [clean(row) for row in rows]\n"
    seen = []
    for text in (once, looped, once):
        write(code, helpers=CLEAN, caller=text)
        seen.append(len(found(code, "regex-compiled-per-call")))

    assert seen == [0, 1, 0]
