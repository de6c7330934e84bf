"""Listeners that can be added and not removed."""

from __future__ import annotations

import re

from auditor import cst
from auditor.model import Backlog
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule, Where

_LISTENERS = re.compile(
    r"(?:listener|callback|handler|observer|subscriber|subscription|hook|watcher|(?:^|_)cb|(?:^|_)sub)s?$"
)
_ADDS = (".append", ".add", ".insert", ".appendleft")
_CONTAINERS = frozenset(
    (
        *("list", "set", "dict", "collections.deque", "collections.defaultdict", "collections.OrderedDict"),
        *("typing.DefaultDict", "typing.MutableSequence", "typing.MutableSet", "typing.Deque"),
    )
)
_MAKERS = ("__init__", "__new__", "__post_init__", "__init_subclass__")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or not node.args:
        return None
    root = _root(node.func.value)
    function = ctx.function(node)
    if not isinstance(root, cst.Attribute) or not _LISTENERS.search(root.attr.value.lower()):
        return None
    if not isinstance(function, cst.FunctionDef) or function.name.value in _MAKERS or ctx.runs_once(node):
        return None
    if not _is_given(node.args[-1].value, ctx) or ctx.decorates(node):
        return None
    if ctx.home(root) not in ("instance", "class") or ctx.type_of(root) not in _CONTAINERS or not ctx.only_grows(root):
        return None
    name = " ".join(ctx.code(root).split())
    return Match(f"`{name}` gains listeners, and the class has no way to remove one", (Plant("container", node),))


def _root(container: cst.BaseExpression) -> cst.BaseExpression:
    """`self.listeners` of `self.listeners[event]` and `self.listeners.setdefault(event, [])`."""
    match container:
        case cst.Subscript(value=inner):
            return _root(inner)
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value="setdefault" | "get"))):
            return _root(inner)
    return container


def _is_given(value: cst.BaseExpression, ctx: Context) -> bool:
    """Whether it is a parameter of the method, or holds one (`(callback, args)`, `Handler(callback)`)."""
    parameters = ctx.parameters(value)
    match value:
        case cst.Name(value=name):
            return name in parameters
        case cst.Tuple(elements=elements):
            return any(_is_given(element.value, ctx) for element in elements)
        case cst.Call(func=cst.Name(), args=arguments):
            return any(isinstance(a.value, cst.Name) and a.value.value in parameters for a in arguments)
    return False


RULE = Rule(
    id="listener-never-removed",
    title="Listener that cannot be removed",
    kind=Kind.GROWTH,
    page=Page(
        what=(
            "A method that adds what it was given to a list, set or dict called listeners, callbacks, handlers,"
            " observers, subscribers, hooks or watchers, where nothing in the module ever takes anything out of it."
            " Decorators that register at import, and the method that makes the object, are left out."
        ),
        why=(
            "A listener keeps alive what it is bound to: `source.listeners.append(view.refresh)` keeps `view` for as"
            " long as `source` lives. Where views come and go they all stay, and each event is told to all of them."
        ),
        harmless=(
            "When listeners are added once at start-up, or when the object that is listened to lives shorter than its"
            " listeners do, as a future or a request does."
        ),
        measured=(
            "The number of listeners after every addition. Confirmed when it rises with the additions to the end of the"
            " run; rejected when it stays small over many additions."
        ),
        fix=(
            "Give back a function, or offer a method, that removes the listener, and call it where the listener's owner"
            " ends; or keep `weakref.WeakMethod`s and drop the dead ones."
        ),
        references=(
            "homeassistant 2024.3.3, components/keba/__init__.py:180: entities that are gone are still told",
            "CPython 3.11.7, concurrent/futures/_base.py:421: harmless, the future soon dies as well",
        ),
    ),
    triggers=(Calls(_ADDS, Where(function=True, kept=True)),),
    expects=Backlog(),
    check=check,
    valid=(
        "class Source:\n    def __init__(self):\n        self.listeners = []\n\n    def listen(self, listener):\n"
        "        self.listeners.append(listener)\n\n    def unlisten(self, listener):\n"
        "        self.listeners.remove(listener)\n",
        # gives back a function that removes it
        "class Source:\n    def __init__(self):\n        self._callbacks = set()\n\n    def listen(self, callback):\n"
        "        self._callbacks.add(callback)\n        return lambda: self._callbacks.discard(callback)\n",
        # a decorator registers at import
        "class App:\n    def __init__(self):\n        self.handlers = []\n\n    def handler(self, function):\n"
        "        self.handlers.append(function)\n        return function\n",
        # told once, then dropped
        "class Promise:\n    def __init__(self):\n        self.callbacks = []\n\n    def then(self, callback):\n"
        "        self.callbacks.append(callback)\n\n    def resolve(self):\n"
        "        callbacks, self.callbacks = self.callbacks, []\n        for callback in callbacks:\n"
        "            callback()\n",
        "class Table:\n    def __init__(self):\n        self.rows = []\n\n    def add(self, row):\n"
        "        self.rows.append(row)\n",
    ),
    invalid=(
        "class Source:\n    def __init__(self):\n        self.listeners = []\n\n    def listen(self, listener):\n"
        "        self.listeners.append(listener)\n",
        "from collections import defaultdict\n\nclass Bus:\n    def __init__(self):\n"
        "        self._subscribers = defaultdict(list)\n\n    def subscribe(self, event, callback):\n"
        "        self._subscribers[event].append(callback)\n",
        "class Bus:\n    handlers: dict[str, list] = {}\n\n    def on(self, event, handler, once=False):\n"
        "        self.handlers.setdefault(event, []).append((handler, once))\n",
        "class Model:\n    def __init__(self):\n        self.observers: set = set()\n\n"
        "    def attach(self, observer):\n        self.observers.add(observer)\n\n"
        "    def notify(self):\n        for observer in self.observers:\n"
        "            observer.update(self)\n",
    ),
)
