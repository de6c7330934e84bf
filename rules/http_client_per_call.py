"""An HTTP client, or a connection, made anew for every call."""

from __future__ import annotations

from auditor import cst
from auditor.model import Reuse
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Reaches, Rule, Where

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "request")
_CLIENTS = (
    *("requests.Session", "requests.session", "requests.sessions.Session", "niquests.Session", "niquests.AsyncSession"),
    *("httpx.Client", "httpx.AsyncClient", "aiohttp.ClientSession", "aiohttp.client.ClientSession"),
    *("aiohttp.TCPConnector", "aiohttp.UnixConnector", "urllib3.PoolManager", "urllib3.ProxyManager"),
    *("urllib3.HTTPConnectionPool", "urllib3.HTTPSConnectionPool", "httplib2.Http"),
    *("http.client.HTTPConnection", "http.client.HTTPSConnection"),
    *("openai.OpenAI", "openai.AsyncOpenAI", "openai.AzureOpenAI", "openai.AsyncAzureOpenAI"),
    *("anthropic.Anthropic", "anthropic.AsyncAnthropic", "groq.Groq", "groq.AsyncGroq", "mistralai.Mistral"),
    *("curl_cffi.requests.Session", "curl_cffi.requests.AsyncSession", "curl_cffi.Session", "curl_cffi.AsyncSession"),
)
_ONE_OFF = (
    *(f"{library}.{verb}" for library in ("requests", "httpx", "niquests", "curl_cffi.requests") for verb in _VERBS),
    *(f"requests.api.{verb}" for verb in _VERBS),
    *("httpx.stream", "aiohttp.request", "urllib.request.urlopen", "urllib.request.urlretrieve"),
)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or ctx.runs_once(node):
        return None
    callee = ctx.code(node.func)
    if ctx.qualified(node.func) in _ONE_OFF:
        return Match(f"`{callee}` opens a connection of its own for this one request", (Plant("connection", node),))
    # what `map(make_client, xs)` makes, it makes later
    way = () if ctx.handed(node) is not None else ctx.way(node)
    if not (way or ctx.derives_from(node.func, _CLIENTS)) or _is_part_of_client(node, ctx):
        return None
    if ctx.kept_once(_whole(node, ctx)) or ctx.returned(node):
        return None
    if way:
        message = f"`{callee}` makes a `{way[-1].name}` anew, so its connections serve this call only"
        return Match(message, (Plant("connection", node),), chain=way)
    return Match(f"`{callee}` is made anew, so its connections serve this call only", (Plant("connection", node),))


def _whole(node: cst.Call, ctx: Context) -> cst.CSTNode:
    """The client, or the part of it that is kept in its place: `OpenAI().chat.completions`."""
    whole: cst.CSTNode = node
    for parent in ctx.ancestors(node):
        if not isinstance(parent, cst.Attribute):
            return node if isinstance(parent, cst.Call) and parent.func is whole else whole
        whole = parent
    return whole


def _is_part_of_client(node: cst.Call, ctx: Context) -> bool:
    """Whether it is handed to another client's constructor, which is flagged in its place."""
    places: list[cst.CSTNode] = [node]
    parent = ctx.parent(node)
    if isinstance(parent, cst.Assign) and isinstance(name := parent.targets[0].target, cst.Name):
        places.extend(ctx.uses(name.value, ctx.function(node)))
    return any(_is_argument_of_client(place, ctx) for place in places)


def _is_argument_of_client(node: cst.CSTNode, ctx: Context) -> bool:
    argument = ctx.parent(node)
    around = None if argument is None else ctx.parent(argument)
    return isinstance(argument, cst.Arg) and isinstance(around, cst.Call) and ctx.derives_from(around.func, _CLIENTS)


RULE = Rule(
    id="http-client-per-call",
    title="HTTP client made for every call",
    kind=Kind.REUSE,
    page=Page(
        what=(
            "A client (`requests.Session`, `httpx.Client`, `aiohttp.ClientSession`, `urllib3.PoolManager`,"
            " `http.client.HTTPConnection`...) constructed inside a function or loop, and the functions that open a"
            " connection for one request (`requests.get`, `httpx.post`, `urllib.request.urlopen`...). Exempt are"
            " start-up code and tests, clients kept by an object or behind a guard, and factories that return the"
            " client: of these, of the project's own, the call is flagged that gets a client of its own from them."
        ),
        why=(
            "A connection costs a name look-up and one round trip, with TLS two or three more, and some clients load"
            " the certificate store each time, which alone takes tens of milliseconds. A client that lives on sends the"
            " next request over the open connection."
        ),
        harmless=(
            "When requests are rare, when each goes to another host, or when the peer closes the connection after every"
            " answer."
        ),
        measured=(
            "The connections opened while the flagged call or client is in use, per execution, and the number of"
            " distinct peers. Confirmed when connections grow with executions while peers stay few."
        ),
        fix="Make one client at start-up, keep it, pass it to the functions that need it, and close it at exit.",
        references=(
            "litellm 1.109.1, litellm/proxy/client/users.py:40: a connection for every request to the same proxy",
            "CPython 3.11.7, urllib/robotparser.py:62: harmless, one request for every host",
            *("backend.ai#4477", "literalai#163", "Sonar S6243"),
        ),
    ),
    triggers=(
        Calls((*_CLIENTS, *_ONE_OFF), Where(function=True)),
        Calls((*_CLIENTS, *_ONE_OFF), Where(loop=True)),
        Reaches(_CLIENTS, Where(function=True), made=True),
        Reaches(_CLIENTS, Where(loop=True), made=True),
    ),
    expects=Reuse(),
    check=check,
    valid=(
        "import requests\n\nSESSION = requests.Session()\n\ndef fetch(url):\n    return SESSION.get(url)\n",
        "import httpx\n\nasync def lifespan(app):\n    async with httpx.AsyncClient() as client:\n"
        "        app.state.client = client\n        yield\n",
        "import requests\n\ndef main():\n    print(requests.get('http://localhost').text)\n",
        "import aiohttp\n\nclass Api:\n    def __init__(self, session=None):\n"
        "        self.session = session or aiohttp.ClientSession()\n",
        "import aiohttp\n\nclass Api:\n    async def session(self):\n"
        "        if self._session is None or self._session.closed:\n"
        "            self._session = aiohttp.ClientSession()\n        return self._session\n",
        "import requests\n\ndef new_session():\n    session = requests.Session()\n    session.verify = False\n"
        "    return session\n",
        "import httpx\n\ndef test_answers():\n    with httpx.Client() as client:\n"
        "        assert client.get('/').status_code == 200\n",
        "import requests\n\ndef put(cache: dict, key):\n    return cache.get(key)\n",
        "import httpx\n\n_client = None\n\ndef client():\n    global _client\n    if _client is None:\n"
        "        _client = httpx.Client()\n    return _client\n\ndef fetch(url):\n    return client().get(url)\n",
        "import functools\nimport requests\n\n@functools.cache\ndef session():\n    return requests.Session()\n\n"
        "def fetch(url):\n    return session().get(url)\n",
        # kept by each object from its making on
        "import openai\nfrom pydantic import BaseModel, model_validator\n\nclass Chat(BaseModel):\n"
        "    @model_validator(mode='before')\n    @classmethod\n    def prepare(cls, values):\n"
        "        values['client'] = openai.OpenAI().chat.completions\n        return values\n",
        "import openai\n\nclass Chat:\n    def __init__(self):\n"
        "        self.client = openai.OpenAI().chat.completions\n",
    ),
    invalid=(
        "import requests\n\ndef fetch(url):\n    return requests.get(url)\n",
        "import httpx\n\nasync def handler(request):\n    async with httpx.AsyncClient() as client:\n"
        "        return await client.get(request.url)\n",
        "import aiohttp\n\nasync def main(urls):\n    for url in urls:\n"
        "        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector()) as session:\n"
        "            await session.get(url)\n",
        "from urllib.request import urlopen\n\ndef fetch(url):\n    return urlopen(url).read()\n",
        "import http.client as client\n\ndef send(host, body):\n    connection = client.HTTPSConnection(host)\n"
        "    connection.request('POST', '/', body)\n    return connection.getresponse()\n",
        "import requests\n\ndef fetch(url):\n    return requests.Session().get(url)\n",
        "import requests as r\n\ndef new_token():\n    return r.post('https://localhost/token').json()\n",
        "import requests\n\nclass Retrying(requests.Session):\n    pass\n\ndef fetch(url):\n"
        "    with Retrying() as session:\n        return session.get(url)\n",
        "import httpx\n\ndef new_client():\n    client = httpx.Client()\n    client.timeout = 5\n    return client\n\n"
        "def handler(request):\n    client = new_client()\n    return client.get(request.url)\n",
        # a library's own, which has a client of httpx
        "from openai import OpenAI\n\ndef answer(messages):\n"
        "    return OpenAI().chat.completions.create(model='m', messages=messages)\n",
    ),
)
