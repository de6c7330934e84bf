"""A buffer that a loop shortens by copying what is left of it."""

from __future__ import annotations

from auditor import cst
from auditor.model import Scaling
from auditor.rule import Context, Kind, Match, Nodes, Page, Plant, Rule, Where

_SMALL = 16
_COPIED = ("bytes", "bytearray", "str")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Assign) or len(node.targets) != 1:
        return None
    cut = _cut(node.targets[0].target, node.value, ctx)
    if cut is not None and ctx.carrier(node, cut) is not None:
        message = f"`{cut}` is copied up to its end each time the loop takes something off its front"
        return Match(message, (Plant("sized-call", node.value),), node.value)
    for target, value in _pairs(node.targets[0].target, node.value):
        name = ctx.code(target).strip()
        if _is_rest_of(value, name, ctx) and ctx.type_of(target) in _COPIED and ctx.carrier(node, name) is not None:
            message = f"`{name}` is copied up to its end each time the loop takes something off its front"
            return Match(message, (Plant("sized-call", value),), value)
    return None


def _cut(target: cst.BaseExpression, value: cst.BaseExpression, ctx: Context) -> str | None:
    """The buffer in `line, buf = buf.split(sep, 1)` and `head, _, buf = buf.partition(sep)`."""
    match target, value:
        case (
            cst.Tuple(elements=[_, *_, cst.Element(value=cst.Name() | cst.Attribute() as rest)]),
            cst.Call(
                func=cst.Attribute(value=buffer, attr=cst.Name(value="split" | "partition")), args=[separator, *_]
            ),
        ):
            name = ctx.code(rest).strip()
            # what is split at a text is one
            proven = ctx.type_of(buffer) or ctx.type_of(separator.value)
            return name if ctx.code(buffer).strip() == name and proven in _COPIED else None
    return None


def _pairs(
    target: cst.BaseExpression, value: cst.BaseExpression
) -> list[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """The names assigned to, each with its value."""
    if isinstance(target, cst.Tuple) and isinstance(value, cst.Tuple) and len(target.elements) == len(value.elements):
        return [(left.value, right.value) for left, right in zip(target.elements, value.elements, strict=True)]
    return [(target, value)] if isinstance(target, cst.Name | cst.Attribute) else []


def _is_rest_of(value: cst.BaseExpression, name: str, ctx: Context) -> bool:
    match value:
        case cst.Subscript(
            value=base,
            slice=[cst.SubscriptElement(slice=cst.Slice(lower=cst.BaseExpression(), upper=None, step=None))],
        ):
            return ctx.code(base).strip() == name
    return False


RULE = Rule(
    id="bytes-slice-copy",
    title="Rest of a buffer copied in a loop",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "`buf = buf[n:]` inside a loop, also as part of `head, buf = buf[:n], buf[n:]`, and"
            " `head, buf = buf.split(sep, 1)` or `partition`, where `buf` is proven to"
            " be `bytes`, `bytearray` or `str` and goes on to the next turn. A buffer that every turn gets anew is not"
            f" flagged, nor a `memoryview`, nor a loop of at most {_SMALL} turns."
        ),
        why=(
            "A slice of these types is a copy. Taking messages of a few bytes off the front of a buffer copies all"
            " the rest for each of them: the time grows with the square of the buffer's length."
        ),
        harmless=(
            "When the buffer stays short, as that of a connection does if the peer sends one message at a time, or"
            " when the loop takes large parts. Copying a kilobyte takes some ten nanoseconds more than none."
        ),
        measured=(
            "Seconds spent in the slice alone, the length of the buffer, and how the cost of a slice grows with that"
            " length. Confirmed when the seconds are considerable and the cost grows with the length. Bytes are not"
            " asked for: each copy dies with the next, so the peak holds two of them at most. Rejected, however hot,"
            " where buffers never get longer than 64 bytes."
        ),
        fix=(
            "Keep a position and move it: `struct.unpack_from(fmt, buf, pos)`, `buf.find(b'\\n', pos)`,"
            " `pattern.match(text, pos)`; cut the buffer once after the loop. `del buf[:n]` on a `bytearray` moves"
            " its start and copies nothing; slices of a `memoryview` copy nothing either. `io.BytesIO` reads parts."
        ),
        references=(
            "True: ansible-core 2.19.14, ansible/plugins/shell/powershell.py:143, the rest of an output, for each part",
            "Harmless: CPython 3.11.7, Lib/zipfile.py:518, the extra field of an entry, which has a few parts",
        ),
    ),
    triggers=(Nodes(("Assign",), Where(loop=True), values=("Subscript", "Tuple", "Call"), again=True),),
    expects=Scaling(copies=True),
    check=check,
    valid=(
        # a view
        "def f(data: bytes):\n    view = memoryview(data)\n    while view:\n        print(view[0])\n"
        "        view = view[4:]\n",
        # in place
        "def f(data: bytearray):\n    while data:\n        print(data[0])\n        del data[:4]\n",
        # its own text for each turn
        "def f(lines):\n    for line in lines:\n        line = line.strip()\n        line = line[1:]\n"
        "        print(line)\n",
        # once
        "def f(data: bytes):\n    data = data[4:]\n    return data\n",
        "def f(data: bytes, rows):\n    for row in rows:\n        if row:\n            data = data[4:]\n"
        "            break\n    return data\n",
        # a part of another buffer
        "def f(data: bytes, sizes):\n    for size in sizes:\n        part = data[size:]\n        print(part)\n",
        # not known to be a buffer
        "def f(args):\n    while args:\n        print(args[0])\n        args = args[1:]\n",
        # few turns
        "def f(data: bytes):\n    for _ in range(4):\n        data = data[4:]\n    return data\n",
        "def f(lines):\n    for line in lines:\n        line = str(line)\n        key, line = line.split('=', 1)\n"
        "        print(key, line)\n",
    ),
    invalid=(
        "def f(data: bytes):\n    while data:\n        print(data[:4])\n        data = data[4:]\n",
        "class Reader:\n    def __init__(self):\n        self.buffer = bytearray()\n\n    def messages(self):\n"
        "        while len(self.buffer) > 4:\n            size = self.buffer[0]\n"
        "            yield self.buffer[1 : size + 1]\n            self.buffer = self.buffer[size + 1 :]\n",
        "def f(path):\n    data = b''\n    for part in path:\n        data += part\n        while b'\\n' in data:\n"
        "            end = data.find(b'\\n')\n            line, data = data[:end], data[end + 1 :]\n"
        "            print(line)\n",
        "def words(text: str, match):\n    while text:\n        found = match(text)\n        yield found\n"
        "        text = text[len(found) :]\n",
        "def f(data: bytes, sizes):\n    for size in sizes:\n        yield data[:size]\n        data = data[size:]\n",
        "def lines(sock):\n    data = b''\n    while True:\n        data += sock.recv(4096)\n"
        "        while b'\\n' in data:\n"
        "            line, data = data.split(b'\\n', 1)\n            yield line\n",
        "def words(text: str):\n    while text:\n        word, _, text = text.partition(' ')\n        yield word\n",
    ),
)
