"""Markdown: what is quoted stays text, and long lists are cut visibly."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from auditor.model import Report, VerdictKind
from auditor.report import markdown
from auditor.report.printable import printable
from auditor.report.reporters.markdown import render

from .factory import HOSTILE, a_finding, a_hostile_report, a_realistic_report, a_report

if TYPE_CHECKING:
    from markdown_it.token import Token

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
BREAK = "\u200b"
SPICY = st.text("ab1 \t`|\\*_~[](){}<>&#@!$.:;/+-=\"'\n\r\x1b\u202e\udcff") | st.text() | st.just(HOSTILE)


def cells_of(row: str) -> list[list[Token]]:
    tokens = PARSER.parse(f"| a | b |\n|---|---|\n{row}\n\nafter\n")
    assert [token.type for token in tokens].count("tbody_open") == 1
    assert tokens[-2].content == "after"
    body = next(index for index, token in enumerate(tokens) if token.type == "tbody_open")
    return [token.children or [] for token in tokens[body:] if token.type == "inline"][:-1]


def shown(children: list[Token]) -> str:
    return "".join(child.content for child in children if child.type != "html_inline").replace(BREAK, "")


@given(SPICY)
def test_running_text_is_nothing_but_text_and_reads_as_it_was(value: str) -> None:
    ends = f"x {markdown.text(value)} x"
    (paragraph,) = [token for token in PARSER.parse(ends) if token.type == "inline"]
    assert {child.type for child in paragraph.children or []} <= {"text", "text_special"}
    assert shown(paragraph.children or []) == f"x {printable(value)} x"


@given(SPICY)
def test_text_at_the_start_of_a_line_opens_no_block(value: str) -> None:
    kinds = {token.type for token in PARSER.parse(markdown.text(value).strip())}
    assert kinds <= {"paragraph_open", "inline", "paragraph_close"}


@given(SPICY, SPICY)
def test_a_cell_ends_where_the_table_says(text: str, code: str) -> None:
    first, second = cells_of(f"| {markdown.text(text)} | {markdown.code(code)} |")
    assert shown(first).strip() == printable(text).strip()
    assert shown(second).strip() == printable(code).strip()
    allowed = {"text", "text_special", "code_inline", "html_inline"}
    assert {child.type for child in (*first, *second)} <= allowed
    assert {child.content for child in second if child.type == "html_inline"} <= {"<code>", "</code>"}


@given(SPICY)
def test_prose_shows_every_word_and_only_code_is_set_apart(value: str) -> None:
    (paragraph,) = [token for token in PARSER.parse(f"x {markdown.prose(value)} x") if token.type == "inline"]
    kinds = {child.type for child in paragraph.children or []}
    assert kinds <= {"text", "text_special", "code_inline", "html_inline"}
    assert shown(paragraph.children or []).replace("`", "") == f"x {printable(value)} x".replace("`", "")


def test_prose_sets_code_between_backticks() -> None:
    assert markdown.prose("`a_b` is slow, *not* `c|d`") == r"`a_b` is slow, \*not\* <code>c&#124;d</code>"
    assert markdown.prose("one ` alone") == "one &#96; alone"


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("snake_case and __init__", r"snake_case and \_\_init\_\_"),
        ("@octocat", "@&#8203;octocat"),
        ("owner/repo#12", "owner/repo#&#8203;12"),
        ("GH-12", "GH-&#8203;12"),
        ("https://evil.example", "https:&#8203;//evil.example"),
        ("www.evil.example", "www.&#8203;evil.example"),
        ("mailto:a@b.example", "mailto:&#8203;a@&#8203;b.example"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("0.31 s", "0.31 s"),
        ("# title", r"\# title"),
        ("/merge", r"\/merge"),
        ("  /approve it", r"  \/approve it"),
        ("a/b", "a/b"),
        ("group/project!12", "group/project!&#8203;12"),
        ("%12 of 5 %", "%&#8203;12 of 5 %"),
        ("<b>&amp;", "&lt;b&gt;&amp;amp;"),
    ],
)
def test_what_forges_turn_into_links_and_blocks_is_defused(value: str, escaped: str) -> None:
    assert markdown.text(value) == escaped


@given(st.lists(st.text("`~ab ") | st.integers(1, 6).map("`".__mul__), max_size=4))
@example(["```"])
@example(["a", "`````"])
def test_no_line_of_a_block_can_close_it(lines: list[str]) -> None:
    fence = markdown.fence(lines)
    blocks = [t for t in PARSER.parse("\n".join([f"{fence}text", *lines, fence, "", "after"])) if t.type == "fence"]
    assert len(blocks) == 1
    assert blocks[0].content == "".join(f"{line}\n" for line in lines)


def outline(report: Report) -> list[str]:
    tokens = PARSER.parse(render(report))
    return [
        f"{token.tag} {tokens[index + 1].content}" for index, token in enumerate(tokens) if token.type == "heading_open"
    ]


def test_hostile_text_adds_no_heading_link_image_or_html() -> None:
    tokens = PARSER.parse(render(a_hostile_report()))
    inner = [child for token in tokens for child in token.children or []]
    assert not {token.type for token in (*tokens, *inner)} & {
        "html_block",
        "link_open",
        "image",
        "hr",
        "blockquote_open",
    }
    assert {child.content for child in inner if child.type == "html_inline"} == {"<code>", "</code>"}
    tags = [line.split()[0] for line in outline(a_hostile_report())]
    # Title, confirmed with two findings, inconclusive to rejected, fixed, no longer flagged, skipped, suppressions, how
    # with one workload, where.
    assert tags == ["h1", "h2", "h3", "h3", *["h2"] * 10, "h3", "h2"]


def test_hostile_text_cannot_be_mentioned_or_linked_outside_code() -> None:
    tokens = PARSER.parse(render(a_hostile_report()))
    outside = []
    for token in tokens:
        depth = 0
        for child in token.children or []:
            depth += {"<code>": 1, "</code>": -1}.get(child.content, 0)
            if child.type in {"text", "text_special"} and depth == 0:
                outside.append(child.content)
    text = "".join(outside)
    assert "octocat" in text
    assert not re.search(r"@octocat|#1\b|https://", text)


def test_the_sections_of_a_realistic_report() -> None:
    assert outline(a_realistic_report()) == [
        "h1 Performance audit of `shop`",
        "h2 Confirmed (3)",
        "h3 P0: `list-membership` at `shop/catalogue/duplicates.py:17:12`",
        "h3 P1: `json-deepcopy` at `shop/orders.py:42:12`",
        "h3 P2: `unbounded-queue` at `shop/notify.py:88:12`",
        "h2 Inconclusive (1)",
        "h2 Not measurable (1)",
        "h2 Not exercised by any workload (1)",
        "h2 Rejected by measurement (24)",
        "h2 Skipped (2)",
        "h2 How it was measured",
        "h3 Workload load",
        "h3 Workload smoke",
        "h2 Where it was measured",
    ]


def test_the_flagged_line_of_an_excerpt_is_marked() -> None:
    text = render(a_realistic_report())
    assert "> 42 |         return Cart(json.loads(json.dumps(self.items)))\n  43 |\n" in text


@pytest.mark.parametrize("kind", [kind for kind in VerdictKind if kind is not VerdictKind.CONFIRMED])
def test_a_long_list_is_cut_and_says_so(kind: VerdictKind) -> None:
    text = render(a_report(*(a_finding(kind, line=line) for line in range(1, 31))))
    assert text.count("| `shop/orders.py:") == 25
    assert "*and 5 more; `--format html` and `--format json` have them all.*" in text


def test_many_confirmed_findings_are_cut_and_say_so() -> None:
    text = render(a_report(*(a_finding(line=line) for line in range(1, 31))))
    assert text.count("\n### ") == 26  # with the workload's
    assert "*and 5 more;" in text


def test_a_short_list_is_not_said_to_be_cut() -> None:
    assert " more;" not in render(a_realistic_report())


def test_nothing_confirmed_is_said_plainly() -> None:
    text = render(a_report(a_finding(VerdictKind.REJECTED)))
    assert "**Nothing is confirmed: 1 suspect was measured and rejected.**" in text
    assert "## Confirmed (0)\n\nNothing is confirmed.\n" in text
