"""A bytes, tuple, list, dict or set that a loop copies each time it adds to it."""

from __future__ import annotations

from collections.abc import Sequence

from auditor import cst
from auditor.model import Scaling
from auditor.rule import (
    Addition,
    CannotFix,
    Context,
    Edits,
    Fixer,
    Kind,
    Match,
    Nodes,
    Page,
    Plant,
    Rule,
    Safety,
    Where,
)
from auditor.shapes import Accumulation, Concat, accumulation, added_at_each_call, added_behind, concat_target

_SMALL = 16
_COPIED = ("bytes", "tuple")
_IN_PLACE = ("list", "bytearray")
_JOINED = ("dict", "set")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    found = _accumulation(node, ctx)
    if found is None and isinstance(node, Concat) and _kind(node, ctx) is not None:
        return _check_kept(node, ctx)
    # one suspect per sequence and loop, however many statements add to it
    if found is None or not isinstance(node, Concat) or found.statements[:1] != (node,):
        return None
    plants = tuple(Plant("operator", statement) for statement in found.statements)
    return Match(f"`{found.name}` is a {_kind(node, ctx)} that the loop copies each time it adds to it", plants)


def _check_kept(node: Concat, ctx: Context) -> Match | None:
    """`self.data += x` in a method that loops call, or event loops for each part of what they read."""
    kept = added_at_each_call(node, ctx)
    if kept is None:
        return None
    name, function, statements = kept
    plants = tuple(Plant("operator", statement) for statement in statements)
    return Match(f"`{name}` is a {_kind(node, ctx)} that is copied each time `{function}` adds to it", plants)


def _accumulation(node: cst.CSTNode, ctx: Context) -> Accumulation | None:
    return accumulation(node, ctx, lambda statement: _kind(statement, ctx) is not None)


def _kind(node: Concat, ctx: Context) -> str | None:
    """The type of what the statement copies to add to it, if it does."""
    parts = ctx.additions(node)
    if not parts:
        return None
    kind = ctx.type_of(concat_target(node))
    if kind is None:
        kinds = (ctx.type_of(part) for part in parts)
        # what is added to a bytearray may be bytes, but only tuples add to tuples
        sure = ("tuple",) if isinstance(node, cst.AugAssign) else (*_COPIED, "list", *_JOINED)
        kind = next((kind for kind in (*kinds, ctx.type_of(node.value)) if kind in sure), None)
    if kind in (*_JOINED, "frozenset") and not _may_grow(node, ctx):
        return None
    if kind in (*_COPIED, "frozenset"):
        return kind
    return kind if kind in (*_IN_PLACE, *_JOINED) and isinstance(node, cst.Assign) else None


def _may_grow(node: Concat, ctx: Context) -> bool:
    """Whether more than the same few keys come into the dict or set: not `{**x, "page": page}`."""
    name = ctx.code(concat_target(node)).strip()
    parts = [part for part in ctx.additions(node) if not isinstance(part, cst.Dict | cst.Set | cst.Call)]
    if any(ctx.code(part).strip() != name for part in parts):
        return True
    displays: Sequence[cst.Dict | cst.Set] = ctx.inside(node.value, cst.Dict, cst.Set)
    keys = [
        element.key if isinstance(element, cst.DictElement) else element.value
        for display in displays
        for element in display.elements
        if isinstance(element, cst.DictElement | cst.Element)
    ]
    return any(not ctx.is_fixed(key) for key in keys) or any(
        isinstance(part, cst.Call) and part is not node.value for part in ctx.additions(node)
    )


_GATHERED = {"bytes": ("append", "[{}]", 'b"".join({})'), "tuple": ("extend", "list({})", "tuple({})")}


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    assert isinstance(node, Concat)
    found, target, kind = _accumulation(node, ctx), concat_target(node), _kind(node, ctx)
    if found is None or kind is None or not isinstance(target, cst.Name) or not found.is_all(ctx):
        return None
    if kind in _JOINED:
        for one in found.statements:
            edits.replace(one, _joined_in_place(one, found.name, edits))
        return Safety.UNSAFE
    if kind in _IN_PLACE:
        for one in found.statements:
            if not isinstance(one, cst.AugAssign):
                edits.replace(one, f"{found.name} += {added_behind(one, found.name, ctx, edits)}")
        return Safety.UNSAFE
    if isinstance(found.loop, cst.FunctionDef) or kind not in _GATHERED:
        return None
    method, start, end = _GATHERED[kind]
    additions = [Addition(one, f"{method}({added_behind(one, found.name, ctx, edits)})") for one in found.statements]
    edits.gather(found.name, found.loop, additions, start, end)
    return Safety.UNSAFE


def _joined_in_place(node: Concat, name: str, edits: Edits) -> str:
    """Code that puts into the dict or set what the statement makes a new one with."""
    match node.value:
        case cst.BinaryOperation(left=cst.Name(value=left), operator=cst.BitOr(), right=right) if left == name:
            return f"{name} |= {edits.code(right).strip()}"
        case cst.Call(func=cst.Attribute(value=cst.Name(value=left), attr=cst.Name(value="union"))) if left == name:
            return f"{name}.update({', '.join(edits.code(argument.value).strip() for argument in node.value.args)})"
        case cst.Dict(elements=[cst.StarredDictElement(value=cst.Name(value=left)), *others]) if left == name:
            listed = [edits.code(other).strip().rstrip(",").rstrip() for other in others]
            return f"{name}.update({{{', '.join(listed)}}})"
    raise CannotFix


RULE = Rule(
    id="sequence-concat-in-loop",
    title="Bytes, tuple, list, dict or set copied in a loop to add to it",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "`x += y` and `x = x + y` inside a loop where `x` is a `bytes` or a `tuple`, and `x = x + y`, `x = y + x`"
            " or `x = [*x, y]` where it is a `list` or a `bytearray`, and `x` keeps what the turns before have added;"
            " so are `x = {**x, key: value}`, `x = x | y` and `x = x.union(y)` of a dict or set, unless the keys are"
            " written out. A list, bytearray, dict or set grows in place with `+=` and `|=`, which is not flagged, nor"
            " is one that every turn starts"
            f" afresh, nor a loop of at most {_SMALL} turns. The loop may call a method that does `self.x += y`, or be"
            " that of a parser or event loop that calls `feed` or `data_received`. Strings are the rule"
            " string-concat-in-loop. Several statements that add to the same sequence in the same loop are one suspect."
        ),
        why=(
            "Each addition makes a new object and copies all of the old one into it, so the time of the whole loop"
            " grows with the square of the result's length. Unlike `str`, none of these is ever grown in place by"
            " CPython when it is concatenated."
        ),
        harmless=(
            "When the result stays short, as a key, a shape or a header does, or when few turns reach the addition."
            " Up to some hundred bytes or entries the copy costs no more than the call around it. Searches that keep"
            " a path per branch need the copy."
        ),
        measured=(
            "Seconds spent in the addition alone, the length of the result, and how the cost of one addition grows"
            " with that length. Confirmed when the seconds are considerable and the cost grows with the length."
            " Bytes are not asked for: each copy dies with the next, so the peak holds two of them at most."
        ),
        fix=(
            '`bytes`: collect the parts in a list and `b"".join(parts)`, or add to a `bytearray`. `list`: `x += y` or'
            " `x.extend(y)`, unless another name must keep the old list. `dict` and `set`: `x[key] = value` or"
            " `x.update(y)`. `tuple`: collect in a list and convert it once."
        ),
        references=(
            "True: CPython 3.11.7, Lib/tarfile.py:692, all that a read of a sparse member has so far",
            "Harmless: CPython 3.11.7, Lib/inspect.py:1400, the defaults of one function",
        ),
    ),
    triggers=(
        Nodes(("AugAssign",), Where(loop=True), operators=("Add", "BitOr")),
        Nodes(("AugAssign",), Where(function=True, kept=True), operators=("Add",)),
        Nodes(("Assign",), Where(function=True, kept=True), values=("BinOp",), again=True),
        Nodes(
            ("Assign",), Where(loop=True), values=("BinOp", "IfExp", "List", "Tuple", "Dict", "Set", "Call"), again=True
        ),
    ),
    expects=Scaling(),
    check=check,
    valid=(
        # in place
        "def f(rows):\n    out = []\n    data = bytearray()\n    for row in rows:\n        out += [row]\n"
        "        data += b'x'\n    return out, data\n",
        # numbers and strings
        "def f(rows):\n    total = 0\n    text = ''\n    for row in rows:\n        total = total + row\n"
        "        text += 'x'\n    return total, text\n",
        # afresh in every turn
        "def f(rows):\n    for row in rows:\n        line = b''\n        line += row\n        print(line)\n",
        "def f(rows):\n    for row in rows:\n        key = (row.kind,)\n        if row.name:\n"
        "            key += (row.name,)\n        print(key)\n",
        # few turns
        "def f(box):\n    shape = ()\n    for side in ('x', 'y', 'z'):\n        shape += (box[side],)\n"
        "    return shape\n",
        # once, then the loop ends
        "def f(rows):\n    out = []\n    for row in rows:\n        if row.last:\n            out = out + [row]\n"
        "            break\n    return out\n",
        # each object has one of its own
        "def f(rows):\n    for row in rows:\n        row.data += b'x'\n        row.names = (*row.names, 'x')\n",
        # another list is made
        "def f(rows, head: list[int]):\n    for row in rows:\n        print(head + [row])\n",
        # in place; the same keys at each turn; a number; a dict of the item
        "def f(rows):\n    out = {}\n    names = set()\n    for row in rows:\n        out |= row.parts\n"
        "        names |= {row.name}\n    return out, names\n",
        "def f(client, query):\n    query = {'size': 50, **query}\n    while query['page']:\n"
        "        query = {**query, 'page': client.next(query)}\n        query = query | {'seen': True}\n",
        "def f(rows):\n    mask = 0\n    for row in rows:\n        mask = mask | row.bits\n    return mask\n",
        "def f(rows):\n    for row in rows:\n        row = {**row, row.id: 1}\n        print(row)\n",
        # may be a bytearray
        "def f(buffer, rows):\n    for row in rows:\n        buffer += b'x'\n",
        # a list grows in place; started afresh; no loop
        "class Frame:\n    def __init__(self):\n        self.parts = []\n        self.head = b''\n\n"
        "    def feed(self, part):\n        self.parts += [part]\n        self.head = b''\n"
        "        self.head += part\n\n    def close(self, end):\n        self.head += end\n",
    ),
    invalid=(
        "def read(sock):\n    data = b''\n    while True:\n        part = sock.recv(4096)\n        if not part:\n"
        "            return data\n        data += part\n",
        "class Reader:\n    def __init__(self):\n        self.buffer = b''\n\n    def feed(self, parts):\n"
        "        for part in parts:\n            self.buffer = self.buffer + part\n",
        "def f(rows):\n    out = ()\n    for row in rows:\n        out += (row,)\n    return out\n",
        "def f(rows):\n    out = []\n    for row in rows:\n        out = out + [row]\n    return out\n",
        "def f(rows):\n    out: list[int] = []\n    for row in rows:\n        out = row.parts + out\n    return out\n",
        "def f(rows):\n    data = bytearray()\n    for row in rows:\n        data = data + row\n    return data\n",
        "def f(rows):\n    out = []\n    for row in rows:\n        out = [*out, row]\n    return out\n",
        "def f(rows):\n    out = ()\n    for row in rows:\n        out = (row, *out)\n    return out\n",
        "def f(rows):\n    data = b''\n    for row in rows:\n        data = b''.join((data, row))\n    return data\n",
        # two statements, one suspect
        "def f(rows):\n    data = b''\n    for row in rows:\n        data += row.head\n        for part in row.parts:\n"
        "            data += part\n    return data\n",
        # each run of a function that calls itself adds to the same tuple
        "class Paths:\n    def __init__(self):\n        self.found = ()\n\n    def visit(self, node):\n"
        "        self.found += (node.path,)\n        for child in node.children:\n"
        "            self.visit(child)\n",
        "def f(sock):\n    data = sock.recv(4096)\n    while not data.endswith(b'\\n'):\n"
        "        data += sock.recv(4096)\n    return data\n",
        "def f(path):\n    with open(path, 'rb') as file:\n        data = file.read(9)\n"
        "        while part := file.read(9):\n            data += part\n    return data\n",
        "def f(rows):\n    out = {}\n    for row in rows:\n        out = {**out, row.id: row}\n    return out\n",
        "def f(parts):\n    out: dict[str, str] = {}\n    for part in parts:\n        out = out | part.names\n"
        "    return out\n",
        "def f(graph, node):\n    seen = set()\n    while node:\n        seen = seen.union(node.names)\n"
        "        node = graph[node]\n    return seen\n",
        "def f(rows):\n    kinds = frozenset()\n    for row in rows:\n        kinds |= row.kinds\n    return kinds\n",
        # an entry that many items come to
        "def f(rows):\n    groups = {}\n    for row in rows:\n"
        "        groups[row.kind] = groups.get(row.kind, []) + [row]\n    return groups\n",
        # by what an event loop calls for each part
        "class Protocol:\n    def __init__(self):\n        self.data = b''\n\n"
        "    def data_received(self, part):\n        self.data += part\n",
        # by a method that a loop calls
        "class Frame:\n    def __init__(self):\n        self.body = b''\n\n    def add(self, part):\n"
        "        self.body = self.body + part\n\n    def fill(self, file):\n        for part in file:\n"
        "            self.add(part)\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "A list, bytearray, dict or set that grows in place changes for whoever else has it. What cannot be added"
            " raises `TypeError` at the end instead of at once, and a list collects the parts of `bytes` meanwhile."
            " There is no fix where the loop uses the sequence otherwise, puts something in front of it, or stands"
            " below a `try`; nor for attributes and for names of the module."
        ),
        fixed=(
            "def read(sock):\n    data_parts = []\n    while True:\n        part = sock.recv(4096)\n"
            '        if not part:\n            return b"".join(data_parts)\n        data_parts.append(part)\n',
            None,
            "def f(rows):\n    out_parts = []\n    for row in rows:\n        out_parts.extend((row,))\n"
            "    out = tuple(out_parts)\n    return out\n",
            "def f(rows):\n    out = []\n    for row in rows:\n        out += [row]\n    return out\n",
            None,
            "def f(rows):\n    data = bytearray()\n    for row in rows:\n        data += row\n    return data\n",
            None,
            None,
            None,
            "def f(rows):\n    data_parts = []\n    for row in rows:\n        data_parts.append(row.head)\n"
            "        for part in row.parts:\n            data_parts.append(part)\n"
            '    data = b"".join(data_parts)\n    return data\n',
            None,
            None,
            "def f(path):\n    with open(path, 'rb') as file:\n        data = file.read(9)\n"
            "        data_parts = [data]\n        while part := file.read(9):\n            data_parts.append(part)\n"
            '        data = b"".join(data_parts)\n    return data\n',
            "def f(rows):\n    out = {}\n    for row in rows:\n        out.update({row.id: row})\n    return out\n",
            "def f(parts):\n    out: dict[str, str] = {}\n    for part in parts:\n        out |= part.names\n"
            "    return out\n",
            "def f(graph, node):\n    seen = set()\n    while node:\n        seen.update(node.names)\n"
            "        node = graph[node]\n    return seen\n",
            None,
            None,
            None,
            None,
        ),
    ),
)
