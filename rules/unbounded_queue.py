"""A queue without a bound."""

from __future__ import annotations

from auditor import cst
from auditor.model import Backlog
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule

_FAMILIES = ("asyncio", "queue", "multiprocessing", "asyncio.queues")
_CLASSES = ("Queue", "LifoQueue", "PriorityQueue", "JoinableQueue", "SimpleQueue")
_MAKERS = ("multiprocessing.context.BaseContext", "multiprocessing.managers.SyncManager")
_QUEUES = tuple(f"{family}.{name}" for family in (*_FAMILIES, *_MAKERS) for name in _CLASSES)
_FACTORY_KEYWORDS = ("default_factory", "factory")
_BY_FACTORY = ("field", "Field", "ib", "attrib", "mapped_column", "defaultdict")
"""Functions that are handed what makes the value of an attribute or a missing entry."""


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call):
        return None
    made: cst.BaseExpression = node
    if not ctx.derives_from(node.func, _QUEUES):
        made = _factory(node, ctx) or node
        if made is node:
            return None
    elif _bounded(node, ctx):
        return None
    name = ctx.code(node.func if made is node else made)
    return Match(f"`{name}` has no bound, so nothing slows its producer down", (Plant("queue", made),), made)


def _factory(call: cst.Call, ctx: Context) -> cst.BaseExpression | None:
    """The class of a queue that the call is handed to make one when it is wanted: `field(default_factory=Queue)`."""
    for index, argument in enumerate(call.args):
        keyword = "" if argument.keyword is None else argument.keyword.value
        if argument.star or not (keyword in _FACTORY_KEYWORDS if keyword else _is_of_defaultdict(call, index, ctx)):
            continue
        if isinstance(argument.value, cst.Name | cst.Attribute) and ctx.derives_from(argument.value, _QUEUES):
            return argument.value
    return None


def _is_of_defaultdict(call: cst.Call, index: int, ctx: Context) -> bool:
    return index == 0 and ctx.qualified(call.func) == "collections.defaultdict"


def _bounded(call: cst.Call, ctx: Context) -> bool:
    for argument in call.args:
        if argument.star:
            return True
        if argument.keyword is None or argument.keyword.value == "maxsize":
            # what is not a literal zero or below may be a bound
            return not (ctx.is_constant(argument.value) and _at_most_zero(ctx.code(argument.value)))
    return False


def _at_most_zero(text: str) -> bool:
    try:
        return float(text) <= 0
    except ValueError:
        return False


RULE = Rule(
    id="unbounded-queue",
    title="Queue without a bound",
    kind=Kind.GROWTH,
    page=Page(
        what=(
            "A queue created with `maxsize` absent, zero or negative, which all mean *no limit*; also of a class of the"
            " project that is derived from a queue's, of a context or manager of `multiprocessing`, and by"
            " `field(default_factory=Queue)` or `defaultdict(Queue)`."
        ),
        why=(
            "When the producer is faster than the consumer, the queue takes up the difference: memory grows for as long"
            " as the load lasts, and every item waits longer than the one before it."
        ),
        harmless=(
            "When the producer cannot outrun the consumer (one request in flight at a time, a fixed batch), or when"
            " blocking the producer would be worse than the memory: bounding a download queue once stopped downloads."
        ),
        measured=(
            "The length after every put, per queue created here. Confirmed when the greatest length is large and rises"
            " with the number of puts; rejected when it stays short over many puts, or was long at first alone; in"
            " doubt when it held a fixed batch before anything was taken, and was emptied."
        ),
        fix="Give `maxsize` and decide what happens when it is reached: wait, drop, or refuse.",
        references=(
            "True: CPython 3.11.7, Lib/concurrent/futures/thread.py:150, what is submitted waits without a limit",
            "Harmless: uvicorn 0.54.0, uvicorn/lifespan/on.py:40, two messages in the life of a server",
            *("lionagi#2013", "soliplex#721", "osf-sync#74"),
        ),
    ),
    triggers=(Calls(_QUEUES), Calls(tuple(f".{name}" for name in _BY_FACTORY))),
    expects=Backlog(),
    check=check,
    valid=(
        "import asyncio\n\nasync def main():\n    queue = asyncio.Queue(maxsize=100)\n",
        "import queue\n\njobs = queue.Queue(64)\n",
        "import asyncio\n\ndef make(limit):\n    return asyncio.Queue(limit)\n",
        "class Queue:\n    pass\n\njobs = Queue()\n",
        "import asyncio\nfrom dataclasses import dataclass, field\n\n@dataclass\nclass Actor:\n"
        "    jobs: list = field(default_factory=list)\n"
        "    inbox: asyncio.Queue = field(default_factory=lambda: asyncio.Queue(10))\n",
        "import multiprocessing as mp\n\ndef start(manager):\n"
        "    return mp.get_context('spawn').Queue(8), mp.Manager().Queue(8), manager.Queue()\n",
    ),
    invalid=(
        "import asyncio\n\nasync def main():\n    queue = asyncio.Queue()\n",
        "from asyncio import Queue as Q\n\njobs = Q()\n",
        "import queue\n\nclass Pool:\n    def __init__(self):\n        self.jobs = queue.Queue(maxsize=0)\n",
        "import queue\n\nAlias = queue.SimpleQueue\n\ndef make():\n    return Alias()\n",
        "import asyncio\n\ndef make():\n    return asyncio.PriorityQueue(-1)\n",
        "import asyncio\n\nclass Inbox(asyncio.Queue):\n    pass\n\nclass Actor:\n    def __init__(self):\n"
        "        self.inbox = Inbox()\n",
        # made by what is handed the class
        "import asyncio\nfrom dataclasses import dataclass, field\n\n@dataclass\nclass Actor:\n"
        "    inbox: asyncio.Queue = field(default_factory=asyncio.Queue)\n",
        "from collections import defaultdict\nfrom queue import Queue\n\njobs = defaultdict(Queue)\n",
        "import multiprocessing\n\ndef start():\n    return multiprocessing.get_context('spawn').Queue()\n",
        "from multiprocessing import Manager\n\ndef start():\n    with Manager() as manager:\n"
        "        return manager.Queue()\n",
    ),
)
