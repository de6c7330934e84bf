"""Types that are known without looking: what literals, annotations, and calls into well-known libraries give."""

from __future__ import annotations

import ast

LITERALS: dict[type[ast.expr], str] = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.Tuple: "tuple",
    ast.JoinedStr: "str",
    ast.GeneratorExp: "generator",
}
_TEXT = """
    builtins.ascii builtins.bin builtins.chr builtins.format builtins.hex builtins.input builtins.oct builtins.repr
    html.escape html.unescape json.dumps os.fspath os.getcwd os.getenv pprint.pformat re.sub textwrap.dedent
    textwrap.fill textwrap.indent traceback.format_exc urllib.parse.quote urllib.parse.quote_plus
    urllib.parse.unquote urllib.parse.urlencode urllib.parse.urljoin""".split()  # noqa: SIM905
_BYTES = """
    base64.b64decode base64.b64encode os.read os.urandom pickle.dumps socket.socket.recv struct.pack zlib.compress
    zlib.decompress""".split()  # noqa: SIM905
_LISTS = """
    builtins.sorted glob.glob heapq.nlargest heapq.nsmallest os.listdir random.choices random.sample re.findall re.split
    shlex.split textwrap.wrap traceback.format_exception""".split()  # noqa: SIM905
RETURNS = {
    **dict.fromkeys(_TEXT, "str"),
    **dict.fromkeys(_BYTES, "bytes"),
    **dict.fromkeys(_LISTS, "list"),
    "builtins.len": "int",
    "time.time": "float",
    "time.perf_counter": "float",
    "copy.copy": None,
    "collections.deque": "collections.deque",
    "collections.defaultdict": "collections.defaultdict",
    "asyncio.get_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.get_running_loop": "asyncio.AbstractEventLoop",
    "asyncio.new_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.create_task": "asyncio.Task",
    "asyncio.ensure_future": "asyncio.Task",
    "asyncio.run_coroutine_threadsafe": "concurrent.futures.Future",
    "builtins.open": "io.TextIOWrapper",
    "concurrent.futures.ThreadPoolExecutor.submit": "concurrent.futures.Future",
    "concurrent.futures.ProcessPoolExecutor.submit": "concurrent.futures.Future",
    "multiprocessing.get_context": "multiprocessing.context.BaseContext",
    "multiprocessing.Manager": "multiprocessing.managers.SyncManager",
    "redis.from_url": "redis.Redis",
    "requests.session": "requests.Session",
    "sqlite3.connect": "sqlite3.Connection",
    "sqlite3.Connection.cursor": "sqlite3.Cursor",
    "sqlite3.Connection.execute": "sqlite3.Cursor",
    "aiosqlite.connect": "aiosqlite.Connection",
    "asyncpg.connect": "asyncpg.Connection",
    "psycopg.connect": "psycopg.Connection",
    "psycopg.Connection.cursor": "psycopg.Cursor",
    "psycopg2.connect": "psycopg2.extensions.connection",
    "psycopg2.extensions.connection.cursor": "psycopg2.extensions.cursor",
    "pymysql.connect": "pymysql.connections.Connection",
    "pymysql.connections.Connection.cursor": "pymysql.cursors.Cursor",
    "sqlalchemy.create_engine": "sqlalchemy.Engine",
    "sqlalchemy.Engine.connect": "sqlalchemy.Connection",
    "sqlalchemy.Engine.begin": "sqlalchemy.Connection",
    "logging.getLogger": "logging.Logger",
    "logging.Logger.getChild": "logging.Logger",
    **{
        f"io.TextIOWrapper.{name}": kind for name, kind in (("read", "str"), ("readline", "str"), ("readlines", "list"))
    },
    **{
        f"io.BufferedReader.{name}": kind
        for name, kind in (("read", "bytes"), ("read1", "bytes"), ("readline", "bytes"), ("readlines", "list"))
    },
    "pathlib.Path.read_text": "str",
    "pathlib.Path.read_bytes": "bytes",
    **{f"os.path.{name}": "str" for name in ("abspath", "basename", "dirname", "expanduser", "join", "realpath")},
    **{
        f"pathlib.Path.{name}": "pathlib.Path"
        for name in (
            *("absolute", "cwd", "expanduser", "home", "joinpath", "parent", "relative_to", "rename", "replace"),
            *("resolve", "with_name", "with_stem", "with_suffix"),
        )
    },
}
PROPERTIES = frozenset(("parent",))
STR_TO_STR = frozenset(
    """capitalize casefold center expandtabs format format_map join ljust lower lstrip removeprefix removesuffix replace
    rjust rstrip strip swapcase title translate upper zfill""".split()  # noqa: SIM905
)
STR_TO_LIST = frozenset(("split", "rsplit", "splitlines"))
_OF_TEXT = (
    *("capitalize", "casefold", "expandtabs", "ljust", "lower", "lstrip", "removeprefix", "removesuffix", "rjust"),
    *("rstrip", "strip", "swapcase", "upper", "zfill"),
)
BY_METHOD = {
    **dict.fromkeys((*STR_TO_LIST, "readlines", "tolist"), "list"),
    **dict.fromkeys((*_OF_TEXT, "hexdigest", "isoformat", "strftime"), "str"),
    **dict.fromkeys(("digest", "tobytes", "to_bytes", "readexactly", "readuntil", "getbuffer"), "bytes"),
}
"""What methods of these names give, whoever has them."""
RECEIVING = frozenset(("recv", "receive_some", "read_until", "recv_bytes"))
"""What gives bytes when it is told how many; of queues and web sockets, which are told nothing, anything."""
CODING = {"encode": "bytes", "decode": "str"}
COLUMNS = frozenset(("str", "dt"))
"""By these, `.str.split`, pandas does it to whole columns."""
ANNOTATIONS = {
    "typing.List": "list",
    "typing.Dict": "dict",
    "typing.Set": "set",
    "typing.Tuple": "tuple",
    "typing.Text": "str",
    "typing.AnyStr": None,
    "typing.Any": None,
    "builtins.object": None,
}
OPTIONAL = frozenset(("typing.Optional", "typing.Annotated", "typing.Final", "typing.ClassVar"))
MAPS = frozenset(
    ("dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict", "WeakValueDictionary")
)
SEQUENCES = frozenset(
    ("list", "Sequence", "MutableSequence", "Iterable", "Iterator", "Collection", "deque", "Deque", "set", "frozenset")
)
"""Names of annotations that say of what type the entries are."""
ENTRIES = {
    **dict.fromkeys(("sys.argv", "os.environ", "os.listdir", "glob.glob", "shlex.split", "textwrap.wrap"), "str"),
}
"""Of what type the entries are in what these are or give."""
TEXT_OPENERS = frozenset(("builtins.open", "io.open", "pathlib.Path.open"))
