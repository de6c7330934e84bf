"""A queue without a bound."""

from __future__ import annotations

from auditor import cst
from auditor.model import Backlog
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule

_FAMILIES = ("asyncio", "queue", "multiprocessing", "asyncio.queues")
_CLASSES = ("Queue", "LifoQueue", "PriorityQueue", "JoinableQueue", "SimpleQueue")
_QUEUES = tuple(f"{family}.{name}" for family in _FAMILIES for name in _CLASSES)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call):
        return None
    if not ctx.derives_from(node.func, _QUEUES) or _bounded(node, ctx):
        return None
    return Match(f"`{ctx.code(node.func)}` has no bound, so nothing slows its producer down", (Plant("queue", node),))


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
            " project that is derived from a queue's."
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
            " with the number of puts; rejected when the queue stays short over many puts."
        ),
        fix="Give `maxsize` and decide what happens when it is reached: wait, drop, or refuse.",
        references=(
            "True: CPython 3.11.7, Lib/concurrent/futures/thread.py:150, what is submitted waits without a limit",
            "Harmless: uvicorn 0.54.0, uvicorn/lifespan/on.py:40, two messages in the life of a server",
            *("lionagi#2013", "soliplex#721", "osf-sync#74"),
        ),
    ),
    triggers=(Calls(_QUEUES),),
    expects=Backlog(),
    check=check,
    valid=(
        "import asyncio\n\nasync def main():\n    queue = asyncio.Queue(maxsize=100)\n",
        "import queue\n\njobs = queue.Queue(64)\n",
        "import asyncio\n\ndef make(limit):\n    return asyncio.Queue(limit)\n",
        "class Queue:\n    pass\n\njobs = Queue()\n",
    ),
    invalid=(
        "import asyncio\n\nasync def main():\n    queue = asyncio.Queue()\n",
        "from asyncio import Queue as Q\n\njobs = Q()\n",
        "import queue\n\nclass Pool:\n    def __init__(self):\n        self.jobs = queue.Queue(maxsize=0)\n",
        "import queue\n\nAlias = queue.SimpleQueue\n\ndef make():\n    return Alias()\n",
        "import asyncio\n\ndef make():\n    return asyncio.PriorityQueue(-1)\n",
        "import asyncio\n\nclass Inbox(asyncio.Queue):\n    pass\n\nclass Actor:\n    def __init__(self):\n"
        "        self.inbox = Inbox()\n",
    ),
)
