"""Fixing a file: what is not fixed stays byte for byte, and a fix that does not hold is dropped."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import replace

import libcst as cst
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.catalog import find_rule
from auditor.fix.files import FileFixes, Fixing
from auditor.fix.text import Text, moved, overlap
from auditor.model import Edit, Span
from auditor.rule import Context, Edits, Fixer, Rule, Safety

FRONT = find_rule("list-insert-front")
ENDS = find_rule("sorted-for-min-max")
REGEX = find_rule("regex-compiled-per-call")
MEMBERSHIP = find_rule("list-membership-in-loop")

SORTED = "def f(rows):\n    # größer\n    return sorted(rows)[0]  # der kleinste\n"
SMALLEST = SORTED.replace("sorted(rows)[0]", "min(rows)")


def fix(data: bytes, *rules: Rule, unsafe: bool = True) -> FileFixes:
    return Fixing(rules or (ENDS,)).fix_file(data, "a.py", "", lambda _suspect: True, unsafe)


def with_fixer(make: Callable[[cst.CSTNode, Context, Edits], Safety | None]) -> Rule:
    return replace(ENDS, fix=Fixer(make, "", ()))


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("latin-1", "# -*- coding: latin-1 -*-\n"),
        ("cp1252", "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_encoding_mark_and_line_ends_stay(encoding: str, head: str, end: str) -> None:
    before = (head + SORTED).replace("\n", end).encode(encoding)

    assert fix(before).after == (head + SMALLEST).replace("\n", end).encode(encoding)


def test_mixed_line_ends_stay_and_new_lines_end_as_their_neighbours_do() -> None:
    before = b"def f(rows):\r\n    out = []\n    for row in rows:\r\n        out.insert(0, row)\n    return out"

    after = fix(before, FRONT, unsafe=False).after

    assert after == (
        b"def f(rows):\r\n    out = []\n    for row in rows:\r\n        out.append(row)\n    out.reverse()\n"
        b"    return out"
    )


def test_a_file_without_a_last_line_end_gets_none() -> None:
    assert fix(SORTED.rstrip("\n").encode()).after == SMALLEST.rstrip("\n").encode()


@pytest.mark.parametrize(
    "data",
    [
        b"def f(:\n",
        b"\xff\xfe",
        b"# coding: rot13\n",
        b"def f(rows):\r    return sorted(rows)[0]\r",
        codecs.BOM_UTF16_LE,
    ],
)
def test_what_cannot_be_read_is_left_as_it_is_and_said(data: bytes) -> None:
    outcome = fix(data)

    assert outcome.after == data
    assert len(outcome.warnings) == 1
    assert "a.py is left as it is" in outcome.warnings[0]


def test_safe_fixes_alone_are_made_unless_more_is_asked_for() -> None:
    text = b"def f(rows):\n    out = []\n    for row in rows:\n        out.insert(0, row)\n    return sorted(rows)[0]\n"

    outcome = fix(text, FRONT, ENDS, unsafe=False)

    assert [suspect.rule for suspect in outcome.fixed] == ["list-insert-front"]
    assert [suspect.rule for suspect in outcome.unsafe] == ["sorted-for-min-max"]
    assert b"sorted(rows)[0]" in outcome.after


def test_fixes_of_the_same_code_are_made_one_after_the_other() -> None:
    text = "import re\n\ndef f(rows):\n    return min(re.sub('a', 'c', re.sub('b', 'c', row)) for row in rows)\n"

    outcome = fix(text.encode(), REGEX)

    assert len(outcome.fixed) + len(outcome.clashed) == 2
    assert len(outcome.fixed) >= 1
    compile(outcome.after, "a.py", "exec")


def test_two_fixes_share_one_import_and_take_different_names() -> None:
    text = "def f(rows):\n    return sorted(rows)[:3]\n\ndef g(rows):\n    return sorted(rows, reverse=True)[:3]\n"

    after = fix(text.encode()).after.decode()

    assert after.startswith("import heapq\n\n\ndef f(rows):\n    return heapq.nsmallest(3, rows)\n")
    assert after.count("import heapq") == 1


def test_a_new_name_never_meets_one_that_is_there() -> None:
    text = (
        "import re\n\n_F_RE = 1\n_F_RE_2 = 2\n\ndef f(rows):\n"
        "    return [(re.match('a', row), re.match('b', row)) for row in rows]\n"
    )

    after = fix(text.encode(), REGEX).after.decode()

    assert "_F_RE_3 = re.compile('a')\n_F_RE_4 = re.compile('b')\n" in after
    assert "_F_RE = 1\n_F_RE_2 = 2\n" in after


def test_the_same_pattern_gets_one_name() -> None:
    text = "import re\n\ndef f(rows):\n    return [(re.match('a', row), re.findall('a', row)) for row in rows]\n"

    after = fix(text.encode(), REGEX).after.decode()

    assert after.count("re.compile") == 1


@pytest.mark.parametrize("hidden", ["min = 3\n", "from functions import *\n", "def g(min):\n    return min\n"])
def test_a_hidden_builtin_is_not_used(hidden: str) -> None:
    data = (hidden + "\n" + SORTED).encode()

    assert fix(data).after == data


def test_a_name_that_stands_for_something_else_is_not_imported() -> None:
    data = b"heapq = None\n\ndef f(rows):\n    return sorted(rows)[:3]\n"

    assert fix(data).after == data


def test_a_constant_is_not_made_of_what_is_bound_later_or_twice() -> None:
    late = b"import re\n\ndef f(rows):\n    return [re.match(WORD, row) for row in rows]\n\nWORD = 'a'\n"
    twice = b"import re\n\nWORD = 'a'\n\ndef f(rows):\n    return [re.match(WORD, row) for row in rows]\n\nWORD = 'b'\n"

    assert fix(late, REGEX).after == late
    assert fix(twice, REGEX).after == twice


def test_a_condition_that_guards_the_list_stays_ahead_of_it() -> None:
    guarded = (
        b"def f(rows, known: list[str] | None):\n    for row in rows:\n        if known is not None and row in known:\n"
        b"            print(row)\n"
    )

    assert fix(guarded, MEMBERSHIP).after == guarded


@pytest.mark.parametrize(
    "text",
    [
        "def f(rows):\n    known = [[row] for row in rows]\n    return [row for row in rows if row in known]\n",
        "def f(rows, known: list[object]):\n    for row in rows:\n        found = dict(row)\n"
        "        print(found in known)\n",
        "def f(rows, known: list[object]):\n    for row in rows:\n        row['x'] = 1\n        print(row in known)\n",
    ],
)
def test_what_cannot_be_hashed_stays_in_its_list(text: str) -> None:
    assert fix(text.encode(), MEMBERSHIP).after == text.encode()


def test_what_two_fixes_move_ahead_of_a_loop_is_moved_once() -> None:
    text = (
        "def f(rows, known: list[int]):\n    for row in rows:\n        if row in known:\n            print(row)\n"
        "        if row + 1 in known:\n            print(row + 1)\n"
    )

    outcome = fix(text.encode(), MEMBERSHIP)

    assert len(outcome.fixed) == 2
    assert outcome.after.count(b"known_set = set(known)") == 1
    assert outcome.after.count(b"in known_set:") == 2


def test_comments_are_indented_with_the_statements_they_stand_above() -> None:
    text = (
        "def f(path):\n    file = open(path)  # the file\n    # all of it\n    text = file.read()\n\n"
        "    # and no more\n    return text\n"
    )

    after = fix(text.encode(), find_rule("unclosed-file")).after.decode()

    assert after == (
        "def f(path):\n    with open(path) as file:  # the file\n        # all of it\n        text = file.read()\n\n"
        "    # and no more\n    return text\n"
    )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("sorted(rows", "does not parse"),
        ("sorted(  # all\n        rows, key=None)[0]", "still suspected"),
        ("min(rows)", "lose a comment"),
    ],
)
def test_a_fix_that_does_not_hold_is_dropped_with_a_warning(code: str, reason: str) -> None:
    def bad(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety:
        around = ctx.parent(node)
        assert around is not None
        edits.replace(around, code)
        return Safety.SAFE

    data = b"def f(rows):\n    return sorted(  # all\n        rows)[0]\n"

    outcome = fix(data, with_fixer(bad))

    assert outcome.after == data
    assert outcome.fixed == []
    assert outcome.warnings == [f"a.py:2: no fix of sorted-for-min-max: {outcome.warnings[0].rpartition(': ')[2]}"]
    assert reason in outcome.warnings[0]


def test_a_fix_that_crashes_costs_only_itself() -> None:
    def bad(_node: cst.CSTNode, _ctx: Context, _edits: Edits) -> Safety:
        raise KeyError("x")

    data = b"def f(rows):\n    out = []\n    for row in rows:\n        out.insert(0, row)\n    return sorted(rows)[0]\n"

    outcome = fix(data, with_fixer(bad), FRONT)

    assert [suspect.rule for suspect in outcome.fixed] == ["list-insert-front"]
    assert outcome.warnings == ["a.py:5: the fix of sorted-for-min-max failed: KeyError: 'x'"]


def test_one_bad_fix_among_many_does_not_keep_the_others_from_being_made() -> None:
    def some(node: cst.CSTNode, ctx: Context, edits: Edits) -> Safety:
        around = ctx.parent(node)
        assert around is not None
        edits.replace(around, "min(" if "bad" in ctx.code(node) else "min(rows)")
        return Safety.SAFE

    good = "".join(f"def f{number}(rows):\n    return sorted(rows)[0]\n\n" for number in range(5))
    data = f"{good}def g(bad):\n    return sorted(bad)[0]\n\n{good.replace('def f', 'def h')}".encode()

    outcome = fix(data, with_fixer(some))

    assert len(outcome.fixed) == 10
    assert len(outcome.warnings) == 1
    assert outcome.after.count(b"min(rows)") == 10


LINES = st.lists(st.text("ab\u00e9", max_size=4), min_size=1, max_size=5)


@given(LINES, st.data())
def test_what_is_outside_an_edit_is_found_again_behind_it(lines: list[str], data: st.DataObject) -> None:
    whole = "".join(f"{line}\n" for line in lines)
    text = Text(tuple(whole.splitlines(keepends=True)), "utf-8")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=4, max_size=4)))
    new = data.draw(st.text("xy\n", max_size=5))

    def span(start: int, end: int) -> Span:
        def place(offset: int) -> tuple[int, int]:
            head = whole[:offset]
            return head.count("\n") + 1, len(head) - (head.rfind("\n") + 1) + 1

        return Span(*place(start), *place(end))

    edit, other = Edit(span(cuts[0], cuts[1]), new), span(cuts[2], cuts[3])
    after = text.edited([edit])

    found = moved(other, [edit], text.lines, after.lines)

    assert "".join(after.lines) == whole[: cuts[0]] + new + whole[cuts[1] :]
    if overlap(edit.span, other):
        return
    assert found is not None
    starts = [0]
    for line in after.lines:
        starts.append(starts[-1] + len(line))
    first = starts[found.line - 1] + found.column - 1
    assert "".join(after.lines)[first : first + cuts[3] - cuts[2]] == whole[cuts[2] : cuts[3]]
