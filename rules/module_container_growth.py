"""A container of the module that only gains."""

from __future__ import annotations

import re

from auditor import cst
from auditor.model import Backlog
from auditor.rule import Calls, Context, Kind, Match, Nodes, Page, Plant, Rule, Where

_CONTAINERS = frozenset(
    (
        *("list", "dict", "set", "collections.deque", "collections.defaultdict", "collections.OrderedDict"),
        *("collections.Counter", "typing.DefaultDict", "typing.MutableMapping", "typing.Deque"),
    )
)
_INDEXED = ("list", "collections.deque", "typing.Deque")
"""`rows[i] = row` replaces an entry of these."""
_ADDS = ("append", "appendleft", "add", "extend", "insert", "update", "setdefault")
_AT_IMPORT = re.compile(
    r"^_*(?:un)?(?:register|configure|setup|install|init|import|preload|define|declare|populate|add_to_registry)(?:_|$|[A-Z])"
    r"|_(?:decorator|register|registry)$|^__init_subclass__$|^__set_name__$|^__new__$|^add_(?:command|type|argument|option)"
)
"""Functions that run while modules are imported, and so add as much as there is code."""


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    found = _added(node)
    if found is None:
        return None
    container, values = found
    root = _root(container)
    if not isinstance(root, cst.Name | cst.Attribute) or ctx.runs_once(node):
        return None
    # a list in the body of a class is one for all objects
    if ctx.home(root) not in ("module", "class") or ctx.type_of(root) not in _CONTAINERS:
        return None
    if _is_import_time(node, ctx):
        return None
    if isinstance(node, cst.Assign) and isinstance(container, cst.Name) and ctx.type_of(container) in _INDEXED:
        return None
    if all(ctx.is_fixed(value) or ctx.is_task(value) or _is_class(value) for value in values):
        return None
    if ctx.memoizes(node, container) or _is_sought_first(container, node, ctx) or not ctx.only_grows(root):
        return None
    message = f"`{ctx.code(root)}` gains here, and nothing in the module ever takes from it"
    return Match(message, (Plant("container", node),))


def _added(node: cst.CSTNode) -> tuple[cst.BaseExpression, list[cst.BaseExpression]] | None:
    """The container that the node adds to, and what decides whether the addition is a new one: keys, else values."""
    match node:
        case cst.Call(func=cst.Attribute(value=container, attr=cst.Name(value=method)), args=arguments):
            if method not in _ADDS or not arguments or any(argument.keyword or argument.star for argument in arguments):
                return None
            decisive = arguments[:1] if method == "setdefault" else arguments[-1:]
            return container, [argument.value for argument in decisive]
        case cst.Assign(targets=targets):
            for target in targets:
                match target.target:
                    case cst.Subscript(value=container, slice=[cst.SubscriptElement(slice=cst.Index(value=key))]):
                        return container, [key]
                    case _:
                        pass
        case cst.AugAssign(target=cst.Name() as container, operator=cst.AddAssign(), value=value):
            return container, [value]
    return None


def _is_sought_first(container: cst.BaseExpression, node: cst.CSTNode, ctx: Context) -> bool:
    """Whether the function walks the container and returns the entry that it wants, if there is one already."""
    function, name = ctx.function(node), ctx.code(container).strip()
    if function is None:
        return False
    return any(
        ctx.code(loop.iter).strip() == name
        and any(part.value is not None for part in ctx.inside(loop.body, cst.Return))
        for loop in ctx.inside(function.body, cst.For)
    )


def _root(container: cst.BaseExpression) -> cst.BaseExpression:
    """The container in which the one that is added to stands: `ROWS` of `ROWS[key]` and `ROWS.setdefault(key, [])`."""
    while True:
        match container:
            case cst.Subscript(value=inner):
                container = inner
            case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value="setdefault" | "get"))):
                container = inner
            case _:
                return container


def _is_class(value: cst.BaseExpression) -> bool:
    match value:
        case cst.Name(value="cls" | "klass") | cst.Attribute(value=cst.Name(value="cls" | "klass")):
            return True
        case cst.Call(func=cst.Name(value="type")) | cst.Attribute(attr=cst.Name(value="__class__" | "__name__")):
            return True
    return False


def _is_import_time(node: cst.CSTNode, ctx: Context) -> bool:
    names = [parent.name.value for parent in ctx.ancestors(node) if isinstance(parent, cst.FunctionDef)]
    return ctx.decorates(node) or any(_AT_IMPORT.search(name) for name in names)


RULE = Rule(
    id="module-container-growth",
    title="Container of the module that only gains",
    kind=Kind.GROWTH,
    page=Page(
        what=(
            "An addition, inside a function, to a list, dict, set or deque at module level, or in the body of a class"
            " and so one for all its objects, from which nothing in the module ever takes anything: no `pop`, `remove`,"
            " `del`, `clear`, no new binding, no `maxlen`. Not flagged are constant entries, functions that run while"
            " modules are imported (decorators and `register` functions), dicts used as caches (`unbounded-cache`) and"
            " kept tasks (`task-container-never-discarded`)."
        ),
        why=(
            "What stands at module level lives as long as the process. An entry for every request, job or message keeps"
            " all that it refers to alive, so memory rises with the work done, and every walk over the container grows"
            " longer."
        ),
        harmless=(
            "When the number of different entries is bounded by the program (its modules, options, plugins), when"
            " another module empties the container, or when the process ends with its one job. `list.append` in a loop,"
            " and a callback of the user that appends, are no defect by themselves."
        ),
        measured=(
            "The length after every addition. Confirmed when the greatest length is large and rises with the"
            " additions to the end of the run; rejected when it stays small over many additions. Few entries may be"
            " heavy: bytes allocated in the flagged lines that stay, as many later in the run as before, confirm"
            " too."
        ),
        fix=(
            "Decide when an entry is no longer needed and remove it there; use a `deque(maxlen=...)` for the latest"
            " ones, a weak container for what others own, or a local variable for what one call needs."
        ),
        references=(
            "prefect 3.9.1, prefect/_vendor/croniter/croniter.py:1144: an entry for every expression ever parsed",
            "CPython 3.11.7, logging/__init__.py:159: harmless, as many entries as a program has levels",
        ),
    ),
    triggers=(
        Calls(tuple(f".{name}" for name in _ADDS), Where(function=True, kept=True)),
        Nodes(("Assign",), Where(function=True, kept=True), targets=("Subscript",)),
        Nodes(("AugAssign",), Where(function=True, kept=True), targets=("Name",)),
    ),
    expects=Backlog(),
    check=check,
    valid=(
        # runs once
        "ROWS = []\n\ndef main(rows):\n    ROWS.append(rows)\n",
        # bounded
        "import collections\n\nLAST = collections.deque(maxlen=100)\n\ndef handle(request):\n"
        "    LAST.append(request)\n",
        # emptied, also by way of a local name
        "PENDING = []\n\ndef handle(request):\n    PENDING.append(request)\n\ndef flush():\n    batch = PENDING\n"
        "    send(batch)\n    batch.clear()\n",
        "SEEN = set()\n\ndef handle(request):\n    SEEN.add(request.id)\n\ndef reset():\n    global SEEN\n"
        "    SEEN = set()\n",
        # as much as there is code
        "HANDLERS = {}\n\ndef handles(name):\n    def decorate(function):\n        HANDLERS[name] = function\n"
        "        return function\n    return decorate\n",
        "PLUGINS = []\n\ndef register(plugin):\n    PLUGINS.append(plugin)\n",
        "VIEWS = []\n\ndef route(function):\n    VIEWS.append(function)\n    return function\n",
        "VIEWS = []\n\ndef routed(one: Callable[..., str]):\n    VIEWS.append(one)\n    return one\n",
        # the same entry each time
        "STATE = {}\n\ndef handle(request):\n    STATE['last'] = request\n",
        # one for each kind, found again
        "LOGGERS = []\n\ndef logger(kind):\n    for known in LOGGERS:\n        if isinstance(known, kind):\n"
        "            return known\n    made = kind()\n    LOGGERS.append(made)\n    return made\n",
        "NAMES = [''] * 256\n\ndef name(number, text):\n    NAMES[number] = text\n",
        # a local list
        "def rows(items):\n    found = []\n    for item in items:\n        found.append(item)\n    return found\n",
        # a cache: another rule
        "_cache = {}\n\ndef parse(text):\n    if text not in _cache:\n        _cache[text] = work(text)\n"
        "    return _cache[text]\n",
        # a list for each object
        "class Session:\n    events = []\n\n    def __init__(self):\n        self.events = []\n\n"
        "    def handle(self, request):\n        self.events.append(request)\n",
        "from pydantic import BaseModel\n\nclass Session(BaseModel):\n    events: list[str] = []\n\n"
        "    def handle(self, request):\n        self.events.append(request)\n",
    ),
    invalid=(
        "LOG = []\n\ndef handle(request):\n    LOG.append(request)\n",
        "SEEN = set()\n\ndef handle(request):\n    if request.id in SEEN:\n        return\n    SEEN.add(request.id)\n",
        "from collections import defaultdict\n\nTIMES = defaultdict(list)\n\ndef record(path, seconds):\n"
        "    TIMES[path].append(seconds)\n",
        "SESSIONS = {}\n\nasync def open_session(user, data):\n    SESSIONS[user.id] = data\n",
        "ROWS = []\n\ndef load(rows):\n    global ROWS\n    ROWS += rows\n",
        "LOCKS: dict = {}\n\ndef lock(key):\n    return LOCKS.setdefault(key, make_lock())\n",
        # one for all objects
        "class Session:\n    events = []\n\n    def handle(self, request):\n        self.events.append(request)\n",
        "class Session:\n    events = []\n\n    def handle(self, request):\n        Session.events.append(request)\n",
        # no decorator: what it hands back is no function
        "EVENTS = []\n\ndef track(event):\n    EVENTS.append(event)\n    return event\n",
        # another one for each request
        "from flask import request\n\nPATHS = []\n\ndef index():\n    PATHS.append(request.path)\n",
        "import threading\n\nHERE = threading.local()\nUSERS = []\n\ndef index():\n    USERS.append(HERE.user)\n",
    ),
)
