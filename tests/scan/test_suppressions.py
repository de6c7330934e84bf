"""Suppressions are comments, found as Python finds them, and about the statement that a reader takes them for."""

from __future__ import annotations

import json
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.catalog import bundled_rules
from auditor.model import Suppression
from auditor.scan.engine import Engine
from auditor.scan.record import FileScan, dump, load
from auditor.scan.source import parse_source
from auditor.scan.suppressions import suppressions


def found(text: str, path: str = "m.py") -> list[tuple[int, int, int, tuple[str, ...], str]]:
    source = parse_source(textwrap.dedent(text).encode(), path)
    return [(one.line, one.first, one.last, one.rules, one.reason) for one in suppressions(source)]


def test_a_comment_behind_a_statement_is_about_that_line() -> None:
    assert found("x = 1\ny = 2  # audit: ignore[a-b] -- it is short\nz = 3\n") == [(2, 2, 2, ("a-b",), "it is short")]


def test_a_comment_on_a_line_of_its_own_is_about_the_next_statement() -> None:
    text = """\
    # audit: ignore[a]

    # another comment
    y = [
        1,
    ]
    z = 3
    """
    assert found(text) == [(1, 4, 6, ("a",), "")]


def test_a_comment_inside_brackets_is_about_the_whole_statement() -> None:
    assert found("f(\n    1,  # audit: ignore[a]\n    # audit: ignore[b]\n    2,\n)\n") == [
        (2, 1, 5, ("a",), ""),
        (3, 1, 5, ("b",), ""),
    ]


def test_a_comment_on_a_header_is_not_about_the_body() -> None:
    assert found("for x in y:  # audit: ignore[a]\n    pass\n") == [(1, 1, 1, ("a",), "")]


def test_a_comment_above_a_decorated_function_reaches_its_def() -> None:
    text = "# audit: ignore[a]\n@one\n@two(\n    3\n)\ndef f(\n    x,\n):\n    # audit: ignore[b]\n    return x\n"

    assert found(text) == [(1, 2, 8, ("a",), ""), (9, 10, 10, ("b",), "")]


def test_several_rules_and_other_comments_stand_side_by_side() -> None:
    assert found("x = 1  # noqa: E501  # audit: ignore[a, b ,c] --  two  reasons  # type: ignore\n") == [
        (1, 1, 1, ("a", "b", "c"), "two  reasons  # type: ignore")
    ]


def test_what_looks_like_a_comment_in_a_string_is_none() -> None:
    text = 'x = "# audit: ignore[a]"\ny = """\n# audit: ignore[b]\n"""\nz = f"{x}# audit: ignore[c]"\n'

    assert found(text) == []


@pytest.mark.parametrize("comment", ["# audit: ignore", "# audit: ignore[]", "# audit: ignore[ , ] -- why"])
def test_a_comment_that_names_no_rule_has_none(comment: str) -> None:
    assert [rules for _line, _first, _last, rules, _reason in found(f"x = 1  {comment}\n")] == [()]


@pytest.mark.parametrize("comment", ["# audit: ignored[a]", "# audits: ignore[a]", "# audit ignore[a]", "# audit: see"])
def test_other_comments_are_none_of_ours(comment: str) -> None:
    assert found(f"x = 1  {comment}\n") == []


def test_a_comment_with_nothing_after_it_is_about_nothing() -> None:
    assert found("x = 1\n# audit: ignore[a]\n") == [(2, 0, 0, ("a",), "")]


def test_tabs_form_feeds_continuations_and_crlf_do_not_move_it() -> None:
    text = "if x:\r\n\ty = 1 + \\\r\n\t\t2  # audit: ignore[a] -- b\r\n\x0c\r\nz = 1 # audit: ignore[c]\r\n"
    source = parse_source(text.encode(), "m.py")

    assert [(one.line, one.first, one.last, one.reason) for one in suppressions(source)] == [
        (3, 2, 3, "b"),
        (5, 5, 5, ""),
    ]


def test_a_notebook_counts_from_the_start_of_the_cell_and_no_comment_reaches_the_next_one() -> None:
    def cell(*lines: str) -> dict[str, object]:
        return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": list(lines)}

    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"language_info": {"name": "python"}},
        "cells": [cell("x = 1\n", "# audit: ignore[a]"), cell("y = 2\n", "z = 3  # audit: ignore[b]")],
    }
    one, two = suppressions(parse_source(json.dumps(book).encode(), "book.ipynb"))

    assert (one.cell, one.line, one.first, one.last) == (1, 2, 0, 0)
    assert (two.cell, two.line, two.first, two.last) == (2, 2, 2, 2)


def test_the_cache_keeps_them() -> None:
    scan = Engine(bundled_rules()).scan_text(
        "import queue\nq = queue.Queue()  # audit: ignore[unbounded-queue] -- \u00e4\n"
    )

    assert scan.suppressions == (Suppression("example.py", 2, 20, ("unbounded-queue",), "\u00e4", None, 2, 2),)
    assert load(dump(scan)) == scan


@given(
    st.lists(
        st.builds(
            Suppression,
            path=st.just("m.py"),
            line=st.integers(1),
            column=st.integers(1),
            rules=st.lists(st.text()).map(tuple),
            reason=st.text(),
            cell=st.none() | st.integers(1),
            first=st.integers(0),
            last=st.integers(0),
        )
    ).map(tuple)
)
def test_every_record_survives_being_written_down(records: tuple[Suppression, ...]) -> None:
    scan = FileScan("m.py", 3, suppressions=records)

    assert load(dump(scan)) == scan


@given(st.text(st.sampled_from("ab \t\n#:[]-@()'\"\\audit ignore")))
def test_whatever_python_reads_is_read(text: str) -> None:
    source_text = f"x = 1  # audit: ignore[a]\n{text}"
    try:
        source = parse_source(source_text.encode(), "m.py")
    except Exception:
        return
    assert suppressions(source)[0].first == 1
