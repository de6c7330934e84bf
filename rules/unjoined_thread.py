"""A thread that is started and never joined nor kept."""

from __future__ import annotations

from auditor import cst
from auditor.model import Survivors
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule
from auditor.shapes import is_starter, makes_a_crew

_THREAD = "threading.Thread"


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or not ctx.derives_from(node.func, (_THREAD,)):
        return None
    if not _is_repeated(node, ctx) or not ctx.abandoned(node, ("join",)):
        return None
    daemon = " and, being a daemon, ends only with the process" if _is_daemon(node) else ""
    return Match(f"the thread is started, never joined and kept nowhere{daemon}", (Plant("thread", node),))


def _is_repeated(node: cst.Call, ctx: Context) -> bool:
    """Whether the thread is one of a crew or of a method that starts something.

    Threads made for every item or call are the matter of `thread-per-item`.
    """
    function = ctx.function(node)
    if not isinstance(function, cst.FunctionDef):
        return False
    if loops := ctx.loops(node):
        return makes_a_crew(loops, ctx) and not function.name.value.startswith("test_")
    # a free function of that name is the program's own start
    return is_starter(function.name.value) and _is_method(function, ctx)


def _is_method(function: cst.FunctionDef, ctx: Context) -> bool:
    parameters = function.params.params
    return bool(parameters) and parameters[0].name.value in ("self", "cls") and ctx.function(function) is None


def _is_daemon(call: cst.Call) -> bool:
    return any(
        argument.keyword is not None
        and argument.keyword.value == "daemon"
        and isinstance(argument.value, cst.Name)
        and argument.value.value == "True"
        for argument in call.args
    )


RULE = Rule(
    id="unjoined-thread",
    title="Thread that is never joined",
    kind=Kind.LEAK,
    page=Page(
        what=(
            "A `threading.Thread`, or a subclass defined in the same module, that a method such as `__init__`, `start`"
            " or `connect`, or a loop over a small crew, starts, never joins and keeps nowhere. Daemon threads are"
            " flagged too: they run on. Threads for every item or call are reported by `thread-per-item`."
        ),
        why=(
            "Nobody can wait for the thread, so nobody knows when it ended. Each object that is made or started again"
            " adds one; where the old one has no reason to end (a loop without a stop, a read that blocks), they pile"
            " up, each with its stack, its object and all that this refers to."
        ),
        harmless=(
            "When the method runs once in the life of the process, when the thread ends by itself soon, or when it is"
            " meant to live as long as the program."
        ),
        measured=(
            "A census of the threads made here: how many, how many alive at once and at the end. Confirmed when they"
            " pile up; rejected when all of many have ended."
        ),
        fix=(
            "Keep the thread in the object, give it an event to stop by, and join it in `close` or `stop`; or hand its"
            " work to an executor that is shut down."
        ),
        references=(
            "homeassistant 2024.3.3, components/fritzbox_callmonitor/sensor.py:197: one more at each connection",
            "CPython 3.11.7, multiprocessing/managers.py:171: harmless, one thread for as long as the server lives",
            "bpo-37193: threads of socketserver were kept, and never joined",
        ),
    ),
    triggers=(Calls((_THREAD,)),),
    expects=Survivors(noun="threads"),
    check=check,
    valid=(
        "import threading\n\nclass Pump:\n    def start(self):\n"
        "        self.thread = threading.Thread(target=self.run)\n        self.thread.start()\n",
        "import threading\n\ndef main():\n    threading.Thread(target=work).start()\n",
        "import threading\n\nclass Pump:\n    def run(self):\n        thread = threading.Thread(target=self.pump)\n"
        "        thread.start()\n        thread.join()\n",
        "import threading\n\nclass Pump:\n    def start(self):\n        thread = threading.Thread(target=self.run)\n"
        "        thread.start()\n        self.threads.append(thread)\n",
        "import threading\n\nclass Pump:\n    def start(self):\n        thread = threading.Thread(target=self.run)\n"
        "        thread.start()\n        return thread\n",
        "import threading\n\ndef crew():\n    threads = [threading.Thread(target=work) for _ in range(4)]\n"
        "    for thread in threads:\n        thread.start()\n    for thread in threads:\n        thread.join()\n",
        # another rule
        "import threading\n\nclass Server:\n    def handle(self, request):\n"
        "        threading.Thread(target=work, args=(request,)).start()\n",
    ),
    invalid=(
        "import threading\n\nclass Pump:\n    def start(self):\n        threading.Thread(target=self.run).start()\n",
        "from threading import Thread\n\nclass Client:\n    def __init__(self):\n"
        "        reader = Thread(target=self.read, daemon=True)\n        reader.start()\n",
        "import threading\n\nclass Client:\n    def connect(self):\n        t = threading.Thread(target=self.read)\n"
        "        t.daemon = True\n        t.start()\n        print(t.name)\n",
        "import threading\n\ndef crew():\n    for _ in range(4):\n        threading.Thread(target=work).start()\n",
        "import threading\n\nclass Reader(threading.Thread):\n    pass\n\nclass Client:\n    def _listen(self):\n"
        "        Reader(self).start()\n",
    ),
)
