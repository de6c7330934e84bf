"""A whole file taken into memory in order to look at it line by line."""

from __future__ import annotations

import libcst as cst

from auditor.model import Cost
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule

_PASSED_THROUGH = ("builtins.enumerate", "builtins.iter", "builtins.zip", "builtins.map", "builtins.filter")
_IN_MEMORY = ("io.StringIO", "io.BytesIO", "StringIO.StringIO")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    lines = _lines(node, ctx)
    if lines is None or not _is_only_iterated(lines, ctx):
        return None
    message = f"`{' '.join(ctx.code(lines).split())}` holds the whole file while its lines are looked at one by one"
    return Match(message, (Plant("timed", lines),), lines)


def _lines(node: cst.CSTNode, ctx: Context) -> cst.Call | None:
    """The call that yields the lines of what the node reads to its end."""
    match node:
        case cst.Call(func=cst.Attribute(value=file, attr=cst.Name(value=method)), args=arguments):
            # a size or hint bounds what is read
            if ctx.type_of(file) in _IN_MEMORY or (arguments and method in ("read", "readlines")):
                return None
            return node if method == "readlines" else _split(node, ctx)
    return None


def _split(read: cst.Call, ctx: Context) -> cst.Call | None:
    """The call that splits into lines what `read` yields, decoded or not."""
    owner = ctx.parent(read)
    call = None if owner is None else ctx.parent(owner)
    match call:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=method)) as function) if function is owner:
            if method in ("decode", "strip", "rstrip"):
                return _split(call, ctx)
            return call if method == "splitlines" or (method == "split" and _is_at_line_ends(call)) else None
    return None


def _is_at_line_ends(call: cst.Call) -> bool:
    match call.args:
        case [cst.Arg(value=cst.SimpleString() as separator)]:
            return separator.evaluated_value in ("\n", b"\n")
    return False


def _is_only_iterated(call: cst.Call, ctx: Context) -> bool:
    """Whether a loop runs over the lines, and nothing else needs them."""
    if _is_iterable(call, ctx):
        return True
    function = ctx.function(call)
    match ctx.parent(call):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]):
            uses = [use for use in ctx.uses(name.value, function) if use is not name]
        case _:
            return False
    # what stands in a loop of its own is run over several times
    return function is not None and len(uses) == 1 and _is_iterable(uses[0], ctx) and _is_beside(call, uses[0], ctx)


def _is_iterable(value: cst.BaseExpression, ctx: Context) -> bool:
    node: cst.CSTNode = value
    for parent in ctx.ancestors(value):
        match parent:
            case cst.For(iter=iterable) | cst.CompFor(iter=iterable):
                return iterable is node
            case cst.Call(func=function) if function is not node and ctx.qualified(function) in _PASSED_THROUGH:
                node = parent
            case cst.Arg(star=""):
                pass
            case _:
                return False
    return False


def _is_beside(call: cst.Call, use: cst.Name, ctx: Context) -> bool:
    return list(ctx.loops(call)) == list(ctx.loops(use))


RULE = Rule(
    id="readlines-whole-file",
    title="Whole file held in memory to go through its lines",
    kind=Kind.ALLOCATION,
    page=Page(
        what=(
            '`f.readlines()`, `f.read().splitlines()`, `f.read().split("\\n")` and the same after `Path.read_text()`,'
            " where a loop or comprehension runs over the lines once, directly or by way of one local name that"
            " nothing else uses. `readlines(hint)` and `read(size)` are bounded, and what is an `io.StringIO` or"
            " `io.BytesIO` is in memory anyway: these are not flagged."
        ),
        why=(
            "All lines exist at once, each as an object of its own: a text file takes several times its size in"
            " memory, and the first line waits for the last one to be read."
        ),
        harmless=(
            "When the file is small, as configuration files are; reading it in one go is even slightly faster then."
            " Where the loop writes to the file, or the file is closed before the loop, the copy is needed."
            " `splitlines()` also splits at form feeds and other separators, which a file does not."
        ),
        measured=(
            "Seconds spent in the call and its part in the memory peak. Confirmed when the bytes held at the peak and"
            " their share of it, or the seconds and their share, are considerable."
        ),
        fix="Run over the file itself: `for line in f:`. Each line keeps its line end, as with `readlines()`.",
        references=(
            "True: ansible-core 2.19.14, ansible/modules/wait_for.py:391, all connections of the machine, at each poll",
            "Harmless: CPython 3.11.7, Lib/turtle.py:175, a configuration file of some twenty lines",
        ),
    ),
    triggers=(Calls((".readlines", ".read", ".read_text", ".read_bytes")),),
    expects=Cost(memory=True),
    check=check,
    valid=(
        "def f(path):\n    with open(path) as file:\n        for line in file:\n            print(line)\n",
        # needed as a list
        "def f(path):\n    lines = open(path).readlines()\n    for line in lines:\n        print(line, len(lines))\n",
        "def f(path):\n    return open(path).readlines()\n",
        # bounded
        "def f(file):\n    for line in file.readlines(65536):\n        print(line)\n",
        "def f(file):\n    for line in file.read(100).split('\\n'):\n        print(line)\n",
        # run over once for each name
        "def f(path, names):\n    lines = open(path).readlines()\n    for name in names:\n"
        "        for line in lines:\n            print(name in line)\n",
        # in memory anyway
        "import io\n\ndef f(text):\n    for line in io.StringIO(text).readlines():\n        print(line)\n",
        "def f(text):\n    for line in text.splitlines():\n        print(line)\n",
        # not by lines
        "def f(file):\n    for word in file.read().split():\n        print(word)\n",
    ),
    invalid=(
        "def f(path):\n    with open(path) as file:\n        for line in file.readlines():\n            print(line)\n",
        "def f(path):\n    with open(path) as file:\n        lines = file.readlines()\n    for line in lines:\n"
        "        print(line)\n",
        "def f(path):\n    return [line.strip() for line in path.read_text().splitlines()]\n",
        "def f(path):\n    for number, line in enumerate(open(path).read().split('\\n')):\n"
        "        print(number, line)\n",
        "def f(path):\n    for line in path.open('rb').read().decode().splitlines():\n        print(line)\n",
    ),
)
