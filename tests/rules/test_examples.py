"""Every rule is held to the examples it carries."""

from __future__ import annotations

import re

import pytest

from auditor.catalog import bundled_rules
from auditor.evidence.probes import probe_names
from auditor.rule import Rule
from auditor.scan import Engine

RULES = bundled_rules()
INVALID = [
    pytest.param(rule, text, id=f"{rule.id}-{index}") for rule in RULES for index, text in enumerate(rule.invalid)
]
VALID = [pytest.param(rule, text, id=f"{rule.id}-{index}") for rule in RULES for index, text in enumerate(rule.valid)]


@pytest.mark.parametrize(("rule", "text"), INVALID)
def test_an_invalid_example_yields_exactly_one_suspect(rule: Rule, text: str) -> None:
    scan = Engine([rule]).scan_text(text)

    assert [suspect.rule for suspect in scan.suspects] == [rule.id]
    assert scan.skipped == ()


@pytest.mark.parametrize(("rule", "text"), VALID)
def test_a_valid_example_yields_no_suspect(rule: Rule, text: str) -> None:
    scan = Engine([rule]).scan_text(text)

    assert scan.suspects == ()
    assert scan.skipped == ()


@pytest.mark.parametrize(("rule", "text"), INVALID)
def test_an_invalid_example_is_found_by_all_rules_together_too(rule: Rule, text: str) -> None:
    scan = Engine(RULES).scan_text(text)

    assert rule.id in {suspect.rule for suspect in scan.suspects}


@pytest.mark.parametrize(("rule", "text"), INVALID)
def test_a_suspect_names_probes_that_exist(rule: Rule, text: str) -> None:
    (suspect,) = Engine([rule]).scan_text(text).suspects

    assert suspect.sites
    assert {site.probe for site in suspect.sites} <= set(probe_names())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_documented_and_exemplified(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
    assert all((rule.title, rule.page.what, rule.page.why, rule.page.harmless, rule.page.measured, rule.page.fix))
    assert len(rule.valid) >= 4
    assert len(rule.invalid) >= 4


def test_rule_ids_are_unique() -> None:
    ids = [rule.id for rule in RULES]

    assert len(ids) == len(set(ids))
