"""A file that its function neither closes nor hands on."""

from __future__ import annotations

from auditor import cst
from auditor.model import Survivors
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Page, Plant, Rule, Safety, Where

_OPENERS = (
    *("builtins.open", "io.open", "codecs.open", "pathlib.Path.open", "os.fdopen", "tokenize.open"),
    *("gzip.open", "bz2.open", "lzma.open", "gzip.GzipFile", "bz2.BZ2File", "lzma.LZMAFile"),
    *("tempfile.TemporaryFile", "tempfile.NamedTemporaryFile", "tempfile.SpooledTemporaryFile"),
    *("zipfile.ZipFile", "tarfile.open", "tarfile.TarFile", "shelve.open", "dbm.open", "mmap.mmap", "fileinput.input"),
)
_ENDINGS = ("close", "detach", "__exit__", "release", "_close", "shutdown")
_BORROWERS = (
    *(
        f"builtins.{name}"
        for name in ("list", "tuple", "set", "sorted", "enumerate", "sum", "max", "min", "dict", "any")
    ),
    *(f"builtins.{name}" for name in ("all", "iter", "next", "print", "len", "map", "filter", "zip", "str")),
    *("json.load", "json.dump", "pickle.load", "pickle.dump", "marshal.load", "marshal.dump", "plistlib.load"),
    *("yaml.load", "yaml.safe_load", "yaml.load_all", "yaml.dump", "yaml.safe_dump", "toml.load", "tomllib.load"),
    *("tomli.load", "csv.reader", "csv.DictReader", "csv.writer", "csv.DictWriter", "shutil.copyfileobj", "ujson.load"),
    *("simplejson.load", "simplejson.dump", "email.message_from_file", "email.message_from_binary_file", "str.join"),
    *("pandas.read_csv", "numpy.load", "torch.load", "joblib.load"),
)


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or ctx.qualified(node.func) not in _OPENERS or _is_only_once(node, ctx):
        return None
    if any(argument.keyword is not None and argument.keyword.value == "fileobj" for argument in node.args):
        # it reads another's file, or memory
        return None
    if ctx.kept_once(node) or not ctx.abandoned(node, _ENDINGS, _BORROWERS):
        return None
    callee = " ".join(ctx.code(node.func).split())
    return Match(f"the file that `{callee}` opens is left for the garbage collector to close", (Plant("file", node),))


def _is_only_once(node: cst.CSTNode, ctx: Context) -> bool:
    return ctx.function(node) is None or ctx.runs_once(node)


_NO_WITH = ("tempfile.NamedTemporaryFile", "tempfile.TemporaryFile", "tempfile.SpooledTemporaryFile", "fileinput.input")
_LAZY = frozenset(
    (
        *(f"builtins.{name}" for name in ("iter", "map", "filter", "zip", "enumerate")),
        *("csv.reader", "csv.DictReader", "csv.writer", "csv.DictWriter", "yaml.load_all"),
    )
)
_EAGER = frozenset(
    f"builtins.{name}" for name in ("list", "tuple", "set", "dict", "sorted", "sum", "any", "all", "min", "max", "len")
)


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    if not isinstance(node, cst.Call) or ctx.qualified(node.func) in _NO_WITH:
        return None
    code = edits.code(node.with_changes(lpar=(), rpar=())).strip()
    match ctx.parent(node):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]) as assign:
            return _fix_named(assign, name, code, ctx, edits)
        case _:
            pass
    statement = _statement(node, ctx)
    if statement is None or not _is_done_with(node, statement, ctx):
        return None
    file = edits.free("file")
    edits.replace(node, file)
    edits.enclose(statement, statement, f"with {code} as {file}:")
    return Safety.UNSAFE


def _fix_named(assign: cst.Assign, name: cst.Name, code: str, ctx: Context, edits: Edits) -> Safety | None:
    line = ctx.parent(assign)
    block = None if line is None else ctx.parent(line)
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1 or not isinstance(block, cst.IndentedBlock):
        return None
    function = ctx.function(assign)
    uses = [use for use in ctx.uses(name.value, function) if use is not name]
    if len(ctx.stores(name.value, function)) != 1 or not uses:
        return None
    below = list(block.body)[[one is line for one in block.body].index(True) + 1 :]
    last = None
    for use in uses:
        statement = next((one for one in below if one in ctx.ancestors(use)), None)
        if statement is None or ctx.function(use) is not function or not _is_done_with(use, statement, ctx):
            return None
        if last is None or below.index(statement) > below.index(last):
            last = statement
    assert last is not None
    edits.replace(assign, f"with {code} as {name.value}:")
    edits.indent(below[0], last)
    return Safety.UNSAFE


def _statement(node: cst.CSTNode, ctx: Context) -> cst.CSTNode | None:
    """The statement to put below a `with`: it holds the node, and evaluates it first, once, and in any case."""
    child = node
    for parent in ctx.ancestors(node):
        match parent:
            case cst.SimpleStatementLine():
                return parent if len(parent.body) == 1 else None
            case cst.For():
                return parent if child is parent.iter and parent.asynchronous is None else None
            case cst.CompFor():
                if child is not parent.iter:
                    return None
            case cst.BaseComp():
                if not isinstance(child, cst.CompFor) or child is not parent.for_in:
                    return None
            case cst.Lambda() | cst.BooleanOperation() | cst.IfExp() | cst.BaseCompoundStatement():
                return None
            case _:
                pass
        child = parent
    return None


def _is_done_with(use: cst.CSTNode, statement: cst.CSTNode, ctx: Context) -> bool:
    """Whether nothing reads from the file once the statement is over."""
    node = use
    for parent in ctx.ancestors(use):
        match parent:
            case cst.Attribute():
                return isinstance(ctx.parent(parent), cst.Call)
            case cst.Arg():
                pass
            case cst.Call() if parent.func is not node:
                if ctx.qualified(parent.func) not in _LAZY:
                    return True
            case cst.For():
                return parent.iter is node and (parent is statement or statement in ctx.ancestors(parent))
            case cst.CompFor():
                comprehension = next(one for one in ctx.ancestors(parent) if isinstance(one, cst.BaseComp))
                return not isinstance(comprehension, cst.GeneratorExp) or _is_used_up(comprehension, ctx)
            case _:
                return False
        node = parent
    return False


def _is_used_up(generator: cst.GeneratorExp, ctx: Context) -> bool:
    argument = ctx.parent(generator)
    call = None if argument is None else ctx.parent(argument)
    if not isinstance(argument, cst.Arg) or not isinstance(call, cst.Call):
        return False
    return ctx.qualified(call.func) in _EAGER or (
        isinstance(call.func, cst.Attribute) and call.func.attr.value in ("join", "update", "extend")
    )


RULE = Rule(
    id="unclosed-file",
    title="File that is never closed",
    kind=Kind.LEAK,
    page=Page(
        what=(
            "A file opened in a function that has it to itself and does not close it: `open(path).read()`,"
            " `json.load(open(path))`, `for line in open(path)`, or a local name that is used and forgotten. Opened"
            " with `with`, closed, returned, stored or passed to unknown code it is not flagged; nor is code that runs"
            " once."
        ),
        why=(
            "The descriptor stays open until the object is collected. Where something holds it (a cycle, a traceback, a"
            " generator that was not exhausted), and always on interpreters without reference counts, descriptors add"
            " up until `open` fails with `EMFILE`; what was written may still sit in a buffer."
        ),
        harmless=(
            "On CPython, when nothing else refers to the file: it is closed at the end of the statement or function."
            " Then the census shows none open, and the matter is one of style (SIM115)."
        ),
        measured=(
            "A census of the files opened here: how many, how many still open at once and at the end. Confirmed when"
            " they pile up; rejected when all of many were closed."
        ),
        fix="Use `with open(path) as file:`, or `Path.read_text()` and `Path.read_bytes()`, which close it.",
        references=(
            "ansible-core 2.19.14, ansible/galaxy/role.py:337: an archive, whose members refer back to it",
            "discord.py 2.7.1, discord/utils.py:1285: harmless on CPython, collected with the expression",
            "ruff SIM115",
            "pylint R1732",
        ),
    ),
    triggers=(Calls((*_OPENERS, ".open"), Where(function=True)),),
    expects=Survivors(noun="files"),
    check=check,
    valid=(
        "def load(path):\n    with open(path) as file:\n        return file.read()\n",
        "def load(path):\n    file = open(path)\n    try:\n        return file.read()\n    finally:\n"
        "        file.close()\n",
        "def source(path):\n    file = open(path)\n    file.seek(10)\n    return file\n",
        "class Log:\n    def start(self, path):\n        self.file = open(path, 'a')\n",
        "def load(path):\n    file = open(path)\n    return parse(file)\n",
        "from pathlib import Path\n\ndef load(path):\n    return Path(path).read_text()\n",
        "import gzip\nimport io\n\ndef unpack(data):\n    file = gzip.GzipFile(fileobj=io.BytesIO(data))\n"
        "    return file.read()\n",
        "import webbrowser\n\ndef show(url):\n    webbrowser.open(url)\n",
        "def main():\n    text = open('settings').read()\n    print(text)\n",
    ),
    invalid=(
        "def load(path):\n    return open(path).read()\n",
        "import json\n\ndef load(path):\n    return json.load(open(path))\n",
        "def count(path):\n    lines = 0\n    for line in open(path):\n        lines += 1\n    return lines\n",
        "from pathlib import Path\n\ndef load(name):\n    path = Path(name)\n    file = path.open()\n"
        "    return file.readline()\n",
        "import gzip\nimport pickle\n\ndef load(path):\n    file = gzip.open(path)\n    return pickle.load(file)\n",
        "import csv\n\ndef rows(path):\n    return [row for row in csv.reader(open(path))]\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "The file is closed at the end of the `with`, where it was closed when the collector came to it: what"
            " still reads from it behind that fails. There is no fix where it is read lazily (`map`, a generator,"
            " a `csv.reader` with a name), opened on a condition only, or used out of its block, and for temporary"
            " files, which closing removes."
        ),
        fixed=(
            "def load(path):\n    with open(path) as file:\n        return file.read()\n",
            "import json\n\ndef load(path):\n    with open(path) as file:\n        return json.load(file)\n",
            "def count(path):\n    lines = 0\n    with open(path) as file:\n        for line in file:\n"
            "            lines += 1\n    return lines\n",
            "from pathlib import Path\n\ndef load(name):\n    path = Path(name)\n    with path.open() as file:\n"
            "        return file.readline()\n",
            "import gzip\nimport pickle\n\ndef load(path):\n    with gzip.open(path) as file:\n"
            "        return pickle.load(file)\n",
            "import csv\n\ndef rows(path):\n    with open(path) as file:\n"
            "        return [row for row in csv.reader(file)]\n",
        ),
    ),
)
