"""A client or connection that its function neither closes nor hands on."""

from __future__ import annotations

from auditor import cst
from auditor.model import Survivors
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Page, Plant, Rule, Safety, Where

_CLIENTS = (
    *("requests.Session", "requests.session", "requests.sessions.Session", "niquests.Session", "niquests.AsyncSession"),
    *("httpx.Client", "httpx.AsyncClient", "aiohttp.ClientSession", "aiohttp.client.ClientSession"),
    *("urllib3.PoolManager", "http.client.HTTPConnection", "http.client.HTTPSConnection"),
    *("socket.socket", "socket.create_connection", "socket.create_server", "ssl.SSLSocket"),
    *("smtplib.SMTP", "smtplib.SMTP_SSL", "smtplib.LMTP", "ftplib.FTP", "ftplib.FTP_TLS", "poplib.POP3"),
    *("imaplib.IMAP4", "imaplib.IMAP4_SSL", "telnetlib.Telnet", "xmlrpc.client.ServerProxy", "paramiko.SSHClient"),
    *("sqlite3.connect", "aiosqlite.connect", "psycopg2.connect", "psycopg.connect", "psycopg.AsyncConnection.connect"),
    *("pymysql.connect", "MySQLdb.connect", "mysql.connector.connect", "asyncpg.connect", "asyncpg.create_pool"),
    *("pyodbc.connect", "oracledb.connect", "cx_Oracle.connect", "snowflake.connector.connect", "duckdb.connect"),
    *("pymongo.MongoClient", "motor.motor_asyncio.AsyncIOMotorClient", "redis.Redis", "redis.StrictRedis"),
    *("redis.asyncio.Redis", "redis.from_url", "redis.asyncio.from_url", "redis.Redis.from_url", "aioredis.from_url"),
    *("grpc.insecure_channel", "grpc.secure_channel", "grpc.aio.insecure_channel", "grpc.aio.secure_channel"),
    *(
        "pika.BlockingConnection",
        "kombu.Connection",
        "websocket.create_connection",
        "websockets.connect",
        "zmq.Context",
    ),
    *("elasticsearch.Elasticsearch", "elasticsearch.AsyncElasticsearch", "ldap3.Connection", "kafka.KafkaProducer"),
)
_ENDINGS = (
    *("close", "aclose", "disconnect", "quit", "logout", "shutdown", "stop", "terminate", "destroy", "term", "unbind"),
    *("detach", "release", "dispose", "__exit__", "__aexit__", "wait_closed", "clear"),
)
_BORROWERS = (
    "builtins.print",
    *(f"builtins.{name}" for name in ("isinstance", "str", "repr", "id", "type", "hasattr", "len")),
    *("pandas.read_sql", "pandas.read_sql_query", "pandas.read_sql_table"),
)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or ctx.runs_once(node) or not ctx.derives_from(node.func, _CLIENTS):
        return None
    if ctx.kept_once(node) or not ctx.abandoned(node, _ENDINGS, _BORROWERS):
        return None
    return Match(
        f"what `{ctx.code(node.func)}` makes is never closed here, and nobody else has it", (Plant("client", node),)
    )


_WITH = frozenset(
    (
        *("requests.Session", "requests.session", "requests.sessions.Session", "httpx.Client"),
        *("socket.socket", "socket.create_connection", "socket.create_server", "smtplib.SMTP", "smtplib.SMTP_SSL"),
        *("ftplib.FTP", "ftplib.FTP_TLS", "imaplib.IMAP4", "imaplib.IMAP4_SSL", "xmlrpc.client.ServerProxy"),
    )
)
_ASYNC_WITH = frozenset(("aiohttp.ClientSession", "aiohttp.client.ClientSession", "httpx.AsyncClient"))
_CLOSING = frozenset(("sqlite3.connect", "http.client.HTTPConnection", "http.client.HTTPSConnection"))
_WHOLE = frozenset(("requests.Session", "requests.session", "requests.sessions.Session", "httpx.Client"))


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    if not isinstance(node, cst.Call):
        return None
    name = ctx.qualified(node.func) or ""
    assign = ctx.parent(node)
    match assign:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as target)]):
            line = ctx.parent(assign)
        case _:
            return None
    block = None if line is None else ctx.parent(line)
    function = ctx.function(node)
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1 or not isinstance(block, cst.IndentedBlock):
        return None
    below = list(block.body)[[one is line for one in block.body].index(True) + 1 :]
    inside = {part for one in below for part in ctx.descendants(one)}
    uses = [use for use in ctx.uses(target.value, function) if use is not target]
    if not below or len(ctx.stores(target.value, function)) != 1 or any(use not in inside for use in uses):
        return None
    if not all(_is_free_of(one, target.value, name in _WHOLE, ctx) for one in below):
        return None
    code = edits.code(node.with_changes(lpar=(), rpar=())).strip()
    if name in _ASYNC_WITH and isinstance(function, cst.FunctionDef) and function.asynchronous is not None:
        header = f"async with {code} as {target.value}:"
    elif name in _WITH:
        header = f"with {code} as {target.value}:"
    elif name in _CLOSING:
        header = f"with {edits.imported('contextlib.closing')}({code}) as {target.value}:"
    else:
        return None
    edits.replace(assign, header)
    edits.indent(below[0], below[-1])
    return Safety.UNSAFE


def _is_free_of(statement: cst.CSTNode, client: str, whole: bool, ctx: Context) -> bool:
    """Whether the statement neither returns nor keeps what still needs the open client.

    `whole` says that its methods give what they read in full, unless told to stream.
    """
    for part in ctx.descendants(statement):
        match part:
            case cst.Return(value=cst.BaseExpression() as value) | cst.Yield(value=cst.BaseExpression() as value):
                if not _is_plain(value, client, whole, ctx):
                    return False
            case cst.Assign(targets=targets) if any(not isinstance(one.target, cst.Name) for one in targets):
                return False
            case cst.Arg(keyword=cst.Name(value="stream")):
                return False
            case cst.FunctionDef() | cst.Lambda() | cst.Global() | cst.Nonlocal():
                return False
            case _:
                pass
    return True


def _is_plain(value: cst.BaseExpression, client: str, whole: bool, ctx: Context) -> bool:
    """Whether the value was read in full: a constant, what a second call gave, or the answer of a client as above."""
    if isinstance(value, cst.Await):
        value = value.expression
    match value:
        case cst.Call(func=cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=method))):
            # `recv`, `text`, `json`: data; what a method of the client makes may be read from later
            return (owner == client and whole) or method in (
                *("recv", "text", "json", "read", "decode", "fetchall", "fetchone", "strip"),
            )
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=method))):
            return method in ("text", "json", "read", "decode", "fetchall", "fetchone", "strip")
        case cst.Attribute(attr=cst.Name(value=attr)):
            return attr in ("text", "content", "status_code", "ok", "status")
    return ctx.is_constant(value)


RULE = Rule(
    id="unclosed-client",
    title="Client that is never closed",
    kind=Kind.LEAK,
    page=Page(
        what=(
            "A client, connection, session or socket made in a function that has it to itself: it is bound to a local"
            " name at most, used through its methods, and not closed, returned, stored or passed on. `with`,"
            " `contextlib.closing` and an exit stack count as closing. Start-up code and tests are exempt."
        ),
        why=(
            "Each call leaves its connection to the collector. CPython closes a socket when the last reference"
            " goes, but clients with pools, callbacks or event loops hold themselves in cycles and wait for a pass of"
            " the collector; meanwhile descriptors run out here and connections at the peer. `aiohttp` and"
            " `httpx.AsyncClient` cannot close themselves at all."
        ),
        harmless=(
            "When the function runs a few times, or when the object is part of no cycle: CPython then"
            " closes it as the function returns, with a `ResourceWarning`."
        ),
        measured=(
            "A census of the clients made here: how many, how many still open at once and at the end. Confirmed when"
            " they pile up; rejected when all of many were closed."
        ),
        fix="Use `with` or `async with`; better, make one client at start-up and hand it to whoever needs it.",
        references=(
            "litellm 1.109.1, litellm/secret_managers/hashicorp_secret_manager.py:255: a client for every login",
            "homeassistant 2024.3.3, components/tomato/device_tracker.py:106: harmless, collected at once",
        ),
    ),
    triggers=(Calls(_CLIENTS, Where(function=True)),),
    expects=Survivors(noun="clients"),
    check=check,
    valid=(
        "import requests\n\ndef fetch(url):\n    with requests.Session() as session:\n"
        "        return session.get(url)\n",
        "import socket\n\ndef ask(host):\n    sock = socket.create_connection((host, 80))\n    try:\n"
        "        sock.sendall(b'?')\n        return sock.recv(1)\n    finally:\n        sock.close()\n",
        "import sqlite3\nfrom contextlib import closing\n\ndef rows(path):\n"
        "    with closing(sqlite3.connect(path)) as connection:\n"
        "        return connection.execute('select 1').fetchall()\n",
        "import socket\n\ndef connect(host):\n    sock = socket.create_connection((host, 80))\n"
        "    sock.setblocking(False)\n    return sock\n",
        "import aiohttp\n\nclass Api:\n    async def open(self):\n        session = aiohttp.ClientSession()\n"
        "        self.session = session\n",
        "import socket\n\ndef serve(host, run):\n    sock = socket.create_connection((host, 80))\n    run(sock)\n",
        "import requests\n\ndef main():\n    session = requests.Session()\n    print(session.get('http://localhost'))\n"
        "",
    ),
    invalid=(
        "import aiohttp\n\nasync def fetch(url):\n    session = aiohttp.ClientSession()\n"
        "    response = await session.get(url)\n    return await response.text()\n",
        "import sqlite3\n\ndef rows(path):\n    connection = sqlite3.connect(path)\n    cursor = connection.cursor()\n"
        "    return cursor.execute('select 1').fetchall()\n",
        "import requests\n\ndef fetch(url):\n    return requests.Session().get(url)\n",
        "import socket\n\ndef ask(address):\n    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)\n"
        "    sock.connect(address)\n    sock.sendall(b'?')\n    return sock.recv(1)\n",
        "import asyncpg\n\nasync def count(url):\n    connection = await asyncpg.connect(url)\n"
        "    return await connection.fetchval('select 1')\n",
        "import http.client\n\ndef ask(host):\n    connection = http.client.HTTPSConnection(host)\n"
        "    connection.request('GET', '/')\n    return connection.getresponse().read()\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "The client is closed at the end of the `with`: what still needs it behind that fails. The fix is"
            " made for classes that are known to close that way, bound to a local name, where the rest of the"
            " block returns nothing but data that was read in full. `sqlite3` and `http.client` get"
            " `contextlib.closing`."
        ),
        fixed=(
            "import aiohttp\n\nasync def fetch(url):\n    async with aiohttp.ClientSession() as session:\n"
            "        response = await session.get(url)\n        return await response.text()\n",
            "import contextlib\nimport sqlite3\n\ndef rows(path):\n"
            "    with contextlib.closing(sqlite3.connect(path)) as connection:\n"
            "        cursor = connection.cursor()\n        return cursor.execute('select 1').fetchall()\n",
            None,
            "import socket\n\ndef ask(address):\n"
            "    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:\n        sock.connect(address)\n"
            "        sock.sendall(b'?')\n        return sock.recv(1)\n",
            None,
            "import contextlib\nimport http.client\n\ndef ask(host):\n"
            "    with contextlib.closing(http.client.HTTPSConnection(host)) as connection:\n"
            "        connection.request('GET', '/')\n        return connection.getresponse().read()\n",
        ),
    ),
)
