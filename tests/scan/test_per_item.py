"""Functions that run for every item: handed to what calls them so, or calling themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from auditor.catalog import chosen_rules, find_rule
from auditor.model import Suspect
from auditor.scan import Engine, discover
from auditor.scan.facts import ModuleFacts
from auditor.scan.parallel import RuleSet
from auditor.scan.per_item import PerItem, runs_per_item
from auditor.scan.project import Project


def runs(text: str) -> dict[str, PerItem]:
    """The functions by name, lambdas by their code."""
    found = runs_per_item(ModuleFacts(tree=ast.parse(text))).functions
    return {ast.unparse(f) if isinstance(f, ast.Lambda) else f.name: run for f, run in found.items()}


@pytest.mark.parametrize(
    "call",
    [
        "map(f, xs)",
        "filter(f, xs)",
        "sorted(xs, key=f)",
        "xs.sort(key=f)",
        "min(xs, key=f)",
        "heapq.nlargest(3, xs, key=f)",
        "functools.reduce(f, xs)",
        "itertools.starmap(f, xs)",
        "itertools.groupby(xs, f)",
        "re.sub(pattern, f, text)",
        "PATTERN.sub(f, text)",
        "frame['a'].apply(f)",
        "frame.apply(func=f, axis=1)",
        "pool.imap_unordered(f, xs)",
        "map(functools.partial(f, 1), xs)",
        "sorted(xs, key=functools.cmp_to_key(f))",
        "iter(f, b'')",
        "json.loads(text, object_hook=f)",
    ],
)
def test_a_function_handed_to_what_calls_it_for_every_item_does(call: str) -> None:
    assert set(runs(f"def f(x): pass\ndef g(): pass\ndef h(xs):\n    return {call}\n")) == {"f"}


@pytest.mark.parametrize(
    "call", ["map(g(), xs)", "print(f)", "sorted(f)", "min(f, xs)", "register(f)", "iter(f)", "f(xs)"]
)
def test_a_function_handed_elsewhere_does_not(call: str) -> None:
    assert runs(f"def f(x): pass\ndef h(xs):\n    return {call}\n") == {}


RUNNER = "def each(do, items, other):\n    for item in items:\n        do(item)\n    other(items)\n\n"
METHOD = "class A:\n    def each(self, do, items):\n        return [do(1, item) for item in items]\n\n"


@pytest.mark.parametrize(
    ("runner", "call"),
    [
        (RUNNER, "each(f, xs, print)"),
        (RUNNER, "each(items=xs, do=f)"),
        (RUNNER, "each(functools.partial(f, 1), xs)"),
        (METHOD, "a.each(f, xs)"),
    ],
)
def test_a_function_that_calls_a_parameter_for_every_item_runs_what_it_is_given(runner: str, call: str) -> None:
    assert set(runs(f"{runner}def f(x): pass\ndef h(xs, a):\n    return {call}\n")) == {"f"}


@pytest.mark.parametrize(
    "runner",
    [
        # attempts at the same, once, another function than the one that is given, a name of its own
        "def each(do, items):\n    for _ in range(3):\n        do()\n",
        "def each(do, items):\n    return do(items)\n",
        "def each(do, items):\n    for item in items:\n        item(do)\n",
        "def each(do, items):\n    do = do or print\n    for item in items:\n        do(item)\n",
    ],
)
def test_a_function_that_calls_nothing_for_every_item_does_not(runner: str) -> None:
    assert runs(f"{runner}\ndef f(x): pass\ndef h(xs):\n    return each(f, xs)\n") == {}


@pytest.mark.parametrize(
    "body",
    [
        "for c in node.children:\n        walk(c)",
        "return [walk(c) for c in node.children]",
        "yield from (walk(c) for c in node.children)",
        "return {walk(c): 1 for c in node}",
        "return walk(node[1:])",
        "first, *rest = node\n    return walk(rest)",
        "return walk(node.left) + walk(node.right)",
        "return max(node, key=lambda c: walk(c))",
        "return list(map(walk, node))",
    ],
)
def test_a_function_that_calls_itself_for_each_item_or_the_rest_does(body: str) -> None:
    assert set(runs(f"def walk(node):\n    {body}\n")) >= {"walk"}


@pytest.mark.parametrize(
    "body",
    [
        "return walk(node.resolved())",
        "for c in walk(node.parent): print(c)",
        "while True:\n        walk(node)",
        "return lambda: [walk(c) for c in node]",
        "def inner():\n        for c in node: walk(c)",
        "for c in node: self.walk(c)",
        "for c in node: c.walk()",
    ],
)
def test_a_function_that_calls_itself_once_more_or_later_does_not(body: str) -> None:
    assert runs(f"def walk(node):\n    {body}\n") == {}


@pytest.mark.parametrize(
    ("call", "itself"),
    [
        ("self.show(c)", True),
        ("Tree.show(c)", True),
        ("c.show()", True),
        ("super().show(c)", False),
        ("self.printer.show(c)", False),
        ("show(c)", False),
    ],
)
def test_a_method_calls_itself_on_its_own_object_or_on_the_branches(call: str, itself: bool) -> None:
    text = f"class Tree:\n    def show(self):\n        for c in self.children:\n            {call}\n"

    assert bool(runs(text)) is itself


def test_objects_that_are_no_branches_may_be_of_another_class() -> None:
    assert runs("class Log:\n    def close(self):\n        for h in self.handlers:\n            h.close()\n") == {}


def test_parameters_that_are_handed_on_as_they_are_stay_the_same() -> None:
    found = runs(
        "def walk(node, seen, depth=0, *, out):\n    for c in node:\n        walk(c, seen, depth + 1, out=out)\n"
    )

    assert found["walk"].kept == {"seen", "out"}


def test_parameters_that_partial_gives_or_that_have_a_default_stay_the_same() -> None:
    found = runs("def f(table, x, *, deep=True): pass\ndef g(xs):\n    return map(partial(f, xs), xs)\n")

    assert found["f"].kept == {"table", "deep"}


def test_the_receiver_of_a_method_that_is_handed_over_stays_the_same() -> None:
    text = "class A:\n    def f(self, x): pass\n    def g(self, xs):\n        return map(self.f, xs)\n"

    assert runs(text)["f"].kept == {"self"}


def test_a_function_handed_over_twice_keeps_what_both_keep() -> None:
    found = runs(
        "def f(a, b): pass\ndef g(p, xs):\n    p.map(partial(f, 1), xs)\n    return map(partial(f, b=1), xs)\n"
    )

    assert (found["f"].kept, found["f"].beside) == (frozenset(), False)


def test_a_name_means_a_function_that_is_seen_from_there() -> None:
    text = "class A:\n    def f(self, x): pass\ndef g():\n    def f(x): pass\ndef h(xs):\n    return map(f, xs)\n"

    assert runs(text) == {}


def test_a_suspect_says_why_its_function_counts_as_a_loop() -> None:
    text = "KNOWN = [*range(10)]\n\ndef is_new(row):\n    return row not in KNOWN\n\nfilter(is_new, ROWS)\n"

    (suspect,) = Engine([find_rule("list-membership-in-loop")]).scan_text(text).suspects

    assert suspect.message.endswith("; `is_new` runs for every item, handed to `filter` at line 6")


def test_a_loop_nearer_than_the_function_needs_no_explanation() -> None:
    text = "def walk(node, names: list[str]):\n    for c in node:\n        if c in names:\n            walk(c, names)\n"

    (suspect,) = Engine([find_rule("list-membership-in-loop")]).scan_text(text).suspects

    assert "runs for every item" not in suspect.message


def test_a_function_of_another_file_that_is_handed_over_is_reached_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUDIT_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "store.py").write_text(
        "import sqlite3\n\n\ndef one(db: sqlite3.Connection, key):\n    return db.execute('select 1', (key,))\n"
    )
    (tmp_path / "code" / "use.py").write_text(
        "from functools import partial\n\nfrom store import one\n\n\ndef all(db, keys):\n"
        "    return list(map(partial(one, db), keys))\n"
    )
    project = Project(discover([tmp_path / "code"]), RuleSet(chosen_rules, (("query-in-loop",), (), ())), True)
    try:
        (suspect,) = [suspect for scan in project.scan(jobs=1) for suspect in scan.suspects]
    finally:
        project.close()

    assert (suspect.path, suspect.span.line) == ("use.py", 7)
    assert suspect.chain == ("one (store.py:4)", "db.execute (store.py:5)")
    assert suspect.message.startswith("`one` leads to `db.execute`")


def test_what_a_pool_runs_does_not_hold_up_the_loop_that_hands_it_over() -> None:
    slow = "import time\n\ndef slow(x):\n    time.sleep(x)\n\nasync def f(pool, xs):\n    return list({})\n"
    scanner = Engine([find_rule("blocking-call-in-async")])

    assert not scanner.scan_text(slow.format("pool.map(slow, xs)")).suspects
    assert len(scanner.scan_text(slow.format("map(slow, xs)")).suspects) == 1


EACH = "def each(do, items, *, then=None):\n    for item in items:\n        do(item)\n        then(item)\n"
KEEPER = """\
import loops


class Page:
    def __init__(self):
        self.text = ''

    def add(self, row):
        self.text += str(row)

    def fill(self, rows):
        {call}
"""


def suspects(directory: Path, files: dict[str, str], rule: str) -> list[Suspect]:
    directory.mkdir()
    for name, text in files.items():
        (directory / name).write_text(text)
    project = Project(discover([directory]), RuleSet(chosen_rules, ((rule,), (), ())), True)
    try:
        return [suspect for scan in project.scan(jobs=1) for suspect in scan.suspects]
    finally:
        project.close()


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("loops.each(self.add, rows)", True),
        ("loops.each(print, rows, then=self.add)", True),
        ("loops.each(rows, self.add)", False),
        ("loops.other(self.add, rows)", False),
    ],
)
def test_a_function_handed_to_what_another_file_runs_for_every_item_does(
    tmp_path: Path, call: str, found: bool
) -> None:
    files = {"loops.py": f"{EACH}\ndef other(do, items):\n    do(items)\n", "page.py": KEEPER.format(call=call)}

    lines = [suspect.span.line for suspect in suspects(tmp_path / "code", files, "string-concat-in-loop")]

    assert lines == ([9] if found else [])


@pytest.mark.parametrize("own", [True, False])
def test_a_way_leads_through_a_function_that_is_handed_over(tmp_path: Path, own: bool) -> None:
    store = (
        "import sqlite3\n\ndb = sqlite3.connect('x')\n\n\ndef one(key):\n    return db.execute('select 1', (key,))\n"
    )
    use = "import store\n\n\ndef all(keys):\n    each(store.one, keys, then=print)\n"
    files = {"store.py": store, "use.py": f"{EACH}\n{use}" if own else f"from loops import each\n{use}"}

    (suspect,) = suspects(tmp_path / "code", files | ({} if own else {"loops.py": EACH}), "query-in-loop")

    assert suspect.path == "use.py"
    assert suspect.chain == ("one (store.py:6)", "db.execute (store.py:7)")


def test_an_edit_of_the_file_that_loops_is_seen_where_the_function_is(tmp_path: Path) -> None:
    code = tmp_path / "code"
    files = {"page.py": KEEPER.format(call="loops.each(self.add, rows)"), "loops.py": EACH}
    assert suspects(code, files, "string-concat-in-loop")

    (code / "loops.py").write_text(EACH.replace("do(item)", "print(item)"))
    project = Project(discover([code]), RuleSet(chosen_rules, (("string-concat-in-loop",), (), ())), True)
    try:
        assert not [suspect for scan in project.scan(jobs=1) for suspect in scan.suspects]
    finally:
        project.close()
