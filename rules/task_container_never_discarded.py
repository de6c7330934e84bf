"""A container of tasks that are never taken out again."""

from __future__ import annotations

from collections.abc import Iterator

from auditor import cst
from auditor.model import Backlog
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule, Where

_ADDS = ("add", "append", "appendleft")
_CONTAINERS = ("set", "list", "collections.deque")
_CREATORS = ("asyncio.create_task", "asyncio.ensure_future", "asyncio.tasks.create_task", "asyncio.tasks.ensure_future")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or not ctx.is_task(node) or (ctx.starts_up(node) and not ctx.loops(node)):
        return None
    for addition, container in _additions(node, ctx):
        if ctx.home(container) is None or ctx.type_of(container) not in _CONTAINERS or _runs_once(addition, ctx):
            continue
        if ctx.only_grows(container):
            name = " ".join(ctx.code(container).split())
            message = f"`{name}` keeps every task that was ever added to it, done or not"
            return Match(message, (Plant("container", addition),), addition)
    return None


def _runs_once(addition: cst.Call, ctx: Context) -> bool:
    return ctx.runs_once(addition) or any(ctx.turns_of(loop) is not None for loop in ctx.loops(addition))


def _additions(task: cst.Call, ctx: Context) -> Iterator[tuple[cst.Call, cst.BaseExpression]]:
    """Calls that put the task, or the local name that it is bound to, into a container."""
    yield from _adding(task, ctx)
    match ctx.parent(task):
        case (
            cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]) | cst.NamedExpr(target=cst.Name() as name)
        ):
            for use in ctx.uses(name.value, ctx.function(task)):
                yield from _adding(use, ctx)
        case _:
            pass


def _adding(value: cst.CSTNode, ctx: Context) -> Iterator[tuple[cst.Call, cst.BaseExpression]]:
    argument = ctx.parent(value)
    call = ctx.parent(argument) if isinstance(argument, cst.Arg) else None
    match call:
        case cst.Call(func=cst.Attribute(value=container, attr=cst.Name(value=method))) if method in _ADDS:
            yield call, container
        case _:
            pass


RULE = Rule(
    id="task-container-never-discarded",
    title="Tasks that are kept after they are done",
    kind=Kind.LEAK,
    page=Page(
        what=(
            "An asyncio task added to a set or list that outlives the function (of the module, a class or an object)"
            " and from which nothing in the module takes tasks: no `add_done_callback(tasks.discard)`, no `remove`,"
            " `pop`, `clear`, no new binding. Crews of a fixed size made in a start-up method are exempt."
        ),
        why=(
            "Keeping a task is what stops it from being collected half-way (RUF006), but a task that is done and still"
            " kept holds its result or its exception with the whole traceback, and so the frames and all their"
            " locals. One is added for every call, so memory rises with the work done."
        ),
        harmless=(
            "When few tasks are ever made, or when the object that holds them lives no longer than they do, as one that"
            " serves a single connection."
        ),
        measured=(
            "The length after every addition. Confirmed when it rises with the additions to the end of the run;"
            " rejected when it stays small over many additions. A task that has been added and is done is still an"
            " entry."
        ),
        fix=(
            "Add `task.add_done_callback(tasks.discard)` right after `tasks.add(task)`; or use an `asyncio.TaskGroup`,"
            " which lets go of a task when it is done."
        ),
        references=(
            "distributed 2026.8.0, distributed/deploy/spec.py:411: a task for every worker that was lost",
            "litellm 1.109.1, litellm/harness/runtime.py:436: harmless, the object lives for one turn",
            "ruff: RUF006 asks for a reference, and is content with one that is never dropped",
        ),
    ),
    triggers=(Calls((*_CREATORS, ".create_task"), Where(function=True)),),
    expects=Backlog(),
    check=check,
    valid=(
        "import asyncio\n\nTASKS = set()\n\ndef spawn(job):\n    task = asyncio.create_task(job)\n    TASKS.add(task)\n"
        "    task.add_done_callback(TASKS.discard)\n",
        "import asyncio\n\nclass Server:\n    def __init__(self):\n        self.tasks = []\n\n"
        "    def handle(self, job):\n        self.tasks.append(asyncio.create_task(job))\n\n"
        "    def sweep(self):\n        self.tasks = [task for task in self.tasks if not task.done()]\n",
        "import asyncio\n\nclass Server:\n    def __init__(self):\n        self.tasks = set()\n\n"
        "    def handle(self, job):\n        task = asyncio.create_task(job)\n        self.tasks.add(task)\n"
        "        task.add_done_callback(lambda done: self.tasks.remove(done))\n",
        # dies with the frame
        "import asyncio\n\nasync def run(jobs):\n    tasks = []\n    for job in jobs:\n"
        "        tasks.append(asyncio.create_task(job))\n    await asyncio.gather(*tasks)\n",
        # a crew
        "import asyncio\n\nclass Server:\n    def __init__(self):\n        self.tasks = []\n\n"
        "    async def start(self):\n        self.tasks.append(asyncio.create_task(self.serve()))\n",
    ),
    invalid=(
        "import asyncio\n\nTASKS = set()\n\ndef spawn(job):\n    task = asyncio.create_task(job)\n"
        "    TASKS.add(task)\n",
        "import asyncio\n\nclass Server:\n    def __init__(self):\n        self.tasks = []\n\n"
        "    def handle(self, job):\n        self.tasks.append(asyncio.create_task(job))\n\n"
        "    async def close(self):\n        for task in self.tasks:\n            task.cancel()\n"
        "        await asyncio.gather(*self.tasks)\n",
        "import asyncio\n\nclass Server:\n    tasks: set[asyncio.Task] = set()\n\n    def handle(self, job):\n"
        "        self.tasks.add(asyncio.ensure_future(job))\n",
        "import asyncio\n\nclass Server:\n    def __init__(self):\n        self.loop = asyncio.get_event_loop()\n"
        "        self.tasks = set()\n\n    def handle(self, job):\n        task = self.loop.create_task(job)\n"
        "        self.tasks.add(task)\n        task.add_done_callback(report)\n",
    ),
)
