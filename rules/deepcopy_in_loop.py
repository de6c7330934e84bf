"""A deep copy made again and again."""

from __future__ import annotations

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule, Where
from auditor.shapes import runner

_PROTOCOL = ("__deepcopy__", "__copy__", "__reduce__", "__getstate__", "__setstate__")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call):
        return None
    if ctx.qualified(node.func) != "copy.deepcopy":
        return _check_handed(node, ctx)
    if ctx.runs_once(node) or _is_protocol(node, ctx) or not node.args:
        return None
    name = " ".join(ctx.code(node.args[0].value).split())
    often = "each turn of the loop" if ctx.repeating(node) else "each call"
    return Match(f"{often} copies `{name}` with all that it contains", (Plant("called", node),))


def _check_handed(node: cst.Call, ctx: Context) -> Match | None:
    """`list(map(deepcopy, rows))`, timed where it is run through."""
    handed = ctx.handed(node)
    if handed is None or ctx.qualified(handed) != "copy.deepcopy" or _is_protocol(node, ctx):
        return None
    timed = runner(node, ctx)
    message = "each item is copied with all that it contains"
    return None if timed is None else Match(message, (Plant("called", timed),))


def _is_protocol(node: cst.CSTNode, ctx: Context) -> bool:
    """Whether the copy is what a class is asked for when it is copied itself."""
    return any(isinstance(parent, cst.FunctionDef) and parent.name.value in _PROTOCOL for parent in ctx.ancestors(node))


RULE = Rule(
    id="deepcopy-in-loop",
    title="Deep copy made again and again",
    kind=Kind.ALLOCATION,
    page=Page(
        what=(
            "`copy.deepcopy(x)`, whatever its name here, in a loop or in a function, and `map(copy.deepcopy, x)`"
            " where the call around it runs it through. Not flagged: code that runs once, tests included, and"
            " methods that define how a class is copied (`__deepcopy__` and its kin)."
        ),
        why=(
            "`deepcopy` is written in Python: it visits every object below `x`, keeps a table of those it has seen,"
            " and copies each. A map of a hundred short lists takes some hundred microseconds, ten thousand times"
            " what a reference takes."
        ),
        harmless=(
            "When values are small or copies rare, as for a configuration that is copied at start-up. A copy is needed"
            " where both sides go on to change nested parts."
        ),
        measured=(
            "Executions of the copy, seconds spent in it, and its part in the memory peak. Confirmed when the seconds"
            " or the bytes, and their share, are considerable."
        ),
        fix=(
            "Copy only what is changed: `{**x, 'key': value}`, `dataclasses.replace(x, ...)`, `x.copy()` with the one"
            " nested list copied beside it. Or do not change the value at all and let both sides share it. Build the"
            " value anew by a function where that is cheaper than to copy it."
        ),
        references=(
            "True: ansible-core 2.19.14, ansible/plugins/lookup/template.py:161, all variables, for each template",
            "Harmless: Django 5.2.19, django/contrib/admin/options.py:157, once for each model",
        ),
    ),
    triggers=(
        Calls(("copy.deepcopy",), Where(function=True)),
        Calls(("copy.deepcopy",), Where(loop=True)),
        Calls(("builtins.map", ".apply", ".applymap")),
    ),
    expects=Cost(memory=True),
    check=check,
    valid=(
        "import copy\n\nDEFAULTS = copy.deepcopy({'a': []})\n",
        "import copy\n\ndef f(row):\n    return copy.copy(row)\n",
        "import copy\n\ndef main():\n    print(copy.deepcopy({'a': []}))\n",
        "import copy\n\nclass Tree:\n    def __deepcopy__(self, memo):\n"
        "        return Tree(copy.deepcopy(self.leaves, memo))\n",
        "import copy\n\ndef test_copies(tree):\n    assert copy.deepcopy(tree) == tree\n",
        # another function of that name
        "def deepcopy(x):\n    return x\n\ndef f(rows):\n    return [deepcopy(row) for row in rows]\n",
        # handed on, to be run through elsewhere
        "import copy\n\ndef f(rows):\n    return list(map(copy.copy, rows)), map(copy.deepcopy, rows)\n",
    ),
    invalid=(
        "import copy\n\ndef f(rows):\n    return [copy.deepcopy(row) for row in rows]\n",
        "from copy import deepcopy as clone\n\nDEFAULTS = {'a': []}\n\ndef handle(request):\n"
        "    settings = clone(DEFAULTS)\n    settings['a'].append(request)\n    return settings\n",
        "import copy\n\nclass Board:\n    def play(self, move):\n        after = copy.deepcopy(self)\n"
        "        after.apply(move)\n        return after\n",
        "import copy as cp\n\nfor i in range(100):\n    print(cp.deepcopy({'a': [i]}))\n",
        "from copy import deepcopy\n\ndef f(rows):\n    return list(map(deepcopy, rows))\n",
    ),
)
