"""A string that a loop builds by adding to it."""

from __future__ import annotations

from auditor import cst
from auditor.model import Scaling
from auditor.rule import Addition, Context, Edits, Fixer, Kind, Match, Nodes, Page, Plant, Rule, Safety, Where
from auditor.shapes import Accumulation, Concat, accumulation, added_at_each_call, added_behind, concat_target

_SMALL = 16


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    found = _accumulation(node, ctx)
    if found is None and isinstance(node, Concat):
        return _check_kept(node, ctx)
    # one suspect per string and loop, however many statements add to it
    if found is None or found.statements[:1] != (node,) or _seeks_a_free_name(found, ctx):
        return None
    plants = tuple(Plant("operator", statement) for statement in found.statements)
    return Match(f"`{found.name}` is a string that the loop copies each time it adds to it", plants)


def _check_kept(node: Concat, ctx: Context) -> Match | None:
    """`self.text += x` in a method that loops call, or parsers and event loops for each part of what they read."""
    found = added_at_each_call(node, ctx) if _adds_text(node, ctx) else None
    if found is None:
        return None
    name, function, statements = found
    plants = tuple(Plant("operator", statement) for statement in statements)
    return Match(f"`{name}` is a string that is copied each time `{function}` adds to it", plants)


def _accumulation(node: cst.CSTNode, ctx: Context) -> Accumulation | None:
    return accumulation(node, ctx, lambda statement: _adds_text(statement, ctx))


def _seeks_a_free_name(found: Accumulation, ctx: Context) -> bool:
    """Whether the loop adds a bit as long as the name is taken (`while name in names`): a few turns, if any."""
    test = found.loop.test if isinstance(found.loop, cst.While) else None
    if not isinstance(test, cst.Comparison) or not isinstance(test.comparisons[0].operator, cst.In):
        return False
    parts = (test.left, *ctx.descendants(test.left))
    return any(isinstance(part, cst.Name | cst.Attribute) and ctx.code(part).strip() == found.name for part in parts)


def _adds_text(node: Concat, ctx: Context) -> bool:
    """Whether the statement sets a variable to itself with text added."""
    parts = ctx.additions(node)
    if not parts:
        return False
    kind = ctx.type_of(concat_target(node))
    # text adds to nothing but text, unless the variable is known to be something else: lists take text too
    return kind == "str" or (kind is None and any(ctx.type_of(part) == "str" for part in parts))


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    assert isinstance(node, Concat)
    found = _accumulation(node, ctx)
    if found is None or isinstance(found.loop, cst.FunctionDef):
        return None
    if not isinstance(concat_target(node), cst.Name) or not found.is_all(ctx):
        return None
    additions = [Addition(one, f"append({added_behind(one, found.name, ctx, edits)})") for one in found.statements]
    edits.gather(found.name, found.loop, additions, "[{}]", '"".join({})')
    return Safety.UNSAFE


RULE = Rule(
    id="string-concat-in-loop",
    title="String built by adding to it in a loop",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            '`s += x`, `s = s + x`, `s = x + s`, `s = f"{s}..."`, `s = "%s%s" % (s, x)`, `s = "{}{}".format(s, x)` or'
            ' `s = "".join([s, x])` inside a loop, where `s` is proven to be a `str` and keeps what the turns before'
            " have added; `s` may be an attribute or an entry of a container as well, and the loop may call a method"
            " that does `self.s += x`. A string that every turn starts"
            " afresh is not flagged, nor"
            f" one in a loop of at most {_SMALL} turns, nor a name that grows while it is taken (`while x in xs`)."
            " Several statements that add to the same string in the same loop are one suspect."
        ),
        why=(
            "Strings cannot change, so adding makes a new one and copies the old one into it: the time of the whole"
            " loop grows with the square of the result's length."
        ),
        harmless=(
            "CPython grows the string in place when `s` is a plain local name, nothing else refers to the string, and"
            " the statement is `s += x` or `s = s + x`; the loop is then linear. Attributes, global and nonlocal names,"
            " `s = s + x + y`, prepending, entries of containers, f-strings and the like are copied. A debugger or"
            " coverage tool on Python 3.11 turns the in-place growth off."
        ),
        measured=(
            "Seconds spent in the addition alone, and how they grow with the string's length. Confirmed when the"
            " seconds are considerable and the cost of one addition grows with the length; rejected when it does"
            " not, as with in-place growth. Bytes are not used: they count each resize in full and favour the wrong"
            " side. Rejected, however hot, where results never get longer than 64 characters."
        ),
        fix=(
            'Collect the parts in a list and `"".join(parts)` after the loop, or write to an `io.StringIO`. Where'
            " memory matters more than time, note that the list holds all parts at once."
        ),
        references=(
            "True: CPython 3.11.7, Lib/pydoc.py:635, three operands, so each step copies the page built so far",
            "Harmless: CPython 3.11.7, Lib/ast.py:317, a plain local that grows in place and is cut at each line's end",
            "pylint#8701, creedengo-python#160",
        ),
    ),
    triggers=(
        Nodes(("AugAssign",), Where(loop=True), operators=("Add",)),
        Nodes(("AugAssign",), Where(function=True, kept=True), operators=("Add",)),
        Nodes(("Assign",), Where(function=True, kept=True), values=("BinOp",), again=True),
        Nodes(("Assign",), Where(loop=True), values=("BinOp", "IfExp", "JoinedStr", "Call"), again=True),
    ),
    expects=Scaling(copies=True),
    check=check,
    valid=(
        # reset by every turn (pylint#8701)
        "def f(rows):\n    for row in rows:\n        line = ''\n        line += str(row)\n        print(line)\n",
        "def f(rows):\n    for row in rows:\n        if row:\n            line = 'a'\n        else:\n"
        "            line = 'b'\n"
        "        line += '\\n'\n        print(line)\n",
        "def f(rows):\n    for row in rows:\n        text = row.text\n        if row.hidden:\n"
        "            text = '#' + text\n"
        "        print(text)\n",
        # the loop's own variable
        "def f(lines):\n    for line in lines:\n        line += '\\n'\n        print(line)\n",
        # numbers and lists
        "def f(rows):\n    total = 0\n    names = []\n    for row in rows:\n        total += row.size\n"
        "        names += ['a']\n    return total, names\n",
        # a small constant loop
        "def f(row):\n    text = ''\n    for key in ('a', 'b', 'c'):\n        text += row[key] + ','\n"
        "    return text\n",
        "def f():\n    text = ''\n    for i in range(4):\n        text += str(i)\n    return text\n",
        # once, then the loop ends
        "def f(rows):\n    text = ''\n    for row in rows:\n        if row:\n            text += 'found'\n"
        "            break\n"
        "    return text\n",
        "def f(rows):\n    parts = []\n    for row in rows:\n        parts.append(str(row))\n"
        "    return ''.join(parts)\n",
        # a few turns, if any: nltk 3.10.4, nltk/sem/logic.py:197; sympy 1.14.0, sympy/printing/fortran.py:154
        "def f(name: str, names):\n    while name.lower() in names:\n        name += '_'\n    return name\n",
        # each object has one of its own
        "def f(rows):\n    for row in rows:\n        node = row.node\n        node.text += 'x'\n"
        "        row.text += 'y'\n        row.parts[row.name] += 'z'\n",
        "def f(rows, heads):\n    for key in rows:\n        heads[key] += ': '\n",
        "def f(rows, text):\n    for row in rows:\n        if row.text:\n            lines = row.text.splitlines()\n"
        "            lines[-1] += '!'\n            start, end = row.span\n"
        "            text[start] = f'# {text[start]}'\n",
        # formatted anew
        "def f(rows):\n    text = ''\n    for row in rows:\n        text = '%s %s' % (row, text.sep)\n"
        "        text = '{}'.format(row)\n        text = ', '.join([row.a, row.b])\n        print(text)\n",
        # each run has a string of its own
        "def show(node, text=''):\n    text += node.name\n    print(text)\n"
        "    for child in node.children:\n        show(child, text)\n",
        # started afresh by each call, and called for nothing that repeats it
        "class Page:\n    def line(self, row):\n        self.text = ''\n        self.text += row.name\n\n"
        "    def lines(self, rows):\n        for row in rows:\n            self.line(row)\n\n"
        "    def close(self):\n        self.text += '</html>'\n",
        # an entry for each key
        "from collections import defaultdict\n\ndef f(rows):\n    texts = defaultdict(str)\n"
        "    for key, text in rows.items():\n        texts[key] += text\n    return texts\n",
        "def f(table: list[list[str]]):\n    for row in table:\n        for i in range(len(row)):\n"
        "            row[i] += '!'\n",
    ),
    invalid=(
        # the parts are added elsewhere
        "class Node:\n    def __init__(self):\n        self.parts = []\n\n    def text(self):\n        out = ''\n"
        "        for part in self.parts:\n            out = part.text() + out\n        return out\n",
        "def f(rows):\n    text = ''\n    for row in rows:\n        text += str(row)\n    return text\n",
        "def f(rows):\n    text = ''\n    for row in rows:\n        text = text + row.name + '\\n'\n    return text\n",
        "def f(rows):\n    text = ''\n    for row in rows:\n        text = f'{row} {text}'\n    return text\n",
        "class Log:\n    def __init__(self):\n        self.text = ''\n\n    def extend(self, lines):\n"
        "        for line in lines:\n            self.text = line + self.text\n",
        "TEXT = ''\n\ndef add(rows):\n    global TEXT\n    for row in rows:\n        TEXT += row\n",
        # two statements, one string; the second depends on a condition
        "def f(rows):\n    text: str = ''\n    for i, row in enumerate(rows):\n        if i:\n"
        "            text += ', '\n"
        "        text += row\n    return text\n",
        # reset only now and then
        "def f(rows):\n    text = ''\n    for row in rows:\n        if row.new:\n            text = ''\n"
        "        text += 'x'\n    return text\n",
        # a name that stands in an index is not set
        "def f(rows, known):\n    text = ''\n    for row in rows:\n        known[text] = row\n        text += '/'\n",
        # carried by the outer loop only
        "def f(rows):\n    text = ''\n    for row in rows:\n        for key in ('a', 'b'):\n"
        "            text += str(row[key])\n"
        "    return text\n",
        # each run of a function that calls itself adds to the same string
        "class Writer:\n    def __init__(self):\n        self.text = ''\n\n    def write(self, node):\n"
        "        self.text += node.text\n        for child in node.children:\n"
        "            self.write(child)\n",
        # formatted and joined
        "def f(rows):\n    text = ''\n    for row in rows:\n        text = '%s%s\\n' % (text, row)\n    return text\n",
        "def f(rows):\n    text = ''\n    for row in rows:\n        text = '{}{}'.format(text, row)\n    return text\n",
        "def f(rows):\n    text = ''\n    for row in rows:\n        text = ''.join([text, row])\n    return text\n",
        # an entry of a map, which is not grown in place
        "def f(rows):\n    out = {'head': '', 'body': ''}\n    for row in rows:\n        out['body'] += str(row)\n"
        "    return out\n",
        "def f(groups):\n    texts = {}\n    for name, rows in groups:\n        texts[name] = ''\n"
        "        for row in rows:\n            texts[name] += row.text + '\\n'\n    return texts\n",
        "def f(rows):\n    text = ''\n\n    def add(row):\n        nonlocal text\n"
        "        text += row.name\n        return row\n\n    rows = list(map(add, rows))\n    return text\n",
        # a method that a loop calls, or a parser for each part of the text
        "class Page:\n    def __init__(self):\n        self.text = ''\n\n    def add(self, row):\n"
        "        self.text += row.name\n\n    def add_all(self, rows):\n        for row in rows:\n"
        "            self.add(row)\n",
        "from html.parser import HTMLParser\n\nclass Text(HTMLParser):\n    text = ''\n\n"
        "    def handle_data(self, data):\n"
        "        self.text += data\n",
        # an entry that many items come to
        "from collections import defaultdict\n\ndef f(rows):\n    texts = defaultdict(str)\n"
        "    for row in rows:\n        texts[row.key] += row.text\n    return texts\n",
        "def f(file):\n    texts = {}\n    for line in file:\n        name, text = line.split(',')\n"
        "        texts[name] = texts.get(name, '') + text\n    return texts\n",
        "def f(table):\n    columns = [''] * 9\n    for row in table:\n        for i, cell in enumerate(row):\n"
        "            columns[i] += cell\n    return columns\n",
        # text, by the method that makes it
        "def f(word, pieces):\n    word = word.strip()\n    for piece in pieces:\n        word += piece\n"
        "    return word\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "What is not a `str` raises `TypeError` at the end instead of at once, and a class that adds to"
            " strings in a way of its own is no longer asked to. The list holds all parts at once, which takes"
            " more memory than the string. There is no fix where the loop uses the string otherwise, puts text in"
            " front of it, or stands below a `try`; nor for attributes and for names of the module."
        ),
        fixed=(
            None,
            "def f(rows):\n    text_parts = []\n    for row in rows:\n        text_parts.append(str(row))\n"
            '    text = "".join(text_parts)\n    return text\n',
            "def f(rows):\n    text_parts = []\n    for row in rows:\n"
            "        text_parts.append(row.name + '\\n')\n    text = \"\".join(text_parts)\n    return text\n",
            None,
            None,
            None,
            "def f(rows):\n    text: str = ''\n    text_parts = [text]\n    for i, row in enumerate(rows):\n"
            "        if i:\n            text_parts.append(', ')\n        text_parts.append(row)\n"
            '    text = "".join(text_parts)\n    return text\n',
            None,
            None,
            "def f(rows):\n    text_parts = []\n    for row in rows:\n        for key in ('a', 'b'):\n"
            '            text_parts.append(str(row[key]))\n    text = "".join(text_parts)\n    return text\n',
            None,
            None,
            None,
            None,
            None,
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
