"""A call that blocks its thread, made in a coroutine."""

from __future__ import annotations

from auditor import cst
from auditor.model import Stall
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Page, Plant, Reaches, Rule, Safety, Where
from auditor.shapes import runner

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request")
_HTTP = (
    *(f"{owner}.{verb}" for owner in ("requests", "requests.Session", "httpx", "httpx.Client") for verb in _VERBS),
    *(f"{owner}.{verb}" for owner in ("niquests", "niquests.Session", "requests.sessions.Session") for verb in _VERBS),
    *("requests.Session.send", "httpx.Client.send"),
    *("urllib.request.urlopen", "urllib.request.urlretrieve", "urllib3.PoolManager.request", "urllib3.request"),
    *("http.client.HTTPConnection.request", "http.client.HTTPConnection.getresponse"),
    *("http.client.HTTPSConnection.request", "http.client.HTTPSConnection.getresponse"),
)
_PROCESSES = (
    *(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "getoutput", "getstatusoutput")),
    *("subprocess.Popen.wait", "subprocess.Popen.communicate", "multiprocessing.Process.join"),
    *("os.system", "os.popen", "os.wait", "os.waitpid", "os.spawnv", "os.spawnl", "pty.spawn"),
)
_NETWORK = (
    *("socket.create_connection", "socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyname_ex"),
    *("socket.gethostbyaddr", "socket.getfqdn", "socket.socket.connect", "socket.socket.recv", "socket.socket.accept"),
    *("socket.socket.sendall", "smtplib.SMTP", "smtplib.SMTP_SSL", "ftplib.FTP", "paramiko.SSHClient.connect"),
)
_FILES = (
    *("builtins.open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "os.fsync"),
    *(f"pathlib.Path.{name}" for name in ("open", "read_text", "write_text", "read_bytes", "write_bytes")),
    *(f"shutil.{name}" for name in ("copy", "copy2", "copyfile", "copyfileobj", "copytree", "rmtree", "move")),
    *(f"shutil.{name}" for name in ("make_archive", "unpack_archive")),
    *("zipfile.ZipFile.extractall", "tarfile.TarFile.extractall", "zipfile.ZipFile.write", "tarfile.TarFile.add"),
)
_DATABASES = (
    *("sqlite3.connect", "psycopg2.connect", "psycopg.connect", "pymysql.connect", "MySQLdb.connect"),
    *("mysql.connector.connect", "pyodbc.connect", "cx_Oracle.connect", "oracledb.connect"),
    *(f"sqlite3.Connection.{name}" for name in ("execute", "executemany", "executescript", "commit", "rollback")),
    *(f"sqlite3.Cursor.{name}" for name in ("execute", "executemany", "executescript", "fetchall", "fetchone")),
    *(f"psycopg.{owner}.{name}" for owner in ("Connection", "Cursor") for name in ("execute", "commit", "fetchall")),
    *(f"sqlalchemy.orm.Session.{name}" for name in ("execute", "commit", "scalar", "scalars", "flush")),
)
_EXECUTES = ("execute", "executemany", "executescript")
_FETCHES = ("fetchone", "fetchall", "fetchmany", "scalar", "scalars", "first", "one", "all", "mappings", "rowcount")
_ENDS = ("get", "first", "one", "one_or_none", "all", "count", "scalar", "delete", "update")
_WAITS = (
    *("time.sleep", "builtins.input", "select.select", "signal.pause", "concurrent.futures.wait"),
    *("threading.Lock.acquire", "threading.RLock.acquire", "threading.Semaphore.acquire", "threading.Condition.wait"),
    *("threading.BoundedSemaphore.acquire", "threading.Event.wait", "threading.Thread.join", "threading.Barrier.wait"),
    *("queue.Queue.get", "queue.LifoQueue.get", "queue.PriorityQueue.get", "queue.SimpleQueue.get", "queue.Queue.join"),
    *("multiprocessing.Queue.get", "concurrent.futures.Future.result", "concurrent.futures.Future.exception"),
)
_BLOCKING = (*_HTTP, *_PROCESSES, *_NETWORK, *_FILES, *_DATABASES, *_WAITS)
_KNOWN = frozenset(_BLOCKING)
_MAY_POLL = frozenset(_WAITS) | {"subprocess.Popen.wait", "os.waitpid", "multiprocessing.Process.join"}


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call):
        return None
    name = ctx.qualified(node.func)
    if isinstance(ctx.parent(node), cst.Await) or not _in_coroutine(node, ctx):
        return None
    if name not in _KNOWN:
        return _check_query(node, ctx) or _check_way(node, ctx)
    if name in _MAY_POLL and _polls(node, ctx):
        return None
    return Match(f"`{ctx.code(node.func)}` holds up the event loop until it returns", (Plant("blocking", node),))


def _check_query(node: cst.Call, ctx: Context) -> Match | None:
    """A query whose answer is used at once, which no coroutine would give: `db.execute("SELECT ...").fetchone()`."""
    if ctx.waits_for(node) != "the database" or not isinstance(node.func, cst.Attribute):
        return None
    if ".objects." in ctx.code(node.func):
        # Django's ORM refuses to work there
        return None
    if node.func.attr.value in _EXECUTES:
        around = ctx.parent(node)
        used = isinstance(around, cst.Attribute) and around.attr.value in _FETCHES
        statement = isinstance(around, cst.Expr)
        loop = isinstance(around, cst.For) and around.asynchronous is None
        if not (used or statement or loop):
            return None
    return Match(f"`{ctx.code(node.func)}` holds up the event loop until it returns", (Plant("blocking", node),))


def _check_way(node: cst.Call, ctx: Context) -> Match | None:
    way = ctx.way(node)
    if not way:
        return None
    handed = ctx.handed(node)
    timed = node if handed is None else runner(node, ctx)
    if timed is None:
        return None
    callee = ctx.code(handed or node.func)
    message = f"`{callee}` leads to `{way[-1].name}`, which holds up the event loop until it returns"
    return Match(message, (Plant("blocking", timed),), chain=way)


def _in_coroutine(node: cst.Call, ctx: Context) -> bool:
    function = ctx.function(node)
    return isinstance(function, cst.FunctionDef) and function.asynchronous is not None


def _polls(call: cst.Call, ctx: Context) -> bool:
    """Whether the call is told not to wait: `acquire(False)`, `get(block=False)`, `join(timeout=0)`, `WNOHANG`."""
    return any(
        ctx.code(argument.value) in ("False", "0", "0.0") or "WNOHANG" in ctx.code(argument.value)
        for argument in call.args
    )


_TO_THREAD = frozenset(
    (
        *_HTTP,
        *(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "getoutput")),
        *("subprocess.getstatusoutput", "os.system", "os.fsync", "urllib.request.urlopen", "builtins.input"),
        *(name for name in _NETWORK if name.startswith("socket.get")),
        *(name for name in _FILES if name.startswith("shutil.") or ("pathlib." in name and not name.endswith("open"))),
        *("queue.Queue.get", "queue.SimpleQueue.get", "threading.Event.wait", "threading.Thread.join"),
    )
)
_OTHER_LOOPS = ("trio", "anyio", "curio")
_LOCKED = ("lock", "mutex", "semaphore", "condition")


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    assert isinstance(node, cst.Call)
    name = ctx.qualified(node.func)
    if any((ctx.qualified(cst.Name(one)) or "").startswith(one) for one in _OTHER_LOOPS) or not _may_await(node, ctx):
        return None
    if name == "time.sleep":
        if len(node.args) != 1 or node.args[0].keyword is not None or node.args[0].star:
            return None
        code = f"await {edits.imported('asyncio.sleep')}({edits.code(node.args[0].value)})"
    elif name in _TO_THREAD:
        function = cst.Arg(node.func, comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
        arguments = [function, *node.args] if node.args else [cst.Arg(node.func)]
        callee = cst.parse_expression(edits.imported("asyncio.to_thread"))
        code = f"await {edits.code(node.with_changes(func=callee, args=arguments, lpar=(), rpar=()))}"
    else:
        return None
    edits.replace(node, f"({code})" if _binds_tighter(node, ctx) else code)
    return Safety.UNSAFE


def _may_await(node: cst.Call, ctx: Context) -> bool:
    """Whether an `await` may stand there, and no lock of threads is held meanwhile."""
    for parent in ctx.ancestors(node):
        if isinstance(parent, cst.GeneratorExp | cst.Decorator | cst.Param):
            return False
        if isinstance(parent, cst.With) and parent.asynchronous is None:
            items = " ".join(ctx.code(item.item) for item in parent.items).lower()
            if any(word in items for word in _LOCKED):
                return False
        if isinstance(parent, cst.FunctionDef):
            return True
    return False


def _binds_tighter(node: cst.Call, ctx: Context) -> bool:
    parent = ctx.parent(node)
    match parent:
        case cst.Attribute() | cst.Subscript():
            return parent.value is node
        case cst.Call():
            return parent.func is node
    return False


RULE = Rule(
    id="blocking-call-in-async",
    title="Blocking call in a coroutine",
    kind=Kind.BLOCKING,
    page=Page(
        what=(
            "A call that waits for the network, a file, a process, a database, a lock or the clock without giving the"
            " event loop a turn, directly inside an `async def`, or in a function of the project that is called there,"
            " over at most four functions; the chain of calls is shown. Methods count where the type of their object is"
            " proven. Calls in a nested function or lambda are left alone, since these may be handed to a thread; so"
            " are generators, and functions whose decorator may run them elsewhere, once, or not at once."
        ),
        why=(
            "While it waits, no other coroutine of the loop runs: a server answers nobody, heart-beats and timeouts"
            " come late, and the delay of one request becomes the delay of all."
        ),
        harmless=(
            "When it returns at once (a small file from the page cache), or before the loop has anything else to do, as"
            " at start-up and in scripts with a single coroutine."
        ),
        measured=(
            "The time for which the loop stood still in the call: how often it ran on a thread with a running loop, the"
            " total and the longest. Confirmed when one call, or all together, hold up the loop for long."
        ),
        fix=(
            "Use the awaitable counterpart (`asyncio.sleep`, an async client, `asyncio.create_subprocess_exec`), or"
            " hand the function to `asyncio.to_thread`."
        ),
        references=(
            "python-telegram-bot 22.8, telegram/_files/file.py:224: a download of any size, written in the loop",
            "distributed 2026.8.0, distributed/shuffle/_disk.py:228: a directory tree removed in the loop",
            "prefect 3.9.1, prefect/cli/automation.py:575: harmless, a small file in a program with one coroutine",
            "ruff#23425",
        ),
    ),
    triggers=(
        Calls(_BLOCKING, Where(coroutine=True)),
        Calls(tuple(f".{name}" for name in _EXECUTES), Where(coroutine=True)),
        Calls(tuple(f".{name}" for name in _ENDS), Where(coroutine=True), through=("query",)),
        Reaches(_BLOCKING, Where(coroutine=True), polling=tuple(sorted(_MAY_POLL))),
    ),
    expects=Stall(),
    check=check,
    valid=(
        "import asyncio\n\nasync def main():\n    await asyncio.sleep(1)\n",
        # ruff#23425
        "import asyncio\nimport time\n\nasync def main():\n    await asyncio.to_thread(lambda: time.sleep(1))\n",
        "import asyncio\nimport time\n\nasync def main():\n    def work():\n        time.sleep(1)\n\n"
        "    await asyncio.to_thread(work)\n",
        "import time\n\ndef main():\n    time.sleep(1)\n",
        "import asyncio\n\nasync def main():\n    queue = asyncio.Queue(1)\n    lock = asyncio.Lock()\n"
        "    await lock.acquire()\n    return await queue.get()\n",
        "import threading\n\nlock = threading.Lock()\n\nasync def main():\n    return lock.acquire(blocking=False)\n",
        "from aiofiles import open\n\nasync def main():\n    async with open('x') as file:\n"
        "        return await file.read()\n",
        "import anyio\n\nasync def main():\n    return await anyio.Path('x').read_text()\n",
        "import asyncio\nimport time\n\ndef work():\n    time.sleep(1)\n\nasync def main():\n"
        "    await asyncio.to_thread(work)\n",
        # making a generator does not run it
        "def lines():\n    with open('x') as file:\n        yield from file\n\nasync def main(queue):\n"
        "    return lines()\n",
        "import threading\n\nlock = threading.Lock()\n\ndef claim():\n    return lock.acquire(blocking=False)\n\n"
        "async def main():\n    return claim()\n",
        # run through elsewhere; run by a pool
        "import time\n\ndef slow(x):\n    time.sleep(x)\n    return x\n\nasync def f(pool, xs):\n"
        "    return map(slow, xs), list(pool.map(slow, xs))\n",
        # awaited elsewhere, and what gives a coroutine
        "import asyncio\n\nasync def user(db, key):\n    async with db.execute('SELECT 1') as cursor:\n"
        "        print(await cursor.fetchone())\n    await asyncio.gather(db.execute('SELECT 2'))\n"
        "    return db.execute('SELECT 3')\n",
        "async def user(db, key):\n    return (await db.execute('SELECT 1')).fetchone()\n",
    ),
    invalid=(
        "import time\n\nasync def main():\n    time.sleep(1)\n",
        "import time\n\nasync def main():\n    async def inner():\n        pass\n\n    time.sleep(1)\n",
        "import requests\n\nasync def main():\n    return requests.Session().get('http://localhost')\n",
        "import requests\n\nclass Api:\n    def __init__(self):\n        self.session = requests.Session()\n\n"
        "    async def fetch(self, url):\n        return self.session.get(url)\n",
        "import sqlite3\n\ndb = sqlite3.connect('x')\n\nasync def load():\n    return db.execute('select 1')\n",
        "from pathlib import Path\n\nasync def load(folder: Path):\n    return (folder / 'x').read_text()\n",
        "async def load():\n    with open('x') as file:\n        return file.read()\n",
        "from subprocess import run as execute\n\nasync def build():\n    execute(['make'])\n",
        "import threading\n\nclass Box:\n    def __init__(self):\n        self.ready = threading.Event()\n\n"
        "    async def wait(self):\n        self.ready.wait(5)\n",
        "import queue\n\nasync def drain(jobs: queue.Queue):\n    return jobs.get()\n",
        # two calls away
        "import requests\n\ndef get(url):\n    return requests.get(url)\n\ndef load(name):\n"
        "    return get('http://localhost/' + name).json()\n\nasync def handler(name):\n    return load(name)\n",
        "import time\n\nclass Device:\n    def settle(self):\n        time.sleep(0.1)\n\n"
        "    async def switch(self, on):\n        self.on = on\n        self.settle()\n",
        # a function that runs for every item
        "import time\n\ndef slow(x):\n    time.sleep(x)\n    return x\n\nasync def f(xs):\n"
        "    return sum(map(slow, xs))\n",
        # answers that are there at once
        "async def user(db, key):\n    return db.execute('SELECT * FROM users WHERE id = ?', (key,)).fetchone()\n",
        "async def user(session, key):\n    return session.query(User).filter_by(id=key).first()\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "Other coroutines run while it waits, and see what was half done; the coroutine can be cancelled"
            " there. With `asyncio.to_thread` (Python 3.9) the call runs in another thread, which what it is"
            " called on must allow. There is no fix for `open`, databases and locks, for code that uses trio or"
            " anyio, and below a `with` of a lock."
        ),
        fixed=(
            "import asyncio\nimport time\n\nasync def main():\n    await asyncio.sleep(1)\n",
            "import asyncio\nimport time\n\nasync def main():\n    async def inner():\n        pass\n\n"
            "    await asyncio.sleep(1)\n",
            "import asyncio\n\nimport requests\n\nasync def main():\n"
            "    return await asyncio.to_thread(requests.Session().get, 'http://localhost')\n",
            "import asyncio\n\nimport requests\n\nclass Api:\n    def __init__(self):\n"
            "        self.session = requests.Session()\n\n    async def fetch(self, url):\n"
            "        return await asyncio.to_thread(self.session.get, url)\n",
            None,
            "import asyncio\nfrom pathlib import Path\n\nasync def load(folder: Path):\n"
            "    return await asyncio.to_thread((folder / 'x').read_text)\n",
            None,
            "import asyncio\nfrom subprocess import run as execute\n\nasync def build():\n"
            "    await asyncio.to_thread(execute, ['make'])\n",
            "import asyncio\nimport threading\n\nclass Box:\n    def __init__(self):\n"
            "        self.ready = threading.Event()\n\n    async def wait(self):\n"
            "        await asyncio.to_thread(self.ready.wait, 5)\n",
            "import asyncio\nimport queue\n\nasync def drain(jobs: queue.Queue):\n"
            "    return await asyncio.to_thread(jobs.get)\n",
            None,
            None,
            None,
            None,
            None,
        ),
    ),
)
