"""Where values go, and which are made once."""

from __future__ import annotations

import pytest

from auditor.catalog import find_rule
from auditor.scan import Engine

TASK = find_rule("leaked-task")
EXECUTOR = find_rule("executor-per-call")


def leaks(body: str) -> bool:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return bool(Engine([TASK]).scan_text(f"import asyncio\n\nasync def main(jobs, outer):\n{lines}").suspects)


@pytest.mark.parametrize(
    "body",
    [
        "outer.append(asyncio.create_task(f()))",
        "outer[0] = asyncio.create_task(f())",
        "tasks = {}\ntasks[0] = asyncio.create_task(f())\nawait asyncio.wait(tasks.values())",
        "global kept\nkept = asyncio.create_task(f())",
        "tasks = outer.tasks\ntasks.add(asyncio.create_task(f()))",
        "tasks = [asyncio.create_task(j) for j in jobs]\nreturn [await t for t in tasks]",
        "first = asyncio.create_task(f())\nsecond = first\nawait second",
        "if (task := asyncio.create_task(f())):\n    await task",
        "task = asyncio.create_task(f())\ndef stop():\n    task.cancel()\nouter.on_stop(stop)",
        "yield asyncio.create_task(f())",
        "return lambda: asyncio.create_task(f())",
        "task = asyncio.create_task(f()) if outer else None\nif task:\n    await task",
    ],
)
def test_a_value_that_is_still_needed_outlives_its_frame(body: str) -> None:
    assert not leaks(body)


@pytest.mark.parametrize(
    "body",
    [
        "task = asyncio.create_task(f())\nprint(task)",
        "tasks = {}\ntasks[0] = asyncio.create_task(f())",
        "tasks = [asyncio.create_task(j) for j in jobs]\nprint(len(tasks))",
        "tasks = list()\ntasks.append(asyncio.create_task(f()))",
        "first = asyncio.create_task(f())\nsecond = first",
        "outer.loop.call_later(1, lambda: asyncio.create_task(f()))",
        "a, b = asyncio.create_task(f()), 1\nawait other()",
        "task = asyncio.create_task(f())\ntask.set_name('x')\ntask.add_done_callback(outer.done)",
    ],
)
def test_a_value_that_nobody_needs_dies_with_its_frame(body: str) -> None:
    assert leaks(body)


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("def main():\n    Pool().submit(g)\n", True),
        ("def test_it():\n    def inner():\n        Pool().submit(g)\n", True),
        ("def main():\n    def handler():\n        Pool().submit(g)\n", False),
        ("def main():\n    on_request(lambda: submit(Pool()))\n", False),
        ("def main():\n    while True:\n        Pool().submit(g)\n", False),
    ],
)
def test_start_up_code_runs_once_but_not_the_handlers_inside_it(text: str, once: bool) -> None:
    assert repeated(text) is not once


def repeated(body: str) -> bool:
    text = "from concurrent.futures import ThreadPoolExecutor as Pool\n\n" + body
    return bool(Engine([EXECUTOR]).scan_text(text).suspects)


@pytest.mark.parametrize(
    "body",
    [
        "class A:\n    def f(self):\n        pool = self.pool\n        if pool is None:\n            pool = Pool()\n"
        "            self.pool = pool\n        return pool.submit(g)\n",
        "class A:\n    def f(self):\n        if not hasattr(self, 'pool'):\n            self.pool = Pool()\n",
        "class A:\n    def connect(self):\n        self.pool = Pool()\n",
        "class A:\n    def __init__(self, pool=None):\n        self.pool = pool or Pool()\n",
        "pools = {}\ndef f(key):\n    if key not in pools:\n        pools[key] = Pool()\n    pools[key].submit(g)\n",
        "def create():\n    pool = Pool()\n    pool.warm()\n    return pool\n",
        "class A:\n    @cached_property\n    def pool(self):\n        with_it(Pool())\n",
    ],
)
def test_what_is_made_once_and_kept_is_seen(body: str) -> None:
    assert not repeated(body)


@pytest.mark.parametrize(
    "body",
    [
        "class A:\n    def handle(self, request):\n        self.pool = Pool()\n",
        "def handle(request):\n    request.pool = Pool()\n",
        "def handle(request):\n    return Pool().submit(request)\n",
        "def handle(request):\n    return run(Pool())\n",
        "def handle(request):\n    pools = {}\n    pools[0] = Pool()\n    run(pools)\n",
        "class A:\n    def handle(self, pool):\n        if self.poolside:\n            self.pool = Pool()\n",
        "def handle(request, pool=None):\n    pool = pool or Pool()\n    pool.submit(request)\n",
    ],
)
def test_what_is_made_anew_is_not_taken_for_kept(body: str) -> None:
    assert repeated(body)
