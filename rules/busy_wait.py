"""A loop that asks again and again whether something has happened."""

from __future__ import annotations

from collections.abc import Sequence

from auditor import cst
from auditor.model import Cost
from auditor.rule import Context, Kind, Match, Nodes, Page, Plant, Rule, Where

_LONG_S = 0.05
"""Sleeps that are longer wake up so rarely that they cost nothing."""
_SLEEPS = ("time.sleep", "asyncio.sleep", "anyio.sleep", "trio.sleep")
_CLOCKS = ("time.time", "time.monotonic", "time.perf_counter")
_POLLS = frozenset(
    """is_alive is_set done empty poll qsize locked running exists ready finished is_running is_connected connected
    isAlive cancelled full closed is_closed is_done is_ready is_file isfile""".split()  # noqa: SIM905
)
_TAKES = ("get_nowait", "put_nowait")
_WAITS = ("wait", "select", "recv", "join", "sleep", "poll", "get", "acquire", "read", "readline", "accept")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.While):
        return None
    statements = _statements(node.body)
    sleeps = [statement for statement in statements if _is_short_sleep(statement, ctx)]
    rest = [statement for statement in statements if statement not in sleeps and not _is_idle(statement)]
    polled = _polled(node, rest, bool(sleeps), ctx)
    taken = _taken_in(rest, node, bool(sleeps), ctx) if polled is None else None
    if polled is None and taken is None:
        return None
    # what is done with what was taken is work
    plant = Plant("polling", node) if taken is None else Plant("timed", taken)
    text = " ".join(ctx.code(polled or taken or node).split())
    return Match(f"the loop does nothing but ask `{text}` over and over", (plant,))


def _statements(body: cst.BaseSuite) -> Sequence[cst.CSTNode]:
    """The statements of the loop, those that share a line taken apart."""
    found: list[cst.CSTNode] = []
    for statement in body.body:
        if isinstance(statement, cst.SimpleStatementLine):
            found.extend(statement.body)
        else:
            found.append(statement)
    return found


def _is_idle(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.Pass | cst.Continue) or (
        isinstance(statement, cst.Expr) and isinstance(statement.value, cst.Ellipsis | cst.SimpleString)
    )


def _is_short_sleep(statement: cst.CSTNode, ctx: Context) -> bool:
    if not isinstance(statement, cst.Expr):
        return False
    call = statement.value.expression if isinstance(statement.value, cst.Await) else statement.value
    if not isinstance(call, cst.Call) or ctx.qualified(call.func) not in _SLEEPS or len(call.args) != 1:
        return False
    value = call.args[0].value
    return isinstance(value, cst.Integer | cst.Float) and float(value.evaluated_value) <= _LONG_S


def _polled(loop: cst.While, rest: Sequence[cst.CSTNode], sleeps: bool, ctx: Context) -> cst.BaseExpression | None:
    """The first expression that is asked again, if the loop does nothing but ask, and leave it."""
    tests = [] if ctx.is_constant(loop.test) else [loop.test]
    for statement in rest:
        match statement:
            case cst.If(test=test, orelse=None, body=body) if _only_leaves(body):
                tests.append(test)
            case _:
                return None
    return tests[0] if tests and (sleeps or all(_only_asks(test, ctx) for test in tests)) else None


def _is_asked(taken: cst.BaseExpression, loop: cst.While, ctx: Context) -> bool:
    """Whether the loop goes on only while there is something in the queue: `while not jobs.empty()`."""
    owner = taken.func.value if isinstance(taken, cst.Call) and isinstance(taken.func, cst.Attribute) else taken
    return ctx.code(owner).strip() in ctx.code(loop.test)


def _taken_in(rest: Sequence[cst.CSTNode], loop: cst.While, sleeps: bool, ctx: Context) -> cst.BaseExpression | None:
    match rest:
        case [cst.Try() as attempt] if sleeps or _sleeps_in_handler(attempt, ctx):
            return _taken(attempt, ctx)
        case [cst.Try() as attempt, *work] if all(map(_only_tries_again, attempt.handlers)):
            waits = not attempt.handlers or any(_may_wait(part, ctx) for part in work)
            taken = None if waits else _taken(attempt, ctx)
            return None if taken is None or _is_asked(taken, loop, ctx) else taken
    return None


def _only_tries_again(handler: cst.ExceptHandler) -> bool:
    statements = _statements(handler.body)
    return bool(statements) and all(_is_idle(statement) for statement in statements)


def _may_wait(statement: cst.CSTNode, ctx: Context) -> bool:
    """Whether it waits for something at each turn, as far as one can see."""
    return bool(ctx.inside(statement, cst.Await)) or any(
        ctx.waits_for(call) is not None or (isinstance(call.func, cst.Attribute) and call.func.attr.value in _WAITS)
        for call in ctx.inside(statement, cst.Call)
    )


def _only_asks(test: cst.BaseExpression, ctx: Context) -> bool:
    """Whether the test has no effect and does not wait: every call in it only looks."""
    return all(_looks(part, ctx) for part in ctx.descendants(test) if isinstance(part, cst.Call)) and not any(
        isinstance(part, cst.Await | cst.NamedExpr) for part in ctx.descendants(test)
    )


def _looks(call: cst.Call, ctx: Context) -> bool:
    if ctx.qualified(call.func) in (*_CLOCKS, "builtins.len", "builtins.any", "builtins.all"):
        return True
    return isinstance(call.func, cst.Attribute) and call.func.attr.value in _POLLS


def _only_leaves(body: cst.BaseSuite) -> bool:
    return all(isinstance(statement, cst.Break | cst.Return | cst.Raise) for statement in _statements(body))


def _sleeps_in_handler(attempt: cst.Try, ctx: Context) -> bool:
    return any(
        _is_short_sleep(statement, ctx) for handler in attempt.handlers for statement in _statements(handler.body)
    )


def _taken(attempt: cst.Try, ctx: Context) -> cst.BaseExpression | None:
    """The call that asks a queue for what may not be there."""
    for part in ctx.descendants(attempt.body):
        if isinstance(part, cst.Call) and isinstance(part.func, cst.Attribute) and part.func.attr.value in _TAKES:
            return part
    return None


RULE = Rule(
    id="busy-wait",
    title="Loop that only asks whether it may go on",
    kind=Kind.BLOCKING,
    page=Page(
        what=(
            "A `while` loop with no work of its own: its body is empty, or sleeps for at most 50 ms (also in a"
            " coroutine) and leaves when a condition holds, or asks a queue for what may not be there and sleeps or"
            " just asks again. The loop is flagged, and the condition is what is counted. A loop whose condition does"
            " the work (`while handle(read()): pass`) is not flagged, nor one that sleeps for longer."
        ),
        why=(
            "Without a sleep it takes a whole core, and in Python the interpreter lock from those it waits for. With a"
            " short one it wakes up twenty times a second and more for nothing, in a coroutine it keeps the event loop"
            " from resting, and it still notices late."
        ),
        harmless=(
            "When it waits rarely and briefly, or for something that cannot announce itself: a file made by another"
            " program, a register of a device."
        ),
        measured=(
            "How often the condition was asked, each a wake-up, and the time that the loop takes, without that in which"
            " it sleeps. In a coroutine, what the event loop does for a turn in which nothing else happens. Confirmed"
            " when that time and its share of the run are considerable."
        ),
        fix=(
            "Wait for the event itself: `threading.Event.wait`, `Condition.wait`, `queue.get(timeout=...)`,"
            " `Thread.join`, `Process.wait`, `asyncio.Event`, `asyncio.Queue`. Where there is none, sleep longer."
        ),
        references=(
            "sympy 1.14.0, sympy/plotting/pygletplot/plot.py:399: a whole core while others compute",
            "distributed 2026.8.0, distributed/diagnostics/progress.py:185: harmless, 20 looks a second for a moment",
            "flake8-async ASYNC110",
        ),
    ),
    triggers=(Nodes(("While",), Where(function=True)),),
    expects=Cost(),
    check=check,
    valid=(
        "import threading\n\ndef f(event: threading.Event):\n    event.wait()\n",
        "import time\n\ndef f(job):\n    while not job.done():\n        time.sleep(5)\n",
        # the condition does the work
        "def drain(stream):\n    while stream.read(4096):\n        pass\n",
        "def f(step):\n    while step():\n        pass\n",
        "def f(queue):\n    while not queue.empty():\n        print(queue.get())\n",
        "import time\n\ndef serve(server):\n    while server.running:\n        server.handle()\n"
        "        time.sleep(0.01)\n",
        "import time\n\ndef forever():\n    while True:\n        time.sleep(0.01)\n",
        "def f(job, go_on):\n    while not job.done():\n        if not go_on():\n            return\n",
        "def f(text, i):\n    while text[i] == ' ':\n        i += 1\n    return i\n",
        # it rests elsewhere, or ends
        "import queue\n\ndef work(jobs, events):\n    while True:\n        try:\n            jobs.get_nowait().run()\n"
        "        except queue.Empty:\n            pass\n        events.wait(1)\n",
        "import queue\n\ndef drain(jobs):\n    while True:\n        try:\n            jobs.get_nowait().run()\n"
        "        except queue.Empty:\n            break\n",
        "import queue\n\ndef drain(jobs):\n    while not jobs.empty():\n        try:\n"
        "            jobs.get_nowait().run()\n        except queue.Empty:\n            continue\n",
    ),
    invalid=(
        "def f(job):\n    while not job.done:\n        pass\n",
        "import time\n\ndef f(thread):\n    while thread.is_alive():\n        time.sleep(0.01)\n",
        "import asyncio\n\nasync def f(state):\n    while not state.ready:\n        await asyncio.sleep(0)\n",
        "import time\n\ndef f(queue):\n    while True:\n        if not queue.empty():\n            break\n"
        "        time.sleep(0.001)\n",
        "import queue, time\n\ndef f(jobs):\n    while True:\n        try:\n            work(jobs.get_nowait())\n"
        "        except queue.Empty:\n            time.sleep(0.01)\n",
        "import time\n\ndef f(job, deadline):\n    while True:\n        if job.done():\n            return job\n"
        "        if time.monotonic() > deadline:\n            raise TimeoutError\n",
        "import time\n\ndef f(job, deadline):\n    while not job.done():\n"
        "        if time.monotonic() > deadline:\n            raise TimeoutError\n        time.sleep(0.01)\n",
        "import time\n\ndef f(seconds):\n    end = time.time() + seconds\n    while time.time() < end:\n"
        "        continue\n",
        # nothing rests between two questions
        "import queue\n\ndef work(jobs):\n    while True:\n        try:\n            job = jobs.get_nowait()\n"
        "        except queue.Empty:\n            continue\n        job.run()\n",
    ),
)
