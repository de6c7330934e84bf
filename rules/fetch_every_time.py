"""A document that is fetched again at every call."""

from __future__ import annotations

import re

from auditor import cst
from auditor.model import Repetition
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule, Where

_MODULES = ("requests", "requests.api", "httpx", "niquests", "curl_cffi.requests")
_CLIENTS = (
    *("requests.Session", "requests.sessions.Session", "niquests.Session", "niquests.AsyncSession"),
    *("httpx.Client", "httpx.AsyncClient", "aiohttp.ClientSession", "aiohttp.client.ClientSession"),
)
_CLIENT = re.compile(r"(?:^|_)(?:session|client|http)$", re.IGNORECASE)
"""What clients are called where their type is not known."""
_GETS = (*(f"{owner}.get" for owner in (*_MODULES, *_CLIENTS)), "urllib.request.urlopen")
_AGAIN = re.compile(
    r"health|ping|poll|refresh|reload|update|check|state|status|wait|alive|probe|ready|monitor|watch|sync|renew|version|latest"
    r"|heartbeat|download|install|login|logout|random|stream|measure|scrape|collect|current|now$"
)
"""Functions that are there to look whether something has changed, or to do something anew."""
_URL = re.compile(
    r"(?:^|_)(?:url|uri|endpoint|base|host|server|address|issuer|domain|root|path|scheme|port|prefix)s?(?:_|$)"
)
_SETTINGS = re.compile(r"^(?:self|cls|settings|config|conf|cfg|options|opts|constants|const|env)$")
_SAME = frozenset(
    ("timeout", "headers", "verify", "cert", "allow_redirects", "follow_redirects", "proxies", "auth", "ssl")
)
_READS = frozenset(("read", "readall", "text", "json", "aread", "readexactly"))
_MAX_STEPS = 4


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or not node.args:
        return None
    if ctx.qualified(node.func) not in _GETS and not _asks_client(node, ctx):
        return None
    if ctx.runs_once(node) or ctx.kept_once(node) or _is_to_be_done_again(node, ctx) or _is_kept(node, ctx):
        return None
    first, *rest = node.args
    url = first.value if first.keyword is None or first.keyword.value == "url" else None
    if url is None or first.star or not _is_setting(url, ctx, _MAX_STEPS) or not _is_same_request(rest, ctx):
        return None
    text = " ".join(ctx.code(url).split())
    plants = tuple(Plant("repeated", part) for part in (node, *_read_from(node, ctx)))
    return Match(f"`{text}` is the same each time, and is fetched each time", plants, node)


def _read_from(call: cst.Call, ctx: Context) -> list[cst.Name]:
    """The names by which the answer is read where it came without its body."""
    match ctx.parent(call):
        case cst.WithItem(asname=cst.AsName(name=cst.Name() as name)):
            pass
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]):
            pass
        case cst.Await() as waited if isinstance(assign := ctx.parent(waited), cst.Assign):
            target = assign.targets[0].target
            if len(assign.targets) > 1 or not isinstance(target, cst.Name):
                return []
            name = target
        case _:
            return []
    block = next((parent for parent in ctx.ancestors(name) if isinstance(parent, cst.With | cst.BaseSuite)), None)
    return [use for use in ctx.uses(name.value, block) if use is not name and _is_read(use, ctx)]


def _is_read(use: cst.Name, ctx: Context) -> bool:
    """Whether it is `r.read()`, `r.content.read()` or `json.load(r)`."""
    if isinstance(argument := ctx.parent(use), cst.Arg):
        return (
            (ctx.qualified(around.func) or "").endswith("load")
            if isinstance(around := ctx.parent(argument), cst.Call)
            else False
        )
    child: cst.CSTNode = use
    parent = ctx.parent(use)
    last = ""
    while isinstance(parent, cst.Attribute) and parent.value is child:
        last = parent.attr.value
        child, parent = parent, ctx.parent(parent)
    return isinstance(parent, cst.Call) and parent.func is child and last in _READS


def _asks_client(node: cst.Call, ctx: Context) -> bool:
    """Whether something called a session or client, of unknown type, is asked for an address and waited for."""
    match node.func:
        case cst.Attribute(value=cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)) as owner):
            waited = isinstance(ctx.parent(node), cst.Await) or _is_entered(node, ctx)
            known = _CLIENT.search(name) is not None and ctx.type_of(owner) is None
            return node.func.attr.value == "get" and waited and known and "/" in ctx.code(node.args[0].value)
    return False


def _is_entered(node: cst.Call, ctx: Context) -> bool:
    item = ctx.parent(node)
    around = None if item is None else ctx.parent(item)
    return isinstance(item, cst.WithItem) and isinstance(around, cst.With) and around.asynchronous is not None


def _is_to_be_done_again(node: cst.CSTNode, ctx: Context) -> bool:
    functions = [parent for parent in ctx.ancestors(node) if isinstance(parent, cst.FunctionDef)]
    return any(_AGAIN.search(function.name.value.lower()) for function in functions) or any(
        isinstance(loop, cst.While) for loop in ctx.loops(node)
    )


def _is_kept(node: cst.Call, ctx: Context) -> bool:
    """Whether the function keeps something in an object, a cache or the module: most likely what it fetched."""
    function = ctx.function(node)
    if function is None:
        return False
    return any(
        isinstance(part, cst.Global) or (isinstance(part, cst.AssignTarget) and _lasts(part.target, function, ctx))
        for part in ctx.descendants(function.body)
    )


def _lasts(target: cst.BaseExpression, function: cst.CSTNode, ctx: Context) -> bool:
    """Whether the target is an attribute or an entry of something that the function did not make."""
    if not isinstance(target, cst.Attribute | cst.Subscript):
        return False
    owner = target.value
    return not isinstance(owner, cst.Name) or owner.value in ("self", "cls") or not ctx.stores(owner.value, function)


def _is_same_request(arguments: list[cst.Arg], ctx: Context) -> bool:
    return all(
        argument.keyword is not None
        and not argument.star
        # what is streamed is downloaded to be kept
        and argument.keyword.value != "stream"
        and (argument.keyword.value in _SAME or _is_setting(argument.value, ctx, _MAX_STEPS))
        for argument in arguments
    )


def _is_setting(value: cst.BaseExpression, ctx: Context, steps: int) -> bool:
    """Whether it is made of literals, names of the module and settings of the object, directly or by a local name."""
    if steps <= 0:
        return False
    if ctx.is_fixed(value):
        return True
    match value:
        case cst.BinaryOperation(left=left, right=right) | cst.ConcatenatedString(left=left, right=right):
            return _is_setting(left, ctx, steps) and _is_setting(right, ctx, steps)
        case cst.FormattedString(parts=parts):
            return all(
                _is_setting(part.expression, ctx, steps)
                for part in parts
                if isinstance(part, cst.FormattedStringExpression)
            )
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="join" | "urljoin" | "format" | "rstrip")) as func):
            inner = [argument.value for argument in value.args]
            return _is_setting(func.value, ctx, steps) and all(_is_setting(part, ctx, steps) for part in inner)
        case cst.Call(func=cst.Name(value="urljoin" | "Request" | "str"), args=arguments):
            return all(_is_setting(argument.value, ctx, steps) for argument in arguments)
        case cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=name)):
            return _SETTINGS.match(owner) is not None and _URL.search(name.lower()) is not None
        case cst.Attribute(value=cst.Attribute() as inner):
            return _SETTINGS.match(inner.attr.value.lstrip("_")) is not None
        case cst.Name(value=name):
            return _is_bound_to_setting(name, value, ctx, steps)
    return False


def _is_bound_to_setting(name: str, use: cst.Name, ctx: Context, steps: int) -> bool:
    function = ctx.function(use)
    stores = [] if function is None else ctx.stores(name, function)
    match stores:
        case [cst.Assign(value=bound)]:
            return not ctx.loops(use) and _is_setting(bound, ctx, steps - 1)
    return False


RULE = Rule(
    id="fetch-every-time",
    title="The same document fetched every time",
    kind=Kind.REUSE,
    page=Page(
        what=(
            "A GET request (`requests.get`, `httpx.get`, `urlopen`, `get` of a client of known type, or an awaited one"
            " of what is called a session or client) whose URL and parameters are made of"
            " literals, names of the module and settings of the object only, in a function that may run many times: a"
            " document, key set or setting fetched again although it is the same. Exempt are cached and guarded"
            " functions, those that keep what they fetched, and those whose name says that they look"
            " for news (`refresh`, `poll`, `health`...)."
        ),
        why=(
            "Each call waits for a round trip and for the peer, and repeats the parsing, to learn what it knew before."
            " Peers limit such requests: a key set that is fetched for every token fails under load."
        ),
        harmless=(
            "When the document changes between calls and the change matters at once, when calls are rare, or when a"
            " cache stands in between (`requests-cache`, an HTTP proxy on the machine)."
        ),
        measured=(
            "Executions and seconds of the request, and those of which the input was seen before. Confirmed when"
            " repeated requests take a considerable part of the run. Whether it opens a connection each time is told"
            " by `http-client-per-call`."
        ),
        fix=(
            "Fetch it once and keep it with an expiry (a `lifespan` hook, a cache with a time to live, the `ETag` of"
            " the answer); refresh it in the background where it must be fresh."
        ),
        references=(
            "litellm 1.109.1, litellm/proxy/management_endpoints/sso/litellm_http_client_sso.py:194: at every login",
            "homeassistant 2024.3.3, components/clicksend/notify.py:106: harmless, once at start-up",
        ),
    ),
    triggers=(
        Calls(_GETS, Where(function=True)),
        Calls((".get",), Where(function=True), owners=("session", "client", "http")),
    ),
    expects=Repetition(),
    check=check,
    valid=(
        "import requests\n\ndef fetch(url):\n    return requests.get(url).json()\n",
        "import functools\nimport requests\n\nURL = 'https://localhost/keys'\n\n@functools.cache\ndef keys():\n"
        "    return requests.get(URL).json()\n",
        "import requests\n\nclass Auth:\n    def keys(self):\n        if self._keys is None:\n"
        "            self._keys = requests.get(self.jwks_url).json()\n        return self._keys\n",
        "import requests\n\nURL = 'https://localhost/health'\n\ndef is_healthy():\n    return requests.get(URL).ok\n",
        "import httpx\n\nBASE = 'https://localhost'\n\ndef user(number):\n"
        "    return httpx.get(f'{BASE}/users/{number}').json()\n",
        "import requests\n\nURL = 'https://localhost/search'\n\ndef search(text):\n"
        "    return requests.get(URL, params={'q': text}).json()\n",
        "import requests\n\ndef main():\n    print(requests.get('https://localhost/').text)\n",
        "SETTINGS = {}\n\ndef url():\n    return SETTINGS.get('url')\n",
        "class Store:\n    async def user(self):\n        return await self.client.get('user')\n",
        "class Store:\n    async def user(self, number):\n        return await self.client.get(f'/users/{number}')\n",
    ),
    invalid=(
        "import requests\n\nURL = 'https://localhost/keys'\n\ndef verify(token):\n    keys = requests.get(URL).json()\n"
        "    return decode(token, keys)\n",
        "import httpx\n\nBASE = 'https://localhost'\n\ndef rates():\n    url = f'{BASE}/rates'\n"
        "    return httpx.get(url, timeout=5).json()\n",
        "import aiohttp\n\nclass Auth:\n    def __init__(self, url):\n        self.base_url = url\n"
        "        self.session = aiohttp.ClientSession()\n\n    async def verify(self, token):\n"
        "        async with self.session.get(self.base_url + '/jwks.json') as answer:\n"
        "            return decode(token, await answer.json())\n",
        "class Auth:\n    def __init__(self, session, url):\n        self.session = session\n"
        "        self.base_url = url\n\n    async def verify(self, token):\n"
        "        async with self.session.get(f'{self.base_url}/jwks.json') as answer:\n"
        "            return decode(token, await answer.json())\n",
        "from urllib.request import urlopen\n\ndef exchange(amount):\n"
        "    rate = float(urlopen('https://localhost/rate').read())\n    return amount * rate\n",
        "import requests\n\nSESSION = requests.Session()\n\ndef words():\n"
        "    return SESSION.get('https://localhost/words', headers={'Accept': 'text/plain'}).text.split()\n",
    ),
)
