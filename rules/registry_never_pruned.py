"""A registry of an object that gains an entry for everyone who comes, and loses none."""

from __future__ import annotations

import re

from auditor import cst
from auditor.model import Backlog
from auditor.rule import Calls, Context, Kind, Match, Nodes, Page, Plant, Rule, Where

_CONTAINERS = frozenset(
    (
        *("dict", "set", "collections.defaultdict", "collections.OrderedDict"),
        *("typing.DefaultDict", "typing.MutableMapping", "typing.OrderedDict"),
    )
)
_COMER = re.compile(
    r"(?:^|_)(?:ids?|uid|guid|uuid|sid|pid|cid|conn|connection|client|session|user|username|peer|addr|address|sock|socket"
    r"|fd|fileno|ws|websocket|channel|token|request|req|job|task|message|msg|player|member|guild|chat|device|ip|worker"
    r"|stream|transport|protocol|subscriber|consumer|room|url|nonce|thread|process|future|fut|ident)$"
)
"""Names of what comes and goes while a program runs."""
_LISTENER = re.compile(r"(?:listener|callback|handler|observer|subscriber|subscription|hook|watcher|_cb)s?$")
_MAKERS = ("__init__", "__new__", "__post_init__", "__setitem__", "__setstate__", "__init_subclass__", "__set_name__")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    found = _added(node)
    if found is None or ctx.runs_once(node):
        return None
    container, key = found
    root = container.value if isinstance(container, cst.Subscript) else container
    function = ctx.function(node)
    if not isinstance(root, cst.Attribute) or not isinstance(function, cst.FunctionDef):
        return None
    if function.name.value in _MAKERS or not _is_comer(key, function, ctx) or ctx.decorates(node):
        return None
    if ctx.home(root) not in ("instance", "class") or ctx.type_of(root) not in _CONTAINERS:
        return None
    if _is_for_listeners(node, root) or ctx.memoizes(node, container) or ctx.is_task(key) or not ctx.only_grows(root):
        return None
    name = " ".join(ctx.code(root).split())
    message = (
        f"`{name}` gains an entry for each new `{' '.join(ctx.code(key).split())}`, and the class never removes one"
    )
    return Match(message, (Plant("container", node),))


def _added(node: cst.CSTNode) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """The container that the node adds to and the key, or the member of a set."""
    match node:
        case cst.Call(
            func=cst.Attribute(value=container, attr=cst.Name(value="add")), args=[cst.Arg(value=key, star="")]
        ):
            return container, key
        case cst.Call(
            func=cst.Attribute(value=container, attr=cst.Name(value="setdefault")), args=[cst.Arg(value=key), _]
        ):
            return container, key
        case cst.Assign(targets=targets):
            for target in targets:
                match target.target:
                    case cst.Subscript(value=container, slice=[cst.SubscriptElement(slice=cst.Index(value=key))]):
                        return container, key
                    case _:
                        pass
    return None


def _is_comer(key: cst.BaseExpression, function: cst.FunctionDef, ctx: Context) -> bool:
    """Whether the key names a session, connection, user... that the method was given or has found."""
    match key:
        case cst.Call(func=cst.Name(value="id" | "str" | "int"), args=[cst.Arg(value=inner)]):
            return isinstance(inner, cst.Name) and inner.value in ctx.parameters(key)
        case cst.Call(func=cst.Attribute() as method, args=[]):
            return _is_comer(method, function, ctx)
        case cst.Name(value=name):
            return _COMER.search(name.lower()) is not None and _is_given(name, function, ctx)
        case cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=name)):
            return _COMER.search(name.lower()) is not None and _is_given(owner, function, ctx)
    return False


def _is_given(name: str, function: cst.FunctionDef, ctx: Context) -> bool:
    if name in ("self", "cls"):
        return False
    return name in ctx.parameters(function.body) or bool(ctx.stores(name, function))


def _is_for_listeners(node: cst.CSTNode, root: cst.Attribute) -> bool:
    return isinstance(node, cst.Call) and _LISTENER.search(root.attr.value.lower()) is not None


RULE = Rule(
    id="registry-never-pruned",
    title="Registry that is never pruned",
    kind=Kind.GROWTH,
    page=Page(
        what=(
            "A method that enters a session, connection, client, user, request or the like, by the name of the key, in"
            " a dict or set of its object or class, from which nothing in the module ever takes an entry. The method"
            " that makes the object, caches (`unbounded-cache`) and listeners (`listener-never-removed`) are left out."
        ),
        why=(
            "Whoever comes is entered, and whoever goes stays entered, with the connection, buffers and user data that"
            " the entry refers to. Memory rises with the number of those who ever came instead of those who are there,"
            " and what walks over the registry (a broadcast, a sweep) grows slower with it."
        ),
        harmless=(
            "When the object lives as long as those entered in it, as one that serves a single request; when they are"
            " few and come back under the same key; or when another module removes them."
        ),
        measured=(
            "The length after every addition. Confirmed when the greatest length is large and rises with the"
            " additions to the end of the run; rejected when it stays small over many additions. Few entries may be"
            " heavy: bytes allocated in the flagged lines that stay, as many later in the run as before, confirm"
            " too."
        ),
        fix=(
            "Remove the entry where the session ends (`finally`, `on_disconnect`, `weakref.finalize`), keep it in a"
            " `WeakValueDictionary` or `WeakSet` if others own it, or let entries expire."
        ),
        references=(
            "matrix-synapse 1.163.2, synapse/push/emailpusher.py:318: an entry for every room ever mailed about",
            "homeassistant 2024.3.3, components/bthome/config_flow.py:143: harmless, it lives as long as a dialog",
        ),
    ),
    triggers=(
        Calls((".add", ".setdefault"), Where(function=True, kept=True)),
        Nodes(("Assign",), Where(function=True, kept=True), targets=("Subscript",)),
    ),
    expects=Backlog(),
    check=check,
    valid=(
        "class Hub:\n    def __init__(self):\n        self.clients = {}\n\n    def connect(self, client_id, client):\n"
        "        self.clients[client_id] = client\n\n    def disconnect(self, client_id):\n"
        "        del self.clients[client_id]\n",
        "class Hub:\n    def __init__(self):\n        self.clients = set()\n\n    async def serve(self, client):\n"
        "        self.clients.add(client)\n        try:\n            await client.run()\n        finally:\n"
        "            self.clients.discard(client)\n",
        # as many as there are settings
        "class Settings:\n    def __init__(self):\n        self.values = {}\n\n    def set(self, name, value):\n"
        "        self.values[name] = value\n",
        "import weakref\n\nclass Hub:\n    def __init__(self):\n        self.clients = weakref.WeakSet()\n\n"
        "    def connect(self, client):\n        self.clients.add(client)\n",
        # removed through a local name
        "class Hub:\n    def __init__(self):\n        self.rooms = {}\n\n    def join(self, user, room):\n"
        "        self.rooms.setdefault(room, set()).add(user)\n\n    def leave(self, user, room):\n"
        "        members = self.rooms[room]\n        members.discard(user)\n",
        # filled by the method that makes the object
        "class Hub:\n    def __init__(self, users):\n        self.users = {}\n        for user in users:\n"
        "            self.users[user.id] = user\n",
    ),
    invalid=(
        "class Hub:\n    def __init__(self):\n        self.clients = {}\n\n    def connect(self, client_id, client):\n"
        "        self.clients[client_id] = client\n",
        "class Hub:\n    def __init__(self):\n        self.clients = set()\n\n    async def serve(self, client):\n"
        "        self.clients.add(client)\n        await client.run()\n",
        "class Bot:\n    sessions: dict[int, object] = {}\n\n    def handle(self, update):\n"
        "        user = update.user\n        self.sessions[user.id] = update\n",
        "from collections import defaultdict\n\nclass Limiter:\n    def __init__(self):\n"
        "        self.hits = defaultdict(list)\n        self.seen = {}\n\n    def allow(self, request):\n"
        "        self.seen[request.ip] = now()\n        return True\n",
        "import socket\n\nclass Server:\n    def __init__(self):\n        self.buffers = {}\n\n"
        "    def accept(self, sock: socket.socket):\n        self.buffers[sock.fileno()] = bytearray()\n",
    ),
)
