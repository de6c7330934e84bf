"""A query sent to the database for every item of a loop."""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Reaches, Rule, Where
from auditor.shapes import is_awaited_later, runner

_ONE_AT_A_TIME = ("execute", "scalar", "scalars", "get", "exec", "exec_driver_sql", "refresh", "merge")
_ENDS = (
    *("get", "first", "last", "one", "one_or_none", "one_or_404", "first_or_404", "get_or_404", "all", "count"),
    *("exists", "scalar", "create", "get_or_create", "update_or_create", "delete", "update", "aggregate", "earliest"),
    "latest",
)
_DOCUMENTS = (
    *("find_one", "insert_one", "update_one", "replace_one", "delete_one", "count_documents"),
    *("find_one_and_update", "find_one_and_replace", "find_one_and_delete"),
)
_STORED = (
    "get",
    "set",
    "setex",
    "hget",
    "hset",
    "hgetall",
    "incr",
    "expire",
    "exists",
    "delete",
    "lpush",
    "rpush",
    "sadd",
)
_STORES = ("redis.Redis", "redis.StrictRedis", "redis.client.Redis", "valkey.Valkey")
_SETS = ("all", "filter", "exclude", "order_by", "values", "values_list", "select_related", "prefetch_related", "only")
"""Methods whose result sends its query as it is gone through."""
_MANAGERS = ("objects", "query")
_SHORTCUTS = ("django.shortcuts.get_object_or_404", "django.shortcuts.get_list_or_404")
_OF_ROWS = ("save", "delete", "refresh_from_db")
_OF_RELATED = ("count", "exists", "first", "last")
"""Methods of a row, and of the rows that belong to it, that send a query."""
_TABLES = re.compile(
    r"""(?:(?:\w+\.)*text\(\s*)?[rbuf]*["']+\s*(?:create|drop|alter|truncate|pragma|reindex|analyze|vacuum)\b|(?:\w+\.)*(?:Drop|Create)[A-Z]""",
    re.IGNORECASE,
)
_CURSORS = ("execute", "scalars", "exec_driver_sql", "exec")
"""Methods whose result may find its rows only as they are asked for."""
_FETCHING = (
    *("fetchone", "fetchall", "fetchmany", "scalar", "scalars", "scalar_one", "scalar_one_or_none", "mappings"),
    *("all", "first", "one", "one_or_none", "unique", "partitions"),
)
_TAKING_ALL = tuple(f"builtins.{name}" for name in ("list", "tuple", "set", "dict", "sorted", "sum", "next"))
_LIBRARIES = ("django", "sqlalchemy", "flask_sqlalchemy", "sqlmodel")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or isinstance(ctx.parent(node), cst.Await):
        return None
    sends = _sends_query(node, ctx)
    way = () if sends else ctx.way(node)
    if not (sends or way) or _is_migration(node, ctx):
        return None
    handed = ctx.handed(node) if way else None
    loops = [loop for loop in ctx.item_loops(node, beside=True) if not _is_handed_on(loop, ctx)]
    if handed is None and (not loops or ctx.is_paced(loops[0]) or ctx.carries(node, loops[0])):
        return None
    timed = node if handed is None else runner(node, ctx)
    if timed is None or is_awaited_later(node, ctx):
        return None
    callee = " ".join(ctx.code(handed or node.func).split())
    if sets := _taken_by(node, ctx):
        return Match(f"`{callee}` sends a query of its own for every item of the loop", sets)
    if way:
        message = f"`{callee}` leads to `{way[-1].name}`, a query of its own for every item of the loop"
    else:
        message = f"`{callee}` sends a query of its own for every item of the loop"
    plants = (Plant("called", timed),) if way or timed is not node else _plants(node, ctx)
    return Match(message, plants, chain=way)


def _plants(query: cst.Call, ctx: Context) -> tuple[Plant, ...]:
    """The call that sends the query, and those that fetch its rows: many drivers find them only then."""
    fetches = list(_chained(query, ctx))
    holder, is_lazy = (query.func.value if isinstance(query.func, cst.Attribute) else None), False
    match ctx.parent(fetches[-1] if fetches else query):
        case cst.Expr():
            fetches += _fetched(holder, query, ctx)
        case cst.Assign(targets=[cst.AssignTarget(target=name)]) if not fetches:
            named = _fetched(name, query, ctx)
            is_lazy = not named
            fetches += named
        case cst.Arg() as given if not fetches and isinstance(around := ctx.parent(given), cst.Call):
            is_lazy = ctx.qualified(around.func) not in _TAKING_ALL
            fetches += [] if is_lazy else [around]
        case (cst.For(asynchronous=None) | cst.CompFor(asynchronous=None)) as loop if (
            not fetches and loop.iter is query
        ):
            return (Plant("drawn", query),)
        case (cst.For() | cst.CompFor()) as loop if not fetches and loop.iter is query:
            is_lazy = True
    is_cursor = isinstance(query.func, cst.Attribute) and query.func.attr.value in _CURSORS
    plants = tuple(Plant("called", call) for call in (query, *fetches))
    return (*plants, Plant("handed-on", query)) if is_lazy and is_cursor else plants


def _chained(query: cst.Call, ctx: Context) -> Iterator[cst.Call]:
    """The calls of `.scalars().all()` behind the query."""
    made = query
    while isinstance(attribute := ctx.parent(made), cst.Attribute) and attribute.attr.value in _FETCHING:
        call = ctx.parent(attribute)
        if not isinstance(call, cst.Call) or call.func is not attribute:
            return
        made = call
        yield made


def _fetched(holder: cst.BaseExpression | None, query: cst.Call, ctx: Context) -> list[cst.Call]:
    """The calls in the same loop by which what the name holds, a cursor or a result, gives its rows."""
    loop = next(iter(ctx.loops(query)), None)
    if holder is None or loop is None:
        return []
    text = ctx.code(holder).strip()
    return [
        call
        for call in ctx.inside(loop, cst.Call)
        if isinstance(call.func, cst.Attribute)
        and call.func.attr.value in _FETCHING
        and ctx.code(call.func.value).strip() == text
    ]


def _sends_query(call: cst.Call, ctx: Context) -> bool:
    if ctx.qualified(call.func) in _SHORTCUTS:
        return True
    if not isinstance(call.func, cst.Attribute):
        return False
    if (
        call.func.attr.value in (*_ONE_AT_A_TIME, *_ENDS, *_DOCUMENTS, *_STORED)
        and ctx.waits_for(call) == "the database"
    ):
        return True
    return _is_of_row(call, ctx) or bool(_taken_by(call, ctx))


def _is_of_row(call: cst.Call, ctx: Context) -> bool:
    """Whether it is `row.save()` or `row.items.count()` of each row of `Model.objects...`."""
    match call.func:
        case cst.Attribute(value=cst.Name(value=row), attr=cst.Name(value=method)) if method in _OF_ROWS:
            pass
        case cst.Attribute(value=cst.Attribute(value=cst.Name(value=row)), attr=cst.Name(value=method)):
            if method not in _OF_RELATED or call.args:
                return False
        case _:
            return False
    loops = [loop for loop in ctx.item_loops(call) if isinstance(loop, cst.For | cst.CompFor)]
    return any(row in ctx.binds(loop) and _goes_through_rows(loop.iter, ctx) for loop in loops) or any(
        _is_row(store.value, ctx)
        for loop in loops
        if isinstance(loop, cst.For)
        for store in ctx.stores(row, loop)
        if isinstance(store, cst.Assign)
    )


def _goes_through_rows(items: cst.BaseExpression, ctx: Context) -> bool:
    """Whether it is `Model.objects...`, or a name bound to that."""
    if isinstance(items, cst.Name):
        stores = ctx.stores(items.value, ctx.function(items))
        if len(stores) != 1 or not isinstance(stores[0], cst.Assign):
            return False
        items = stores[0].value
    return any(part.attr.value in _MANAGERS for part in ctx.inside(items, cst.Attribute))


def _is_row(value: cst.BaseExpression, ctx: Context) -> bool:
    """Whether it is `Model(...)`, by what it is imported from, or `Model.objects.get(...)`."""
    match value:
        case cst.Call(func=cst.Name(value=model) as named) if model[:1].isupper():
            return ".models." in f".{ctx.qualified(named) or ''}"
        case cst.Call(func=cst.Attribute(value=manager, attr=cst.Name(value="get" | "create"))):
            return isinstance(manager, cst.Attribute) and manager.attr.value in _MANAGERS
    return False


def _taken_by(call: cst.Call, ctx: Context) -> tuple[Plant, ...]:
    """Where a set of rows that sends its query as it is gone through, `Model.objects.filter(...)`, is gone through.

    Nothing if the call makes no such set, or nothing takes its items.
    """
    if not (_is_of_manager(call) or _is_related(call, ctx)):
        return ()
    match ctx.parent(call):
        case cst.For(asynchronous=None) | cst.CompFor(asynchronous=None) as loop if loop.iter is call:
            # the query is sent as the loop begins
            return (Plant("drawn", call),)
        case cst.For() | cst.CompFor() as loop if loop.iter is call:
            # what an asynchronous loop draws is timed by no probe
            return (Plant("called", call), Plant("handed-on", call))
        case cst.Arg() as given if isinstance(around := ctx.parent(given), cst.Call):
            taking = (*_TAKING_ALL, "builtins.len", "builtins.bool")
            return (Plant("called", around),) if ctx.qualified(around.func) in taking else ()
    return ()


def _is_of_manager(call: cst.Call) -> bool:
    """Whether it is the end of a chain such as `Model.objects.filter(...).order_by(...)`."""
    owner: cst.CSTNode = call
    while isinstance(owner, cst.Call) and isinstance(owner.func, cst.Attribute) and owner.func.attr.value in _SETS:
        owner = owner.func.value
    match owner:
        case cst.Attribute(value=cst.Name(value=model) | cst.Attribute(attr=cst.Name(value=model)), attr=manager):
            return manager.value in _MANAGERS and model[:1].isupper() and not model.isupper()
    return False


def _is_related(call: cst.Call, ctx: Context) -> bool:
    """Whether it is `order.items.all()` of each `order` of a loop."""
    match call:
        case cst.Call(func=cst.Attribute(value=cst.Attribute(value=owner), attr=cst.Name(value="all")), args=[]):
            pass
        case _:
            return False
    while isinstance(owner, cst.Attribute):
        owner = owner.value
    return isinstance(owner, cst.Name) and any(owner.value in ctx.binds(loop) for loop in ctx.item_loops(call))


def _is_handed_on(loop: cst.CSTNode, ctx: Context) -> bool:
    """Whether it is a function that another runs for every item: flagged is the call that hands it over."""
    calls = (part.func for part in ctx.descendants(loop) if isinstance(part, cst.Call))
    called = {func.attr if isinstance(func, cst.Attribute) else func for func in calls}
    return isinstance(loop, cst.FunctionDef) and not any(
        isinstance(name, cst.Name) and name.value == loop.name.value for name in called
    )


def _is_migration(call: cst.Call, ctx: Context) -> bool:
    """Whether it changes tables, or belongs to a change of tables: both happen once."""
    given = ctx.code(call.args[0].value).strip() if call.args else ""
    return _TABLES.match(given) is not None or "migration" in ctx.path


RULE = Rule(
    id="query-in-loop",
    title="Query sent for every item",
    kind=Kind.QUERIES,
    page=Page(
        what=(
            "A query in a loop or comprehension over data: `execute` on a connection, cursor or session (proven by its"
            " type, or by an SQL text as argument), and the methods at which a chain of Django's or SQLAlchemy's ORM"
            " sends its query (`Model.objects.get(...)`, `session.query(...).first()`, `get_object_or_404(...)`, and"
            " `row.save()` or `row.items.count()` of each row of `Model.objects`, and `row.save()` of a row made"
            " there). So is a call in such a loop that leads to a query over at most four functions of the project;"
            " the chain of calls is shown. Not"
            " flagged: `while` loops,"
            " which mostly page through a result; loops over batches, or of at most 16 turns; loops that sleep; queries"
            " that need the answer to the one before, or whose answer ends the loop; what creates or changes tables,"
            " and"
            " migrations. A chain that is iterated without"
            " such a method is missed, an awaited query is the rule sequential-await."
        ),
        why=(
            "Every query is a round trip to the server, or at least a pass through parser, planner and locks, so that n"
            " items cost n times the latency where one query for all of them would cost it once (the N+1 problem)."
        ),
        harmless=(
            "With few items; with an embedded database (SQLite reads a row by its key in some ten microseconds); in"
            " scripts that run once."
        ),
        measured=(
            "Executions, and the seconds spent waiting in them and in fetching their rows, which some drivers find only"
            " then; in doubt where something else takes the rows. Confirmed when these are a sizeable part of the run;"
            " of a call that leads to a query through other functions, when the query itself is, too."
        ),
        fix=(
            "Ask for all items at once: `WHERE id IN (...)` or a join, `executemany` for writes, `select_related`,"
            " `prefetch_related`, `selectinload`, `in_bulk` or `bulk_create` in an ORM."
        ),
        references=(
            "homeassistant 2024.3.3, components/recorder/statistics.py:2420: one update for every row of a table",
            "homeassistant 2024.3.3, components/recorder/util.py:291: harmless, a look at a handful of tables",
            "wemake-python-styleguide#1600",
        ),
    ),
    triggers=(
        Calls(tuple(f".{name}" for name in ("execute", "scalar", "scalars", "exec_driver_sql")), Where(loop=True)),
        Calls(
            tuple(f"{library}.{name}" for library in _LIBRARIES for name in (*_ENDS, *_ONE_AT_A_TIME)), Where(loop=True)
        ),
        Calls(tuple(f".{name}" for name in (*_ENDS, *_SETS)), Where(loop=True), through=_MANAGERS),
        Calls((*_SHORTCUTS, *(f".{name}" for name in (*_OF_ROWS, *_OF_RELATED))), Where(loop=True)),
        Calls((".all", *(f".{name}" for name in _DOCUMENTS)), Where(loop=True)),
        Calls(tuple(f"{owner}.{name}" for owner in _STORES for name in _STORED), Where(loop=True)),
        Reaches(
            tuple(f".{name}" for name in (*_ENDS, *_DOCUMENTS)),
            Where(loop=True),
            waits_for="the database",
            through=(*_MANAGERS, "collection"),
        ),
        Reaches(
            (
                *(f".{name}" for name in ("execute", "scalar", "scalars", "exec_driver_sql")),
                *(f"{library}.{name}" for library in _LIBRARIES for name in (*_ENDS, *_ONE_AT_A_TIME)),
            ),
            Where(loop=True),
            waits_for="the database",
        ),
    ),
    expects=Cost(),
    check=check,
    valid=(
        "import sqlite3\n\ndef names(db: sqlite3.Connection):\n"
        "    for row in db.execute('select name from users'):\n        print(row)\n",
        # pages
        "import sqlite3\n\ndef users(db: sqlite3.Connection):\n    offset = 0\n    while True:\n"
        "        rows = db.execute('select * from users limit 100 offset ?', (offset,)).fetchall()\n"
        "        if not rows:\n            return\n        yield from rows\n        offset += 100\n",
        # batches
        "import sqlite3\n\ndef load(db: sqlite3.Connection, ids):\n    for i in range(0, len(ids), 500):\n"
        "        yield from db.execute('select * from users where id in (?)', ids[i:i + 500])\n",
        # deliberate pacing (wemake-python-styleguide#1600)
        "import sqlite3, time\n\ndef purge(db: sqlite3.Connection, ids):\n    for key in ids:\n"
        "        db.execute('delete from users where id = ?', (key,))\n        time.sleep(0.1)\n",
        "import sqlite3\n\ndef save(db: sqlite3.Connection, rows):\n"
        "    db.executemany('insert into users values (?, ?)', rows)\n",
        # happens once
        "import sqlite3\n\ndef clear(db: sqlite3.Connection, tables):\n    for table in tables:\n"
        "        db.execute(f'DROP TABLE {table}')\n",
        # another thing that executes
        "def run(commands):\n    for command in commands:\n        command.execute(context)\n",
        "import django\n\ndef f(rows, table: dict):\n    return [table.get(row) for row in rows]\n",
        # the first that answers
        "def find(connections, key):\n    for connection in connections:\n"
        "        row = connection.execute('SELECT * FROM t WHERE id = ?', (key,)).fetchone()\n"
        "        if row:\n            return row\n",
        # attempts at the same: apache-airflow-core 3.3.2, airflow/jobs/scheduler_job_runner.py:3299
        "import tenacity\nfrom sqlalchemy.orm import Session\nfrom sqlalchemy import update\n\n"
        "def adopt(session: Session, table):\n    for attempt in tenacity.Retrying():\n        with attempt:\n"
        "            session.execute(update(table))\n",
        # each query needs the answer to the one before
        "import sqlite3\nfrom functools import reduce\n\n"
        "def follow(db: sqlite3.Connection, steps, start):\n"
        "    return reduce(lambda key, step: db.execute(step, (key,)).fetchone()[0], steps, start)\n",
        # awaited together
        "import asyncio\nfrom sqlalchemy.ext.asyncio import AsyncSession\n\n"
        "async def f(session: AsyncSession, queries):\n"
        "    return await asyncio.gather(*[session.execute(query) for query in queries])\n",
        # handed on, to be run through elsewhere
        "import sqlite3\nfrom functools import partial\n\ndef one(db: sqlite3.Connection, key):\n"
        "    return db.execute(QUERY, (key,)).fetchone()\n\ndef many(db, keys):\n"
        "    return map(partial(one, db), keys)\n",
        # one query, and other things called so
        "from .models import Book\n\ndef load(ids, rows, mask):\n    for book in Book.objects.filter(pk__in=ids):\n"
        "        print(book, (rows == book.id).all(), mask.rows.all())\n",
        "def find(pages):\n    return [page.query.get('q') for page in pages]\n",
        "import redis\n\nstore = redis.Redis()\n\ndef load(keys):\n    with store.pipeline() as batch:\n"
        "        for key in keys:\n            batch.get(key)\n        return batch.execute()\n",
        # rows of nothing that is known to be a table; what is saved after the loop
        "def save(images, names: list[str], order, rows):\n    for image in images:\n        image.save()\n"
        "        print(image.names.count('a'))\n    for row in rows:\n        order.rows.append(row)\n"
        "    order.save()\n",
    ),
    invalid=(
        "from .models import Book\n\nasync def load(authors):\n    for author in authors:\n"
        "        async for book in Book.objects.filter(author=author):\n            show(book)\n",
        "from .models import Book\n\ndef load(rows):\n    for row in rows:\n        book = Book(title=row.title)\n"
        "        book.save()\n",
        "from .models import Author\n\ndef sizes():\n    authors = Author.objects.all()\n"
        "    return {author.id: author.books.count() for author in authors}\n",
        "def save(cursor, prices):\n    for name, price in prices.items():\n"
        "        sql = 'UPDATE item SET price = %s WHERE name = %s'\n        cursor.execute(sql, (price, name))\n",
        "import sqlite3\n\ndef load(db: sqlite3.Connection, ids):\n    rows = []\n    for key in ids:\n"
        "        rows += db.execute('select * from users where id = ?', (key,)).fetchall()\n    return rows\n",
        "import psycopg\n\ndef load(url, ids):\n    with psycopg.connect(url) as db, db.cursor() as cursor:\n"
        "        for key in ids:\n            cursor.execute(QUERY, (key,))\n            print(cursor.fetchone())\n",
        "from django.http import JsonResponse\nfrom .models import Author\n\ndef view(request, books):\n"
        "    return JsonResponse({b.id: Author.objects.get(pk=b.author_id).name for b in books})\n",
        "from sqlalchemy import select\n\ndef load(session, ids):\n"
        "    return [session.scalars(select(User).where(User.id == key)).one() for key in ids]\n",
        "import sqlalchemy\nfrom .models import User\n\ndef load(session, names):\n    for name in names:\n"
        "        yield session.query(User).filter(User.name == name).first()\n",
        "class Store:\n    def save(self, rows):\n        for row in rows:\n"
        '            self.cursor.execute(f"INSERT INTO {self.table} VALUES (?)", (row,))\n',
        "import sqlite3\n\nclass Users:\n    def __init__(self, db: sqlite3.Connection):\n        self.db = db\n\n"
        "    def one(self, key):\n        return self.db.execute(QUERY, (key,)).fetchone()\n\n"
        "    def many(self, keys):\n        return [self.one(key) for key in keys]\n",
        # a function that runs for every item
        "import sqlite3\n\ndef load(db: sqlite3.Connection, ids):\n"
        "    return list(map(lambda key: db.execute(QUERY, (key,)).fetchone(), ids))\n",
        "import sqlite3\nfrom functools import partial\n\ndef one(db: sqlite3.Connection, key):\n"
        "    return db.execute(QUERY, (key,)).fetchone()\n\ndef many(pool, db, keys):\n"
        "    return list(pool.map(partial(one, db), keys))\n",
        "import sqlite3\n\ndef tree(db: sqlite3.Connection, key):\n"
        "    found = db.execute('select id from node where parent = ?', (key,)).fetchall()\n"
        "    return {child: tree(db, child) for (child,) in found}\n",
        "import sqlite3\nfrom functools import partial\n\ndef one(db: sqlite3.Connection, key):\n"
        "    return db.execute(QUERY, (key,)).fetchone()\n\ndef many(db, keys):\n"
        "    return dict(zip(keys, map(partial(one, db), keys)))\n",
        # nothing of the library is imported here
        "from .models import Book\n\ndef load(ids):\n    return [Book.objects.get(pk=key) for key in ids]\n",
        "from .models import Book\n\ndef load(names):\n    for name in names:\n"
        "        yield list(Book.objects.filter(author=name).order_by('year'))\n",
        "from .models import Book\n\ndef load(names):\n    for name in names:\n"
        "        for book in Book.objects.filter(author=name):\n            print(book)\n",
        "from .models import Book\n\ndef one(key):\n    return Book.objects.filter(pk=key).first()\n\n"
        "def load(ids):\n    return [one(key) for key in ids]\n",
        # rows that belong to each
        "def show(orders):\n    for order in orders:\n        for item in order.items.all():\n            print(item)\n"
        "",
        "def show(users, ids):\n    return [users.find_one({'_id': key}) for key in ids]\n",
        "import redis\n\nstore = redis.Redis()\n\ndef load(keys):\n    return [store.get(key) for key in keys]\n",
        # a row written by itself
        "from shop.models import Order\n\ndef close(now):\n    for order in Order.objects.filter(open=True):\n"
        "        order.closed = now\n        order.save()\n",
        "from django.shortcuts import get_object_or_404\nfrom shop.models import User\n\ndef users(ids):\n"
        "    return [get_object_or_404(User, pk=one) for one in ids]\n",
        "from shop.models import Order\n\ndef sizes():\n"
        "    return {order.id: order.items.count() for order in Order.objects.all()}\n",
    ),
)
