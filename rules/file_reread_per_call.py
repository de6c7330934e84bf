"""A file that is read again at every call."""

from __future__ import annotations

from auditor import cst
from auditor.model import Repetition
from auditor.rule import Calls, Context, Kind, Match, Page, Plant, Rule, Where

_OPENERS = ("builtins.open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "pathlib.Path.open")
_RESOURCES = ("importlib.resources.read_text", "importlib.resources.read_binary", "pkgutil.get_data")
"""Functions that read a file by the package in which it lies and its name there."""
_READS = ("pathlib.Path.read_text", "pathlib.Path.read_bytes", *_RESOURCES)
_SYSTEM = ("/proc/", "/sys/", "/dev/")
"""Files whose content changes by itself."""


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call) or ctx.function(node) is None or ctx.runs_once(node):
        return None
    name = ctx.qualified(node.func)
    if name not in _READS and not ctx.opens_to_read(node):
        return None
    parts = _path_of(node, name, ctx)
    if not parts or not all(ctx.is_settled(part) for part in parts):
        return None
    text = " ".join(ctx.code(parts[-1]).split())
    if any(place in text for place in _SYSTEM):
        return None
    reads = [call for call in _readers(node, name, ctx) if call is not node]
    if ctx.kept_once(node) or any(ctx.kept_once(call) for call in reads):
        return None
    plants = tuple(Plant("repeated", part) for part in (node, *reads, *_read_by_lines(node, ctx)))
    return Match(f"the file `{text}` is read anew at every call", plants)


def _path_of(call: cst.Call, name: str | None, ctx: Context) -> list[cst.BaseExpression]:
    """What says which file is read: a path, or a package and what lies in it; the last part is what it is known by."""
    if name in _RESOURCES:
        parts = [ctx.argument(call, 0, "package"), ctx.argument(call, 1, "resource")]
        return [part for part in parts if part is not None] if None not in parts else []
    if isinstance(call.func, cst.Attribute) and (name or "").startswith("pathlib."):
        return [call.func.value]
    return [argument.value for argument in call.args[:1]]


def _read_by_lines(call: cst.Call, ctx: Context) -> list[cst.Name]:
    """The names in loops that go through the lines of the file that the call opens."""
    match ctx.parent(call):
        case cst.WithItem(asname=cst.AsName(name=cst.Name() as name)):
            pass
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]):
            pass
        case _:
            return []
    block = next((parent for parent in ctx.ancestors(name) if isinstance(parent, cst.With | cst.BaseSuite)), None)
    return [use for use in ctx.uses(name.value, block) if _is_gone_through(use, ctx)]


def _is_gone_through(use: cst.Name, ctx: Context) -> bool:
    around = ctx.parent(use)
    return isinstance(around, cst.For | cst.CompFor) and around.iter is use


def _readers(call: cst.Call, name: str | None, ctx: Context) -> list[cst.Call]:
    """The calls that take the content: what reads or parses the open file, or is handed the text at once."""
    if name not in _READS:
        return list(ctx.reads_of(call))
    argument = ctx.parent(call)
    around = None if argument is None else ctx.parent(argument)
    return [around] if isinstance(argument, cst.Arg) and isinstance(around, cst.Call) else []


RULE = Rule(
    id="file-reread-per-call",
    title="File read again at every call",
    kind=Kind.REUSE,
    page=Page(
        what=(
            "`open` for reading, `Path.read_text`, `Path.read_bytes` or `pkgutil.get_data` in a function that may run"
            " many times, of a path that stays the same: a literal, a name bound outside every function, an attribute"
            " that only the constructor sets, or a path built of these. The parser that gets the content is measured"
            " with it. Not flagged: code that runs once, that is behind a cache, or that keeps the result in an"
            " attribute behind a guard or at start-up; files of `/proc`, `/sys` and `/dev`, whose content changes by"
            " itself."
        ),
        why=(
            "Opening and reading a file takes some ten microseconds from the page cache and milliseconds from a disk or"
            " network share, and what parses it mostly takes longer. The content is the same as at the last call."
        ),
        harmless=(
            "When the function is called a few times, or when the file may change in between and the caller has to see"
            " it: then a look at its time of modification is cheaper."
        ),
        measured=(
            "Executions on a file that was read before, and the seconds spent in these, parsing included. Confirmed"
            " when the seconds add up."
        ),
        fix=(
            "Read it once at import or start-up, or in a `functools.cache`d function; where it may change, keep it with"
            " the `st_mtime_ns` it had."
        ),
        references=(
            "CPython 3.11.7, xmlrpc/server.py:912: a style sheet for every request",
            "litellm 1.109.1, litellm/containers/endpoint_factory.py:45: harmless, called once, at import",
        ),
    ),
    triggers=(Calls((*_OPENERS, *_READS), Where(function=True)),),
    expects=Repetition(),
    check=check,
    valid=(
        "def read(path):\n    with open(path) as file:\n        return file.read()\n",
        "import json\nfrom functools import lru_cache\n\n@lru_cache\ndef table():\n"
        "    with open('table.json') as file:\n"
        "        return json.load(file)\n",
        "import json\n\nclass Box:\n    def __init__(self):\n        with open('table.json') as file:\n"
        "            self.table = json.load(file)\n",
        "import json\n\n_TABLE = None\n\ndef table():\n    global _TABLE\n    if _TABLE is None:\n"
        "        with open('table.json') as file:\n            _TABLE = json.load(file)\n    return _TABLE\n",
        "def log(line):\n    with open('log.txt', 'a') as file:\n        file.write(line)\n",
        "def load():\n    with open('/proc/self/statm') as file:\n        return file.read()\n",
        "from pathlib import Path\n\nTEXT = Path('x').read_text()\n",
        "def main():\n    print(open('x').read())\n",
        # what is read is another one at each call
        "import pkgutil\n\ndef text(name):\n    return pkgutil.get_data(__package__, name)\n",
    ),
    invalid=(
        "import json\n\ndef setting(key):\n    with open('settings.json') as file:\n"
        "        return json.load(file)[key]\n",
        "from pathlib import Path\n\nPAGE = Path(__file__).parent / 'page.html'\n\ndef page(name):\n"
        "    return PAGE.read_text().format(name=name)\n",
        "import json, os\n\nHERE = os.path.dirname(__file__)\n\ndef words():\n"
        "    return json.load(open(os.path.join(HERE, 'words.json')))\n",
        "import yaml\nfrom pathlib import Path\n\nclass Config:\n    def __init__(self, path: Path):\n"
        "        self.path = path\n\n    def get(self, key):\n"
        "        return yaml.safe_load(self.path.read_text())[key]\n",
        "import pkgutil\n\ndef schema():\n    return pkgutil.get_data(__package__, 'schema.json')\n",
        "def is_stop_word(word):\n    path = 'stop.txt'\n"
        "    return word in open(path, encoding='utf-8').read().split()\n",
    ),
)
