"""A timer that nobody can cancel."""

from __future__ import annotations

import re
from collections.abc import Sequence

from auditor import cst
from auditor.model import Survivors
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule, Where

_TIMER = "threading.Timer"
_LATER = ("call_later", "call_at")
_LOOP_NAMES = ("loop", "_loop", "event_loop", "_event_loop", "ev_loop", "io_loop")
_ENDS = re.compile(r"cancel|stop|clear|reset|abort|kill|disarm", re.IGNORECASE)
_ENDINGS = ("cancel", "join")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or ctx.runs_once(node) or not _makes_timer(node, ctx):
        return None
    plant = Plant("timer", node)
    if ctx.abandoned(node, _ENDINGS):
        again = ", which sets the next one itself," if _sets_itself(node, ctx) else ""
        return Match(f"the timer made by `{ctx.code(node.func)}`{again} is dropped, so nothing can cancel it", (plant,))
    attribute = _kept_in(node, ctx)
    if attribute is not None and _sets_itself(node, ctx) and not _is_ended(attribute, ctx):
        name = ctx.code(attribute)
        return Match(f"the timer in `{name}` sets the next one itself, and nothing ever cancels it", (plant,))
    if attribute is not None and not _sets_itself(node, ctx) and _replaces(node, attribute, ctx):
        name = ctx.code(attribute)
        return Match(f"the timer in `{name}` takes the place of the one before, which goes on", (plant,))
    return None


def _replaces(node: cst.Call, attribute: cst.Attribute, ctx: Context) -> bool:
    """Whether the method may run while the timer that it set before is pending: it neither asks nor ends that."""
    function = ctx.function(node)
    if not isinstance(function, cst.FunctionDef) or ctx.starts_up(node) or ctx.kept_once(node):
        return False
    name = ctx.code(attribute).strip()
    others = (one for one in ctx.inside(function, cst.Attribute) if one is not attribute)
    asked = any(ctx.code(one).strip() == name and not _is_begun(one, ctx) for one in others)
    calls: Sequence[cst.Call] = ctx.inside(function, cst.Call)
    return not asked and not any(_ENDS.search(ctx.code(call.func)) for call in calls)


def _is_begun(attribute: cst.Attribute, ctx: Context) -> bool:
    """Whether all that is done with it is to start it: `self.timer.start()`, `self.timer.daemon = True`."""
    around = ctx.parent(attribute)
    return isinstance(around, cst.Attribute) and around.attr.value in ("start", "daemon", "name")


def _is_ended(attribute: cst.Attribute, ctx: Context) -> bool:
    read = ctx.read_from(attribute)
    return any(ending in read for ending in _ENDINGS)


def _makes_timer(call: cst.Call, ctx: Context) -> bool:
    if ctx.derives_from(call.func, (_TIMER,)):
        return True
    if not isinstance(call.func, cst.Attribute) or call.func.attr.value not in _LATER or len(call.args) < 2:
        return False
    if ctx.code(call.args[0].value).strip() in ("0", "0.0"):
        return False
    kind = ctx.type_of(call.func.value)
    return _is_named_loop(call.func.value) if kind is None else kind.endswith(("EventLoop", "uvloop.Loop"))


def _is_named_loop(receiver: cst.BaseExpression) -> bool:
    """A receiver of unknown type is taken for an event loop by its name."""
    match receiver:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name in _LOOP_NAMES
        case cst.Call(func=cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name))):
            return name in ("get_event_loop", "get_running_loop", "get_loop")
    return False


def _sets_itself(call: cst.Call, ctx: Context) -> bool:
    """Whether the timer calls the function in which it is made."""
    function = ctx.function(call)
    if not isinstance(function, cst.FunctionDef):
        return False
    name = function.name.value
    values = [argument.value for argument in call.args[1:]]
    return any(
        (isinstance(value, cst.Name) and value.value == name)
        or (isinstance(value, cst.Attribute) and value.attr.value == name)
        for value in values
    )


def _kept_in(call: cst.Call, ctx: Context) -> cst.Attribute | None:
    """The attribute that the timer is assigned to."""
    match ctx.parent(call):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Attribute() as attribute)]):
            return attribute if ctx.home(attribute) is not None else None
    return None


RULE = Rule(
    id="uncancelled-timer",
    title="Timer that is never cancelled",
    kind=Kind.LEAK,
    page=Page(
        what=(
            "A `threading.Timer`, or the handle of `loop.call_later` or `call_at`, that is dropped in a method or"
            " function that may run many times; one that sets itself anew each time it fires and that nothing in"
            " the module ever cancels; and one kept in an attribute by a method that neither asks for nor cancels the"
            " one that is there. A delay of zero is exempt, and so is code that runs once."
        ),
        why=(
            "Until it fires, a timer keeps its callback alive with the object and arguments that belong to it, and each"
            " `threading.Timer` is a thread with a stack besides. Where they are set faster than they fire (a timeout"
            " for every request, mostly in vain), they pile up. A ticker that nothing cancels outlives its object, and"
            " each new object starts one more."
        ),
        harmless=(
            "When delays are short against the rate at which they are set, or when there is one ticker for as long as"
            " the program runs."
        ),
        measured=(
            "A census of the timers made here: how many, how many pending at once and at the end. Confirmed when they"
            " pile up; rejected when nearly all of many have fired or been cancelled."
        ),
        fix=(
            "Keep the handle and cancel it where what it waits for has happened or its object ends; for timeouts use"
            " `asyncio.timeout` or `wait_for`; for tickers one task that sleeps and is cancelled at the end."
        ),
        references=(
            "litellm 1.109.1, litellm/proxy/mcp_server/mcp_server_manager.py:2230: one for every discovery",
            "aiohttp 3.14.5, aiohttp/worker.py:160: harmless, one at a time, for a second",
        ),
    ),
    triggers=(
        Calls((_TIMER,), Where(function=True)),
        Calls((".call_later", ".call_at"), Where(function=True)),
    ),
    expects=Survivors(noun="timers"),
    check=check,
    valid=(
        "import threading\n\nclass Lease:\n    def renew(self):\n        self.timer.cancel()\n"
        "        self.timer = threading.Timer(60, self.expire)\n"
        "        self.timer.start()\n\n    def close(self):\n        self.timer.cancel()\n",
        # one at a time; set as it begins
        "class Batch:\n    def add(self, item):\n        if self.handle is None:\n"
        "            self.handle = self.loop.call_later(1, self.flush)\n\n    def flush(self):\n"
        "        self.handle = None\n",
        "import threading\n\nclass Lease:\n    def start(self):\n"
        "        self.timer = threading.Timer(60, self.expire)\n        self.timer.start()\n\n"
        "    def close(self):\n        self.timer.cancel()\n",
        "class Batch:\n    def add(self, item):\n        self.disarm()\n"
        "        self.handle = self.loop.call_later(1, self.flush)\n",
        "import asyncio\n\nasync def fetch(loop, request):\n    handle = loop.call_later(30, request.abort)\n"
        "    try:\n        return await request.send()\n    finally:\n        handle.cancel()\n",
        "import threading\n\ndef main():\n    threading.Timer(3600, stop).start()\n",
        "def soon(loop, callback):\n    loop.call_later(0, callback)\n",
        "import asyncio\n\ndef after(delay, callback):\n"
        "    return asyncio.get_running_loop().call_later(delay, callback)\n",
        "class Phone:\n    def ring(self, office):\n        office.call_later(30, self.hang_up)\n",
    ),
    invalid=(
        "import threading\n\nclass Lease:\n    def renew(self):\n"
        "        self.timer = threading.Timer(60, self.expire)\n        self.timer.start()\n\n"
        "    def close(self):\n        self.timer.cancel()\n",
        "import threading\n\nclass Lease:\n    def renew(self):\n        threading.Timer(60, self.expire).start()\n",
        "import asyncio\n\nasync def fetch(request):\n"
        "    asyncio.get_running_loop().call_later(30, request.abort)\n    return await request.send()\n",
        "from threading import Timer\n\ndef schedule(job):\n    timer = Timer(job.delay, job.run)\n"
        "    timer.daemon = True\n    timer.start()\n",
        "class Ticker:\n    def __init__(self, loop):\n        self.loop = loop\n\n    def tick(self):\n"
        "        self.count()\n        self.loop.call_later(1, self.tick)\n",
        "import threading\n\nclass Ticker:\n    def tick(self):\n        self.timer = threading.Timer(1, self.tick)\n"
        "        self.timer.start()\n",
    ),
)
