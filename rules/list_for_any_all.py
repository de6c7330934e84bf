"""A list built only to ask whether any or all of its items are true."""

from __future__ import annotations

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Page, Plant, Rule, Safety

_SMALL = 16
_ASKS = ("builtins.any", "builtins.all")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    match node:
        case cst.Call(
            func=function, args=[cst.Arg(keyword=None, star="", value=cst.ListComp() | cst.SetComp() as made)]
        ):
            name = ctx.qualified(function)
        case _:
            return None
    if name not in _ASKS or ctx.runs_once(node) or _suspends(made, ctx):
        return None
    turns = ctx.turns_of(made.for_in)
    if turns is not None and turns <= _SMALL and made.for_in.inner_for_in is None:
        return None
    asks = name.removeprefix("builtins.")
    return Match(f"the whole list is built before `{asks}` looks at its first item", (Plant("decided", node),))


def _suspends(made: cst.BaseComp, ctx: Context) -> bool:
    """Whether the items are awaited, which a generator for `any` could not do."""
    return any(
        isinstance(part, cst.Await) or (isinstance(part, cst.CompFor) and part.asynchronous is not None)
        for part in ctx.descendants(made)
    )


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    assert isinstance(node, cst.Call)
    (argument,) = node.args
    made = argument.value
    if isinstance(argument.comma, cst.Comma) or made.lpar:
        return None
    inner = ctx.code(made)[1:-1]
    edits.replace(made, inner if "\n" in inner else inner.strip())
    return Safety.UNSAFE


RULE = Rule(
    id="list-for-any-all",
    title="List built only for any() or all()",
    kind=Kind.ALLOCATION,
    page=Page(
        what=(
            "`any([...])` and `all([...])` over a list or set comprehension. Not flagged: code that runs once,"
            f" comprehensions over at most {_SMALL} known items, and items that are awaited, since a generator with"
            " `await` is an asynchronous one, which `any` does not take."
        ),
        why=(
            "The comprehension computes and stores every item before the first is looked at, where the first true (or"
            " false) one would have settled the question."
        ),
        harmless=(
            "When there are few items or they are cheap to compute: a comprehension is even faster than a generator"
            " where all items are needed anyway. Where computing an item has an effect, all of them may be wanted."
        ),
        measured=(
            "Executions of the call, and seconds that went into items behind the one that settled the question."
            " Confirmed when the seconds and their share of the run are considerable. Memory is not asked for: a"
            " list that is long enough to matter has taken time to make."
        ),
        fix="Drop the brackets: `any(x.ok for x in items)`. It stops at the first item that settles the question.",
        references=(
            "True: CPython 3.11.7, Lib/unittest/mock.py:1077, each recorded call, compared to its end",
            "Harmless: Django 5.2.19, django/forms/formsets.py:584, every form is to be validated, as a comment says",
        ),
    ),
    triggers=(Calls(("builtins.any", "builtins.all")),),
    expects=Cost(),
    check=check,
    valid=(
        "def f(rows):\n    return any(row.ok for row in rows)\n",
        # it is there already
        "def f(rows):\n    found = [row.ok for row in rows]\n    return any(found), len(found)\n",
        # few
        "def f(x):\n    return all([x != y for y in ('a', 'b', 'c')])\n",
        # awaited
        "async def f(rows, ask):\n    return any([await ask(row) for row in rows])\n",
        "async def f(rows):\n    return any([row async for row in rows])\n",
        # a method, and a function of this module
        "def f(frame):\n    return frame.any([c for c in frame])\n",
        "def any(rows):\n    return rows\n\ndef f(rows):\n    return any([row.ok for row in rows])\n",
        "def main():\n    print(any([row.ok for row in open('x')]))\n",
    ),
    invalid=(
        "def f(rows):\n    return any([row.ok for row in rows])\n",
        "def f(rows):\n    if not all([row.ok and row.new for row in rows if row]):\n        raise ValueError\n",
        "def f(rows):\n    return any({row.kind for row in rows})\n",
        "import builtins\n\ndef f(groups):\n    return builtins.any([x in 'ab' for group in groups for x in group])\n",
        "def f(text, words):\n    return [any([word in line for word in words]) for line in text.splitlines()]\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "Items behind the one that settles the question are no longer computed, with whatever that did"
            " besides or raised."
        ),
        fixed=(
            "def f(rows):\n    return any(row.ok for row in rows)\n",
            "def f(rows):\n    if not all(row.ok and row.new for row in rows if row):\n        raise ValueError\n",
            "def f(rows):\n    return any(row.kind for row in rows)\n",
            "import builtins\n\ndef f(groups):\n"
            "    return builtins.any(x in 'ab' for group in groups for x in group)\n",
            "def f(text, words):\n    return [any(word in line for word in words) for line in text.splitlines()]\n",
        ),
    ),
)
