"""A database engine, connection or service client made anew for every call."""

from __future__ import annotations

from auditor import cst
from auditor.model import Reuse
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Reaches, Rule, Where

_MAKERS = (
    *("sqlalchemy.create_engine", "sqlalchemy.engine.create_engine", "sqlmodel.create_engine"),
    *("sqlalchemy.ext.asyncio.create_async_engine", "databases.Database"),
    *("psycopg2.connect", "psycopg.connect", "psycopg.Connection.connect", "psycopg.AsyncConnection.connect"),
    *("psycopg2.pool.SimpleConnectionPool", "psycopg2.pool.ThreadedConnectionPool"),
    *("psycopg_pool.ConnectionPool", "psycopg_pool.AsyncConnectionPool"),
    *("asyncpg.connect", "asyncpg.create_pool", "aiopg.connect", "aiopg.create_pool"),
    *("pymysql.connect", "MySQLdb.connect", "mysql.connector.connect", "aiomysql.connect", "aiomysql.create_pool"),
    *("sqlite3.connect", "aiosqlite.connect", "duckdb.connect", "pyodbc.connect", "oracledb.connect"),
    *("cx_Oracle.connect", "snowflake.connector.connect", "clickhouse_driver.Client"),
    *("redis.Redis", "redis.StrictRedis", "redis.from_url", "redis.Redis.from_url", "redis.StrictRedis.from_url"),
    *("redis.asyncio.Redis", "redis.asyncio.from_url", "redis.asyncio.Redis.from_url", "redis.ConnectionPool"),
    *("aioredis.from_url", "aioredis.create_redis_pool", "valkey.Valkey", "pymemcache.client.base.Client"),
    *("pymongo.MongoClient", "pymongo.AsyncMongoClient", "motor.motor_asyncio.AsyncIOMotorClient"),
    *("cassandra.cluster.Cluster", "neo4j.GraphDatabase.driver", "influxdb.InfluxDBClient"),
    *("elasticsearch.Elasticsearch", "elasticsearch.AsyncElasticsearch", "opensearchpy.OpenSearch"),
    *("boto3.client", "boto3.resource", "boto3.session.Session.client", "boto3.Session.client"),
    *("google.cloud.storage.Client", "google.cloud.bigquery.Client", "google.cloud.firestore.Client"),
)

# a client of Redis may be made with the pool that is kept, which the way to it does not tell
_CONNECTING = tuple(name for name in _MAKERS if not name.endswith((".Redis", ".StrictRedis", ".Valkey")))
_KEEPING = ("append", "add", "setdefault", "put")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or ctx.runs_once(node):
        return None
    # what `map(connect, xs)` makes, it makes later
    way = () if ctx.handed(node) is not None else ctx.way(node)
    if not way and not _makes(node, ctx):
        return None
    if ctx.kept_once(node) or _is_handed_back(node, ctx) or _is_handed_to_owner(node, ctx):
        return None
    callee = " ".join(ctx.code(node.func).split())
    by = f", by `{way[-1].name}`," if way else ""
    return Match(f"`{callee}` connects{by} anew each time it runs", (Plant("connection", node),), chain=way)


def _makes(call: cst.Call, ctx: Context) -> bool:
    name = ctx.qualified(call.func)
    if name == "sqlite3.connect" and _is_in_memory(call, ctx):
        return False
    return name in _MAKERS or ctx.derives_from(call.func, _MAKERS)


def _is_in_memory(call: cst.Call, ctx: Context) -> bool:
    return bool(call.args) and ctx.text_of(call.args[0].value) in (":memory:", "")


def _is_handed_back(node: cst.Call, ctx: Context) -> bool:
    """Whether the connection itself is returned; `return connect().execute(...)` returns something else."""
    return ctx.returned(node) and not isinstance(ctx.parent(node), cst.Attribute)


def _is_handed_to_owner(node: cst.Call, ctx: Context) -> bool:
    """Whether another client is made with it, which is flagged in its place, or a container of the object keeps it."""
    places: list[cst.CSTNode] = [node]
    parent = ctx.parent(node)
    if isinstance(parent, cst.Await):
        parent = ctx.parent(parent)
    if isinstance(parent, cst.Assign) and isinstance(name := parent.targets[0].target, cst.Name):
        places += ctx.uses(name.value, ctx.function(node))
    return any(_is_argument_of_owner(place, ctx) for place in places)


def _is_argument_of_owner(node: cst.CSTNode, ctx: Context) -> bool:
    argument = ctx.parent(node)
    match ctx.parent(argument) if isinstance(argument, cst.Arg) else None:
        case cst.Call(func=cst.Attribute(value=cst.Attribute(), attr=cst.Name(value=method))) if method in _KEEPING:
            return True
        case cst.Call(func=callee):
            return ctx.derives_from(callee, _MAKERS)
    return False


RULE = Rule(
    id="db-engine-per-call",
    title="Database engine or connection made for every call",
    kind=Kind.REUSE,
    page=Page(
        what=(
            "An engine, pool or connection of a database, or a client of a service (`create_engine`,"
            " `psycopg2.connect`, `asyncpg.create_pool`, `redis.from_url`, `MongoClient`, `boto3.client`...) made"
            " inside a function or loop. Exempt are start-up code and tests, what an object keeps or a guard protects,"
            " factories that return it (of these, of the project's own, the call is flagged that gets a connection of"
            " its own from them), and SQLite in memory. HTTP clients belong to `http-client-per-call`."
        ),
        why=(
            "A connection to a server takes several round trips, authentication that is slow by design, and a process"
            " or thread at its other end. An engine brings a pool, dialect and caches of compiled statements, a"
            " `boto3.client` reads and parses service models for tens of milliseconds; made anew, none of it is used"
            " twice. Engines that are not disposed of keep their connections open."
        ),
        harmless=(
            "When calls are rare, in a script, or for SQLite, where opening takes a fraction of a millisecond unless"
            " the schema is large; and where a proxy such as pgbouncer does the pooling."
        ),
        measured=(
            "The connections opened while what is made here is in use, per execution, and the number of distinct peers."
            " Confirmed when connections grow with executions while peers stay few. Where there is no peer, as with"
            " SQLite, confirmed when making it takes a considerable part of the run."
        ),
        fix="Make one engine or pool at start-up, borrow a connection from it per call, dispose of it at exit.",
        references=(
            "litellm 1.109.1, litellm/llms/bedrock/files/handler.py:108: a client for every file that is downloaded",
            "homeassistant 2024.3.3, components/sql/config_flow.py:100: harmless, once for every form",
        ),
    ),
    triggers=(
        Calls(_MAKERS, Where(function=True)),
        Calls(_MAKERS, Where(loop=True)),
        Reaches(_CONNECTING, Where(function=True), made=True),
        Reaches(_CONNECTING, Where(loop=True), made=True),
    ),
    expects=Reuse(making=True),
    check=check,
    valid=(
        "from sqlalchemy import create_engine\n\nENGINE = create_engine('postgresql://localhost/db')\n\ndef count():\n"
        "    with ENGINE.connect() as connection:\n        return connection.execute('select 1')\n",
        "import redis\n\nclass Store:\n    def __init__(self, url):\n        self.redis = redis.from_url(url)\n",
        "import psycopg2\n\ndef main():\n    connection = psycopg2.connect('dbname=test')\n    work(connection)\n",
        "import pymongo\n\n_client = None\n\ndef client():\n    global _client\n    if _client is None:\n"
        "        _client = pymongo.MongoClient()\n    return _client\n",
        "import sqlite3\n\ndef connect(path):\n    connection = sqlite3.connect(path)\n"
        "    connection.row_factory = sqlite3.Row\n    return connection\n",
        "import sqlite3\n\ndef sort(rows):\n    with sqlite3.connect(':memory:') as connection:\n"
        "        return connection.execute('select 1').fetchall()\n",
        "import asyncpg\n\nclass Pools:\n    async def get(self, name):\n        if name not in self.pools:\n"
        "            pool = await asyncpg.create_pool(name)\n            self.pools.setdefault(name, pool)\n"
        "        return self.pools[name]\n",
        "import functools\nimport boto3\n\n@functools.cache\ndef bucket(name):\n"
        "    s3 = boto3.resource('s3')\n    return s3.Bucket(name)\n",
    ),
    invalid=(
        "import sqlite3\n\ndef connect():\n    return sqlite3.connect('x.db')\n\n"
        "def user(key):\n    return connect().execute(QUERY, (key,)).fetchone()\n",
        "from sqlalchemy import create_engine\n\ndef count(url):\n    engine = create_engine(url)\n"
        "    with engine.connect() as connection:\n        return connection.execute('select 1')\n",
        "import psycopg2\n\ndef user(number):\n    with psycopg2.connect('dbname=test') as connection:\n"
        "        return connection.cursor().execute('select 1')\n",
        "import redis\n\nasync def handler(request):\n    return redis.Redis(host='localhost').get(request.path)\n",
        "import boto3\n\ndef upload(path):\n    s3 = boto3.client('s3')\n    s3.upload_file(path, 'bucket', path)\n",
        "import asyncpg\n\nasync def rows(url):\n    connection = await asyncpg.connect(url)\n    try:\n"
        "        return await connection.fetch('select 1')\n    finally:\n        await connection.close()\n",
        "import sqlite3\n\ndef main(paths):\n    for path in paths:\n"
        "        with sqlite3.connect('db') as connection:\n            connection.execute('select 1')\n",
    ),
)
