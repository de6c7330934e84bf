"""A list searched from its start at every turn of a loop."""

from __future__ import annotations

from auditor import cst
from auditor.model import Scaling
from auditor.rule import Calls, Context, Kind, Match, Nodes, Page, Plant, Rule, Where
from auditor.shapes import (
    SAME,
    compares_key,
    conjuncts,
    is_searched_as_list,
    is_stretch,
    looks_up,
    only_continues,
    pass_of,
    taken_out,
)

_SMALL = 16
_METHODS = ("index", "count", "remove")
_FIRST = ("0", "-1")
_TAKING = tuple(
    f"builtins.{name}" for name in ("list", "tuple", "set", "sorted", "sum", "max", "min", "dict", "frozenset")
)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    match node:
        case cst.Call(func=cst.Attribute(value=items, attr=cst.Name(value=method)), args=[_, *_]):
            return _check_method(node, items, method, ctx) if method in _METHODS else None
        case cst.Call(func=function, args=[cst.Arg(value=cst.GeneratorExp() | cst.ListComp() as made), *_]):
            name = ctx.qualified(function)
            if name == "builtins.next" or (name == "builtins.any" and len(node.args) == 1):
                return _check_scan(node, made, ctx)
            if isinstance(made, cst.GeneratorExp) and name in _TAKING and _is_all(node):
                return _check_all(node, made, ctx)
        case cst.Call(func=cst.Name(value="min" | "max" | "sum" | "sorted"), args=[_, *_]):
            return _check_key(node, ctx) or _check_stretch(node, ctx) or _check_least(node, ctx)
        case cst.Call(func=cst.Attribute(attr=cst.Name(value="sort"))):
            return _check_key(node, ctx)
        case cst.Call(func=function, args=[cst.Arg(value=cst.Lambda() as test), cst.Arg(value=items)]):
            return _check_filter(node, test, items, ctx) if ctx.qualified(function) == "builtins.filter" else None
        case cst.ListComp() | cst.SetComp() | cst.DictComp():
            return _check_first(node, ctx) if isinstance(node, cst.ListComp) else _check_all(node, node, ctx)
        case cst.For(asynchronous=None):
            return _check_for(node, ctx)
    return None


def _is_all(call: cst.Call) -> bool:
    """Whether its first argument is all that it goes through: what follows is a `key` or a `default`."""
    return all(argument.keyword is not None for argument in call.args[1:])


def _check_for(inner: cst.For, ctx: Context) -> Match | None:
    """`for x in items: if x.id == key: ...`, for each item of a loop around it."""
    operators: tuple[type[cst.BaseCompOp], ...] = SAME
    match inner.body.body:
        case [
            cst.If(
                test=test,
                orelse=None,
                body=cst.IndentedBlock(body=[*_, cst.SimpleStatementLine(body=[cst.Break() | cst.Return() as last])]),
            )
        ]:
            # a search that returns ends the loop around, too
            found = "" if isinstance(last, cst.Return) and ctx.loops(inner) else "to find one item"
        case [cst.If(test=test, orelse=None)]:
            found = ""
        case [cst.If(test=test, orelse=None, body=body), *_] if only_continues(body):
            found, operators = "", (cst.NotEqual, cst.IsNot)
        case _:
            return None
    if not any(isinstance(part, cst.Comparison) for part in conjuncts(test)):
        return None
    at = pass_of(inner, ctx)
    items, names = at.collection, {*at.items, *at.indices}
    if not isinstance(items, cst.Name | cst.Attribute) or _is_few(inner, ctx):
        return None
    if not found and not (_picks(inner, test, names, ctx, operators) and _is_another(inner, items, ctx)):
        return None
    if (found and not looks_up(test, names, ctx)) or not _is_searched_again(inner, items, ctx):
        return None
    name = " ".join(ctx.code(items).split())
    found = found or "for those that belong to one"
    return Match(f"`{name}` is gone through {found}, {_when(inner, ctx)}", (Plant("nested-loop", inner),))


def _is_another(inner: cst.CSTNode, items: cst.BaseExpression, ctx: Context) -> bool:
    """Whether no loop around goes through the same items: that is the rule quadratic-dedup."""
    code = ctx.code(items).strip()
    around = (loop for loop in ctx.loops(inner) if isinstance(loop, cst.For | cst.CompFor))
    return all(ctx.code(_viewed(loop.iter)).strip() != code for loop in around)


def _picks(
    node: cst.CSTNode,
    test: cst.BaseExpression,
    names: set[str],
    ctx: Context,
    operators: tuple[type[cst.BaseCompOp], ...] = SAME,
) -> bool:
    """Whether the test asks for equality of something of the item with what the loop around has at its turn."""
    loop = next(iter(ctx.repeating(node)), None)
    if loop is None:
        return False
    around = ctx.parent(loop) if isinstance(loop, cst.CompFor) else loop
    return any(
        compares_key(part, names, ctx, operators)
        and any(_is_set(one, around, names, ctx) for one in ctx.inside(part, cst.Name))
        for part in conjuncts(test)
    )


def _is_set(name: cst.Name, around: cst.CSTNode | None, names: set[str], ctx: Context) -> bool:
    return name.value not in names and bool(ctx.stores(name.value, around))


def _check_method(call: cst.Call, items: cst.BaseExpression, method: str, ctx: Context) -> Match | None:
    if not is_searched_as_list(call, items, ctx) or not _is_searched_again(call, items, ctx):
        return None
    if _is_least(call, items, ctx):
        return None
    name = " ".join(ctx.code(items).split())
    walk = "walks the list until it finds the item" if method != "count" else "walks the whole list"
    return Match(f"each `{name}.{method}(...)` {walk}", (Plant("sized-call", call),))


def _check_key(call: cst.Call, ctx: Context) -> Match | None:
    """`max(set(items), key=items.count)`, `rows.sort(key=order.index)`."""
    key = next((one.value for one in call.args if one.keyword is not None and one.keyword.value == "key"), None)
    match key:
        case cst.Attribute(value=items, attr=cst.Name(value="index" | "count" as method)):
            pass
        case _:
            return None
    if ctx.type_of(items) not in ("list", "tuple", None):
        return None
    if 0 < (ctx.length_of(items) or 0) <= _SMALL:
        return None
    name = " ".join(ctx.code(items).split())
    return Match(
        f"`{name}.{method}` goes through the list for each item that it is the key of", (Plant("sized-call", call),)
    )


def _check_stretch(call: cst.Call, ctx: Context) -> Match | None:
    """`sum(items[:i])` for each `i`."""
    loop, part = next(iter(ctx.repeating(call)), None), call.args[0].value
    if loop is None or not is_stretch(part, loop, ctx):
        return None
    name = " ".join(ctx.code(part).split())
    return Match(f"`{name}` is copied and gone through for each item", (Plant("sized-call", call),))


def _check_least(call: cst.Call, ctx: Context) -> Match | None:
    """`least = min(items)` and `items.remove(least)` at each turn."""
    loop = next(iter(ctx.repeating(call)), None)
    items = None if loop is None else taken_out(call, loop, ctx)
    if items is None or not _is_searched_again(call, items, ctx):
        return None
    name = " ".join(ctx.code(items).split())
    return Match(f"all that is left of `{name}` is gone through for the next item", (Plant("sized-call", call),))


def _is_least(call: cst.Call, items: cst.BaseExpression, ctx: Context) -> bool:
    """Whether what is removed is what `min` or `max` has found there at this turn, which is flagged."""
    loop, item = next(iter(ctx.repeating(call)), None), call.args[0].value
    if loop is None or not isinstance(item, cst.Name):
        return False
    stores = (store.value for store in ctx.stores(item.value, loop) if isinstance(store, cst.Assign))
    found = (taken_out(value, loop, ctx) for value in stores if isinstance(value, cst.Call))
    return any(one is not None and ctx.code(one).strip() == ctx.code(items).strip() for one in found)


def _is_searched_again(node: cst.CSTNode, items: cst.BaseExpression, ctx: Context) -> bool:
    loops = ctx.repeating(node)
    # what is empty here is filled elsewhere
    if 0 < (ctx.length_of(items) or 0) <= _SMALL:
        return False
    return not ctx.renews(loops[0], items) if loops else ctx.asked_again(node, items)


def _when(node: cst.CSTNode, ctx: Context) -> str:
    function = ctx.function(node)
    if ctx.loops(node) or not isinstance(function, cst.FunctionDef):
        return "at every turn"
    return f"each time a loop calls `{function.name.value}`"


# ------------------------------------------------------------------------------------------------
# `next(x for x in items if x.id == key)`, `[x for x in items if x.id == key][0]`, `any(x.id == key for x in items)`


def _check_first(made: cst.ListComp, ctx: Context) -> Match | None:
    match ctx.parent(made):
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=index))]) as whole:
            return _check_scan(whole, made, ctx) if ctx.code(index).replace(" ", "") in _FIRST else None
        case cst.Arg() as argument:
            call = ctx.parent(argument)
            if isinstance(call, cst.Call) and ctx.qualified(call.func) in ("builtins.next", "builtins.any"):
                return None
    return _check_all(made, made, ctx)


def _check_all(
    node: cst.BaseExpression, made: cst.GeneratorExp | cst.ListComp | cst.SetComp | cst.DictComp, ctx: Context
) -> Match | None:
    """`[x for x in items if x.parent == key]` for each key."""
    loop = made.for_in
    if loop.inner_for_in is not None or loop.asynchronous is not None or _is_few(loop, ctx):
        return None
    names = {part.value for part in ctx.descendants(loop.target) if isinstance(part, cst.Name)}
    items = _viewed(loop.iter)
    if not isinstance(items, cst.Name | cst.Attribute) or not _is_another(node, items, ctx):
        return None
    if not any(_picks(node, condition.test, names, ctx) for condition in loop.ifs):
        return None
    return _match_of_all(node, items, ctx)


def _check_filter(node: cst.Call, test: cst.Lambda, items: cst.BaseExpression, ctx: Context) -> Match | None:
    """`filter(lambda x: x.id == key, items)`, with what takes its first or all that it finds."""
    names = {parameter.name.value for parameter in test.params.params}
    items = _viewed(items)
    if not isinstance(items, cst.Name | cst.Attribute) or not _picks(node, test.body, names, ctx):
        return None
    argument = ctx.parent(node)
    if isinstance(argument, cst.For) and argument.asynchronous is None:
        return _match_of_all(argument, items, ctx, Plant("nested-loop", argument))
    around = ctx.parent(argument) if isinstance(argument, cst.Arg) else None
    if isinstance(around, cst.Call) and ctx.qualified(around.func) in ("builtins.next", *_TAKING):
        return _match_of_all(around, items, ctx)
    return None


def _match_of_all(
    node: cst.CSTNode, items: cst.BaseExpression, ctx: Context, plant: Plant | None = None
) -> Match | None:
    if not _is_searched_again(node, items, ctx):
        return None
    name = " ".join(ctx.code(items).split())
    message = f"all of `{name}` is gone through for those that belong to one, at every turn"
    return Match(message, (plant or Plant("sized-call", node),), node)


def _is_few(loop: cst.For | cst.CompFor, ctx: Context) -> bool:
    # what is empty here is filled elsewhere
    return 0 < (ctx.turns_of(loop) or 0) <= _SMALL


def _check_scan(node: cst.BaseExpression, made: cst.GeneratorExp | cst.ListComp, ctx: Context) -> Match | None:
    loop = made.for_in
    if loop.inner_for_in is not None or loop.asynchronous is not None or _is_few(loop, ctx):
        return None
    asks_any = isinstance(node, cst.Call) and ctx.qualified(node.func) == "builtins.any"
    tests = [made.elt] if asks_any else [condition.test for condition in loop.ifs]
    names = {part.value for part in ctx.descendants(loop.target) if isinstance(part, cst.Name)}
    items = _viewed(loop.iter)
    if not any(looks_up(test, names, ctx) for test in tests) or not _is_searched_again(node, items, ctx):
        return None
    name = " ".join(ctx.code(items).split())
    message = f"all of `{name}` is gone through to find one item, {_when(node, ctx)}"
    return Match(message, (Plant("sized-call", node),), node)


def _viewed(value: cst.BaseExpression) -> cst.BaseExpression:
    match value:
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value="items" | "keys" | "values")), args=[]):
            return inner
    return value


RULE = Rule(
    id="linear-search-in-loop",
    title="A collection searched from its start in a loop",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "Inside a loop: `x.index(item)`, `x.count(item)` and `x.remove(item)` on a list, which is proven, or used"
            " as one in the function, or of no known type and, for `index`, named in the plural; `min(x)` or `max(x)`"
            " whose result each turn takes out of `x`; `sum(x[:i])` and the like up to the place at hand; `x.count` or"
            " `x.index` as a `key`; and the search for"
            " one item by a comprehension, as in `next(x for x in items if x.id == key)`,"
            " `[x for x in items if x.id == key][0]`, `any(x.id == key for x in items)` and `next(filter(...))`, or by"
            " an inner loop that breaks off at the item it looks for. So is the search for all items that belong to the"
            " one at hand: `[x for x in items if x.parent == row.id]`, `filter` with such a test, and an inner loop"
            " that does nothing with others; and `items.index(x)` or `items.count(x)` in a loop over `items`. Not"
            " flagged: a search that ends the outer loop, a collection that each turn makes anew or takes from its"
            " item, and collections or loops"
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
            "Build a dict before the loop, of lists where several items belong to one: `by_id = {x.id: x for x in"
            " items}`, `place = {x: i for i, x in enumerate(items)}`, `collections.Counter(items)`; the last of equal"
            " keys wins, where the search found the first. Instead of removing items one by one, keep what stays: `[x"
            " for x in items if ...]`, or use a dict as an ordered set. `enumerate` gives the index of the item at"
            " hand. Of what the least is taken out again and again, keep a heap (`heapq`)."
        ),
        references=(
            "True: networkx 3.6.1, networkx/algorithms/distance_measures.py:908, all nodes for each pair of nodes",
            "Harmless: CPython 3.11.7, Lib/compileall.py:173, the parts of a path",
        ),
    ),
    triggers=(
        Calls((".index", ".count", ".remove", "builtins.next", "builtins.any", *_TAKING), Where(loop=True)),
        Calls(("builtins.filter",), Where(loop=True)),
        Calls(("builtins.max", "builtins.min", "builtins.sorted", ".sort"), Where(function=True)),
        Nodes(("ListComp", "SetComp", "DictComp", "For"), Where(loop=True), asks=True),
        Calls((".index", ".count", ".remove", "builtins.next", "builtins.any"), Where(often=True)),
        Nodes(("ListComp",), Where(often=True), asks=True),
        Nodes(("For",), Where(often=True, elsewhere=True), asks=True),
    ),
    expects=Scaling(),
    check=check,
    valid=(
        "def f(rows, items):\n    by_id = {x.id: x for x in items}\n    return [by_id[row.id] for row in rows]\n",
        # texts and sets
        "def f(rows, text: str, known: set[str]):\n    for row in rows:\n        known.remove(row)\n"
        "        print(text.index(row), text.count(row))\n",
        # what may be a text or a set; the same each time
        "def f(rows, text, known, names):\n    for row in rows:\n        known.remove(row)\n"
        "        print(text.index(row), text.count(row), names.index('id'))\n",
        "def f(rows):\n    for row in rows:\n        left = min(row.sizes)\n        print(left)\n",
        # a window, which stays as long as it is
        "def f(sizes, n):\n    return [max(sizes[i:i + n]) for i in range(len(sizes))]\n",
        # short
        "KINDS = ['a', 'b', 'c']\n\ndef f(rows):\n    print(sorted(rows, key=KINDS.index))\n"
        "    return [KINDS.index(row.kind) for row in rows]\n",
        # once, then the loop ends
        "def f(rows, items: list[int]):\n    for row in rows:\n        if row.old:\n            items.remove(row)\n"
        "            break\n",
        # of the item at hand
        "def f(rows, key):\n    for row in rows:\n        cells = list(row)\n        print(cells.index('x'))\n"
        "        print(next(cell for cell in row.cells if cell.id == key))\n",
        # each turn goes through its own items, and asks for nothing that the turn sets
        "def f(rows, items, kind):\n    for row in rows:\n        parts = row.load()\n"
        "        print([x for x in parts if x.kind == row.kind], [x for x in items if x.kind == kind])\n"
        "        print([x for x in row.parts if x.kind == row.kind], [x for x in items if x.size > row.size])\n",
        "def f(rows, items):\n    for row in rows:\n        for item in items:\n            item.link(row)\n"
        "            if item.new:\n                print(row.id)\n",
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
        # another collection each time; no loop
        "def find(items, key):\n    return next((x for x in items if x.id == key), None)\n\ndef f(rows, key):\n"
        "    return [find(row.cells, key) for row in rows]\n\ndef find_one(items, key):\n"
        "    for item in items:\n        if item.id == key:\n            return item\n    return None\n",
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
        # all that belong to the one at hand
        "def f(rows, items):\n    for row in rows:\n"
        "        row.item = next(filter(lambda x: x.id == row.id, items), None)\n",
        "def f(rows, items):\n    return {row.id: [x for x in items if x.parent == row.id] for row in rows}\n",
        "def f(rows, items):\n    for row in rows:\n        row.sum = sum(x.size for x in items if x.row == row.id)\n",
        "def f(rows, items):\n    for row in rows:\n        for item in items:\n"
        "            if item.row == row.id and item.new:\n                row.items.append(item)\n",
        "def f(rows, items):\n    for row in rows:\n        for item in items:\n"
        "            if item.row != row.id:\n                continue\n            row.items.append(item)\n",
        "def f(rows):\n    return [row for i, row in enumerate(rows) if rows.index(row) == i]\n",
        "def f(words):\n    return {word: words.count(word) for word in words}\n",
        # in a function that a loop calls
        "def find(items, key):\n    return next((x for x in items if x.id == key), None)\n\n"
        "def f(rows, items):\n    return [find(items, row.id) for row in rows]\n",
        "class Graph:\n    def __init__(self):\n        self.nodes = []\n\n    def node(self, name):\n"
        "        for node in self.nodes:\n            if node.name == name:\n                return node\n"
        "        raise KeyError(name)\n\n    def link(self, pairs):\n        for first, second in pairs:\n"
        "            self.node(first).link(second)\n",
        # taken for a list: by its name, by what is done to it, by what is done with the index, by a slice of it
        "def f(rows, header, keys):\n    for row in rows:\n        yield [row[header.index(key)] for key in keys]\n",
        "def f(rows):\n    for row in rows[:]:\n        if row.old:\n            rows.remove(row)\n",
        "def f(rows, names):\n    return [names.index(row.name) for row in rows]\n",
        "def f(rows, free):\n    for row in rows:\n        free.remove(row.place)\n        free.append(row.other)\n",
        # as a key; of all up to the place at hand
        "def f(words):\n    return max(set(words), key=words.count)\n",
        "def f(rows, order: list[str]):\n    return sorted(rows, key=order.index)\n",
        "def f(sizes):\n    return [sum(sizes[:i]) for i in range(len(sizes))]\n",
        # the least is taken out at each turn
        "def f(items):\n    out = []\n    items = list(items)\n    while items:\n        least = min(items)\n"
        "        items.remove(least)\n        out.append(least)\n    return out\n",
        "def f(graph, costs):\n    left = set(graph)\n    while left:\n"
        "        node = min(left, key=lambda node: costs[node])\n        left.discard(node)\n        print(node)\n",
        # by index, with its index
        "def f(rows, people):\n    for row in rows:\n        for i in range(len(people)):\n"
        "            if people[i].id == row.owner:\n                row.place = i\n                break\n",
        "def f(rows, people):\n    for row in rows:\n        for i, person in enumerate(people):\n"
        "            if person.id == row.owner:\n                row.place = i\n                break\n",
        # with a key; by its own index
        "def f(users, orders):\n    for user in users:\n"
        "        user.last = max((x for x in orders if x.user == user.id), key=lambda x: x.date, default=None)\n",
        "def f(rows):\n    for i in range(len(rows)):\n        if rows.count(rows[i]) > 1:\n"
        "            print(rows[i])\n",
    ),
)
