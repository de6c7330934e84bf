"""A whole collection sorted for the sake of its first or last items."""

from __future__ import annotations

from collections.abc import Sequence

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Page, Plant, Rule, Safety, Where

_SMALL = 16


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    match node:
        case cst.Call(func=cst.Attribute(value=cst.Name() as items, attr=cst.Name(value="sort"))):
            return _check_sort(node, items, ctx)
        case cst.Call(func=function, args=[_, *_]) if ctx.qualified(function) == "builtins.sorted":
            pass
        case _:
            return None
    length = ctx.length_of(node.args[0].value)
    if ctx.runs_once(node) or (length is not None and length <= _SMALL) or _is_for_an_error(node, ctx):
        return None
    uses = _uses(node, ctx)
    if not uses or not all(_takes_an_end(use, ctx) for use in uses):
        return None
    name = " ".join(ctx.code(node.args[0].value).split())
    return Match(f"all of `{name}` is sorted, and only its ends are looked at", (Plant("ordered", node),))


def _check_sort(node: cst.Call, items: cst.Name, ctx: Context) -> Match | None:
    """`items.sort()` on a list that the function has made itself, and of which it uses but the ends."""
    function = ctx.function(node)
    stores = ctx.stores(items.value, function) if function is not None else ()
    match stores:
        case [cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as target)], value=value)]:
            pass
        case _:
            return None
    # a name for the list of someone else, who gets it sorted
    if ctx.type_of(items) != "list" or isinstance(value, cst.Name | cst.Attribute | cst.Subscript):
        return None
    if ctx.runs_once(node) or 0 < (ctx.length_of(value) or 0) <= _SMALL or _is_for_an_error(node, ctx):
        return None
    uses = [use for use in ctx.uses(items.value, function) if use not in (items, target)]
    if not uses or not all(_takes_an_end(use, ctx) for use in uses):
        return None
    return Match(f"all of `{items.value}` is sorted, and only its ends are looked at", (Plant("ordered", node),))


def _is_for_an_error(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether the block around the node ends by raising something."""
    block = next((parent for parent in ctx.ancestors(node) if isinstance(parent, cst.IndentedBlock)), None)
    match block:
        case cst.IndentedBlock(body=[*_, cst.SimpleStatementLine(body=[cst.Raise()])]):
            return True
    return False


def _uses(node: cst.Call, ctx: Context) -> Sequence[cst.CSTNode]:
    """The call itself, or what uses the one local name that holds its result."""
    match ctx.parent(node):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]):
            function = ctx.function(node)
            if function is None:
                return ()
            stores, uses = ctx.stores(name.value, function), ctx.uses(name.value, function)
            if len(stores) != 1 and (stores[-1] is not ctx.parent(node) or ctx.loops(node)):
                return ()
            own = {*ctx.uses(name.value, node), name}
            # before, the name meant something else
            return [use for use in (uses if len(stores) == 1 else uses[uses.index(name) :]) if use not in own]
    return (node,)


def _takes_an_end(value: cst.CSTNode, ctx: Context) -> bool:
    match ctx.parent(value):
        case cst.Subscript(value=owner, slice=[cst.SubscriptElement(slice=part)]) if owner is value:
            pass
        case cst.Attribute(attr=cst.Name(value="pop")) as method if isinstance(value, cst.Call):
            # `sorted(x).pop()`
            return isinstance(ctx.parent(method), cst.Call)
        case cst.Arg(keyword=None, star="") as argument:
            return _hands_on_an_end(argument, ctx)
        case _:
            return False
    match part:
        case cst.Index(value=index):
            return ctx.code(index).replace(" ", "") in ("0", "-1")
        case cst.Slice(lower=None, upper=cst.Integer(value=count), step=None):
            return int(count, 0) <= _SMALL
        case cst.Slice(
            lower=cst.UnaryOperation(operator=cst.Minus(), expression=cst.Integer(value=count)), upper=None, step=None
        ):
            return int(count, 0) <= _SMALL
    return False


def _hands_on_an_end(argument: cst.Arg, ctx: Context) -> bool:
    """`next(iter(...))`, `next(reversed(...))`, `list(...)[0]`."""
    call = ctx.parent(argument)
    if not isinstance(call, cst.Call) or call.args[0] is not argument:
        return False
    around = ctx.parent(call)
    match ctx.qualified(call.func):
        case "builtins.list" | "builtins.tuple":
            return _takes_an_end(call, ctx)
        case "builtins.iter" | "builtins.reversed":
            outer = ctx.parent(around) if isinstance(around, cst.Arg) else None
            return isinstance(outer, cst.Call) and ctx.qualified(outer.func) == "builtins.next"
    return False


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    assert isinstance(node, cst.Call)
    subscript = ctx.parent(node)
    if not isinstance(subscript, cst.Subscript) or _expects_index_error(node, ctx):
        return None
    reverse = False
    arguments = []
    for argument in node.args:
        if argument.keyword is not None and argument.keyword.value == "reverse":
            if ctx.code(argument.value) not in ("True", "False"):
                return None
            reverse = ctx.code(argument.value) == "True"
        elif argument.star:
            return None
        else:
            arguments.append(argument)
    first = arguments[0]
    match subscript.slice[0].slice:
        case cst.Index(value=index):
            last = ctx.code(index).replace(" ", "") == "-1"
            if last and ctx.type_of(first.value) in ("list", "tuple"):
                # of equal items `sorted` puts the last of them last
                arguments[0] = first.with_changes(
                    value=cst.Call(cst.Name(edits.builtin("reversed")), [cst.Arg(first.value)])
                )
            name = edits.builtin("max" if last != reverse else "min")
        case cst.Slice(lower=None, upper=cst.Integer(value=count)):
            name = edits.imported("heapq.nlargest" if reverse else "heapq.nsmallest")
            arguments.insert(0, cst.Arg(cst.Integer(count)))
        case _:
            return None
    arguments[-1] = arguments[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    if len(arguments) > 1 and isinstance(arguments[0].comma, cst.MaybeSentinel):
        arguments[0] = arguments[0].with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    edits.replace(subscript, node.with_changes(func=cst.parse_expression(name), args=arguments))
    return Safety.UNSAFE


def _expects_index_error(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether a handler around the node may be there for a collection without items."""
    handlers = (part for parent in ctx.ancestors(node) if isinstance(parent, cst.Try) for part in parent.handlers)
    return any(
        handler.type is None or any(name in ctx.code(handler.type) for name in ("IndexError", "LookupError"))
        for handler in handlers
    )


RULE = Rule(
    id="sorted-for-min-max",
    title="Everything sorted for the first or last items",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "`sorted(x)[0]`, `sorted(x, key=...)[-1]`, `next(iter(sorted(x)))`, `sorted(x).pop()`, and slices of at"
            " most"
            f" {_SMALL} items from either end, directly or by way of one local name of which nothing else is used; also"
            " `x.sort()` of a list that the function has made for that. `heapq.nsmallest(1, x)` looks for the least"
            " by itself, and is not flagged."
            f" Code that runs once is not flagged, nor code that raises, nor collections of at most {_SMALL} items."
        ),
        why=(
            "Sorting n items takes about n * log(n) comparisons and a list of its own. The smallest item is found in"
            " one pass of n comparisons, the smallest few in little more."
        ),
        harmless=(
            "When there are few items, or they are nearly sorted already, which `sorted` notices, or when it is the key"
            " that takes the time, which `min` asks for as well. For a few hundred items `heapq.nsmallest`, written in"
            " Python, is slower than sorting."
        ),
        measured=(
            "Seconds spent in comparing, without those in which items and keys are made, and beyond what finding the"
            " same items in one pass takes, which is timed now and then in the same process. Confirmed when they and"
            " their share of the run are considerable; in doubt where keys are of a class of the program's own, which"
            " are not compared once more."
        ),
        fix=(
            "`min(x, key=...)` or `max(x, key=...)`; `heapq.nsmallest(3, x)` for a few. `sorted(x)[-1]` is the last of"
            " equal items where `max(x)` is the first; `max(reversed(x))` keeps that. `min` raises `ValueError` for"
            " no items instead of `IndexError`."
        ),
        references=(
            "True: plotly 7.1.0, _plotly_utils/utils.py:557, all names, sorted for the one nearest to a misspelt one",
            "Harmless: Django 5.2.19, django/apps/registry.py:268, mostly one candidate",
        ),
    ),
    triggers=(
        Calls(("builtins.sorted", ".sort"), Where(function=True)),
        Calls(("builtins.sorted", ".sort"), Where(loop=True)),
    ),
    expects=Cost(),
    check=check,
    valid=(
        "def f(rows):\n    return min(rows)\n",
        # needed in order
        "def f(rows):\n    ordered = sorted(rows)\n    return ordered[0], ordered\n",
        "def f(rows):\n    return sorted(rows)[len(rows) // 2]\n",
        "def f(rows):\n    return sorted(rows)[1:]\n",
        "def f(rows, n):\n    return sorted(rows)[:n], sorted(rows)[:500]\n",
        # few
        "def f(a, b):\n    return sorted([a, b])[0]\n",
        # runs once
        "import os\n\nFIRST = sorted(os.listdir('.'))[0]\n",
        # for an error that is raised
        "def f(**options):\n    if options:\n        first = sorted(options)[0]\n        raise TypeError(first)\n",
        # in order for the caller, and for what comes after
        "def f(rows: list[int]):\n    rows.sort()\n    return rows[0]\n",
        "def f(table):\n    rows = table.rows\n    rows.sort()\n    return rows[0]\n",
        "def f(table):\n    rows = list(table)\n    rows.sort()\n    return rows[0], rows[len(rows) // 2]\n",
        "import heapq\n\ndef f(rows):\n    return heapq.nsmallest(1, rows)[0], list(iter(sorted(rows)))\n",
        # another function of that name
        "def sorted(x):\n    return x\n\ndef f(rows):\n    return sorted(rows)[0]\n",
    ),
    invalid=(
        "def cheapest(offers):\n    offers = sorted(offers, key=lambda offer: offer.price)\n    return offers[0]\n",
        "def f(rows):\n    return sorted(rows)[0]\n",
        "def newest(files):\n    return sorted(files, key=lambda file: file.stat().st_mtime)[-1]\n",
        "def top(scores):\n    return sorted(scores.items(), key=lambda pair: pair[1], reverse=True)[:3]\n",
        "def ends(rows):\n    ordered = sorted(rows)\n    return ordered[0], ordered[-1]\n",
        "def last(rows):\n    return [row.name for row in sorted(rows)[-5:]]\n",
        "def best(scores):\n    return sorted(scores.items())[0][1]\n",
        "def first(rows):\n    return next(iter(sorted(rows, key=len)))\n",
        "def last(rows):\n    return sorted(rows).pop()\n",
        "def newest(directory):\n    files = list(directory.iterdir())\n"
        "    files.sort(key=lambda file: file.stat().st_mtime)\n    return files[-1]\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "For no items `min` and `max` raise `ValueError` where the index raised `IndexError`. Of items that"
            " compare equal, `max` gives the first where `sorted(x)[-1]` gives the last; for a list or tuple the"
            " fix keeps the last by way of `reversed`. There is no fix for a sorted list with a name, for `[-n:]`,"
            " and where `IndexError` is handled."
        ),
        fixed=(
            None,
            "def f(rows):\n    return min(rows)\n",
            "def newest(files):\n    return max(files, key=lambda file: file.stat().st_mtime)\n",
            "import heapq\n\n\ndef top(scores):\n"
            "    return heapq.nlargest(3, scores.items(), key=lambda pair: pair[1])\n",
            None,
            None,
            "def best(scores):\n    return min(scores.items())[1]\n",
            None,
            None,
            None,
        ),
    ),
)
