"""A lock that is held while something waits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from auditor import cst
from auditor.model import Wait
from auditor.rule import Calls, Context, Kind, Loop, Match, Nodes, Page, Plant, Reaches, Rule, Where

_LOCKS = tuple(
    f"{module}.{name}"
    for module in ("threading", "asyncio", "multiprocessing")
    for name in ("Lock", "RLock", "Condition")
)
_NAMED = re.compile(r"(?:^|[._])(?:r?lock|mutex)\d*$", re.IGNORECASE)
_CALLBACK = re.compile(
    r"(?!add_|remove_|set_|register_|unregister_|get_|has_|is_|clear_)(?:\w*_)?(?:callback|cb|handler|hook|listener|observer|subscriber)",
    re.IGNORECASE,
)
_SLOW_AWAITS = re.compile(
    r"(?:^|_)(?:fetch|get|post|put|request|download|upload|send|execute|query|connect|read|load|save|refresh|sleep)"
)
_AT_HAND = ("acquire", "release", "wait", "notify", "notify_all", "wait_for")
_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request")
_ENDS = (
    *(f"{owner}.{verb}" for owner in ("requests", "requests.Session", "httpx", "httpx.Client") for verb in _VERBS),
    *("urllib.request.urlopen", "http.client.HTTPConnection.getresponse", "socket.create_connection"),
    *("socket.socket.connect", "socket.socket.recv", "socket.socket.sendall", "time.sleep", "os.fsync", "os.system"),
    *(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen.wait")),
    *("builtins.open", "shutil.copyfile", "shutil.copytree", "shutil.rmtree"),
    *(f"pathlib.Path.{name}" for name in ("open", "read_text", "write_text", "read_bytes", "write_bytes")),
)
"""What the functions wait for that are called under a lock."""
_STEPS = 3
"""Two functions and the end: over more, it is mostly a setting that is read once."""
_FUNCTIONS = (cst.FunctionDef, cst.Lambda, cst.ClassDef)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.With | cst.Call) or (isinstance(node, cst.Call) and not _acquires(node)):
        return None
    if isinstance(node, cst.With):
        lock = next((item.item for item in node.items if _is_lock(item.item, ctx)), None)
        held: Sequence[cst.CSTNode] = [node.body]
        awaited = node.asynchronous is not None
    else:
        lock = node.func.value if isinstance(node.func, cst.Attribute) else None
        held = _until_release(node, ctx) if lock is not None and _is_lock(lock, ctx) else ()
        awaited = isinstance(ctx.parent(node), cst.Await)
    if lock is None or ctx.runs_once(node):
        return None
    for call in (call for part in held for call in _own_calls(part)):
        waits, way = _reason(call, awaited, ctx), ctx.way(call)
        if waits is None and 0 < len(way) <= _STEPS:
            waits = f"leads to `{way[-1].name}`"
        if waits is not None and not _happens_once(call, held, ctx):
            callee = " ".join(ctx.code(call.func).split())
            return Match(f"`{ctx.code(lock)}` is held while `{callee}` {waits}", (Plant("lock", node),), chain=way)
    return None


def _acquires(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Attribute) and call.func.attr.value == "acquire"


def _until_release(acquire: cst.Call, ctx: Context) -> Sequence[cst.CSTNode]:
    """What runs from `lock.acquire()` on until `lock.release()`; nothing if the function does not release it."""
    assert isinstance(acquire.func, cst.Attribute)
    name = ctx.code(acquire.func.value).strip()
    child: cst.CSTNode = acquire
    for parent in ctx.ancestors(acquire):
        if isinstance(parent, cst.If) and child is parent.test and not isinstance(child, cst.UnaryOperation):
            found = _up_to_release([parent.body], name, ctx)
        elif isinstance(parent, cst.IndentedBlock):
            after = list(parent.body)[[one is child for one in parent.body].index(True) + 1 :]
            found = _up_to_release(after, name, ctx)
        else:
            found = ()
        if found or isinstance(parent, _FUNCTIONS):
            return found
        child = parent
    return ()


def _up_to_release(statements: Sequence[cst.CSTNode], name: str, ctx: Context) -> Sequence[cst.CSTNode]:
    held: list[cst.CSTNode] = []
    for statement in statements:
        releases = any(_releases(call, name, ctx) for call in ctx.inside(statement, cst.Call))
        if isinstance(statement, cst.Try) and statement.finalbody is not None and releases:
            return [*held, statement.body]
        held.append(statement)
        if releases:
            return held
    return ()


def _releases(call: cst.Call, name: str, ctx: Context) -> bool:
    match call.func:
        case cst.Attribute(value=owner, attr=cst.Name(value="release")):
            return ctx.code(owner).strip() == name
    return False


def _is_lock(expression: cst.BaseExpression, ctx: Context) -> bool:
    kind = ctx.type_of(expression)
    if kind is not None:
        return kind in _LOCKS
    return isinstance(expression, cst.Name | cst.Attribute) and _NAMED.search(ctx.code(expression)) is not None


def _own_calls(body: cst.CSTNode) -> Iterator[cst.Call]:
    """Calls in the body, without what stands in functions defined there."""
    stack: list[cst.CSTNode] = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.Call):
            yield node
        stack.extend(child for child in reversed(node.children) if not isinstance(child, _FUNCTIONS))


def _reason(call: cst.Call, asynchronous: bool, ctx: Context) -> str | None:
    waited = ctx.waits_for(call)
    if waited is not None:
        return f"waits for {waited}"
    if _is_callback(call, ctx):
        return "runs code of others"
    awaited = asynchronous and _is_awaited(call, ctx)
    name = call.func.attr.value if isinstance(call.func, cst.Attribute) else ctx.code(call.func)
    return "is awaited" if awaited and name not in _AT_HAND and _SLOW_AWAITS.search(name) else None


def _is_awaited(call: cst.Call, ctx: Context) -> bool:
    """Whether it is awaited: `await f()`, `async with f():`."""
    around = ctx.parent(call)
    if isinstance(around, cst.WithItem):
        statement = ctx.parent(around)
        return isinstance(statement, cst.With) and statement.asynchronous is not None
    return isinstance(around, cst.Await)


def _is_callback(call: cst.Call, ctx: Context) -> bool:
    """Whether it calls a parameter of the function, or what is called a callback, hook or listener."""
    match call.func:
        case cst.Name(value=name):
            function = ctx.function(call)
            return (
                _CALLBACK.fullmatch(name) is not None
                or (isinstance(function, cst.FunctionDef) and name in _parameters(function))
                or any(_gives_callback(name, loop, ctx) for loop in ctx.loops(call))
            )
        case cst.Attribute(attr=cst.Name(value=name)):
            return _CALLBACK.fullmatch(name) is not None
    return False


def _gives_callback(name: str, loop: Loop, ctx: Context) -> bool:
    """Whether the loop goes through what is called callbacks, hooks or listeners, each by that name."""
    if not isinstance(loop, cst.For) or name not in ctx.binds(loop):
        return False
    names = ctx.inside(loop.iter, cst.Name)
    return any(_CALLBACK.fullmatch(one.value.rstrip("s")) for one in names)


def _parameters(function: cst.FunctionDef) -> set[str]:
    listed = (*function.params.params, *function.params.kwonly_params, *function.params.posonly_params)
    return {parameter.name.value for parameter in listed} - {"self", "cls"}


def _happens_once(call: cst.Call, held: Sequence[cst.CSTNode], ctx: Context) -> bool:
    """Whether it makes, under the lock, what is not there yet."""
    for parent in ctx.ancestors(call):
        if any(parent is part for part in held):
            return False
        if isinstance(parent, cst.If) and isinstance(parent.test, cst.UnaryOperation | cst.Comparison):
            text = ctx.code(parent.test)
            if text.endswith(" is None") or text.startswith("not "):
                return True
    return False


RULE = Rule(
    id="io-under-lock",
    title="Lock held while something waits",
    kind=Kind.BLOCKING,
    page=Page(
        what=(
            "A `with` or `async with` on a lock (by its type, or by a name that ends in `lock` or `mutex`), or what"
            " stands between `lock.acquire()` and `lock.release()` in one function, that"
            " opens or copies files, sleeps, starts a process, speaks to a server or database, or calls a parameter,"
            " callback or hook. So is a `with` whose body calls a function of the project that does so, over at most"
            " two functions; the chain of calls is shown. What is made only while it is not there yet is not flagged."
        ),
        why=(
            "For as long as the holder waits, everyone else who wants the lock waits too, so that work on many threads"
            " or tasks proceeds one at a time. Code of others may even want the same lock, and never get it."
        ),
        harmless=(
            "When the lock is there to serialise just that I/O (one writer of a log file, one user of a connection), or"
            " when nobody else wants it."
        ),
        measured=(
            "How often the lock was taken, the seconds waited for it and the seconds it was held. Confirmed when"
            " others waited for a sizeable part of the run. Where the lock is asyncio's and the work under it"
            " blocks, how long the event loop stands still is told by `blocking-call-in-async`."
        ),
        fix=(
            "Take what is needed under the lock, release it, then wait. To keep two callers from doing the same work,"
            " use a lock per key, or keep the future of the first and let the others wait for that."
        ),
        references=(
            "celery 5.7.0, celery/events/state.py:444: any function, with the whole state locked",
            "prefect 3.9.1, prefect/_internal/control_listener.py:158: harmless, the lock is there for the socket",
            "flake8-async ASYNC251",
        ),
    ),
    triggers=(
        Nodes(("With", "AsyncWith"), Where(function=True)),
        Calls((".acquire",), Where(function=True)),
        Reaches(_ENDS, Where(held=True)),
        Reaches((".execute", ".executemany"), Where(held=True), waits_for="the database"),
    ),
    expects=Wait(),
    check=check,
    valid=(
        "import threading\n\nlock = threading.Lock()\ntable = {}\n\ndef put(key, value):\n    with lock:\n"
        "        table[key] = value\n",
        "import threading, requests\n\nlock = threading.Lock()\n\ndef fetch(url):\n    with lock:\n"
        "        n = count()\n"
        "    return requests.get(url, n)\n",
        # made once
        "import threading, json\n\n_lock = threading.Lock()\n_config = None\n\ndef config():\n    global _config\n"
        "    with _lock:\n        if _config is None:\n            _config = json.load(open('config.json'))\n"
        "    return _config\n",
        # called later
        "import threading, time\n\nlock = threading.Lock()\njobs = []\n\ndef add():\n    with lock:\n"
        "        jobs.append(lambda: time.sleep(1))\n",
        "def save(path, clock):\n    with open(path) as file:\n        return file.read()\n",
        "def wait(blocker):\n    with blocker:\n        print('done')\n",
        "async def take(condition_lock, items):\n    async with condition_lock:\n        await condition_lock.wait()\n"
        "        return items.pop()\n",
        # what is called waits for nothing; it is handed on
        "import time\n\ndef work():\n    time.sleep(1)\n\ndef note(items):\n    items.append(1)\n\n"
        "def f(pool, lock, items):\n    with lock:\n        note(items)\n        pool.submit(work)\n",
        # released before, elsewhere, or not there to release
        "import threading, time\n\nlock = threading.Lock()\n\ndef wait():\n    lock.acquire()\n    n = len(table)\n"
        "    lock.release()\n    time.sleep(n)\n\ndef begin():\n    lock.acquire()\n    time.sleep(1)\n",
        "import time\n\ndef take(lock):\n    if not lock.acquire(timeout=1):\n        time.sleep(1)\n        return\n"
        "    lock.release()\n",
    ),
    invalid=(
        # by way of a function
        "import json\n\nclass State:\n    def set(self, key, value):\n        with self._lock:\n"
        "            self.data[key] = value\n            self._save()\n\n    def _save(self):\n"
        "        with open(self.path, 'w') as file:\n            json.dump(self.data, file)\n",
        "async def load(self, session, url):\n    async with self.lock:\n"
        "        async with session.get(url) as answer:\n            self.data = answer\n",
        "import threading, requests\n\nlock = threading.Lock()\n\ndef fetch(url):\n    with lock:\n"
        "        return requests.get(url)\n",
        "import asyncio\n\nclass Api:\n    def __init__(self, session):\n        self.session = session\n"
        "        self.guard = asyncio.Lock()\n\n    async def get(self, url):\n        async with self.guard:\n"
        "            return await self.session.get(url)\n",
        "class Bus:\n    def emit(self, name, event):\n        with self._lock:\n"
        "            for run in self.handlers.get(name, ()):\n                run(event)\n",
        "class Bus:\n    def emit(self, event):\n        with self._lock:\n"
        "            for callback in self.callbacks:\n"
        "                callback(event)\n",
        "import time\n\ndef poll(state, lock):\n    while True:\n        with lock:\n            time.sleep(0.1)\n",
        "import threading\n\ndef update(key, compute):\n    with LOCK:\n        TABLE[key] = compute(key)\n",
        "class Store:\n    def save(self, row):\n        with self.mutex:\n"
        "            self.db.execute('INSERT INTO t VALUES (?)', row)\n",
        # without `with`
        "import threading, requests\n\nlock = threading.Lock()\n\ndef fetch(url):\n    lock.acquire()\n    try:\n"
        "        return requests.get(url)\n    finally:\n        lock.release()\n",
        "import asyncio\n\nclass Api:\n    def __init__(self, session):\n        self.session = session\n"
        "        self.guard = asyncio.Lock()\n\n    async def get(self, url):\n        await self.guard.acquire()\n"
        "        found = await self.session.get(url)\n        self.guard.release()\n        return found\n",
        "import time\n\ndef poll(lock):\n    if lock.acquire(timeout=1):\n        try:\n            time.sleep(1)\n"
        "        finally:\n            lock.release()\n",
    ),
)
