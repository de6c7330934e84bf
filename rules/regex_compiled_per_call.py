"""A constant regular expression handed to `re` at every call."""

from __future__ import annotations

from collections.abc import Sequence

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Page, Plant, Reaches, Rule, Safety, Where

_FLAGS_AT = {
    "compile": 1,
    "match": 2,
    "search": 2,
    "fullmatch": 2,
    "findall": 2,
    "finditer": 2,
    "split": 3,
    "sub": 4,
    "subn": 4,
}
_FUNCTIONS = tuple(f"re.{name}" for name in _FLAGS_AT)
_CACHES = ("functools.cache", "functools.lru_cache", "functools.cached_property")
_RECEIVERS = frozenset(("self", "cls"))
_FEW_CALLS = 5
"""Calls beside the look-up, each of which takes about as long as it does."""
_NEAR = 2
"""Calls from a loop to the function: over more of them, a turn does too much for a look-up to show."""
_KEEPERS = (cst.Name, cst.Attribute, cst.Subscript)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call):
        return None
    name = ctx.qualified(node.func)
    if name not in _FUNCTIONS or ctx.runs_once(node):
        return None
    pattern = _argument(node, 0, "pattern")
    flags = _argument(node, _FLAGS_AT[name.removeprefix("re.")], "flags")
    if pattern is None or _is_kept(node, ctx):
        return None
    is_constant = _is_constant_text(pattern, ctx) and (flags is None or ctx.is_fixed(flags))
    # who writes `re.compile` means to keep it; of the others, only a loop makes the look-ups many
    if not ctx.runs_often(node, _NEAR) and not (is_constant and name == "re.compile" and not _is_of_object(node, ctx)):
        return None
    built = None if is_constant else _built(pattern, ctx)
    if not is_constant and built is None:
        return None
    if built is not None and _varies(built, node, ctx):
        message = f"`{name}` gets a pattern that is built anew, and compiles each that it does not know yet"
    elif _has_little_beside(node, ctx):
        message = f"`{name}` gets the same pattern and looks it up, or compiles it, at every call"
    else:
        return None
    return Match(message, (Plant("timed", node),))


def _varies(built: cst.BaseExpression, node: cst.Call, ctx: Context) -> bool:
    """Whether another pattern comes with each turn of a loop, or with what the function is given."""
    names = {part.value for part in ctx.inside(built, cst.Name)}
    loops = [loop for loop in ctx.repeating(node) if not isinstance(loop, cst.FunctionDef | cst.Lambda)]
    if loops:
        around = [ctx.parent(loop) if isinstance(loop, cst.CompFor) else loop for loop in loops]
        return any(ctx.stores(name, loop) for name in names for loop in around)
    function = ctx.function(node)
    listed = function.params.params[:1] if isinstance(function, cst.FunctionDef) else ()
    steady = {one.name.value for one in listed} & _RECEIVERS
    steady |= {one.name.value for one in ctx.inside(function, cst.Param) if one.default} if function else set()
    return any(ctx.stores(name, function) for name in names - steady)


def _has_little_beside(node: cst.Call, ctx: Context) -> bool:
    """Whether what runs the call each time, a loop's turn or a function, does so little that a look-up shows in it."""
    turn: cst.CSTNode | None = next(iter(ctx.repeating(node)), None) or ctx.function(node)
    if isinstance(turn, cst.CompFor):
        turn = next(parent for parent in ctx.ancestors(turn) if isinstance(parent, cst.BaseComp))
    if turn is None:
        return False
    around = [*ctx.ancestors(node)]
    loops: Sequence[cst.For | cst.While] = ctx.inside(turn, cst.For, cst.While)
    if any(loop is not turn and loop not in around for loop in loops):
        return False
    calls: Sequence[cst.Call] = ctx.inside(turn, cst.Call)
    others = (call for call in calls if ctx.qualified(call.func) not in _FUNCTIONS)
    return sum(1 for _ in others) <= _FEW_CALLS


def _argument(call: cst.Call, position: int, keyword: str) -> cst.BaseExpression | None:
    for index, argument in enumerate(call.args):
        if argument.star:
            return None
        if argument.keyword is None and index == position:
            return argument.value
        if argument.keyword is not None and argument.keyword.value == keyword:
            return argument.value
    return None


def _is_constant_text(pattern: cst.BaseExpression, ctx: Context) -> bool:
    return ctx.is_fixed(pattern) and ctx.type_of(pattern) in ("str", "bytes")


def _built(pattern: cst.BaseExpression, ctx: Context) -> cst.BaseExpression | None:
    """What the text of the pattern is put together by there, of something that is not fixed: `f"<{tag}>"`."""
    if isinstance(pattern, cst.Name):
        stores = ctx.stores(pattern.value, ctx.function(pattern))
        if len(stores) != 1 or not isinstance(stores[0], cst.Assign):
            return None
        pattern = stores[0].value
    return pattern if _is_put_together(pattern, ctx) else None


def _is_put_together(text: cst.BaseExpression, ctx: Context) -> bool:
    match text:
        case cst.FormattedString() | cst.BinaryOperation(operator=cst.Add() | cst.Modulo()) | cst.ConcatenatedString():
            return ctx.type_of(text) in ("str", "bytes") and not ctx.is_fixed(text)
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="format" | "join"))):
            return ctx.type_of(owner) in ("str", "bytes") and not ctx.is_fixed(text)
        case cst.Call(func=function):
            return ctx.qualified(function) == "re.escape"
    return False


def _is_kept(call: cst.Call, ctx: Context) -> bool:
    """Whether the pattern is compiled once and kept: behind a cache, or under a test of the name it is kept in."""
    for parent in ctx.ancestors(call):
        if isinstance(parent, cst.FunctionDef) and any(_is_cache(item, ctx) for item in parent.decorators):
            return True
    statement = ctx.parent(call)
    if not isinstance(statement, cst.Assign):
        return False
    kept_in = {ctx.code(target.target).strip() for target in statement.targets}
    if any(_is_entry(target.target, ctx) for target in statement.targets) or any(
        _is_global(name, call, ctx) for name in kept_in
    ):
        return True
    return any(
        isinstance(parent, cst.If)
        and any(
            isinstance(part, _KEEPERS) and ctx.code(part).strip() in kept_in for part in ctx.descendants(parent.test)
        )
        for parent in ctx.ancestors(statement)
    )


def _is_entry(target: cst.BaseExpression, ctx: Context) -> bool:
    """Whether it is an entry of what outlives the function: a table of patterns."""
    return isinstance(target, cst.Subscript) and ctx.home(target.value) is not None


def _is_of_object(call: cst.Call, ctx: Context) -> bool:
    """Whether the pattern is kept for as long as the method's object lives: one look-up for each object."""
    match ctx.parent(call):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Attribute() as kept)]):
            return ctx.home(kept) == "instance"
    return False


def _is_global(name: str, call: cst.Call, ctx: Context) -> bool:
    function = ctx.function(call)
    declared = ctx.inside(function or call, cst.Global)
    return any(item.name.value == name for node in declared for item in node.names)


def _is_cache(decorator: cst.Decorator, ctx: Context) -> bool:
    meant = decorator.decorator
    return ctx.qualified(meant.func if isinstance(meant, cst.Call) else meant) in _CACHES


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    assert isinstance(node, cst.Call)
    method = (ctx.qualified(node.func) or "").removeprefix("re.")
    function = next((parent for parent in ctx.ancestors(node) if isinstance(parent, cst.FunctionDef)), None)
    if method not in _FLAGS_AT or function is None:
        return None
    pattern, flags = _argument(node, 0, "pattern"), _argument(node, _FLAGS_AT[method], "flags")
    if pattern is None or not _is_constant_text(pattern, ctx):
        return None
    made = [edits.code(part).strip() for part in (pattern, flags) if part is not None]
    code = f"{edits.imported('re.compile')}({', '.join(made)})"
    name = edits.constant(f"_{function.name.value.strip('_').upper()}_RE", code)
    if method == "compile":
        edits.replace(node, name)
        return Safety.UNSAFE
    kept = [argument for argument in node.args if argument.value is not pattern and argument.value is not flags]
    if not kept:
        return None
    kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
    edits.replace(node, node.with_changes(func=cst.parse_expression(f"{name}.{method}"), args=kept))
    return Safety.UNSAFE


RULE = Rule(
    id="regex-compiled-per-call",
    title="Regular expression compiled or looked up in a loop",
    kind=Kind.REUSE,
    page=Page(
        what=(
            "A pattern that is looked up, or compiled, where a loop runs it: in the loop itself, or in a function that"
            " a loop calls, directly or by way of one other. Either it is the same each time (literals, names bound"
            " outside every function, and what is joined of these) and so little is done beside it, at most"
            f" {_FEW_CALLS} calls and no loop, that a look-up shows; `re.compile` is flagged in such a function without"
            " a loop as well. Or another is put together at each turn, or for each call, as in"
            ' `re.search(rf"\\b{word}\\b", text)`. Code that runs once, that is behind a `functools` cache, that keeps'
            " the pattern in an attribute or a table, or that fills a global name, or any name only while it is empty,"
            " is not flagged."
        ),
        why=(
            "`re` keeps 512 compiled patterns, so most calls pay part of a microsecond for finding theirs again, and"
            " about one more for each `|` between flags, which are enum members. A program that uses more patterns"
            " than that pays for the compiler each time: tens of microseconds and more. So does one that puts its"
            " patterns together of data, as there is no end of them."
        ),
        harmless=(
            "Nearly always, where patterns are few: a hit in the cache costs about as much as matching a short text."
            " Only what runs hundreds of thousands of times notices the look-up, and only if it does little else."
            " Under the test suites of 19 packages none of 93 patterns was confirmed, most of them in functions that do"
            " much beside or that a loop reaches over several calls, which are left alone now. Asked to hoist its"
            " patterns, kitty wanted profile data first, and rightly."
        ),
        measured=(
            "Seconds below the flagged line that are spent in looking up and compiling the pattern, from the sampled"
            " frames of `re`. The matching itself is not counted, as it would remain."
        ),
        fix=(
            "Compile once at module level, and call the methods of the compiled pattern: `_WORD.match(text)`. What is"
            " put together: compile before the loop, join the alternatives into one pattern, or use methods of `str`,"
            " or one general pattern whose group is looked up in a dict."
        ),
        references=(
            "True: CPython 3.11.7, Lib/http/cookiejar.py:451, one look-up for each attribute of each cookie",
            "Harmless: tabulate 0.10.0, tabulate/__init__.py:1254, one for each cell of a table that a person reads",
            "kitty#657",
        ),
    ),
    triggers=(Calls(_FUNCTIONS, Where(function=True)), Reaches(_FUNCTIONS, often=True)),
    expects=Cost(
        below=(
            "re/_compiler.py:compile",
            "re/_parser.py:parse",
            "re/__init__.py:_compile",
            "enum.py:Flag.__or__",
            "sre_compile.py:compile",
            "sre_parse.py:parse",
            "re.py:_compile",
        )
    ),
    check=check,
    valid=(
        "import re\n\nWORD = re.compile(r'\\w+')\n\ndef words(texts):\n"
        "    return [WORD.findall(text) for text in texts]\n",
        # no loop is in sight
        "import re\n\ndef words(text):\n    return re.findall(r'\\w+', text)\n",
        "import re\n\nasync def handle(request):\n    return re.match(r'/item/(\\d+)', request.path)\n",
        "import re\n\ndef named(text, name):\n    return re.search(f'<{name}>', text)\n",
        # patterns of the caller's
        "import re\n\ndef words(texts, pattern, patterns):\n    for text in texts:\n"
        "        print(re.findall(pattern, text))\n"
        "    return [re.search(one, text) for one in patterns]\n",
        # a compiled pattern, not a text
        "import re\n\nWORD = re.compile(r'\\w+')\n\ndef words(texts):\n"
        "    return [re.findall(WORD, text) for text in texts]\n",
        "import re\n\ndef words(texts, flags):\n    return [re.findall(r'\\w+', text, flags) for text in texts]\n",
        "import re\nfrom functools import cache\n\n@cache\ndef pattern():\n    return re.compile(r'\\w+')\n\n"
        "def words(texts):\n    return [pattern().findall(text) for text in texts]\n",
        "import re\n\n_WORD = None\n\ndef pattern():\n    global _WORD\n    if _WORD is None:\n"
        "        _WORD = re.compile(r'\\w+')\n    return _WORD\n\n"
        "def words(texts):\n    return [pattern().findall(text) for text in texts]\n",
        "import re\n\n_WORD = None\n\ndef prepare():\n    global _WORD\n    _WORD = re.compile(r'\\w+')\n\n"
        "def words(texts):\n    for text in texts:\n        prepare()\n",
        "import re\n\ndef main():\n    print(re.match(r'\\w+', input()))\n",
        # few turns
        "import re\n\ndef parts(text):\n    for mark in ('a', 'b'):\n        text = re.sub(r'\\s+', mark, text)\n"
        "    return text\n",
        # another library's `match`
        "def find(node):\n    return node.match(r'\\w+')\n",
        "import re\n\ndef found(text, words):\n    return re.search('|'.join(map(re.escape, words)), text)\n",
        # much else is done at each turn
        "import re\n\ndef rows(lines):\n    for line in lines:\n        if re.match(r'\\s*$', line):\n"
        "            continue\n        parts = [part.strip() for part in line.split(',')]\n"
        "        yield make(check(parts), *map(int, parts), when=now(), by=user())\n",
        "import re\n\ndef total(text):\n    found = re.match(r'\\w+', text)\n    for line in text.splitlines():\n"
        "        count(line)\n    return found\n\ndef totals(texts):\n    return [total(text) for text in texts]\n",
        # three calls away
        "import re\n\ndef a(text):\n    return re.match(r'\\w+', text)\n\ndef b(text):\n    return a(text)\n\n"
        "def c(text):\n    return b(text)\n\ndef d(texts):\n    return [c(text) for text in texts]\n",
        # by settings of the object, or what is hardly ever given; much else is done
        "import re\n\nclass Reader:\n    def read(self, text, mark='#'):\n        self.a(), self.b(), self.c()\n"
        "        re.match(f'{self.start}=', text).group()\n        re.match(f'{mark}=', text).end()\n"
        "        return self.d(text), self.e(text)\n\n    def all(self, texts):\n        for text in texts:\n"
        "            self.read(text)\n",
        # kept in a table
        "import re\n\nclass Words:\n    def __init__(self):\n        self.known = {}\n\n    def add(self, word):\n"
        "        self.known[word] = re.compile(f'{word}+')\n\n    def fill(self, words):\n"
        "        for word in words:\n            self.add(word)\n",
        # kept by the object
        "import re\n\nclass Printer:\n    def __init__(self, out):\n        self.out = out\n"
        "        self.blank = re.compile(r'^\\s*$')\n",
    ),
    invalid=(
        "import re\n\ndef words(text):\n    return re.compile(r'\\w+').findall(text)\n",
        "import re\n\ndef words(texts):\n    return [re.compile(r'\\w+').findall(text) for text in texts]\n",
        # a function that a loop calls, over another
        "import re\n\nWORD = r'\\w+'\n\ndef words(text):\n    return re.findall(WORD, text, re.I | re.M)\n\n"
        "def first(text):\n    return words(text)[0]\n\ndef all_first(texts):\n"
        "    return [first(text) for text in texts]\n",
        "from re import sub as replace\n\ndef clean(text):\n    return replace(r'\\s+', ' ', text)\n\n"
        "def lines(file):\n    for line in file:\n        yield clean(line)\n",
        "import re\n\nclass Parser:\n    WORD = r'\\w+'\n\n    def parse(self, text):\n"
        "        return re.split(self.WORD, text)\n\n    def run(self, texts):\n        while texts:\n"
        "            self.parse(texts.pop())\n",
        "import re\n\nNAME = r'[a-z]+'\n\ndef parse(lines):\n    for line in lines:\n"
        "        yield re.match(f'{NAME}=(.*)', line)\n",
        "import re\n\nclass Version:\n    def __lt__(self, other):\n"
        "        return re.fullmatch(pattern=b'[a-z]+' b'[0-9]+', string=other.data, flags=re.DOTALL)\n",
        # joined of what is constant
        "import re\n\nWORDS = ['a', 'b']\n\ndef found(texts):\n    for text in texts:\n"
        "        yield re.search('|'.join(map(re.escape, WORDS)), text)\n",
        # another pattern at each turn
        "import re\n\ndef mark(text, words):\n    for word in words:\n"
        "        text = re.sub(rf'\\b{word}\\b', '*', text)\n    return text\n",
        "import re\n\ndef has(text, word):\n    pattern = r'\\b' + re.escape(word) + r'\\b'\n"
        "    return re.search(pattern, text)\n\ndef known(text, words):\n"
        "    return [word for word in words if has(text, word)]\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "The pattern is compiled as the module is imported: that takes longer, and a pattern that is wrong or"
            " warned of shows there. There is no fix where the pattern is made of attributes."
        ),
        fixed=(
            "import re\n\n_WORDS_RE = re.compile(r'\\w+')\n\ndef words(text):\n    return _WORDS_RE.findall(text)\n",
            "import re\n\n_WORDS_RE = re.compile(r'\\w+')\n\ndef words(texts):\n"
            "    return [_WORDS_RE.findall(text) for text in texts]\n",
            "import re\n\nWORD = r'\\w+'\n_WORDS_RE = re.compile(WORD, re.I | re.M)\n\ndef words(text):\n"
            "    return _WORDS_RE.findall(text)\n\n"
            "def first(text):\n    return words(text)[0]\n\n"
            "def all_first(texts):\n    return [first(text) for text in texts]\n",
            "import re\nfrom re import sub as replace\n\n_CLEAN_RE = re.compile(r'\\s+')\n\ndef clean(text):\n"
            "    return _CLEAN_RE.sub(' ', text)\n\ndef lines(file):\n    for line in file:\n"
            "        yield clean(line)\n",
            None,
            "import re\n\nNAME = r'[a-z]+'\n_PARSE_RE = re.compile(f'{NAME}=(.*)')\n\ndef parse(lines):\n"
            "    for line in lines:\n        yield _PARSE_RE.match(line)\n",
            "import re\n\n_LT_RE = re.compile(b'[a-z]+' b'[0-9]+', re.DOTALL)\n\nclass Version:\n"
            "    def __lt__(self, other):\n        return _LT_RE.fullmatch(string=other.data)\n",
            "import re\n\nWORDS = ['a', 'b']\n_FOUND_RE = re.compile('|'.join(map(re.escape, WORDS)))\n\n"
            "def found(texts):\n    for text in texts:\n        yield _FOUND_RE.search(text)\n",
            None,
            None,
        ),
    ),
)
