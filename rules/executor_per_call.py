"""A pool of workers made anew for every call."""

from __future__ import annotations

from auditor import cst
from auditor.model import Survivors
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule, Where

_EXECUTORS = (
    *("concurrent.futures.ThreadPoolExecutor", "concurrent.futures.thread.ThreadPoolExecutor"),
    *("concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor"),
    "concurrent.futures.InterpreterPoolExecutor",
    *("multiprocessing.Pool", "multiprocessing.pool.Pool", "multiprocessing.dummy.Pool"),
    *("multiprocessing.pool.ThreadPool", "multiprocessing.context.BaseContext.Pool"),
    *("billiard.Pool", "billiard.pool.Pool", "pathos.multiprocessing.ProcessingPool"),
)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or not ctx.derives_from(node.func, _EXECUTORS):
        return None
    callee = ctx.code(node.func)
    if ctx.loops(node):
        return Match(f"`{callee}` is made at every turn of the loop", (Plant("executor", node),))
    if ctx.runs_once(node) or ctx.kept_once(node) or ctx.returned(node):
        return None
    return Match(f"`{callee}` is made at every call of the function", (Plant("executor", node),))


RULE = Rule(
    id="executor-per-call",
    title="Executor made for every call",
    kind=Kind.LEAK,
    page=Page(
        what=(
            "A thread or process pool (`concurrent.futures` executors, `multiprocessing.Pool`, `ThreadPool`)"
            " constructed inside a function or loop, also as `with ThreadPoolExecutor() as pool:`. Exempt are pools"
            " kept by a start-up method, behind a guard or in a cached function, and factories that return the pool."
        ),
        why=(
            "Each pool starts its workers anew and ends them when it is shut down: threads cost tens of microseconds,"
            " processes tens of milliseconds and a fresh import of their modules. A pool that is never shut down keeps"
            " its workers, so they add up from call to call."
        ),
        harmless=(
            "When the function is called a few times in the life of the process, or when what the pool does dwarfs its"
            " start, as in a batch job that runs for minutes."
        ),
        measured=(
            "A census of the executors made here: how many, how many were never shut down, and the time spent in"
            " starting threads and processes. Confirmed when they add up or their start is a sizeable part of the run."
        ),
        fix=(
            "Keep one pool per process, made at start-up and shut down at exit, and hand work to it; in asyncio,"
            " `asyncio.to_thread` has one already."
        ),
        references=(
            "celery 5.7.0, celery/backends/gcs.py:108: a pool for every `mget`",
            "CPython 3.11.7, compileall.py:102: harmless, one pool for a whole tree of files",
        ),
    ),
    triggers=(Calls((*_EXECUTORS, ".Pool"), Where(function=True)), Calls(_EXECUTORS, Where(loop=True))),
    expects=Survivors(noun="executors", churn=("threading.py:start", "multiprocessing/process.py:start")),
    check=check,
    valid=(
        "from concurrent.futures import ThreadPoolExecutor\n\nPOOL = ThreadPoolExecutor()\n",
        "from concurrent.futures import ThreadPoolExecutor\n\ndef main():\n    with ThreadPoolExecutor() as pool:\n"
        "        pool.map(work, jobs)\n",
        "from concurrent.futures import ThreadPoolExecutor\n\nclass Client:\n    def __init__(self):\n"
        "        self.pool = ThreadPoolExecutor(4)\n",
        "from concurrent.futures import ThreadPoolExecutor\n\n_pool = None\n\ndef pool():\n    global _pool\n"
        "    if _pool is None:\n        _pool = ThreadPoolExecutor()\n    return _pool\n",
        "import functools\nfrom concurrent.futures import ThreadPoolExecutor\n\n@functools.cache\ndef pool():\n"
        "    executor = ThreadPoolExecutor()\n    return executor\n",
        "import sqlalchemy.pool\n\ndef handle():\n    return run(sqlalchemy.pool.Pool())\n",
    ),
    invalid=(
        "from concurrent.futures import ThreadPoolExecutor\n\ndef fetch(urls):\n"
        "    with ThreadPoolExecutor() as pool:\n        return list(pool.map(get, urls))\n",
        "import concurrent.futures\n\nclass Client:\n    def submit(self, job):\n"
        "        self.pool = concurrent.futures.ProcessPoolExecutor()\n        return self.pool.submit(job)\n",
        "import multiprocessing\n\ndef crunch(parts):\n    context = multiprocessing.get_context('spawn')\n"
        "    with context.Pool(4) as pool:\n        return pool.map(work, parts)\n",
        "from multiprocessing.pool import ThreadPool as Workers\n\ndef main(batches):\n    for batch in batches:\n"
        "        Workers(8).map(work, batch)\n",
        "import multiprocessing as mp\n\ndef crunch(parts):\n    pool = mp.Pool()\n    return pool.map(work, parts)\n",
    ),
)
