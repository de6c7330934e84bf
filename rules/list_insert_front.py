"""Items put at the front of a list."""

from __future__ import annotations

from auditor import cst
from auditor.model import Scaling
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Nodes, Page, Plant, Rule, Safety, Where
from auditor.shapes import taken_for_list

_SMALL = 16


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    match node:
        case cst.Call(func=cst.Attribute(value=items), args=[cst.Arg(value=cst.Integer(value="0")), _]):
            done = "{}.insert(0, ...)"
        case cst.Assign(
            targets=[
                cst.AssignTarget(
                    target=cst.Subscript(
                        value=items,
                        slice=[
                            cst.SubscriptElement(slice=cst.Slice(lower=lower, upper=cst.Integer(value="0"), step=None))
                        ],
                    )
                )
            ]
        ) if lower is None or ctx.code(lower).strip() == "0":
            done = "{}[:0] = ..."
        case _:
            return None
    kind = ctx.type_of(items)
    # other things have an `insert` as well: entries of a form, `sys.path`
    if kind is None and not (ctx.repeating(node) and taken_for_list(items, ctx)):
        return None
    if kind not in ("list", None) or not ctx.met_again(node, items):
        return None
    name = " ".join(ctx.code(items).split())
    return Match(f"each `{done.format(name)}` moves all items of the list", (Plant("sized-call", node),))


_LOOKS_AT_NAMES = ("locals", "vars", "dir", "eval", "exec")


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    function = ctx.function(node)
    if not isinstance(node, cst.Call) or not isinstance(node.func, cst.Attribute):
        return None
    name = node.func.value
    if not isinstance(function, cst.FunctionDef) or not isinstance(name, cst.Name) or ctx.home(name) is not None:
        return None
    stores = ctx.stores(name.value, function)
    match stores:
        case [cst.Assign(targets=[cst.AssignTarget(target=target)], value=value) as start]:
            pass
        case _:
            return None
    block = _block(start, ctx)
    loop = next((loop for loop in reversed(ctx.loops(node)) if block is not None and ctx.parent(loop) is block), None)
    if ctx.code(value).strip() not in ("[]", "list()") or not isinstance(loop, cst.For | cst.While):
        return None
    around = [parent for parent in ctx.ancestors(loop) if function in ctx.ancestors(parent)]
    if any(isinstance(parent, cst.Try | cst.TryStar | cst.With) for parent in around):
        return None
    uses = [use for use in ctx.uses(name.value, function) if use is not target]
    inside = set(ctx.uses(name.value, loop))
    after = False
    for use in uses:
        if ctx.function(use) is not function:
            return None
        if use not in inside:
            if not after and not inside.isdisjoint(uses[uses.index(use) :]):
                # used between the start and the loop
                return None
            after = True
            continue
        call = _insertion(use, ctx)
        if call is None:
            return None
        edits.replace(call, f"{name.value}.append({edits.code(call.args[1].value)})")
    edits.after(loop, f"{name.value}.reverse()")
    return Safety.UNSAFE if any(ctx.uses(one, function) for one in _LOOKS_AT_NAMES) else Safety.SAFE


def _block(statement: cst.CSTNode, ctx: Context) -> cst.CSTNode | None:
    """The block that the statement has a line in for itself."""
    line = ctx.parent(statement)
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    return ctx.parent(line)


def _insertion(use: cst.Name, ctx: Context) -> cst.Call | None:
    """The statement `x.insert(0, item)` that the name stands in."""
    attribute = ctx.parent(use)
    call = None if attribute is None else ctx.parent(attribute)
    match call:
        case cst.Call(
            func=cst.Attribute(attr=cst.Name(value="insert")),
            args=[
                cst.Arg(keyword=None, star="", value=cst.Integer(value="0")),
                cst.Arg(keyword=None, star="", value=item),
            ],
        ) if isinstance(ctx.parent(call), cst.Expr):
            return None if isinstance(item, cst.GeneratorExp) else call
    return None


RULE = Rule(
    id="list-insert-front",
    title="Items put at the front of a list",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "`x.insert(0, item)` or `x[:0] = items` where `x` is proven to be a list, or used as one in the function,"
            " in a loop that does not make the"
            " list anew, or at each call of a function whose object or module keeps the list. Inserting once, and in"
            " loops of at most"
            f" {_SMALL} turns, is not flagged."
        ),
        why=(
            "A list keeps its items side by side, so putting one at its front moves all others. Building a list from"
            " its end takes time with the square of its length."
        ),
        harmless=(
            "When the list stays short: moving a hundred items takes some ten nanoseconds, a thousand about a thousand."
            " The parts of a path and the ancestors of a node are lists of that kind."
        ),
        measured=(
            "Seconds spent in the call alone, the length of the list, and how the cost of a call grows with that"
            " length. Confirmed when the seconds are considerable and the cost grows with the length. Rejected,"
            " however hot, where lists never get longer than 64 items."
        ),
        fix=(
            "Append, and reverse once after the loop: `x.reverse()`. `collections.deque` and its `appendleft()` where"
            " both ends are in use all the time."
        ),
        references=(
            "True: CPython 3.11.7, Lib/xml/dom/minidom.py:1124, all text nodes before one, for the whole text of each",
            "Harmless: Django 5.2.19, django/core/handlers/base.py:78, one for each middleware at start-up",
        ),
    ),
    triggers=(
        Calls((".insert",), Where(loop=True)),
        Calls((".insert",), Where(function=True, kept=True)),
        Nodes(("Assign",), Where(loop=True), targets=("Subscript",)),
        Nodes(("Assign",), Where(function=True, kept=True), targets=("Subscript",)),
    ),
    expects=Scaling(copies=True),
    check=check,
    valid=(
        "def f(node):\n    out = []\n    while node:\n        out.append(node)\n        node = node.parent\n"
        "    out.reverse()\n    return out\n",
        # once
        "def f(rows):\n    names = sorted(rows)\n    names.insert(0, 'all')\n    return names\n",
        # a new list for each turn
        "def f(groups):\n    for group in groups:\n        names = sorted(group)\n        names.insert(0, 'all')\n"
        "        print(names)\n",
        # elsewhere, and in something else
        "def f(rows, place):\n    out = []\n    for row in rows:\n        out.insert(place, row)\n    return out\n",
        "def f(frame, rows):\n    for row in rows:\n        frame.insert(0, row)\n",
        # an item, a stretch elsewhere, and all of it
        "def f(rows):\n    out = [0] * 100\n    for row in rows:\n        out[0] = row\n        out[1:1] = [row]\n"
        "        out[:] = [row]\n    return out\n",
        # few
        "def f():\n    out = []\n    for name in ('a', 'b', 'c'):\n        out.insert(0, name)\n    return out\n",
    ),
    invalid=(
        "def f(rows, out):\n    for row in rows:\n        out.insert(0, row)\n    out.reverse()\n",
        "def path(node):\n    out = []\n    while node:\n        out.insert(0, node)\n        node = node.parent\n"
        "    return out\n",
        "def f(rows, out: list[int]):\n    for row in rows:\n        if row > 0:\n            out.insert(0, row)\n",
        "class History:\n    def __init__(self):\n        self.lines = []\n\n    def add(self, line):\n"
        "        self.lines.insert(0, line)\n",
        "def f(groups):\n    for group in groups:\n        out = []\n        for row in group:\n"
        "            out.insert(0, row)\n        print(out)\n",
        "def f(rows):\n    out = []\n    for row in rows:\n        out[:0] = row.parts\n    return out\n",
        "class History:\n    lines: list[str] = []\n\n    def add(self, line):\n        self.lines[0:0] = [line]\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "The fix is safe: it is made only for a list that the function binds once, empty, in the block of the"
            " loop, that the loop does nothing else with, and that no other function and no handler of an error"
            " can see meanwhile."
        ),
        fixed=(
            None,
            "def path(node):\n    out = []\n    while node:\n        out.append(node)\n"
            "        node = node.parent\n    out.reverse()\n    return out\n",
            None,
            None,
            "def f(groups):\n    for group in groups:\n        out = []\n        for row in group:\n"
            "            out.append(row)\n        out.reverse()\n        print(out)\n",
            None,
            None,
        ),
    ),
)
