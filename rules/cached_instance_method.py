"""A cache around a method, which keeps its objects alive."""

from __future__ import annotations

import re

from auditor import cst
from auditor.model import Backlog
from auditor.rule import Calls, Context, Kind, Match, Nodes, Page, Plant, Rule
from auditor.shapes import cached_by_call

_MESSAGE = "the cache of `{}` keeps every object it was called on alive"
_WITHOUT_RECEIVER = ("builtins.staticmethod", "builtins.classmethod")
_LASTING = re.compile(r"\b(?:Enum|IntEnum|StrEnum|Flag|IntFlag|type|EnumMeta|ABCMeta|Singleton)$")
"""Bases of classes whose objects live as long as the program does."""


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if isinstance(node, cst.Call):
        return _check_called(node, ctx)
    if not isinstance(node, cst.FunctionDef) or not ctx.caches_all(node):
        return None
    bases = ctx.class_bases(node)
    receivers = [parameter.name.value for parameter in node.params.params[:1]]
    if bases is None or any(_LASTING.search(base) for base in bases) or receivers in ([], ["cls"], ["mcs"]):
        return None
    if any(ctx.qualified(decorator.decorator) in _WITHOUT_RECEIVER for decorator in node.decorators):
        return None
    return Match(_MESSAGE.format(node.name.value), (Plant("cache", node),))


def _check_called(node: cst.Call, ctx: Context) -> Match | None:
    """`text = lru_cache(None)(_text)` in the body of a class."""
    found, bases = cached_by_call(node, ctx), ctx.class_bases(node)
    if found is None or bases is None or any(_LASTING.search(base) for base in bases):
        return None
    made, function = found
    if not isinstance(function, cst.Name):
        return None
    return Match(_MESSAGE.format(function.value), (Plant("cache", made),), made)


RULE = Rule(
    id="cached-instance-method",
    title="Cache around a method",
    kind=Kind.LEAK,
    page=Page(
        what=(
            "A method decorated with `functools.cache` or `lru_cache(maxsize=None)`, or made by calling one in the body"
            " of the class (`text = lru_cache(None)(_text)`). Static methods and class methods"
            " have no object to keep and belong to `unbounded-cache`; enumerations and metaclasses, whose objects live"
            " as long as the program, are exempt, and so are caches with a bound and caches that the module clears."
        ),
        why=(
            "The cache belongs to the class and its keys contain `self`, so each object that the method was ever called"
            " on stays alive with all it refers to, although the rest of the program has let go of it. Objects that"
            " compare equal share entries besides, and objects without a hash fail."
        ),
        harmless=(
            "When there is one object, or a few, for the whole life of the process: a client, a settings object, a"
            " singleton. B019 of flake8-bugbear and Ruff warns there too, and of bounded caches."
        ),
        measured=(
            "The number of entries over the misses. Confirmed when it rises with the misses to the end of the run;"
            " rejected when it stays small over many calls. Each entry keeps one instance alive. Few entries may be"
            " heavy: bytes allocated in the flagged lines that stay, as many later in the run as before, confirm"
            " too."
        ),
        fix=(
            "Use `functools.cached_property` for a value without arguments; make the cached part a function of the"
            " values it needs; or keep a dict, or a cache made in `__init__`, in the object itself."
        ),
        references=(
            "homeassistant 2024.3.3, components/emulated_hue/config.py:173: keeps each configuration with its entities",
            "django 5.2.19, django/core/management/commands/loaddata.py:316: harmless, one object, one run",
            "flake8-bugbear B019",
            "pylint W1518",
        ),
    ),
    triggers=(
        Nodes(("FunctionDef", "AsyncFunctionDef"), decorators=("cache", "lru_cache")),
        Calls(("functools.lru_cache", "functools.cache")),
    ),
    expects=Backlog(),
    check=check,
    valid=(
        "import functools\n\nclass Page:\n    @staticmethod\n    @functools.cache\n    def render(text):\n"
        "        return work(text)\n",
        "import functools\n\nclass Page:\n    @classmethod\n    @functools.cache\n    def fields(cls):\n"
        "        return work(cls)\n",
        # B019 flags bounded caches
        "import functools\n\nclass Page:\n    @functools.lru_cache(maxsize=16)\n    def render(self, language):\n"
        "        return work(self, language)\n",
        "import functools\n\nclass Page:\n    @functools.lru_cache\n    def render(self, language):\n"
        "        return work(self, language)\n",
        "import functools\n\nclass Page:\n    @functools.cached_property\n    def text(self):\n"
        "        return work(self)\n",
        # its objects live as long as the program
        "import enum\nimport functools\n\nclass Color(enum.Enum):\n    RED = 1\n\n    @functools.cache\n"
        "    def text(self):\n        return work(self)\n",
        "import functools\n\nclass Page:\n    @functools.cache\n    def text(self):\n        return work(self)\n\n"
        "    def reload(self):\n        self.text.cache_clear()\n",
        "import functools\n\n@functools.cache\ndef render(self):\n    return work(self)\n",
        # bounded
        "import functools\n\nclass Page:\n    def _text(self):\n        return work(self)\n\n"
        "    text = functools.lru_cache(maxsize=9)(_text)\n",
    ),
    invalid=(
        "import functools\n\nclass Page:\n    @functools.cache\n    def render(self, language):\n"
        "        return work(self, language)\n",
        "from functools import lru_cache\n\nclass Page:\n    @lru_cache(maxsize=None)\n    def text(self):\n"
        "        return work(self)\n",
        "from functools import lru_cache\n\nclass Page:\n    @property\n    @lru_cache(None)\n    def text(self):\n"
        "        return work(self)\n",
        "import functools as ft\n\nclass Page(Base):\n    @ft.cache\n    def size(self, unit='px'):\n"
        "        return work(self, unit)\n",
        # called in the body of the class
        "import functools\n\nclass Page:\n    def _text(self):\n        return work(self)\n\n"
        "    text = functools.lru_cache(maxsize=None)(_text)\n",
    ),
)
