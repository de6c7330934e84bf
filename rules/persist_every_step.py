"""State that is written out at every turn of a loop."""

from __future__ import annotations

import re
from collections.abc import Sequence

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Kind, Loop, Match, Page, Plant, Rule, Where

_DUMPS = ("json.dump", "pickle.dump", "marshal.dump", "yaml.dump", "yaml.safe_dump", "cloudpickle.dump")
_SAVES = {"numpy.save": 0, "numpy.savez": 0, "torch.save": 1, "joblib.dump": 1}
"""Functions that write to a path, and the position of that."""
_FRAMES = (
    *("to_csv", "to_parquet", "to_excel", "to_json", "to_pickle", "to_feather", "to_hdf", "to_html", "to_netcdf"),
    *("write_csv", "write_parquet", "write_json", "write_excel", "write_html", "write_image", "savefig", "savetxt"),
)
"""Methods of tables and figures that write to the path that they are given first."""
_OPENS = ("builtins.open", "io.open", "codecs.open", "gzip.open", "pathlib.Path.open")
_PATHS = ("pathlib.Path", "os.path.join", "builtins.str", "os.fspath")
_WRITES = ("pathlib.Path.write_text", "pathlib.Path.write_bytes")
_COMMITS = tuple(
    f"{owner}.commit"
    for owner in (
        *("sqlite3.Connection", "psycopg.Connection", "psycopg2.extensions.connection", "sqlalchemy.Connection"),
        *("pymysql.connections.Connection", "sqlalchemy.orm.Session", "sqlmodel.Session"),
    )
)
_DATABASE = re.compile(r"(?:^|[._])(?:db|conn|connection|database|session|con)$", re.IGNORECASE)
_NAMES_FILE = re.compile(r"/|^\S+\.\w+$")
_WRITING = re.compile(r"[wa]b?t?$")
_CONSOLE = re.compile(r"(?:^|[._])(?:stdout|stderr|stdin|console|terminal)\b|^(?:self|cls|super\(\))$")
_NOW_AND_THEN = re.compile(r"%|\btime\b|interval|elapsed|every|last_|_last|dirty|changed")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call):
        return None
    loops = ctx.repeating(node)
    if not loops or ctx.is_paced(loops[0]) or isinstance(ctx.parent(node), cst.Await):
        return None
    loop = loops[0]
    if ctx.qualified(node.func) in _OPENS:
        return _check_opened(node, loop, ctx)
    if not _rewrites(node, loop, ctx) or _now_and_then(node, loop, ctx):
        return None
    callee = " ".join(ctx.code(node.func).split())
    opened = _opened_for(node, loop, ctx)
    # opening the file empties it, and what is written may reach it only as it is closed
    plants = (Plant("called", node), *(() if opened is None else (Plant("called", opened),)))
    return Match(f"`{callee}` writes to the same place at every turn of the loop", plants)


def _check_opened(call: cst.Call, loop: Loop, ctx: Context) -> Match | None:
    """`with open(path, "a") as file: file.write(x)` at each turn, of a path that no turn changes."""
    item = ctx.parent(call)
    statement = None if item is None else ctx.parent(item)
    of_path = isinstance(call.func, cst.Attribute) and ctx.qualified(call.func) == "pathlib.Path.open"
    path = call.func.value if of_path and isinstance(call.func, cst.Attribute) else ctx.argument(call, 0, "file")
    mode = ctx.argument(call, 0 if of_path else 1, "mode")
    if not isinstance(statement, cst.With) or not isinstance(item, cst.WithItem) or item.asname is None:
        return None
    if path is None or mode is None or not _WRITING.match(str(ctx.text_of(mode))) or not _is_same(path, loop, ctx):
        return None
    if loop in ctx.loops(statement) and not _now_and_then(call, loop, ctx) and not _is_state(statement, ctx):
        message = f"`{' '.join(ctx.code(path).split())}` is opened and written at every turn of the loop"
        return Match(message, (Plant("called", statement),))
    return None


def _is_state(opened: cst.With, ctx: Context) -> bool:
    """Whether a function that is flagged itself writes to the file."""
    calls: Sequence[cst.Call] = ctx.inside(opened.body, cst.Call)
    return any(ctx.qualified(call.func) in _DUMPS for call in calls)


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
    owner, method = call.func.value, call.func.attr.value
    if name in _WRITES:
        return _is_same(owner, loop, ctx)
    if method in _FRAMES and call.args and not call.args[0].star:
        path = call.args[0].value
        return not (ctx.type_of(owner) or "").startswith("json") and _is_path(path, ctx) and _is_same(path, loop, ctx)
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
        items = (node for node in ctx.descendants(loop) if isinstance(node, cst.WithItem))
        opened = next((one.item for one in items if one.asname and ctx.code(one.asname.name) == handle.value), None)
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


def _is_path(value: cst.BaseExpression, ctx: Context) -> bool:
    """Whether it may be a path: not a buffer that the loop fills, nor a mere option."""
    text = ctx.text_of(value)
    if text is not None:
        return _NAMES_FILE.search(str(text)) is not None
    return ctx.type_of(value) in ("str", "pathlib.Path", None) and not isinstance(value, cst.Call | cst.BaseNumber)


def _is_same(place: cst.BaseExpression, loop: Loop, ctx: Context) -> bool:
    if isinstance(place, cst.Call) and ctx.qualified(place.func) in _PATHS:
        return all(not argument.star and _is_same(argument.value, loop, ctx) for argument in place.args)
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
            " opened anew, `Path.write_text`, `numpy.save`, `torch.save`, `df.to_csv(path)`, `figure.savefig(path)`;"
            ' `with open(path, "a") as file:` that opens one file at each turn to write to it;'
            " `commit()` on a connection or session, in a"
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
        Calls(tuple(f".{name}" for name in _FRAMES), Where(loop=True)),
        Calls(_OPENS, Where(loop=True)),
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
        "def f(frames, folder):\n    for name, frame in frames.items():\n        path = folder / name\n"
        "        frame.to_csv(path)\n        with open(path, 'a') as file:\n            file.write('end')\n",
        # read; given to nobody; a text
        "def f(rows, path):\n    for row in rows:\n        with open(path) as file:\n            row.read(file)\n"
        "        print(row.frame.to_csv(), row.frame.to_json(), row.page.to_html('#### Some words'))\n",
        # one file for all
        "import json\n\ndef f(rows, path):\n    with open(path, 'w') as file:\n        for row in rows:\n"
        "            json.dump(row, file)\n",
        "import sys\n\ndef f(rows):\n    for row in rows:\n        print('.', end='')\n        sys.stdout.flush()\n",
        "def f(db, rows):\n    for row in rows:\n        db.add(row)\n    db.commit()\n",
        "import time\n\ndef f(db, job):\n    while True:\n        job()\n        db.commit()\n        time.sleep(60)\n",
        "def f(repositories):\n    for repository in repositories:\n        repository.commit()\n",
    ),
    invalid=(
        "def f(model, rounds):\n    history = []\n    for number in range(rounds):\n       "
        " history.append(model.fit())\n"
        "        frame(history).to_csv('history.csv')\n",
        "def f(rows, path):\n    for row in rows:\n        with open(path, 'a') as file:\n"
        "            file.write(f'{row}\\n')\n",
        "import json\nfrom pathlib import Path\n\ndef f(steps, path):\n    done = []\n    for step in steps:\n"
        "        done.append(step())\n        Path(path).write_text(json.dumps(done))\n",
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
