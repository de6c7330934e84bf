"""A test of membership in a list, repeated by a loop."""

from __future__ import annotations

from collections.abc import Collection

from auditor import cst
from auditor.model import Scaling
from auditor.rule import Context, Edits, Fixer, Kind, Loop, Match, Nodes, Page, Plant, Rule, Safety, Where
from auditor.shapes import cannot_be_hashed, is_appended, makes_default

_SMALL_LIST = 8
_SMALL_LOOP = 16
_TABLE = 64


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if not isinstance(node, cst.Comparison) or len(node.comparisons) != 1:
        return None
    (test,) = node.comparisons
    is_values = _is_values(test.comparator, ctx)
    if not isinstance(test.operator, cst.In | cst.NotIn) or not (is_values or ctx.type_of(test.comparator) == "list"):
        return None
    length = ctx.length_of(test.comparator)
    if length is not None and length <= _SMALL_LIST:
        return None
    function = ctx.function(node)
    loops = [loop for loop in ctx.loops(node) if not _is_short(loop, ctx)]
    if not loops and (is_values or ctx.loops(node) or not _is_long(test.comparator, ctx)):
        return None
    if not loops and not ctx.asked_again(node, test.comparator):
        return None
    if loops and _is_made_by(loops[0], test.comparator, ctx):
        return None
    # an item that is looked for in order to append it is the rule quadratic-dedup
    if is_appended(node, loops[0] if loops else function or ctx.root, ctx):
        return None
    name = " ".join(ctx.code(test.comparator).split())
    when = "" if loops else ", each time a loop calls the function"
    kind = "the values of a dict" if is_values else "a list"
    message = f"`{name}` is {kind}, and each `in` walks it until it finds the item{when}"
    return Match(message, (Plant("operator", node),))


def _is_values(container: cst.BaseExpression, ctx: Context) -> bool:
    """Whether it is `table.values()`, which has no keys to look them up by."""
    match container:
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value="values")), args=[]):
            return ctx.type_of(owner) in ("dict", "collections.defaultdict", "collections.OrderedDict", None)
    return False


def _is_long(container: cst.BaseExpression, ctx: Context) -> bool:
    """Whether a list that a function is asked about may be: no table of constants, nor a copy of one."""
    length = ctx.length_of(container)
    # what is empty here is filled elsewhere
    if length is not None:
        return length == 0 or length > _TABLE
    match ctx.bound_to(container):
        case cst.Call(args=[cst.Arg(value=cst.Name() | cst.Attribute())]):
            return False
        case None if isinstance(container, cst.Attribute):
            # as a base class has made it, unless it is seen to grow
            return not set(ctx.read_from(container)).isdisjoint(("append", "extend", "insert"))
    return True


def _is_short(loop: Loop, ctx: Context) -> bool:
    turns = ctx.turns_of(loop)
    return turns is not None and turns <= _SMALL_LOOP


def _is_made_by(loop: Loop, container: cst.BaseExpression, ctx: Context) -> bool:
    """Whether each turn of the loop makes the list, so that walking it costs no more than making it did."""
    repeated: cst.CSTNode = loop
    if isinstance(loop, cst.CompFor):
        repeated = next(parent for parent in ctx.ancestors(loop) if isinstance(parent, cst.BaseComp))
    if isinstance(container, cst.Subscript) and _is_shared(container, loop, ctx):
        container = container.value
    names = [container] if isinstance(container, cst.Name | cst.Attribute) else _names(container, ctx)
    steady = ctx.steady(loop)
    return any(_is_set(ctx.code(name).strip(), repeated, steady, ctx) for name in names)


def _is_shared(entry: cst.Subscript, loop: Loop, ctx: Context) -> bool:
    """Whether several turns may come to the same entry: `groups[row.kind]`, not `groups[name]` of each name."""
    match entry.slice:
        case [cst.SubscriptElement(slice=cst.Index(value=cst.Name(value=name)))]:
            return name not in ctx.binds(loop)
        case [cst.SubscriptElement(slice=cst.Index())]:
            return True
    return False


def _names(container: cst.BaseExpression, ctx: Context) -> list[cst.Name]:
    """The names that the expression takes from around it."""
    names = (node for node in ctx.descendants(container) if isinstance(node, cst.Name))
    return [name for name in names if not ctx.stores(name.value, container)]


def _is_set(name: str, within: cst.CSTNode, steady: Collection[str], ctx: Context) -> bool:
    # `+=` grows the list that is there
    stores = (store for store in ctx.stores(name, within) if not isinstance(store, cst.AugAssign))
    stores = (store for store in stores if not makes_default(store, name, ctx))
    return any(not isinstance(store, cst.Param) or name not in steady for store in stores)


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    assert isinstance(node, cst.Comparison)
    (test,) = node.comparisons
    items = test.comparator
    if not isinstance(items, cst.Name | cst.Attribute | cst.ListComp) or _cannot_be_hashed(node.left, items, ctx):
        return None
    outer = None
    for loop in ctx.loops(node):
        if isinstance(loop, cst.FunctionDef | cst.Lambda) or not ctx.is_unchanged(items, loop):
            break
        outer = loop
    if outer is None:
        return None
    code = ctx.code(items.with_changes(lpar=(), rpar=())).strip()
    match items:
        case cst.Name(value=name) | cst.Attribute(attr=cst.Name(value=name)):
            made, hint = f"{edits.builtin('set')}({code})", f"{name.strip('_').lower()}_set"
        case _:
            made, hint = f"{{{code[1:-1]}}}", "known"
    edits.replace(items, edits.hoist(items, outer, hint, made))
    return Safety.UNSAFE


def _cannot_be_hashed(sought: cst.BaseExpression, items: cst.BaseExpression, ctx: Context) -> bool:
    """Whether what is looked for, or an entry of the list as far as it is seen to be made, is a list, set or dict."""
    known = [sought]
    makers = [items]
    if isinstance(items, cst.Name):
        stores = ctx.stores(items.value, ctx.function(items))
        makers = [store.value for store in stores if isinstance(store, cst.Assign)]
    for made in makers:
        if isinstance(made, cst.ListComp):
            known.append(made.elt)
        elif isinstance(made, cst.List):
            known += [element.value for element in made.elements]
    return any(cannot_be_hashed(one, ctx) for one in known)


RULE = Rule(
    id="list-membership-in-loop",
    title="Membership in a list tested in a loop",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "`x in items` or `x not in items` inside a loop or comprehension, where `items` is proven to be a list, or"
            " is"
            " `table.values()`; or"
            " in a function that loops call, where it is a list of the module, of the object, or one that a loop hands"
            " over at every turn, and no table of constants."
            f" Lists of at most {_SMALL_LIST} entries that never grow are not flagged, nor are loops of at most"
            f" {_SMALL_LOOP} turns, nor lists that each turn makes anew. Sets, dicts and strings never are. Looking for"
            " an item in order to append it is the rule quadratic-dedup."
        ),
        why=(
            "A list is searched from its start, comparing one entry after the other, so n tests against n entries take"
            " n * n comparisons. A set or dict finds an item in the same time whatever its size."
        ),
        harmless=(
            "When the list stays short (below some ten entries it is as fast as a set), when the item mostly stands"
            " near the start, or when few tests are made. Items that cannot be hashed cannot go into a set."
        ),
        measured=(
            "Seconds spent in the test alone, the size of the list before it, and how the cost of a test grows with"
            " that size. Confirmed when the seconds are considerable and the cost grows with the size."
        ),
        fix=(
            "Keep a set beside the list, or instead of it, and test that: `known = set(items)` before the loop. This"
            " needs hashable items, and equal items must have equal hashes."
        ),
        references=(
            "True: pandas 3.1.1, pandas/io/parsers/python_parser.py:1280, each column against the list of columns used",
            "Harmless: CPython 3.11.7, Lib/_pydecimal.py:3956, nine signals against a list of nine",
            "ruff#8322, ruff#9928, ruff#20510",
        ),
    ),
    triggers=(
        Nodes(("Compare",), Where(loop=True), operators=("In", "NotIn")),
        Nodes(("Compare",), Where(often=True), operators=("In", "NotIn")),
    ),
    expects=Scaling(),
    check=check,
    valid=(
        "def f(rows):\n    known = set(rows)\n    return [row for row in rows if row in known]\n",
        "def f(rows, text: str, table: dict[str, int]):\n"
        "    return [row for row in rows if row in text or row in table]\n",
        # short and constant (ruff#8322)
        "KINDS = ['a', 'b', 'c']\n\ndef f(rows):\n    return [row for row in rows if row in KINDS]\n",
        "def f(rows):\n    for row in rows:\n        if row.kind in ['a', 'b']:\n            print(row)\n",
        # one test per call
        "def f(row, known: list[str]):\n    return row in known\n",
        # made by each turn
        "def f(rows):\n    for row in rows:\n        words = row.text.split() if row else [word for word in row]\n"
        "        parts = sorted(words)\n        if 'x' in parts:\n            print(row)\n",
        # not known to be a list
        "def f(rows, known):\n    return [row for row in rows if row in known]\n",
        # the iterable of the loop is evaluated once
        "def f(row, known: list[str]):\n    for part in (row in known, not row):\n        print(part)\n",
        # the loop variable of the comprehension is not the list outside
        "def f(rows, groups):\n    group = []\n    print(group)\n"
        "    return [group for group in groups if rows in group]\n",
        # bound to several lists, all short: sympy 1.14.0, sympy/combinatorics/tests/test_perm_groups.py:1226
        "def f(rows, others):\n    known = ['a', 'b']\n    print([row in known for row in rows])\n"
        "    known = ['c'] + ['d']\n    print([row in known for row in others])\n",
        # made anew for every item
        "def f(rows, tags):\n    return sorted(rows, key=lambda row: 'new' in list(row.tags))\n",
        "def walk(node):\n    names = [child.name for child in node.children]\n    print('x' in names)\n"
        "    for child in node.children:\n        walk(child)\n",
        # once more, not for every item
        "def visit(node, names: list[str]):\n    return node.name in names and visit(node.resolved(), names)\n",
        # bound anew, whatever it was declared as
        "def f(rows, known: list[str]):\n    known = set(known)\n    return [row for row in rows if row in known]\n",
        # the list of each name, gone through once
        "def f(names, groups: dict[str, list[str]]):\n    return [name for name in names if 'a' in groups[name]]\n",
        # another list each time; no loop
        "def has(tag, tags: list[str]):\n    return tag in tags\n\ndef f(rows):\n"
        "    return [row for row in rows if has('new', row.tags)]\n\ndef g(tag, tags: list[str]):\n"
        "    return tag in tags\n",
        # a table of constants, and a copy of one
        "RESERVED = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k']\n\nclass Field:\n"
        "    empty = list(RESERVED)\n\n    def is_empty(self, value):\n"
        "        return value in RESERVED or value in self.empty\n\n    def clean(self, values):\n"
        "        return [value for value in values if not self.is_empty(value)]\n",
        # as a base class has it
        "class Field:\n    empty = list(RESERVED)\n\nclass Name(Field):\n    def is_empty(self, value):\n"
        "        return value in self.empty\n\n    def clean(self, values):\n"
        "        return [value for value in values if not self.is_empty(value)]\n",
    ),
    invalid=(
        "def f(rows, table):\n    return [row for row in rows if row.name in table.values()]\n",
        "def f(rows, known=None):\n    known = known or []\n    return [row for row in rows if row.name in known]\n",
        "def f(rows, known: list[str]):\n    for row in rows:\n        if row in known:\n            print(row)\n",
        "def f(rows, others):\n    known = [other.key for other in others]\n"
        "    return [row for row in rows if row.key not in known]\n",
        "class Walk:\n    def __init__(self):\n        self.seen = []\n\n    def run(self, node):\n"
        "        while node not in self.seen:\n            self.seen.append(node.key)\n            node = node.next\n",
        "KNOWN = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']\n\ndef f(rows):\n"
        "    return any(row in KNOWN for row in rows)\n",
        # short at first, but it grows
        "def f(rows):\n    known = ['a']\n    for row in rows:\n        if row.name in known:\n"
        "            known.append(row.alias)\n    return known\n",
        # made by the outer loop, tested by the inner one
        "def f(groups, rows):\n    for group in groups:\n        names = sorted(group)\n        for row in rows:\n"
        "            if row in names:\n                print(row)\n",
        # made anew for each test, from things that do not change
        "def f(rows, others):\n    for row in rows:\n        if row.key in [other.key for other in others]:\n"
        "            print(row)\n",
        # a function that runs for every item
        "def f(rows, known: list[str]):\n    return sorted(rows, key=lambda row: row.name in known)\n",
        "from functools import partial\n\ndef is_new(known: list[str], row):\n"
        "    return row.name not in known\n\ndef f(rows, known):\n"
        "    return list(filter(partial(is_new, known), rows))\n",
        # calls itself for every item, with the same list
        "def walk(node, hidden: list[str]):\n    if node.name in hidden:\n        return\n    print(node)\n"
        "    for child in node.children:\n        walk(child, hidden)\n",
        # a list, whatever is split
        "def f(rows, text):\n    stop = text.split()\n    return [row for row in rows if row not in stop]\n",
        # a list that many items come to
        "from collections import defaultdict\n\ndef f(rows):\n    groups = defaultdict(list)\n"
        "    for row in rows:\n        if row.id in groups[row.kind]:\n"
        "            groups[row.kind].append(row.parent)\n",
        # in a function that a loop calls
        "BLOCKED = []\n\ndef block(word):\n    BLOCKED.append(word)\n\ndef is_blocked(word):\n"
        "    return word.lower() in BLOCKED\n\ndef f(words):\n"
        "    return [word for word in words if not is_blocked(word)]\n",
        "def is_known(word, known: list[str]):\n    return word in known\n\ndef f(words, known: list[str]):\n"
        "    for word in words:\n        if is_known(word, known):\n            print(word)\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "Items that cannot be hashed raise `TypeError`; items that are equal without equal hashes are no"
            " longer found. The set is made even if the loop has no turn, and does not follow what code out of"
            " sight does to the list. There is no fix where the loop changes the list, or a condition in it looks"
            " at the list."
        ),
        fixed=(
            None,
            "def f(rows, known=None):\n    known = known or []\n    known_set = set(known)\n"
            "    return [row for row in rows if row.name in known_set]\n",
            "def f(rows, known: list[str]):\n    known_set = set(known)\n    for row in rows:\n"
            "        if row in known_set:\n            print(row)\n",
            "def f(rows, others):\n    known = [other.key for other in others]\n    known_set = set(known)\n"
            "    return [row for row in rows if row.key not in known_set]\n",
            None,
            "KNOWN = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']\n\ndef f(rows):\n"
            "    known_set = set(KNOWN)\n    return any(row in known_set for row in rows)\n",
            None,
            "def f(groups, rows):\n    for group in groups:\n        names = sorted(group)\n"
            "        names_set = set(names)\n        for row in rows:\n            if row in names_set:\n"
            "                print(row)\n",
            None,
            None,
            None,
            None,
            "def f(rows, text):\n    stop = text.split()\n    stop_set = set(stop)\n"
            "    return [row for row in rows if row not in stop_set]\n",
            None,
            None,
            None,
        ),
    ),
)
