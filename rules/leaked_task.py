"""An asyncio task that nobody keeps."""

from __future__ import annotations

from auditor import cst
from auditor.model import Survivors
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Page, Plant, Rule, Safety

_CREATORS = ("asyncio.create_task", "asyncio.ensure_future", "asyncio.tasks.create_task", "asyncio.tasks.ensure_future")
_LOOP_NAMES = ("loop", "_loop", "event_loop", "_event_loop", "ev_loop", "aio_loop", "asyncio_loop")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or not _creates_task(node, ctx) or ctx.outlives(node):
        return None
    return Match(f"the task made by `{ctx.code(node.func)}` is neither awaited nor kept", (Plant("task", node),))


def _creates_task(call: cst.Call, ctx: Context) -> bool:
    if ctx.qualified(call.func) in _CREATORS:
        return True
    if not isinstance(call.func, cst.Attribute) or call.func.attr.value != "create_task":
        return False
    kind = ctx.type_of(call.func.value)
    return _is_named_loop(call.func.value) if kind is None else kind.endswith(("EventLoop", "uvloop.Loop"))


def _is_named_loop(receiver: cst.BaseExpression) -> bool:
    """A receiver of unknown type is taken for an event loop by its name; `tg.create_task` is a task group's."""
    match receiver:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            return name in _LOOP_NAMES
    return False


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    statement = ctx.parent(node)
    line = None if statement is None else ctx.parent(statement)
    match statement:
        case cst.Expr() | cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value="_"))]):
            pass
        case _:
            return None
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    tasks = edits.constant("_BACKGROUND_TASKS", "set()")
    task = edits.free("task")
    edits.replace(statement, f"{task} = {edits.code(node)}")
    edits.after(line, f"{tasks}.add({task})\n{task}.add_done_callback({tasks}.discard)")
    return Safety.UNSAFE


RULE = Rule(
    id="leaked-task",
    title="Task that nobody keeps",
    kind=Kind.LEAK,
    page=Page(
        what=(
            "An asyncio task that is never awaited, returned, handed to a call or stored beyond the function: dropped"
            " on the spot, bound to a name that is not used again, or put into a local container that dies with the"
            " frame. `add_done_callback` alone does not keep a task. Tasks of a `TaskGroup` or nursery are kept by it."
        ),
        why=(
            "The event loop holds tasks weakly, so a dropped one may be collected half-way and its work is lost. Nobody"
            " waits for it either: where tasks are made faster than they finish, they pile up, each with its frames"
            " and whatever these hold, and an exception in one surfaces only when it is collected."
        ),
        harmless=(
            "When the task is short and few of them are alive at a time, or when it is meant to run as long as the"
            " program does and waits on something that itself is strongly held."
        ),
        measured=(
            "A census of the tasks made here: how many, how many alive at once and at the end, how many destroyed while"
            " pending. Confirmed when they pile up or are destroyed while pending; rejected when all of many finish."
        ),
        fix=(
            "Make it in a `TaskGroup`; or keep it in a set that outlives the function, with"
            " `task.add_done_callback(tasks.discard)`, and bound their number with a semaphore."
        ),
        references=(
            "discord.py 2.7.1, discord/app_commands/tree.py:1142: one task for every interaction, dropped",
            "litellm 1.109.1, litellm/caching/redis_cache.py:2174: one task for every call of Redis, dropped",
            "uvicorn 0.54.0, uvicorn/lifespan/on.py:51: harmless, one task that waits for as long as the server lives",
            *("ruff#16811", "ruff#9133", "flake8-async#398"),
        ),
    ),
    triggers=(Calls((*_CREATORS, ".create_task")),),
    expects=Survivors(noun="tasks"),
    check=check,
    valid=(
        "import asyncio\n\nasync def main():\n    async with asyncio.TaskGroup() as tg:\n"
        "        tg.create_task(work())\n",
        "async def main(nursery, tg):\n    nursery.create_task(work())\n    tg.create_task(work())\n",
        # flake8-async#398
        "import asyncio\n\ndef start():\n    return asyncio.create_task(work())\n",
        # ruff#9133
        "import asyncio\n\nasync def main(fast):\n    if fast:\n        task = asyncio.create_task(quick())\n"
        "    else:\n        task = asyncio.create_task(slow())\n    await task\n",
        "import asyncio\n\nasync def main(items):\n"
        "    await asyncio.gather(*[asyncio.create_task(f(i)) for i in items])\n",
        "import asyncio\n\nclass Server:\n    def start(self):\n        self.loop = asyncio.get_event_loop()\n"
        "        self.worker = self.loop.create_task(self.run())\n",
        "import asyncio\n\nTASKS = set()\n\ndef spawn(job):\n    task = asyncio.create_task(job)\n    TASKS.add(task)\n"
        "    task.add_done_callback(TASKS.discard)\n",
        "import asyncio\n\nasync def main(jobs):\n    tasks = []\n    for job in jobs:\n"
        "        tasks.append(asyncio.create_task(job))\n    for task in tasks:\n        await task\n",
        "import asyncio\n\nasync def main():\n    ticker = asyncio.create_task(tick())\n    try:\n"
        "        await serve()\n"
        "    finally:\n        ticker.cancel()\n",
        "class Board:\n    def add(self, title):\n        self.tracker.create_task(title)\n",
    ),
    invalid=(
        "import asyncio\n\nasync def main():\n    asyncio.create_task(work())\n",
        "import asyncio\n\nclass Server:\n    def __init__(self):\n        self.loop = asyncio.get_event_loop()\n\n"
        "    def handle(self, request):\n        self.loop.create_task(self.answer(request))\n",
        "def spawn(loop):\n    loop.create_task(work())\n",
        "import asyncio\n\ndef spawn(runner: asyncio.AbstractEventLoop):\n    runner.create_task(work())\n",
        "import asyncio\n\ndef spawn():\n    asyncio.get_running_loop().create_task(work())\n",
        "import asyncio\n\nasync def main():\n    a = b = asyncio.create_task(work())\n    await other()\n",
        "import asyncio\n\nasync def main():\n    _ = asyncio.ensure_future(work())\n",
        # ruff#16811
        "import asyncio\n\nasync def main(jobs):\n    tasks = set()\n    for job in jobs:\n"
        "        task = asyncio.create_task(job)\n        tasks.add(task)\n"
        "        task.add_done_callback(tasks.discard)\n",
        "import asyncio\n\ndef spawn(done):\n    asyncio.create_task(work()).add_done_callback(done)\n",
        "import asyncio\nimport signal\n\ndef install(loop):\n"
        "    loop.add_signal_handler(signal.SIGTERM, lambda: asyncio.create_task(stop()))\n",
        "import asyncio\n\nasync def main(jobs):\n    [asyncio.create_task(job) for job in jobs]\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "The task can no longer be collected half-way: a set of the module holds it until it is done. Its"
            " number is still not bounded, and nobody awaits it. There is a fix for a task that is dropped on the"
            " spot; whether it is to be awaited instead, or to belong to a `TaskGroup`, only you can say."
        ),
        fixed=(
            "import asyncio\n\n_BACKGROUND_TASKS = set()\n\nasync def main():\n"
            "    task = asyncio.create_task(work())\n    _BACKGROUND_TASKS.add(task)\n"
            "    task.add_done_callback(_BACKGROUND_TASKS.discard)\n",
            "import asyncio\n\n_BACKGROUND_TASKS = set()\n\nclass Server:\n    def __init__(self):\n"
            "        self.loop = asyncio.get_event_loop()\n\n    def handle(self, request):\n"
            "        task = self.loop.create_task(self.answer(request))\n        _BACKGROUND_TASKS.add(task)\n"
            "        task.add_done_callback(_BACKGROUND_TASKS.discard)\n",
            "_BACKGROUND_TASKS = set()\n\n\ndef spawn(loop):\n    task = loop.create_task(work())\n"
            "    _BACKGROUND_TASKS.add(task)\n    task.add_done_callback(_BACKGROUND_TASKS.discard)\n",
            "import asyncio\n\n_BACKGROUND_TASKS = set()\n\ndef spawn(runner: asyncio.AbstractEventLoop):\n"
            "    task = runner.create_task(work())\n    _BACKGROUND_TASKS.add(task)\n"
            "    task.add_done_callback(_BACKGROUND_TASKS.discard)\n",
            "import asyncio\n\n_BACKGROUND_TASKS = set()\n\ndef spawn():\n"
            "    task = asyncio.get_running_loop().create_task(work())\n    _BACKGROUND_TASKS.add(task)\n"
            "    task.add_done_callback(_BACKGROUND_TASKS.discard)\n",
            None,
            "import asyncio\n\n_BACKGROUND_TASKS = set()\n\nasync def main():\n"
            "    task = asyncio.ensure_future(work())\n    _BACKGROUND_TASKS.add(task)\n"
            "    task.add_done_callback(_BACKGROUND_TASKS.discard)\n",
            None,
            None,
            None,
            None,
        ),
    ),
)
