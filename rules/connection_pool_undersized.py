"""A pool of connections with room for very few."""

from __future__ import annotations

from collections.abc import Mapping

from auditor import cst
from auditor.model import Reuse
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule

_FEW = 2
_SIZES: Mapping[str, tuple[str, ...]] = {
    "requests.adapters.HTTPAdapter": ("pool_maxsize",),
    "requests_toolbelt.adapters.source.SourceAddressAdapter": ("pool_maxsize",),
    "urllib3.PoolManager": ("maxsize",),
    "urllib3.ProxyManager": ("maxsize",),
    "urllib3.HTTPConnectionPool": ("maxsize",),
    "urllib3.HTTPSConnectionPool": ("maxsize",),
    "aiohttp.TCPConnector": ("limit", "limit_per_host"),
    "aiohttp.UnixConnector": ("limit", "limit_per_host"),
    "httpx.Limits": ("max_connections", "max_keepalive_connections"),
    "sqlalchemy.create_engine": ("pool_size",),
    "sqlalchemy.ext.asyncio.create_async_engine": ("pool_size",),
    "asyncpg.create_pool": ("max_size",),
    "psycopg_pool.ConnectionPool": ("max_size",),
    "psycopg_pool.AsyncConnectionPool": ("max_size",),
    "aiomysql.create_pool": ("maxsize",),
    "aiopg.create_pool": ("maxsize",),
    "redis.ConnectionPool": ("max_connections",),
    "redis.BlockingConnectionPool": ("max_connections",),
    "redis.asyncio.ConnectionPool": ("max_connections",),
    "redis.asyncio.BlockingConnectionPool": ("max_connections",),
    "pymongo.MongoClient": ("maxPoolSize",),
    "motor.motor_asyncio.AsyncIOMotorClient": ("maxPoolSize",),
    "botocore.config.Config": ("max_pool_connections",),
}
_ALIASES = {
    "requests.sessions.HTTPAdapter": "requests.adapters.HTTPAdapter",
    "urllib3.poolmanager.PoolManager": "urllib3.PoolManager",
    "urllib3.connectionpool.HTTPConnectionPool": "urllib3.HTTPConnectionPool",
    "aiohttp.connector.TCPConnector": "aiohttp.TCPConnector",
    "sqlalchemy.engine.create_engine": "sqlalchemy.create_engine",
}
_SETTINGS = ("httpx.Limits", "botocore.config.Config")
"""Settings that a client is made with: the client is what connects."""
_ENGINES = ("sqlalchemy.create_engine", "sqlalchemy.ext.asyncio.create_async_engine")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or _is_test(node, ctx):
        return None
    name = ctx.qualified(node.func) or ""
    name = _ALIASES.get(name, name)
    if name not in _SIZES or (name in _ENGINES and _grows_or_needs_one(node, ctx)):
        return None
    for argument in node.args:
        if argument.keyword is None or argument.keyword.value not in _SIZES[name]:
            continue
        size = _number(argument.value, ctx)
        if size is not None and 0 < size <= _FEW:
            noun = "connection" if size == 1 else "connections"
            made = _client(node, ctx) if name in _SETTINGS else node
            # what is kept for later makes a client where nothing is planted
            plant = Plant("handed-on", node) if made is None else Plant("connection", made)
            message = (
                f"`{argument.keyword.value}` leaves room for {size} {noun}, so whoever comes next waits or opens more"
            )
            return Match(message, (plant,))
    return None


def _client(settings: cst.Call, ctx: Context) -> cst.Call | None:
    """The call that the settings are handed to, directly or by way of a local name."""
    places: list[cst.CSTNode] = [settings]
    parent = ctx.parent(settings)
    if isinstance(parent, cst.Assign) and isinstance(name := parent.targets[0].target, cst.Name):
        places += ctx.uses(name.value, ctx.function(settings))
    for place in places:
        argument = ctx.parent(place)
        around = None if argument is None else ctx.parent(argument)
        if isinstance(argument, cst.Arg) and isinstance(around, cst.Call):
            return around
    return None


def _number(value: cst.BaseExpression, ctx: Context) -> int | None:
    bound = value if isinstance(value, cst.Integer) else ctx.bound_to(value) or _default(value, ctx)
    return int(bound.value, 0) if isinstance(bound, cst.Integer) else None


def _default(value: cst.BaseExpression, ctx: Context) -> cst.BaseExpression | None:
    """What a parameter of the function is if the caller does not say."""
    function = ctx.function(value)
    if not isinstance(value, cst.Name) or function is None:
        return None
    match ctx.stores(value.value, function):
        case [cst.Param(default=default)]:
            return default
    return None


def _grows_or_needs_one(call: cst.Call, ctx: Context) -> bool:
    """Whether an engine's pool may overflow by several connections, or it is for SQLite, which has one writer."""
    overflow = next((a.value for a in call.args if a.keyword is not None and a.keyword.value == "max_overflow"), None)
    if overflow is None:
        # ten more is SQLAlchemy's default
        return True
    text = ctx.text_of(call.args[0].value) if call.args else None
    if isinstance(text, str) and text.startswith("sqlite"):
        return True
    more = _number(overflow, ctx)
    return more is None or more > _FEW


def _is_test(node: cst.CSTNode, ctx: Context) -> bool:
    return any(
        isinstance(parent, cst.FunctionDef) and parent.name.value.startswith("test_") for parent in ctx.ancestors(node)
    )


RULE = Rule(
    id="connection-pool-undersized",
    title="Connection pool with very little room",
    kind=Kind.REUSE,
    page=Page(
        what=(
            f"A pool of connections, or the adapter or limits of one, made with room for {_FEW} or less, perhaps as the"
            " default of a parameter:"
            " `HTTPAdapter(pool_maxsize=1)`, `PoolManager(maxsize=1)`, `TCPConnector(limit=1)`,"
            " `httpx.Limits(max_connections=1)`, `asyncpg.create_pool(max_size=1)`... An SQLAlchemy engine counts with"
            " its overflow, of which it has ten by default. Zero, which mostly means no limit, is not flagged."
        ),
        why=(
            "Where more threads or tasks than that use the pool at once, a blocking one makes them wait in line, and"
            " one that does not block (urllib3's) opens a connection for each and throws away all but those it has"
            " room for: the handshakes that a pool is there to save are paid again and again."
        ),
        harmless=(
            "When one thread or task at a time uses the pool, when the peer allows no more, or when requests are kept"
            " in line on purpose, as for a rate limit or a single writer."
        ),
        measured=(
            "The connections opened while the pool is in use, how many of them were open at once, and how long callers"
            " waited for one (aiohttp, httpx, SQLAlchemy). Confirmed when many more are opened than are ever open at"
            " once, or when waiting is a sizeable part of the run."
        ),
        fix="Give the pool as much room as threads or tasks use it at once; limit load with a semaphore instead.",
        references=(
            "True: python-telegram-bot 21.10, telegram/request/_httpxrequest.py:179, one for all requests of a bot that"
            " is not told otherwise; version 22 leaves room for 256",
            "Harmless: homeassistant 2024.3.3, components/rainbird/coordinator.py:58, the device serves only one",
            "urllib3: `Connection pool is full, discarding connection` is logged for every one thrown away",
        ),
    ),
    triggers=(Calls((*_SIZES, *_ALIASES)),),
    expects=Reuse(pooled=True),
    check=check,
    valid=(
        "from requests.adapters import HTTPAdapter\n\nadapter = HTTPAdapter(pool_maxsize=50)\n",
        "import aiohttp\n\nconnector = aiohttp.TCPConnector(limit=0)\n",
        "import httpx\n\ndef limits(size):\n    return httpx.Limits(max_connections=size)\n",
        # ten more by default
        "import sqlalchemy\n\nengine = sqlalchemy.create_engine('postgresql://localhost/db', pool_size=1)\n",
        # one writer
        "import sqlalchemy\n\nengine = sqlalchemy.create_engine('sqlite:///db', pool_size=1, max_overflow=0)\n",
        "import urllib3\n\npool = urllib3.PoolManager(num_pools=1)\n",
        "class HTTPAdapter:\n    pass\n\nadapter = HTTPAdapter(pool_maxsize=1)\n",
        "import httpx\n\ndef client(size=1):\n    size = size or 10\n"
        "    return httpx.Client(limits=httpx.Limits(max_connections=size))\n",
    ),
    invalid=(
        "from requests.adapters import HTTPAdapter\n\nadapter = HTTPAdapter(pool_connections=1, pool_maxsize=1)\n",
        "import aiohttp\n\nclass Api:\n    async def open(self):\n"
        "        self.connector = aiohttp.TCPConnector(limit=1)\n",
        "import httpx\n\nSIZE = 2\n\ndef client():\n    limits = httpx.Limits(max_connections=SIZE)\n"
        "    return httpx.AsyncClient(limits=limits)\n",
        "import urllib3\n\nPOOL = urllib3.PoolManager(maxsize=1, block=True)\n",
        "from sqlalchemy import create_engine\n\n"
        "engine = create_engine('postgresql://localhost/db', pool_size=1, max_overflow=0)\n",
        "import asyncpg\n\nasync def pool(url):\n    return await asyncpg.create_pool(url, min_size=1, max_size=1)\n",
        # what callers get who do not say
        "import httpx\n\nclass Request:\n    def __init__(self, pool_size: int = 1):\n"
        "        limits = httpx.Limits(max_connections=pool_size)\n        self.options = {'limits': limits}\n",
    ),
)
