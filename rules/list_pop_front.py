"""Items taken off the front of a list."""

from __future__ import annotations

from auditor import cst
from auditor.model import Scaling
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Nodes, Page, Plant, Rule, Safety, Where

_SMALL = 16


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    match node:
        case cst.Call(func=cst.Attribute(value=items), args=[cst.Arg(keyword=None, value=cst.Integer(value="0"))]):
            done = "{}.pop(0)"
        case cst.Del(target=cst.Subscript(value=items, slice=[part])) if _is_front(part, ctx):
            done = "del {}[0]" if isinstance(part.slice, cst.Index) else "del {}[:n]"
        case cst.Assign(
            targets=[cst.AssignTarget(target=cst.Subscript(value=items, slice=[cst.SubscriptElement() as part]))],
            value=cst.List(elements=[]) | cst.Tuple(elements=[]),
        ) if isinstance(part.slice, cst.Slice) and _is_front(part, ctx):
            done = "{}[:n] = []"
        case cst.Assign():
            return _check_copy(node, ctx)
        case _:
            return None
    kind = ctx.type_of(items)
    if kind is None and not (isinstance(node, cst.Call) and _pops_as_lists_do(items, ctx)):
        return None
    if kind not in ("list", None) or not ctx.met_again(node, items):
        return None
    # what is empty here is filled elsewhere
    if 0 < (ctx.length_of(items) or 0) <= _SMALL:
        return None
    name = " ".join(ctx.code(items).split())
    return Match(f"each `{done.format(name)}` moves all other items of the list", (Plant("sized-call", node),))


_OF_DICTS = ("items", "keys", "values", "get", "setdefault", "update")


def _pops_as_lists_do(items: cst.BaseExpression, ctx: Context) -> bool:
    """Whether what has a `pop(0)`, and no known type, is taken for a list: its function treats it as no dict."""
    if not isinstance(items, cst.Name | cst.Attribute):
        return False
    name = ctx.code(items).strip()
    attributes = ctx.inside(ctx.function(items) or ctx.root, cst.Attribute)
    return not any(one.attr.value in _OF_DICTS and ctx.code(one.value).strip() == name for one in attributes)


def _is_front(part: cst.SubscriptElement, ctx: Context) -> bool:
    """Whether it is `[0]` or `[:n]`; `[:-n]` keeps the last few."""
    match part.slice:
        case cst.Index(value=cst.Integer(value="0")):
            return True
        case cst.Slice(lower=lower, upper=cst.BaseExpression() as upper, step=None):
            return _is_start(lower, ctx) and not isinstance(upper, cst.UnaryOperation)
    return False


def _is_start(lower: cst.BaseExpression | None, ctx: Context) -> bool:
    return lower is None or ctx.code(lower).strip() == "0"


def _check_copy(node: cst.Assign, ctx: Context) -> Match | None:
    """`x = x[1:]`, `first, x = x[0], x[1:]` and `first, *x = x`, which copy what is left."""
    name, plant = _copied(node, ctx)
    loop = ctx.carrier(node, name) if plant is not None else None
    if loop is None:
        return None
    # one suspect per list and loop
    stores = (store for store in ctx.stores(name, loop) if isinstance(store, cst.Assign))
    plants = [(store, other) for store in stores if (other := _copied(store, ctx)[1]) is not None]
    if plants[0][0] is not node:
        return None
    message = f"what is left of `{name}` is copied each time the loop takes something off its front"
    return Match(message, tuple(one for _, one in plants))


def _copied(node: cst.Assign, ctx: Context) -> tuple[str, Plant | None]:
    """The list of which the assignment keeps all but the first items, and where that is measured."""
    if len(node.targets) != 1:
        return "", None
    target, value = node.targets[0].target, node.value
    pairs: list[tuple[cst.BaseExpression, cst.BaseExpression]] = [(target, value)]
    if isinstance(target, cst.Tuple) and isinstance(value, cst.Tuple) and len(target.elements) == len(value.elements):
        pairs = [(left.value, right.value) for left, right in zip(target.elements, value.elements, strict=True)]
    for left, right in pairs:
        match left, right:
            case cst.Tuple(elements=[_, *_, cst.StarredElement(value=rest)]), cst.Name() | cst.Attribute():
                if ctx.code(rest).strip() == ctx.code(right).strip():
                    return ctx.code(right).strip(), Plant("sized-call", node)
            case _, cst.Subscript(value=items, slice=[cst.SubscriptElement(slice=part)]) if _is_rest(part):
                name = ctx.code(left).strip()
                if ctx.code(items).strip() == name and ctx.type_of(items) == "list":
                    return name, Plant("sized-call", right)
    return "", None


def _is_rest(part: cst.BaseSlice) -> bool:
    return isinstance(part, cst.Slice) and part.lower is not None and part.upper is None and part.step is None


_SAME_METHODS = ("append", "extend", "insert", "clear", "remove", "index", "count", "copy", "reverse")


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    function = ctx.function(node)
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute) or function is None:
        return None
    name = node.func.value
    if not isinstance(name, cst.Name) or ctx.home(name) is not None:
        return None
    stores = [store for store in ctx.stores(name.value, function) if not isinstance(store, cst.AugAssign)]
    match stores:
        case [cst.Assign(targets=[cst.AssignTarget(target=target)], value=value)] if isinstance(target, cst.Name):
            pass
        case _:
            return None
    uses = [use for use in ctx.uses(name.value, function) if use is not target]
    if any(ctx.function(use) is not function or not _suits_deque(use, ctx) for use in uses):
        return None
    deque = edits.imported("collections.deque")
    inside = edits.code(value).strip()
    edits.replace(value, f"{deque}()" if inside in ("[]", "list()") else f"{deque}({inside})")
    for use in uses:
        attribute = ctx.parent(use)
        call = None if attribute is None else ctx.parent(attribute)
        is_pop = isinstance(attribute, cst.Attribute) and attribute.attr.value == "pop"
        if is_pop and isinstance(call, cst.Call) and call.args:
            edits.replace(call, f"{name.value}.popleft()")
    return Safety.UNSAFE


def _is_only_a_test(value: cst.CSTNode, ctx: Context) -> bool:
    """Whether nothing but the truth of the value counts."""
    parent = ctx.parent(value)
    if isinstance(parent, cst.BooleanOperation):
        return _is_only_a_test(parent, ctx)
    return isinstance(parent, cst.While | cst.If | cst.IfExp) and parent.test is value


def _suits_deque(use: cst.Name, ctx: Context) -> bool:
    """Whether a deque does the same there as a list."""
    parent = ctx.parent(use)
    match parent:
        case cst.Attribute(attr=cst.Name(value=method)):
            call = ctx.parent(parent)
            if not isinstance(call, cst.Call) or call.func is not parent:
                return False
            if method == "pop":
                return not call.args or ctx.code(call.args[0].value) == "0"
            return method in _SAME_METHODS and method != "copy"
        case cst.Subscript(slice=[cst.SubscriptElement(slice=cst.Index(value=index))]):
            return parent.value is use and isinstance(index, cst.Integer | cst.UnaryOperation)
        case cst.For() | cst.CompFor():
            return parent.iter is use
        case cst.While() | cst.If() | cst.IfExp() | cst.BooleanOperation():
            return _is_only_a_test(use, ctx)
        case cst.AugAssign(operator=cst.AddAssign()):
            return parent.target is use
        case cst.UnaryOperation(operator=cst.Not()) | cst.ComparisonTarget(operator=cst.In() | cst.NotIn()):
            return True
        case cst.Arg(star=""):
            around = ctx.parent(parent)
            known = ("len", "bool", "sum", "any", "all", "min", "max", "sorted", "list", "tuple", "set", "enumerate")
            return isinstance(around, cst.Call) and ctx.qualified(around.func) in {f"builtins.{one}" for one in known}
    return False


RULE = Rule(
    id="list-pop-front",
    title="Items taken off the front of a list",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "`x.pop(0)`, `del x[0]` or `del x[:n]` where `x` is proven to be a list (for `x.pop(0)`: where nothing"
            " says that it is something else), in a loop that does not make the"
            " list anew, or at each call of a function whose object or module keeps the list; and in a loop"
            " `x = x[n:]` and `first, *x = x`. Lists of at most"
            f" {_SMALL} items that never grow are not flagged, nor is taking one item before the loop ends."
        ),
        why=(
            "A list keeps its items side by side, so taking the first one moves all others. Emptying a list from its"
            " front takes time with the square of its length; a breadth-first search with such a queue is no longer"
            " linear."
        ),
        harmless=(
            "When the list stays short: moving a hundred items takes some ten nanoseconds, a thousand some hundred."
            " Arguments of a command line and the tokens of one line are lists of that kind."
        ),
        measured=(
            "Seconds spent in the call alone, the length of the list, and how the cost of a call grows with that"
            " length. Confirmed when the seconds are considerable and the cost grows with the length. Rejected,"
            " however hot, where lists never get longer than 64 items."
        ),
        fix=(
            "`collections.deque` and its `popleft()`. A deque is slow to index in its middle and cannot be sliced:"
            " where that is needed, keep a position and move it, reverse the list once and `pop()` from its end, or"
            " iterate over it. `heapq` serves where the list is kept sorted."
        ),
        references=(
            "True: networkx 3.6.1, networkx/algorithms/threshold.py:427, one for each isolated node of a graph",
            "Harmless: CPython 3.11.7, Lib/cmd.py:122, commands that a person has typed ahead",
        ),
    ),
    triggers=(
        Calls((".pop",), Where(loop=True)),
        Calls((".pop",), Where(function=True, kept=True)),
        Nodes(("Delete",), Where(loop=True), targets=("Subscript",)),
        Nodes(("Delete",), Where(function=True, kept=True), targets=("Subscript",)),
        Nodes(("Assign",), Where(loop=True), targets=("Subscript",), values=("List", "Tuple")),
        Nodes(("Assign",), Where(function=True, kept=True), targets=("Subscript",), values=("List", "Tuple")),
        Nodes(("Assign",), Where(loop=True), values=("Subscript", "Tuple", "Name", "Attribute"), again=True),
    ),
    expects=Scaling(copies=True),
    check=check,
    valid=(
        "from collections import deque\n\ndef f(rows):\n    queue = deque(rows)\n    while queue:\n"
        "        print(queue.popleft())\n",
        "def f(rows):\n    stack = list(rows)\n    while stack:\n        print(stack.pop())\n",
        # a dict, by its type and by what is done with it
        "def f(rows):\n    table = dict(rows)\n    while table:\n        table.pop(0)\n",
        "def f(rows, table):\n    for row in rows:\n        table.pop(0)\n        table.update(row)\n",
        # one item, and a new list for each turn
        "def f(text):\n    words = text.split()\n    return words.pop(0), words\n",
        "def f(lines):\n    for line in lines:\n        words = str(line).split()\n"
        "        print(words.pop(0), words)\n",
        # once, then the loop ends
        "def f(rows, jobs: list[int]):\n    for row in rows:\n        if row.ready:\n            return jobs.pop(0)\n",
        # few
        "def f(rows):\n    names = ['a', 'b', 'c']\n    for row in rows:\n        row.name = names.pop(0)\n",
        # a dict, the end of a list, a list of each turn's own
        "def f(rows, table: dict, names: list[str]):\n    for row in rows:\n"
        "        del table[0], names[-1]\n        del row.cells[0]\n",
        # the last ones are kept
        "class Log:\n    def __init__(self):\n        self.lines = []\n\n    def add(self, line):\n"
        "        self.lines.append(line)\n        del self.lines[:-1000]\n",
        # a list of each turn's own, and a view of an array
        "def f(rows, array):\n    for row in rows:\n        names = list(row)\n        names = names[1:]\n"
        "        first, *rest = names\n        array = array[1:]\n        print(first, rest)\n",
        # the last few stay, all goes, others come in its place
        "def f(rows: list[int], new):\n    while rows:\n        rows[:-3] = []\n        rows[:] = []\n"
        "        rows[:2] = new\n",
    ),
    invalid=(
        "def merge(left, right):\n    left, right = list(left), list(right)\n    while left and right:\n"
        "        yield left.pop(0) if left[0] < right[0] else right[-1]\n",
        "def walk(root):\n    queue = [root]\n    while queue:\n        node = queue.pop(0)\n"
        "        queue.extend(node.children)\n",
        "def f(rows: list[int]):\n    out = []\n    while rows:\n        out.append(rows.pop(0))\n    return out\n",
        "class Jobs:\n    def __init__(self):\n        self.waiting = []\n\n    def add(self, job):\n"
        "        self.waiting.append(job)\n\n    def next(self):\n        return self.waiting.pop(0)\n",
        "LAST = []\n\ndef remember(x):\n    LAST.append(x)\n    if len(LAST) > 1000:\n        LAST.pop(0)\n",
        "def f(groups):\n    for group in groups:\n        names = sorted(group)\n        while names:\n"
        "            print(names.pop(0))\n",
        "def f(rows: list[int]):\n    while rows:\n        print(rows[0])\n        del rows[0]\n",
        "class Log:\n    def __init__(self):\n        self.lines = []\n\n    def add(self, line):\n"
        "        self.lines.append(line)\n        if len(self.lines) > 1000:\n"
        "            del self.lines[0]\n",
        "def f(rows):\n    rows = list(rows)\n    while rows:\n        print(rows[:10])\n        del rows[:10]\n",
        "def f(rows):\n    rows = list(rows)\n    while rows:\n        print(rows[0])\n        rows = rows[1:]\n",
        "def f(rows: list[int]):\n    while rows:\n        row, rows = rows[0], rows[1:]\n        print(row)\n",
        "def f(rows):\n    while rows:\n        row, *rows = rows\n        print(row)\n",
        # emptied in place
        "def f(queue: list[int]):\n    while queue:\n        print(queue[:9])\n        queue[:9] = []\n",
        "class Buffer:\n    def __init__(self):\n        self.lines = []\n\n    def take(self):\n"
        "        line = self.lines[0]\n        self.lines[0:1] = ()\n        return line\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "The list becomes a `collections.deque`, which looks different when printed or pickled and is slow to"
            " index in its middle. The fix is made for a local name bound once, of which all uses are such as a"
            " deque serves alike; not for attributes, parameters and names of the module, nor where the list is"
            " sliced, returned or handed on."
        ),
        fixed=(
            None,
            "import collections\n\n\ndef walk(root):\n    queue = collections.deque([root])\n    while queue:\n"
            "        node = queue.popleft()\n        queue.extend(node.children)\n",
            None,
            None,
            None,
            "import collections\n\n\ndef f(groups):\n    for group in groups:\n"
            "        names = collections.deque(sorted(group))\n        while names:\n"
            "            print(names.popleft())\n",
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
