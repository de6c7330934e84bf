"""How long is waited for what is awaited, and for locks; how long locks are held."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evidence.probing import plainly, probe

HEAD = "import asyncio\nasync def load(i):\n    await asyncio.sleep(0.02)\n    return i\n"
ONE_BY_ONE = HEAD + "async def main():\n    return [FLAGGED for i in range(6)]\nprint(asyncio.run(main()))\n"
TOGETHER = (
    HEAD
    + "async def one(i):\n    return FLAGGED\nasync def main():\n    return await asyncio.gather(*map(one, range(20)))\n"
    "print(asyncio.run(main()))\n"
)
AWAIT = "await load(i)"


def test_awaiting_one_by_one_adds_up(tmp_path: Path) -> None:
    probed = probe(tmp_path, ONE_BY_ONE.replace("FLAGGED", AWAIT), ("awaited", AWAIT))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert probed.value("hits") == 6
    assert 0.12 <= probed.row("waited").low <= probed.value("waited") < 0.5
    assert probed.value("waited") == pytest.approx(probed.value("alone"), rel=0.05)
    assert 0.02 <= probed.value("waited_longest") < 0.2
    assert 0 < probed.value("waited_share") <= 1


def test_awaiting_side_by_side_counts_once(tmp_path: Path) -> None:
    probed = probe(tmp_path, TOGETHER.replace("FLAGGED", AWAIT), ("awaited", AWAIT))

    assert probed.value("hits") == 20
    assert 0.02 <= probed.value("waited") < 0.2
    assert probed.value("alone") < probed.value("waited") / 2


def test_what_does_not_suspend_is_hardly_waited_for(tmp_path: Path) -> None:
    program = (
        "import asyncio\nasync def load(i):\n    return i\nasync def main():\n    for i in range(2000):\n        FLAGGED\n"
        "asyncio.run(main())\n"
    )
    row = probe(tmp_path, program.replace("FLAGGED", AWAIT), ("awaited", AWAIT)).row("waited")

    assert row.n == 2000
    assert row.low < 0.05


def test_what_computes_or_blocks_in_place_of_waiting_is_not_waited_for(tmp_path: Path) -> None:
    program = (
        "import asyncio, time\nasync def load(i):\n    time.sleep(0.05)\n    await asyncio.sleep(0.01)\n    time.sleep(0.05)\n"
        "    return i\nasync def main():\n    for i in range(4):\n        FLAGGED\nasyncio.run(main())\n"
    )
    probed = probe(tmp_path, program.replace("FLAGGED", AWAIT), ("awaited", AWAIT))

    assert probed.value("hits") == 4
    assert 0.04 <= probed.value("waited") < 0.2


AWAITING = {
    "what is not a coroutine": (
        "await one",
        "import asyncio, types\nclass Own:\n    def __await__(self):\n        yield from asyncio.sleep(0.01).__await__()\n"
        "        return 'own'\n@types.coroutine\ndef made():\n    yield from asyncio.sleep(0.01)\n    return 'made'\n"
        "async def main():\n    future = asyncio.get_running_loop().create_future()\n    future.set_result('future')\n"
        "    task = asyncio.ensure_future(asyncio.sleep(0.01, 'task'))\n"
        "    for one in (Own(), made(), future, task, asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2)), 3):\n"
        "        try:\n            print(FLAGGED)\n        except TypeError as e:\n            print(e)\nasyncio.run(main())\n",
        6,
    ),
    "asynchronous generators": (
        "await many.__anext__()",
        "import asyncio\nasync def made():\n    for i in range(3):\n        await asyncio.sleep(0)\n        yield i\n"
        "async def main():\n    many = made()\n    try:\n        while True:\n            print(FLAGGED)\n"
        "    except StopAsyncIteration:\n        print('end')\nasyncio.run(main())\n",
        4,
    ),
    "timeouts": (
        "await asyncio.wait_for(asyncio.sleep(9), 0.02)",
        "import asyncio\nasync def main():\n    for i in range(2):\n        try:\n            FLAGGED\n"
        "        except asyncio.TimeoutError:\n            print('late')\nasyncio.run(main())\n",
        2,
    ),
    "exceptions": (
        "await fail(i)",
        "import asyncio\nasync def fail(i):\n    await asyncio.sleep(0.01)\n    raise KeyError(i)\nasync def main():\n"
        "    for i in range(3):\n        try:\n            FLAGGED\n        except KeyError as e:\n            print(e)\n"
        "asyncio.run(main())\n",
        3,
    ),
    "cancelled": (
        "await asyncio.sleep(60)",
        "import asyncio\nasync def work():\n    FLAGGED\nasync def main():\n    tasks = [asyncio.ensure_future(work()) for _ in range(3)]\n"
        "    await asyncio.sleep(0.01)\n    [t.cancel() for t in tasks]\n    await asyncio.wait(tasks)\n"
        "    print([t.cancelled() for t in tasks])\nasyncio.run(main())\n",
        3,
    ),
    "recursion": (
        "await down(n - 1)",
        "import asyncio\nasync def down(n):\n    await asyncio.sleep(0)\n    return 1 + (FLAGGED) if n else 0\n"
        "print(asyncio.run(down(30)))\n",
        30,
    ),
    "value used at once": (
        "await value()",
        "import asyncio\nasync def value():\n    return [1, 2]\nasync def main():\n    print([x async for x in many()], (FLAGGED)[0])\n"
        "async def many():\n    yield 1\nasyncio.run(main())\n",
        1,
    ),
}


ENTERING = """\
import asyncio
class Answer:
    def __init__(self, i): self.i = i
    async def __aenter__(self):
        await asyncio.sleep(0.02)
        if self.i == 3:
            raise KeyError(self.i)
        return self.i
    async def __aexit__(self, kind, error, trace):
        print(kind)
        return kind is ValueError
async def main():
    for i in range(5):
        try:
            async with Answer(i) as answer:
                await asyncio.sleep(0.05)
                print(answer)
                if i == 2:
                    raise ValueError
        except KeyError as error:
            print(repr(error))
asyncio.run(main())
"""


def test_what_an_async_with_enters_is_waited_for_and_its_body_is_not(tmp_path: Path) -> None:
    probed = probe(tmp_path, ENTERING, ("awaited", "Answer(i)"))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert probed.outcome.run.warnings == ()
    assert probed.value("hits") == 5
    assert 0.1 <= probed.value("waited") < 0.29


@pytest.mark.parametrize("case", AWAITING)
def test_awaiting_is_the_same_with_the_probe(tmp_path: Path, case: str) -> None:
    flagged, template, hits = AWAITING[case]
    probed = probe(tmp_path, template.replace("FLAGGED", flagged), ("awaited", flagged))

    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert probed.outcome.run.warnings == ()
    assert probed.value("hits") == hits


def test_an_await_that_was_cancelled_is_over(tmp_path: Path) -> None:
    program = (
        "import asyncio\nasync def work():\n    FLAGGED\nasync def main():\n    task = asyncio.ensure_future(work())\n"
        "    await asyncio.sleep(0.02)\n    task.cancel()\n    await asyncio.wait([task])\n    await asyncio.sleep(0.2)\n"
        "asyncio.run(main())\n"
    )
    flagged = "await asyncio.sleep(60)"
    probed = probe(tmp_path, program.replace("FLAGGED", flagged), ("awaited", flagged))

    assert 0.01 < probed.value("waited") < 0.12


CONTENDED = """\
import threading, time
lock = threading.Lock()
done = []
def work():
    for i in range(5):
        with lock:
            time.sleep(0.01)
            done.append(i)
threads = [threading.Thread(target=work) for _ in range(COUNT)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(done))
"""
STATEMENT = "with lock:\n            time.sleep(0.01)\n            done.append(i)"


def test_threads_that_contend_for_a_lock_wait(tmp_path: Path) -> None:
    probed = probe(tmp_path, CONTENDED.replace("COUNT", "3"), ("lock", STATEMENT))

    assert probed.outcome.last_lines == ("15",)
    assert probed.value("hits") == 15
    assert probed.value("waited") > 0.08
    assert probed.value("waited_longest") > 0.009
    assert 0.15 <= probed.value("held") < 0.5


def test_a_lock_for_one_thread_is_not_waited_for(tmp_path: Path) -> None:
    probed = probe(tmp_path, CONTENDED.replace("COUNT", "1"), ("lock", STATEMENT))

    assert probed.value("hits") == 5
    assert probed.value("waited") < 0.005
    assert probed.value("held") >= 0.05


@pytest.mark.parametrize(("count", "least", "most"), [(3, 0.08, 1.0), (1, 0.0, 0.005)])
def test_a_lock_that_is_acquired_by_hand_is_held_until_it_is_released(
    tmp_path: Path, count: int, least: float, most: float
) -> None:
    by_hand = CONTENDED.replace(
        "with lock:\n            time.sleep(0.01)\n            done.append(i)",
        "lock.acquire()\n        try:\n            time.sleep(0.01)\n            done.append(i)\n"
        "        finally:\n            lock.release()\n        time.sleep(0.002)",
    )
    probed = probe(tmp_path, by_hand.replace("COUNT", str(count)), ("lock", "lock.acquire()"))

    assert probed.outcome.last_lines == (str(5 * count),)
    assert probed.value("hits") == 5 * count
    assert least <= probed.value("waited") < most
    assert probed.value("held") >= 0.05 * count


def test_a_lock_that_is_not_had_in_time_is_not_held(tmp_path: Path) -> None:
    program = (
        "import threading, time\nlock = threading.Lock()\nlock.acquire ()\ndef work():\n"
        "    if lock.acquire(timeout=0.05):\n        lock.release()\n    else:\n        time.sleep(0.1)\n"
        "    print(lock.locked())\nwork()\n"
    )
    probed = probe(tmp_path, program, ("lock", "lock.acquire(timeout=0.05)"))

    assert probed.outcome.last_lines == ("True",)
    assert probed.value("waited") > 0.04
    assert probed.value("held") == 0


def test_an_asyncio_lock_that_is_acquired_by_hand(tmp_path: Path) -> None:
    program = (
        "import asyncio\nasync def work(lock):\n    await lock.acquire()\n    await asyncio.sleep(0.01)\n"
        "    lock.release()\nasync def main():\n    lock = asyncio.Lock()\n"
        "    await asyncio.gather(*[work(lock) for _ in range(4)])\nasyncio.run(main())\n"
    )
    probed = probe(tmp_path, program, ("lock", "lock.acquire()"))

    assert probed.value("hits") == 4
    assert 0.02 <= probed.value("waited") < 0.3
    assert probed.value("held") >= 0.04


def test_of_several_items_the_lock_is_timed(tmp_path: Path) -> None:
    statement = "with slowly(), lock, slowly():\n    done = True"
    program = (
        "import contextlib, threading, time\nlock = threading.Lock()\n@contextlib.contextmanager\ndef slowly():\n"
        f"    time.sleep(0.05)\n    yield\n{statement}\nprint(done)\n"
    )
    probed = probe(tmp_path, program, ("lock", statement))

    assert probed.outcome.last_lines == ("True",)
    assert probed.value("waited") < 0.04
    assert probed.value("held") >= 0.05


@pytest.mark.parametrize(("tasks", "least", "most"), [(4, 0.02, 0.3), (1, 0.0, 0.005)])
def test_asyncio_locks(tmp_path: Path, tasks: int, least: float, most: float) -> None:
    statement = "async with lock:\n        await asyncio.sleep(0.01)"
    program = (
        f"import asyncio\nasync def work(lock):\n    {statement}\nasync def main():\n    lock = asyncio.Lock()\n"
        f"    await asyncio.gather(*[work(lock) for _ in range({tasks})])\nasyncio.run(main())\n"
    )
    probed = probe(tmp_path, program, ("lock", statement))

    assert probed.value("hits") == tasks
    assert least <= probed.value("waited") < most
    assert probed.value("held") >= 0.01 * tasks


LOCKING = {
    "return, break, continue": (
        "with lock:\n            if i == 1:\n                continue\n            if i == 3:\n                break\n"
        "            if i == n:\n                return i",
        "import threading\nlock = threading.Lock()\ndef f(n):\n    for i in range(5):\n        FLAGGED\n    return 'end'\n"
        "print(f(2), f(9), lock.locked())\n",
        7,
    ),
    "error in the body": (
        "with lock:\n        raise KeyError(1)",
        "import threading, traceback\nlock = threading.Lock()\ndef f():\n    FLAGGED\ntry:\n    f()\n"
        "except KeyError as e:\n    print([(s.name, s.lineno) for s in traceback.extract_tb(e.__traceback__)], lock.locked())\n",
        1,
    ),
    "error on entering": (
        "with guard(i) as g, open('program.py'):\n        print(g)",
        "class guard:\n    def __init__(self, i):\n        self.i = i\n    def __enter__(self):\n        if self.i % 2:\n"
        "            raise KeyError(self.i)\n        return self.i\n    def __exit__(self, *error):\n        print('out', error[0])\n"
        "def f(i):\n    FLAGGED\nfor i in range(4):\n    try:\n        f(i)\n    except KeyError as e:\n        print(e)\n",
        4,
    ),
    "suppressed": (
        "with contextlib.suppress(KeyError):\n    raise KeyError",
        "import contextlib\nFLAGGED\nprint('after')\n",
        1,
    ),
    "recursion": (
        "with lock:\n        return n and f(n - 1)",
        "import threading\nlock = threading.RLock()\ndef f(n):\n    FLAGGED\nprint(f(10))\n",
        11,
    ),
    "generator dropped": (
        "with lock:\n        yield 1",
        "import threading\nlock = threading.Lock()\ndef f():\n    FLAGGED\ng = f()\nnext(g)\nprint(lock.locked())\ndel g\n"
        "print(lock.locked())\n",
        1,
    ),
}


@pytest.mark.parametrize("case", LOCKING)
def test_locking_is_the_same_with_the_probe(tmp_path: Path, case: str) -> None:
    flagged, template, hits = LOCKING[case]
    probed = probe(tmp_path, template.replace("FLAGGED", flagged), ("lock", flagged), ("lock", flagged))

    assert probed.outcome.run.exit_code == plainly(tmp_path)[0] == 0
    assert list(probed.outcome.last_lines) == plainly(tmp_path)[1].splitlines()
    assert probed.outcome.run.warnings == ()
    assert [probed.value("hits", index) for index in (0, 1)] == [hits, hits]


@pytest.mark.parametrize("version", ["3.8.18", "3.13.0"])
def test_other_versions_of_python(tmp_path: Path, version: str) -> None:
    python = Path.home() / ".pyenv" / "versions" / version / "bin" / "python"
    if not python.exists():
        pytest.skip(f"Python {version} is not here")
    statement = "async with lock:\n            await asyncio.sleep(0.01)"
    program = (
        f"import asyncio\nasync def main():\n    lock = asyncio.Lock()\n    for i in range(3):\n        {statement}\n"
        "asyncio.run(main())\nprint('end')\n"
    )
    probed = probe(tmp_path, program, ("lock", statement), ("awaited", "await asyncio.sleep(0.01)"), python=str(python))

    assert probed.outcome.last_lines == ("end",)
    assert [probed.value("hits", index) for index in (0, 1)] == [3, 3]
    assert probed.value("held") >= 0.03
    assert probed.value("waited", 1) >= 0.03


def test_what_waits_while_the_loop_works_for_others_does_not_hold_up_the_program(tmp_path: Path) -> None:
    """GIVEN tasks that compute and give way, one item after the other WHEN they share a loop THEN it never stands idle."""
    program = (
        "import asyncio\nasync def handle(i):\n    sum(range(20_000))\n    await asyncio.sleep(0)\n"
        "async def work():\n    for i in range(100):\n        await handle(i)\n"
        "async def main():\n    await asyncio.gather(*(work() for _ in range(5)))\n    print('done')\nasyncio.run(main())\n"
    )
    probed = probe(tmp_path, program, ("awaited", "await handle(i)"))

    assert list(probed.outcome.last_lines) == ["done"]
    assert probed.value("suspended") > 0.05
    assert probed.value("waited") < probed.value("suspended") / 3


def test_waiting_beside_one_who_works_for_a_part_of_the_time_counts_for_the_rest(tmp_path: Path) -> None:
    program = (
        "import asyncio, time\nasync def load(i):\n    await asyncio.sleep(0.1)\n"
        "async def main():\n    for i in range(5):\n        await load(i)\n"
        "async def other():\n    for _ in range(5):\n        await asyncio.sleep(0.03)\n        time.sleep(0.06)\n"
        "async def both():\n    await asyncio.gather(main(), other())\n    print('done')\nasyncio.run(both())\n"
    )
    probed = probe(tmp_path, program, ("awaited", "await load(i)"))

    assert probed.value("suspended") >= 0.49
    # what the other does before the first and after the last of its own waits shifts by little
    assert probed.value("waited") == pytest.approx(probed.value("suspended") - 0.3, abs=0.1)


LOCKED = """\
import asyncio, time
async def work(lock):
    async with lock:
        WHILE
async def main():
    lock = asyncio.Lock()
    await asyncio.gather(*(work(lock) for _ in range(10)))
    print('done')
asyncio.run(main())
"""


@pytest.mark.parametrize(("under", "least", "most"), [("await asyncio.sleep(0.02)", 0.17, 1.0), ("IDLE", 0.0, 0.1)])
def test_a_lock_of_asyncio_is_waited_for_while_nothing_else_is_done(
    tmp_path: Path, under: str, least: float, most: float
) -> None:
    """GIVEN a lock held over a sleep, or while its holder computes and gives way THEN the program waits in the former case."""
    computes = "for _ in range(20):\n            sum(range(20_000))\n            await asyncio.sleep(0)"
    program = LOCKED.replace("WHILE", computes if under == "IDLE" else under)
    flagged = program[program.index("async with lock") : program.index("\nasync def main")]
    probed = probe(tmp_path, program, ("lock", flagged))

    assert list(probed.outcome.last_lines) == ["done"]
    assert least <= probed.value("waited") <= min(most, probed.value("suspended"))
    assert probed.value("suspended") > 0.04


def test_of_a_loop_that_does_not_tell_the_time_its_thread_computes_is_taken_off(tmp_path: Path) -> None:
    pytest.importorskip("uvloop")
    program = (
        "import asyncio, uvloop\nasync def handle(i):\n    sum(range(20_000))\n    await asyncio.sleep(0)\n"
        "async def work():\n    for i in range(100):\n        await handle(i)\n"
        "async def main():\n    await asyncio.gather(*(work() for _ in range(5)))\n"
        "    for i in range(10):\n        await asyncio.sleep(0.02)\n    print('done')\nuvloop.run(main())\n"
    )
    probed = probe(tmp_path, program, ("awaited", "await handle(i)"), ("awaited", "await asyncio.sleep(0.02)"))

    assert list(probed.outcome.last_lines) == ["done"]
    assert probed.value("waited", 1) > 0.15
    # what others take of the processor meanwhile cannot be told from waiting
    assert probed.value("waited") < 0.9 * probed.outcome.run.wall_s
    assert not probed.has("suspended")
