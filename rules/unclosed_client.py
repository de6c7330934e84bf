"""A client or connection that its function neither closes nor hands on."""

from __future__ import annotations

import libcst as cst

from auditor.model import Survivors
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule, Where

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
        "import requests\n\ndef main():\n    session = requests.Session()\n    print(session.get('http://localhost'))\n",
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
)
