"""Calls whose effect lies outside the program: what they wait for, what they read, what they log."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from auditor import cst
from auditor.scan.infer import bound_value, qualified
from auditor.scan.scopes import Scopes

if TYPE_CHECKING:
    from auditor.rule import Context

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request", "send", "stream")
_RUNNERS = ("run", "call", "check_call", "check_output", "getoutput", "getstatusoutput", "Popen")
_SQL_METHODS = ("execute", "executemany", "executescript", "exec_driver_sql", "scalar", "scalars", "fetch", "fetchrow")
_CURSORS = (
    *("sqlite3.Connection", "sqlite3.Cursor", "aiosqlite.Connection", "aiosqlite.Cursor"),
    *("psycopg.Connection", "psycopg.Cursor", "psycopg.AsyncConnection", "psycopg.AsyncCursor", "asyncpg.Connection"),
    *("psycopg2.extensions.connection", "psycopg2.extensions.cursor"),
    *("pymysql.connections.Connection", "pymysql.cursors.Cursor", "MySQLdb.connections.Connection"),
    *("sqlalchemy.Connection", "sqlalchemy.engine.Connection", "sqlalchemy.ext.asyncio.AsyncConnection"),
)
_SESSIONS = (
    *("sqlalchemy.orm.Session", "sqlalchemy.orm.session.Session", "sqlalchemy.orm.scoped_session"),
    *("sqlalchemy.ext.asyncio.AsyncSession", "sqlmodel.Session"),
)
_SESSION_METHODS = ("execute", "get", "scalar", "scalars", "flush", "commit", "refresh", "merge", "exec")

_STORES = ("redis.Redis", "redis.StrictRedis", "redis.client.Redis", "valkey.Valkey")
_STORE_METHODS = (
    *("get", "set", "setex", "mget", "hget", "hset", "hgetall", "hmget", "incr", "decr", "expire", "exists", "delete"),
    *("lpush", "rpush", "lpop", "rpop", "lrange", "sadd", "srem", "smembers", "zadd", "zrange", "publish", "ttl"),
)

_WAITS: dict[str, str] = {
    **{f"{owner}.{name}": "the database" for owner in _CURSORS for name in (*_SQL_METHODS, "commit", "fetchall")},
    **{f"{owner}.{name}": "the database" for owner in _SESSIONS for name in _SESSION_METHODS},
    **{f"{owner}.{name}": "the database" for owner in _STORES for name in _STORE_METHODS},
    **{
        f"{owner}.{verb}": "the network"
        for owner in ("requests", "requests.Session", "httpx", "httpx.Client", "httpx.AsyncClient", "niquests")
        for verb in _VERBS
    },
    **{f"aiohttp.ClientSession.{verb}": "the network" for verb in _VERBS},
    **dict.fromkeys(
        (
            *("urllib.request.urlopen", "urllib.request.urlretrieve", "urllib3.PoolManager.request"),
            *("http.client.HTTPConnection.request", "http.client.HTTPConnection.getresponse"),
            *("http.client.HTTPSConnection.request", "http.client.HTTPSConnection.getresponse"),
            *("socket.create_connection", "socket.getaddrinfo", "socket.gethostbyname", "asyncio.open_connection"),
            *(f"socket.socket.{name}" for name in ("connect", "recv", "send", "sendall", "accept", "recvfrom")),
            *("smtplib.SMTP", "smtplib.SMTP_SSL", "smtplib.SMTP.sendmail", "smtplib.SMTP.send_message", "ftplib.FTP"),
        ),
        "the network",
    ),
    **dict.fromkeys(
        (
            *("builtins.open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "os.fsync"),
            *(f"pathlib.Path.{name}" for name in ("open", "read_text", "write_text", "read_bytes", "write_bytes")),
            *(f"shutil.{name}" for name in ("copy", "copy2", "copyfile", "copytree", "rmtree", "move")),
            *("shutil.make_archive", "shutil.unpack_archive", "numpy.load", "numpy.save", "torch.load", "torch.save"),
        ),
        "a file",
    ),
    **{f"subprocess.{name}": "a process" for name in _RUNNERS},
    **dict.fromkeys(("subprocess.Popen.wait", "subprocess.Popen.communicate", "os.system", "os.waitpid"), "a process"),
    **dict.fromkeys(("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"), "a process"),
    **dict.fromkeys(("time.sleep", "asyncio.sleep", "anyio.sleep", "trio.sleep"), "the clock"),
}
_DOCUMENTS = frozenset(
    """find_one insert_one update_one replace_one delete_one find_one_and_update find_one_and_replace
    find_one_and_delete count_documents estimated_document_count bulk_write""".split()  # noqa: SIM905
)
"""Methods of a MongoDB collection, which nothing else has."""
_SQL = re.compile(
    r"\s*(?:select|insert|update|delete|replace|with|merge|create|drop|alter|pragma|truncate)\b", re.IGNORECASE
)
QUERY_ENDS = (
    *("get", "first", "last", "one", "one_or_none", "one_or_404", "first_or_404", "get_or_404", "all", "count"),
    *("exists", "scalar", "create", "get_or_create", "update_or_create", "delete", "update", "aggregate", "earliest"),
    "latest",
)
"""Methods at which a chain of an ORM (`Model.objects.filter(...).first()`) sends its query."""
_LOGGER = re.compile(r"(?:^|.*_)(?:logger|log)|logging", re.IGNORECASE)
_LOGGER_TYPES = ("Logger", "LoggerAdapter", "LoggingAdapter")
_OTHERS = ("loguru.", "structlog.")
"""Libraries that format messages themselves and know no `isEnabledFor`."""
_LEVEL = re.compile(r"is_?enabled_?for|get_?effective_?level|\bdebug\b", re.IGNORECASE)
_LEVELS = frozenset(("debug", "info", "warning", "warn", "error", "exception", "critical"))
_OPENERS = ("builtins.open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "pathlib.Path.open")
_HANDLE_READS = frozenset(("read", "readlines", "readline"))


def waits_for(call: ast.Call, name: str | None, scopes: Scopes) -> str | None:
    """What a call of that qualified name waits for ("the database", "a file"...), None if it is not known to wait."""
    known = _WAITS.get(name or "")
    if known is not None or not isinstance(call.func, ast.Attribute):
        return known
    method = call.func.attr
    if method in _DOCUMENTS:
        return "the database"
    if method in _SQL_METHODS and call.args and _is_statement(call.args[0], scopes):
        return "the database"
    return "the database" if method in QUERY_ENDS and _is_orm_chain(call.func.value) else None


def _is_statement(argument: ast.expr, scopes: Scopes) -> bool:
    """Whether it is an SQL text, or a statement built by SQLAlchemy."""
    match argument:
        case ast.Constant(value=str(text)):
            return _SQL.match(text) is not None
        case ast.JoinedStr(values=[first, *_]) | ast.BinOp(left=first):
            return _is_statement(first, scopes)
        case ast.Name(id=name):
            value = bound_value(name, scopes)
            return value is not None and not isinstance(value, ast.Name) and _is_statement(value, scopes)
        case ast.Call(func=ast.Attribute(value=ast.Call() as inner)):
            return _is_statement(inner, scopes)
        case ast.Call(func=ast.Attribute(attr="format", value=text)):
            return _is_statement(text, scopes)
        case ast.Call(func=callee):
            return (qualified(callee, scopes) or "").startswith(("sqlalchemy.", "sqlmodel."))
    return False


def _is_orm_chain(owner: ast.expr) -> bool:
    """Whether the chain starts at `Model.objects`, `Model.query` or `session.query(...)`."""
    while True:
        match owner:
            case ast.Attribute(attr="objects" | "query", value=ast.Name(id=name) | ast.Attribute(attr=name)):
                # a class, as PEP 8 has it
                return name[:1].isupper() and not name.isupper()
            case ast.Call(func=ast.Attribute(attr="query", value=session)):
                text = ast.unparse(session)
                return "session" in text.lower() or text in ("db", "self.db")
            case ast.Call(func=ast.Attribute(value=inner)) | ast.Subscript(value=inner):
                owner = inner
            case _:
                return False


def logs_at(call: cst.Call, ctx: Context) -> str | None:
    """The level of a call of a logger of `logging` ("debug"), None if it is not known to be one."""
    func = call.func
    if not isinstance(func, cst.Attribute):
        return None
    level = func.attr.value
    if level == "log" and call.args:
        # `logger.log(logging.DEBUG, ...)`
        level = (ctx.qualified(call.args[0].value) or "").removeprefix("logging.").lower()
    if level not in _LEVELS:
        return None
    kind = ctx.type_of(func.value)
    if kind is not None:
        return level if kind.endswith(_LOGGER_TYPES) and not kind.startswith(_OTHERS) else None
    name = ctx.qualified(func.value)
    if name is not None:
        named = _LOGGER.fullmatch(name.rsplit(".", 1)[-1]) and not name.startswith(_OTHERS)
        return level if named else None
    receiver = func.value.attr if isinstance(func.value, cst.Attribute) else func.value
    known = isinstance(receiver, cst.Name) and _LOGGER.fullmatch(receiver.value) is not None
    return level if known else None


def asks_level(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a condition around the node asks for the level of a logger."""
    return any(
        isinstance(parent, cst.If | cst.IfExp) and _LEVEL.search(ctx.code(parent.test))
        for parent in ctx.ancestors(node)
    )


def opens_to_read(call: cst.Call, ctx: Context) -> bool:
    """Whether the call opens a file, and only to read it."""
    name = ctx.qualified(call.func)
    if name not in _OPENERS:
        return False
    position = 0 if name == "pathlib.Path.open" else 1
    mode = ctx.argument(call, position, "mode")
    if mode is None:
        return not any(argument.star for argument in call.args)
    return isinstance(mode, cst.SimpleString) and not set(mode.raw_value) & set("wax+")


def reads_of(call: cst.Call, ctx: Context) -> Sequence[cst.Call]:
    """The calls that read or parse the file that `call` opens, directly or by way of one local name."""
    parent = ctx.parent(call)
    match parent:
        case cst.WithItem(asname=cst.AsName(name=cst.Name() as name)):
            return list(_reads_through(name, ctx))
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]):
            return list(_reads_through(name, ctx))
    return [found for found in (_reader(call, ctx),) if found is not None]


def _reads_through(name: cst.Name, ctx: Context) -> Iterator[cst.Call]:
    block = next((parent for parent in ctx.ancestors(name) if isinstance(parent, cst.With | cst.BaseSuite)), None)
    for use in ctx.uses(name.value, block):
        found = _reader(use, ctx)
        if found is not None:
            yield found


def _reader(handle: cst.CSTNode, ctx: Context) -> cst.Call | None:
    """The call that takes the content of this very handle: `f.read()`, `json.load(f)`."""
    parent = ctx.parent(handle)
    around = None if parent is None else ctx.parent(parent)
    if not isinstance(around, cst.Call):
        return None
    if isinstance(parent, cst.Attribute):
        return around if parent.attr.value in _HANDLE_READS else None
    if not isinstance(parent, cst.Arg):
        return None
    return None if (ctx.qualified(around.func) or "").startswith("builtins.print") else around
