"""A map of constants built anew at every call."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Nodes, Page, Plant, Rule, Safety, Where

_LEAST = 8
_READING_METHODS = (
    *("get", "items", "keys", "values", "__getitem__", "__contains__"),
    *("isdisjoint", "issubset", "issuperset", "union", "intersection", "difference"),
)
_READING_CALLS = tuple(
    f"builtins.{name}" for name in ("len", "sorted", "list", "set", "tuple", "frozenset", "any", "all", "min", "max")
)
_MAKERS = ("builtins.dict", "builtins.set", "builtins.frozenset")
_PAIRING = tuple(f"builtins.{name}" for name in ("enumerate", "zip", "range", "sorted", "reversed"))
_PURE = tuple(f"builtins.{name}" for name in ("str", "chr", "ord", "int", "float", "len", "tuple", "repr", "hex"))


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.BaseExpression) or ctx.runs_once(node):
        return None
    count = _count(node, ctx)
    if count is None:
        return None
    if isinstance(node, cst.Set) and ctx.is_constant(node) and not isinstance(ctx.parent(node), _BINDING):
        # `x in {"a", "b"}` asks a set that is made once, with the code
        return None
    if not _only_reads(node, ctx) and not _only_read_through_name(node, ctx):
        return None
    kind = "map" if _is_map(node, ctx) else "set"
    entries = f"{count} fixed entries" if count else "entries that are always the same"
    return Match(f"a {kind} of {entries} is built anew each time, only to be read", (Plant("timed", node),))


_BINDING = (cst.AnnAssign, cst.Assign, cst.NamedExpr)


def _is_map(node: cst.BaseExpression, ctx: Context) -> bool:
    if isinstance(node, cst.Call):
        return ctx.qualified(node.func) not in ("builtins.set", "builtins.frozenset")
    return isinstance(node, cst.Dict | cst.DictComp)


def _count(node: cst.BaseExpression, ctx: Context) -> int | None:
    """How many fixed entries the map or set is built of, 0 if that is not known; None if they are few or not fixed."""
    match node:
        case cst.Dict() | cst.Set():
            count, fixed = len(node.elements), _is_fixed(node, ctx)
        case cst.DictComp(key=key, value=value, for_in=loop):
            count, fixed = _turns(loop, ctx), _is_made_of_fixed(loop, (key, value), ctx)
        case cst.SetComp(elt=entry, for_in=loop):
            count, fixed = _turns(loop, ctx), _is_made_of_fixed(loop, (entry,), ctx)
        case cst.Call() if _is_maketrans(node, ctx):
            count = max((ctx.length_of(argument.value) or 0 for argument in node.args), default=0)
            fixed = all(_is_fixed(argument.value, ctx) for argument in node.args)
        case cst.Call(func=function, args=[_, *_] as arguments) if ctx.qualified(function) in _MAKERS:
            return _count_given(node, arguments, ctx)
        case _:
            return None
    return count if fixed and (count >= _LEAST or (count == 0 and not isinstance(node, cst.Call))) else None


def _count_given(call: cst.Call, arguments: Sequence[cst.Arg], ctx: Context) -> int | None:
    """The same for `dict(a=1, b=2)`, `dict([("a", 1)])`, `dict(zip(NAMES, VALUES))` and `set(["a", "b"])`."""
    if any(argument.star for argument in arguments):
        return None
    first = arguments[0].value
    if arguments[0].keyword is not None:
        count = len(arguments)
    elif isinstance(first, cst.Dict | cst.List | cst.Tuple | cst.Set):
        count = len(first.elements) + len(arguments) - 1
    elif isinstance(first, cst.Call) and ctx.qualified(first.func) == "builtins.zip" and first.args:
        count = max(ctx.length_of(argument.value) or 0 for argument in first.args)
        if any(argument.star or not _is_listed(argument.value, ctx) for argument in first.args):
            return None
        return count if count >= _LEAST else None
    else:
        return None
    return count if count >= _LEAST and all(_is_fixed(argument.value, ctx) for argument in arguments) else None


def _is_maketrans(call: cst.Call, ctx: Context) -> bool:
    owner = call.func.value if isinstance(call.func, cst.Attribute) else None
    return (
        isinstance(call.func, cst.Attribute)
        and call.func.attr.value == "maketrans"
        and (isinstance(owner, cst.SimpleString) or ctx.qualified(call.func) == "builtins.str.maketrans")
    )


def _turns(loop: cst.CompFor, ctx: Context) -> int:
    """How many items the comprehension goes through, 0 if that is not known."""
    items = loop.iter
    if isinstance(items, cst.Call) and isinstance(items.func, cst.Attribute):
        items = items.func.value
    return ctx.turns_of(loop) or ctx.length_of(items) or 0


def _is_made_of_fixed(loop: cst.CompFor, parts: Sequence[cst.BaseExpression], ctx: Context) -> bool:
    """Whether a comprehension over fixed items makes of each what it always makes."""
    if loop.inner_for_in is not None or loop.asynchronous is not None or not _is_listed(loop.iter, ctx):
        return False
    own = ctx.binds(loop)
    made = (*parts, *(condition.test for condition in loop.ifs))
    names = [name for part in made for name in (part, *ctx.inside(part, cst.Name)) if isinstance(name, cst.Name)]
    calls = [call for part in made for call in (part, *ctx.inside(part, cst.Call)) if isinstance(call, cst.Call)]
    displays = [part for part in parts if isinstance(part, cst.Dict | cst.List | cst.Set | cst.BaseComp)]
    return (
        not displays
        and all(_is_pure(call, own, ctx) for call in calls)
        and all(name.value in own or _is_label(name, ctx) or ctx.is_fixed(name) for name in names)
    )


def _is_pure(call: cst.Call, own: Collection[str], ctx: Context) -> bool:
    """Whether it makes a text or number of an item: `str(i)`, `name.lower()`."""
    if isinstance(call.func, cst.Attribute) and call.func.attr.value in _TEXT_METHODS:
        return isinstance(call.func.value, cst.Name) and call.func.value.value in own
    return ctx.qualified(call.func) in _PURE


_TEXT_METHODS = ("lower", "upper", "strip", "title", "casefold", "encode", "decode", "format", "replace")


def _is_label(name: cst.Name, ctx: Context) -> bool:
    """Whether it is the name of an attribute or a keyword."""
    around = ctx.parent(name)
    return (isinstance(around, cst.Attribute) and around.attr is name) or (
        isinstance(around, cst.Arg) and around.keyword is name
    )


def _is_listed(items: cst.BaseExpression, ctx: Context) -> bool:
    """Whether what is gone through is always the same: fixed, or the pairs or entries of what is."""
    match items:
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="items" | "keys" | "values")), args=[]):
            return _is_listed(owner, ctx)
        case cst.Call(func=function, args=arguments) if ctx.qualified(function) in _PAIRING:
            return all(not argument.star and _is_listed(argument.value, ctx) for argument in arguments)
    if not ctx.is_fixed(items) or ctx.is_constant(items):
        return ctx.is_constant(items)
    # what is bound to something else may be filled elsewhere; the members of a class are those that it was made with
    name = ctx.qualified(items) or ""
    return ctx.length_of(items) is not None or name.startswith("string.") or name.rpartition(".")[2][:1].isupper()


def _is_fixed(value: cst.BaseExpression, ctx: Context) -> bool:
    # an empty display among the values is there to be filled, so sharing the map would change what the code does
    return ctx.is_fixed(value) and not any(
        isinstance(part, cst.Dict | cst.List) and not part.elements for part in ctx.descendants(value)
    )


def _only_reads(value: cst.BaseExpression, ctx: Context) -> bool:
    """Whether what stands around the map reads it and lets nothing else have it."""
    parent = ctx.parent(value)
    match parent:
        case cst.Subscript():
            return parent.value is value and not _is_changed(parent, ctx)
        case cst.Attribute(attr=cst.Name(value=method)):
            return method in _READING_METHODS and isinstance(ctx.parent(parent), cst.Call)
        case cst.ComparisonTarget(operator=cst.In() | cst.NotIn()):
            return True
        case cst.For() | cst.CompFor():
            return parent.iter is value
        case cst.StarredDictElement() | cst.Arg(star="**"):
            # what is unpacked is copied
            return True
        case cst.Arg(star=""):
            call = ctx.parent(parent)
            if not isinstance(call, cst.Call):
                return False
            translates = isinstance(call.func, cst.Attribute) and call.func.attr.value == "translate"
            return translates or ctx.qualified(call.func) in _READING_CALLS
    return False


def _is_changed(subscript: cst.Subscript, ctx: Context) -> bool:
    """Whether the item is assigned to or deleted."""
    parent = ctx.parent(subscript)
    if isinstance(parent, cst.AugAssign | cst.AnnAssign):
        return parent.target is subscript
    return isinstance(parent, cst.AssignTarget | cst.Del)


def _only_read_through_name(display: cst.BaseExpression, ctx: Context) -> bool:
    """Whether the map is bound to one local name of which every other use reads."""
    match ctx.parent(display):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]):
            pass
        case cst.AnnAssign(target=cst.Name() as name):
            pass
        case cst.NamedExpr(target=cst.Name() as name):
            pass
        case _:
            return False
    function = ctx.function(display)
    if not isinstance(function, cst.FunctionDef) or len(ctx.stores(name.value, function)) != 1:
        return False
    reads = [use for use in ctx.uses(name.value, function) if use is not name]
    return (
        bool(reads)
        and not _is_declared_elsewhere(name.value, function, ctx)
        and all(ctx.function(use) is function and _only_reads(use, ctx) for use in reads)
    )


def _is_declared_elsewhere(name: str, function: cst.FunctionDef, ctx: Context) -> bool:
    return any(
        item.name.value == name
        for node in ctx.descendants(function)
        if isinstance(node, cst.Global | cst.Nonlocal)
        for item in node.names
    )


_TELLING = 3
"""A shorter local name says too little at module level."""


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    if not isinstance(node, cst.Dict):
        return None
    function = ctx.function(node)
    match ctx.parent(node):
        case (
            cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))])
            | cst.AnnAssign(target=cst.Name(value=name))
        ) if len(name) >= _TELLING:
            pass
        case _ if isinstance(function, cst.FunctionDef):
            name = f"{function.name.value}_map"
        case _:
            return None
    code = edits.code(node.with_changes(lpar=(), rpar=()))
    edits.replace(node, edits.constant(f"_{name.strip('_').upper()}", code))
    return Safety.UNSAFE


RULE = Rule(
    id="map-built-per-call",
    title="Map of constants built at every call",
    kind=Kind.ALLOCATION,
    page=Page(
        what=(
            f"A map or set of {_LEAST} or more entries made inside a function of literals and names bound outside every"
            " function: a display, `dict(a=1, ...)`, `dict(zip(NAMES, VALUES))`, `set([...])`, `str.maketrans(...)`, a"
            " comprehension over what never changes; and only read: looked up, iterated or measured, directly or"
            " through one local name. A map that is returned, stored, passed on, captured or changed is not flagged,"
            " nor is one in code that runs once."
        ),
        why=(
            "The map is the same at every call, yet each call allocates it and stores every entry, often to look up"
            " one. The cost per call grows with the number of entries while the look-up itself takes constant time."
        ),
        harmless=(
            "When the function is called rarely: 16 entries take about half a microsecond, so only hundreds of"
            " thousands of calls add up to something noticeable. Python builds the map of a `for` loop's iterable once"
            " per loop, not once per turn."
        ),
        measured=(
            "Executions of the display and seconds spent in it. Confirmed when both the seconds and their share of the"
            " run are considerable. Memory is not asked for: the map dies at once, and free lists hide small dicts."
        ),
        fix=(
            "Move the map to module level (or class level) and give it a name. Copy it where a caller wants to change"
            " it. Where values are names from the module, the moved map must stand below their definitions."
        ),
        references=(
            "True: sympy 1.14.0, sympy/printing/mathml.py:93, 53 entries for each tag that is printed",
            "Harmless: CPython 3.11.7, Lib/idlelib/config_key.py:26, 35 entries for each key that a person presses",
        ),
    ),
    triggers=(
        Nodes(("Dict", "Set"), Where(function=True), least=_LEAST),
        Nodes(("DictComp", "SetComp"), Where(function=True)),
        Calls((*_MAKERS, ".maketrans"), Where(function=True)),
    ),
    expects=Cost(memory=False),
    check=check,
    valid=(
        # at module level
        "DAYS = {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}\n\ndef f(x):\n    return DAYS[x]\n",
        # handed to the caller, who may change it
        "def f():\n    return {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}\n",
        # changed before it is read
        "def f(x, y):\n    m = {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}\n    m['i'] = y\n"
        "    return m[x]\n",
        # the values differ from call to call
        "def f(x, n):\n    return {'a': n, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}[x]\n",
        # passed on
        "def f(send):\n    m = {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}\n    send(m)\n",
        # captured by a function that outlives the call
        "def f():\n    m = {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}\n"
        "    return lambda key: m[key]\n",
        # values to be filled
        "def f(rows):\n    m = {1: [], 2: [], 3: [], 4: [], 5: [], 6: [], 7: [], 8: []}\n    for row in rows:\n"
        "        m[row].append(row)\n",
        "def f(x):\n    table = dict(a=x, b=2, c=3, d=4, e=5, f=6, g=7, h=8)\n    return table['a']\n",
        # made with the code, and what goes through what the caller gives
        "def f(x, rows):\n    names = {row.name: row for row in rows}\n"
        "    return x in {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'} and names[x]\n",
        # a list for each, to be filled; a part that may differ each time
        "import os\n\nNAMES = ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')\n\ndef f(rows):\n"
        "    found = {name: [] for name in NAMES}\n    sizes = {name: os.stat(name) for name in NAMES}\n"
        "    for row in rows:\n        found[row.name].append(sizes[row.name])\n",
        # runs once
        "def main():\n    m = {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}\n    print(m['a'])\n",
        # small
        "def f(x):\n    return {'a': 1, 'b': 2}[x]\n",
        # filled elsewhere
        "from collections import defaultdict\n\nKNOWN = defaultdict(list)\n\ndef f(x):\n"
        "    names = {known.name for known in KNOWN}\n    return x in names\n",
        "import attrs\n\n@attrs.define\nclass Pool:\n    jobs: list = attrs.field(factory=list)\n\n"
        "    def has(self, key):\n"
        "        return key in {job.key for job in self.jobs}\n",
    ),
    invalid=(
        "def f(x):\n    return {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}[x]\n",
        "def f(x):\n    m = {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}\n    return m.get(x, 0)\n",
        "import operator as op\n\ndef evaluate(sign, a, b):\n    return {'+': op.add, '-': op.sub, '*': op.mul,"
        " '/': op.truediv, '%': op.mod, '<': op.lt, '>': op.gt, '==': op.eq}[sign](a, b)\n",
        "def f(text):\n    names: dict[str, str] = {'a': 'A', 'b': 'B', 'c': 'C', 'd': 'D', 'e': 'E', 'f': 'F',"
        " 'g': 'G', 'h': 'H'}\n    for old, new in names.items():\n        text = text.replace(old, new)\n"
        "    return text\n",
        "class Scale:\n    def factor(self, unit):\n        units = {'B': 1, 'K': 2**10, 'M': 2**20, 'G': 2**30,"
        " 'T': 2**40, 'P': 2**50, 'E': 2**60, 'Z': 2**70}\n        if unit not in units:\n"
        "            raise ValueError(unit)\n        return units[unit]\n",
        "def draw(shape):\n    style = {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}\n"
        "    return shape(**style)\n",
        "def apply(name, a, b):\n    return {'add': lambda x, y: x + y, 'sub': lambda x, y: x - y, 'b': 2, 'c': 3,"
        " 'd': 4, 'e': 5, 'f': 6, 'g': 7}.get(name)(a, b)\n",
        # made by a call, or of what never changes
        "def f(x):\n    return dict(a=1, b=2, c=3, d=4, e=5, f=6, g=7, h=8)[x]\n",
        "NAMES = ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')\n\ndef f(x):\n    places = dict(zip(NAMES, range(8)))\n"
        "    return places.get(x)\n",
        "import string\n\ndef f(letter):\n"
        "    places = {each: place for place, each in enumerate(string.ascii_lowercase)}\n    return places[letter]\n",
        "def f(word):\n    stop = set(['a', 'an', 'the', 'of', 'to', 'in', 'on', 'at'])\n    return word in stop\n",
        "def f(rows):\n    known = {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'}\n"
        "    return [row for row in rows if row in known]\n",
        "def f(text):\n    return text.translate(str.maketrans('abcdefgh', 'ABCDEFGH'))\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "All calls share one map, made as the module is imported: what changes it or one of its values, or"
            " binds anew a name it is made of, is seen by every call."
        ),
        fixed=(
            "_F_MAP = {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}\n\n\ndef f(x):\n"
            "    return _F_MAP[x]\n",
            "_F_MAP = {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}\n\n\ndef f(x):\n"
            "    m = _F_MAP\n    return m.get(x, 0)\n",
            "import operator as op\n\n"
            "_EVALUATE_MAP = {'+': op.add, '-': op.sub, '*': op.mul, '/': op.truediv, '%': op.mod, '<': op.lt,"
            " '>': op.gt, '==': op.eq}\n\ndef evaluate(sign, a, b):\n    return _EVALUATE_MAP[sign](a, b)\n",
            "_NAMES = {'a': 'A', 'b': 'B', 'c': 'C', 'd': 'D', 'e': 'E', 'f': 'F', 'g': 'G', 'h': 'H'}\n\n\n"
            "def f(text):\n    names: dict[str, str] = _NAMES\n    for old, new in names.items():\n"
            "        text = text.replace(old, new)\n    return text\n",
            "_UNITS = {'B': 1, 'K': 2**10, 'M': 2**20, 'G': 2**30, 'T': 2**40, 'P': 2**50, 'E': 2**60, 'Z': 2**70}\n"
            "\n\nclass Scale:\n    def factor(self, unit):\n        units = _UNITS\n"
            "        if unit not in units:\n            raise ValueError(unit)\n        return units[unit]\n",
            "_STYLE = {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}\n\n\ndef draw(shape):\n"
            "    style = _STYLE\n    return shape(**style)\n",
            "_APPLY_MAP = {'add': lambda x, y: x + y, 'sub': lambda x, y: x - y, 'b': 2, 'c': 3, 'd': 4, 'e': 5,"
            " 'f': 6, 'g': 7}\n\n\ndef apply(name, a, b):\n    return _APPLY_MAP.get(name)(a, b)\n",
            None,
            None,
            None,
            None,
            None,
            None,
        ),
    ),
)
