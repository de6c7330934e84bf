"""A constant regular expression handed to `re` at every call."""

from __future__ import annotations

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
    if not ctx.runs_often(node) and not (is_constant and name == "re.compile" and not _is_of_object(node, ctx)):
        return None
    if is_constant:
        message = f"`{name}` gets a constant pattern and looks it up, or compiles it, at every call"
    elif _is_built(pattern, ctx):
        message = f"`{name}` gets a pattern that is built anew, and compiles each that it does not know yet"
    else:
        return None
    return Match(message, (Plant("timed", node),))


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


def _is_built(pattern: cst.BaseExpression, ctx: Context) -> bool:
    """Whether the text of the pattern is put together there, of something that is not fixed: `f"<{tag}>"`."""
    if isinstance(pattern, cst.Name):
        stores = ctx.stores(pattern.value, ctx.function(pattern))
        return len(stores) == 1 and isinstance(stores[0], cst.Assign) and _is_put_together(stores[0].value, ctx)
    return _is_put_together(pattern, ctx)


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
    if any(_is_global(name, call, ctx) for name in kept_in):
        return True
    return any(
        isinstance(parent, cst.If)
        and any(
            isinstance(part, _KEEPERS) and ctx.code(part).strip() in kept_in for part in ctx.descendants(parent.test)
        )
        for parent in ctx.ancestors(statement)
    )


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
            "`re.compile` in a function, unless an object keeps the pattern in an attribute, and `re.match`, `re.sub`,"
            " `re.compile` and the like in a loop or in a function that a loop calls, directly or over a few functions."
            " Either the pattern and its flags never change: literals, names"
            " bound outside every function, and what is joined of these. Or the pattern is put together there, as in"
            ' `re.search(rf"\\b{word}\\b", text)`. Code that runs once, that is behind a `functools` cache, or that'
            " fills a global name, or any name only while it is empty, is not flagged."
        ),
        why=(
            "`re` keeps 512 compiled patterns, so most calls pay part of a microsecond for finding theirs again, and"
            " about one more for each `|` between flags, which are enum members. A program that uses more patterns"
            " than that pays for the compiler each time: tens of microseconds and more. So does one that puts its"
            " patterns together of data, as there is no end of them."
        ),
        harmless=(
            "Nearly always, where patterns are few: a hit in the cache costs about as much as matching a short text."
            " Only what runs hundreds of thousands of times notices the look-up, so that `re.match` and the like are"
            " not flagged where no loop reaches them, be it in the handler of a request; asked to hoist its patterns,"
            " kitty wanted profile data first, and rightly."
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
            "Harmless: Django 5.2.19, django/core/management/commands/inspectdb.py:282, once for each column",
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
