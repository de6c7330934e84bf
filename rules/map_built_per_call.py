"""A map of constants built anew at every call."""

from __future__ import annotations

from auditor import cst
from auditor.model import Cost
from auditor.rule import Context, Edits, Fixer, Kind, Match, Nodes, Page, Plant, Rule, Safety, Where

_LEAST = 8
_READING_METHODS = ("get", "items", "keys", "values", "__getitem__", "__contains__")
_READING_CALLS = tuple(
    f"builtins.{name}" for name in ("len", "sorted", "list", "set", "tuple", "frozenset", "any", "all", "min", "max")
)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Dict) or ctx.runs_once(node) or not _is_fixed(node, ctx):
        return None
    if not _only_reads(node, ctx) and not _only_read_through_name(node, ctx):
        return None
    count = len(node.elements)
    return Match(f"a map of {count} fixed entries is built anew each time, only to be read", (Plant("timed", node),))


def _is_fixed(display: cst.Dict, ctx: Context) -> bool:
    # an empty display among the values is there to be filled, so sharing the map would change what the code does
    return ctx.is_fixed(display) and not any(
        isinstance(part, cst.Dict | cst.List) and not part.elements for part in ctx.descendants(display)
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
            return isinstance(call, cst.Call) and ctx.qualified(call.func) in _READING_CALLS
    return False


def _is_changed(subscript: cst.Subscript, ctx: Context) -> bool:
    """Whether the item is assigned to or deleted."""
    parent = ctx.parent(subscript)
    if isinstance(parent, cst.AugAssign | cst.AnnAssign):
        return parent.target is subscript
    return isinstance(parent, cst.AssignTarget | cst.Del)


def _only_read_through_name(display: cst.Dict, ctx: Context) -> bool:
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
    assert isinstance(node, cst.Dict)
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
            f"A dict display of {_LEAST} or more entries inside a function, whose keys and values are literals or names"
            " bound outside every function, and which is only read: looked up, iterated or measured, directly or"
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
    triggers=(Nodes(("Dict",), Where(function=True), least=_LEAST),),
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
        # runs once
        "def main():\n    m = {'a': 1, 'b': 2, 'c': 3, 'd': 4, 'e': 5, 'f': 6, 'g': 7, 'h': 8}\n    print(m['a'])\n",
        # small
        "def f(x):\n    return {'a': 1, 'b': 2}[x]\n",
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
        ),
    ),
)
