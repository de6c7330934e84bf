"""A call that computes for long, made in a coroutine."""

from __future__ import annotations

from auditor import cst
from auditor.model import Stall
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule, Where

_SMALL = 16
_CODECS = (
    *(
        f"{module}.{name}"
        for module in ("json", "simplejson", "pickle", "cloudpickle", "dill")
        for name in ("loads", "dumps")
    ),
    *("json.load", "json.dump", "pickle.load", "pickle.dump", "marshal.loads", "marshal.dumps", "plistlib.loads"),
    *("yaml.safe_load", "yaml.load", "yaml.full_load", "yaml.safe_dump", "yaml.dump", "tomllib.loads", "toml.loads"),
    *("xml.etree.ElementTree.fromstring", "xml.etree.ElementTree.parse", "lxml.etree.fromstring", "lxml.etree.parse"),
    *(
        "lxml.html.fromstring",
        "lxml.etree.HTML",
        "bs4.BeautifulSoup",
        "feedparser.parse",
        "csv.reader",
        "csv.DictReader",
    ),
    *("pandas.read_csv", "pandas.read_json", "pandas.read_excel", "pandas.read_parquet", "markdown.markdown"),
)
_HASHES = (
    *("hashlib.pbkdf2_hmac", "hashlib.scrypt", "hashlib.file_digest", "bcrypt.hashpw", "bcrypt.checkpw"),
    *("crypt.crypt", "argon2.PasswordHasher.hash", "argon2.PasswordHasher.verify", "passlib.hash.bcrypt.hash"),
    *("passlib.context.CryptContext.hash", "passlib.context.CryptContext.verify"),
    *("werkzeug.security.generate_password_hash", "werkzeug.security.check_password_hash"),
    *("django.contrib.auth.hashers.make_password", "django.contrib.auth.hashers.check_password"),
    *("cryptography.hazmat.primitives.asymmetric.rsa.generate_private_key",),
)
_COMPRESSION = tuple(
    f"{module}.{name}" for module in ("zlib", "gzip", "bz2", "lzma", "zstandard") for name in ("compress", "decompress")
)
_IMAGES = (
    *("PIL.Image.open", "PIL.Image.Image.resize", "PIL.Image.Image.save", "PIL.Image.Image.convert"),
    *("PIL.Image.Image.thumbnail", "PIL.ImageOps.exif_transpose", "cv2.imdecode", "cv2.imencode", "cv2.resize"),
)
_PLAIN = (
    "builtins.sorted",
    "copy.deepcopy",
    "difflib.unified_diff",
    "difflib.SequenceMatcher",
    "difflib.get_close_matches",
)
_HEAVY = (*_CODECS, *_HASHES, *_COMPRESSION, *_IMAGES, *_PLAIN)
_KNOWN = frozenset(_HEAVY)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or not node.args:
        return None
    name = ctx.qualified(node.func)
    if name not in _KNOWN:
        return None
    function = ctx.function(node)
    if not isinstance(function, cst.FunctionDef) or function.asynchronous is None or ctx.runs_once(node):
        return None
    if isinstance(ctx.parent(node), cst.Await) or (name not in _HASHES and _is_small(node.args[0].value, ctx)):
        return None
    return Match(f"`{ctx.code(node.func)}` computes while the event loop stands still", (Plant("blocking", node),))


def _is_small(given: cst.BaseExpression, ctx: Context) -> bool:
    """Whether what is worked on is plainly small: a literal, or a flat display of a few entries."""
    if ctx.is_constant(given):
        return True
    length = ctx.length_of(given)
    if length is None or length > _SMALL:
        return False
    if isinstance(given, cst.Dict):
        return all(isinstance(part, cst.DictElement) and _is_scalar(part.value, ctx) for part in given.elements)
    return isinstance(given, cst.List | cst.Tuple | cst.Set)


def _is_scalar(value: cst.BaseExpression, ctx: Context) -> bool:
    return ctx.is_fixed(value) or ctx.type_of(value) in ("str", "int", "float", "bool")


RULE = Rule(
    id="cpu-bound-in-async",
    title="Heavy computation in a coroutine",
    kind=Kind.BLOCKING,
    page=Page(
        what=(
            "A call that is known to compute for long where its input is large, directly inside an `async def`: coding"
            " and parsing (JSON, pickle, YAML, XML, CSV), password hashes and keys, compression, images, `sorted` and"
            " `copy.deepcopy`. Literals and flat displays of a few entries are not flagged, nor start-up code and"
            " tests. Loops that compute are left to the samples of a profiler."
        ),
        why=(
            "The event loop has one thread. For as long as that thread computes, no other coroutine runs: a password"
            " hash that is meant to take a quarter of a second halts every request for that long."
        ),
        harmless=(
            "When the input is small, as most JSON bodies are: a kilobyte takes about ten microseconds. Handing that to"
            " a thread would cost more than it saves."
        ),
        measured=(
            "Executions on a thread whose loop was running, and for how long the loop stood still, in total and at"
            " most. Confirmed when one call, or all together, hold up the loop for long."
        ),
        fix=(
            "Hand it to `asyncio.to_thread` where the work releases the interpreter lock (hashes, compression, images),"
            " else to a process pool. Or make the input smaller: pages, streams, a faster codec."
        ),
        references=(
            "litellm 1.109.1, litellm/integrations/newrelic/newrelic_metrics.py:414: a batch is compressed in the loop",
            "prefect 3.9.1, prefect/workers/utilities.py:34: harmless, the names of a few kinds of workers are sorted",
        ),
    ),
    triggers=(Calls(_HEAVY, Where(coroutine=True)),),
    expects=Stall(),
    check=check,
    valid=(
        "import json\n\ndef f(text):\n    return json.loads(text)\n",
        "import asyncio, hashlib\n\nasync def f(word, salt):\n"
        "    return await asyncio.to_thread(hashlib.scrypt, word, salt=salt, n=2**14, r=8, p=1)\n",
        "import json\n\nasync def f(send):\n    await send(json.dumps({'kind': 'ping', 'version': 3}))\n",
        "import asyncio, zlib\n\nasync def f(data):\n    return await asyncio.to_thread(lambda: zlib.compress(data))\n",
        "async def f(a, b):\n    return sorted([a, b])\n",
        "import gzip, asyncio\n\nasync def f(data):\n    def pack():\n        return gzip.compress(data)\n\n"
        "    return await asyncio.to_thread(pack)\n",
        "async def f(response):\n    return await response.json()\n",
        "import json\n\nasync def f(send, user: str):\n    await send(json.dumps({'user': user, 'on': True}))\n",
    ),
    invalid=(
        "import json\n\nasync def f(request):\n    return json.loads(await request.body())\n",
        "import bcrypt\n\nasync def login(word, known):\n    return bcrypt.checkpw(word, known)\n",
        "from hashlib import pbkdf2_hmac as digest\n\nasync def f(word, salt):\n"
        "    return digest('sha256', word, salt, 600_000)\n",
        "import pickle\n\nasync def f(cache, state):\n    await cache.set('state', pickle.dumps(state))\n",
        "import io\nfrom PIL import Image\n\nasync def f(data):\n    return Image.open(io.BytesIO(data))\n",
        "import copy\n\nasync def f(state):\n    return copy.deepcopy(state)\n",
        "async def f(rows):\n    return sorted(rows, key=lambda row: row.key)\n",
    ),
)
