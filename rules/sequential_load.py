"""Files or objects that are loaded one after the other."""

from __future__ import annotations

import re

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule, Where
from auditor.shapes import is_awaited_later

_CLIENTS = tuple(
    f"{owner}.{verb}"
    for owner in ("requests.Session", "httpx.Client", "niquests.Session", "urllib3.PoolManager")
    for verb in ("get", "post", "head", "request")
)
_OPENERS = ("builtins.open", "io.open", "gzip.open", "bz2.open", "lzma.open", "codecs.open")
_PATHS = ("pathlib.Path.open", "pathlib.Path.read_text", "pathlib.Path.read_bytes")
_LOADS = tuple(
    f"{verb}{what}"
    for verb in ("load", "fetch", "get", "read", "download")
    for what in (
        "",
        "_object",
        "_item",
        "_one",
        "_by_id",
        "_checkpoint",
        "_state",
        "_record",
        "_blob",
        "_file",
        "_text",
    )
)
_STORE = re.compile(
    r"(?:^|_)(?:store|storage|client|db|database|repo|repository|backend|s3|api|gateway|blobs)$", re.IGNORECASE
)
_CONTAINERS = ("dict", "list", "set", "tuple", "str", "collections.defaultdict", "collections.OrderedDict")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or isinstance(ctx.parent(node), cst.Await):
        return None
    loops = ctx.item_loops(node)
    if not loops:
        return None
    loaded = _loaded(node, ctx)
    loop = loops[0]
    if not loaded or ctx.is_same_call(node, loop) or ctx.is_paced(loop):
        return None
    if any(ctx.carries(call, loop) for call in loaded) or is_awaited_later(node, ctx):
        return None
    callee = " ".join(ctx.code(node.func).split())
    return Match(
        f"`{callee}` waits for one item at a time, though no turn needs what another has loaded",
        tuple(Plant("called", call) for call in loaded),
    )


def _loaded(call: cst.Call, ctx: Context) -> tuple[cst.Call, ...]:
    """The calls to be timed: the load itself, of a file its opening and what reads it."""
    if ctx.opens_to_read(call):
        reads = ctx.reads_of(call)
        # the innermost first, as `json.load(open(path))` holds its opening
        return (call, *(read for read in reads if read is not call)) if reads else ()
    name = ctx.qualified(call.func)
    if name in _PATHS[1:] or name in _CLIENTS:
        return (call,)
    return (call,) if _is_store(call, ctx) else ()


def _is_store(call: cst.Call, ctx: Context) -> bool:
    """Whether it is `store.load(key)`: a loading method of something that is named for what it stores."""
    if not isinstance(call.func, cst.Attribute) or call.func.attr.value not in _LOADS or not call.args:
        return False
    owner = call.func.value
    name = owner.attr if isinstance(owner, cst.Attribute) else owner
    if not isinstance(name, cst.Name) or _STORE.search(name.value) is None:
        return False
    # a query is the rule query-in-loop
    return ctx.type_of(owner) not in _CONTAINERS and ctx.waits_for(call) is None


RULE = Rule(
    id="sequential-load",
    title="Loads that wait for one another",
    kind=Kind.QUERIES,
    page=Page(
        what=(
            "In a loop or comprehension over data, a load that depends on the item at hand: a file opened and read,"
            " `Path.read_text`, a request by a client that is kept, or a loading method (`load`, `fetch`, `get`,"
            " `read`, `download`...) of something that is called a store, client, repository, bucket or the like. Not"
            " flagged: loops that sleep between loads or go by batches, `while` loops, loads that need what an earlier"
            " one brought or whose result ends the loop, loads of the same thing at each turn. Database queries are the"
            " rule query-in-loop, requests without a kept client http-client-per-call."
        ),
        why=(
            "Each load waits for disk or network while nothing else happens, so n loads take n times the latency."
            " Nothing forces that order: no turn uses what another has loaded."
        ),
        harmless=(
            "With few items, or files that the page cache holds, which open in some ten microseconds; where the server"
            " asks for one request at a time; where memory has no room for several items at once."
        ),
        measured="Executions, and the seconds spent in them. Confirmed when they are a sizeable part of the run.",
        fix=(
            "Load many with one call if the store has one (`get_many`, `mget`, a listing with content), else several at"
            " a time: `ThreadPoolExecutor.map`, or `asyncio.gather` with a bound on how many."
        ),
        references=(
            "sphinx 9.0.4, sphinx/builders/changes.py:139: the source of every document, one by one",
            "CPython 3.11.7, mimetypes.py:379: harmless, the few files of a system that list types",
            *("wemake-python-styleguide#1600", "creedengo GCI72"),
        ),
    ),
    triggers=(
        Calls((*_OPENERS, *_PATHS, *_CLIENTS), Where(loop=True)),
        Calls(tuple(f".{name}" for name in _LOADS), Where(loop=True)),
    ),
    expects=Cost(),
    check=check,
    valid=(
        # each load needs the one before
        "def chain(store, key):\n    for _ in range(100):\n        key = store.load(key).parent\n    return key\n",
        # deliberate pacing (wemake-python-styleguide#1600)
        "import time\n\ndef sync(client, keys):\n    for key in keys:\n        print(client.fetch(key))\n"
        "        time.sleep(1)\n",
        # the first that is there
        "from pathlib import Path\n\ndef find(paths: list[Path]):\n    for path in map(Path, paths):\n"
        "        try:\n            return path.read_text()\n        except OSError:\n            pass\n",
        "def f(rows, store: dict):\n    return [store.get(row) for row in rows]\n",
        "def f(rows, path):\n    for row in rows:\n        with open(path, 'a') as file:\n"
        "            file.write(row)\n",
        "def f(cache, rows):\n    return [cache.get(row) for row in rows]\n",
        "async def f(client, rows):\n    return [await client.fetch(row) for row in rows]\n",
        # as far as there is more
        "def pages(client):\n    token = None\n    while True:\n        page = client.fetch(token)\n"
        "        yield page\n"
        "        token = page.token\n        if token is None:\n            return\n",
        # several at a time
        "from concurrent.futures import ThreadPoolExecutor\nfrom pathlib import Path\n\n"
        "def texts(pool: ThreadPoolExecutor, folder: Path, names):\n"
        "    return list(pool.map(lambda name: (folder / name).read_text(), names))\n",
        # coroutines, awaited together
        "import asyncio\n\nasync def f(client, keys):\n"
        "    await asyncio.gather(*[client.fetch(key) for key in keys])\n    tasks = []\n"
        "    for key in keys:\n        tasks.append(client.fetch(key))\n"
        "    return await asyncio.gather(*tasks)\n",
    ),
    invalid=(
        "class Runs:\n    def states(self, run):\n        states = []\n        for step in run.steps:\n"
        "            states.append(self.store.load_checkpoint(run, step))\n        return states\n",
        "def load(store, steps):\n    return {step: store.load(step) for step in steps}\n",
        "import json\n\ndef load(paths):\n    for path in paths:\n        with open(path) as file:\n"
        "            yield json.load(file)\n",
        "import json\n\ndef load(paths):\n    return [json.load(open(path)) for path in paths]\n",
        "from pathlib import Path\n\ndef texts(folder: Path, names):\n"
        "    return [(folder / name).read_text() for name in names]\n",
        "import requests\n\nclass Api:\n    def __init__(self):\n        self.session = requests.Session()\n\n"
        "    def users(self, ids):\n        return [self.session.get(f'/users/{key}').json() for key in ids]\n",
        # a function that runs for every item
        "from pathlib import Path\n\ndef texts(folder: Path, names):\n"
        "    return list(map(lambda name: (folder / name).read_text(), names))\n",
    ),
)
