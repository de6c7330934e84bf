"""Duplicates found by comparing everything with everything."""

from __future__ import annotations

from collections.abc import Iterator

from auditor import cst
from auditor.model import Scaling
from auditor.rule import Context, Edits, Fixer, Kind, Loop, Match, Nodes, Page, Plant, Rule, Safety, Where
from auditor.shapes import (
    Pass,
    Side,
    any_pair,
    cannot_be_hashed,
    is_appended,
    is_stretch,
    makes_default,
    only_continues,
    pairs,
    pass_of,
    sought_in,
)

_SMALL = 16


def check(node: cst.CSTNode, ctx: Context) -> Match | None:
    if isinstance(node, cst.Comparison):
        return _check_list(node, ctx)
    if isinstance(node, cst.For):
        return _check_loops(node, ctx)
    return None


# ------------------------------------------------------------------------------------------------
# `if x not in out: out.append(x)`


def _check_list(node: cst.Comparison, ctx: Context) -> Match | None:
    if len(node.comparisons) != 1:
        return None
    (test,) = node.comparisons
    out = test.comparator
    # what has an `append` is searched from its start, whether list or deque, unless it is known to be something else
    if not isinstance(test.operator, cst.In | cst.NotIn) or ctx.type_of(out) not in ("list", None):
        return None
    name = " ".join(ctx.code(out).split())
    loop = next((loop for loop in ctx.loops(node) if not _is_short(loop, ctx)), None)
    if loop is None:
        return _check_called(node, out, name, ctx)
    if is_stretch(out, loop, ctx):
        return Match(f"`{name}` is copied and walked for each item", (Plant("operator", node),))
    whole: cst.CSTNode = loop
    while isinstance(whole, cst.CompFor):
        whole = ctx.parent(whole) or ctx.root
    if ctx.is_constant(sought_in(node)) or not is_appended(node, loop, ctx) or _is_renewed(out, loop, whole, ctx):
        return None
    message = f"`{name}` is a list that is walked for each item before the item is appended to it"
    return Match(message, (Plant("operator", node),))


def _check_called(node: cst.Comparison, out: cst.BaseExpression, name: str, ctx: Context) -> Match | None:
    """`if x not in self.out: self.out.append(x)`, in a function that loops call."""
    function = ctx.function(node)
    if not isinstance(function, cst.FunctionDef) or ctx.loops(node) or not is_appended(node, function, ctx):
        return None
    if not ctx.asked_again(node, out):
        return None
    when = f"each time a loop calls `{function.name.value}`"
    message = f"`{name}` is a list that is walked {when} before the item is appended to it"
    return Match(message, (Plant("operator", node),))


def _is_renewed(container: cst.BaseExpression, loop: Loop, within: cst.CSTNode, ctx: Context) -> bool:
    """Whether each turn of the loop has a list of its own: made by it, or belonging to what the loop sets."""
    names = {ctx.code(container).strip()}
    while isinstance(container, cst.Attribute | cst.Subscript):
        container = container.value
        names.add(ctx.code(container).strip())
    steady = ctx.steady(loop)
    stores = (
        store
        for name in names
        for store in ctx.stores(name, within)
        if not isinstance(store, cst.AugAssign) and not makes_default(store, name, ctx)
    )
    return any(not isinstance(store, cst.Param) or store.name.value not in steady for store in stores)


# ------------------------------------------------------------------------------------------------
# nested loops over the same collection


def _check_loops(inner: cst.For, ctx: Context) -> Match | None:
    for outer in ctx.loops(inner):
        if not isinstance(outer, cst.For):
            continue
        for collection, first, second in _same(pass_of(outer, ctx), pass_of(inner, ctx), inner, ctx):
            if _is_short(outer, ctx) or _is_short(inner, ctx):
                break
            sides = (Side(collection, first, outer, inner, ctx), Side(collection, second, inner, None, ctx))
            if not ctx.stores(collection, outer.body) and _compares(inner, sides, ctx):
                message = f"the inner loop compares each entry of `{' '.join(collection.split())}` with the others"
                return Match(message, (Plant("nested-loop", inner),))
    return None


def _is_short(loop: Loop, ctx: Context) -> bool:
    turns = ctx.turns_of(loop)
    return turns is not None and turns <= _SMALL


def _same(outer: Pass, inner: Pass, loop: cst.For, ctx: Context) -> Iterator[tuple[str, Pass, Pass]]:
    """The collections that both loops run over."""
    if outer.collection is not None and inner.collection is not None:
        code = ctx.code(outer.collection).strip()
        if code == ctx.code(inner.collection).strip():
            yield code, outer, inner
    elif outer.bound and outer.bound == inner.bound:
        bases = {
            ctx.code(node.value).strip(): None
            for node in ctx.descendants(loop.body)
            if isinstance(node, cst.Subscript) and isinstance(node.value, cst.Name | cst.Attribute)
        }
        for base in bases:
            yield base, outer, inner


def _compares(inner: cst.For, sides: tuple[Side, Side], ctx: Context) -> bool:
    """Whether some condition in the inner loop compares the items of both loops for equality or likeness."""
    for node in ctx.descendants(inner.body):
        if isinstance(node, cst.If):
            found = [part for part in ctx.descendants(node.test) if pairs(part, sides, ctx)]
            if any(not _skips_itself(part, node, sides) for part in found):
                return True
        elif isinstance(node, cst.Assign) and _is_tested(node, inner, ctx) and any_pair(node.value, sides, ctx):
            return True
    return False


def _is_tested(assignment: cst.Assign, inner: cst.For, ctx: Context) -> bool:
    """Whether a condition in the loop looks at the name that is assigned (`score = likeness(a, b)`)."""
    match assignment.targets:
        case [cst.AssignTarget(target=cst.Name(value=name))]:
            return any(isinstance(node, cst.If) and ctx.uses(name, node.test) for node in ctx.descendants(inner.body))
    return False


def _skips_itself(node: cst.CSTNode, condition: cst.If, sides: tuple[Side, Side]) -> bool:
    """Whether it is `if a == b: continue` or `if a != b: ...`, which only keeps an item from meeting itself."""
    match node:
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=right)]):
            plain = [side.is_plain(part) for side in sides for part in (left, right)].count(True) == 2
            return plain and (isinstance(operator, cst.NotEqual) or only_continues(condition.body))
    return False


def _fix(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety | None:
    if not isinstance(node, cst.Comparison):
        return None
    out = node.comparisons[0].comparator
    sought = sought_in(node)
    if not isinstance(out, cst.Name) or ctx.home(out) is not None:
        return None
    if cannot_be_hashed(sought, ctx):
        return None
    item = ctx.code(sought).strip()
    found = ((loop, _appends(node, out, item, loop, ctx)) for loop in reversed(ctx.loops(node)))
    loop, appends = next(((loop, appends) for loop, appends in found if appends is not None), (None, ()))
    if loop is None:
        return None
    made = "" if _is_empty_before(out.value, loop, ctx) else out.value
    seen = edits.hoist(node, loop, "seen", f"{edits.builtin('set')}({made})")
    edits.replace(out, seen)
    for statement in appends:
        edits.after(statement, f"{seen}.add({item})")
    return Safety.UNSAFE


def _appends(
    node: cst.Comparison, out: cst.Name, item: str, loop: Loop, ctx: Context
) -> list[cst.SimpleStatementLine] | None:
    """The lines that append the item to the list, if the loop does nothing else with it but test it once."""
    if not isinstance(loop, cst.For | cst.While) or _is_renewed(out, loop, loop, ctx):
        return None
    if isinstance(loop, cst.While) and node in set(ctx.descendants(loop.test)):
        return None
    lines = []
    for use in ctx.uses(out.value, loop):
        if use is not out:
            line = _append(use, item, ctx)
            if line is None or ctx.function(use) is not ctx.function(node):
                return None
            lines.append(line)
    return lines or None


def _is_empty_before(name: str, loop: cst.CSTNode, ctx: Context) -> bool:
    """Whether all that happens to the list above the loop is that it is made, empty, right there."""
    block = ctx.parent(loop)
    if not isinstance(block, cst.IndentedBlock):
        return False
    index = [statement is loop for statement in block.body].index(True)
    match block.body[index - 1] if index else None:
        case cst.SimpleStatementLine(body=[cst.Assign(targets=[cst.AssignTarget(target=target)], value=value)]):
            return ctx.code(target).strip() == name and ctx.code(value).strip() == "[]"
    return False


def _append(use: cst.Name, item: str, ctx: Context) -> cst.SimpleStatementLine | None:
    """The line `out.append(item)` that the name stands in."""
    match ctx.parent(use):
        case cst.Attribute(attr=cst.Name(value="append")) as attribute:
            call = ctx.parent(attribute)
        case _:
            return None
    match call:
        case cst.Call(args=[cst.Arg(keyword=None, star="", value=value)]) if ctx.code(value).strip() == item:
            statement = ctx.parent(call)
            line = None if statement is None else ctx.parent(statement)
            return line if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
    return None


RULE = Rule(
    id="quadratic-dedup",
    title="Duplicates found by comparing each item with all others",
    kind=Kind.ALGORITHMIC,
    page=Page(
        what=(
            "Two shapes. `if x not in out: out.append(x)` in a loop or comprehension, or in a function that loops call"
            " with the same list each time, where `out` is a list as far as one can see; so is `x in items[:i]` in a"
            " loop over the items. And two nested"
            " loops over the same collection (by item, index, `enumerate` or slice) whose inner one compares the two"
            " items for equality (`a == b`, `a + b == total`), or hands both to a function whose answer is tested."
            f" Collections of at most {_SMALL} entries are not flagged, nor is a comparison that only keeps an item"
            f" from meeting itself."
        ),
        why=(
            "Each item is compared with all that came before it: n items take n * n / 2 comparisons. Ten times the"
            " items take a hundred times as long, so code that was fine on the developer's data stalls on the user's."
        ),
        harmless=(
            "When there are never more than a few dozen items, or few distinct ones in the case of `out`. Items that"
            " cannot be hashed cannot go into a set, and likeness (unlike equality) has no key to group by; comparing"
            " all pairs may then be what the task asks for."
        ),
        measured=(
            "Seconds spent in the test or in the inner loop, and how the cost of one of them grows with the size of the"
            " list or the number of turns. Confirmed when the seconds are considerable and the cost grows."
        ),
        fix=(
            "For equality, keep what was seen in a set or dict: `list(dict.fromkeys(items))` drops duplicates and keeps"
            " the order; `seen[key]` finds the earlier item at once. For likeness, group by something that alike items"
            " share (a normalised title, the first letters, a rounded position) and compare within groups only."
        ),
        references=(
            "True: CPython 3.11.7, Lib/dis.py:635, each jump of a function against all labels found so far",
            "Harmless: CPython 3.11.7, Lib/gettext.py:496, the handful of languages that a user reads",
            "ruff#9928, ruff#20510",
        ),
    ),
    triggers=(
        Nodes(("Compare",), Where(loop=True), operators=("In", "NotIn")),
        Nodes(("Compare",), Where(often=True), operators=("In", "NotIn")),
        Nodes(("For", "AsyncFor"), Where(loop=True)),
    ),
    expects=Scaling(),
    check=check,
    valid=(
        "def f(rows):\n    seen = set()\n    out = []\n    for row in rows:\n        if row not in seen:\n"
        "            seen.add(row)\n            out.append(row)\n    return out\n",
        # another list is tested than the one that grows
        "def f(rows, known: list[str]):\n    out = []\n    for row in rows:\n        if row not in known:\n"
        "            out.append(row)\n    return out\n",
        # a new list for each turn
        "def f(groups):\n    for group in groups:\n        out = []\n        if group.key not in out:\n"
        "            out.append(group.key)\n        print(out)\n",
        # a list of its own for each turn
        "def f(rows, tag):\n    for row in rows:\n        if tag not in row.tags:\n            row.tags.append(tag)\n",
        # a stretch of something else, and a list of each turn's own
        "def f(rows, known):\n    for i, row in enumerate(rows):\n        print(row in known[:5], row in row.a[:i])\n"
        "    return [part for row in rows for part in row.parts if part not in row.done]\n",
        # different collections
        "def f(rows, others):\n    for row in rows:\n        for other in others:\n            if row == other:\n"
        "                print(row)\n",
        # all pairs, and an item does not meet itself
        "def f(nodes, link):\n    for a in nodes:\n        for b in nodes:\n            if a == b:\n"
        "                continue\n            link(a, b)\n",
        "def f(rows):\n    for i in range(len(rows)):\n        for j in range(len(rows)):\n            if i != j:\n"
        "                rows[i].link(rows[j])\n",
        # a matrix
        "def f(m):\n    for i in range(len(m)):\n        for j in range(len(m)):\n            if m[i][j] == 0:\n"
        "                print(i, j)\n",
        # few
        "SIDES = ('left', 'right', 'top')\n\ndef f(box):\n    for a in SIDES:\n        for b in SIDES:\n"
        "            if box.get(a) == box.get(b):\n                print(a, b)\n",
        # sorting in place
        "def f(a):\n    for i in range(len(a)):\n        for j in range(i + 1, len(a)):\n            if a[i] > a[j]:\n"
        "                a[i], a[j] = a[j], a[i]\n",
        "def show(node, seen):\n    if node.id not in seen:\n        seen.append(node.id)\n"
        "    if node.parent:\n        show(node.parent.owner, seen)\n",
        # a function that no loop calls
        "class Index:\n    def __init__(self):\n        self.keys = []\n\n    def add(self, key):\n"
        "        if key not in self.keys:\n            self.keys.append(key)\n",
    ),
    invalid=(
        "def f(sizes, total):\n    for i, a in enumerate(sizes):\n        for b in sizes[i + 1:]:\n"
        "            if a + b == total:\n                return a, b\n",
        "def f(rows):\n    out = []\n    for row in rows:\n        if row not in out:\n            out.append(row)\n"
        "    return out\n",
        # in a comprehension
        "def f(rows):\n    seen = []\n    return [row for row in rows if not (row in seen or seen.append(row))]\n",
        "def f(rows):\n    seen = []\n    [seen.append(row) for row in rows if row not in seen]\n    return seen\n",
        "def f(rows):\n    return [row for i, row in enumerate(rows) if row not in rows[:i]]\n",
        "def f(rows):\n    for i in range(len(rows)):\n        if rows[i] in rows[i + 1 :]:\n            return True\n",
        # `append` proves the list
        "def f(rows, groups):\n    for row in rows:\n        if row.key not in groups[row.group]:\n"
        "            groups[row.group].append(row.key)\n",
        "class Index:\n    def __init__(self):\n        self.keys: list[str] = []\n\n    def load(self, rows):\n"
        "        for row in rows:\n            if row.key in self.keys:\n                continue\n"
        "            self.keys.append(row.key)\n",
        "def f(rows):\n    out = []\n    for row in rows:\n        if (key := row.key) not in out:\n"
        "            out.append(key)\n    return out\n",
        "def f(items):\n    for i in range(len(items)):\n        for j in range(i + 1, len(items)):\n"
        "            if items[i] == items[j]:\n                return True\n    return False\n",
        "def f(items):\n    for x in items:\n        for y in items:\n"
        "            if x is not y and x.title == y.title:\n"
        "                print(x)\n",
        "def f(items):\n    for i, item in enumerate(items):\n        for other in items[i + 1 :]:\n"
        "            if item == other:\n                yield item\n",
        "def f(items, alike):\n    n = len(items)\n    for i in range(n):\n        first = items[i]\n"
        "        for j in range(i + 1, n):\n            second = items[j]\n            score = alike(first, second)\n"
        "            if score > 0.9:\n                yield first, second\n",
        "def f(items):\n    for a in items:\n        for b in items:\n            if len(a.words & b.words) > 3:\n"
        "                print(a, b)\n",
        # a function that calls itself for every item
        "def ids(node, seen):\n    if node.id not in seen:\n        seen.append(node.id)\n"
        "    for child in node.children:\n        ids(child, seen)\n    return seen\n",
        # in a method that a loop calls
        "class Index:\n    def __init__(self):\n        self.keys = []\n\n    def add(self, key):\n"
        "        if key not in self.keys:\n            self.keys.append(key)\n\n    def load(self, rows):\n"
        "        for row in rows:\n            self.add(row.key)\n",
        # handed on to itself, made where it was not given
        "def walk(graph, node, seen=None):\n    if seen is None:\n        seen = []\n    if node in seen:\n"
        "        return\n    seen.append(node)\n    for other in graph[node]:\n"
        "        walk(graph, other, seen)\n",
    ),
    fix=Fixer(
        make=_fix,
        changes=(
            "Items that cannot be hashed raise `TypeError`; items that are equal without equal hashes are no"
            " longer found to be duplicates. The fix is made for a local list that the loop only tests and appends"
            " to; nested loops have none."
        ),
        fixed=(
            None,
            "def f(rows):\n    out = []\n    seen = set()\n    for row in rows:\n        if row not in seen:\n"
            "            out.append(row)\n            seen.add(row)\n    return out\n",
            None,
            None,
            None,
            None,
            None,
            None,
            "def f(rows):\n    out = []\n    seen = set()\n    for row in rows:\n"
            "        if (key := row.key) not in seen:\n            out.append(key)\n            seen.add(key)\n"
            "    return out\n",
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
