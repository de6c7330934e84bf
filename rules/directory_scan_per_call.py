"""A directory that is listed again and again."""

from __future__ import annotations

from auditor import cst
from auditor.model import Repetition
from auditor.rule import Calls, Context, Kind, Loop, Match, Page, Plant, Rule, Where

_FUNCTIONS = ("os.listdir", "os.walk", "os.scandir", "glob.glob", "glob.iglob")
_METHODS = tuple(f"pathlib.Path.{name}" for name in ("iterdir", "glob", "rglob", "walk"))
_TAKERS = tuple(
    f"builtins.{name}" for name in ("list", "sorted", "set", "tuple", "sum", "any", "all", "max", "min", "next")
)
_SYSTEM = ("/proc", "/sys", "/dev")
"""Directories whose content changes by itself."""


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Call):
        return None
    name = ctx.qualified(node.func)
    if name not in _FUNCTIONS and name not in _METHODS:
        return None
    parts = [argument.value for argument in node.args]
    if name in _METHODS and isinstance(node.func, cst.Attribute):
        parts.append(node.func.value)
    where = " ".join(ctx.code(parts[-1] if name in _METHODS else parts[0]).split()) if parts else "."
    loops = ctx.repeating(node)
    if where.strip("'\"").startswith(_SYSTEM) or (loops and _may_change(loops[0], ctx)):
        return None
    plants = (Plant("repeated", _taker(node, ctx)),)
    if loops and all(ctx.is_constant(part) or ctx.is_unchanged(part, loops[0], immutable=True) for part in parts):
        return Match(f"`{where}` is listed at every turn of the loop", plants)
    if ctx.function(node) is None or ctx.runs_once(node) or not all(ctx.is_settled(part) for part in parts):
        return None
    return None if ctx.kept_once(node) else Match(f"`{where}` is listed anew at every call of the function", plants)


def _may_change(loop: Loop, ctx: Context) -> bool:
    """Whether the loop is there to wait for the directory to change."""
    return isinstance(loop, cst.While) or ctx.is_paced(loop)


def _taker(call: cst.Call, ctx: Context) -> cst.Call:
    """The call that takes all entries, as some listings are lazy; else the listing itself."""
    argument = ctx.parent(call)
    around = None if argument is None else ctx.parent(argument)
    taken = isinstance(argument, cst.Arg) and isinstance(around, cst.Call) and ctx.qualified(around.func) in _TAKERS
    return around if taken and isinstance(around, cst.Call) else call


RULE = Rule(
    id="directory-scan-per-call",
    title="Directory listed again and again",
    kind=Kind.REUSE,
    page=Page(
        what=(
            "`os.listdir`, `os.walk`, `os.scandir`, `glob.glob`, `Path.iterdir`, `Path.glob` and the like on a"
            " directory"
            " that stays the same: at every call of a function that may run many times (a literal, a name bound outside"
            " every function, an attribute that only the constructor sets), or at every turn of a loop that does not"
            " change it. Not flagged: code that runs once or that is behind a cache, loops that wait, `/proc` and"
            " `/sys`."
        ),
        why=(
            "A listing asks the file system for every entry, a recursive one for every entry of every directory below:"
            " milliseconds for some thousand files, seconds on a network share."
        ),
        harmless=(
            "When the directory is small, or its content changes and the caller has to see it; when the function is"
            " called once per run or per request of a person."
        ),
        measured="Executions on a directory listed before, and the seconds spent in these. Confirmed when they add up.",
        fix=(
            "List it once, before the loop or at start-up, and keep what is looked for in a dict. Where it may change,"
            " ask for the one file (`path.exists()`), or compare the directory's `st_mtime_ns` first."
        ),
        references=(
            "ansible-core 2.19.14, ansible/plugins/cache/__init__.py:204: the whole cache at every call of `keys`",
            "homeassistant 2024.3.3, homeassistant/scripts/__init__.py:25: harmless, once per command",
        ),
    ),
    triggers=(
        Calls((*_FUNCTIONS, *_METHODS), Where(function=True)),
        Calls((*_FUNCTIONS, *_METHODS), Where(loop=True)),
    ),
    expects=Repetition(),
    check=check,
    valid=(
        "import os\n\ndef names(folder):\n    return os.listdir(folder)\n",
        "from pathlib import Path\n\nRULES = sorted(Path(__file__).parent.glob('*.py'))\n",
        "from functools import cache\nfrom pathlib import Path\n\n@cache\ndef rules():\n"
        "    return sorted(Path('rules').glob('*.py'))\n",
        # waits for a file
        "import os, time\n\ndef wait(folder):\n    while not os.listdir(folder):\n        time.sleep(1)\n",
        "import os\n\ndef tree(folders):\n    for folder in folders:\n        print(folder, os.listdir(folder))\n",
        "import os\n\ndef processes():\n    return [int(name) for name in os.listdir('/proc') if name.isdigit()]\n",
        # the iterable of the loop is evaluated once
        "import os\n\ndef main(folder):\n    for name in os.listdir(folder):\n        print(name)\n",
        "def f(matcher, rows):\n    return [matcher.glob('*.py') for row in rows]\n",
    ),
    invalid=(
        "import os\n\nPLUGINS = 'plugins'\n\ndef find(name):\n"
        "    return [file for file in os.listdir(PLUGINS) if file.startswith(name)]\n",
        "import os\n\ndef missing(folder, names):\n"
        "    return [name for name in names if name not in os.listdir(folder)]\n",
        "from pathlib import Path\n\nclass Store:\n    def __init__(self, root: Path):\n        self.root = root\n\n"
        "    def count(self):\n        return len(list(self.root.rglob('*.json')))\n",
        "import glob\n\ndef latest():\n    return max(glob.glob('runs/*.log'))\n",
        "from pathlib import Path\n\ndef pair(rows, folder: Path):\n    for row in rows:\n"
        "        for file in folder.iterdir():\n            print(row, file)\n",
    ),
)
