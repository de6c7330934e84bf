"""A costly call in a loop that changes nothing it depends on."""

from __future__ import annotations

from auditor import cst
from auditor.model import Repetition
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Loop, Match, Page, Plant, Rule, Safety, Where

_SMALL = 8
_COPIES = tuple(f"builtins.{name}" for name in ("set", "list", "dict", "tuple", "frozenset"))
_REDUCES = tuple(f"builtins.{name}" for name in ("sorted", "sum", "min", "max"))
_LOOKS = (
    *(f"os.path.{name}" for name in ("exists", "isfile", "isdir", "getsize", "realpath", "abspath")),
    *(f"pathlib.Path.{name}" for name in ("exists", "is_file", "is_dir", "stat", "resolve")),
)
_MAKES = ("json.dumps", "re.compile")
_TEXT_METHODS = ("lower", "upper", "casefold", "title", "split", "rsplit", "splitlines", "strip")
_VIEWS = ("keys", "values", "items")
_SET_METHODS = ("union", "intersection", "difference", "symmetric_difference", "issubset", "issuperset", "isdisjoint")
_READERS = tuple(
    f"builtins.{name}" for name in ("len", "sorted", "sum", "min", "max", "any", "all", "enumerate", "zip")
)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or any(argument.star for argument in node.args):
        return None
    loops = ctx.repeating(node)
    if not loops or not _is_costly(node, loops[0], ctx):
        return None
    parts = [_without_view(argument.value) for argument in node.args]
    if isinstance(node.func, cst.Attribute):
        parts.append(node.func.value)
    text = _is_of_text(node, ctx)
    if not all(_is_steady(part, loops[0], text, ctx) for part in parts):
        return None
    call = " ".join(ctx.code(node).split())
    return Match(f"`{call}` yields the same at every turn of the loop", (Plant("repeated", node),))


def _is_of_text(call: cst.Call, ctx: Context) -> bool:
    """Whether the call takes texts or paths, which nothing can mutate."""
    return ctx.qualified(call.func) in (*_LOOKS, "re.compile") or _is_text_method(call, ctx)


def _is_costly(call: cst.Call, loop: Loop, ctx: Context) -> bool:
    if _is_text_method(call, ctx):
        return True
    name = ctx.qualified(call.func)
    if name in _LOOKS:
        # a `while` loop waits for the answer to change
        return not isinstance(loop, cst.While) and not ctx.is_paced(loop)
    if not call.args:
        return False
    first = call.args[0].value
    if name in _MAKES:
        return not ctx.is_fixed(first)
    if name not in _COPIES and name not in _REDUCES:
        return False
    if sum(argument.keyword is None for argument in call.args) != 1 or _is_small(_without_view(first), ctx):
        return False
    # whoever gets the copy may change it
    return name in _REDUCES or (isinstance(_without_view(first), cst.Name | cst.Attribute) and _is_only_read(call, ctx))


def _is_text_method(call: cst.Call, ctx: Context) -> bool:
    return (
        isinstance(call.func, cst.Attribute)
        and call.func.attr.value in _TEXT_METHODS
        and ctx.type_of(call.func.value) == "str"
    )


def _is_small(argument: cst.BaseExpression, ctx: Context) -> bool:
    length = ctx.length_of(argument)
    return length is not None and length <= _SMALL


def _is_only_read(call: cst.Call, ctx: Context) -> bool:
    parent = ctx.parent(call)
    match parent:
        case cst.ComparisonTarget() | cst.Comparison() | cst.BinaryOperation():
            return True
        case cst.For() | cst.CompFor():
            return parent.iter is call
        case cst.Subscript():
            return parent.value is call
        case cst.Attribute(attr=cst.Name(value=method)):
            return method in (*_SET_METHODS, *_VIEWS, "index", "count", "get")
        case cst.Arg():
            around = ctx.parent(parent)
            return isinstance(around, cst.Call) and ctx.qualified(around.func) in _READERS
    return False


def _without_view(argument: cst.BaseExpression) -> cst.BaseExpression:
    """`d` for `d.keys()`, `d.values()` and `d.items()`."""
    match argument:
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value=method)), args=[]) if method in _VIEWS:
            return owner
    return argument


def _is_steady(part: cst.BaseExpression, loop: Loop, immutable: bool, ctx: Context) -> bool:
    fixed = ctx.is_constant(part) or (isinstance(part, cst.Lambda) and ctx.is_fixed(part))
    if fixed or ctx.is_unchanged(part, loop, immutable):
        return True
    match part:
        case cst.Call(func=cst.Attribute(value=cst.SimpleString(), attr=cst.Name(value="join" | "format"))):
            # whatever is joined may grow, unlike a text
            return all(_is_steady(argument.value, loop, False, ctx) for argument in part.args)
        case cst.Call(func=function, args=[cst.Arg(star="") as first, *others]):
            if ctx.qualified(function) == "re.escape":
                return not others and _is_steady(first.value, loop, True, ctx)
            if ctx.qualified(function) == "builtins.map" and ctx.qualified(first.value) in (
                "re.escape",
                "builtins.str",
            ):
                return all(_is_steady(argument.value, loop, False, ctx) for argument in others)
            return ctx.qualified(function) == "builtins.sorted" and all(
                _is_steady(argument.value, loop, False, ctx) for argument in part.args
            )
        case cst.FormattedString(parts=inner):
            values = [one.expression for one in inner if isinstance(one, cst.FormattedStringExpression)]
            return all(_is_steady(value, loop, True, ctx) for value in values)
        case cst.BinaryOperation(left=left, right=right):
            return _is_steady(left, loop, immutable, ctx) and _is_steady(right, loop, immutable, ctx)
    return False


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    assert isinstance(node, cst.Call)
    name = ctx.qualified(node.func)
    if name in _LOOKS:
        # what the loop does may be what the file system is asked about
        return None
    parts = [_without_view(argument.value) for argument in node.args]
    if isinstance(node.func, cst.Attribute):
        parts.append(node.func.value)
    text = _is_of_text(node, ctx)
    outer = None
    for loop in ctx.loops(node):
        if isinstance(loop, cst.FunctionDef | cst.Lambda) or not all(_is_steady(p, loop, text, ctx) for p in parts):
            break
        outer = loop
    if outer is None:
        return None
    called = node.func.attr.value if isinstance(node.func, cst.Attribute) else ctx.code(node.func)
    about = parts[-1] if isinstance(node.func, cst.Attribute) and _is_text_method(node, ctx) else parts[0]
    match about:
        case cst.Name(value=word) | cst.Attribute(attr=cst.Name(value=word)):
            hint = f"{word.strip('_').lower()}_{called}"
        case _:
            hint = f"{called}_once"
    code = ctx.code(node.with_changes(lpar=(), rpar=())).strip()
    if "\n" in code:
        return None
    edits.replace(node, edits.hoist(node, outer, hint, code))
    return Safety.UNSAFE


RULE = Rule(
    id="invariant-call-in-loop",
    title="Costly call that yields the same at every turn",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "In a loop or comprehension, a call that is known to be costly and without effect (`sorted`, `sum`, `min`,"
            " `max`, a `set`, `list`, `dict` or `tuple` made of a name, `json.dumps`, `re.compile`, a look at the file"
            " system, `split`, `lower` and the like of a text), of which the loop binds or mutates neither the"
            " receiver nor an argument. What a method or another function may have changed counts as changed. Cheap"
            " calls (`len`, `.items()`) are not flagged, nor what is handed `*args`, nor what ends the loop."
        ),
        why=(
            "Most of these calls walk all that they are given, so a loop of n turns over m entries takes n * m steps"
            " for an answer that was known after the first m. `x in set(items)` inside a loop is slower than the list"
            " itself."
        ),
        harmless=(
            "When the loop has few turns, the argument few entries, or the call stands behind a condition that is"
            " rarely true: then moving it up makes it run more often."
        ),
        measured="Executions with an input seen before, and the seconds spent in these. Confirmed when they add up.",
        fix="Call it once before the loop and keep the answer in a local name.",
        references=(
            "sympy 1.14.0, sympy/simplify/simplify.py:209: a set made of the same symbols for every factor",
            "sympy 1.14.0, sympy/printing/latex.py:2961: harmless, `lower` of a short name for some 50 endings",
        ),
    ),
    triggers=(
        Calls((*_COPIES, *_REDUCES, *_LOOKS, *_MAKES), Where(loop=True)),
        Calls(tuple(f".{name}" for name in _TEXT_METHODS), Where(loop=True)),
    ),
    expects=Repetition(),
    check=check,
    valid=(
        "def f(rows, known):\n    known = set(known)\n    return [row for row in rows if row in known]\n",
        "def f(rows):\n    return [sorted(row) for row in rows]\n",
        # grows with the loop
        "def f(rows):\n    seen = []\n    for row in rows:\n        print(max(seen))\n        seen.append(row.key)\n",
        # on the way out
        "def f(rows, names):\n    for row in rows:\n        if row.name not in names:\n"
        "            raise ValueError(f'{row.name} is none of {sorted(names)}')\n",
        # the iterable of a loop is evaluated once
        "def f(rows):\n    for row in sorted(rows):\n        print(row)\n",
        # a copy for each turn to change
        "def f(rows, defaults):\n    for row in rows:\n        merged = dict(defaults)\n        merged.update(row)\n",
        # waits for the file
        "import os, time\n\ndef f(path):\n    while not os.path.exists(path):\n        time.sleep(1)\n",
        "def f(rows, text: str):\n    for row in rows:\n        text = text.lower() + row\n    return text\n",
        # another function may change it
        "def f(rows, known, learn):\n    for row in rows:\n        learn(row, known)\n        print(sum(known))\n",
        "class Box:\n    def f(self, rows):\n        for row in rows:\n            self.add(row)\n"
        "            print(min(self.items))\n",
        "def f(rows, low, high):\n    return [row for row in rows if row < max(low, high)]\n",
        "def f(rows):\n    return sorted(rows, key=lambda row: sorted(row.names))\n",
        "import re\n\ndef f(lines, words):\n    for line in lines:\n        words.append(line)\n"
        "        print(re.compile('|'.join(words)))\n    for i in range(100):\n"
        "        print(sorted({'a': 1, 'b': 2}.items()))\n",
    ),
    invalid=(
        "def f(rows, known):\n    return [row for row in rows if row in set(known)]\n",
        "def f(rows, names):\n    for row in rows:\n        print(row, sorted(names))\n",
        "def f(rows, weights):\n    for row in rows:\n        row.share = row.weight / sum(weights.values())\n",
        "import os\n\ndef f(rows, folder):\n    for row in rows:\n        if not os.path.exists(folder):\n"
        "            os.makedirs(folder)\n        row.save(folder)\n",
        "def f(rows, query: str):\n    return [row for row in rows if query.lower() in row.name]\n",
        "import re\n\ndef f(lines, word):\n    for line in lines:\n        if re.compile(word).search(line):\n"
        "            yield line\n",
        "from pathlib import Path\n\ndef f(files, root: Path):\n"
        "    return [file.relative_to(root.resolve()) for file in files]\n",
        "class Box:\n    def f(self, rows):\n        return [row / max(self.values) for row in rows]\n",
        # a function that runs for every item
        "def f(rows, known):\n    return list(filter(lambda row: row.name in set(known), rows))\n",
        "def walk(node, names):\n    print(node.name, sorted(names))\n    for child in node.children:\n"
        "        walk(child, names)\n",
        "import re\n\ndef f(lines, words):\n    for line in lines:\n"
        "        if re.compile('|'.join(map(re.escape, words))).search(line):\n            yield line\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "The call is made even if the loop has no turn, or would not have come to it, and may then raise what"
            " it did not raise before; and it does not follow what code out of sight does to its arguments. Looks"
            " at the file system have no fix, nor calls whose arguments a condition of the loop looks at."
        ),
        fixed=(
            "def f(rows, known):\n    known_set = set(known)\n    return [row for row in rows if row in known_set]\n",
            "def f(rows, names):\n    names_sorted = sorted(names)\n    for row in rows:\n"
            "        print(row, names_sorted)\n",
            "def f(rows, weights):\n    weights_sum = sum(weights.values())\n    for row in rows:\n"
            "        row.share = row.weight / weights_sum\n",
            None,
            "def f(rows, query: str):\n    query_lower = query.lower()\n"
            "    return [row for row in rows if query_lower in row.name]\n",
            "import re\n\ndef f(lines, word):\n    word_compile = re.compile(word)\n    for line in lines:\n"
            "        if word_compile.search(line):\n            yield line\n",
            None,
            "class Box:\n    def f(self, rows):\n        values_max = max(self.values)\n"
            "        return [row / values_max for row in rows]\n",
            None,
            None,
            "import re\n\ndef f(lines, words):\n    compile_once = re.compile('|'.join(map(re.escape, words)))\n"
            "    for line in lines:\n        if compile_once.search(line):\n            yield line\n",
        ),
    ),
)
