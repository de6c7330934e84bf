"""Lists joined by summing them."""

from __future__ import annotations

from collections.abc import Iterator

from auditor import cst
from auditor.model import Scaling
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Page, Plant, Rule, Safety

_SMALL = 16
_SEQUENCES = ("list", "tuple")
_COPIED = (*_SEQUENCES, "str", "bytes", "set", "frozenset", "dict")
_DISPLAYS = (cst.List, cst.Set, cst.Dict, cst.FormattedString)
_CONCATENATES = ("operator.concat", "operator.__concat__")
_ADDS = ("operator.add", "operator.concat", "operator.__add__", "operator.__concat__", "operator.or_")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call):
        return None
    name = ctx.qualified(node.func)
    if name == "builtins.sum":
        joined = _summed(node, ctx)
    elif name == "functools.reduce":
        joined = _reduced(node, ctx)
    else:
        return None
    if joined is None or _is_short(joined, ctx):
        return None
    call = "sum" if name == "builtins.sum" else "reduce"
    return Match(f"`{call}` copies all that is joined so far for each part that it adds", (Plant("sized-call", node),))


def _summed(call: cst.Call, ctx: Context) -> cst.BaseExpression | None:
    """What is summed, if it is summed to a sequence."""
    start = ctx.argument(call, 1, "start")
    if start is None or ctx.type_of(start) not in _SEQUENCES:
        return None
    return ctx.argument(call, 0, "iterable")


def _reduced(call: cst.Call, ctx: Context) -> cst.BaseExpression | None:
    """What is reduced, if it is reduced to a container or text by adding to a copy."""
    match call.args:
        case [cst.Arg(value=function), cst.Arg(value=parts)]:
            kind = ctx.type_of_entry(parts)
        case [cst.Arg(value=function), cst.Arg(value=parts), cst.Arg(value=start)]:
            kind = ctx.type_of(start)
        case _:
            return None
    if ctx.qualified(function) in _CONCATENATES or (kind in _COPIED and ctx.qualified(function) in _ADDS):
        return parts
    return parts if any(_adds(one, kind, ctx) for one in ctx.lambdas(function)) else None


def _adds(function: cst.Lambda, kind: str | None, ctx: Context) -> bool:
    """Whether it gives a copy of its first argument with the second added, in one of the cases at least."""
    match function.params.params:
        case [cst.Param(name=cst.Name(value=joined)), cst.Param(name=cst.Name(value=part))]:
            return any(_copies(value, joined, part, kind, ctx) for value in _cases(function.body))
    return False


def _cases(value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(value, cst.IfExp):
        yield from _cases(value.body)
        yield from _cases(value.orelse)
    else:
        yield value


def _copies(value: cst.BaseExpression, joined: str, part: str, kind: str | None, ctx: Context) -> bool:
    """Whether the value is made by copying `joined`, which is of that kind if it is known."""
    match value:
        case cst.BinaryOperation(operator=cst.Add() | cst.BitOr()):
            operands = [*_operands(value)]
            others = [one for one in operands if not _is(one, joined)]
            sure = kind in _COPIED or any(isinstance(one, _DISPLAYS) for one in others)
            return sure and len(others) == len(operands) - 1 and any(part in ctx.code(one) for one in others)
        case cst.List(elements=elements) | cst.Tuple(elements=elements) | cst.Set(elements=elements):
            return any(isinstance(one, cst.StarredElement) and _is(one.value, joined) for one in elements)
        case cst.Dict(elements=elements):
            return any(isinstance(one, cst.StarredDictElement) and _is(one.value, joined) for one in elements)
        case cst.FormattedString(parts=parts):
            return any(isinstance(one, cst.FormattedStringExpression) and _is(one.expression, joined) for one in parts)
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="union")), args=[_]):
            return kind in ("set", "frozenset") and _is(owner, joined)
    return False


def _operands(value: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Add | cst.BitOr):
        yield from _operands(value.left)
        yield from _operands(value.right)
    else:
        yield value


def _is(value: cst.BaseExpression, name: str) -> bool:
    return isinstance(value, cst.Name) and value.value == name


def _is_short(joined: cst.BaseExpression, ctx: Context) -> bool:
    if isinstance(joined, cst.ListComp | cst.GeneratorExp):
        turns = ctx.turns_of(joined.for_in)
        return turns is not None and turns <= _SMALL and joined.for_in.inner_for_in is None
    length = ctx.length_of(joined)
    return length is not None and length <= _SMALL


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    assert isinstance(node, cst.Call)
    if ctx.qualified(node.func) == "builtins.sum":
        joined, start = _summed(node, ctx), ctx.argument(node, 1, "start")
    else:
        match node.args:
            case [cst.Arg(value=function), cst.Arg(value=joined), cst.Arg(value=start)] if (
                ctx.qualified(function) in _ADDS
            ):
                pass
            case _:
                return None
    if joined is None or start is None:
        return None
    parts = edits.code(joined).strip()
    if isinstance(joined, cst.GeneratorExp):
        parts = parts[1:-1]
    match ctx.code(start).strip():
        case "[]" | "list()":
            kind = "list"
        case "()" | "tuple()":
            kind = "tuple"
        case "''" | '""' | "b''" | 'b""' as empty:
            edits.replace(node, f"{empty}.join({parts})")
            return Safety.UNSAFE
        case _:
            return None
    chain = edits.imported("itertools.chain")
    edits.replace(node, f"{edits.builtin(kind)}({chain}.from_iterable({parts}))")
    return Safety.UNSAFE


RULE = Rule(
    id="sum-lists",
    title="Lists joined by summing them",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "`sum(parts, [])` and `sum(parts, ())`, and `functools.reduce` with `operator.concat`, or with"
            " `operator.add` or `lambda a, b: a + b` from a list, tuple, string, bytes or set. So is a lambda, or a"
            " function of the module, that gives a copy of its first argument with something added, as `out + [x]`,"
            " `[*out, x]`, `{**out, x: 1}`, `out | {x}` or `f'{out}{x}'`, if only in one of its cases."
            f" Joining at most {_SMALL} parts that are written out is not flagged. `operator.iadd` adds in place."
        ),
        why=(
            "Each addition makes a new list of all that was joined so far, so the time grows with the square of the"
            " result's length."
        ),
        harmless="When few parts are joined: up to some twenty short ones, it is as fast as anything else.",
        measured=(
            "Seconds spent in the call, the number of parts, and how the cost of a call grows with that number."
            " Confirmed when the seconds are considerable and the cost grows with the number of parts; of more than 64"
            " parts that are always as many, when it is far dearer than a look-up for each. Bytes are not asked for:"
            " each list made on the way dies with the next."
        ),
        fix=(
            "`list(itertools.chain.from_iterable(parts))`, or `[x for part in parts for x in part]`. Strings:"
            ' `"".join(parts)`.'
        ),
        references=(
            "True: networkx 3.6.1, networkx/generators/directed.py:285, a list for each node of a graph",
            "Harmless: sympy 1.14.0, sympy/tensor/functions.py:61, the shapes of a few tensors",
        ),
    ),
    triggers=(Calls(("builtins.sum", "functools.reduce")),),
    expects=Scaling(),
    check=check,
    valid=(
        "def f(rows):\n    return sum(row.size for row in rows)\n",
        "def f(rows):\n    return sum(rows, 0)\n",
        "from itertools import chain\n\ndef f(lists):\n    return list(chain.from_iterable(lists))\n",
        # few
        "def f(a, b, c):\n    return sum([a, b, c], [])\n",
        "def f(box):\n    return sum((box[side] for side in ('x', 'y')), ())\n",
        # in place
        "import operator\nfrom functools import reduce\n\ndef f(lists):\n    return reduce(operator.iadd, lists, [])\n",
        # numbers, or who knows what
        "import operator\nfrom functools import reduce\n\ndef f(rows):\n    return reduce(operator.add, rows)\n",
        "from functools import reduce\n\ndef f(rows):\n    return reduce(lambda a, b: a | b, rows)\n",
        # numbers, the greater, in place, of a product
        "import functools, operator\n\ndef added(out, row):\n    out.append(row)\n    return out\n\n"
        "def f(rows, sizes: list[int]):\n    print(functools.reduce(added, rows, []))\n"
        "    print(functools.reduce(lambda a, b: a + b, sizes), functools.reduce(operator.mul, sizes, 1))\n"
        "    return functools.reduce(lambda a, b: a if a > b else b, rows)\n",
    ),
    invalid=(
        "def f(lists):\n    return sum(lists, [])\n",
        "def f(rows):\n    return sum((row.parts for row in rows), start=())\n",
        "import functools, operator\n\ndef f(lists):\n    return functools.reduce(operator.concat, lists)\n",
        "from functools import reduce\nfrom operator import add\n\ndef f(lists):\n    return reduce(add, lists, [])\n",
        "from functools import reduce\n\ndef f(rows):\n    return reduce(lambda out, row: out + [row.id], rows, [])\n",
        "def f(rows):\n    nothing = []\n    return sum([row.parts for row in rows], nothing)\n",
        # added unless it is there
        "from functools import reduce\n\ndef f(rows):\n"
        "    return reduce(lambda out, row: out if row in out else out + [row], rows, [])\n",
        "import functools\n\ndef added(out, row):\n    if row.old:\n        return out\n"
        "    return {**out, row.id: row}\n\ndef f(rows):\n    return functools.reduce(added, rows, {})\n",
        "from functools import reduce\n\ndef f(rows, names: list[str]):\n"
        "    return reduce(lambda a, b: a + ', ' + b, names)\n",
        "from functools import reduce\n\ndef f(sets):\n    return reduce(lambda a, b: a | b, sets, set())\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "`chain` takes parts that are any iterables, where adding raises `TypeError` for what is not of one"
            " type; and parts whose class adds in a way of its own are no longer asked to. There is no fix where"
            " the start is not written out and empty, nor for a `lambda`."
        ),
        fixed=(
            "import itertools\n\n\ndef f(lists):\n    return list(itertools.chain.from_iterable(lists))\n",
            "import itertools\n\n\ndef f(rows):\n"
            "    return tuple(itertools.chain.from_iterable(row.parts for row in rows))\n",
            None,
            "import itertools\nfrom functools import reduce\nfrom operator import add\n\ndef f(lists):\n"
            "    return list(itertools.chain.from_iterable(lists))\n",
            None,
            None,
            None,
            None,
            None,
            None,
        ),
    ),
)
