"""Every fix is held to the examples that its rule carries."""

from __future__ import annotations

import ast
import io
import tokenize

import pytest

from auditor.catalog import bundled_rules
from auditor.fix.files import FileFixes, Fixing
from auditor.rule import Rule
from auditor.scan import Engine

RULES = tuple(rule for rule in bundled_rules() if rule.fix is not None)
CASES = [
    pytest.param(rule, before, after, id=f"{rule.id}-{index}")
    for rule in RULES
    if rule.fix is not None
    for index, (before, after) in enumerate(zip(rule.invalid, rule.fix.fixed, strict=True))
]
FIXED = [case for case in CASES if case.values[2] is not None]


def fixed(rule: Rule, text: str) -> FileFixes:
    return Fixing([rule]).fix_file(text.encode(), "example.py", "", lambda _suspect: True, unsafe=True)


@pytest.mark.parametrize(("rule", "before", "after"), CASES)
def test_an_example_becomes_what_the_rule_says(rule: Rule, before: str, after: str | None) -> None:
    outcome = fixed(rule, before)

    assert outcome.after.decode() == (before if after is None else after)
    assert bool(outcome.fixed) == (after is not None)
    assert outcome.warnings == []


@pytest.mark.parametrize(("rule", "before", "after"), FIXED)
def test_a_fixed_example_parses_and_no_longer_triggers(rule: Rule, before: str, after: str) -> None:
    ast.parse(after)
    scan = Engine([rule]).scan_text(after)

    assert scan.suspects == ()
    assert scan.skipped == ()


@pytest.mark.parametrize(("rule", "before", "after"), FIXED)
def test_fixing_again_changes_nothing(rule: Rule, before: str, after: str) -> None:
    outcome = fixed(rule, after)

    assert outcome.after == outcome.before
    assert outcome.fixed == []


@pytest.mark.parametrize(("rule", "before", "after"), FIXED)
def test_comments_at_every_line_and_windows_line_ends_survive(rule: Rule, before: str, after: str) -> None:
    commented = with_comments(before)

    outcome = fixed(rule, commented.replace("\n", "\r\n"))

    text = outcome.after.decode()
    assert set(comments_of(commented)) <= set(comments_of(text))
    assert text.count("\n") == text.count("\r\n")
    # what has a comment of its own may be left as it is, but nothing may be half changed
    if outcome.fixed:
        assert without_comments(text.replace("\r\n", "\n")) == ast.dump(ast.parse(after))


@pytest.mark.parametrize(("rule", "before", "after"), FIXED)
def test_a_fix_can_be_proposed_alone_with_its_edits(rule: Rule, before: str, after: str) -> None:
    (fix,) = Fixing([rule]).proposals(before.encode(), "example.py", "", lambda _suspect: True).values()

    lines = before.splitlines(keepends=True)
    for edit in reversed(fix.edits):
        span = edit.span
        head, tail = lines[: span.line - 1], lines[span.end_line :]
        first = lines[span.line - 1] if span.line <= len(lines) else ""
        last = lines[span.end_line - 1] if span.end_line <= len(lines) else ""
        changed = first[: span.column - 1] + edit.text + last[span.end_column - 1 :]
        lines = [*head, *changed.splitlines(keepends=True), *tail]
    assert "".join(lines) == after
    assert fix.diff.startswith("--- a/example.py\n+++ b/example.py\n@@ ")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_fix_is_documented_and_makes_something_of_an_example(rule: Rule) -> None:
    assert rule.fix is not None
    assert rule.fix.changes.endswith(".")
    assert any(rule.fix.fixed)


def with_comments(text: str) -> str:
    """The text with a comment of its own at the end of each line and above it, where there may be one."""
    inside = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.expr) and node.end_lineno is not None
        for line in range(node.lineno, node.end_lineno)
    }
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        indent = line[: len(line) - len(line.lstrip())]
        if line.strip() and number - 1 not in inside:
            lines.append(f"{indent}# above {number}")
        lines.append(f"{line}  # at {number}" if line.strip() else line)
    return "\n".join(lines) + "\n"


def comments_of(text: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def without_comments(text: str) -> str:
    return ast.dump(ast.parse(text))
