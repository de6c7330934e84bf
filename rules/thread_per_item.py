"""A thread started for every item or call."""

from __future__ import annotations

from auditor import cst
from auditor.model import Survivors
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule
from auditor.shapes import is_starter, makes_a_crew

_THREAD = "threading.Thread"


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or not ctx.derives_from(node.func, (_THREAD,)):
        return None
    loops = ctx.loops(node)
    if loops:
        message = "a thread is made at every turn of the loop"
        return None if makes_a_crew(loops, ctx) else Match(message, (Plant("thread", node),))
    if ctx.runs_once(node) or ctx.kept_once(node) or ctx.returned(node) or _in_lifecycle(node, ctx):
        return None
    return Match("a thread is made at every call of the function", (Plant("thread", node),))


def _in_lifecycle(node: cst.CSTNode, ctx: Context) -> bool:
    function = ctx.function(node)
    return isinstance(function, cst.FunctionDef) and is_starter(function.name.value)


RULE = Rule(
    id="thread-per-item",
    title="Thread for every item or call",
    kind=Kind.LEAK,
    page=Page(
        what=(
            "A `threading.Thread`, or a subclass defined in the same module, made in a loop or in a function that may"
            " be called for every item or request. Exempt are loops over a literal of at most 16 turns, start-up"
            " methods such as `__init__` and `start`, and threads that are kept in an attribute behind a guard."
        ),
        why=(
            "Starting a thread takes tens of microseconds and reserves a stack. Where items arrive faster than threads"
            " finish, their number has no bound: memory grows, and they all contend for the interpreter lock."
        ),
        harmless=(
            "When few threads are made over the life of the process, when something outside bounds the number of"
            " items, or when each thread lives long enough that its start does not matter."
        ),
        measured=(
            "A census of the threads made here: how many, how many alive at once and at the end, and the time spent in"
            " starting them. Confirmed when many are alive at once or their start is a sizeable part of the run."
        ),
        fix="Hand the items to one `ThreadPoolExecutor` with a fixed number of workers, or to a queue with a crew.",
        references=(
            "CPython 3.11.7, multiprocessing/managers.py:192: a thread for every connection, without a bound",
            "CPython 3.11.7, concurrent/futures/thread.py:194: harmless, the pool counts its threads before",
            "bpo-37193: socketserver.ThreadingMixIn kept every thread it had started",
        ),
    ),
    triggers=(Calls((_THREAD,)),),
    expects=Survivors(noun="threads", churn=("threading.py:start",)),
    check=check,
    valid=(
        "import threading\n\ndef main():\n    threading.Thread(target=work).start()\n",
        "import threading\n\ndef crew():\n    for _ in range(4):\n        threading.Thread(target=work).start()\n",
        "import threading\n\nclass Pump:\n    def start(self):\n"
        "        self.thread = threading.Thread(target=self.run)\n        self.thread.start()\n",
        "import threading\n\nclass Pump:\n    def wake(self):\n        if self.thread is None:\n"
        "            self.thread = threading.Thread(target=self.run)\n",
        "class Thread:\n    pass\n\ndef reply(message):\n    return post(Thread(message))\n",
        "import threading\n\ndef both(left, right):\n    for target in (left, right):\n"
        "        threading.Thread(target=target).start()\n",
        "import threading\n\ndef name():\n    return threading.current_thread().name\n",
    ),
    invalid=(
        "import threading\n\ndef handle(request):\n    threading.Thread(target=work, args=(request,)).start()\n",
        "from threading import Thread\n\ndef main(items):\n    for item in items:\n"
        "        Thread(target=work, args=(item,)).start()\n",
        "import threading\n\ndef fan(urls):\n    threads = [threading.Thread(target=get, args=(u,)) for u in urls]\n"
        "    for thread in threads:\n        thread.start()\n",
        "import threading\n\nclass Worker(threading.Thread):\n    pass\n\ndef serve(listener):\n    while True:\n"
        "        connection, _ = listener.accept()\n        Worker(connection).start()\n",
        "import threading\n\ndef crew(num_workers):\n    for _ in range(num_workers):\n"
        "        threading.Thread(target=work).start()\n",
        "import threading\n\nclass Base(threading.Thread):\n    pass\n\nclass Derived(Base):\n    pass\n\n"
        "def on_message(message):\n    Derived(message).start()\n",
    ),
)
