"""A whole file taken into memory in order to look at it line by line."""

from __future__ import annotations

from auditor import cst
from auditor.model import Cost
from auditor.rule import Calls, Context, Edits, Fixer, Kind, Match, Page, Plant, Rule, Safety

_PASSED_THROUGH = ("builtins.enumerate", "builtins.iter", "builtins.zip", "builtins.map", "builtins.filter")
_IN_MEMORY = ("io.StringIO", "io.BytesIO", "StringIO.StringIO")


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    lines = _lines(node, ctx)
    if lines is None or not _is_only_iterated(lines, ctx):
        return None
    message = f"`{' '.join(ctx.code(lines).split())}` holds the whole file while its lines are looked at one by one"
    return Match(message, (Plant("timed", lines),), lines)


def _lines(node: cst.CSTNode, ctx: Context) -> cst.Call | None:
    """The call that yields the lines of what the node reads to its end."""
    match node:
        case cst.Call(func=cst.Attribute(value=file, attr=cst.Name(value=method)), args=arguments):
            # a size or hint bounds what is read
            if ctx.type_of(file) in _IN_MEMORY or (arguments and method in ("read", "readlines")):
                return None
            return node if method == "readlines" else _split(node, ctx) or _split_by_name(node, ctx)
    return None


def _split_by_name(read: cst.Call, ctx: Context) -> cst.Call | None:
    """The call that splits the text into lines, where it has a name of which nothing else is used."""
    function, statement = ctx.function(read), ctx.parent(read)
    match statement:
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=text) as name)]) if function is not None:
            uses = [use for use in ctx.uses(text, function) if use is not name]
        case _:
            return None
    if len(uses) != 1 or list(ctx.loops(read)) != list(ctx.loops(_iterated_from(uses[0], ctx))):
        return None
    return _split_of(uses[0], ctx)


def _iterated_from(use: cst.Name, ctx: Context) -> cst.CSTNode:
    """The loop that goes through what is made of the name, or the name."""
    found = next((parent for parent in ctx.ancestors(use) if isinstance(parent, cst.For | cst.BaseComp)), None)
    return use if found is None else found


def _split(read: cst.Call, ctx: Context) -> cst.Call | None:
    """The call that splits into lines what `read` yields, decoded or not."""
    return _split_of(read, ctx)


def _split_of(read: cst.BaseExpression, ctx: Context) -> cst.Call | None:
    owner = ctx.parent(read)
    call = None if owner is None else ctx.parent(owner)
    match call:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=method)) as function) if function is owner:
            if method in ("decode", "strip", "rstrip"):
                return _split(call, ctx)
            return call if method == "splitlines" or (method == "split" and _is_at_line_ends(call)) else None
    return None


def _is_at_line_ends(call: cst.Call) -> bool:
    match call.args:
        case [cst.Arg(value=cst.SimpleString() as separator)]:
            return separator.evaluated_value in ("\n", b"\n")
    return False


def _is_only_iterated(call: cst.Call, ctx: Context) -> bool:
    """Whether a loop runs over the lines, and nothing else needs them."""
    if _is_iterable(call, ctx):
        return True
    function = ctx.function(call)
    match ctx.parent(call):
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name() as name)]):
            uses = [use for use in ctx.uses(name.value, function) if use is not name]
        case _:
            return False
    # what stands in a loop of its own is run over several times
    return function is not None and len(uses) == 1 and _is_iterable(uses[0], ctx) and _is_beside(call, uses[0], ctx)


def _is_iterable(value: cst.BaseExpression, ctx: Context) -> bool:
    node: cst.CSTNode = value
    for parent in ctx.ancestors(value):
        match parent:
            case cst.For(iter=iterable) | cst.CompFor(iter=iterable):
                return iterable is node
            case cst.Call(func=function) if function is not node and ctx.qualified(function) in _PASSED_THROUGH:
                node = parent
            case cst.Arg(star=""):
                pass
            case _:
                return False
    return False


def _is_beside(call: cst.Call, use: cst.Name, ctx: Context) -> bool:
    return list(ctx.loops(call)) == list(ctx.loops(use))


_HARMLESS_METHODS = frozenset(
    """strip rstrip lstrip removeprefix removesuffix lower upper casefold title startswith endswith split rsplit
    partition rpartition replace isdigit isalpha isspace isalnum isupper islower""".split()  # noqa: SIM905
)

_COLLECTIONS = ("builtins.list", "builtins.set")


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    match node:
        case cst.Call(func=cst.Attribute(value=file, attr=cst.Name(value="readlines")), args=[]):
            pass
        case _:
            return None
    loop = next((parent for parent in ctx.ancestors(node) if isinstance(parent, cst.For | cst.CompFor)), None)
    around: cst.CSTNode | None = loop
    if isinstance(loop, cst.CompFor):
        around = next(parent for parent in ctx.ancestors(loop) if isinstance(parent, cst.BaseComp))
    if loop is None or around is None or node not in set(ctx.descendants(loop.iter)):
        return None
    if not isinstance(file, cst.Name) or len(ctx.uses(file.value, around)) != 1:
        # a turn that reads on, or asks for the position, would notice
        return None
    opened = _opened_with(file, ctx)
    if opened is None or (isinstance(loop, cst.For) and _leaves(loop, ctx) and _used_below(file, loop, ctx)):
        return None
    edits.replace(node, file.value)
    alone = loop.iter is node and ctx.opens_to_read(opened) and not isinstance(around, cst.GeneratorExp)
    return Safety.SAFE if alone and _only_computes(around, node, ctx) else Safety.UNSAFE


def _opened_with(file: cst.Name, ctx: Context) -> cst.Call | None:
    """The call of `open` whose file the name is, in a `with` around it and bound there alone."""
    function = ctx.function(file)
    if function is None or len(ctx.stores(file.value, function)) != 1:
        return None
    for parent in ctx.ancestors(file):
        if isinstance(parent, cst.With) and parent.asynchronous is None:
            for item in parent.items:
                bound = item.asname is not None and ctx.code(item.asname.name).strip() == file.value
                if bound and isinstance(item.item, cst.Call):
                    return item.item if ctx.type_of(file) == "io.TextIOWrapper" else None
    return None


def _leaves(loop: cst.For, ctx: Context) -> bool:
    return any(isinstance(part, cst.Break) for part in ctx.descendants(loop.body))


def _used_below(file: cst.Name, loop: cst.For, ctx: Context) -> bool:
    uses = list(ctx.uses(file.value, ctx.function(file)))
    return uses[-1] is not file


def _only_computes(around: cst.CSTNode, lines: cst.CSTNode, ctx: Context) -> bool:
    """Whether the turns do nothing but handle texts, cannot fail, and leave nothing behind if reading fails."""
    withs = [parent for parent in ctx.ancestors(around) if isinstance(parent, cst.With)]
    if len(withs) != 1 or len(withs[0].items) != 1:
        # another one may swallow the error, and what was collected until then would be seen
        return False
    if any(isinstance(parent, cst.Try | cst.TryStar) for parent in ctx.ancestors(around)):
        return False
    own = set(ctx.descendants(lines))
    return all(_is_harmless(part, around, ctx) for part in ctx.descendants(around) if part not in own)


def _is_harmless(part: cst.CSTNode, around: cst.CSTNode, ctx: Context) -> bool:
    match part:
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value=method))):
            if method in ("append", "add"):
                return isinstance(owner, cst.Name) and _is_own_collection(owner, around, ctx)
            return method in _HARMLESS_METHODS and _is_text(owner, around, ctx)
        case cst.Call(func=function):
            return ctx.qualified(function) in ("builtins.len", "builtins.bool", "builtins.enumerate")
        case cst.ComparisonTarget(comparator=other):
            return ctx.is_constant(other)
        case cst.Subscript(value=value, slice=[cst.SubscriptElement(slice=cst.Slice())]):
            return _is_text(value, around, ctx)
        case cst.Assign(targets=targets):
            return all(isinstance(target.target, cst.Name) for target in targets)
        case cst.Subscript() | cst.BinaryOperation() | cst.AugAssign() | cst.Await() | cst.Yield() | cst.Raise():
            return False
        case cst.With() | cst.Try() | cst.Del() | cst.Return() | cst.Assert() | cst.Break() | cst.Import():
            return False
    return True


def _is_text(value: cst.BaseExpression, around: cst.CSTNode, ctx: Context) -> bool:
    """Whether it is a line of the file, or was made of one: what a harmless call or slice gives is judged by itself."""
    match value:
        case cst.Call() | cst.Subscript() | cst.SimpleString():
            return True
        case cst.Name(value=name):
            stores = ctx.stores(name, ctx.function(value))
            inside = ctx.stores(name, around)
            turned = (cst.For, cst.CompFor)
            made = [s for s in inside if isinstance(s, cst.Assign) and isinstance(s.value, cst.Call | cst.Subscript)]
            return len(stores) == len(inside) == len(made) + sum(isinstance(store, turned) for store in inside)
    return False


def _is_own_collection(name: cst.Name, around: cst.CSTNode, ctx: Context) -> bool:
    """Whether it is a list or set that the function itself made, bound once and used by nothing ahead of the loop."""
    function = ctx.function(name)
    match ctx.stores(name.value, function):
        case [cst.Assign(value=cst.List() | cst.Set() | cst.ListComp() | cst.SetComp())]:
            pass
        case [cst.Assign(value=cst.Call(func=made, args=[]))] if ctx.qualified(made) in _COLLECTIONS:
            pass
        case _:
            return False
    uses = ctx.uses(name.value, function)
    return ctx.home(name) is None and len(uses) > 1 and uses[1] in set(ctx.descendants(around))


RULE = Rule(
    id="readlines-whole-file",
    title="Whole file held in memory to go through its lines",
    kind=Kind.ALLOCATION,
    page=Page(
        what=(
            '`f.readlines()`, `f.read().splitlines()`, `f.read().split("\\n")` and the same after `Path.read_text()`,'
            " where a loop or comprehension runs over the lines once, directly or by way of one local name that"
            " nothing else uses. `readlines(hint)` and `read(size)` are bounded, and what is an `io.StringIO` or"
            " `io.BytesIO` is in memory anyway: these are not flagged."
        ),
        why=(
            "All lines exist at once, each as an object of its own: a text file takes several times its size in"
            " memory, and the first line waits for the last one to be read."
        ),
        harmless=(
            "When the file is small, as configuration files are; reading it in one go is even slightly faster then."
            " Where the loop writes to the file, or the file is closed before the loop, the copy is needed."
            " `splitlines()` also splits at form feeds and other separators, which a file does not."
        ),
        measured=(
            "The call's part in the memory peak: confirmed when the bytes held there and their share of it are"
            " considerable. Seconds are shown and decide nothing, since going through the file line by line takes as"
            " long."
        ),
        fix="Run over the file itself: `for line in f:`. Each line keeps its line end, as with `readlines()`.",
        references=(
            "True: ansible-core 2.19.14, ansible/modules/wait_for.py:391, all connections of the machine, at each poll",
            "Harmless: CPython 3.11.7, Lib/turtle.py:175, a configuration file of some twenty lines",
        ),
    ),
    triggers=(Calls((".readlines", ".read", ".read_text", ".read_bytes")),),
    expects=Cost(memory=True, time=False),
    check=check,
    valid=(
        "def f(path):\n    with open(path) as file:\n        for line in file:\n            print(line)\n",
        # needed as a list
        "def f(path):\n    lines = open(path).readlines()\n    for line in lines:\n        print(line, len(lines))\n",
        "def f(path):\n    return open(path).readlines()\n",
        # bounded
        "def f(file):\n    for line in file.readlines(65536):\n        print(line)\n",
        "def f(file):\n    for line in file.read(100).split('\\n'):\n        print(line)\n",
        # run over once for each name
        "def f(path, names):\n    lines = open(path).readlines()\n    for name in names:\n"
        "        for line in lines:\n            print(name in line)\n",
        # in memory anyway
        "import io\n\ndef f(text):\n    for line in io.StringIO(text).readlines():\n        print(line)\n",
        "def f(text):\n    for line in text.splitlines():\n        print(line)\n",
        # not by lines
        "def f(file):\n    for word in file.read().split():\n        print(word)\n",
    ),
    invalid=(
        "def f(path):\n    with open(path) as file:\n        return [line.strip() for line in file.readlines()]\n",
        "def f(path):\n    with open(path) as file:\n        for line in file.readlines():\n            print(line)\n",
        "def f(path):\n    with open(path) as file:\n        lines = file.readlines()\n    for line in lines:\n"
        "        print(line)\n",
        "def f(path):\n    return [line.strip() for line in path.read_text().splitlines()]\n",
        "def f(path):\n    for number, line in enumerate(open(path).read().split('\\n')):\n"
        "        print(number, line)\n",
        "def f(path):\n    for line in path.open('rb').read().decode().splitlines():\n        print(line)\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "The fix is safe where the turns of the loop only take texts apart and collect them. Elsewhere turns"
            " run before the rest of the file is read: they see what is written to it meanwhile, and where reading"
            " fails half-way, they have run. It is made for a file of a `with open(...)` that the loop uses"
            " nowhere else; `splitlines` and `split` have none, since they drop the line ends."
        ),
        fixed=(
            "def f(path):\n    with open(path) as file:\n        return [line.strip() for line in file]\n",
            "def f(path):\n    with open(path) as file:\n        for line in file:\n            print(line)\n",
            None,
            None,
            None,
            None,
        ),
    ),
)
