"""Shadow nodes are what LibCST's parser would have given: the same nodes in the same order, places and text."""

from __future__ import annotations

import ast
import re
import sysconfig
from dataclasses import replace
from pathlib import Path
from typing import Any

import libcst as cst
import pytest
from libcst import matchers

from auditor import cst as ours
from auditor.catalog import bundled_rules
from auditor.rule import Calls, Context, Match, Rule
from auditor.scan import Engine, engine, naming
from auditor.scan.nodes import children
from auditor.scan.shadow import NotShadowedError, Shadow
from auditor.scan.shadow.node import is_shadow
from auditor.scan.slices import Slice, SliceError, slice_lines
from auditor.scan.source import Source, parse_source

LIBRARY = Path(sysconfig.get_paths()["stdlib"])
LEFT_OUT = (
    cst.BaseParenthesizableWhitespace, cst.TrailingWhitespace, cst.EmptyLine, cst.Comment, cst.Newline, cst.Comma,
    cst.Semicolon, cst.Colon, cst.AssignEqual, cst.Dot, cst.LeftParen, cst.RightParen, cst.LeftSquareBracket,
    cst.RightSquareBracket, cst.LeftCurlyBrace, cst.RightCurlyBrace, cst.BaseBinaryOp, cst.BaseUnaryOp,
    cst.BaseBooleanOp, cst.BaseCompOp, cst.BaseAugOp, cst.Asynchronous, cst.ParamSlash, cst.ParamStar, cst.ImportStar,
)  # fmt: skip
"""What only tells how the code is laid out, and operators, which are fields but no children of a shadow."""


def structure(node: cst.CSTNode) -> list[cst.CSTNode]:
    return [child for child in children(node) if not isinstance(child, LEFT_OUT)]


def compare(shadow: Shadow, piece: Slice, ours: Any, theirs: Any) -> int:
    """Compare two trees; return how many nodes were."""
    count = 0
    pending = [(ours, theirs)]
    while pending:
        ours, theirs = pending.pop()
        count += 1
        where = f"line {piece.span(theirs).line}" if theirs in piece.positions else ""
        assert type(ours).__name__ == type(theirs).__name__, where
        for ask in ("code", "span"):
            try:
                answer = getattr(shadow, ask)(ours)
            except NotShadowedError:
                continue
            assert answer == getattr(piece, ask)(theirs), where
        for name in ("value", "operator", "star", "keyword", "asynchronous", "conversion"):
            if is_shadow(ours) and name in ours._fields:
                mine, other = getattr(ours, name), getattr(theirs, name)
                assert mine == other if isinstance(other, str) else type(mine).__name__ == type(other).__name__, where
        try:
            inside = list(ours._inside if is_shadow(ours) else children(ours))
        except NotShadowedError:
            continue
        inside = [one for one in inside if not isinstance(one, LEFT_OUT)]
        expected = structure(theirs)
        assert [type(one).__name__ for one in inside] == [type(one).__name__ for one in expected], where
        pending.extend(zip(inside, expected, strict=True))
        assert all(shadow.parent(one) is ours for one in inside), where
    return count


def compare_source(source: Source) -> int:
    count = 0
    for statement in source.tree.body:
        try:
            piece = Slice(source, *slice_lines(statement))
        except SliceError:
            continue
        shadow = Shadow(source, statement)
        if len(shadow.module.body) == len(piece.module.body):
            count += compare(shadow, piece, shadow.module.body[0], piece.module.body[0])
    return count


@pytest.mark.parametrize(
    "name",
    ["asyncio/tasks.py", "dataclasses.py", "ast.py", "typing.py", "test/test_grammar.py", "test/test_fstring.py"],
)
def test_shadows_are_what_libcst_parses(name: str) -> None:
    # LibCST loses the blanks after a conversion, which Python takes since 3.12
    data = re.sub(rb"(![ars]) +([:}])", rb"\1\2", (LIBRARY / name).read_bytes())

    assert compare_source(parse_source(data, name)) > 1000


@pytest.mark.parametrize(
    "code",
    [
        "x = f((a), (b), c=(d))\n",
        "x = ((a, b), (c,), (), d)\n",
        "for a, b in c, *d: pass\n",
        "x = any(y for y in z), any((y for y in z)), [(y) for (y) in (z)]\n",
        "class A((B), *C, metaclass=(D), **E): x = 1; y = 2\n",
        "if (a and b and c or d): e\nelif (not a): f; g\nelse:\n    if h: i\n",
        "with (open(a)) as b, c: pass\n",
        "with (a, b): pass\n",
        "x = (  # why\n    a + b\n)\n",
        "def f(a, /, b: int = (1), *c, d=2, **e) -> (int): return (yield (a))\n",
        "x[a, b:c], x[(a, b)], x[(a), (b)], x[::2], x[*a]\n",
        "'é' + (a), 'é' 'b', f'{x!r:>{width}}' 'y', f'{a.b}', f'{x=}', b'a' b'b'\n",
        "f'{a}' 'b' rf'c{d}e{f:{g}}' f'h', ('i' f'{j(k)[l]}'\n  f'{{m}}{n!r}'), Rf'o' '''p{q}'''\n",
        "x[((a), b)], x[((a), (b))], x[((a, b), c)], x[(a, b), c], x[(a)[0], b], x[()], x[(a,)], x[(  # why\n a), b]\n",
        "f'{a}={b}', f'a={b}', f'{a=}', f'{a}={a=}', f'{a=!s}', f'a={a!r}', f'{a=:>3}', f'{a:=^3}', f'a={b!r}c='\n",
        "x = any(\n    a\n    for b in c\n), f( a for b in c ), ( a for b in c), (\n(a\n) for b in c\n  )\n",
        "x = any(  # why\n    a for b in c\n), any(\n    a for b in c  # why\n), any(\\\n    a for b in c\\\n)\n",
        "x = f(\n  (\n    a for b in (\n  c)), d), any(\n    '#' for b in c\n)\n",
        "x = ('a'  # why\n     \"b\" r'c' \\\n  '')\nraise A('b'\n    'c', u'd' '''e''')\n",
        "def f():\n    # why \\\n    if x: pass\n    'a' 'b'\n",
        "def f():\n    g(a, '''b\n    c\n d''',  # don't\n    e, 'f\\\n    h' \\\n    'i', (\n      j \\\n    + k))\n",
        "try: a\nexcept (A, B) as e: b\nexcept C: c\nelse: d\nfinally: e\n",
        "try:\n    a\nexcept* A:\n    b\n",
        "from ..a.b import (c as d, e)\nfrom . import *\nimport f.g as h\n",
        "del a, b\ndel (a, b)\ndel (a)\nglobal p, q\n",
        "async def f():\n    async with a as b: [x async for x in y if a if b for c in d]\n",
        "async def f():\n    async for x in y: await (z)\n",
        "x = lambda *a, b=1: (a)\nx = {**a, 'b': (c), **(d)}\nx = {*a, b}\n",
        "def f():\n    return (a or\n        b), g(\n            c)\n",
        "x = a if (b) else (c)\nx: (int) = (1)\nx += (yield)\nassert (a), (b)\nraise (A) from (b)\n",
        "if x:\n    print (a) ; b = (c) ; d\n",
        "x = 1_000, 0x1F, 1e3, 2j, ..., None, True, -1\n",
        "match a:\n    case [1, *b]: pass\n",
        "match a:\n    case None | (True): pass\n    case b.c(-1, d, e=('f' as g)) if h: i\n    case _: pass\n",
    ],
)
def test_rare_code_is_shadowed_exactly_or_not_at_all(code: str) -> None:
    assert compare_source(parse_source(code.encode(), "x.py")) > 0


@pytest.mark.parametrize("name", ["asyncio/tasks.py", "dataclasses.py", "argparse.py", "test/test_grammar.py"])
@pytest.mark.parametrize(
    "kinds", [(ours.Call,), (ours.Global, ours.Nonlocal), (ours.FunctionDef, ours.Subscript), (ours.For, ours.Name)]
)
def test_nodes_of_some_kinds_are_found_without_the_others(name: str, kinds: tuple[Any, ...]) -> None:
    source = parse_source((LIBRARY / name).read_bytes(), name)
    for statement in source.tree.body:
        shadow, whole = Shadow(source, statement), Shadow(source, statement)
        try:
            expected = [whole.code(one) for one in whole.descendants(whole.module) if isinstance(one, kinds)]
            found = [shadow.code(one) for one in shadow.of_kinds(shadow.module, kinds)]
        except NotShadowedError:
            continue
        assert found == expected


NAMING = """
def f(a, *b, c=(d), **e) -> g:
    import h.i as j, a
    from k.l import m
    with a.n as o, open(p) as (q, r.s): global t
    self.u, v = a[b] = w, [x for x in v if (y := x.u)]
    for z, (a, b.c) in a.items(): self.u.w += a
    try: a.b = lambda a, k=b: a
    except (a, b) as c: del a, a.b, a[c]
    match a:
        case b.c(a, d=1) | None: b: int = f'{a}{b!r}'
    return f(a=a)(b=c), {a: b for a, b in c}, not None
"""


def stands(node: Any) -> tuple[str, str]:
    """Where a shadow stands, and for what."""
    # what only LibCST can read it has read, and such nodes have no place of their own
    at = getattr(node, "_at", None)
    at = at[0] if isinstance(at, tuple) else at
    return type(node).__name__, ast.dump(at, include_attributes=True) if isinstance(at, ast.AST) else str(at)


@pytest.mark.parametrize("name", ["asyncio/tasks.py", "dataclasses.py", "argparse.py", "ast.py", ""])
def test_names_are_found_as_if_all_nodes_were_looked_at(name: str) -> None:
    source = parse_source((LIBRARY / name).read_bytes() if name else NAMING.encode(), name or "x.py")
    count = 0
    for statement in source.tree.body:
        shadow, whole = Shadow(source, statement), Shadow(source, statement)
        try:
            index = naming._index(whole.module, whole)
        except NotShadowedError:
            continue
        blocks = (ours.Module, ours.IndentedBlock, ours.For, ours.FunctionDef, ours.Call, ours.Assign)
        pairs = [
            pair
            for pair in zip(shadow.descendants(shadow.module), whole.descendants(whole.module), strict=True)
            if isinstance(pair[0], blocks)
        ]
        for one, other in pairs[:: 1 + len(pairs) // 40]:
            within = naming._index(other, whole)
            for asked in (*index.uses, *index.stores):
                used, bound = naming.uses(asked, one, shadow), naming.stores(asked, one, shadow)
                assert [*map(stands, used)] == [*map(stands, within.uses.get(asked, ()))], asked
                assert [*map(stands, bound)] == [*map(stands, within.stores.get(asked, ()))], asked
                count += len(used) + len(bound)
    assert count > 40


@pytest.mark.parametrize(
    "code",
    [
        "x = f'{a}={b}', f'{a}=', f'a={b}'\n",
        "x = any(\n    a in b\n    for b in c  # why\n    if b\n), f( a for b in c )\n",
    ],
)
def test_frequent_code_is_shadowed_throughout(code: str) -> None:
    source = parse_source(code.encode(), "x.py")
    shadow, piece = Shadow(source, source.tree.body[0]), Slice(source, 1, len(source.lines))
    assert compare(shadow, piece, shadow.module.body[0], piece.module.body[0]) > 10

    for node in shadow.descendants(shadow.module):
        if isinstance(node, ours.GeneratorExp | ours.FormattedString):
            assert shadow.code(node)


@pytest.mark.parametrize("rule", bundled_rules(), ids=lambda rule: rule.id)
def test_examples_are_scanned_without_libcst(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    """But those with code in an f-string, a pattern, or a line continued by a backslash."""
    parsed: list[str] = []

    class Counting(Slice):
        def __init__(self, source: Source, first: int, last: int) -> None:
            parsed.append("".join(source.lines))
            super().__init__(source, first, last)

    monkeypatch.setattr(engine, "Slice", Counting)
    scan = Engine([rule])
    for example in (*rule.valid, *rule.invalid):
        scan.scan_text(example)
    assert [code for code in parsed if not re.search(r"\bf['\"]|\bcase |\\\n", code)] == []


def test_what_the_shadow_does_not_know_is_answered_by_libcst() -> None:
    """The pattern of a list has no shadow; the suspect behind it is found all the same."""
    code = (
        "import copy\n\ndef f(rows, kind):\n    match kind:\n        case [1]:\n"
        "            for row in rows:\n                yield copy.deepcopy(rows)\n"
    )
    assert [suspect.span.line for suspect in Engine(bundled_rules()).scan_text(code).suspects] == [7]


def test_a_check_that_visits_nodes_sees_what_libcst_parses() -> None:
    class Comments(cst.CSTVisitor):
        found = 0

        def visit_Comment(self, node: cst.Comment) -> None:  # noqa: N802
            self.found += 1

    def check(node: cst.CSTNode, ctx: Context) -> Match | None:
        visitor = Comments()
        ctx.root.visit(visitor)
        return Match(f"{visitor.found} comments", ()) if matchers.matches(node, matchers.Call(args=[])) else None

    rule = replace(bundled_rules()[0], check=check, triggers=(Calls((".go",)),))
    (suspect,) = Engine([rule]).scan_text("def f(x):  # one\n    # two\n    x.go()\n    x.go(1)\n").suspects
    assert suspect.message == "2 comments"
