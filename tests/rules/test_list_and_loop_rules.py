"""Rules about lists, strings and loops: what their examples cannot say, since it takes two rules or several sites."""

from __future__ import annotations

import pytest

from auditor.catalog import find_rule
from auditor.rule import Rule
from auditor.scan import Engine

DEDUP = find_rule("quadratic-dedup")
MEMBERSHIP = find_rule("list-membership-in-loop")
CONCAT = find_rule("string-concat-in-loop")
ROUNDTRIP = find_rule("json-roundtrip-copy")


@pytest.mark.parametrize("text", DEDUP.invalid)
def test_a_deduplication_is_no_membership_finding_as_well(text: str) -> None:
    scan = Engine([DEDUP, MEMBERSHIP]).scan_text(text)

    assert [suspect.rule for suspect in scan.suspects] == ["quadratic-dedup"]


@pytest.mark.parametrize("text", MEMBERSHIP.invalid)
def test_a_membership_finding_is_no_deduplication_as_well(text: str) -> None:
    scan = Engine([DEDUP, MEMBERSHIP]).scan_text(text)

    assert [suspect.rule for suspect in scan.suspects] == ["list-membership-in-loop"]


def test_all_additions_to_one_string_in_one_loop_are_one_suspect_with_a_probe_each() -> None:
    (suspect,) = (
        Engine([CONCAT])
        .scan_text(
            "def f(rows):\n"
            "    text = ''\n"
            "    for row in rows:\n"
            "        text += '<'\n"
            "        for cell in row:\n"
            "            text += str(cell)\n"
            "        text += '>'\n"
            "    return text\n"
        )
        .suspects
    )

    assert suspect.span.line == 4
    assert [site.span.line for site in suspect.sites] == [4, 6, 7]


def test_two_strings_built_by_one_loop_are_two_suspects() -> None:
    scan = Engine([CONCAT]).scan_text(
        "def f(rows):\n    a = b = ''\n    for row in rows:\n        a += str(row)\n        b = str(row) + b\n"
    )

    assert [suspect.span.line for suspect in scan.suspects] == [4, 5]


def test_a_round_trip_through_a_name_has_a_probe_at_both_calls() -> None:
    (suspect,) = (
        Engine([ROUNDTRIP])
        .scan_text("import json\n\ndef f(x):\n    data = json.dumps(x)\n    return json.loads(data)\n")
        .suspects
    )

    assert suspect.span.line == 5
    assert [site.span.line for site in suspect.sites] == [4, 5]


@pytest.mark.parametrize("rule", [CONCAT, MEMBERSHIP, DEDUP], ids=lambda rule: rule.id)
def test_columns_after_wide_characters_count_characters(rule: Rule) -> None:
    text = next(text for text in rule.invalid if text.startswith("def f("))
    (plain,) = Engine([rule]).scan_text(text).suspects

    (wide,) = Engine([rule]).scan_text("# ä 中 😀\n" + text).suspects

    assert (wide.span.line, wide.span.column) == (plain.span.line + 1, plain.span.column)
