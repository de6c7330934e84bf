"""A list searched from its start at every turn of a loop."""

from __future__ import annotations

from collections.abc import Iterator

from auditor import cst
from auditor.model import Scaling
from auditor.rule import Calls, Context, Kind, Match, Nodes, Page, Plant, Rule, Where

_SMALL = 16
_METHODS = ("index", "count", "remove")
_FIRST = ("0", "-1")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    match node:
        case cst.Call(func=cst.Attribute(value=items, attr=cst.Name(value=method)), args=[_, *_]):
            return _check_method(node, items, method, ctx) if method in _METHODS else None
        case cst.Call(func=function, args=[cst.Arg(value=cst.GeneratorExp() | cst.ListComp() as made), *_]):
            name = ctx.qualified(function)
            if name == "builtins.next" or (name == "builtins.any" and len(node.args) == 1):
                return _check_scan(node, made, ctx)
        case cst.ListComp():
            return _check_first(node, ctx)
        case cst.For(asynchronous=None):
            return _check_for(node, ctx)
    return None


def _check_for(inner: cst.For, ctx: Context) -> Match | None:
    """`for x in items: if x.id == key: ...; break`, for each item of a loop around it."""
    match inner.body.body:
        case [
            cst.If(
                test=test, orelse=None, body=cst.IndentedBlock(body=[*_, cst.SimpleStatementLine(body=[cst.Break()])])
            )
        ]:
            pass
        case _:
            return None
    turns, items = ctx.turns_of(inner), _viewed(inner.iter)
    if (turns is not None and turns <= _SMALL) or not isinstance(items, cst.Name | cst.Attribute):
        return None
    names = {part.value for part in ctx.descendants(inner.target) if isinstance(part, cst.Name)}
    if not _looks_up(test, names, ctx) or not _is_searched_again(inner, items, ctx):
        return None
    name = " ".join(ctx.code(items).split())
    return Match(f"`{name}` is gone through to find one item, at every turn", (Plant("nested-loop", inner),))


def _check_method(call: cst.Call, items: cst.BaseExpression, method: str, ctx: Context) -> Match | None:
    if ctx.type_of(items) != "list" or not _is_searched_again(call, items, ctx):
        return None
    name = " ".join(ctx.code(items).split())
    walk = "walks the list until it finds the item" if method != "count" else "walks the whole list"
    return Match(f"each `{name}.{method}(...)` {walk}", (Plant("sized-call", call),))


def _is_searched_again(node: cst.CSTNode, items: cst.BaseExpression, ctx: Context) -> bool:
    loops = ctx.repeating(node)
    # what is empty here is filled elsewhere
    is_short = 0 < (ctx.length_of(items) or 0) <= _SMALL
    return bool(loops) and not is_short and not ctx.renews(loops[0], items)


# ------------------------------------------------------------------------------------------------
# `next(x for x in items if x.id == key)`, `[x for x in items if x.id == key][0]`, `any(x.id == key for x in items)`


def _check_first(made: cst.ListComp, ctx: Context) -> Match | None:
    match ctx.parent(made):
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=index))]) as whole:
            return _check_scan(whole, made, ctx) if ctx.code(index).replace(" ", "") in _FIRST else None
    return None


def _check_scan(node: cst.BaseExpression, made: cst.GeneratorExp | cst.ListComp, ctx: Context) -> Match | None:
    loop = made.for_in
    if loop.inner_for_in is not None or loop.asynchronous is not None:
        return None
    turns = ctx.turns_of(loop)
    if turns is not None and turns <= _SMALL:
        return None
    asks_any = isinstance(node, cst.Call) and ctx.qualified(node.func) == "builtins.any"
    tests = [made.elt] if asks_any else [condition.test for condition in loop.ifs]
    names = {part.value for part in ctx.descendants(loop.target) if isinstance(part, cst.Name)}
    items = _viewed(loop.iter)
    if not any(_looks_up(test, names, ctx) for test in tests) or not _is_searched_again(node, items, ctx):
        return None
    name = " ".join(ctx.code(items).split())
    message = f"all of `{name}` is gone through to find one item, at every turn"
    return Match(message, (Plant("sized-call", node),), node)


def _viewed(value: cst.BaseExpression) -> cst.BaseExpression:
    match value:
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value="items" | "keys" | "values")), args=[]):
            return inner
    return value


def _looks_up(test: cst.BaseExpression, names: set[str], ctx: Context) -> bool:
    """Whether the test asks for equality of something of the item with something that is not constant."""
    return any(_compares(part, names, ctx) for part in _conjuncts(test))


def _conjuncts(test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        yield from _conjuncts(test.left)
        yield from _conjuncts(test.right)
    else:
        yield test


def _compares(test: cst.BaseExpression, names: set[str], ctx: Context) -> bool:
    match test:
        case cst.Comparison(
            left=left, comparisons=[cst.ComparisonTarget(operator=cst.Equal() | cst.Is(), comparator=right)]
        ):
            return any(
                _is_key(one, names, ctx) and not _mentions(other, names, ctx) and not ctx.is_fixed(other)
                for one, other in ((left, right), (right, left))
            )
    return False


def _is_key(value: cst.BaseExpression, names: set[str], ctx: Context) -> bool:
    """Whether the value is a part of the item: `x`, `x.id`, `x["id"]`, `x.id.lower()`, `key(x)`."""
    return not isinstance(value, cst.BinaryOperation) and _mentions(value, names, ctx)


def _mentions(value: cst.BaseExpression, names: set[str], ctx: Context) -> bool:
    return any(ctx.uses(name, value) for name in names)


RULE = Rule(
    id="linear-search-in-loop",
    title="A collection searched from its start in a loop",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "Inside a loop: `x.index(item)`, `x.count(item)` and `x.remove(item)` on a proven list; and the search for"
            " one item by a comprehension, as in `next(x for x in items if x.id == key)`,"
            " `[x for x in items if x.id == key][0]` and `any(x.id == key for x in items)`, or by an inner loop that"
            " breaks off at the item it looks for. Not flagged: a search that ends the outer loop, a collection that"
            " each turn makes anew or takes from its item, and collections or loops"
            f" of at most {_SMALL} entries. `x in items` is the rule list-membership-in-loop."
        ),
        why=(
            "Each search compares one entry after the other, so n searches in n entries take n * n comparisons."
            " `remove` moves all that stands behind the item as well."
        ),
        harmless=(
            "When the collection stays short (some ten entries), when the item mostly stands near the start, or when"
            " few turns reach the search."
        ),
        measured=(
            "Seconds spent in the search, the length of the list where it can be seen, and how the cost of a search"
            " grows with that length. Confirmed when the seconds are considerable and the cost grows with the length."
        ),
        fix=(
            "Build a dict before the loop: `by_id = {x.id: x for x in items}`, `place = {x: i for i, x in"
            " enumerate(items)}`, `collections.Counter(items)`; the last of equal keys wins, where the search found"
            " the first. Instead of removing items one by one, keep what stays: `[x for x in items if ...]`, or use"
            " a dict as an ordered set. `enumerate` gives the index of the item at hand."
        ),
        references=(
            "True: networkx 3.6.1, networkx/algorithms/distance_measures.py:908, all nodes for each pair of nodes",
            "Harmless: CPython 3.11.7, Lib/compileall.py:173, the parts of a path",
        ),
    ),
    triggers=(
        Calls((".index", ".count", ".remove", "builtins.next", "builtins.any"), Where(loop=True)),
        Nodes(("ListComp", "For"), Where(loop=True)),
    ),
    expects=Scaling(),
    check=check,
    valid=(
        "def f(rows, items):\n    by_id = {x.id: x for x in items}\n    return [by_id[row.id] for row in rows]\n",
        # texts and sets
        "def f(rows, text: str, known: set[str]):\n    for row in rows:\n        known.remove(row)\n"
        "        print(text.index(row), text.count(row))\n",
        # short
        "KINDS = ['a', 'b', 'c']\n\ndef f(rows):\n    return [KINDS.index(row.kind) for row in rows]\n",
        # once, then the loop ends
        "def f(rows, items: list[int]):\n    for row in rows:\n        if row.old:\n            items.remove(row)\n"
        "            break\n",
        # of the item at hand
        "def f(rows, key):\n    for row in rows:\n        cells = list(row)\n        print(cells.index('x'))\n"
        "        print(next(cell for cell in row.cells if cell.id == key))\n",
        # no search for one item
        "def f(rows, items, limit):\n    for row in rows:\n        print(any(x > row for x in items))\n"
        "        print(next(iter(items)), [x for x in items if x.kind == 'a'][0])\n",
        # not in a loop
        "def f(items, key):\n    return next((x for x in items if x.id == key), None)\n",
        "def f(rows, order: list[str]):\n    first = min(rows, key=lambda row: row.age)\n"
        "    return order.index(first.kind)\n",
        # the item's own collection
        "def f(rows):\n    for row in rows:\n        for cell in row.cells:\n"
        "            if cell.name == row.name:\n                print(cell)\n                break\n",
        # nothing of the row is looked for
        "def f(rows, people):\n    for row in rows:\n        for person in people:\n"
        "            if person.new:\n                print(row, person)\n                break\n",
    ),
    invalid=(
        "def f(rows, names: list[str]):\n    return [names.index(row.name) for row in rows]\n",
        "def f(rows):\n    words = [word for row in rows for word in row]\n"
        "    return {word: words.count(word) for word in set(words)}\n",
        "class Pool:\n    def __init__(self):\n        self.free = []\n\n    def take(self, wanted):\n"
        "        for item in wanted:\n            self.free.remove(item)\n",
        "def f(rows, items):\n    for row in rows:\n"
        "        row.item = next((x for x in items if x.id == row.id), None)\n",
        "def f(rows, items):\n    return [[x for x in items if x['id'] == row.id][0] for row in rows]\n",
        "def f(rows, items):\n    for row in rows:\n        if any(x.id == row.id and x.new for x in items):\n"
        "            print(row)\n",
        "def f(rows, table):\n    for row in rows:\n"
        "        print(next(name for name, value in table.items() if value == row))\n",
        # a function that runs for every item
        "def f(rows, order: list[str]):\n    rows.sort(key=lambda row: order.index(row.kind))\n",
        "def names(text, items):\n    import re\n\n    def name(match):\n"
        "        return next(x.name for x in items if x.id == match[0])\n\n"
        "    return re.sub(r'\\d+', name, text)\n",
        # an inner loop that ends with what it finds
        "def f(rows, people):\n    for row in rows:\n        for person in people:\n"
        "            if person.id == row.owner:\n                row.name = person.name\n"
        "                break\n",
    ),
)
