"""State that is written out at every turn of a loop."""

from __future__ import annotations

import re

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Kind, Loop, Match, Page, Plant, Rule, Where

_DUMPS = ("json.dump", "pickle.dump", "marshal.dump", "yaml.dump", "yaml.safe_dump", "cloudpickle.dump")
_SAVES = {"numpy.save": 0, "numpy.savez": 0, "torch.save": 1, "joblib.dump": 1}
"""Functions that write to a path, and the position of that."""
_WRITES = ("pathlib.Path.write_text", "pathlib.Path.write_bytes")
_COMMITS = tuple(
    f"{owner}.commit"
    for owner in (
        *("sqlite3.Connection", "psycopg.Connection", "psycopg2.extensions.connection", "sqlalchemy.Connection"),
        *("pymysql.connections.Connection", "sqlalchemy.orm.Session", "sqlmodel.Session"),
    )
)
_DATABASE = re.compile(r"(?:^|[._])(?:db|conn|connection|database|session|con)$", re.IGNORECASE)
_CONSOLE = re.compile(r"(?:^|[._])(?:stdout|stderr|stdin|console|terminal)\b|^(?:self|cls|super\(\))$")
_NOW_AND_THEN = re.compile(r"%|\btime\b|interval|elapsed|every|last_|_last|dirty|changed")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call):
        return None
    loops = ctx.repeating(node)
    if not loops or ctx.is_paced(loops[0]) or isinstance(ctx.parent(node), cst.Await):
        return None
    loop = loops[0]
    if not _rewrites(node, loop, ctx) or _now_and_then(node, loop, ctx):
        return None
    callee = " ".join(ctx.code(node.func).split())
    opened = _opened_for(node, loop, ctx)
    # opening the file empties it, and what is written may reach it only as it is closed
    plants = (Plant("called", node), *(() if opened is None else (Plant("called", opened),)))
    return Match(f"`{callee}` writes to the same place at every turn of the loop", plants)


def _opened_for(call: cst.Call, loop: Loop, ctx: Context) -> cst.With | None:
    """The `with` statement in the loop that opens the file which the call is given."""
    given = {argument.value.value for argument in call.args if isinstance(argument.value, cst.Name)}
    for parent in ctx.ancestors(call):
        if parent is loop:
            return None
        if isinstance(parent, cst.With) and parent.asynchronous is None:
            names = {ctx.code(item.asname.name).strip() for item in parent.items if item.asname is not None}
            if not given.isdisjoint(names):
                return parent
    return None


def _rewrites(call: cst.Call, loop: Loop, ctx: Context) -> bool:
    """Whether the call writes to a place that the loop does not change."""
    name = ctx.qualified(call.func)
    if name in _DUMPS:
        handle = ctx.argument(call, 1, "fp") or ctx.argument(call, 1, "file") or ctx.argument(call, 1, "stream")
        path = None if handle is None else _path_behind(handle, loop, ctx)
        return path is not None and _is_same(path, loop, ctx)
    if name in _SAVES:
        path = ctx.argument(call, _SAVES[name], "file" if name.startswith("numpy") else "f")
        return path is not None and _is_same(path, loop, ctx)
    if not isinstance(call.func, cst.Attribute):
        return False
    owner = call.func.value
    if name in _WRITES:
        return _is_same(owner, loop, ctx)
    if name in _COMMITS:
        return loop in ctx.item_loops(call) and _is_same(owner, loop, ctx)
    if name == "os.fsync":
        return bool(call.args) and _is_same(_without_fileno(call.args[0].value), loop, ctx)
    if call.args or not _is_flush_or_commit(call.func, ctx) or not _is_same(owner, loop, ctx):
        return False
    # a `while` loop commits what it took as a batch
    return call.func.attr.value == "flush" or loop in ctx.item_loops(call)


def _is_flush_or_commit(func: cst.Attribute, ctx: Context) -> bool:
    owner = ctx.code(func.value).strip()
    if func.attr.value == "commit":
        return ctx.type_of(func.value) is None and _DATABASE.search(owner) is not None
    return func.attr.value == "flush" and not any(known.search(owner) for known in (_CONSOLE, _DATABASE))


def _path_behind(handle: cst.BaseExpression, loop: Loop, ctx: Context) -> cst.BaseExpression | None:
    """The path of a file that the loop opens anew to write to it."""
    opened: cst.BaseExpression | None = handle
    if isinstance(handle, cst.Name):
        names = (node for node in ctx.descendants(loop) if isinstance(node, cst.WithItem) and node.asname is not None)
        opened = next(
            (item.item for item in names if ctx.code(item.asname or item).strip().endswith(handle.value)), None
        )
    if not isinstance(opened, cst.Call):
        return None
    if isinstance(opened.func, cst.Attribute) and opened.func.attr.value == "open" and ctx.type_of(opened.func.value):
        return opened.func.value
    return ctx.argument(opened, 0, "file")


def _without_fileno(descriptor: cst.BaseExpression) -> cst.BaseExpression:
    match descriptor:
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="fileno")), args=[]):
            return owner
    return descriptor


def _is_same(place: cst.BaseExpression, loop: Loop, ctx: Context) -> bool:
    return ctx.is_constant(place) or ctx.is_unchanged(place, loop, immutable=True)


def _now_and_then(node: cst.CSTNode, loop: cst.CSTNode, ctx: Context) -> bool:
    """Whether a condition lets only some turns write: `if step % 100 == 0`, `if now - last > interval`."""
    for parent in ctx.ancestors(node):
        if parent is loop:
            return False
        if isinstance(parent, cst.If) and _NOW_AND_THEN.search(ctx.code(parent.test)):
            return True
        if isinstance(parent, cst.ExceptHandler):
            return True
    return False


RULE = Rule(
    id="persist-every-step",
    title="State written out at every turn",
    kind=Kind.IO,
    page=Page(
        what=(
            "In a loop, a write to a place that no turn changes: `json.dump`, `pickle.dump` and the like into a file"
            " opened anew, `Path.write_text`, `numpy.save`, `torch.save`; `commit()` on a connection or session, in a"
            " `for` loop over single items; `flush()` and `os.fsync` on a file. Not flagged: writes behind a"
            " condition on a counter or a clock"
            " (`if step % 100 == 0`), loops that sleep, what handles an exception, and the console."
        ),
        why=(
            "Where the state grows with the turns, n turns write n * n / 2 entries. A commit or `fsync` waits until the"
            " disk has it, up to ten milliseconds each, while a thousand rows in one transaction cost hardly more"
            " than one."
        ),
        harmless=(
            "When each step takes far longer than the write, or when nothing that was done may be lost, as with"
            " payments and the offsets of a queue."
        ),
        measured=(
            "Executions, and the seconds spent in them, and in opening and closing the file for them. Confirmed when"
            " they are a sizeable part of the run."
        ),
        fix=(
            "Write after the loop, every so many steps or seconds, or append what is new (a line of JSON, a row) in"
            " place of the whole. Commit once for many rows."
        ),
        references=(
            "ansible-core 2.19.14, ansible/galaxy/collection/concrete_artifact_manager.py:499: every 64 KB of a"
            " download",
            "CPython 3.11.7, unittest/runner.py:158: harmless, once for every test that failed",
        ),
    ),
    triggers=(
        Calls((*_DUMPS, *_SAVES, *_WRITES, "os.fsync"), Where(loop=True)),
        Calls((".commit", ".flush"), Where(loop=True)),
    ),
    expects=Cost(),
    check=check,
    valid=(
        "import json\n\ndef f(steps, path, state):\n    for step in steps:\n        state.append(step())\n"
        "    with open(path, 'w') as file:\n        json.dump(state, file)\n",
        # every so often
        "import torch\n\ndef train(steps, model, path):\n    for i, step in enumerate(steps):\n        step(model)\n"
        "        if i % 100 == 0:\n            torch.save(model.state_dict(), path)\n",
        # another file at each turn
        "import json\n\ndef f(rows, folder):\n    for row in rows:\n"
        "        with open(folder / row.name, 'w') as file:\n"
        "            json.dump(row.data, file)\n",
        # one file for all
        "import json\n\ndef f(rows, path):\n    with open(path, 'w') as file:\n        for row in rows:\n"
        "            json.dump(row, file)\n",
        "import sys\n\ndef f(rows):\n    for row in rows:\n        print('.', end='')\n        sys.stdout.flush()\n",
        "def f(db, rows):\n    for row in rows:\n        db.add(row)\n    db.commit()\n",
        "import time\n\ndef f(db, job):\n    while True:\n        job()\n        db.commit()\n        time.sleep(60)\n",
        "def f(repositories):\n    for repository in repositories:\n        repository.commit()\n",
    ),
    invalid=(
        "import json\n\ndef run(steps, path):\n    state = []\n    for step in steps:\n        state.append(step())\n"
        "        with open(path, 'w') as file:\n            json.dump(state, file)\n",
        "import json\nfrom pathlib import Path\n\ndef run(steps, path: Path):\n    state = {}\n    for step in steps:\n"
        "        state[step.name] = step()\n        path.write_text(json.dumps(state))\n",
        "import sqlite3\n\ndef save(rows):\n    db = sqlite3.connect('x.db')\n    for row in rows:\n"
        "        db.execute('insert into t values (?)', row)\n        db.commit()\n",
        "def save(session, rows):\n    for row in rows:\n        session.add(row)\n        session.commit()\n",
        "import os\n\ndef log(lines, file):\n    for line in lines:\n        file.write(line)\n"
        "        os.fsync(file.fileno())\n",
        "import pickle\n\nclass Run:\n    def go(self):\n        while self.left:\n            self.step()\n"
        "            pickle.dump(self.state, open('state.pickle', 'wb'))\n",
        "def log(lines, file):\n    for line in lines:\n        file.write(line)\n        file.flush()\n",
    ),
)
