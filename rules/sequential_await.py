"""Awaited calls over independent items, one after the other."""

from __future__ import annotations

import re

from auditor import cst
from auditor.model import Wait
from auditor.rule import Context, Kind, Match, Nodes, Page, Plant, Rule, Where

_ORDERED = frozenset(
    """drain join acquire release wait sleep gather close aclose stop shutdown disconnect cancel recv receive
    receive_json receive_text read readline readexactly flush commit rollback checkpoint wait_closed
    enter_async_context respond reply prepare""".split()  # noqa: SIM905
)
"""Methods that speak over one channel, wait for what is under way anyhow, or wind things up."""
_QUEUE = {"get": 0, "put": 1}
"""What a queue's methods are given; with more, they are those of a client (`session.get(url)`) or a store."""
_SPEAKS = re.compile(
    r"_?(?:async_|a)?(?:send|write|emit)"
    r"(?:$|_(?!e?mail|sms|notif|push|invit|remind|alert|report|request|webhook|newsletter|digest|to_))"
)
"""Methods that speak over one channel; mail and the like go to someone else each time."""
_LIMITED = re.compile(r"lock|mutex|sem|limit|throttle", re.IGNORECASE)


_ENTERED = frozenset("get post put patch delete head options request stream ws_connect fetch download open".split())  # noqa: SIM905
"""Methods whose answer is waited for where `async with` enters it."""


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    match node:
        case cst.Await(expression=cst.Call() as call):
            waits: cst.Await | cst.Call = node
        case cst.With(asynchronous=cst.Asynchronous(), items=[cst.WithItem(item=cst.Call() as call), *_]):
            waits = call
            if not isinstance(call.func, cst.Attribute) or call.func.attr.value not in _ENTERED:
                return None
        case _:
            return None
    callee = " ".join(ctx.code(call.func).split())
    loops = [loop for loop in ctx.item_loops(node) if isinstance(loop, cst.For | cst.CompFor)]
    if not loops or loops[0].asynchronous is not None or _is_ordered(call, callee.rsplit(".", 1)[-1]):
        return None
    loop = loops[0]
    if ctx.is_same_call(call, loop) or ctx.is_paced(loop) or _is_limited(node, ctx) or _yields(loop, ctx):
        return None
    if ctx.carries(waits, loop):
        return None
    return Match(f"`{callee}` is awaited for one item after the other", (Plant("awaited", waits),), waits)


def _is_ordered(call: cst.Call, method: str) -> bool:
    taken = _QUEUE.get(method, -1)
    return len(call.args) <= taken or method in _ORDERED or _SPEAKS.match(method) is not None


def _is_limited(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a lock or semaphore around it says how many may run at a time."""
    return any(
        isinstance(parent, cst.With) and any(_LIMITED.search(ctx.code(item.item)) for item in parent.items)
        for parent in ctx.ancestors(node)
    )


def _yields(loop: cst.For | cst.CompFor, ctx: Context) -> bool:
    """Whether the turns follow the pace of whoever takes the items."""
    return isinstance(loop, cst.For) and any(
        isinstance(part, cst.Yield) and ctx.function(part) is ctx.function(loop) for part in ctx.descendants(loop.body)
    )


RULE = Rule(
    id="sequential-await",
    title="Independent items awaited one after the other",
    kind=Kind.BLOCKING,
    page=Page(
        what=(
            "`await call(...)` in a `for` loop or comprehension over data, or `async with client.get(...)` (and"
            " the other verbs of a client), where the call depends on the item, and no turn on what an earlier one"
            " brought. Database queries count too. Not flagged: `async for`, `while` loops and batches; loops that"
            " sleep, end according to a result, or yield to a consumer; what runs under a lock or semaphore;"
            " tasks, which run already; and methods that speak over one channel or wind up (`send`, `write`,"
            " `join`, `close`, `get` and `put` of a queue...)."
        ),
        why=(
            "Only one call is under way at a time, so n items take n times the latency of one, although the event loop"
            " could wait for all of them together."
        ),
        harmless=(
            "With few items, or calls that never wait; where the order of effects matters, the other side allows one"
            " request at a time, or the calls share what may serve one only, such as a database session."
        ),
        measured=(
            "How often it was awaited, and the seconds for which it stood suspended while the event loop had nothing"
            " else to do. Confirmed when these are a sizeable part of the run."
        ),
        fix=(
            "Await them together, a bounded number at a time: `asyncio.TaskGroup` or `asyncio.gather` with a semaphore."
            " For a database, ask for all items with one query."
        ),
        references=(
            "litellm 1.109.1, litellm/proxy/mcp_server/operations.py:1585: one server is asked after the other",
            "prefect 3.9.1, prefect/runner/runner.py:609: harmless, once per start, mostly for one storage",
        ),
    ),
    triggers=(Nodes(("Await", "AsyncWith"), Where(loop=True)),),
    expects=Wait(),
    check=check,
    valid=(
        "import asyncio\n\nasync def f(urls, fetch):\n    return await asyncio.gather(*(fetch(url) for url in urls))\n",
        # each turn needs the one before
        "async def f(client, steps, state):\n    for step in steps:\n        state = await client.run(step, state)\n"
        "    return state\n",
        # the first that answers
        "async def f(hosts, connect):\n    for host in hosts:\n        try:\n            return await connect(host)\n"
        "        except OSError:\n            pass\n",
        "async def f(hosts, ask):\n    for host in hosts:\n        answer = await ask(host)\n        if answer:\n"
        "            break\n",
        # deliberate pacing (wemake-python-styleguide#1600)
        "import asyncio\n\nasync def f(urls, fetch):\n    for url in urls:\n        await fetch(url)\n"
        "        await asyncio.sleep(1)\n",
        # they run already
        "async def f(tasks):\n    for task in tasks:\n        print(await task)\n",
        "async def f(rows, fetch):\n    async for row in rows:\n        print(await fetch(row))\n",
        "async def f(queue, rows):\n    for row in rows:\n        await queue.put(row)\n",
        "async def f(rows, fetch, lock):\n    async with lock:\n        for row in rows:\n"
        "            await fetch(row)\n",
        "async def f(queues):\n    return [await queue.get() for queue in queues]\n",
        # as fast as they are taken
        "async def f(rows, fetch):\n    for row in rows:\n        yield await fetch(row)\n",
        "async def f(fetch):\n    for kind in ('a', 'b'):\n        await fetch(kind)\n",
        # a connection of its own; the first that answers
        "async def f(session, pool, urls):\n    for url in urls:\n"
        "        async with pool.acquire() as connection:\n            connection.note(url)\n"
        "        async with session.get(url) as answer:\n            if answer.ok:\n"
        "                return answer\n",
    ),
    invalid=(
        "async def f(urls, fetch):\n    pages = []\n    for url in urls:\n        pages.append(await fetch(url))\n"
        "    return pages\n",
        "async def f(urls, fetch):\n    return [await fetch(url) for url in urls]\n",
        "async def f(session, urls):\n    pages = []\n    for url in urls:\n        response = await session.get(url)\n"
        "        pages.append(response.text)\n    return pages\n",
        "class Api:\n    async def users(self, ids):\n        found = {}\n        for key in ids:\n"
        "            response = await self.client.get_user(key)\n            found[key] = response.json()\n"
        "        return found\n",
        "async def f(devices):\n    for device in devices:\n        if device.stale:\n"
        "            await device.refresh()\n",
        "async def f(session, ids):\n    for key in ids:\n"
        "        print(await session.execute('SELECT * FROM t WHERE id = ?', (key,)))\n",
        # entered, not awaited
        "async def f(session, urls):\n    sizes = []\n    for url in urls:\n"
        "        async with session.get(url) as answer:\n            sizes.append(answer.content_length)\n"
        "    return sizes\n",
        # to someone else each time
        "async def remind(users, text):\n    for user in users:\n        await send_email(user.email, text)\n",
    ),
)
