"""A list sorted again at every turn of a loop."""

from __future__ import annotations

from auditor import cst
from auditor.model import Scaling
from auditor.rule import Calls, Context, Kind, Loop, Match, Page, Plant, Rule, Where

_SMALL = 16
_VIEWS = ("keys", "values", "items", "copy")
_COPIES = tuple(f"builtins.{name}" for name in ("list", "set", "tuple", "dict"))


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call):
        return None
    loop = next(iter(ctx.repeating(node)), None)
    if loop is None:
        return _check_called(node, ctx)
    items = _sorted(node, loop, ctx)
    if items is None:
        return None
    if not _is_sorted_anew(node, items, loop, ctx) and ctx.renews(loop, items):
        return None
    # what is empty here is filled elsewhere
    if 0 < (ctx.length_of(items) or 0) <= _SMALL:
        return None
    name = " ".join(ctx.code(items).split())
    return Match(f"`{name}` is sorted again at every turn of the loop", (Plant("sized-call", node),))


def _check_called(node: cst.Call, ctx: Context) -> Match | None:
    """`self.items.append(x)`, then `self.items.sort()`, in a function that loops call."""
    function = ctx.function(node)
    if not isinstance(function, cst.FunctionDef) or not isinstance(node.func, cst.Attribute):
        return None
    items = node.func.value
    if node.func.attr.value != "sort" or not isinstance(items, cst.Name | cst.Attribute):
        return None
    name = ctx.code(items).strip()
    if ctx.type_of(items) != "list" or not ctx.appended(name, function) or not ctx.asked_again(node, items):
        return None
    message = f"`{name}` is sorted again each time a loop calls `{function.name.value}`"
    return Match(message, (Plant("sized-call", node),))


def _is_sorted_anew(call: cst.Call, items: cst.BaseExpression, loop: Loop, ctx: Context) -> bool:
    """Whether it is `items = sorted(items)`, and nothing else in the loop gives the name another list."""
    statement = ctx.parent(call)
    if not isinstance(statement, cst.Assign) or not isinstance(items, cst.Name | cst.Attribute):
        return False
    name = ctx.code(items).strip()
    own = len(statement.targets) == 1 and ctx.code(statement.targets[0].target).strip() == name
    stores = [store for store in ctx.stores(name, loop) if not isinstance(store, cst.AugAssign)]
    return own and stores == [statement] and not isinstance(loop, cst.CompFor)


def _sorted(call: cst.Call, loop: Loop, ctx: Context) -> cst.Name | cst.Attribute | cst.Subscript | None:
    """The collection that the call sorts and that goes on from turn to turn."""
    if isinstance(call.func, cst.Attribute) and call.func.attr.value == "sort":
        items = call.func.value
        if ctx.type_of(items) != "list":
            return None
    elif ctx.qualified(call.func) == "builtins.sorted" and call.args:
        items = _viewed(call.args[0].value, ctx)
        # what no turn changes is the rule invariant-call-in-loop, what is taken from an end is sorted-for-min-max
        if ctx.is_unchanged(items, loop) or _takes_an_end(ctx.parent(call), ctx):
            return None
    else:
        return None
    return items if isinstance(items, cst.Name | cst.Attribute | cst.Subscript) else None


def _takes_an_end(around: cst.CSTNode | None, ctx: Context) -> bool:
    match around:
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=index))]):
            return ctx.code(index).replace(" ", "") in ("0", "-1")
    return isinstance(around, cst.Subscript)


def _viewed(value: cst.BaseExpression, ctx: Context) -> cst.BaseExpression:
    """The collection behind views and copies."""
    while True:
        match value:
            case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value=method)), args=[]) if method in _VIEWS:
                value = inner
            case cst.Call(func=function, args=[cst.Arg(star="", value=inner)]) if ctx.qualified(function) in _COPIES:
                value = inner
            case _:
                return value


RULE = Rule(
    id="sort-in-loop",
    title="The same collection sorted again and again",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "`x.sort()` on a proven list, or `sorted(x)`, inside a loop that keeps `x` from turn to turn: it is added"
            " to, taken from, or not changed at all. `sorted(x)` of something that no turn changes is the rule"
            " invariant-call-in-loop. So is `x.append(y)` with `x.sort()` in a function that loops call. What each turn"
            f" makes anew is not flagged, nor are loops of at most {_SMALL} turns."
        ),
        why=(
            "Sorting looks at every item, also when only one was added since: n turns over n items take at least"
            " n * n comparisons, and more with a `key`, which is computed for every item anew."
        ),
        harmless=(
            "When the collection stays small. `list.sort` is linear for a list that was sorted before, so that few"
            " turns over it are cheap."
        ),
        measured=(
            "Seconds spent in the call, the number of items, and how the cost of a call grows with that number."
            " Confirmed when the seconds are considerable and the cost grows with the number."
        ),
        fix=(
            "Sort once, before or after the loop. To take the smallest item at each turn, use `heapq`; to keep a list"
            " sorted while adding to it, `bisect.insort`, which moves items but compares few."
        ),
        references=(
            "True: sympy 1.14.0, sympy/polys/groebnertools.py:674, all critical pairs, after each turn",
            "Harmless: ansible-core 2.19.14, ansible/executor/module_common.py:783, some dozens of names",
        ),
    ),
    triggers=(Calls((".sort", "builtins.sorted"), Where(loop=True)), Calls((".sort",), Where(often=True))),
    expects=Scaling(),
    check=check,
    valid=(
        "def f(rows):\n    rows = sorted(rows)\n    for row in rows:\n        print(row)\n",
        # what each turn makes
        "def f(groups):\n    for group in groups:\n        rows = [row for row in group]\n        rows.sort()\n"
        "        print(rows, sorted(group.names))\n",
        # the iterable of a loop is evaluated once
        "def f(rows):\n    for row in sorted(rows):\n        rows.remove(row)\n",
        # once, then the loop ends
        "def f(rows):\n    out = []\n    for row in rows:\n        out.append(row)\n        if row.last:\n"
        "            out.sort()\n            return out\n",
        # emptied
        "def f(rows):\n    out = []\n    for row in rows:\n        out.append(row)\n        if row.last:\n"
        "            out.sort()\n            print(out)\n            out.clear()\n",
        # another one at each turn
        "def f(rows, table):\n    place = 0\n    for row in rows:\n        print(row, sorted(table[place]))\n"
        "        place += 1\n",
        # not known to be a list
        "def f(frame, rows):\n    for row in rows:\n        frame.sort()\n",
        # the same at every turn: another rule
        "def f(rows, names):\n    for row in rows:\n        print(row, sorted(names))\n",
        "def f(groups):\n    for group in groups:\n        rows = group.rows\n        rows = sorted(rows)\n"
        "        print(rows)\n",
        # once for each list, in no loop
        "class Queue:\n    def __init__(self):\n        self.items = []\n\n    def push(self, item):\n"
        "        self.items.append(item)\n        self.items.sort()\n\ndef f(rows):\n    for row in rows:\n"
        "        line(row)\n\ndef line(row):\n    parts = []\n    parts.append(row)\n    parts.sort()\n"
        "    return parts\n",
    ),
    invalid=(
        "def f(rows):\n    seen = []\n    for row in rows:\n        seen.append(row)\n"
        "        yield sorted(seen)[len(seen) // 2]\n",
        "def f(graph, start):\n    queue = [start]\n    while queue:\n        queue.sort()\n"
        "        node = queue.pop()\n        queue.extend(graph[node])\n",
        "def f(rows):\n    best = []\n    for row in rows:\n        best.append(row)\n"
        "        best.sort(key=lambda row: row.score)\n        del best[10:]\n    return best\n",
        "def f(rows):\n    seen = set()\n    for row in rows:\n        seen.add(row)\n        print(sorted(seen))\n",
        "class Table:\n    def __init__(self):\n        self.rows = []\n\n    def load(self, rows):\n"
        "        for row in rows:\n            self.rows.append(row)\n            self.rows.sort()\n",
        "def f(rows):\n    table = {}\n    for row in rows:\n        table[row.key] = row\n"
        "        print(list(sorted(table.items())))\n",
        "def take(queue):\n    while queue:\n        queue = sorted(queue)\n        first = queue.pop()\n"
        "        queue.extend(first.parts)\n",
        # by a method that a loop calls
        "class Queue:\n    def __init__(self):\n        self.items = []\n\n    def push(self, item):\n"
        "        self.items.append(item)\n        self.items.sort()\n\n    def fill(self, rows):\n"
        "        for row in rows:\n            self.push(row.key)\n",
    ),
)
