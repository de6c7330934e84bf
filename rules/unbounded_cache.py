"""A cache that keeps every entry."""

from __future__ import annotations

import re

from auditor import cst
from auditor.model import Backlog
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Nodes, Page, Plant, Rule, Safety, Where
from auditor.shapes import cached_by_call

_MAPS = ("dict", "collections.OrderedDict", "collections.defaultdict", "typing.OrderedDict", "typing.MutableMapping")
_TAKES = ("pop", "popitem", "clear")
_CLASS = re.compile(r"(?:^|_)(?:cls|class|klass|type)_?$")
_FEW_VALUES = re.compile(r"^(?:bool|type|Literal|typing\.Literal|typing\.Type|Type)\b")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if isinstance(node, cst.FunctionDef):
        return _check_decorated(node, ctx)
    if isinstance(node, cst.Call):
        return _check_called(node, ctx)
    if isinstance(node, cst.Assign):
        for target in node.targets:
            if isinstance(target.target, cst.Subscript):
                return _check_store(node, target.target, ctx)
    return None


def _check_decorated(function: cst.FunctionDef, ctx: Context) -> Match | None:
    if ctx.function(function) is not None or not ctx.caches_all(function) or not _takes_arguments(function, ctx):
        return None
    message = f"the cache of `{function.name.value}` keeps a result for every argument it ever saw"
    return Match(message, (Plant("cache", function),))


def _check_called(node: cst.Call, ctx: Context) -> Match | None:
    """`parse = lru_cache(None)(work)`, kept in a name of the module or in an attribute."""
    found = cached_by_call(node, ctx)
    if found is None:
        return None
    made, function = found
    match ctx.parent(made):
        case cst.Assign(targets=[cst.AssignTarget(target=kept)]) if ctx.home(kept) in ("module", "instance"):
            pass
        case _:
            return None
    known = ctx.lambdas(function)
    if "cache_clear" in ctx.read_from(kept) or (known and not any(one.params.children for one in known)):
        return None
    name = " ".join(ctx.code(function).split())
    message = f"the cache of `{name}` keeps a result for every argument it ever saw"
    return Match(message, (Plant("cache", made),), made)


def _takes_arguments(function: cst.FunctionDef, ctx: Context) -> bool:
    """Whether its arguments can have many values. A method's receiver is another rule's matter."""
    parameters = [*function.params.posonly_params, *function.params.params, *function.params.kwonly_params]
    if ctx.class_bases(function) is not None:
        names = {ctx.qualified(decorator.decorator) for decorator in function.decorators}
        if "builtins.classmethod" in names:
            parameters = parameters[1:]
        elif "builtins.staticmethod" not in names:
            return False
    if not all(_has_few_values(parameter, ctx) for parameter in parameters):
        return True
    return any(isinstance(one, cst.Param) and one.star for one in function.params.children)


def _has_few_values(parameter: cst.Param, ctx: Context) -> bool:
    annotation = parameter.annotation
    return annotation is not None and _FEW_VALUES.match(ctx.code(annotation.annotation).strip("\"' ")) is not None


def _check_store(store: cst.Assign, target: cst.Subscript, ctx: Context) -> Match | None:
    container = target.value
    is_kept = ctx.type_of(container) in _MAPS and ctx.home(container) is not None
    is_default = not is_kept and (_is_default(container, store, ctx) or _is_of_closure(container, store, ctx))
    if not (is_kept or is_default) or ctx.runs_once(store) or not ctx.memoizes(store, container):
        return None
    if _has_few_keys(target, ctx) or not (is_default or ctx.only_grows(container)):
        return None
    name = " ".join(ctx.code(container).split())
    return Match(f"`{name}` keeps an entry for every key it was ever asked for", (Plant("container", store),))


def _is_default(container: cst.BaseExpression, store: cst.Assign, ctx: Context) -> bool:
    """Whether it is the default of a parameter, which all calls share: `def f(x, _cache={})`."""
    function = ctx.function(store)
    if not isinstance(container, cst.Name) or not isinstance(function, cst.FunctionDef):
        return False
    match ctx.stores(container.value, function):
        case [cst.Param(default=cst.Dict(elements=[]) | cst.Call(func=cst.Name(value="dict"), args=[]))]:
            pass
        case _:
            return False
    attributes = (ctx.parent(use) for use in ctx.uses(container.value, function))
    return not any(isinstance(one, cst.Attribute) and one.attr.value in _TAKES for one in attributes)


def _is_of_closure(container: cst.BaseExpression, store: cst.Assign, ctx: Context) -> bool:
    """Whether it is a dict of the function around, which that hands back the inner one: a decorator that caches."""
    inner = ctx.function(store)
    outer = None if inner is None else ctx.function(inner)
    if not (isinstance(container, cst.Name) and isinstance(inner, cst.FunctionDef) and outer is not None):
        return False
    match [one for one in ctx.stores(container.value, outer) if isinstance(one, cst.Assign | cst.AnnAssign)]:
        case [cst.Assign(value=cst.Dict(elements=[])) | cst.AnnAssign(value=cst.Dict(elements=[]))]:
            pass
        case _:
            return False
    attributes = (ctx.parent(use) for use in ctx.uses(container.value, outer))
    if any(isinstance(one, cst.Attribute) and one.attr.value in _TAKES for one in attributes):
        return False
    handed = (one.value for one in ctx.inside(outer, cst.Return) if ctx.function(one) is outer)
    return any(isinstance(one, cst.Name) and one.value == inner.name.value for one in handed)


def _has_few_keys(target: cst.Subscript, ctx: Context) -> bool:
    """Whether the key is the same each time, or a class."""
    for element in target.slice:
        if not isinstance(element.slice, cst.Index):
            return True
        match element.slice.value:
            case cst.Name(value=name) if _CLASS.search(name):
                return True
            case cst.Attribute(attr=cst.Name(value="__class__")):
                return True
            case cst.Call(func=cst.Name(value="type")):
                return True
            case key if not ctx.is_fixed(key):
                return False
            case _:
                pass
    return True


_ENTRIES = 1024


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    if not isinstance(node, cst.FunctionDef):
        return None
    for decorator in node.decorators:
        expression = decorator.decorator
        called = expression.func if isinstance(expression, cst.Call) else expression
        if ctx.qualified(called) == "functools.lru_cache":
            edits.replace(expression, f"{ctx.code(called)}({_arguments(expression, ctx)})")
            return Safety.UNSAFE
        if ctx.qualified(called) == "functools.cache":
            edits.replace(expression, f"{edits.imported('functools.lru_cache')}(maxsize={_ENTRIES})")
            return Safety.UNSAFE
    return None


def _arguments(expression: cst.BaseExpression, ctx: Context) -> str:
    kept = ""
    if isinstance(expression, cst.Call):
        typed = ctx.argument(expression, 1, "typed")
        kept = "" if typed is None else f", typed={ctx.code(typed)}"
    return f"maxsize={_ENTRIES}{kept}"


RULE = Rule(
    id="unbounded-cache",
    title="Cache that never shrinks",
    kind=Kind.GROWTH,
    page=Page(
        what=(
            "A function with arguments decorated with `functools.cache` or `lru_cache(maxsize=None)`, or cached by a"
            " call of one (`parse = lru_cache(None)(work)`) and kept by the module or an object; and a dict of the"
            " module, a class or an object, or the default of a parameter, that is used as a cache (the entry is looked"
            " up, worked out if it is missing, stored and used) and from which nothing in the module ever takes an"
            " entry; so is a dict in the closure of a function that a decorator hands back. Caches of methods are the"
            " matter of `cached-instance-method`; a default `lru_cache` is bounded and"
            " not flagged."
        ),
        why=(
            "Every new key adds an entry that stays until the process ends, with its key and its value. Where keys come"
            " from outside (texts, users, paths, times), memory grows for as long as the process runs, and entries"
            " that are never asked for again crowd out what the processor's caches could hold."
        ),
        harmless=(
            "When the keys are few by nature: classes, settings, the files of a program, the units of a table; and in"
            " programs that end soon. A bound that is smaller than the working set costs more than it saves."
        ),
        measured=(
            "The number of entries over the misses. Confirmed when the greatest number is large and rises with the"
            " misses to the end of the run; rejected when it stays small over many look-ups, or when very many"
            " look-ups after the last new entry found theirs. Few entries may be heavy: bytes allocated in the"
            " flagged lines that stay, as many later in the run as before, confirm too."
        ),
        fix=(
            "Bound it: `lru_cache(maxsize=...)` with a size taken from the measured working set, an `OrderedDict` that"
            " drops its oldest entry, or a cache whose entries expire; or tie it to the object that needs it."
        ),
        references=(
            "kombu 5.7.0, kombu/transport/virtual/exchange.py:128: an entry for every pattern ever matched",
            "CPython 3.11.7, ipaddress.py:1614: harmless, there are few ways to write a netmask",
            "ruff: B019 is about methods only; no linter reports a module's dict",
        ),
    ),
    triggers=(
        Nodes(("FunctionDef", "AsyncFunctionDef"), decorators=("cache", "lru_cache")),
        Nodes(("Assign",), Where(function=True, kept=True), targets=("Subscript",)),
        Calls(("functools.lru_cache", "functools.cache")),
    ),
    expects=Backlog(),
    check=check,
    valid=(
        "import functools\n\n@functools.lru_cache\ndef parse(text):\n    return work(text)\n",
        "from functools import lru_cache\n\n@lru_cache(maxsize=1024)\ndef parse(text):\n    return work(text)\n",
        "import functools\n\n@functools.cache\ndef settings():\n    return load()\n",
        # few values
        "import functools\n\n@functools.cache\ndef table(kind: type, strict: bool = False):\n    return build(kind)\n",
        # evicted
        "_cache = {}\n\ndef parse(text):\n    if text not in _cache:\n        if len(_cache) > 100:\n"
        "            _cache.clear()\n        _cache[text] = work(text)\n    return _cache[text]\n",
        "_cache = {}\n\ndef parse(text):\n    if text not in _cache:\n        _cache[text] = work(text)\n"
        "    return _cache[text]\n\ndef forget(text):\n    del _cache[text]\n",
        # dies with the call
        "def parse_all(texts):\n    cache = {}\n    for text in texts:\n        if text not in cache:\n"
        "            cache[text] = work(text)\n        yield cache[text]\n",
        # one entry for a class
        "_fields = {}\n\ndef fields(item):\n    if type(item) not in _fields:\n"
        "        _fields[type(item)] = inspect(item)\n    return _fields[type(item)]\n",
        # weak
        "import weakref\n\n_cache = weakref.WeakKeyDictionary()\n\ndef size(image):\n    if image not in _cache:\n"
        "        _cache[image] = measure(image)\n    return _cache[image]\n",
        # a method: another rule
        "import functools\n\nclass Page:\n    @functools.cache\n    def render(self, language):\n"
        "        return work(self, language)\n",
        # emptied, and a dict of each call's own
        "def parse(text, seen={}):\n    if len(seen) > 100:\n        seen.clear()\n    if text not in seen:\n"
        "        seen[text] = work(text)\n    return seen[text]\n",
        "def parse(text, seen=None):\n    seen = seen or {}\n    if text not in seen:\n"
        "        seen[text] = work(text)\n"
        "    return seen[text]\n",
        # bounded, of one value, cleared, of each call's own
        "import functools\n\ndef load():\n    return read()\n\nparse = functools.lru_cache(maxsize=99)(work)\n"
        "plain = functools.lru_cache(work)\nsettings = functools.cache(load)\nother = functools.cache(work)\n"
        "other.cache_clear()\n\ndef f(texts):\n    known = functools.cache(work)\n"
        "    return [known(text) for text in texts]\n",
        # within one call; emptied
        "def f(rows):\n    known = {}\n\n    def kind(row):\n        if row.key not in known:\n"
        "            known[row.key] = work(row)\n        return known[row.key]\n\n"
        "    return [kind(row) for row in rows]\n\ndef memo(function):\n    known = {}\n\n"
        "    def cached(*args):\n        if len(known) > 100:\n            known.clear()\n"
        "        if args not in known:\n            known[args] = function(*args)\n        return known[args]\n"
        "\n    return cached\n",
    ),
    invalid=(
        "import functools\n\n@functools.cache\ndef parse(text):\n    return work(text)\n",
        "from functools import lru_cache\n\n@lru_cache(maxsize=None)\ndef parse(text):\n    return work(text)\n",
        "from functools import lru_cache as memo\n\n@memo(None)\ndef parse(*parts):\n    return work(parts)\n",
        "import functools\n\nclass Page:\n    @staticmethod\n    @functools.cache\n    def render(text):\n"
        "        return work(text)\n",
        "_cache = {}\n\ndef parse(text):\n    if text not in _cache:\n        _cache[text] = work(text)\n"
        "    return _cache[text]\n",
        "CACHE = dict()\n\ndef parse(text):\n    try:\n        return CACHE[text]\n    except KeyError:\n"
        "        result = CACHE[text] = work(text)\n        return result\n",
        "class Parser:\n    _seen: dict[str, object] = {}\n\n    def parse(self, text):\n"
        "        found = self._seen.get(text)\n        if found is None:\n            found = work(text)\n"
        "            self._seen[text] = found\n        return found\n",
        "class Client:\n    def __init__(self):\n        self.users = {}\n\n    async def user(self, number):\n"
        "        if number in self.users:\n            return self.users[number]\n"
        "        user = await self.fetch(number)\n        self.users[number] = user\n        return user\n",
        "def parse(text, _seen={}):\n    if text not in _seen:\n        _seen[text] = work(text)\n"
        "    return _seen[text]\n",
        # called instead of written above
        "from functools import lru_cache\n\ndef work(text):\n    return text.upper()\n\n"
        "parse = lru_cache(None)(work)\n",
        "import functools\n\nclass Client:\n    def __init__(self, fetch):\n"
        "        self.fetch = functools.lru_cache(maxsize=None)(fetch)\n",
        # a decorator that caches
        "def memo(function):\n    known = {}\n\n    def cached(*args):\n        if args not in known:\n"
        "            known[args] = function(*args)\n        return known[args]\n\n    return cached\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            f"The cache forgets all but the {_ENTRIES} results used last, which are then worked out anew and are"
            " other objects. The number is a start: take it from the measured working set. There is no fix for a"
            " dict that is used as a cache."
        ),
        fixed=(
            "import functools\n\n@functools.lru_cache(maxsize=1024)\ndef parse(text):\n    return work(text)\n",
            "from functools import lru_cache\n\n@lru_cache(maxsize=1024)\ndef parse(text):\n    return work(text)\n",
            "from functools import lru_cache as memo\n\n@memo(maxsize=1024)\ndef parse(*parts):\n"
            "    return work(parts)\n",
            "import functools\n\nclass Page:\n    @staticmethod\n    @functools.lru_cache(maxsize=1024)\n"
            "    def render(text):\n        return work(text)\n",
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
        ),
    ),
)
